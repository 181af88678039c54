//! A Piper voice: a model with its configuration, checked against each other, shared by all who speak with it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use lectern_neural::inspect;
use lectern_neural::ort::session::RunOptions;
use piper_rs::ModelConfig;
use serde::Serialize;

use crate::piper_config::{Config, PiperInfo, fits, read};
use crate::vits_run::{Graph, Listener, Phrase};
use crate::{SpeechError, piper_ids};

/// A voice of a bank, before it is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BankVoice {
    /// What comes after `piper/` in the name of a voice.
    pub id: String,
    pub name: String,
    /// BCP 47, the first is its own.
    pub languages: Vec<String>,
    /// Empty for a voice of one speaker.
    pub speakers: Vec<String>,
    pub sample_rate: u32,
    pub quality: String,
}

/// Where Piper voices come from. Loading, keeping and unloading them is the bank's.
pub trait VoiceBank: Send + Sync {
    fn list(&self) -> Vec<BankVoice>;
    fn open(&self, id: &str) -> Result<Arc<PiperVoice>, SpeechError>;
}

pub struct PiperVoice {
    graph: Graph,
    config: ModelConfig,
    info: PiperInfo,
    bytes: u64,
}

impl std::fmt::Debug for PiperVoice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PiperVoice").field("info", &self.info).finish_non_exhaustive()
    }
}

/// How a clause is spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Manner {
    pub speaker: i64,
    /// Times as long as the voice's own speed.
    pub length: f32,
    /// Variation of the sound; none: the voice's own.
    pub noise: Option<f32>,
    /// The first sound is waited for.
    pub eager: bool,
}

impl PiperVoice {
    /// Loads a voice, if model and configuration belong together. A trial of a few phonemes is part of it.
    pub fn load(model: &Path, config: &Path) -> Result<Self, SpeechError> {
        let unfit = |reason: String| SpeechError::Unfit { voice: model.to_owned(), reason };
        let Config { model: parsed, info } = read(config)?;
        let shape = inspect(model)?;
        fits(&parsed, &shape).map_err(unfit)?;
        let voice = Self { graph: Graph::load(model)?, config: parsed, info, bytes: shape.bytes };
        voice.try_out().map_err(unfit)?;
        Ok(voice)
    }

    pub fn info(&self) -> &PiperInfo {
        &self.info
    }

    /// About what the voice needs in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.bytes
    }

    /// A speaker by name or number.
    pub(crate) fn speaker(&self, wanted: Option<&str>) -> Result<i64, SpeechError> {
        let Some(wanted) = wanted.map(str::trim).filter(|wanted| !wanted.is_empty()) else { return Ok(0) };
        let named = self.config.speaker_id_map.get(wanted).copied();
        let numbered = || wanted.parse().ok().filter(|id| (0..self.speakers()).contains(id));
        named.or_else(numbered).ok_or_else(|| SpeechError::UnknownSpeaker(wanted.to_owned()))
    }

    fn speakers(&self) -> i64 {
        i64::from(self.config.num_speakers.max(1))
    }

    pub(crate) fn ids(&self, phonemes: &str) -> Vec<i64> {
        piper_ids::ids(&self.config.phoneme_id_map, phonemes)
    }

    /// The sound of these phonemes, in pieces as it is made. `options` can end it from another thread.
    pub(crate) fn run(
        &self,
        ids: Vec<i64>,
        manner: Manner,
        options: &RunOptions,
        listener: Listener<'_>,
    ) -> Result<ControlFlow<()>, String> {
        let own = &self.config.inference;
        let noise = manner.noise.unwrap_or(own.noise_scale);
        // Both noises go together, as far as the voice's own do.
        let share = if own.noise_scale > 0.0 { noise / own.noise_scale } else { 1.0 };
        let width = if manner.noise.is_some() { (own.noise_w * share).min(2.0) } else { own.noise_w };
        let scales = [noise, own.length_scale * manner.length, width];
        let speaker = (self.config.num_speakers > 1).then_some(manner.speaker);
        self.graph.run(Phrase { ids, scales, speaker, eager: manner.eager }, options, listener)
    }

    /// Speaks the highest phoneme and speaker that the configuration promises.
    fn try_out(&self) -> Result<(), String> {
        let map = &self.config.phoneme_id_map;
        let highest = map.values().flatten().copied().max().unwrap_or_default();
        let ids = vec![map[&'^'][0], map[&'_'][0], highest, map[&'_'][0], map[&'$'][0]];
        let options = RunOptions::new().map_err(|error| error.to_string())?;
        let speak = |speaker: i64| {
            let manner = Manner { speaker, length: 1.0, noise: Some(0.0), eager: false };
            let mut samples = 0;
            let mut count = |piece: &[f32]| {
                samples += piece.len();
                ControlFlow::Continue(())
            };
            self.run(ids.clone(), manner, &options, &mut count).map(|_| samples)
        };
        let samples = speak(self.speakers() - 1)
            .map_err(|error| format!("its model does not speak what it promises ({error})"))?;
        if samples == 0 {
            return Err("its model gives no sound".into());
        }
        if self.config.num_speakers > 1 && speak(self.speakers()).is_ok() {
            return Err(format!("its model has more than the {} speakers that it says", self.speakers()));
        }
        Ok(())
    }
}

//! Text to samples: checks, chooses the voice, hands clause after clause to the worker.

use std::ffi::CString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clause::{Clause, ClauseSplitter};
use crate::espeak::{Settings, VoiceInfo};
use crate::sanitise::{is_speakable, sanitise};
use crate::worker::{self, Piece};
use crate::{SpeechError, data, language};

/// Samples a second, of every voice.
pub const SAMPLE_RATE: u32 = 22_050;
/// About an hour and a half of speech.
pub const MAX_TEXT_CHARS: usize = 100_000;
const FALLBACK: &str = "en";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakOptions {
    /// A voice by its id, `de` or `en-us`, with an optional variant: `en-us+f3`. Goes before `language`;
    /// none, empty and `auto` leave the choice to it.
    pub voice: Option<String>,
    /// Language of the text (BCP 47 or ISO 639-3); English when eSpeak does not speak it.
    pub language: Option<String>,
    /// Words a minute, 80 to 450.
    pub rate: u32,
    /// 0 to 99.
    pub pitch: u32,
    /// Percent, 0 to 200.
    pub volume: u32,
}

impl Default for SpeakOptions {
    fn default() -> Self {
        Self { voice: None, language: None, rate: 170, pitch: 50, volume: 100 }
    }
}

/// What was spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioInfo {
    pub sample_rate: u32,
    pub samples: u64,
    pub clauses: usize,
    /// The voice that spoke, `en-us`.
    pub voice: String,
    /// False when the receiver stopped it.
    pub complete: bool,
}

impl AudioInfo {
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.samples as f64 / f64::from(self.sample_rate))
    }
}

/// Cheap to make and to clone; nothing is unpacked or started before the first use.
#[derive(Debug, Clone)]
pub struct Synthesizer {
    cache: PathBuf,
    voices: Arc<OnceLock<Vec<VoiceInfo>>>,
}

impl Synthesizer {
    /// `cache`: a folder of the caller's for the voice data (9 MB).
    pub fn new(cache: impl AsRef<Path>) -> Self {
        Self { cache: cache.as_ref().to_owned(), voices: Arc::default() }
    }

    /// Every voice, sorted by id. The first call unpacks the data and starts the engine, so it also
    /// serves to do that ahead of the first question.
    pub fn voices(&self) -> Result<Vec<VoiceInfo>, SpeechError> {
        self.known_voices().map(<[VoiceInfo]>::to_vec)
    }

    /// Speaks `text` and gives the samples to `sink` as they are made; `Break` stops at once.
    ///
    /// Markup is spoken as it stands: give the `spoken_form` of a written text.
    pub fn speak(
        &self,
        text: &str,
        options: &SpeakOptions,
        sink: &mut dyn FnMut(&[i16]) -> ControlFlow<()>,
    ) -> Result<AudioInfo, SpeechError> {
        let chars = text.chars().take(MAX_TEXT_CHARS + 1).count();
        if chars > MAX_TEXT_CHARS {
            return Err(SpeechError::TooLong { chars: text.chars().count(), limit: MAX_TEXT_CHARS });
        }
        if !is_speakable(text) {
            return Err(SpeechError::Empty);
        }
        let data = data::unpacked(&self.cache)?;
        let (voice, settings) = self.settings(options, &data)?;
        let mut info = AudioInfo { sample_rate: SAMPLE_RATE, samples: 0, clauses: 0, voice, complete: true };
        let mut splitter = ClauseSplitter::new();
        let mut clauses = splitter.push(text);
        clauses.extend(splitter.finish());
        for clause in clauses {
            if let Some(request) = prepare(&clause, &data, &settings) {
                info.clauses += 1;
                if play(request, &mut info.samples, sink)?.is_break() {
                    info.complete = false;
                    break;
                }
            }
        }
        Ok(info)
    }

    fn known_voices(&self) -> Result<&[VoiceInfo], SpeechError> {
        if let Some(voices) = self.voices.get() {
            return Ok(voices);
        }
        let voices = worker::voices(data::unpacked(&self.cache)?)?;
        Ok(self.voices.get_or_init(|| voices))
    }

    fn settings(&self, options: &SpeakOptions, data: &Path) -> Result<(String, Settings), SpeechError> {
        let rate = within("rate", options.rate, 80, 450)?;
        let pitch = within("pitch", options.pitch, 0, 99)?;
        let volume = within("volume", options.volume, 0, 200)?;
        let (id, voice) =
            match options.voice.as_deref().map(str::trim).filter(|name| !matches!(*name, "" | "auto")) {
                Some(name) => self.named(name, data)?,
                None => self.for_language(options.language.as_deref().unwrap_or(FALLBACK))?,
            };
        Ok((id, Settings { voice, rate: rate as u16, pitch: pitch as u8, volume: volume as u8 }))
    }

    fn for_language(&self, language: &str) -> Result<(String, String), SpeechError> {
        let voices = self.known_voices()?;
        let voice = language::voice_for(voices, language).or_else(|| language::exact(voices, FALLBACK));
        let voice = voice.ok_or_else(|| SpeechError::UnknownVoice(language.to_owned()))?;
        Ok((voice.id.clone(), voice.path.clone()))
    }

    fn named(&self, name: &str, data: &Path) -> Result<(String, String), SpeechError> {
        let unknown = || SpeechError::UnknownVoice(name.to_owned());
        let (base, variant) =
            name.split_once('+').map_or((name, None), |(base, variant)| (base, Some(variant)));
        let voice = language::exact(self.known_voices()?, base).ok_or_else(unknown)?;
        let Some(variant) = variant else { return Ok((voice.id.clone(), voice.path.clone())) };
        let plain = variant.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if variant.is_empty() || !plain || !data.join("voices/!v").join(variant).is_file() {
            return Err(unknown());
        }
        Ok((format!("{}+{variant}", voice.id), format!("{}+{variant}", voice.path)))
    }
}

fn within(name: &'static str, value: u32, min: u32, max: u32) -> Result<u32, SpeechError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(SpeechError::OutOfRange { name, value, min, max })
    }
}

/// None when the clause has nothing to say.
fn prepare(clause: &Clause, data: &Path, settings: &Settings) -> Option<worker::Clause> {
    let text = sanitise(&clause.text);
    let text = text.trim();
    if !is_speakable(text) {
        return None;
    }
    // A clause that was cut for its length goes on without a pause.
    let pause = clause.ends_sentence || text.ends_with(|c: char| !c.is_alphanumeric());
    Some(worker::Clause {
        data: data.to_owned(),
        text: CString::new(text).expect("control characters are gone"),
        settings: settings.clone(),
        pause,
        stop: Arc::new(AtomicBool::new(false)),
    })
}

fn play(
    clause: worker::Clause,
    samples: &mut u64,
    sink: &mut dyn FnMut(&[i16]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SpeechError> {
    let stop = Arc::clone(&clause.stop);
    let pieces = worker::say(clause)?;
    loop {
        match pieces.recv().map_err(|_| worker::gone())? {
            Piece::Done(outcome) => return outcome.map(ControlFlow::Continue),
            Piece::Audio(audio) => {
                *samples += audio.len() as u64;
                if sink(&audio).is_break() {
                    stop.store(true, Ordering::Relaxed);
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }
}

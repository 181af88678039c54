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
use crate::lexicon::for_engine;
use crate::piper::{BankVoice, Manner, VoiceBank};
use crate::piper_speak::{self, Speaker};
use crate::sanitise::is_speakable;
use crate::worker::{self, Piece};
use crate::{SpeechError, data, language};

/// Samples a second, of every voice.
pub const SAMPLE_RATE: u32 = 22_050;
/// About an hour and a half of speech.
pub const MAX_TEXT_CHARS: usize = 100_000;
const FALLBACK: &str = "en";
/// Before the names of the bank's voices.
const PIPER: &str = "piper/";
/// Words a minute at which a Piper voice speaks as it was trained.
const OWN_SPEED: f32 = 170.0;

#[derive(Debug, Clone, PartialEq)]
pub struct SpeakOptions {
    /// A voice by its id, `de` or `en-us`, with an optional variant: `en-us+f3`; or one of the bank, `piper/NAME`
    /// or `piper/NAME#speaker`. Goes before `language`; none, empty and `auto` leave the choice to it.
    pub voice: Option<String>,
    /// Language of the text (BCP 47 or ISO 639-3); English when eSpeak does not speak it.
    pub language: Option<String>,
    /// Words a minute, 80 to 450; 170 is a Piper voice's own speed.
    pub rate: u32,
    /// 0 to 99; Piper voices keep their own.
    pub pitch: u32,
    /// Percent, 0 to 200.
    pub volume: u32,
    /// Of a voice with several: a name or a number.
    pub speaker: Option<String>,
    /// Variation of a Piper voice, 0 to 2; none: its own.
    pub noise: Option<f32>,
    /// Somebody waits for the first sound: a Piper voice gives short pieces first, for a little more work. The sound is
    /// the same.
    pub eager: bool,
}

impl Default for SpeakOptions {
    fn default() -> Self {
        Self {
            voice: None,
            language: None,
            rate: 170,
            pitch: 50,
            volume: 100,
            speaker: None,
            noise: None,
            eager: false,
        }
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
#[derive(Clone)]
pub struct Synthesizer {
    cache: PathBuf,
    voices: Arc<OnceLock<Vec<VoiceInfo>>>,
    bank: Option<Arc<dyn VoiceBank>>,
}

impl std::fmt::Debug for Synthesizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Synthesizer").field("cache", &self.cache).finish_non_exhaustive()
    }
}

struct Chosen {
    name: String,
    engine: Engine,
}

enum Engine {
    Espeak(Settings),
    Piper(Speaker),
}

impl Synthesizer {
    /// `cache`: a folder of the caller's for the voice data (9 MB).
    pub fn new(cache: impl AsRef<Path>) -> Self {
        Self { cache: cache.as_ref().to_owned(), voices: Arc::default(), bank: None }
    }

    /// With Piper voices beside eSpeak's.
    #[must_use]
    pub fn with_bank(mut self, bank: Arc<dyn VoiceBank>) -> Self {
        self.bank = Some(bank);
        self
    }

    /// The Piper voices, which `voices` does not list.
    pub fn bank_voices(&self) -> Vec<BankVoice> {
        self.bank.as_ref().map(|bank| bank.list()).unwrap_or_default()
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
        self.speak_until(text, options, &AtomicBool::new(false), sink)
    }

    /// Like `speak`; setting `stop` ends it within 100 ms, also while a clause is being made.
    pub fn speak_until(
        &self,
        text: &str,
        options: &SpeakOptions,
        stop: &AtomicBool,
        sink: &mut dyn FnMut(&[i16]) -> ControlFlow<()>,
    ) -> Result<AudioInfo, SpeechError> {
        let chars = text.chars().take(MAX_TEXT_CHARS + 1).count();
        if chars > MAX_TEXT_CHARS {
            return Err(SpeechError::TooLong { chars: text.chars().count(), limit: MAX_TEXT_CHARS });
        }
        let mut splitter = ClauseSplitter::new();
        let mut clauses = splitter.push(text);
        clauses.extend(splitter.finish());
        self.speak_clauses(&clauses, options, stop, sink)
    }

    /// Clauses that the caller has cut, as they are.
    pub fn speak_clauses(
        &self,
        clauses: &[Clause],
        options: &SpeakOptions,
        stop: &AtomicBool,
        sink: &mut dyn FnMut(&[i16]) -> ControlFlow<()>,
    ) -> Result<AudioInfo, SpeechError> {
        if !clauses.iter().any(|clause| is_speakable(&clause.text)) {
            return Err(SpeechError::Empty);
        }
        let data = data::unpacked(&self.cache)?;
        let voice = self.voice(options, &data)?;
        let mut info =
            AudioInfo { sample_rate: SAMPLE_RATE, samples: 0, clauses: 0, voice: voice.name, complete: true };
        for clause in clauses {
            let flow = if stop.load(Ordering::Relaxed) {
                Some(ControlFlow::Break(()))
            } else {
                match &voice.engine {
                    Engine::Espeak(settings) => prepare(clause, &data, settings)
                        .map(|request| play(request, &mut info.samples, stop, sink))
                        .transpose()?,
                    Engine::Piper(speaker) => {
                        let counted = &mut |piece: &[i16]| {
                            info.samples += piece.len() as u64;
                            sink(piece)
                        };
                        piper_speak::speak(speaker, clause, &data, stop, counted)?
                    }
                }
            };
            info.clauses += usize::from(flow.is_some());
            if flow.is_some_and(|flow| flow.is_break()) {
                info.complete = false;
                break;
            }
        }
        Ok(info)
    }

    fn voice(&self, options: &SpeakOptions, data: &Path) -> Result<Chosen, SpeechError> {
        if let Some(name) = options.voice.as_deref().and_then(|name| name.trim().strip_prefix(PIPER)) {
            let (name, engine) = (format!("{PIPER}{name}"), self.piper(name, options)?);
            return Ok(Chosen { name, engine });
        }
        let (name, settings) = self.settings(options, data)?;
        Ok(Chosen { name, engine: Engine::Espeak(settings) })
    }

    /// `name`: of the voice in the bank, with the speaker after `#`.
    fn piper(&self, name: &str, options: &SpeakOptions) -> Result<Engine, SpeechError> {
        let rate = within("rate", options.rate, 80, 450)?;
        let volume = within("volume", options.volume, 0, 200)?;
        let noise = options.noise.filter(|noise| !(0.0..=2.0).contains(noise));
        if let Some(noise) = noise {
            let value = if noise.is_sign_positive() { noise.ceil() as u32 } else { 0 };
            return Err(SpeechError::OutOfRange { name: "noise", value, min: 0, max: 2 });
        }
        let unknown = || SpeechError::UnknownVoice(format!("{PIPER}{name}"));
        let (id, speaker) = name.split_once('#').map_or((name, None), |(id, speaker)| (id, Some(speaker)));
        let voice = self.bank.as_ref().ok_or_else(unknown)?.open(id)?;
        let speaker = voice.speaker(speaker.or(options.speaker.as_deref()))?;
        let manner =
            Manner { speaker, length: OWN_SPEED / rate as f32, noise: options.noise, eager: options.eager };
        Ok(Engine::Piper(Speaker { voice, manner, volume: volume as f32 / 100.0 }))
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
    let text = for_engine(&clause.text);
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
    stop_all: &AtomicBool,
    sink: &mut dyn FnMut(&[i16]) -> ControlFlow<()>,
) -> Result<ControlFlow<(), u64>, SpeechError> {
    let before = *samples;
    let stop = Arc::clone(&clause.stop);
    let pieces = worker::say(clause)?;
    loop {
        match pieces.recv().map_err(|_| worker::gone())? {
            Piece::Done(outcome) => return outcome.map(|()| ControlFlow::Continue(*samples - before)),
            Piece::Audio(audio) => {
                *samples += audio.len() as u64;
                if stop_all.load(Ordering::Relaxed) || sink(&audio).is_break() {
                    stop.store(true, Ordering::Relaxed);
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }
}

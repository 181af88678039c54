//! From a recording, or from somebody speaking, to words: gate, utterances, recogniser.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lectern_audio::Decoder;

use crate::sphinx::Sphinx;
use crate::{
    HearOptions, HearingError, Live, RATE, Recogniser, RecogniserBank, Segment, SiteModel, SiteOptions,
    Transcript, TurnDetector, TurnEvent, TurnOptions,
};

/// Silence that parts two utterances of a recording. The built-in recogniser hears better what is longer.
const PAUSE_MS: u32 = 2_500;

/// What is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarsStatus {
    /// The built-in recogniser.
    pub engine: String,
    pub loaded: usize,
    pub busy: usize,
    pub memory_bytes: u64,
}

/// The one thing that hears. Share it; its calls block and belong off the async threads.
pub struct Ears {
    cache: PathBuf,
    bank: Option<Arc<dyn RecogniserBank>>,
    built_in: Arc<Sphinx>,
}

impl Ears {
    /// `cache`: a folder for the recogniser's files; it is made when it is missing. Nothing is loaded yet.
    pub fn new(cache: impl Into<PathBuf>, bank: Option<Arc<dyn RecogniserBank>>) -> Self {
        let cache = cache.into();
        Self { built_in: Arc::new(Sphinx::new(cache.clone())), bank, cache }
    }

    /// Which recogniser hears this language.
    pub fn recogniser(&self, language: Option<&str>) -> Result<Arc<dyn Recogniser>, HearingError> {
        let imported = match &self.bank {
            Some(bank) => bank.choose(language)?,
            None => None,
        };
        Ok(imported.unwrap_or_else(|| Arc::clone(&self.built_in) as Arc<dyn Recogniser>))
    }

    /// Hears a whole recording, of hours if need be: `sink` gets each segment as soon as it is heard.
    pub fn transcribe(
        &self,
        source: &mut Decoder,
        options: &HearOptions,
        stop: &AtomicBool,
        sink: &mut dyn FnMut(Segment),
    ) -> Result<Transcript, HearingError> {
        let mut work = self.work(options, stop, sink)?;
        let mut samples = 0;
        while let Some(block) = source.read_block()? {
            work.check()?;
            samples += block.len() as u64;
            let events = work.detector.push(&block);
            work.events(events)?;
        }
        work.finish(samples)
    }

    /// Hears one turn that is in memory.
    pub fn hear(
        &self,
        audio: &[f32],
        options: &HearOptions,
        stop: &AtomicBool,
    ) -> Result<Transcript, HearingError> {
        let mut ignore = |_| {};
        let mut work = self.work(options, stop, &mut ignore)?;
        let events = work.detector.push(audio);
        work.events(events)?;
        work.finish(audio.len() as u64)
    }

    /// Finds turns, with the detector of speech that is in use.
    pub fn turns(&self, options: TurnOptions) -> TurnDetector {
        TurnDetector::with(options, self.bank.as_ref().and_then(|bank| bank.detector()))
    }

    fn work<'a>(
        &self,
        options: &'a HearOptions,
        stop: &'a AtomicBool,
        sink: &'a mut dyn FnMut(Segment),
    ) -> Result<Work<'a>, HearingError> {
        let recogniser = self.recogniser(options.language.as_deref())?;
        let longest = (recogniser.max_seconds() * 1_000.0) as u32;
        let padding_ms = TurnOptions::default().padding_ms;
        let detector = self.turns(TurnOptions {
            end_ms: PAUSE_MS,
            max_ms: longest.saturating_sub(padding_ms * 4).max(2_000),
            ..TurnOptions::default()
        });
        let language = options.language.clone();
        Ok(Work { recogniser, options, stop, sink, detector, segments: Vec::new(), language })
    }

    /// A recogniser that works while somebody speaks, when the one for this language can and is free.
    pub fn live(&self, options: &HearOptions) -> Result<Option<Box<dyn Live>>, HearingError> {
        if let Some(bank) = &self.bank
            && bank.choose(options.language.as_deref())?.is_some()
        {
            return Ok(None);
        }
        Ok(self.built_in.live(options)?.map(|live| Box::new(live) as Box<dyn Live>))
    }

    /// Makes the words of a site from its texts (seconds, so not before every question: keep the result).
    pub fn site<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a str>,
        options: &SiteOptions,
    ) -> Result<SiteModel, HearingError> {
        SiteModel::build(texts, options, &self.cache)
    }

    /// Loads the recogniser ahead of the first turn.
    pub fn warm(&self, options: &HearOptions) -> Result<(), HearingError> {
        let imported = match &self.bank {
            Some(bank) => bank.choose(options.language.as_deref())?,
            None => None,
        };
        if imported.is_some() { Ok(()) } else { self.built_in.warm(options) }
    }

    /// Drops what was not used for so long; how many decoders that were. Call it now and then.
    pub fn release_idle(&self, idle: Duration) -> usize {
        let released = self.built_in.release_idle(idle);
        if released > 0 {
            lectern_neural::give_back();
        }
        released
    }

    pub fn status(&self) -> EarsStatus {
        let (loaded, busy) = self.built_in.loaded();
        EarsStatus { engine: self.built_in.name(), loaded, busy, memory_bytes: self.built_in.memory_bytes() }
    }
}

/// One recording on its way.
struct Work<'a> {
    recogniser: Arc<dyn Recogniser>,
    options: &'a HearOptions,
    stop: &'a AtomicBool,
    sink: &'a mut dyn FnMut(Segment),
    detector: TurnDetector,
    segments: Vec<Segment>,
    language: Option<String>,
}

impl Work<'_> {
    fn check(&self) -> Result<(), HearingError> {
        if self.stop.load(Ordering::Relaxed) { Err(HearingError::Stopped) } else { Ok(()) }
    }

    fn events(&mut self, events: Vec<TurnEvent>) -> Result<(), HearingError> {
        for event in events {
            let TurnEvent::End { start_ms, audio, .. } = event else { continue };
            self.check()?;
            let segments = &mut self.segments;
            let sink = &mut self.sink;
            let heard = self.recogniser.transcribe(&audio, self.options, self.stop, &mut |segment| {
                if !segment.text.trim().is_empty() {
                    let segment = segment.shifted(start_ms);
                    sink(segment.clone());
                    segments.push(segment);
                }
            })?;
            self.language = self.language.take().or(heard.language);
        }
        Ok(())
    }

    fn finish(mut self, samples: u64) -> Result<Transcript, HearingError> {
        let events = self.detector.finish();
        self.events(events)?;
        let duration_ms = samples * 1_000 / u64::from(RATE);
        Ok(Transcript::of(self.segments, self.language, self.recogniser.name(), duration_ms))
    }
}

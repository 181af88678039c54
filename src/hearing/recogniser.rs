//! What every recogniser does, and where an imported one comes from.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::{HearingError, Segment, Silero, SiteModel, Transcript};

/// Samples a second of all audio here.
pub const RATE: u32 = 16_000;

/// How to hear.
#[derive(Debug, Clone, Default)]
pub struct HearOptions {
    /// ISO 639-1; none lets the recogniser find out.
    pub language: Option<String>,
    /// Words of the tenant's documents.
    pub site: Option<Arc<SiteModel>>,
    /// What was said before, for recognisers that read on.
    pub prompt: Option<String>,
    pub temperature: Option<f32>,
    pub beam: Option<usize>,
}

/// Hears one utterance at a time. Silence and noise are kept away by the gate in front (see [`crate::Ears`]).
pub trait Recogniser: Send + Sync {
    /// For people and logs, such as `pocketsphinx en-us`.
    fn name(&self) -> String;

    /// ISO 639-1; none means all that its model knows.
    fn languages(&self) -> Option<Vec<String>>;

    /// `audio`: 16 kHz, mono. `sink` gets each segment as soon as it is sure. Times count from the start of `audio`.
    fn transcribe(
        &self,
        audio: &[f32],
        options: &HearOptions,
        stop: &AtomicBool,
        sink: &mut dyn FnMut(Segment),
    ) -> Result<Transcript, HearingError>;

    /// The longest utterance that should be given at once.
    fn max_seconds(&self) -> f32 {
        30.0
    }
}

/// Hears an utterance while it is spoken.
pub trait Live: Send {
    /// Takes more sound: 16 kHz, mono.
    fn push(&mut self, samples: &[f32]) -> Result<(), HearingError>;

    /// What was said so far. More sound may follow; it then belongs to the same utterance.
    fn finish(&mut self) -> Result<Transcript, HearingError>;
}

/// Gives an imported recogniser.
pub trait RecogniserBank: Send + Sync {
    /// None: the built-in one.
    fn choose(&self, language: Option<&str>) -> Result<Option<Arc<dyn Recogniser>>, HearingError>;

    /// An imported detector of speech for the gate. None: the built-in one.
    fn detector(&self) -> Option<Arc<Silero>> {
        None
    }
}

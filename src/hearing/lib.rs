//! From samples to words: voice activity, turns, recognisers, words of the site.
//!
//! Owns the gate in front of every recogniser, the built-in recogniser (PocketSphinx, US English) and the language
//! model of a site. Not for files (see lectern-audio) and not for HTTP.

mod data;
mod ears;
mod error;
mod g2p;
mod mel;
mod ngram;
mod phones;
mod recogniser;
mod silero;
mod site;
mod site_text;
mod spelling;
mod sphinx;
mod sphinx_decoder;
mod sphinx_ffi;
mod sphinx_live;
mod transcript;
mod turn;
mod vad;
pub mod wer;
mod whisper;
mod whisper_config;
mod whisper_net;
mod whisper_ports;
mod whisper_rules;
mod whisper_search;
mod whisper_text;
mod whisper_window;
mod words;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_search;
#[cfg(test)]
mod tests_whisper;
#[cfg(test)]
mod tests_whisper_refused;

pub use ears::{Ears, EarsStatus};
pub use error::HearingError;
pub use recogniser::{HearOptions, Live, RATE, Recogniser, RecogniserBank};
pub use silero::Silero;
pub use site::{SiteModel, SiteOptions};
pub use transcript::{Segment, Transcript, Word};
pub use turn::{TurnDetector, TurnEvent, TurnOptions};
pub use whisper::{Whisper, WindowTimes};

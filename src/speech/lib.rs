//! Speech synthesis with eSpeak NG, audio encoding and the spoken form of text.
//!
//! Owns: the voice data inside the binary, the one thread that may call eSpeak, WAV, the cutting of
//! text into clauses, and what of a written text is said aloud. Not for: routes, tenants, storage.

mod clause;
mod data;
mod english;
mod error;
mod espeak;
mod language;
mod markdown;
mod numbers;
mod sanitise;
mod spoken;
mod synth;
#[cfg(test)]
mod tests;
mod wav;
mod worker;

pub use clause::{Clause, ClauseSplitter};
pub use error::SpeechError;
pub use espeak::VoiceInfo;
pub use spoken::spoken_form;
pub use synth::{AudioInfo, MAX_TEXT_CHARS, SAMPLE_RATE, SpeakOptions, Synthesizer};
pub use wav::{WavWriter, sample_bytes, streaming_header, wav_header};

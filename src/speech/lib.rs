//! Speech synthesis with eSpeak NG and Piper voices, audio encoding and the spoken form of text.
//!
//! Owns: the voice data inside the binary, the one thread that may call eSpeak, WAV, the cutting of
//! text into clauses, and what of a written text is said aloud. Not for: routes, tenants, storage.

mod clause;
mod data;
mod english;
mod error;
mod espeak;
mod language;
mod lexicon;
mod markdown;
mod numbers;
mod pace;
mod piper;
mod piper_config;
mod piper_ids;
mod piper_speak;
mod sanitise;
mod say_as;
mod spoken;
mod ssml;
mod synth;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_piper;
#[cfg(test)]
mod tests_vits;
mod vits;
mod vits_run;
mod wav;
mod worker;

pub use clause::{Clause, ClauseSplitter};
pub use error::SpeechError;
pub use espeak::VoiceInfo;
pub use lexicon::{Lexicon, LexiconEntry, Pronunciation, phonemes};
pub use pace::paced_clauses;
pub use piper::{BankVoice, PiperVoice, VoiceBank};
pub use piper_config::PiperInfo;
pub use spoken::spoken_form;
pub use ssml::{SsmlError, SsmlPart, parse_ssml};
pub use synth::{AudioInfo, MAX_TEXT_CHARS, SAMPLE_RATE, SpeakOptions, Synthesizer};
pub use wav::{WavWriter, sample_bytes, streaming_header, wav_header};

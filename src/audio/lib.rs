//! Audio files to samples and samples to audio files.
//!
//! Owns decoding (any common container and codec, by content, in blocks, under limits), resampling, and encoding
//! as it is made. Not for recognition or synthesis: those crates take and give samples.

mod convert;
mod decode;
mod encode;
mod error;
mod guard;
mod mp3;
mod opus;
mod opus_decode;
mod raw;
mod resample;
mod source;
mod wav;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_hostile;

pub use convert::{to_f32, to_i16};
pub use decode::{Decoder, Limits, SourceInfo};
pub use encode::{Encoder, Format};
pub use error::AudioError;
pub use resample::Resampler;

//! What can be wrong with audio, said for the person who sent it.

use std::io;

/// Why audio could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    #[error("There is no audio in it: it is empty.")]
    Empty,
    #[error("This is not an audio file of a known kind.")]
    Unknown,
    #[error("The audio is damaged: {0}.")]
    Broken(String),
    #[error("The codec of this audio is not supported: {0}.")]
    Codec(String),
    #[error("The file has no audio track.")]
    NoTrack,
    #[error("The audio is longer than {hours} hours.")]
    TooLong { hours: u64 },
    #[error("The audio is out of bounds: {0}.")]
    Limit(String),
    #[error("The index of this file is at its end, so it cannot be read as a stream.")]
    NotStreamable,
    #[error("The audio could not be read.")]
    Io(#[source] io::Error),
    #[error("The audio could not be encoded: {0}.")]
    Encode(String),
}

impl AudioError {
    /// The stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "audio_empty",
            Self::Unknown => "audio_unknown",
            Self::Broken(_) => "audio_broken",
            Self::Codec(_) => "audio_codec",
            Self::NoTrack => "audio_no_track",
            Self::TooLong { .. } => "audio_too_long",
            Self::Limit(_) => "audio_limit",
            Self::NotStreamable => "audio_not_streamable",
            Self::Io(_) => "audio_io",
            Self::Encode(_) => "audio_encode",
        }
    }

    /// What the person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Empty => Some("Check that the recording was saved; the file has no samples."),
            Self::Unknown | Self::Codec(_) => {
                Some("Send WAV, MP3, FLAC, Ogg (Vorbis or Opus), M4A or MP4 (AAC), or WebM (Opus).")
            }
            Self::Broken(_) => {
                Some("Play the file to see whether it is whole, or save it anew as WAV or MP3.")
            }
            Self::NoTrack => Some("Send the recording itself; this file has only pictures or text."),
            Self::TooLong { .. } => Some("Split the recording and send the parts."),
            Self::Limit(_) => Some("Save it with at most 8 channels and 192,000 samples a second."),
            Self::NotStreamable => Some("Send it as a file, or save it for streaming (\"fast start\")."),
            Self::Io(_) | Self::Encode(_) => None,
        }
    }
}

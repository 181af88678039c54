//! Why nothing was heard, said for the person who spoke or runs the machine.

use std::io;
use std::path::PathBuf;

use lectern_audio::AudioError;

#[derive(Debug, thiserror::Error)]
pub enum HearingError {
    #[error(transparent)]
    Audio(#[from] AudioError),
    #[error("No recogniser here understands the language \"{0}\".")]
    Language(String),
    #[error("The recogniser could not be unpacked to {path}.")]
    Unpack { path: PathBuf, source: io::Error },
    #[error("The folder {0} cannot hold the recogniser's files.")]
    FolderName(PathBuf),
    #[error("The recogniser did not start: {0}.")]
    Start(String),
    #[error("The recogniser failed: {0}.")]
    Failed(String),
    #[error("The recogniser's {file} does not fit: {reason}.")]
    Model { file: String, reason: String },
    #[error("Too many recordings are being heard at once.")]
    Busy,
    #[error("The work was stopped.")]
    Stopped,
    #[error("The words of the site could not be read or written.")]
    Site(#[source] io::Error),
}

impl HearingError {
    /// The stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Audio(error) => error.code(),
            Self::Language(_) => "hearing_language",
            Self::Unpack { .. } | Self::FolderName(_) => "hearing_unpack",
            Self::Start(_) => "hearing_start",
            Self::Failed(_) => "hearing_failed",
            Self::Model { .. } => "hearing_model",
            Self::Busy => "hearing_busy",
            Self::Stopped => "hearing_stopped",
            Self::Site(_) => "hearing_site",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Audio(error) => error.hint(),
            Self::Language(_) => {
                Some("The built-in recogniser hears English; import a Whisper model for others.")
            }
            Self::Unpack { .. } => {
                Some("Make sure that the data folder's cache can be written and has 40 MB free.")
            }
            Self::FolderName(_) => Some("Choose a data folder with a name in UTF-8."),
            Self::Model { .. } => Some(
                "Import all files of one export again: encoder, decoder, tokenizer.json and the configuration files.",
            ),
            Self::Busy => Some("Try again in a moment."),
            Self::Start(_) | Self::Failed(_) | Self::Stopped | Self::Site(_) => None,
        }
    }
}

//! What can go wrong when text is spoken. The message says what happened, `hint` what to do.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    #[error("the text has {chars} characters; at most {limit} are spoken at once")]
    TooLong { chars: usize, limit: usize },
    #[error("the text has nothing that can be spoken")]
    Empty,
    #[error("there is no voice `{0}`")]
    UnknownVoice(String),
    #[error("the voice {} does not fit: {reason}", voice.display())]
    Unfit { voice: PathBuf, reason: String },
    #[error(transparent)]
    Model(#[from] lectern_neural::NeuralError),
    #[error("the voice has no speaker `{0}`")]
    UnknownSpeaker(String),
    #[error("{name} is {value}, outside {min} to {max}")]
    OutOfRange { name: &'static str, value: u32, min: u32, max: u32 },
    #[error("the voice data could not be unpacked to {}: {source}", path.display())]
    Unpack { path: PathBuf, source: std::io::Error },
    #[error("the folder name {} cannot be used for voice data", .0.display())]
    FolderName(PathBuf),
    #[error("{limit} texts are already being spoken")]
    Busy { limit: usize },
    #[error("the speech engine failed: {0}")]
    Engine(String),
}

impl SpeechError {
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooLong { .. } => Some("send the text in several requests"),
            Self::Empty => Some("send text with at least one letter or digit"),
            Self::UnknownVoice(_) => Some("use a name from the list of voices, such as `en-us` or `de`"),
            Self::Unfit { .. } => {
                Some("take the .onnx and the .onnx.json of one voice, as Piper publishes them")
            }
            Self::Model(error) => error.hint(),
            Self::UnknownSpeaker(_) => Some("use a name or a number from the voice's list of speakers"),
            Self::OutOfRange { .. } => Some("choose a value inside the range"),
            Self::Unpack { .. } => Some("make the folder writable; it needs 10 MB"),
            Self::FolderName(_) => Some("choose a data folder with a UTF-8 name below 900 bytes"),
            Self::Busy { .. } => Some("try again in a moment"),
            Self::Engine(_) => None,
        }
    }
}

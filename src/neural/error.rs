//! What can go wrong with a runtime or a model. The message says what happened, `hint` what to do.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum NeuralError {
    #[error("this program has no ONNX Runtime in it, only its own engine")]
    NoOnnxRuntime,
    #[error("ONNX Runtime could not be loaded from {}: {reason}", path.display())]
    Library { path: PathBuf, reason: String },
    #[error("the engine runs on {running} already")]
    AlreadyRunning { running: String },
    #[error("there is no model {}", .0.display())]
    Missing(PathBuf),
    #[error("the model {} was refused: {reason}", path.display())]
    Refused { path: PathBuf, reason: String },
    #[error("the model {} has {bytes} bytes; {limit} are allowed", path.display())]
    TooLarge { path: PathBuf, bytes: u64, limit: u64 },
    #[error("the model {} was not loaded within {deadline:?}", path.display())]
    Deadline { path: PathBuf, deadline: Duration },
    #[error("the model {} cannot run here: {reason}", path.display())]
    Load { path: PathBuf, reason: String },
    #[error("the engine failed: {0}")]
    Engine(String),
}

impl NeuralError {
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoOnnxRuntime => Some(
                "remove the path of the library from the settings, or use the program built with ONNX Runtime",
            ),
            Self::Library { .. } => Some("give the path of libonnxruntime.so, version 1.24 or later"),
            Self::AlreadyRunning { .. } => Some("start the program again to change its runtime"),
            Self::Missing(_) => Some("import the model again"),
            Self::Refused { .. } => {
                Some("the file is damaged or no ONNX model; import it again from its source")
            }
            Self::TooLarge { .. } => Some("use a smaller model, or raise the limit in the settings"),
            Self::Deadline { .. } => Some("try again when the machine is less busy, or use a smaller model"),
            Self::Load { .. } => {
                Some("use another export of the model; common operators of ONNX are supported")
            }
            Self::Engine(_) => None,
        }
    }
}

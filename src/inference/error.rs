//! What can go wrong between Lectern and an Ollama server.

use std::time::Duration;

use lectern_kernel::{Code, Error};

#[derive(Debug, thiserror::Error)]
pub enum OllamaError {
    #[error("'{0}' is not the address of an Ollama server")]
    Address(String),
    #[error("Ollama cannot be reached: {0}")]
    Unreachable(String),
    #[error("Ollama gave no first word within {} s", .0.as_secs_f32())]
    FirstToken(Duration),
    #[error("Ollama was not done within {} s", .0.as_secs_f32())]
    Total(Duration),
    #[error("Ollama does not have the model '{0}'")]
    NoModel(String),
    #[error("Ollama refused: {0}")]
    Refused(String),
    #[error("what Ollama sent cannot be read: {0}")]
    Garbage(String),
    #[error("the connection to Ollama broke off")]
    Broken,
}

impl OllamaError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address(_) => "Give an address such as http://127.0.0.1:11434.",
            Self::Unreachable(_) | Self::Broken => {
                "Check that Ollama runs, that the address is right, and that it listens for this machine (OLLAMA_HOST)."
            }
            Self::FirstToken(_) | Self::Total(_) => {
                "Choose a smaller model, or raise the time limits of ollama."
            }
            Self::NoModel(_) => {
                "Choose one of the models that this Ollama has, or load it there with 'ollama pull'."
            }
            Self::Refused(_) | Self::Garbage(_) => "Look into Ollama's own log.",
        }
    }

    /// Whether the next request would most likely fail in the same way, so that it is better not to wait for it.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::FirstToken(_) | Self::Broken | Self::Garbage(_))
    }
}

impl From<reqwest::Error> for OllamaError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_decode() || error.is_body() {
            return Self::Broken;
        }
        // The outer message names the address, which is in the settings; the reason lies at the bottom.
        let mut reason: &dyn std::error::Error = &error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        Self::Unreachable(reason.to_string())
    }
}

impl From<OllamaError> for Error {
    fn from(error: OllamaError) -> Self {
        let code = match error {
            OllamaError::Address(_) => Code::InvalidField,
            _ => Code::UpstreamUnavailable,
        };
        Self::new(code, format!("{error}.")).hint(error.hint())
    }
}

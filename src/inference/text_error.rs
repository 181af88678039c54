//! What can go wrong with an embedding or re-ranking model.

use std::path::PathBuf;

use lectern_neural::NeuralError;

#[derive(Debug, thiserror::Error)]
pub enum TextModelError {
    #[error(transparent)]
    Neural(#[from] NeuralError),
    #[error("{path} cannot be read: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("the tokenizer in {path} cannot be used: {reason}")]
    Tokenizer { path: PathBuf, reason: String },
    #[error("this is no model for texts: {0}")]
    Shape(String),
    #[error("the model failed: {0}")]
    Run(String),
}

impl TextModelError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Neural(error) => error.hint().unwrap_or("Look into the log of the appliance."),
            Self::File { .. } => "Import the model again; check the disk.",
            Self::Tokenizer { .. } => "Import the model with the tokenizer.json that belongs to it.",
            Self::Shape(_) => {
                "Use a model with the inputs input_ids and attention_mask, as sentence-transformers exports them."
            }
            Self::Run(_) => "Choose another model, or import this one again.",
        }
    }
}

impl From<lectern_neural::ort::Error> for TextModelError {
    fn from(error: lectern_neural::ort::Error) -> Self {
        Self::Run(error.message().to_owned())
    }
}

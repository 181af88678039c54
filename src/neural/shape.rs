//! What a model file declares, read without loading it.

use std::path::Path;

pub use lectern_ort_rten::{Description as ModelShape, Dimension, Port};

use crate::NeuralError;

/// Names, types and shapes of the inputs and outputs. Checks the structure of the file on the way.
pub fn inspect(path: &Path) -> Result<ModelShape, NeuralError> {
    if !path.is_file() {
        return Err(NeuralError::Missing(path.to_owned()));
    }
    lectern_ort_rten::inspect(path)
        .map_err(|refused| NeuralError::Refused { path: path.to_owned(), reason: refused.to_string() })
}

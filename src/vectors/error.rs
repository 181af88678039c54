//! What can go wrong with stored vectors.

use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, VectorError>;

#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    #[error("the vectors in {path} cannot be read or written: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the vectors in {path} were made by another version or model: {reason}")]
    Foreign { path: PathBuf, reason: String },
    #[error("a vector has {found} numbers and not {wanted}")]
    Dimensions { wanted: usize, found: usize },
    #[error("the search graph cannot be made: {0}")]
    Graph(String),
}

impl VectorError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Check the disk: its space, its health, and who owns the data folder.",
            Self::Foreign { .. } => "The folder can be deleted; the vectors are then made again.",
            Self::Dimensions { .. } => "Choose the embedding model again, so that all vectors are made anew.",
            Self::Graph(_) => "Search goes on without it, only slower; look into the log of the appliance.",
        }
    }
}

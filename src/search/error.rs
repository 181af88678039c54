//! What can go wrong in the index and in a query.

use std::path::PathBuf;

/// The result of everything in this crate that can fail.
pub type Result<T, E = SearchError> = std::result::Result<T, E>;

/// Why the index could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Another process writes to this index.
    #[error("the index {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// The index was opened for reading only.
    #[error("the index is open for reading only")]
    ReadOnly,
    /// The folder holds an index that this version cannot read.
    #[error("the index {} cannot be read: {reason}", .path.display())]
    Damaged { path: PathBuf, reason: String },
    /// What the person typed is not a query.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The cursor is not one of ours, or belongs to another query.
    #[error("the cursor does not belong to this query")]
    Cursor,
    /// The evaluation data are not in the expected form.
    #[error("{file}: {reason}")]
    Evaluation { file: String, reason: String },
    #[error("the index failed: {0}")]
    Engine(#[from] tantivy::TantivyError),
    #[error("the index folder failed: {0}")]
    Io(#[from] std::io::Error),
}

impl SearchError {
    /// What to do about it, when there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Locked(_) => Some("Stop the other process, or let it do the work."),
            Self::Damaged { .. } => {
                Some("Run `lectern index rebuild`: it makes the index anew from the database.")
            }
            Self::Query(error) => Some(&error.hint),
            Self::Cursor => Some("Begin again without a cursor."),
            _ => None,
        }
    }
}

/// A query that cannot be understood; `position` counts code points from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    pub message: String,
    pub position: usize,
    pub hint: String,
}

impl QueryError {
    pub(crate) fn new(position: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), position, hint: hint.into() }
    }
}

//! What can go wrong below SQL, and what of it a client may know.

use lectern_kernel::{Code, Error};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("no free database connection: {0}")]
    Pool(#[from] r2d2::Error),
    #[error("data folder: {0}")]
    Io(#[from] std::io::Error),
    #[error("stored JSON is broken: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Migration(String),
    /// The schema could not be brought up: what is there can be read.
    #[error("nothing can be written: {0}")]
    ReadOnly(String),
    #[error("the work on the database was cancelled")]
    Cancelled,
    /// An answer for the client that a use case gave from inside its transaction.
    #[error("{0}")]
    Rule(Error),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rule(error) => error,
            StoreError::ReadOnly(reason) => Error::new(
                Code::TenantReadOnly,
                format!("Nothing can be changed at the moment: {reason}."),
            )
            .hint("The operator of the appliance finds what to do in the log and in `lectern tenant show`."),
            StoreError::Sqlite(ref e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {
                Error::new(Code::StorageFull, "The disk of the appliance is full; nothing was changed.")
                    .hint("Free space on the disk that holds the data folder, then try again.")
                    .cause(error)
            }
            other => Error::internal(other),
        }
    }
}

//! The sealing and signing engines' errors in the words of the API.

use lectern_kernel::{Code, Error};
use lectern_seal::SealError;

/// Of something that a client brought.
pub(crate) fn brought(error: SealError) -> Error {
    let hint = error.hint();
    Error::new(Code::InvalidRequest, format!("{}.", capital(&error.to_string()))).hint(hint)
}

/// Of something that lies here.
pub(crate) fn inside(error: SealError) -> Error {
    Error::internal(error)
}

pub(crate) fn signing(error: lectern_merkle::MerkleError) -> Error {
    Error::internal(error)
}

/// The first letter large.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

//! Documents locked by a password: Office files old and new. What opens here is read as if it had never been locked.

use std::panic::catch_unwind;

use office_crypto::DecryptError;

use crate::model::{ExtractError, ExtractErrorCode};

/// Excel locks "read-only" workbooks with this password so that every program can open them.
pub(crate) const COMMON_PASSWORD: &str = "VelvetSweatshop";

pub(crate) fn encrypted() -> ExtractError {
    ExtractError { code: ExtractErrorCode::Encrypted, message: "The document is protected by a password.".to_owned() }
}

pub(crate) fn wrong_password() -> ExtractError {
    ExtractError { code: ExtractErrorCode::WrongPassword, message: "The password is not right.".to_owned() }
}

/// The plain file of a locked Office document, by the given password or the one that everybody knows.
pub(crate) fn unlock(bytes: &[u8], password: Option<&str>) -> Result<Vec<u8>, ExtractError> {
    match try_password(bytes, COMMON_PASSWORD) {
        Ok(plain) => return Ok(plain),
        Err(error) if error.code == ExtractErrorCode::Encrypted => return Err(error),
        Err(_) => {}
    }
    try_password(bytes, password.ok_or_else(encrypted)?)
}

fn try_password(bytes: &[u8], password: &str) -> Result<Vec<u8>, ExtractError> {
    let (bytes, password) = (bytes.to_vec(), password.to_owned());
    // The library is not made for hostile files.
    let result = catch_unwind(move || office_crypto::decrypt_from_bytes(bytes, &password));
    match result {
        Ok(Ok(plain)) if looks_plain(&plain) => Ok(plain),
        Ok(Err(DecryptError::Unimplemented(_))) => Err(ExtractError {
            code: ExtractErrorCode::Encrypted,
            message: "The document is protected by a password in a way that cannot be opened here; save it without one.".to_owned(),
        }),
        _ => Err(wrong_password()),
    }
}

/// A wrong key gives noise: a right one a zip file or an OLE2 file.
fn looks_plain(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK") || crate::ole::is_ole(bytes)
}

//! Opening a PDF, with or without a password. Knows the two libraries and when the second one is asked.

use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use crate::model::{ExtractError, ExtractErrorCode};
use crate::pdf_unicode::pdf_doc_bytes;

/// Open with the empty password first: many protected files are only locked against editing.
pub(crate) fn open(bytes: &[u8], password: Option<&str>) -> Result<Pdf, ExtractError> {
    let problem = match Pdf::new(bytes.to_vec()) {
        Ok(pdf) => return Ok(pdf),
        Err(LoadPdfError::Decryption(problem)) => problem,
        // The main reader gives no reason for a damaged file that is encrypted as well.
        Err(LoadPdfError::Invalid) if bytes.windows(8).any(|window| window == b"/Encrypt") => {
            DecryptionError::PasswordProtected
        }
        Err(LoadPdfError::Invalid) => {
            return Err(error(ExtractErrorCode::Damaged, "This PDF is damaged: no page of it can be found."));
        }
    };
    match (problem, password) {
        (DecryptionError::PasswordProtected, None) => {
            if let Some(pdf) = unlocked(bytes, "").and_then(|plain| Pdf::new(plain).ok()) {
                return Ok(pdf);
            }
            Err(error(ExtractErrorCode::Encrypted, "This PDF is protected by a password."))
        }
        (_, Some(password)) => unlock(bytes, password),
        (DecryptionError::UnsupportedAlgorithm, None) => {
            Err(error(ExtractErrorCode::Unsupported, "This PDF is encrypted in a way that cannot be read."))
        }
        (_, None) => Err(error(ExtractErrorCode::Damaged, "The encryption of this PDF is damaged.")),
    }
}

/// The main reader knows user passwords, and owner passwords from PDF 2.0 on. Older owner passwords, and letters outside
/// ASCII in older files, are for the second library: it writes the file out unlocked.
fn unlock(bytes: &[u8], password: &str) -> Result<Pdf, ExtractError> {
    let prepared = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize(password).into_owned();
    for candidate in [password, &prepared] {
        if let Ok(pdf) = Pdf::new_with_password(bytes.to_vec(), candidate) {
            return Ok(pdf);
        }
    }
    unlocked(bytes, password)
        .and_then(|plain| Pdf::new(plain).ok())
        .ok_or_else(|| error(ExtractErrorCode::WrongPassword, "The password does not open this PDF."))
}

fn unlocked(bytes: &[u8], password: &str) -> Option<Vec<u8>> {
    let read = || {
        let mut document =
            lopdf::Document::load_mem_with_options(bytes, lopdf::LoadOptions::with_password(password))
                .ok()
                .or_else(|| {
                let mut document = lopdf::Document::load_mem(bytes).ok()?;
                document.decrypt_raw(pdf_doc_bytes(password)?).ok()?;
                Some(document)
            })?;
        document.trailer.remove(b"Encrypt");
        let mut plain = Vec::with_capacity(bytes.len());
        document.save_to(&mut plain).ok()?;
        Some(plain)
    };
    std::panic::catch_unwind(read).ok().flatten()
}

fn error(code: ExtractErrorCode, message: &str) -> ExtractError {
    ExtractError { code, message: message.to_owned() }
}

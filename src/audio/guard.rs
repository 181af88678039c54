//! Keeps a panic of a decoder from reaching the caller: decoders of many formats meet hostile files.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::AudioError;

/// Runs `work`; its panic becomes an error. What it worked on must not be used afterwards.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(AudioError::Broken("its content contradicts itself".to_owned())))
}

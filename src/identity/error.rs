//! A refusal that says when to come back.

use std::time::Duration;

use lectern_kernel::{Code, Error};
use lectern_store::StoreError;

/// Why a sign-in or set-up was refused, and how long to wait when it was for too many tries.
#[derive(Debug)]
pub struct Refused {
    pub error: Error,
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// Too many tries; `what` was tried.
    pub(crate) fn throttled(what: &str, wait: Duration) -> Self {
        let seconds = wait.as_secs().max(1);
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let error = Error::new(Code::TooManyRequests, format!("Too many {what}."))
            .hint(format!("Try again in {seconds} {unit}."));
        Self { error, retry_after: Some(Duration::from_secs(seconds)) }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

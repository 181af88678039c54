//! Refusals in the form of RFC 6749, section 5.2, for programs that speak OAuth.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use lectern_kernel::{Code, Error};
use lectern_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal with its registered name.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub error: &'static str,
    pub description: String,
    status: StatusCode,
    /// The client tried HTTP Basic, so it is asked for that.
    basic: bool,
    retry_after: Option<Duration>,
    cause: Option<Box<Error>>,
}

/// The body of a refusal of the endpoints under `/oauth`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthError {
    /// A name that OAuth has registered, such as `invalid_grant`.
    pub error: &'static str,
    pub error_description: String,
}

impl Refusal {
    pub fn new(error: &'static str, description: impl Into<String>) -> Self {
        let (status, description) = (StatusCode::BAD_REQUEST, description.into());
        Self { error, description, status, basic: false, retry_after: None, cause: None }
    }

    pub fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// One text for all that can be wrong with a code or token: which it was is nobody's business.
    pub fn grant() -> Self {
        Self::new("invalid_grant", "This is not valid, was used, is over or belongs to another program.")
    }

    pub fn scope(description: impl Into<String>) -> Self {
        Self::new("invalid_scope", description)
    }

    /// The program is unknown, or did not prove that it is who it says.
    pub fn client(basic: bool) -> Self {
        let mut refusal = Self::new("invalid_client", "The program is unknown, or its secret is wrong.");
        (refusal.status, refusal.basic) = (StatusCode::UNAUTHORIZED, basic);
        refusal
    }

    pub fn throttled(wait: Duration) -> Self {
        let mut refusal =
            Self::new("temporarily_unavailable", "Too many wrong secrets. Wait, then try again.");
        (refusal.status, refusal.retry_after) = (StatusCode::TOO_MANY_REQUESTS, Some(wait));
        refusal
    }

    pub fn busy(description: impl Into<String>) -> Self {
        let mut refusal = Self::new("temporarily_unavailable", description);
        refusal.status = StatusCode::SERVICE_UNAVAILABLE;
        refusal
    }

    /// The answer; a cause of ours is logged and not told.
    pub fn response(self, request_id: Option<&str>) -> HttpResponse {
        if let Some(cause) = &self.cause {
            let inner = cause.cause.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::error!(request = request_id, cause = inner, "{cause}");
        }
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
        if self.basic {
            response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"Lectern\", charset=\"UTF-8\""));
        }
        if let Some(wait) = self.retry_after {
            response.insert_header((RETRY_AFTER, wait.as_secs().max(1)));
        }
        response.json(OAuthError { error: self.error, error_description: self.description })
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.code {
            Code::TenantSuspended => Self::new("unauthorized_client", error.detail),
            Code::Unauthenticated | Code::NotFound => Self::client(false),
            code if code.status() >= 500 => {
                let ours = code == Code::Internal;
                let name = if ours { "server_error" } else { "temporarily_unavailable" };
                let mut refusal = Self::new(name, error.detail.clone());
                refusal.status =
                    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                refusal.cause = Some(Box::new(error));
                refusal
            }
            _ => Self::request(error.detail),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

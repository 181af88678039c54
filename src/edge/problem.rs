//! Errors as RFC 9457 problems.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, ResponseError};
use lectern_kernel::{Code, Error, FieldError};
use serde::{Deserialize, Serialize};

/// An error on its way to the client.
#[derive(Debug)]
pub struct ApiError(pub Error);

pub type ApiResult<T = HttpResponse> = Result<T, ApiError>;

impl<E: Into<Error>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Without a request id: the middleware writes the problem again with it.
    fn error_response(&self) -> HttpResponse {
        Problem::of(&self.0, None).response()
    }
}

/// The body of every answer with a status of 400 and more: `application/problem+json`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// Page of the documentation for this code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every occurrence of the code.
    pub title: String,
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Stable name of the kind of problem.
    pub code: String,
    /// Fields that are wrong.
    pub errors: Vec<FieldError>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Finds the lines of this request in the log.
    pub request_id: Option<String>,
}

impl Problem {
    pub fn of(error: &Error, request_id: Option<&str>) -> Self {
        let code = error.code;
        Self {
            kind: format!("/docs/errors#{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: error.detail.clone(),
            code: code.as_str().to_owned(),
            errors: error.fields.clone(),
            hint: error.hint.clone(),
            request_id: request_id.map(str::to_owned),
        }
    }

    pub fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        response.insert_header((CACHE_CONTROL, "no-store"));
        if self.status == Code::TooManyRequests.status() || self.status == Code::Busy.status() {
            response.insert_header(("Retry-After", "5"));
        }
        response.body(serde_json::to_string(self).expect("a problem is plain strings"))
    }
}

/// The framework's own refusals in our words.
pub(crate) fn from_framework(status: StatusCode, message: &str) -> Error {
    match status.as_u16() {
        404 => Error::new(Code::NotFound, "There is nothing at this address."),
        405 => Error::new(Code::InvalidRequest, "This address does not take this method."),
        413 => Error::new(Code::TooLarge, "The request is larger than allowed."),
        415 => Error::new(Code::UnsupportedMedia, "This content type is not accepted here."),
        code if code < 500 => Error::new(Code::InvalidRequest, message.to_owned()),
        _ => Error::internal(message.to_owned()),
    }
}

//! Refusals in the form of RFC 7644, section 3.12, and how those of other areas become such.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use lectern_kernel::{Code, Error};
use lectern_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) const MEDIA_TYPE: &str = "application/scim+json";
const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

pub(crate) type Result<T, E = Refusal> = std::result::Result<T, E>;

/// What kind of mistake a 400 or 409 is; names that the RFC registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
        }
    }
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub kind: Option<Kind>,
    detail: String,
    /// A failure of ours, for the log.
    cause: Option<Box<Error>>,
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimError {
    /// `urn:ietf:params:scim:api:messages:2.0:Error`
    pub schemas: [&'static str; 1],
    /// The HTTP status, as text.
    pub status: String,
    /// Kind of mistake, such as `invalidFilter`; for 400 and 409.
    #[serde(rename = "scimType", skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<&'static str>,
    /// What happened and what to do about it.
    pub detail: String,
}

impl Refusal {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let status = if kind == Kind::Uniqueness { 409 } else { 400 };
        Self { status, kind: Some(kind), detail: detail.into(), cause: None }
    }

    /// One without a registered name.
    pub fn status(status: u16, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into(), cause: None }
    }

    /// The same whether a thing does not exist or belongs to somebody else.
    pub fn not_found(what: &str) -> Self {
        Self::status(404, format!("There is no such {what}."))
    }

    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }

    pub fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, MEDIA_TYPE)).insert_header((CACHE_CONTROL, "no-store"));
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"Lectern\""));
        }
        let body = ScimError {
            schemas: [SCHEMA],
            status: self.status.to_string(),
            scim_type: self.kind.map(Kind::name),
            detail: self.detail.clone(),
        };
        response.body(serde_json::to_string(&body).expect("a refusal is plain strings"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

/// What of an error a client of this protocol is told.
pub(crate) fn told(error: &Error) -> Refusal {
    let (status, kind) = match error.code {
        Code::InvalidField => (400, Some(Kind::InvalidValue)),
        Code::InvalidRequest => (400, Some(Kind::InvalidSyntax)),
        code => (code.status(), None),
    };
    let hint = error.hint.iter().flat_map(|hint| [" ", hint.as_str()]);
    let detail = std::iter::once(error.detail.as_str()).chain(hint).collect();
    Refusal { status, kind, detail, cause: None }
}

impl From<Error> for Refusal {
    /// One that went through a transaction comes out as it went in.
    fn from(mut error: Error) -> Self {
        if let Some(cause) = error.cause.take() {
            match cause.downcast::<Refusal>() {
                Ok(refusal) => return *refusal,
                Err(cause) => error.cause = Some(cause),
            }
        }
        let mut refusal = told(&error);
        if refusal.status >= 500 {
            refusal.cause = Some(Box::new(error));
        }
        refusal
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        let code = if refusal.status >= 500 { Code::Internal } else { Code::InvalidRequest };
        Error::new(code, refusal.detail.clone()).cause(refusal).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_comes_through_a_transaction_unchanged() {
        let refusal = Refusal::new(Kind::NoTarget, "Nothing is there.");
        let back = Refusal::from(StoreError::from(refusal));
        assert_eq!(
            (back.status, back.kind, back.to_string().as_str()),
            (400, Some(Kind::NoTarget), "Nothing is there.")
        );
    }

    #[test]
    fn errors_of_other_areas_keep_status_and_hint() {
        let last = Error::new(Code::Conflict, "This is the last owner.").hint("Make another.");
        let refusal = Refusal::from(last);
        assert_eq!((refusal.status, refusal.kind), (409, None));
        assert_eq!(refusal.to_string(), "This is the last owner. Make another.");
        assert_eq!(Refusal::from(Error::field("email", "is bad")).kind, Some(Kind::InvalidValue));
        let inside = Refusal::from(Error::internal("table users is locked"));
        assert!(inside.cause().is_some() && !inside.to_string().contains("users"));
    }
}

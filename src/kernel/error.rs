//! The one error table: a code gives status, title and page of the documentation.

use serde::{Deserialize, Serialize};

pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// Every code that an answer of the API can carry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes, for the generated page of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status,)* }
            }

            /// What kind of problem this is, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request", 400, "The request cannot be understood";
    InvalidField = "invalid_field", 422, "A field has a value that is not allowed";
    InvalidQuery = "invalid_query", 400, "The search query cannot be understood";
    InvalidCursor = "invalid_cursor", 400, "The cursor does not belong to this list";
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    WrongCredentials = "wrong_credentials", 401, "E-mail or password is wrong";
    CsrfMissing = "csrf_missing", 403, "The request does not prove that it comes from this site";
    SecondFactor = "second_factor_required", 401, "A second proof of who you are is needed";
    ChooseTenant = "choose_tenant", 409, "This e-mail belongs to more than one organisation";
    TenantSuspended = "tenant_suspended", 403, "The organisation is suspended";
    TenantReadOnly = "tenant_read_only", 503, "The organisation's data can only be read at the moment";
    QuotaExceeded = "quota_exceeded", 403, "A limit of the organisation's plan is reached";
    Forbidden = "forbidden", 403, "You are not allowed to do this";
    NotFound = "not_found", 404, "There is no such thing here";
    Gone = "gone", 410, "This is no longer there";
    Conflict = "conflict", 409, "This does not go with the present state";
    AlreadySetUp = "already_set_up", 409, "The appliance is set up already";
    TooLarge = "too_large", 413, "This is larger than allowed";
    UnsupportedMedia = "unsupported_media", 415, "This type of content is not accepted";
    DamagedMedia = "damaged_media", 422, "The content is damaged or empty";
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    StorageFull = "storage_full", 507, "The disk is full";
    Busy = "busy", 503, "The appliance is busy";
    UpstreamUnavailable = "upstream_unavailable", 502, "A service that the appliance was told to use does not answer";
    EgressDenied = "egress_denied", 403, "This address is not allowed for outbound connections";
    ModelRefused = "model_refused", 422, "The model cannot be used";
    Internal = "internal", 500, "Something went wrong inside";
}

/// A field of a request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON path of the field, such as `email` or `ollama.url`.
    pub field: String,
    pub message: String,
}

/// What went wrong, in words for the person who asked; the cause is for the log only.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    pub code: Code,
    /// What happened, one sentence.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub fields: Vec<FieldError>,
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), hint: None, fields: Vec::new(), cause: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn cause(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// A failure of ours: the client sees fixed text, the log the cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "The request failed for a reason that is in the log under this request id.")
            .cause(cause)
    }

    /// The same answer whether a thing does not exist or belongs to somebody else.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// One field is wrong.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut error = Self::new(Code::InvalidField, format!("{field}: {message}"));
        error.fields.push(FieldError { field: field.to_owned(), message });
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_have_a_client_or_server_status() {
        let mut names: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|c| (400..600).contains(&c.status())));
    }

    #[test]
    fn an_internal_error_does_not_show_its_cause() {
        let error = Error::internal(std::io::Error::other("table users is locked"));
        assert!(!error.to_string().contains("users"));
        assert!(std::error::Error::source(&error).is_some());
    }
}

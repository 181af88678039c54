//! What can go wrong when someone signs in: a sentence for the person at the sign-in page, and a hint for the
//! administrator.

/// What this crate's functions give.
pub type Result<T, E = OidcError> = std::result::Result<T, E>;

/// Longest text of the other side that is passed on, in characters.
const MAX_FOREIGN: usize = 300;

/// Why no one was signed in. The text is for the person who tried, [`OidcError::hint`] for the administrator only: it
/// can quote what the provider or the browser sent, shortened and without control characters. Never carries a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// No answer, or one that says to try later.
    #[error("The sign-in service cannot be reached at the moment. Try again in a few minutes.")]
    ProviderUnavailable { hint: String },
    /// Settings here or at the provider do not fit. `field` is one of [`crate::ProviderConfig`], `client_secret` or
    /// `redirect_uri`.
    #[error("Sign-in is not set up correctly. Tell your administrator.")]
    Misconfigured { field: &'static str, hint: String },
    /// The person, or the provider's rules, said no.
    #[error("The sign-in was cancelled or refused at the sign-in service.")]
    Denied { reason: String },
    /// The provider did not take the code: it was used before, or is too old.
    #[error("This sign-in was already used or took too long. Start again.")]
    Replayed,
    /// More than ten minutes since the sign-in began.
    #[error("The sign-in took too long. Start again.")]
    Expired,
    /// The answer belongs to no sign-in that this browser began.
    #[error("This sign-in was not started in this browser. Start again.")]
    StateMismatch,
    /// The answer comes from another provider than the one that was asked (RFC 9207).
    #[error("The answer came from another sign-in service than the one asked. Start again.")]
    OtherIssuer { found: Option<String> },
    /// The provider's statement about the person does not hold.
    #[error("The sign-in service's answer could not be verified. Tell your administrator.")]
    InvalidToken { reason: String },
    /// An address is asked for that the provider vouches for, and it does not.
    #[error("Your e-mail address is not confirmed at the sign-in service. Confirm it there and try again.")]
    EmailNotVerified,
    /// The address is of none of the allowed domains.
    #[error("Your e-mail address is not one that may sign in here.")]
    DomainNotAllowed { domain: String },
}

impl OidcError {
    /// What the administrator can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::ProviderUnavailable { hint } => hint.clone(),
            Self::Misconfigured { field, hint } => format!("{field}: {hint}"),
            Self::Denied { reason } => {
                format!("The provider said: {reason}. Is the person assigned to the application there?")
            }
            Self::Replayed => {
                "If it happens to everyone, compare the clocks of both servers, and the redirect \
                 address at the provider with the one here."
                    .to_owned()
            }
            Self::Expired => {
                "Ten minutes are given; if it happens at once, this server's clock jumped.".to_owned()
            }
            Self::StateMismatch => {
                "The browser lost its cookie, an old page was opened again, or someone was sent \
                 a foreign link. If it happens to everyone, look whether a proxy drops cookies."
                    .to_owned()
            }
            Self::OtherIssuer { found: Some(found) } => {
                format!(
                    "The answer names the issuer {found:?}. If that is the same service, set issuer to it."
                )
            }
            Self::OtherIssuer { found: None } => {
                "The provider says that its answers name their issuer, and this one does not.".to_owned()
            }
            Self::InvalidToken { reason } => {
                format!("The token was refused: {reason}. Compare issuer, client_id and both clocks.")
            }
            Self::EmailNotVerified => {
                "The provider sent no email claim with email_verified. Add the scope 'email', \
                 or turn require_verified_email off if only your own staff can have accounts there."
                    .to_owned()
            }
            Self::DomainNotAllowed { domain } => {
                format!("Add {domain:?} to allowed_domains if its people may sign in.")
            }
        }
    }

    pub(crate) fn unavailable(hint: impl Into<String>) -> Self {
        Self::ProviderUnavailable { hint: hint.into() }
    }

    pub(crate) fn misconfigured(field: &'static str, hint: impl Into<String>) -> Self {
        Self::Misconfigured { field, hint: hint.into() }
    }

    pub(crate) fn invalid(reason: impl AsRef<str>) -> Self {
        Self::InvalidToken { reason: foreign(reason.as_ref()) }
    }
}

/// Text of the other side, fit for a log line: one line, not long.
pub(crate) fn foreign(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_FOREIGN).collect()
}

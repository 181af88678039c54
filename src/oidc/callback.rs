//! The answer that a browser brings back, held against what was asked.

use std::fmt;

use openidconnect::AuthorizationCode;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::begin::Pending;
use crate::config::ProviderConfig;
use crate::error::{OidcError, Result, foreign};
use crate::metadata::Known;

/// The query of the redirect address (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207); other parameters are ignored.
/// Code and state show in no Debug.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Callback {
    pub code: Option<String>,
    pub state: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.is_some() { "with" } else { "without" };
        write!(f, "Callback({code} code, iss {:?}, error {:?})", self.iss, self.error)
    }
}

/// Gives the code, when the answer is one to this question.
pub(crate) fn check(
    config: &ProviderConfig,
    known: &Known,
    pending: &Pending,
    callback: &Callback,
    now: i64,
) -> Result<AuthorizationCode> {
    let same_state = callback.state.as_deref().unwrap_or_default().as_bytes().ct_eq(pending.state.as_bytes());
    if pending.state.is_empty() || !bool::from(same_state) {
        return Err(OidcError::StateMismatch);
    }
    // The question must have gone to this provider, and the answer come from it (RFC 9700 section 4.4.2).
    if pending.issuer != config.issuer || pending.client_id != config.client_id {
        return Err(OidcError::OtherIssuer { found: Some(foreign(&pending.issuer)) });
    }
    check_issuer(config, known, callback)?;
    if now >= pending.expires_at || now < pending.created_at.saturating_sub(config.skew()) {
        return Err(OidcError::Expired);
    }
    if let Some(error) = &callback.error {
        return Err(refusal(error, callback.error_description.as_deref()));
    }
    match &callback.code {
        Some(code) if !code.is_empty() => Ok(AuthorizationCode::new(code.clone())),
        _ => Err(OidcError::invalid("the browser brought neither a code nor an error")),
    }
}

/// RFC 9207 section 2.4: a wrong issuer is refused always, a missing one when the provider says that it sends it.
fn check_issuer(config: &ProviderConfig, known: &Known, callback: &Callback) -> Result<()> {
    let promised = known.document.additional_metadata().authorization_response_iss_parameter_supported;
    match &callback.iss {
        Some(iss) if *iss == config.issuer => Ok(()),
        None if !promised => Ok(()),
        found => Err(OidcError::OtherIssuer { found: found.as_deref().map(foreign) }),
    }
}

/// RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6.
fn refusal(error: &str, description: Option<&str>) -> OidcError {
    let said = match description {
        Some(text) => foreign(&format!("{error}: {text}")),
        None => foreign(error),
    };
    match error {
        "access_denied"
        | "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => OidcError::Denied { reason: said },
        "server_error" | "temporarily_unavailable" => {
            OidcError::unavailable(format!("The provider said {said:?}."))
        }
        "invalid_scope" => OidcError::misconfigured("scopes", format!("the provider said {said:?}.")),
        _ => OidcError::misconfigured("client_id", format!("the provider said {said:?}.")),
    }
}

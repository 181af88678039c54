//! The provider's userinfo endpoint (OpenID Connect Core section 5.3), asked only for what the id token leaves out.

use openidconnect::core::CoreGenderClaim;
use openidconnect::{
    ClaimsVerificationError, OAuth2TokenResponse, SubjectIdentifier, UserInfoClaims, UserInfoError,
};
use serde_json::{Map, Value};

use crate::claims::{self, Claims};
use crate::config::ProviderConfig;
use crate::error::{OidcError, Result, foreign};
use crate::fetch::{Adapter, FetchError};
use crate::person;
use crate::provider::{Provider, Tokens};
use crate::token::Proven;

/// Whether the id token lacks something.
pub(crate) fn is_needed(config: &ProviderConfig, token: &Map<String, Value>) -> bool {
    let wanted = [&config.email_claim, &config.name_claim, &config.user_name_claim, &config.group_claim];
    let lacks = wanted.iter().any(|claim| claims::find(token, claim).is_none());
    lacks || (config.require_verified_email && person::verified(config, token).is_none())
}

/// Asks, when the provider has such an endpoint. What is said of another subject is refused.
pub(crate) async fn fetch(
    provider: &Provider,
    proven: &Proven,
    tokens: &Tokens,
) -> Result<Option<Map<String, Value>>> {
    let Some(endpoint) = proven.known.document.userinfo_endpoint() else { return Ok(None) };
    let token = tokens.access_token().clone();
    // The crate takes for granted that the token fits into a header.
    if token.secret().is_empty() || !token.secret().bytes().all(|b| b.is_ascii_graphic()) {
        return Err(OidcError::invalid("the access token has characters that no token has"));
    }
    let subject = claims::find(&proven.claims, "sub").and_then(Value::as_str).unwrap_or_default();
    let client = provider.relying_party(&proven.known).set_user_info_url(endpoint.clone());
    let found: UserInfoClaims<Claims, CoreGenderClaim> = client
        .user_info(token, Some(SubjectIdentifier::new(subject.to_owned())))
        .request_async(&Adapter(provider.fetch.as_ref()))
        .await
        .map_err(refusal)?;
    match serde_json::to_value(found) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        _ => Err(OidcError::invalid("userinfo is no object")),
    }
}

fn refusal(error: UserInfoError<FetchError>) -> OidcError {
    match error {
        UserInfoError::ClaimsVerification(ClaimsVerificationError::InvalidSubject(_)) => {
            OidcError::invalid("userinfo is about another person than the id token")
        }
        UserInfoError::ClaimsVerification(e) => OidcError::invalid(format!("userinfo: {e}")),
        UserInfoError::Parse(e) => {
            OidcError::invalid(format!("userinfo cannot be read at {:?}", e.path().to_string()))
        }
        UserInfoError::Request(FetchError(reason)) => {
            OidcError::unavailable(format!("userinfo could not be asked: {reason}."))
        }
        UserInfoError::Response(status, _, reason) => {
            OidcError::unavailable(format!("userinfo answers with status {status}: {}.", foreign(&reason)))
        }
        _ => OidcError::unavailable("userinfo could not be asked."),
    }
}

//! The code for tokens (RFC 6749 section 4.1.3, with PKCE).

use std::borrow::Cow;

use openidconnect::core::{CoreClientAuthMethod, CoreErrorResponseType};
use openidconnect::{
    AuthType, AuthorizationCode, ClientSecret, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    StandardErrorResponse,
};

use crate::begin::Pending;
use crate::error::{OidcError, Result, foreign};
use crate::fetch::{Adapter, FetchError};
use crate::metadata::Known;
use crate::provider::{Provider, Tokens};

/// Redeems the code.
pub(crate) async fn redeem(
    provider: &Provider,
    known: &Known,
    pending: &Pending,
    code: AuthorizationCode,
    client_secret: Option<&str>,
) -> Result<Tokens> {
    let methods = known.document.token_endpoint_auth_methods_supported();
    let how = auth_type(methods.map(Vec::as_slice), client_secret.is_some())?;
    let mut client = provider.relying_party(known).set_auth_type(how);
    if let Some(secret) = client_secret {
        client = client.set_client_secret(ClientSecret::new(secret.to_owned()));
    }
    let redirect = RedirectUrl::new(pending.redirect_uri.clone())
        .map_err(|_| OidcError::misconfigured("redirect_uri", "this is not an absolute address."))?;
    client
        .exchange_code(code)
        .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
        .set_redirect_uri(Cow::Owned(redirect))
        .request_async(&Adapter(provider.fetch.as_ref()))
        .await
        .map_err(refusal)
}

/// How the client shows who it is (OpenID Connect Core section 9). Without metadata Basic is the rule.
fn auth_type(offered: Option<&[CoreClientAuthMethod]>, has_secret: bool) -> Result<AuthType> {
    let offers = |method| offered.is_none_or(|o| o.contains(&method));
    if !has_secret {
        Ok(AuthType::RequestBody)
    } else if offers(CoreClientAuthMethod::ClientSecretBasic) {
        Ok(AuthType::BasicAuth)
    } else if offers(CoreClientAuthMethod::ClientSecretPost) {
        Ok(AuthType::RequestBody)
    } else {
        Err(OidcError::misconfigured(
            "client_secret",
            "the provider takes client secrets neither as client_secret_basic nor as client_secret_post; allow one \
             of them there.",
        ))
    }
}

type Refused = RequestTokenError<FetchError, StandardErrorResponse<CoreErrorResponseType>>;

/// RFC 6749 section 5.2. What a broken answer holds is not repeated: it may hold tokens.
fn refusal(error: Refused) -> OidcError {
    let answer = match error {
        RequestTokenError::ServerResponse(answer) => answer,
        RequestTokenError::Request(FetchError(reason)) => {
            return OidcError::unavailable(format!("The token endpoint could not be asked: {reason}."));
        }
        RequestTokenError::Parse(e, _) => {
            return OidcError::invalid(format!(
                "the token endpoint's answer cannot be read at {:?}",
                e.path().to_string()
            ));
        }
        RequestTokenError::Other(reason) => {
            return OidcError::unavailable(format!(
                "The token endpoint's answer is of no use: {}.",
                foreign(&reason)
            ));
        }
    };
    let said = foreign(answer.error_description().map_or(answer.error().as_ref(), String::as_str));
    match answer.error() {
        CoreErrorResponseType::InvalidGrant => OidcError::Replayed,
        CoreErrorResponseType::InvalidClient => OidcError::misconfigured(
            "client_secret",
            format!("the provider did not take it, or not this kind of client: {said:?}."),
        ),
        CoreErrorResponseType::InvalidScope => {
            OidcError::misconfigured("scopes", format!("the provider said {said:?}."))
        }
        _ => OidcError::misconfigured("client_id", format!("the provider said {said:?}.")),
    }
}

//! The way to the provider: the address to send a browser to, and what to keep until it comes back.

use std::borrow::Cow;
use std::fmt;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{
    AuthenticationContextClass, CsrfToken, LoginHint, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::error::{OidcError, Result};
use crate::provider::Provider;

/// How long a sign-in may take, in milliseconds.
const LIFETIME: i64 = 10 * 60_000;
const MAX_HINT: usize = 320;

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where to send the browser.
    pub authorization_url: String,
    /// What [`Provider::finish`] needs when it comes back.
    pub pending: Pending,
}

/// What ties an answer to its question. Secret: seal it before it leaves this server, and bind it to the browser. It is
/// wiped from memory when dropped and shows in no Debug.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

impl Pending {
    /// Which provider was asked.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The random value that comes back with the answer; can name the place where this is kept.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Unix milliseconds.
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Unix milliseconds, ten minutes after the beginning.
    pub fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.state.zeroize();
        self.nonce.zeroize();
        self.verifier.zeroize();
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({}, until {})", self.issuer, self.expires_at)
    }
}

impl Provider {
    /// Begins a sign-in. `redirect_uri` is where the provider sends the browser back to, as registered there;
    /// `login_hint` an e-mail address or user name that was typed already.
    pub fn begin(&self, redirect_uri: &str, login_hint: Option<&str>, now: i64) -> Result<Begun> {
        let redirect = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|_| OidcError::misconfigured("redirect_uri", "this is not an absolute address."))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.relying_party(&self.known());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_redirect_uri(Cow::Owned(redirect))
            .set_pkce_challenge(challenge);
        // The crate adds openid by itself.
        for scope in self.config.scopes.iter().filter(|s| *s != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for word in self.config.prompt.iter().flat_map(|p| p.split(' ')) {
            request = request.add_prompt(prompt(word));
        }
        for acr in &self.config.acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
        }
        if let Some(hint) = login_hint.filter(|h| is_hint(h)) {
            request = request.set_login_hint(LoginHint::new(hint.to_owned()));
        }
        let (url, state, nonce) = request.url();
        let pending = self.pending(redirect_uri, (state, nonce, verifier), now);
        Ok(Begun { authorization_url: url.into(), pending })
    }

    fn pending(&self, uri: &str, secrets: (CsrfToken, Nonce, PkceCodeVerifier), now: i64) -> Pending {
        let (state, nonce, verifier) = secrets;
        Pending {
            issuer: self.config.issuer.clone(),
            client_id: self.config.client_id.clone(),
            redirect_uri: uri.to_owned(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            created_at: now,
            expires_at: now.saturating_add(LIFETIME),
        }
    }
}

fn prompt(word: &str) -> CoreAuthPrompt {
    match word {
        "login" => CoreAuthPrompt::Login,
        "consent" => CoreAuthPrompt::Consent,
        "select_account" => CoreAuthPrompt::SelectAccount,
        other => CoreAuthPrompt::Extension(other.to_owned()),
    }
}

/// A hint that helps no one is left away rather than refused.
fn is_hint(hint: &str) -> bool {
    !hint.is_empty() && hint.len() <= MAX_HINT && !hint.chars().any(char::is_control)
}

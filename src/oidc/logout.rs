//! Signing out at the provider too (RP-Initiated Logout 1.0), and hearing of it when someone did so elsewhere
//! (Back-Channel Logout 1.0).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::JsonWebKey;
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::url::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{OidcError, Result};
use crate::metadata::Known;
use crate::provider::Provider;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const MAX_TOKEN: usize = 64 * 1024;

/// Whose sessions end: those of the subject, or only the one named by `sid`. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutToken {
    pub subject: Option<String>,
    pub sid: Option<String>,
    /// To be remembered until `expires_at`; a second token with it is a replay.
    pub jti: String,
    /// Unix milliseconds, with the allowed difference of clocks added.
    pub expires_at: i64,
}

/// RFC 7515 section 4.1.
#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// Back-Channel Logout 1.0 section 2.4.
#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: Option<String>,
    aud: Audiences,
    iat: f64,
    exp: f64,
    jti: String,
    events: Map<String, Value>,
    sid: Option<String>,
    nonce: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

/// A token in its parts.
struct Parts<'a> {
    header: Header,
    signed: &'a str,
    signature: Vec<u8>,
    body: &'a str,
}

impl Provider {
    /// Where to send the browser to sign out at the provider too; nothing when it has no such address. With the id
    /// token of the session the provider does not have to ask. `post_logout_redirect` must be registered there.
    pub fn logout_url(
        &self,
        id_token_hint: Option<&str>,
        post_logout_redirect: Option<&str>,
    ) -> Option<String> {
        let known = self.known();
        let address = known.document.additional_metadata().end_session_endpoint.as_deref()?;
        let mut url = Url::parse(address).ok()?;
        let fields = [("id_token_hint", id_token_hint), ("post_logout_redirect_uri", post_logout_redirect)];
        url.query_pairs_mut().append_pair("client_id", &self.config.client_id);
        for (name, value) in fields {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Some(url.into())
    }

    /// Verifies a logout token (Back-Channel Logout 1.0 section 2.6). Replays of its jti are for the caller to see.
    pub async fn verify_logout_token(&self, jwt: &str, now: i64) -> Result<LogoutToken> {
        let token = Parts::read(jwt).ok_or_else(|| refuse("it is no signed token"))?;
        token.check_kind()?;
        let known = self.current(now).await?;
        let known =
            if token.has_key(&known) { known } else { self.ask_again(&known, now).await?.unwrap_or(known) };
        token.check_signature(&known)?;
        let body: Body =
            decode(token.body).ok_or_else(|| refuse("a claim is missing or of the wrong kind"))?;
        self.check_body(body, now)
    }

    fn check_body(&self, body: Body, now: i64) -> Result<LogoutToken> {
        let skew = self.config.skew();
        let ours = match &body.aud {
            Audiences::One(aud) => *aud == self.config.client_id,
            Audiences::Many(auds) => auds.contains(&self.config.client_id),
        };
        let expires_at = ((body.exp * 1000.0) as i64).saturating_add(skew);
        let problem = match &body {
            b if b.iss != self.config.issuer => Some("it is of another issuer"),
            _ if !ours => Some("it is for another client"),
            _ if now >= expires_at => Some("it has expired"),
            b if b.iat * 1000.0 > (now + skew) as f64 => Some("it is from the future"),
            b if !b.events.get(EVENT).is_some_and(Value::is_object) => Some("it is about another event"),
            b if b.nonce.is_some() => Some("it has a nonce, as only an id token has"),
            b if b.sub.is_none() && b.sid.is_none() => Some("it names neither a person nor a session"),
            b if b.jti.is_empty() => Some("it has no jti"),
            _ => None,
        };
        match problem {
            Some(problem) => Err(refuse(problem)),
            None => Ok(LogoutToken { subject: body.sub, sid: body.sid, jti: body.jti, expires_at }),
        }
    }
}

impl<'a> Parts<'a> {
    fn read(jwt: &'a str) -> Option<Self> {
        let (signed, signature) = Some(jwt).filter(|t| t.len() <= MAX_TOKEN)?.rsplit_once('.')?;
        let (header, body) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { header: decode(header)?, signed, signature, body })
    }

    /// RFC 8725 section 3.11: a token of another kind is no logout token.
    fn check_kind(&self) -> Result<()> {
        let kind = self.header.typ.as_deref().unwrap_or("JWT").to_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if !["jwt", "logout+jwt"].contains(&kind) {
            return Err(refuse("it is a token of another kind"));
        }
        if self.header.crit.is_some() {
            Err(refuse("its header asks for what is not known here"))
        } else {
            Ok(())
        }
    }

    fn has_key(&self, known: &Arc<Known>) -> bool {
        self.keys(known).next().is_some()
    }

    fn keys<'k>(&'k self, known: &'k Known) -> impl Iterator<Item = &'k openidconnect::core::CoreJsonWebKey> {
        let wanted = self.header.kid.as_deref();
        known
            .keys
            .keys()
            .iter()
            .filter(move |k| wanted.is_none() || k.key_id().map(|id| id.as_str()) == wanted)
    }

    fn check_signature(&self, known: &Known) -> Result<()> {
        if !known.algorithms.contains(&self.header.alg) {
            return Err(refuse("its algorithm is not accepted"));
        }
        let (message, alg) = (self.signed.as_bytes(), &self.header.alg);
        let good = self.keys(known).any(|k| k.verify_signature(alg, message, &self.signature).is_ok());
        if good { Ok(()) } else { Err(refuse("no key of the provider has signed it")) }
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn refuse(reason: &str) -> OidcError {
    OidcError::invalid(format!("logout token: {reason}"))
}

//! Verifying an id token (OpenID Connect Core section 3.1.3.7): openidconnect checks signature, algorithm, issuer,
//! audience, times and nonce as they are set here; azp, nbf and at_hash are checked beside it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use openidconnect::core::CoreJsonWebKey;
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, Nonce,
    OAuth2TokenResponse, SignatureVerificationError, TokenResponse,
};
use serde_json::{Map, Value};

use crate::begin::Pending;
use crate::config::ProviderConfig;
use crate::error::{OidcError, Result};
use crate::metadata::Known;
use crate::provider::{Provider, SignedToken, Tokens};

/// What a verified id token says.
pub(crate) struct Proven {
    pub claims: Map<String, Value>,
    /// As it came, to be the hint at a logout.
    pub raw: String,
    /// What it was verified with.
    pub known: Arc<Known>,
}

impl Provider {
    /// Verifies the id token. A key that is not known is looked for again at the provider, which may have changed it.
    pub(crate) async fn verify_id_token(
        &self,
        known: Arc<Known>,
        tokens: &Tokens,
        pending: &Pending,
        now: i64,
    ) -> Result<Proven> {
        let token = tokens.id_token().ok_or_else(|| OidcError::invalid("there is no id token"))?;
        let check = Check { config: &self.config, pending, access_token: tokens.access_token(), now };
        let (known, found) = match check.claims(token, &known) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let newer = self.ask_again(&known, now).await?.unwrap_or(known);
                let found = check.claims(token, &newer);
                (newer, found)
            }
            found => (known, found),
        };
        let claims = found.map_err(reason)?;
        Ok(Proven { claims, raw: token.to_string(), known })
    }
}

struct Check<'a> {
    config: &'a ProviderConfig,
    pending: &'a Pending,
    access_token: &'a AccessToken,
    now: i64,
}

impl Check<'_> {
    fn claims(
        &self,
        token: &SignedToken,
        known: &Known,
    ) -> Result<Map<String, Value>, ClaimsVerificationError> {
        let verifier = self.verifier(known);
        let claims = token.claims(&verifier, &Nonce::new(self.pending.nonce.clone()))?;
        self.check_party(claims.authorized_party(), claims.audiences().len())?;
        if let Some(wanted) = claims.access_token_hash() {
            self.check_hash(wanted, token, &verifier)?;
        }
        let Ok(Value::Object(map)) = serde_json::to_value(claims) else {
            return Err(ClaimsVerificationError::Other("its claims are no object".to_owned()));
        };
        self.check_not_before(&map)?;
        Ok(map)
    }

    /// Never with the client's secret as a key: HS256 stays impossible.
    fn verifier(&self, known: &Known) -> IdTokenVerifier<'_, CoreJsonWebKey> {
        let client_id = ClientId::new(self.config.client_id.clone());
        let (now, skew) = (self.now, self.config.skew());
        let began = self.pending.created_at;
        IdTokenVerifier::new_public_client(client_id, known.document.issuer().clone(), known.keys.clone())
            .set_allowed_algs(known.algorithms.clone())
            // Further audiences are held against azp.
            .set_other_audience_verifier_fn(|_| true)
            .set_time_fn(move || time(now - skew))
            .set_issue_time_verifier_fn(move |at| {
                let at = at.timestamp_millis();
                // A token has whole seconds.
                let early = at < began - skew - 1000;
                if early || at > now + skew { Err(format!("issued at {at} ms")) } else { Ok(()) }
            })
            .set_auth_context_verifier_fn(|acr| {
                let wanted = &self.config.acr_values;
                let met = wanted.is_empty() || acr.is_some_and(|a| wanted.contains(a));
                if met { Ok(()) } else { Err("it is none of acr_values".to_owned()) }
            })
    }

    /// Steps 4 and 5: who is not the only audience must be the party that the token was issued to.
    fn check_party(&self, party: Option<&ClientId>, audiences: usize) -> Result<(), ClaimsVerificationError> {
        match party {
            Some(party) if **party == self.config.client_id => Ok(()),
            None if audiences == 1 => Ok(()),
            Some(_) => Err(ClaimsVerificationError::InvalidAudience("azp is another client".to_owned())),
            None => Err(ClaimsVerificationError::InvalidAudience("several, and no azp".to_owned())),
        }
    }

    /// Section 3.1.3.8.
    fn check_hash(
        &self,
        wanted: &AccessTokenHash,
        token: &SignedToken,
        verifier: &IdTokenVerifier<'_, CoreJsonWebKey>,
    ) -> Result<(), ClaimsVerificationError> {
        let wrap = ClaimsVerificationError::SignatureVerification;
        let key = token.signing_key(verifier).map_err(wrap)?;
        let found = AccessTokenHash::from_token(self.access_token, token.signing_alg().map_err(wrap)?, key)
            .map_err(|e| ClaimsVerificationError::Other(e.to_string()))?;
        if found == *wanted {
            Ok(())
        } else {
            Err(ClaimsVerificationError::Other("at_hash is of another access token".to_owned()))
        }
    }

    fn check_not_before(&self, claims: &Map<String, Value>) -> Result<(), ClaimsVerificationError> {
        let Some(from) = claims.get("nbf").filter(|v| !v.is_null()) else { return Ok(()) };
        let latest = (self.now + self.config.skew()) as f64 / 1000.0;
        if from.as_f64().is_some_and(|from| from <= latest) {
            Ok(())
        } else {
            Err(ClaimsVerificationError::Other("it is not valid yet (nbf)".to_owned()))
        }
    }
}

/// Beyond the calendar everything has expired.
fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn reason(error: ClaimsVerificationError) -> OidcError {
    match error {
        ClaimsVerificationError::SignatureVerification(cause) => OidcError::invalid(cause.to_string()),
        other => OidcError::invalid(other.to_string()),
    }
}

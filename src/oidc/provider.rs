//! A provider that was found, with its metadata and keys kept and renewed.

use std::sync::Arc;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    Client, ClientId, EmptyExtraTokenFields, EndpointNotSet, EndpointSet, IdToken, IdTokenFields,
    StandardErrorResponse, StandardTokenResponse,
};
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::begin::Pending;
use crate::callback::Callback;
use crate::claims::Claims;
use crate::config::ProviderConfig;
use crate::error::{OidcError, Result};
use crate::fetch::Fetch;
use crate::metadata::Known;
use crate::person::Person;
use crate::{callback, exchange, person, userinfo};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Metadata and keys are asked for again after this.
const FRESH: i64 = HOUR;
/// And are used for so long when the provider does not answer.
const USABLE: i64 = 24 * HOUR;

pub(crate) type SignedToken =
    IdToken<Claims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

pub(crate) type Tokens = StandardTokenResponse<
    IdTokenFields<
        Claims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

pub(crate) type RelyingParty = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// One provider with one client registration. To be kept and shared; it holds no secret.
pub struct Provider {
    pub(crate) config: ProviderConfig,
    pub(crate) fetch: Arc<dyn Fetch>,
    known: RwLock<Arc<Known>>,
    /// When metadata and keys were last asked for again. Held while they are.
    asked_again: Mutex<Option<i64>>,
}

impl Provider {
    /// Fetches and checks the provider's metadata and keys. `now` here and elsewhere: Unix milliseconds.
    pub async fn discover(config: ProviderConfig, fetch: Arc<dyn Fetch>, now: i64) -> Result<Self> {
        if let Some((field, problem)) = config.validate().into_iter().next() {
            return Err(OidcError::misconfigured(field, problem));
        }
        let known = Known::fetch(&config, fetch.as_ref(), now).await?;
        Ok(Self { config, fetch, known: RwLock::new(Arc::new(known)), asked_again: Mutex::new(None) })
    }

    /// The settings it was made with.
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// Completes a sign-in: checks the answer that the browser brought, redeems its code, verifies the id token and
    /// reads the person. A public client has no secret.
    ///
    /// `pending` has to come from the same browser that [`Provider::begin`] was for, and never twice.
    pub async fn finish(
        &self,
        pending: Pending,
        callback: Callback,
        client_secret: Option<&str>,
        now: i64,
    ) -> Result<Person> {
        let code = callback::check(&self.config, &self.known(), &pending, &callback, now)?;
        let known = self.current(now).await?;
        let tokens = exchange::redeem(self, &known, &pending, code, client_secret).await?;
        let proven = self.verify_id_token(known, &tokens, &pending, now).await?;
        let more = if userinfo::is_needed(&self.config, &proven.claims) {
            userinfo::fetch(self, &proven, &tokens).await?
        } else {
            None
        };
        person::read(&self.config, proven, more.as_ref())
    }

    pub(crate) fn known(&self) -> Arc<Known> {
        self.known.read().clone()
    }

    /// Metadata and keys, not too old. A provider that does not answer is given a day.
    pub(crate) async fn current(&self, now: i64) -> Result<Arc<Known>> {
        let known = self.known();
        let age = (now - known.fetched_at).abs();
        if age < FRESH {
            return Ok(known);
        }
        match self.ask_again(&known, now).await {
            Ok(Some(newer)) => Ok(newer),
            Ok(None) | Err(_) if age < USABLE => Ok(known),
            Ok(None) => Err(OidcError::unavailable(
                "The provider's keys are older than a day and it did not answer a moment ago.",
            )),
            Err(e) => Err(e),
        }
    }

    /// Fetches metadata and keys again, at most once a minute, unless someone else did meanwhile: then theirs.
    pub(crate) async fn ask_again(&self, seen: &Arc<Known>, now: i64) -> Result<Option<Arc<Known>>> {
        let mut asked = self.asked_again.lock().await;
        let known = self.known();
        if !Arc::ptr_eq(&known, seen) {
            return Ok(Some(known));
        }
        if asked.is_some_and(|at| (now - at).abs() < MINUTE) {
            return Ok(None);
        }
        *asked = Some(now);
        let newer = Arc::new(Known::fetch(&self.config, self.fetch.as_ref(), now).await?);
        *self.known.write() = newer.clone();
        Ok(Some(newer))
    }

    pub(crate) fn relying_party(&self, known: &Known) -> RelyingParty {
        let client_id = ClientId::new(self.config.client_id.clone());
        Client::new(client_id, known.document.issuer().clone(), known.keys.clone())
            .set_auth_uri(known.document.authorization_endpoint().clone())
            .set_token_uri(known.token_endpoint.clone())
    }
}

//! Tells who sends a request, by cookie or key.

use std::time::Duration;

use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Actor, Code, Error, Principal, Result, Timestamp};

use crate::store::Found;
use crate::{Identity, secret, store};

/// "Last used" is kept to this exactness: a write for each request would be too many.
const TOUCH_EVERY: Duration = Duration::from_mins(1);
/// No secret of ours is longer; what is longer is not hashed.
const LONGEST_SECRET: usize = 200;

fn unauthenticated(detail: &str) -> Error {
    Error::new(Code::Unauthenticated, detail)
        .hint("Sign in, or send a valid API key as Authorization: Bearer.")
}

#[async_trait]
impl Authenticate for Identity {
    /// A key goes before a cookie: whoever sends one means it.
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        match (credentials.bearer, credentials.session) {
            (Some(key), _) if secret::is_api_key(&key) => self.by_key(key).await,
            (Some(_), _) => Err(unauthenticated("The API key is not valid.")),
            (None, Some(token)) if !token.is_empty() && token.len() <= LONGEST_SECRET => {
                self.by_session(token).await
            }
            _ => Err(unauthenticated("You are not signed in.")),
        }
    }
}

impl Identity {
    async fn by_session(&self, token: String) -> Result<Principal> {
        let (fingerprint, now) = (secret::fingerprint(&token), self.now());
        if let Some(principal) = self.inner.cache.get(&fingerprint, now) {
            return Ok(principal);
        }
        let generation = self.inner.cache.generation();
        let (wanted, csrf) = (fingerprint.clone(), secret::csrf_token(&token));
        let found = self.control().read(move |tx| store::find_session(tx, &wanted, csrf)).await?;
        let idle = self.inner.limits.idle.0;
        let end = |f: &Found| {
            let seen_until = f.seen_at.unwrap_or_default().plus(idle);
            f.expires_at.map_or(seen_until, |at| at.min(seen_until))
        };
        let found = found
            .filter(|f| now < end(f))
            .ok_or_else(|| unauthenticated("The session is over, or was never there."))?;
        let end = end(&found);
        self.remember(fingerprint, found, (now, end), generation).await
    }

    async fn by_key(&self, key: String) -> Result<Principal> {
        let (fingerprint, now) = (secret::fingerprint(&key), self.now());
        if let Some(principal) = self.inner.cache.get(&fingerprint, now) {
            return Ok(principal);
        }
        let generation = self.inner.cache.generation();
        let wanted = fingerprint.clone();
        let found = self.control().read(move |tx| store::find_key(tx, &wanted)).await?;
        let found = found
            .filter(|f| f.expires_at.is_none_or(|at| now < at))
            .ok_or_else(|| unauthenticated("The API key is not valid, is revoked or is over."))?;
        let end = found.expires_at.unwrap_or(Timestamp(i64::MAX));
        self.remember(fingerprint, found, (now, end), generation).await
    }

    async fn remember(
        &self,
        fingerprint: String,
        found: Found,
        times: (Timestamp, Timestamp),
        generation: u64,
    ) -> Result<Principal> {
        let Found { principal, seen_at, .. } = found;
        if seen_at.is_none_or(|at| at.plus(TOUCH_EVERY) <= times.0) {
            self.touch(&principal.actor).await;
        }
        self.inner.cache.put(fingerprint, principal.clone(), times, generation);
        Ok(principal)
    }

    /// A request does not fail because its time could not be noted.
    async fn touch(&self, actor: &Actor) {
        let actor = actor.clone();
        let written = self.control().write(move |tx| match &actor {
            Actor::Session { id, .. } => store::touch_session(tx, id),
            Actor::Key { id } => store::touch_key(tx, id),
            Actor::Local => Ok(0),
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "the time of last use was not noted");
        }
    }
}

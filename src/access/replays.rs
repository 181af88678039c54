//! Requests with an `Idempotency-Key`: their answers are kept for a day, sealed, as they may hold a secret that is shown
//! once.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use lectern_kernel::ports::{Answered, Replays, Vault};
use lectern_kernel::{Actor, Code, Error, Principal, Result, Scope, TenantId};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::{Access, store_replays};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);

/// What runs in this process.
#[derive(Default)]
pub(crate) struct Running(Mutex<HashSet<(TenantId, String)>>);

/// The name of a request: whose key, and the key, neither readable.
fn name(principal: &Principal, key: &str) -> String {
    let who = match (&principal.actor, &principal.user) {
        (Actor::Key { id }, None) => id.to_string(),
        (_, Some(user)) => user.to_string(),
        _ => principal.actor.name(),
    };
    hex::encode(Sha256::digest(format!("{who} {key}")))
}

fn field(name: &str) -> String {
    format!("replay/{name}")
}

#[async_trait]
impl Replays for Access {
    async fn begin(&self, principal: &Principal, key: &str, fingerprint: &str) -> Result<Option<Answered>> {
        let name = name(principal, key);
        let store = self.tenant(&Scope::system(principal.tenant.clone()))?;
        if store.db.read_only().is_some() {
            // Nothing can be done, so nothing can be done twice.
            return Ok(None);
        }
        let running = (principal.tenant.clone(), name.clone());
        if !self.inner.running.0.lock().insert(running.clone()) {
            return Err(Error::new(
                Code::Conflict,
                "The first request with this Idempotency-Key still runs.",
            )
            .hint("Send it again in a moment to get its answer."));
        }
        let (wanted, print) = (name.clone(), fingerprint.to_owned());
        let before = store.db.write(move |tx| {
            let before = store_replays::find(tx, &wanted)?;
            if before.is_none() {
                store_replays::insert(tx, &wanted, &print)?;
            }
            Ok(before)
        });
        let before = match before.await {
            Ok(None) => return Ok(None),
            other => other,
        };
        self.inner.running.0.lock().remove(&running);
        let Some(before) = before? else { return Ok(None) };
        if before.fingerprint != fingerprint {
            return Err(Error::field("Idempotency-Key", "was used for another request")
                .hint("Make a new key for each thing to be done."));
        }
        let Some(sealed) = before.sealed else { return Err(broke_off()) };
        let opened = self.inner.keyring.open(&principal.tenant, &field(&name), &sealed)?;
        serde_json::from_slice(&opened).map(Some).map_err(Error::internal)
    }

    async fn finish(&self, principal: &Principal, key: &str, answer: Option<Answered>) {
        let name = name(principal, key);
        if let Err(error) = self.keep(&principal.tenant, &name, answer).await {
            tracing::warn!(tenant = %principal.tenant, %error, "the answer to an Idempotency-Key is not kept");
        }
        self.inner.running.0.lock().remove(&(principal.tenant.clone(), name));
    }
}

fn broke_off() -> Error {
    Error::new(
        Code::Conflict,
        "The first request with this Idempotency-Key broke off, and may have done its work.",
    )
    .hint("Look whether the thing is there. If not, send the request with a new key.")
}

impl Access {
    async fn keep(&self, tenant: &TenantId, name: &str, answer: Option<Answered>) -> Result<()> {
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        if store.db.read_only().is_some() {
            return Ok(());
        }
        let name = name.to_owned();
        let Some(answer) = answer else {
            store.db.write(move |tx| store_replays::remove(tx, &name)).await?;
            return Ok(());
        };
        let json = serde_json::to_vec(&answer).map_err(Error::internal)?;
        let sealed = self.inner.keyring.seal(tenant, &field(&name), &json)?;
        store.db.write(move |tx| store_replays::keep(tx, &name, &sealed)).await?;
        Ok(())
    }

    /// Forgets answers after their day.
    pub(crate) async fn trim_replays(&self, scope: &Scope) -> Result<()> {
        let before = self.now().minus(KEPT);
        self.tenant(scope)?.db.write(move |tx| store_replays::trim(tx, before)).await?;
        Ok(())
    }
}

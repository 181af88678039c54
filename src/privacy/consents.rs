//! The texts that people are asked to agree to, and what they said.

use std::collections::HashMap;
use std::time::Duration;

use lectern_kernel::{Actor, Code, Error, Principal, Result, Scope, TenantId, Timestamp, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::outbox;
use parking_lot::Mutex;
use serde_json::json;

use crate::model::{ConsentTextView, NewConsentText, OwnConsentView};
use crate::{Privacy, store_consents};

/// A change forgets it at once; this bounds what another process changed in the file.
const KEPT: Duration = Duration::from_secs(10);
const MOST_ENTRIES: usize = 20_000;

/// A person; without one, everybody of the tenant.
type Whose = (TenantId, Option<UserId>);

/// Who has to agree to something first, for a few seconds: most requests need no query. Without a person: whether the
/// tenant asks for anything.
#[derive(Default)]
pub(crate) struct Missing(Mutex<HashMap<Whose, (bool, Timestamp)>>);

impl Missing {
    fn get(&self, key: &Whose, now: Timestamp) -> Option<bool> {
        self.0.lock().get(key).filter(|(_, until)| now < *until).map(|(missing, _)| *missing)
    }

    fn put(&self, key: Whose, missing: bool, now: Timestamp) {
        let mut entries = self.0.lock();
        if entries.len() >= MOST_ENTRIES {
            entries.clear();
        }
        entries.insert(key, (missing, now.plus(KEPT)));
    }

    fn forget(&self, tenant: &TenantId) {
        self.0.lock().retain(|(of, _), _| of != tenant);
    }
}

impl Privacy {
    pub async fn consent_texts(&self, scope: &Scope) -> Result<Vec<ConsentTextView>> {
        Ok(self.tenant(scope)?.db.read(store_consents::texts).await?)
    }

    /// Asks everybody to agree to a text; one under the same name is replaced.
    pub async fn add_consent_text(&self, scope: &Scope, new: NewConsentText) -> Result<ConsentTextView> {
        let (own, name) = (scope.clone(), new.name.clone());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            let version = store_consents::add_text(tx, &new)?;
            let told = json!({ "version": version, "title": new.title.trim(), "required": new.required });
            audit::record_event(tx, &own, "consent_text.added", &new.name, &told)?;
            let texts = store_consents::texts(tx)?;
            Ok(texts.into_iter().find(|text| text.name == name && text.version == version))
        });
        let view = written.await?.ok_or_else(|| Error::internal("a text was not kept"))?;
        self.inner.missing.forget(scope.tenant());
        Ok(view)
    }

    /// Takes a text away; what people said to it stays on record.
    pub async fn end_consent_text(&self, scope: &Scope, name: &str) -> Result<()> {
        let (own, name) = (scope.clone(), name.to_owned());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            if store_consents::end_text(tx, &name)? == 0 {
                return Err(Error::not_found("text").into());
            }
            audit::record_event(tx, &own, "consent_text.ended", &name, &())
        });
        written.await?;
        self.inner.missing.forget(scope.tenant());
        Ok(())
    }

    /// The texts that hold, and what one said to them.
    pub async fn own_consents(&self, principal: &Principal) -> Result<Vec<OwnConsentView>> {
        let user = person(principal)?;
        let store = self.tenant(&Scope::granted(principal))?;
        Ok(store.db.read(move |tx| store_consents::own(tx, &user)).await?)
    }

    /// Agrees to a text, as it stands.
    pub async fn consent(
        &self,
        principal: &Principal,
        scope: &Scope,
        name: &str,
        version: u32,
    ) -> Result<()> {
        let (user, own, name) = (person(principal)?, scope.clone(), name.to_owned());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            if !store_consents::holds(tx, &name, version)? {
                return Err(Error::new(Code::Conflict, "This is not the text that holds now.")
                    .hint("Read GET /api/v1/me/consents again.")
                    .into());
            }
            store_consents::give(tx, &user, &name, version)?;
            let after = json!({ "text": name, "version": version });
            audit::record(tx, &own, Change::new("consent.given", user.as_str()).after(&after))?;
            outbox::push(tx, "consent.given", user.as_str(), &after)
        });
        written.await?;
        self.inner.missing.forget(scope.tenant());
        Ok(())
    }

    /// Takes it back.
    pub async fn withdraw_consent(&self, principal: &Principal, scope: &Scope, name: &str) -> Result<()> {
        let (user, own, name) = (person(principal)?, scope.clone(), name.to_owned());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            if store_consents::withdraw(tx, &user, &name)? == 0 {
                return Err(Error::not_found("consent").into());
            }
            let after = json!({ "text": name });
            audit::record(tx, &own, Change::new("consent.withdrawn", user.as_str()).after(&after))?;
            outbox::push(tx, "consent.withdrawn", user.as_str(), &after)
        });
        written.await?;
        self.inner.missing.forget(scope.tenant());
        Ok(())
    }

    /// Whether the person at the browser has to agree to something before anything else.
    pub(crate) async fn is_missing(&self, principal: &Principal) -> Result<bool> {
        let (Actor::Session { operator: None, .. }, Some(user)) = (&principal.actor, &principal.user) else {
            return Ok(false);
        };
        let (now, missing) = (self.now(), &self.inner.missing);
        let all = (principal.tenant.clone(), None);
        let one = (principal.tenant.clone(), Some(user.clone()));
        match (missing.get(&all, now), missing.get(&one, now)) {
            (Some(false), _) => return Ok(false),
            (Some(true), Some(known)) => return Ok(known),
            _ => {}
        }
        let (store, user) = (self.tenant(&Scope::granted(principal))?, user.clone());
        let read = store
            .db
            .read(move |tx| Ok((store_consents::any_required(tx)?, store_consents::is_missing(tx, &user)?)));
        let (any, own) = read.await?;
        missing.put(all, any, now);
        missing.put(one, own, now);
        Ok(own)
    }
}

fn person(principal: &Principal) -> Result<UserId> {
    match (&principal.actor, &principal.user) {
        (Actor::Session { .. }, Some(user)) => Ok(user.clone()),
        _ => Err(Error::new(Code::Unauthenticated, "This is for a person at a browser.")
            .hint("Sign in with e-mail and password at POST /api/v1/session.")),
    }
}

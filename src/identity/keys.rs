//! API keys: made once, shown once, replaced with an overlap, revoked at once.

use std::time::Duration;

use lectern_edge::Validate;
use lectern_kernel::{
    APPLIANCE, Code, Cursor, Error, KeyId, Page, PageRequest, Result, Rights, Scope, Timestamp,
};
use lectern_store::audit::{self, Change};
use lectern_store::outbox;
use serde_json::json;

use crate::model::{KeyView, NewKey, NewKeyView, RotateKey};
use crate::store::KeyRow;
use crate::{Identity, secret, store, store_control};

const KEYS_A_TENANT: u64 = 500;
const OVERLAP_HOURS: u32 = 24;

impl Identity {
    /// Makes a key of the scope's tenant, which may what `rights` allow at most.
    pub async fn create_key(&self, scope: &Scope, rights: &Rights, new: NewKey) -> Result<NewKeyView> {
        if let Some(wrong) = new.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        let now = self.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::field("expires_at", "must lie in the future"));
        }
        let scopes = self.scopes(rights, new.scopes)?;
        let networks = new.networks.iter().filter_map(|text| text.parse::<crate::network::Network>().ok());
        let secret = secret::api_key(scope.tenant())?;
        let key = KeyView {
            id: KeyId::generate(),
            name: new.name.trim().to_owned(),
            prefix: secret::key_prefix(&secret).to_owned(),
            scopes,
            networks: networks.map(|network| network.to_string()).collect(),
            created_by: scope.user().cloned(),
            created_at: now,
            last_used_at: None,
            expires_at: new.expires_at,
        };
        self.keep_key(scope, &key, &secret, None).await?;
        Ok(NewKeyView { key, secret })
    }

    /// A key with the same rights in place of another, which works on for a while.
    pub async fn rotate_key(
        &self,
        scope: &Scope,
        rights: &Rights,
        id: &KeyId,
        rotate: &RotateKey,
    ) -> Result<NewKeyView> {
        let (wanted, now) = (id.clone(), self.now());
        let old = self.tenant(scope)?.db.read(move |tx| store::key_by_id(tx, &wanted)).await?;
        let old = old.filter(|key| key.expires_at.is_none_or(|at| now < at));
        let old = old.ok_or_else(|| Error::not_found("key"))?;
        if self.scopes(rights, old.scopes.clone())? != old.scopes {
            return Err(Error::new(Code::Forbidden, "This key may more than you do."));
        }
        let secret = secret::api_key(scope.tenant())?;
        let key = KeyView {
            id: KeyId::generate(),
            prefix: secret::key_prefix(&secret).to_owned(),
            created_by: scope.user().cloned(),
            created_at: now,
            last_used_at: None,
            ..old.clone()
        };
        let hours = u64::from(rotate.overlap_hours.unwrap_or(OVERLAP_HOURS));
        let ends = now.plus(Duration::from_secs(hours * 3600));
        self.keep_key(scope, &key, &secret, Some((old.id, ends))).await?;
        self.inner.cache.forget_key(id);
        Ok(NewKeyView { key, secret })
    }

    async fn keep_key(
        &self,
        scope: &Scope,
        key: &KeyView,
        secret: &str,
        replaced: Option<(KeyId, Timestamp)>,
    ) -> Result<()> {
        if key.scopes.iter().any(|name| name.starts_with(APPLIANCE)) {
            let (subject, tenant) = (key.id.clone(), scope.tenant().clone());
            self.control()
                .write(move |tx| store_control::add_operator(tx, subject.as_str(), &tenant))
                .await?;
        }
        let (fingerprint, view, scope) = (secret::fingerprint(secret), key.clone(), scope.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                if store::count_keys(tx)? >= KEYS_A_TENANT {
                    return Err(Error::new(Code::Conflict, "There are 500 keys already.")
                        .hint("Revoke keys that are not used any more.")
                        .into());
                }
                let row = KeyRow { view: &view, created_by: scope.user(), fingerprint: &fingerprint };
                store::insert_key(tx, &row)?;
                let id = view.id.as_str();
                match replaced {
                    None => audit::record(tx, &scope, Change::new("key.created", id).after(&json!(view)))?,
                    Some((old, ends)) => {
                        store::end_key(tx, &old, ends)?;
                        let before = json!({ "replaces": old, "works_until": ends });
                        let change = Change::new("key.rotated", id).before(&before);
                        audit::record(tx, &scope, change.after(&json!(view)))?;
                    }
                }
                outbox::push(tx, "key.created", id, &view)
            })
            .await?;
        Ok(())
    }

    /// The permissions of a new key, none of which its maker lacks.
    fn scopes(&self, rights: &Rights, mut wanted: Vec<String>) -> Result<Vec<String>> {
        let whole = self.inner.catalogue.whole_tenant();
        let everything = wanted.is_empty() || wanted.iter().any(|name| name == "*");
        if everything {
            wanted.retain(|name| name.starts_with(APPLIANCE));
        }
        if let Some(unknown) = wanted.iter().find(|name| !self.inner.catalogue.knows(name)) {
            return Err(Error::field("scopes", format!("'{unknown}' is no permission"))
                .hint("GET /api/v1/permissions lists them."));
        }
        crate::roles::holds_all(rights, &wanted)?;
        if everything && whole.are_within(rights) {
            wanted.push("*".to_owned());
        } else if everything {
            wanted.extend(whole.within(rights).names().map(str::to_owned));
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(wanted)
    }

    /// Keys of the scope's tenant, newest first.
    pub async fn list_keys(&self, scope: &Scope, page: &PageRequest) -> Result<Page<KeyView>> {
        let (limit, position) = (page.limit(), page.position()?);
        let (mut items, total) = self
            .tenant(scope)?
            .db
            .read(move |tx| {
                let before = position.as_ref().map(|c| c.id.as_str());
                let items = store::list_keys(tx, before, limit + 1)?;
                Ok((items, store::count_keys(tx)?))
            })
            .await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            let id = last.id.as_str().to_owned();
            Cursor { key: id.clone(), id }.encode()
        });
        Ok(Page { items, next_cursor, total })
    }

    /// Revokes a key of the scope's tenant; it is refused from the next request on.
    pub async fn revoke_key(&self, scope: &Scope, id: &KeyId) -> Result<()> {
        let (scope, key) = (scope.clone(), id.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                let before = store::key_by_id(tx, &key)?.ok_or_else(|| Error::not_found("key"))?;
                store::delete_key(tx, &key)?;
                let change = Change::new("key.revoked", key.as_str());
                audit::record(tx, &scope, change.before(&json!(before)))?;
                outbox::push(tx, "key.revoked", key.as_str(), &())
            })
            .await?;
        self.inner.cache.forget_key(id);
        let subject = id.clone();
        self.control().write(move |tx| store_control::remove_operator(tx, subject.as_str())).await?;
        Ok(())
    }
}

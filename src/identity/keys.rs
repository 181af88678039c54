//! API keys: made once, shown once, revoked at once.

use lectern_edge::Validate;
use lectern_kernel::{Code, Cursor, Error, KeyId, Page, PageRequest, Result, Scope};
use lectern_store::outbox;

use crate::model::{KeyView, NewKey, NewKeyView};
use crate::store::KeyRow;
use crate::{Identity, secret, store};

const KEYS_A_TENANT: u64 = 500;

impl Identity {
    /// Makes a key of the scope's tenant.
    pub async fn create_key(&self, scope: &Scope, new: NewKey) -> Result<NewKeyView> {
        if let Some(wrong) = new.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        let now = self.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::field("expires_at", "must lie in the future"));
        }
        let secret = secret::api_key()?;
        let key = KeyView {
            id: KeyId::generate(),
            name: new.name.trim().to_owned(),
            prefix: secret::key_prefix(&secret).to_owned(),
            created_at: now,
            last_used_at: None,
            expires_at: new.expires_at,
        };
        let (fingerprint, view, scope) = (secret::fingerprint(&secret), key.clone(), scope.clone());
        self.control()
            .write(move |tx| {
                let tenant = scope.tenant();
                if store::count_keys(tx, tenant)? >= KEYS_A_TENANT {
                    return Err(Error::new(Code::Conflict, "There are 500 keys already.")
                        .hint("Revoke keys that are not used any more.")
                        .into());
                }
                let row = KeyRow { view: &view, tenant, created_by: scope.user(), fingerprint: &fingerprint };
                store::insert_key(tx, &row)?;
                outbox::push(tx, "key.created", view.id.as_str(), &view)
            })
            .await?;
        Ok(NewKeyView { key, secret })
    }

    /// Keys of the scope's tenant, newest first.
    pub async fn list_keys(&self, scope: &Scope, page: &PageRequest) -> Result<Page<KeyView>> {
        let (limit, position, tenant) = (page.limit(), page.position()?, scope.tenant().clone());
        let (mut items, total) = self
            .control()
            .read(move |tx| {
                let before = position.as_ref().map(|c| c.id.as_str());
                let items = store::list_keys(tx, &tenant, before, limit + 1)?;
                Ok((items, store::count_keys(tx, &tenant)?))
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
        let (tenant, key) = (scope.tenant().clone(), id.clone());
        self.control()
            .write(move |tx| {
                if !store::delete_key(tx, &tenant, &key)? {
                    return Err(Error::not_found("key").into());
                }
                outbox::push(tx, "key.revoked", key.as_str(), &())
            })
            .await?;
        self.inner.cache.forget_key(id);
        Ok(())
    }
}

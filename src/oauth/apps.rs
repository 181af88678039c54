//! Apps of third parties: registered, changed, given new secrets, removed.

use std::time::Duration;

use lectern_kernel::{AppId, Code, Cursor, Error, KeyId, Page, PageRequest, Result, Rights, Scope, TenantId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::{AppKind, AppView, Flow, NewApp, NewAppView, PatchApp, RotateSecret, check_together};
use crate::scopes::holds_all;
use crate::secret::{self, Kind};
use crate::store_apps::SecretRow;
use crate::{Oauth, store_apps};

const APPS_A_TENANT: u64 = 200;
const OVERLAP_HOURS: u32 = 24;

impl Oauth {
    /// Registers an app. One that acts for itself gets nothing that its maker does not hold.
    pub async fn create_app(&self, scope: &Scope, rights: &Rights, new: NewApp) -> Result<NewAppView> {
        let (id, now) = (AppId::generate(), self.now());
        let app = AppView {
            client_id: secret::client_id(scope.tenant(), &id),
            id,
            name: new.name.trim().to_owned(),
            homepage: new.homepage.filter(|homepage| !homepage.is_empty()),
            kind: new.kind,
            redirect_uris: sorted(new.redirect_uris),
            scopes: self.inner.catalogue.check(new.scopes)?,
            grants: sorted(new.grants),
            secrets: Vec::new(),
            created_by: scope.user().cloned(),
            created_at: now,
            updated_at: now,
        };
        check(&app, rights)?;
        let confidential = app.kind == AppKind::Confidential;
        let client_secret = confidential.then(|| Kind::Client.make(scope.tenant())).transpose()?;
        let (scope, word) = (scope.clone(), client_secret.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            if store_apps::count_apps(tx)? >= APPS_A_TENANT {
                return Err(Error::new(Code::Conflict, "There are 200 apps already.")
                    .hint("Remove apps that are not used any more.")
                    .into());
            }
            store_apps::insert_app(tx, &app)?;
            word.iter().try_for_each(|word| keep_secret(tx, &app.id, word))?;
            let after = json!(app);
            audit::record(tx, &scope, Change::new("app.created", app.id.as_str()).after(&after))?;
            outbox::push(tx, "app.created", app.id.as_str(), &app)?;
            found(tx, scope.tenant(), &app.id)
        });
        Ok(NewAppView { app: written.await?, client_secret })
    }

    /// Apps of the scope's tenant, the newest first.
    pub async fn list_apps(&self, scope: &Scope, page: &PageRequest) -> Result<Page<AppView>> {
        let (limit, position, tenant) = (page.limit(), page.position()?, scope.tenant().clone());
        let (mut items, total) = self
            .tenant(scope)?
            .db
            .read(move |tx| {
                let before = position.as_ref().map(|cursor| cursor.id.as_str());
                let items = store_apps::list_apps(tx, &tenant, before, limit + 1)?;
                Ok((items, store_apps::count_apps(tx)?))
            })
            .await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            let id = last.id.to_string();
            Cursor { key: id.clone(), id }.encode()
        });
        Ok(Page { items, next_cursor, total })
    }

    pub async fn app(&self, scope: &Scope, id: &AppId) -> Result<AppView> {
        let (tenant, id) = (scope.tenant().clone(), id.clone());
        Ok(self.tenant(scope)?.db.read(move |tx| found(tx, &tenant, &id)).await?)
    }

    /// Changes an app; what it may less, its tokens may less at once.
    pub async fn change_app(
        &self,
        scope: &Scope,
        rights: &Rights,
        id: &AppId,
        patch: PatchApp,
    ) -> Result<AppView> {
        let scopes = patch.scopes.map(|scopes| self.inner.catalogue.check(scopes)).transpose()?;
        let patch = PatchApp { scopes, ..patch };
        let (id, rights, scope) = (id.clone(), rights.clone(), scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let before = found(tx, scope.tenant(), &id)?;
            let app = patched(&before, patch, tx);
            check(&app, &rights)?;
            store_apps::update_app(tx, &app)?;
            let (before, after) = (json!(before), json!(app));
            let change = Change::new("app.changed", id.as_str()).before(&before).after(&after);
            audit::record(tx, &scope, change)?;
            outbox::push(tx, "app.changed", id.as_str(), &app)?;
            found(tx, scope.tenant(), &id)
        });
        let view = written.await?;
        self.forget(&store.id);
        Ok(view)
    }

    /// A new secret; the newest one until now works on for a while, all older ones end.
    pub async fn rotate_secret(
        &self,
        scope: &Scope,
        rights: &Rights,
        id: &AppId,
        rotate: &RotateSecret,
    ) -> Result<NewAppView> {
        let word = Kind::Client.make(scope.tenant())?;
        let hours = u64::from(rotate.overlap_hours.unwrap_or(OVERLAP_HOURS));
        let ends = self.now().plus(Duration::from_secs(hours * 3600));
        let (id, rights, scope, secret) = (id.clone(), rights.clone(), scope.clone(), word.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let app = found(tx, scope.tenant(), &id)?;
            if app.kind == AppKind::Public {
                return Err(Error::new(Code::Conflict, "A public app has no secret.").into());
            }
            // Whoever sees the new secret is the app.
            check(&app, &rights)?;
            store_apps::end_secrets(tx, &id, ends)?;
            keep_secret(tx, &id, &secret)?;
            let after = json!({ "prefix": secret::shown(&secret), "older_works_until": ends });
            audit::record(tx, &scope, Change::new("app.secret_rotated", id.as_str()).after(&after))?;
            outbox::push(tx, "app.secret_rotated", id.as_str(), &())?;
            found(tx, scope.tenant(), &id)
        });
        Ok(NewAppView { app: written.await?, client_secret: Some(word) })
    }

    /// Removes an app; its secrets, codes and tokens end at once.
    pub async fn delete_app(&self, scope: &Scope, id: &AppId) -> Result<()> {
        let (id, scope) = (id.clone(), scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let before = json!(found(tx, scope.tenant(), &id)?);
            store_apps::delete_app(tx, &id)?;
            audit::record(tx, &scope, Change::new("app.deleted", id.as_str()).before(&before))?;
            outbox::push(tx, "app.deleted", id.as_str(), &())
        });
        written.await?;
        self.forget(&store.id);
        Ok(())
    }
}

fn found(tx: &Tx<'_>, tenant: &TenantId, id: &AppId) -> Result<AppView, StoreError> {
    store_apps::app_by_id(tx, tenant, id)?.ok_or_else(|| Error::not_found("app").into())
}

fn keep_secret(tx: &Tx<'_>, app: &AppId, word: &str) -> Result<(), StoreError> {
    let (id, fingerprint) = (KeyId::generate(), secret::fingerprint(word));
    let row = SecretRow { id: id.as_str(), prefix: secret::shown(word), fingerprint: &fingerprint };
    store_apps::insert_secret(tx, app, &row)
}

fn patched(before: &AppView, patch: PatchApp, tx: &Tx<'_>) -> AppView {
    let homepage = match patch.homepage {
        Some(homepage) => Some(homepage).filter(|homepage| !homepage.is_empty()),
        None => before.homepage.clone(),
    };
    AppView {
        name: patch.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned()),
        homepage,
        redirect_uris: patch.redirect_uris.map_or_else(|| before.redirect_uris.clone(), sorted),
        scopes: patch.scopes.unwrap_or_else(|| before.scopes.clone()),
        grants: patch.grants.map_or_else(|| before.grants.clone(), sorted),
        updated_at: tx.now(),
        ..before.clone()
    }
}

/// An app as a whole, which is more than its fields.
fn check(app: &AppView, rights: &Rights) -> Result<()> {
    let wrong = check_together(app.kind, &app.grants, &app.redirect_uris);
    if let Some(wrong) = wrong.into_iter().next() {
        return Err(Error::field(&wrong.field, wrong.message));
    }
    if app.grants.contains(&Flow::Itself) { holds_all(rights, &app.scopes) } else { Ok(()) }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

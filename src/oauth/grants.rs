//! What a person has allowed, seen and taken back; and the removal of what is over.

use lectern_kernel::{AppId, Error, Principal, Result, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::outbox;
use serde_json::json;

use crate::authorize::browser;
use crate::model::AllowedAppView;
use crate::{Oauth, store_apps, store_tokens};

impl Oauth {
    /// The apps that the person at the browser has allowed something.
    pub async fn allowed_apps(&self, principal: &Principal) -> Result<Vec<AllowedAppView>> {
        let (user, tenant) = (browser(principal)?, principal.tenant.clone());
        let store = self.tenant(&Scope::granted(principal))?;
        Ok(store.db.read(move |tx| store_apps::allowed_apps(tx, &tenant, &user)).await?)
    }

    /// Takes back all that the person allowed an app; its tokens end at once.
    pub async fn revoke_app(&self, principal: &Principal, scope: &Scope, id: &AppId) -> Result<()> {
        let (user, id, scope) = (browser(principal)?, id.clone(), scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let before = json!({ "user": user, "scopes": store_apps::consented(tx, &user, &id)? });
            if !store_apps::revoke_consent(tx, &user, &id)? {
                return Err(Error::not_found("app").into());
            }
            audit::record(tx, &scope, Change::new("app.revoked", id.as_str()).before(&before))?;
            outbox::push(tx, "app.revoked", id.as_str(), &json!({ "user": user }))
        });
        written.await?;
        self.forget(&store.id);
        Ok(())
    }

    /// Ends all that a person has allowed, as when they are disabled or removed. The number of consents and families.
    pub async fn end_person(&self, scope: &Scope, user: &UserId) -> Result<usize> {
        let (user, scope) = (user.clone(), scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let ended = store_apps::forget_person(tx, &user)?;
            if ended > 0 {
                audit::record(tx, &scope, Change::new("app.person_ended", user.as_str()))?;
                outbox::push(tx, "app.person_ended", user.as_str(), &())?;
            }
            Ok(ended)
        });
        let ended = written.await?;
        self.forget(&store.id);
        Ok(ended)
    }

    /// Removes a tenant's codes, tokens, devices and secrets that are over; to be called every hour. The number removed.
    pub async fn sweep(&self, tenant: &TenantId) -> Result<usize> {
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        Ok(store.db.write(|tx| store_tokens::sweep(tx)).await?)
    }
}

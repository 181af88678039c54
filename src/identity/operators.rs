//! Who operates the appliance: noted in `control.db`, where no tenant's own file can say it.

use lectern_kernel::{Code, Error, KeyId, Result, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};

use crate::model_support::OperatorView;
use crate::{Identity, store, store_control, store_people};

impl Identity {
    /// People and keys that operate the appliance.
    pub async fn operators(&self) -> Result<Vec<OperatorView>> {
        let mut views = Vec::new();
        for (id, tenant) in self.control().read(store_control::operators).await? {
            let (name, email) = self.called(&tenant, &id).await.unwrap_or_default();
            views.push(OperatorView { id, tenant, name, email });
        }
        Ok(views)
    }

    /// Name and e-mail of a person, or the name of a key.
    async fn called(&self, tenant: &TenantId, id: &str) -> Result<(Option<String>, Option<String>)> {
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        if let Ok(user) = id.parse::<UserId>() {
            let found = store.db.read(move |tx| store_people::user_by_id(tx, &user)).await?;
            return Ok(found.map(|user| (Some(user.name), Some(user.email))).unwrap_or_default());
        }
        let Ok(key) = id.parse::<KeyId>() else { return Ok((None, None)) };
        let found = store.db.read(move |tx| store::key_by_id(tx, &key)).await?;
        Ok((found.map(|key| key.name), None))
    }

    /// Makes a person of the scope's tenant an operator. It is recorded for the appliance.
    pub async fn add_operator(&self, scope: &Scope, user: &str) -> Result<()> {
        let id = user.parse().map_err(|_| Error::not_found("user"))?;
        let store = self.tenant(scope)?;
        let known = store.db.read(move |tx| store_people::account_by_id(tx, &id)).await?;
        known.ok_or_else(|| Error::not_found("user"))?;
        let (subject, scope) = (user.to_owned(), scope.clone());
        self.control()
            .write(move |tx| {
                store_control::add_operator(tx, &subject, scope.tenant())?;
                audit::record(tx, &scope, Change::new("operator.added", &subject))
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Takes it back; the last one stays.
    pub async fn remove_operator(&self, scope: &Scope, user: &str) -> Result<()> {
        let (subject, scope) = (user.to_owned(), scope.clone());
        self.control()
            .write(move |tx| {
                if !store_control::is_operator(tx, &subject)? {
                    return Err(Error::not_found("operator").into());
                }
                if store_control::count_operators(tx)? < 2 {
                    return Err(Error::new(Code::Conflict, "This is the last operator.")
                        .hint("Make somebody else an operator first.")
                        .into());
                }
                store_control::remove_operator(tx, &subject)?;
                audit::record(tx, &scope, Change::new("operator.removed", &subject))
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }
}

//! Who operates the appliance: noted in `control.db`, where no tenant's own file can say it.

use lectern_kernel::{Code, Error, Result, Scope};
use lectern_store::audit::{self, Change};

use crate::{Identity, store_control, store_people};

impl Identity {
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

//! What this area holds about a person: the apps that they allowed something.

use async_trait::async_trait;
use lectern_kernel::{Erased, HeldFile, PersonPart, Result, Scope, UserId};

use crate::{Oauth, store_apps};

#[async_trait]
impl PersonPart for Oauth {
    fn name(&self) -> &'static str {
        "apps"
    }

    async fn ended(&self, scope: &Scope, user: &UserId) -> Result<()> {
        self.end_person(scope, user).await.map(drop)
    }

    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let (user, tenant) = (user.clone(), scope.tenant().clone());
        let store = self.tenant(scope)?;
        let apps = store.db.read(move |tx| store_apps::allowed_apps(tx, &tenant, &user)).await?;
        if apps.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![HeldFile::json("allowed.json", &apps)?])
    }

    async fn erase(&self, scope: &Scope, user: &UserId, _: &[String]) -> Result<Vec<Erased>> {
        let ended = self.end_person(scope, user).await?;
        let user = user.clone();
        let own = self.tenant(scope)?.db.write(move |tx| store_apps::disown(tx, &user)).await?;
        Ok(vec![Erased::new("allowed_apps", ended), Erased::new("registered_apps_made_nobodys", own)])
    }
}

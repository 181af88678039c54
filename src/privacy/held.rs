//! What this area itself holds about a person: what they agreed to.

use async_trait::async_trait;
use lectern_kernel::{Erased, HeldFile, PersonPart, Result, Scope, UserId};
use lectern_store::Stores;

use crate::store_consents;

/// Comes with the other areas that hold something.
pub(crate) struct Consents(pub Stores);

#[async_trait]
impl PersonPart for Consents {
    fn name(&self) -> &'static str {
        "consents"
    }

    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let user = user.clone();
        let said = self.0.tenant(scope)?.db.read(move |tx| store_consents::history(tx, &user)).await?;
        if said.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![HeldFile::json("consents.json", &said)?])
    }

    async fn erase(&self, scope: &Scope, user: &UserId, _: &[String]) -> Result<Vec<Erased>> {
        let user = user.clone();
        let count = self.0.tenant(scope)?.db.write(move |tx| store_consents::forget(tx, &user)).await?;
        Ok(vec![Erased::new("consents", count)])
    }
}

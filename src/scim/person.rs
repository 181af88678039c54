//! What identity services said of a person, handed out and taken away with the rest.

use async_trait::async_trait;
use lectern_kernel::{Erased, HeldFile, PersonPart, Result, Scope, UserId};
use serde_json::json;

use crate::{Scim, store};

#[async_trait]
impl PersonPart for Scim {
    fn name(&self) -> &'static str {
        "identity_service"
    }

    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let user = user.clone();
        let found = self.tenant(scope)?.db.read(move |tx| store::user_by_id(tx, &user)).await?;
        let file = |kept: store::KeptUser| {
            let rows = json!({
                "userName": kept.user_name,
                "externalId": kept.external_id,
                "attributes": kept.attributes,
                "updated_at": kept.updated_at,
            });
            HeldFile::json("scim.json", &rows)
        };
        found.into_iter().map(file).collect()
    }

    async fn erase(&self, scope: &Scope, user: &UserId, _: &[String]) -> Result<Vec<Erased>> {
        let user = user.clone();
        let count = self.tenant(scope)?.db.write(move |tx| store::forget_user(tx, &user)).await?;
        Ok(vec![Erased::new("attributes_of_identity_services", count)])
    }
}

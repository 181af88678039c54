//! The `SiteText` port: what the tenant's documents say, for those who learn its words.

use async_trait::async_trait;
use lectern_kernel::ports::SiteText;
use lectern_kernel::{Result, Scope};

use crate::{Documents, store_text};

#[async_trait]
impl SiteText for Documents {
    async fn version(&self, scope: &Scope) -> Result<String> {
        Ok(self.tenant(scope)?.store.db.read(store_text::version).await?)
    }

    async fn texts(&self, scope: &Scope, limit: usize) -> Result<Vec<String>> {
        let tenant = self.tenant(scope)?;
        let documents = tenant.store.db.read(store_text::readable).await?;
        let (mut texts, mut characters) = (Vec::new(), 0);
        for (document, length) in documents {
            if characters >= limit {
                break;
            }
            // A document at a time: a reader of the database is not held for long.
            let wanted = length.min(limit - characters);
            let text = tenant.store.db.read(move |tx| store_text::slice(tx, &document, 0, wanted)).await?;
            characters += wanted;
            texts.extend(text);
        }
        Ok(texts)
    }
}

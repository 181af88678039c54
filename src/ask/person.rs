//! What this area holds about people: their conversations; and how long it keeps them.

use async_trait::async_trait;
use lectern_kernel::{
    Erased, HeldContent, HeldFile, PersonPart, Result, RetentionPart, RetentionRules, Scope, Timestamp,
    UserId,
};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx};
use serde_json::json;

use crate::model::{ConversationDetail, ExportFormat};
use crate::{Ask, export, store};

const DAY: std::time::Duration = std::time::Duration::from_hours(24);
/// So many conversations go in one transaction.
const AT_ONCE: u32 = 500;

#[async_trait]
impl PersonPart for Ask {
    fn name(&self) -> &'static str {
        "conversations"
    }

    /// Each as JSON and as Markdown, the oldest first.
    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let owner = user.as_str().to_owned();
        let whole = move |tx: &Tx<'_>| -> Result<Vec<ConversationDetail>, StoreError> {
            let ids = store::all_conversations(tx, &owner)?;
            let found = ids.iter().map(|id| store::detail(tx, &owner, id));
            Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        let mut files = Vec::new();
        for conversation in self.db(scope)?.read(whole).await? {
            for format in [ExportFormat::Json, ExportFormat::Markdown] {
                let file = export::export(&conversation, format)?;
                files.push(HeldFile { path: file.file_name, content: HeldContent::Text(file.content) });
            }
        }
        Ok(files)
    }

    async fn erase(&self, scope: &Scope, user: &UserId, _: &[String]) -> Result<Vec<Erased>> {
        let owner = user.as_str().to_owned();
        let erased = self.db(scope)?.write(move |tx| store::delete_all(tx, &owner)).await?;
        Ok(vec![Erased::new("conversations", erased)])
    }
}

/// Conversations that were last used before it are too old.
fn border(now: Timestamp, rules: &RetentionRules) -> Option<Timestamp> {
    rules.conversations.map(|days| now.minus(DAY * days))
}

#[async_trait]
impl RetentionPart for Ask {
    async fn overdue(&self, scope: &Scope, rules: &RetentionRules) -> Result<Vec<Erased>> {
        let Some(before) = border(self.stores.clock().now(), rules) else { return Ok(Vec::new()) };
        let count = self.db(scope)?.read(move |tx| store::count_older(tx, before)).await?;
        Ok(vec![Erased::new("conversations", count)])
    }

    async fn expire(&self, scope: &Scope, rules: &RetentionRules) -> Result<Vec<Erased>> {
        let Some(before) = border(self.stores.clock().now(), rules) else { return Ok(Vec::new()) };
        let (own, mut expired) = (scope.clone(), 0);
        loop {
            let own = own.clone();
            let work = move |tx: &mut Tx<'_>| -> Result<usize, StoreError> {
                let removed = store::delete_older(tx, before, AT_ONCE)?;
                if removed > 0 {
                    let after = json!({ "count": removed, "unused_since": before });
                    audit::record(
                        tx,
                        &own,
                        Change::new("conversations.expired", "conversations").after(&after),
                    )?;
                }
                Ok(removed)
            };
            let removed = self.db(scope)?.write(work).await?;
            expired += removed;
            if removed < AT_ONCE as usize {
                return Ok(vec![Erased::new("conversations", expired)]);
            }
        }
    }
}

//! Conversations: list and search, read, rename, delete; and what people think of an answer.

use lectern_kernel::{Code, ConversationId, Cursor, Error, Page, PageRequest, Result, Scope, TurnId};
use lectern_store::{Database, audit, outbox};

use crate::model::{
    ConversationDetail, ConversationQuery, ConversationView, ExportFormat, NewFeedback, PatchConversation,
    TurnView,
};
use crate::{Ask, export, store};

const MAX_QUERY: usize = 200;

/// Whose conversations the scope sees: everybody's own, and nobody else's.
pub(crate) fn owner(scope: &Scope) -> String {
    scope.user().map(|user| user.as_str().to_owned()).unwrap_or_default()
}

/// Time and id of the last conversation on the page before.
fn place(cursor: Cursor) -> Result<(i64, String)> {
    let foreign = |_| Error::new(Code::InvalidCursor, "The cursor was not made by this list.");
    Ok((cursor.key.parse().map_err(foreign)?, cursor.id))
}

impl Ask {
    pub(crate) fn db(&self, scope: &Scope) -> Result<Database> {
        Ok(self.stores.tenant(scope)?.db)
    }

    pub async fn turn(&self, scope: &Scope, id: &TurnId) -> Result<TurnView> {
        let (owner, id) = (owner(scope), id.clone());
        let found = self.db(scope)?.read(move |tx| store::turn(tx, &owner, &id)).await?;
        found.ok_or_else(|| Error::not_found("answer"))
    }

    pub async fn rate(&self, scope: &Scope, id: &TurnId, feedback: NewFeedback) -> Result<()> {
        let (owner, id) = (owner(scope), id.clone());
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            if !store::rate(tx, &owner, &id, &feedback)? {
                return Err(Error::not_found("answer").into());
            }
            outbox::push(tx, "turn.rated", id.as_str(), &serde_json::json!({ "rating": feedback.rating }))
        };
        Ok(self.db(scope)?.write(work).await?)
    }

    /// The conversations of the scope's user, the last used first.
    pub async fn conversations(
        &self,
        scope: &Scope,
        query: ConversationQuery,
    ) -> Result<Page<ConversationView>> {
        let request = PageRequest { limit: query.limit, cursor: query.cursor };
        let (limit, after) = (request.limit(), request.position()?.map(place).transpose()?);
        let text = query.q.unwrap_or_default();
        if text.chars().nth(MAX_QUERY).is_some() {
            return Err(Error::field("q", "may have 200 characters at most"));
        }
        let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let owner = owner(scope);
        let work = move |tx: &lectern_store::Tx<'_>| {
            store::conversations(tx, &owner, &words, after.as_ref(), limit + 1)
        };
        let (mut items, total) = self.db(scope)?.read(work).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|item| {
            Cursor { key: item.updated_at.0.to_string(), id: item.id.as_str().to_owned() }.encode()
        });
        Ok(Page { items, next_cursor, total })
    }

    pub async fn conversation(&self, scope: &Scope, id: &ConversationId) -> Result<ConversationDetail> {
        let (owner, id) = (owner(scope), id.clone());
        let found = self.db(scope)?.read(move |tx| store::detail(tx, &owner, &id)).await?;
        found.ok_or_else(|| Error::not_found("conversation"))
    }

    pub async fn rename_conversation(
        &self,
        scope: &Scope,
        id: &ConversationId,
        patch: PatchConversation,
    ) -> Result<ConversationView> {
        let (owner, id, title) = (owner(scope), id.clone(), patch.title.trim().to_owned());
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            store::rename(tx, &owner, &id, &title)?;
            store::conversation(tx, &owner, &id)
        };
        self.db(scope)?.write(work).await?.ok_or_else(|| Error::not_found("conversation"))
    }

    pub async fn delete_conversation(&self, scope: &Scope, id: &ConversationId) -> Result<()> {
        let (owner, id, own) = (owner(scope), id.clone(), scope.clone());
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            if !store::delete(tx, &owner, &id)? {
                return Err(Error::not_found("conversation").into());
            }
            audit::record_event(tx, &own, "conversation.deleted", id.as_str(), &serde_json::json!({}))
        };
        Ok(self.db(scope)?.write(work).await?)
    }

    /// All conversations of the scope's user.
    pub async fn delete_conversations(&self, scope: &Scope) -> Result<()> {
        let (owner, own) = (owner(scope), scope.clone());
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            let count = store::delete_all(tx, &owner)?;
            let told = serde_json::json!({ "count": count });
            audit::record_event(tx, &own, "conversations.deleted", &owner, &told)
        };
        Ok(self.db(scope)?.write(work).await?)
    }

    /// A file's name, media type and content.
    pub async fn export_conversation(
        &self,
        scope: &Scope,
        id: &ConversationId,
        format: ExportFormat,
    ) -> Result<export::Export> {
        let conversation = self.conversation(scope, id).await?;
        export::export(&conversation, format)
    }
}

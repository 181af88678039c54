//! Showing the extracted text.

use lectern_extract::Block;
use lectern_kernel::{Code, DocumentId, Error, Result, Scope};

use crate::model::{Status, TextBlock, TextWindow};
use crate::{Documents, access, store_text};

/// Most code points of one window.
pub(crate) const MAX_WINDOW: u64 = 200_000;

impl Documents {
    /// The code points `from..to` of a document's text; at most 200,000 at once.
    pub async fn text(
        &self,
        scope: &Scope,
        id: &DocumentId,
        from: u64,
        to: Option<u64>,
    ) -> Result<TextWindow> {
        let to = to.unwrap_or(u64::MAX).min(from.saturating_add(MAX_WINDOW));
        self.window(scope, id, from, to).await
    }

    /// The whole text, for the command line.
    pub async fn full_text(&self, scope: &Scope, id: &DocumentId) -> Result<TextWindow> {
        self.window(scope, id, 0, u64::MAX).await
    }

    async fn window(&self, scope: &Scope, id: &DocumentId, from: u64, to: u64) -> Result<TextWindow> {
        let (sight, id) = (scope.sight().clone(), id.clone());
        let tenant = self.tenant(scope)?;
        let window = tenant
            .store
            .db
            .read(move |tx| {
                let view = access::readable(tx, &sight, &id)?;
                if !matches!(view.status, Status::Ready | Status::Indexing) {
                    return Err(Error::new(Code::Conflict, "This document has no text yet.")
                        .hint("Wait until it is ready, or see its problem.")
                        .into());
                }
                let length = view.characters;
                let (from, to) = (from.min(length), to.clamp(from.min(length), length));
                let part = store_text::window(tx, &id, from as usize, to as usize)?;
                let blocks = part.blocks.into_iter().map(block).collect();
                Ok(TextWindow { document: id, title: view.title, length, from, to, text: part.text, blocks })
            })
            .await?;
        Ok(window)
    }
}

fn block(block: Block) -> TextBlock {
    let kind =
        serde_json::to_value(block.kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    TextBlock {
        kind,
        level: block.level,
        start: block.start,
        end: block.end,
        page: block.page,
        label: block.label,
    }
}

//! Changing documents: title, collection, tags, trying again; one or many.

use std::collections::BTreeSet;

use lectern_kernel::{Code, DocumentId, Error, Result, Scope};
use lectern_search::DocumentMeta;
use lectern_store::{StoreError, Tx, outbox};

use crate::model::{BulkAction, BulkRequest, BulkResponse, BulkResult, PatchDocument, RetryRequest, Status};
use crate::{DocumentView, Documents, store};

/// What the index keeps of a document.
pub(crate) fn meta(view: &DocumentView) -> DocumentMeta {
    DocumentMeta {
        id: view.id.to_string(),
        title: view.title.clone(),
        collection: view.collection.clone(),
        tags: view.tags.clone(),
        format: view.kind.clone(),
        language: view.language.clone(),
        created: view.created_at.0 / 1000,
    }
}

impl Documents {
    /// Changes a document, in the database and in the index.
    pub async fn patch(&self, scope: &Scope, id: &DocumentId, patch: PatchDocument) -> Result<DocumentView> {
        let tenant = self.tenant(scope)?;
        let wanted = id.clone();
        let gate = tenant.gate.lock().await;
        let view = tenant
            .store
            .db
            .write(move |tx| {
                store::by_id(tx, &wanted)?.ok_or_else(|| Error::not_found("document"))?;
                apply(tx, &wanted, &patch)?;
                let view = store::by_id(tx, &wanted)?.ok_or_else(|| Error::not_found("document"))?;
                outbox::push(tx, "document.changed", wanted.as_str(), &view)?;
                Ok(view)
            })
            .await?;
        if view.status == Status::Ready {
            let meta = meta(&view);
            tenant.on_index(move |index| index.update_meta(&meta).and_then(|_| index.commit())).await?;
        }
        drop(gate);
        Ok(view)
    }

    /// Puts a failed document back into the queue.
    pub async fn retry(&self, scope: &Scope, id: &DocumentId, request: RetryRequest) -> Result<DocumentView> {
        let tenant = self.tenant(scope)?;
        let wanted = id.clone();
        if let Some(password) = request.password.filter(|p| !p.is_empty()) {
            self.inner.passwords.lock().insert(id.clone(), password);
        }
        let view = tenant
            .store
            .db
            .write(move |tx| {
                let view = store::by_id(tx, &wanted)?.ok_or_else(|| Error::not_found("document"))?;
                let again = view.status == Status::Failed
                    || (view.status == Status::Ready && !view.ocr_pages.is_empty());
                if !again {
                    return Err(Error::new(
                        Code::Conflict,
                        "Only a document that failed can be tried again.",
                    )
                    .into());
                }
                crate::store_text::remove(tx, &wanted)?;
                store::set_status(tx, &wanted, Status::Queued)?;
                store::push_read(tx, &wanted)?;
                let view = store::by_id(tx, &wanted)?.ok_or_else(|| Error::not_found("document"))?;
                outbox::push(tx, "document.retried", wanted.as_str(), &view)?;
                Ok(view)
            })
            .await
            .inspect_err(|_| {
                self.inner.passwords.lock().remove(id);
            })?;
        tenant.work.notify_one();
        Ok(view)
    }

    /// One action on many documents; each has its own outcome.
    pub async fn bulk(&self, scope: &Scope, request: BulkRequest) -> Result<BulkResponse> {
        let ids: Vec<Result<DocumentId, String>> =
            request.ids.iter().map(|id| id.parse().map_err(|_| id.clone())).collect();
        if request.action == BulkAction::Delete {
            let known: Vec<DocumentId> = ids.iter().flatten().cloned().collect();
            let deleted: BTreeSet<DocumentId> = self.delete_many(scope, known).await?.into_iter().collect();
            let results = request.ids.iter().zip(&ids).map(|(text, id)| {
                let ok = id.as_ref().is_ok_and(|id| deleted.contains(id));
                result(text, if ok { Ok(()) } else { Err(Error::not_found("document")) })
            });
            return Ok(BulkResponse { results: results.collect() });
        }
        let mut results = Vec::with_capacity(ids.len());
        for (text, id) in request.ids.iter().zip(ids) {
            let outcome = match id {
                Ok(id) => self.bulk_one(scope, &id, &request).await,
                Err(_) => Err(Error::not_found("document")),
            };
            results.push(result(text, outcome));
        }
        Ok(BulkResponse { results })
    }

    async fn bulk_one(&self, scope: &Scope, id: &DocumentId, request: &BulkRequest) -> Result<()> {
        let patch = match request.action {
            BulkAction::Retry => return self.retry(scope, id, RetryRequest::default()).await.map(|_| ()),
            BulkAction::Delete => return self.delete(scope, id).await,
            BulkAction::SetCollection => PatchDocument {
                collection: Some(request.collection.clone().filter(|c| !c.is_empty())),
                ..PatchDocument::default()
            },
            BulkAction::AddTags | BulkAction::RemoveTags => {
                let mut tags: BTreeSet<String> = self.get(scope, id).await?.tags.into_iter().collect();
                for tag in &request.tags {
                    if request.action == BulkAction::AddTags {
                        tags.insert(tag.trim().to_owned());
                    } else {
                        tags.remove(tag.trim());
                    }
                }
                PatchDocument { tags: Some(tags.into_iter().collect()), ..PatchDocument::default() }
            }
        };
        self.patch(scope, id, patch).await.map(|_| ())
    }
}

fn result(id: &str, outcome: Result<()>) -> BulkResult {
    BulkResult { id: id.to_owned(), ok: outcome.is_ok(), problem: outcome.err().map(|e| e.detail) }
}

fn apply(tx: &mut Tx<'_>, id: &DocumentId, patch: &PatchDocument) -> Result<(), StoreError> {
    if let Some(title) = &patch.title {
        store::set_title(tx, id, title.trim())?;
    }
    if let Some(collection) = &patch.collection {
        store::set_collection(tx, id, collection.as_deref().map(str::trim))?;
    }
    if let Some(tags) = &patch.tags {
        store::set_tags(tx, id, tags)?;
    }
    Ok(())
}

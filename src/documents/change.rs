//! Changing documents: title, collection, tags, trying again; one or many.

use std::collections::{BTreeMap, BTreeSet};

use lectern_kernel::{Code, DocumentId, Error, Result, Scope, Sight};
use lectern_search::DocumentMeta;
use lectern_store::{StoreError, Tx, audit, outbox};

use crate::model::{BulkAction, BulkRequest, BulkResponse, BulkResult, PatchDocument, RetryRequest, Status};
use crate::{DocumentView, Documents, access, store, store_access};

/// What the index keeps of a document.
pub(crate) fn meta(tx: &Tx<'_>, view: &DocumentView) -> Result<DocumentMeta, StoreError> {
    Ok(DocumentMeta {
        id: view.id.to_string(),
        title: view.title.clone(),
        collection: view.collection.clone(),
        tags: view.tags.clone(),
        format: view.kind.clone(),
        language: view.language.clone(),
        created: view.created_at.0 / 1000,
        readers: store_access::readers(tx, &view.id)?,
    })
}

impl Documents {
    /// Changes a document, in the database and in the index.
    pub async fn patch(&self, scope: &Scope, id: &DocumentId, patch: PatchDocument) -> Result<DocumentView> {
        let tenant = self.tenant(scope)?;
        let (sight, wanted, own) = (scope.sight().clone(), id.clone(), scope.clone());
        let gate = tenant.gate.lock().await;
        let view = tenant
            .store
            .db
            .write(move |tx| {
                let before = access::writable(tx, &sight, &wanted)?;
                apply(tx, &sight, &before, &patch)?;
                store_access::unsettle(tx, &wanted)?;
                let view = store::by_id(tx, &wanted)?.ok_or_else(|| Error::not_found("document"))?;
                audit::record_event(tx, &own, "document.changed", wanted.as_str(), &view)?;
                Ok(view)
            })
            .await?;
        // Whatever its status: one that is read again is still in the index, one that waits for a commit already is.
        tenant.settle(vec![id.clone()]).await?;
        drop(gate);
        Ok(view)
    }

    /// Puts a failed document back into the queue.
    pub async fn retry(&self, scope: &Scope, id: &DocumentId, request: RetryRequest) -> Result<DocumentView> {
        let tenant = self.tenant(scope)?;
        let (sight, wanted) = (scope.sight().clone(), id.clone());
        let (asker, asked) = (sight.clone(), id.clone());
        tenant.store.db.read(move |tx| access::writable(tx, &asker, &asked)).await?;
        if let Some(password) = request.password.filter(|p| !p.is_empty()) {
            self.inner.passwords.lock().insert(id.clone(), password);
        }
        let view = tenant
            .store
            .db
            .write(move |tx| {
                let view = access::writable(tx, &sight, &wanted)?;
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
        self.wake(&tenant);
        Ok(view)
    }

    /// One action on many documents; each has its own outcome.
    pub async fn bulk(&self, scope: &Scope, request: BulkRequest) -> Result<BulkResponse> {
        let ids: Vec<Result<DocumentId, String>> =
            request.ids.iter().map(|id| id.parse().map_err(|_| id.clone())).collect();
        if request.action == BulkAction::Delete {
            let known: Vec<DocumentId> = ids.iter().flatten().cloned().collect();
            let outcomes: BTreeMap<DocumentId, Result<()>> =
                self.delete_many(scope, known).await?.into_iter().collect();
            let results = request.ids.iter().zip(&ids).map(|(text, id)| {
                let outcome = id.as_ref().ok().and_then(|id| outcomes.get(id));
                let problem = match outcome {
                    Some(outcome) => outcome.as_ref().err().map(|error| error.detail.clone()),
                    None => Some(Error::not_found("document").detail),
                };
                BulkResult { id: text.clone(), ok: problem.is_none(), problem }
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

fn apply(
    tx: &mut Tx<'_>,
    sight: &Sight,
    before: &DocumentView,
    patch: &PatchDocument,
) -> Result<(), StoreError> {
    let id = &before.id;
    if let Some(title) = &patch.title {
        store::set_title(tx, id, title.trim())?;
    }
    if let Some(collection) = &patch.collection {
        let collection = collection.as_deref().map(str::trim);
        // One who may write to the document need not write to its collection, as long as it stays there.
        if collection != before.collection.as_deref() {
            access::enter(tx, sight, collection)?;
        }
        store::set_collection(tx, id, collection)?;
    }
    if let Some(tags) = &patch.tags {
        store::set_tags(tx, id, tags)?;
    }
    Ok(())
}

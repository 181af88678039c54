//! Deleting: rows, text, passages and original; never found again once the answer is given.

use lectern_kernel::{DocumentId, Error, Result, Scope};
use lectern_store::{Job, StoreError, outbox, queue};

use crate::create::blob_path;
use crate::tenant::Tenant;
use crate::{Documents, store};

impl Documents {
    /// Deletes a document.
    pub async fn delete(&self, scope: &Scope, id: &DocumentId) -> Result<()> {
        let deleted = self.delete_many(scope, vec![id.clone()]).await?;
        if deleted.is_empty() { Err(Error::not_found("document")) } else { Ok(()) }
    }

    /// Deletes those of the documents that exist, with one commit of the index. Returns them.
    pub async fn delete_many(&self, scope: &Scope, ids: Vec<DocumentId>) -> Result<Vec<DocumentId>> {
        let tenant = self.tenant(scope)?;
        let _gate = tenant.gate.lock().await;
        let deleted = tenant
            .store
            .db
            .write(move |tx| {
                let mut deleted = Vec::new();
                for id in ids {
                    if let Some(hash) = store::delete(tx, &id)? {
                        outbox::push(tx, "document.deleted", id.as_str(), &serde_json::json!({ "id": id }))?;
                        deleted.push((id, hash));
                    }
                }
                Ok(deleted)
            })
            .await?;
        let ids: Vec<DocumentId> = deleted.iter().map(|(id, _)| id.clone()).collect();
        let gone = ids.clone();
        tenant
            .on_index(move |index| {
                gone.iter().try_for_each(|id| index.delete(id.as_str()))?;
                index.commit()
            })
            .await?;
        for (id, hash) in &deleted {
            tenant.meaning.forget(id.as_str())?;
            self.inner.passwords.lock().remove(id);
            tenant.uncommitted.lock().retain(|u| u.document != *id);
            remove_blob(&tenant, hash)?;
        }
        let done = ids.clone();
        tenant.store.db.write(move |tx| forget_jobs(tx, &done)).await?;
        tenant.dirty.notify_one();
        Ok(ids)
    }

    /// What a crash left of a deletion.
    pub(crate) async fn finish_removal(&self, tenant: &std::sync::Arc<Tenant>, job: &Job) -> Result<()> {
        let _gate = tenant.gate.lock().await;
        let subject = job.subject.clone();
        tenant.meaning.forget(&subject)?;
        tenant.on_index(move |index| index.delete(&subject).and_then(|()| index.commit())).await?;
        if let Some(hash) = job.payload["sha256"].as_str().filter(|h| h.len() == 64) {
            let wanted = hash.to_owned();
            // The same bytes may have come again meanwhile.
            if tenant.store.db.read(move |tx| store::by_hash(tx, &wanted)).await?.is_none() {
                remove_blob(tenant, hash)?;
            }
        }
        let id = job.id.clone();
        Ok(tenant.store.db.write(move |tx| queue::finish(tx, &id)).await?)
    }
}

fn forget_jobs(tx: &mut lectern_store::Tx<'_>, ids: &[DocumentId]) -> Result<(), StoreError> {
    ids.iter().try_for_each(|id| queue::forget(tx, store::REMOVE_JOB, id.as_str()))
}

fn remove_blob(tenant: &Tenant, hash: &str) -> Result<()> {
    match std::fs::remove_file(blob_path(&tenant.store, hash)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::internal(error)),
        _ => Ok(()),
    }
}

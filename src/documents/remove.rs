//! Deleting: rows, text, passages and original; never found again once the answer is given.

use std::collections::BTreeSet;

use lectern_kernel::{DocumentId, Error, Result, Scope};
use lectern_store::audit::{self, Change};
use lectern_store::{Job, StoreError, Tx, outbox, queue};

use crate::create::blob_path;
use crate::tenant::Tenant;
use crate::{Documents, access, store, store_access};

impl Documents {
    /// Deletes a document.
    pub async fn delete(&self, scope: &Scope, id: &DocumentId) -> Result<()> {
        let outcome = self.delete_many(scope, vec![id.clone()]).await?.pop();
        outcome.map_or_else(|| Err(Error::not_found("document")), |(_, outcome)| outcome)
    }

    /// Deletes those of the documents that may be deleted, with one commit of the index. Each has its own outcome, once.
    pub async fn delete_many(
        &self,
        scope: &Scope,
        ids: Vec<DocumentId>,
    ) -> Result<Vec<(DocumentId, Result<()>)>> {
        let tenant = self.tenant(scope)?;
        let _gate = tenant.gate.lock().await;
        let own = scope.clone();
        let ids: BTreeSet<DocumentId> = ids.into_iter().collect();
        let (deleted, refused) = tenant.store.db.write(move |tx| delete_each(tx, &own, ids)).await?;
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
            remove_blob(&tenant, hash).await?;
        }
        let done = ids.clone();
        tenant.store.db.write(move |tx| forget_jobs(tx, &done)).await?;
        tenant.dirty.notify_one();
        let outcomes = ids.into_iter().map(|id| (id, Ok(())));
        Ok(outcomes.chain(refused.into_iter().map(|(id, error)| (id, Err(error)))).collect())
    }

    /// What a crash left of a deletion.
    pub(crate) async fn finish_removal(&self, tenant: &std::sync::Arc<Tenant>, job: &Job) -> Result<()> {
        let _gate = tenant.gate.lock().await;
        let subject = job.subject.clone();
        tenant.meaning.forget(&subject)?;
        tenant.on_index(move |index| index.delete(&subject).and_then(|()| index.commit())).await?;
        if let Some(hash) = job.payload["sha256"].as_str().filter(|h| h.len() == 64) {
            remove_blob(tenant, hash).await?;
        }
        let (id, subject) = (job.id.clone(), job.subject.clone());
        let finish = move |tx: &mut Tx<'_>| {
            store_access::settle(tx, &subject)?;
            queue::finish(tx, &id)
        };
        Ok(tenant.store.db.write(finish).await?)
    }
}

type Deleted = Vec<(DocumentId, String)>;
type Refused = Vec<(DocumentId, Error)>;

/// Removes the rows; the hashes beside those that are gone, the reasons beside the others.
fn delete_each(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: BTreeSet<DocumentId>,
) -> Result<(Deleted, Refused), StoreError> {
    let (mut deleted, mut refused) = (Vec::new(), Vec::new());
    for id in ids {
        let view = match access::writable(tx, scope.sight(), &id) {
            Ok(view) => view,
            Err(StoreError::Rule(error)) => {
                refused.push((id, error));
                continue;
            }
            Err(error) => return Err(error),
        };
        // Those who saw it are told; afterwards nothing says who they were.
        let told = serde_json::json!({ "id": id, "audience": store_access::audience(tx, &view)? });
        if let Some(hash) = store::delete(tx, &id)? {
            store_access::unsettle(tx, &id)?;
            let before = serde_json::json!({ "title": view.title, "file_name": view.file_name });
            audit::record(tx, scope, Change::new("document.deleted", id.as_str()).before(&before))?;
            outbox::push(tx, "document.deleted", id.as_str(), &told)?;
            deleted.push((id, hash));
        }
    }
    Ok((deleted, refused))
}

fn forget_jobs(tx: &mut Tx<'_>, ids: &[DocumentId]) -> Result<(), StoreError> {
    ids.iter().try_for_each(|id| {
        store_access::settle(tx, id.as_str())?;
        queue::forget(tx, store::REMOVE_JOB, id.as_str())
    })
}

/// Unless another document has the same bytes: one that came meanwhile, or a copy.
async fn remove_blob(tenant: &Tenant, hash: &str) -> Result<()> {
    let wanted = hash.to_owned();
    if tenant.store.db.read(move |tx| store::has_content(tx, &wanted)).await? {
        return Ok(());
    }
    match std::fs::remove_file(blob_path(&tenant.store, hash)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::internal(error)),
        _ => Ok(()),
    }
}

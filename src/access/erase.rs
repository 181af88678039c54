//! The end of a tenant: marked, taken back within its time, or erased with a signed statement of it.

use std::path::Path;
use std::time::Duration;

use lectern_kernel::{Code, Error, Result, Scope, TenantId, Timestamp};
use lectern_merkle::SignedNote;
use lectern_store::audit::{self, Change};
use lectern_store::{TenantRecord, TenantState, registry};
use serde_json::json;

use crate::error::signing;
use crate::model::{DeleteTenant, ErasureView, TenantView};
use crate::tenants::expect;
use crate::{Access, store, store_forward};

impl Access {
    /// Marks a tenant for its erasure; nobody comes in any more. None when it was erased at once.
    pub async fn delete_tenant(
        &self,
        scope: &Scope,
        id: &TenantId,
        delete: &DeleteTenant,
    ) -> Result<Option<TenantView>> {
        let gate = self.inner.gate.lock().await;
        let before = self.record(id)?;
        if delete.confirm != id.as_str() {
            return Err(Error::field("confirm", format!("must be the tenant's id, '{id}'")));
        }
        if *id == TenantId::main() {
            return Err(Error::new(Code::Conflict, "The tenant 'main' holds the operators and stays."));
        }
        expect(&before, &[TenantState::Active, TenantState::Suspended, TenantState::Deleting])?;
        let grace = delete
            .grace_hours
            .map_or(self.inner.settings.grace.0, |hours| Duration::from_secs(u64::from(hours) * 3600));
        let mut after = before.clone();
        (after.state, after.erase_at) = (TenantState::Deleting, Some(self.now().plus(grace)));
        self.put(scope, "tenant.deleted", &before, after).await?;
        // The state keeps everybody out already. On a full disk this fails, and deleting is how room is made.
        if let Err(error) = self.inner.identity.end_all_sessions(id).await {
            tracing::warn!(tenant = %id, %error, "the sessions of a deleted tenant stay until it is erased");
        }
        drop(gate);
        if grace.is_zero() {
            self.erase(scope, id).await?;
            return Ok(None);
        }
        self.tenant_view(id).await.map(Some)
    }

    /// Takes a deleted tenant back; it is suspended until it is resumed.
    pub async fn restore_tenant(&self, scope: &Scope, id: &TenantId) -> Result<TenantView> {
        let _gate = self.inner.gate.lock().await;
        let before = self.record(id)?;
        expect(&before, &[TenantState::Deleting])?;
        let mut after = before.clone();
        (after.state, after.erase_at) = (TenantState::Suspended, None);
        after.reason = Some("it was deleted and taken back".to_owned());
        self.put(scope, "tenant.restored", &before, after).await?;
        self.tenant_view(id).await
    }

    /// Erases the tenants whose time is over; to be called every hour.
    pub async fn erase_due(&self) -> Result<usize> {
        let now = self.now();
        let due = |record: &TenantRecord| {
            record.state == TenantState::Deleting && record.erase_at.is_some_and(|at| at <= now)
        };
        let records = self.inner.stores.records();
        let ids: Vec<_> = records.iter().filter(|r| due(r)).map(|r| r.id.clone()).collect();
        for id in &ids {
            self.erase(&Scope::system(TenantId::main()), id).await?;
        }
        Ok(ids.len())
    }

    /// Destroys the key, removes folder and row, and keeps a signed statement.
    async fn erase(&self, scope: &Scope, id: &TenantId) -> Result<()> {
        let _gate = self.inner.gate.lock().await;
        let record = self.record(id)?;
        expect(&record, &[TenantState::Deleting])?;
        if !self.close(id).await {
            return Err(Error::new(Code::Busy, "The tenant is still in use.").hint("Try again in a minute."));
        }
        let key = self.inner.keyring.key(id).map(|key| key.id()).unwrap_or_default();
        self.inner.keyring.forget(id);
        self.inner.identity.forget_tenant(id).await?;
        let folder = self.inner.stores.folder_of(&record);
        // The key goes first: from here on nothing that was sealed, and no export, can be read any more.
        let keyless = TenantRecord { wrapped_key: None, ..record.clone() };
        self.write(move |tx| registry::put(tx, &keyless)).await?;
        let (files, bytes) = tokio::task::spawn_blocking(move || remove(&folder))
            .await
            .map_err(|e| Error::internal(e.to_string()))?
            .map_err(Error::internal)?;
        let erasure = self.statement(&record, &key, (files, bytes)).await?;
        let (id, scope) = (id.clone(), scope.clone());
        self.write(move |tx| {
            store::remove_usage(tx, &id)?;
            store_forward::remove_forwarding(tx, &id)?;
            registry::remove(tx, &id)?;
            store::insert_erasure(tx, &erasure)?;
            let after = json!({ "files": files, "bytes": bytes, "key_id": key });
            audit::record(tx, &scope, Change::new("tenant.erased", id.as_str()).after(&after))
        })
        .await?;
        // The row's old pages hold the wrapped key until they are written anew.
        self.inner.stores.control().checkpoint().map_err(Into::into)
    }

    async fn statement(
        &self,
        record: &TenantRecord,
        key: &str,
        (files, bytes): (u64, u64),
    ) -> Result<ErasureView> {
        let erased_at = self.now();
        let text = format!(
            "lectern.erasure\ntenant {}\nerased-at {}\nfiles {files}\nbytes {bytes}\ndestroyed-key {key}\n",
            record.id,
            time(erased_at)?,
        );
        let note = SignedNote::sign(text, &self.appliance_signer().await?).map_err(signing)?;
        let (tenant, name) = (record.id.clone(), record.name.clone());
        Ok(ErasureView { tenant, name, erased_at, statement: note.to_string() })
    }

    /// Statements of the tenants that were erased, the newest first.
    pub async fn erasures(&self) -> Result<Vec<ErasureView>> {
        Ok(self.inner.stores.control().read(store::erasures).await?)
    }
}

fn time(at: Timestamp) -> Result<String> {
    let text = serde_json::to_value(at).map_err(Error::internal)?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Removes a folder; the files and bytes that were in it.
fn remove(folder: &Path) -> std::io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            files += 1;
            bytes += entry.metadata().map(|meta| meta.len()).unwrap_or_default();
        }
    }
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((files, bytes)),
        other => other.map(|()| (files, bytes)),
    }
}

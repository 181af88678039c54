//! A tenant as one sealed file: to keep, or to bring into another appliance.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_kernel::{Code, Error, Result, Scope, TenantId};
use lectern_seal::{ArchiveReader, ArchiveWriter, TenantKey};
use lectern_store::audit::{self, Change};
use lectern_store::{TenantRecord, TenantState, TenantStore, registry};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Access;
use crate::error::{brought, inside};
use crate::model::{ExportRequest, TenantView};
use crate::tenants::described;

const FORMAT: u32 = 1;
const LIMITS: lectern_seal::Limits = lectern_seal::Limits { bytes: 1 << 44, files: 10_000_000 };

/// The head of the file, readable without a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    lectern_tenant: u32,
    tenant: TenantId,
    name: String,
    plan: String,
    limits: serde_json::Value,
    region: Option<String>,
    created_at: String,
    version: String,
    /// Which key opens it.
    key_id: String,
    /// The key itself, wrapped by the passphrase; absent in files that open on this appliance only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrapped_key: Option<String>,
}

/// Where an export went.
pub(crate) enum Exported {
    /// To a file of the appliance's disk.
    At(PathBuf),
    /// To a file without a name, for the answer.
    Here(File, u64),
}

impl Access {
    /// Writes a tenant to one sealed file. Its people can go on working.
    pub(crate) async fn export(
        &self,
        scope: &Scope,
        id: &TenantId,
        wanted: ExportRequest,
    ) -> Result<Exported> {
        let record = self.record(id)?;
        let target = self.target(&record, wanted.file.as_deref())?;
        let own = Scope::system(id.clone());
        let store = self.tenant(&own)?;
        let key = self.inner.keyring.key(id)?;
        let header = self.header(&record, &key, wanted.passphrase.as_deref())?;
        let folder = self.folder().to_owned();
        let work = move || pack(&store, &header, &key, target, &folder);
        let exported =
            tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal(e.to_string()))??;
        let after = json!({
            "movable": wanted.passphrase.is_some(),
            "file": match &exported { Exported::At(path) => Some(path.display().to_string()), Exported::Here(..) => None },
        });
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            audit::record(tx, &scope, Change::new("tenant.exported", id.as_str()).after(&after))
        })
        .await?;
        Ok(exported)
    }

    /// Where the file may go: for a tenant of a region only below the region's folder.
    fn target(&self, record: &TenantRecord, file: Option<&str>) -> Result<Option<PathBuf>> {
        let region = record.region.as_ref().and_then(|label| self.inner.stores.options().regions.get(label));
        let Some(file) = file else {
            if let (Some(label), Some(folder)) = (&record.region, region) {
                let detail =
                    format!("The tenant is bound to the region '{label}' and leaves it by no answer.");
                let hint = format!("Name a `file` below {}.", folder.display());
                return Err(Error::new(Code::Forbidden, detail).hint(hint));
            }
            return Ok(None);
        };
        let path = Path::new(file);
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        let (Some(folder), Some(name)) = (folder, path.file_name()) else {
            return Err(Error::field("file", "its folder is not there"));
        };
        let allowed: Vec<PathBuf> =
            region.map_or_else(|| self.inner.exports.clone(), |own| vec![own.clone()]);
        let inside = |root: &PathBuf| root.canonicalize().is_ok_and(|root| folder.starts_with(root));
        if !allowed.iter().any(inside) {
            return Err(Error::new(
                Code::Forbidden,
                "Exports of this tenant may not be written to that folder.",
            )
            .hint("The configuration names the folders: tenants.exports, or the folder of its region."));
        }
        Ok(Some(folder.join(name)))
    }

    fn header(&self, record: &TenantRecord, key: &TenantKey, passphrase: Option<&str>) -> Result<Header> {
        let wrapped_key = passphrase
            .map(|text| key.wrap_with_passphrase(text, record.id.as_str()))
            .transpose()
            .map_err(inside)?;
        let now = serde_json::to_value(self.now()).map_err(Error::internal)?;
        Ok(Header {
            lectern_tenant: FORMAT,
            tenant: record.id.clone(),
            name: record.name.clone(),
            plan: record.plan.clone(),
            limits: record.limits.clone(),
            region: record.region.clone(),
            created_at: now.as_str().unwrap_or_default().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            key_id: key.id(),
            wrapped_key,
        })
    }

    /// Brings a tenant in from its file. It keeps its id, since its keys and links name it. With `replace` the file takes
    /// the place of a tenant that is here, suspended or deleted, and has the same key.
    pub(crate) async fn import(
        &self,
        scope: &Scope,
        file: File,
        passphrase: Option<String>,
        replace: bool,
    ) -> Result<TenantView> {
        let _gate = self.inner.gate.lock().await;
        let reader = ArchiveReader::new(file).map_err(brought)?;
        let header: Header = serde_json::from_value(reader.header().clone())
            .map_err(|_| Error::new(Code::InvalidRequest, "This file is no tenant."))?;
        if header.lectern_tenant != FORMAT {
            return Err(Error::new(Code::InvalidRequest, "The file was written by a newer version."));
        }
        let here = self.inner.stores.record(&header.tenant);
        let (key, record) = match &here {
            None => self.new_from(&header, passphrase.as_deref())?,
            Some(here) => self.replaced_by(here, &header, replace)?,
        };
        let id = record.id.clone();
        if !self.close(&id).await {
            return Err(Error::new(Code::Busy, "The tenant is still in use.").hint("Try again in a minute."));
        }
        let folder = self.inner.stores.folder_of(&record);
        let aside = set_aside(&folder, here.is_some())?;
        let target = folder.clone();
        let unpacked = tokio::task::spawn_blocking(move || reader.extract_to(&key, &target, LIMITS))
            .await
            .map_err(|e| Error::internal(e.to_string()))?
            .map_err(brought);
        let settled = match unpacked {
            Ok(_) => self.settle(scope, record.clone()).await,
            Err(error) => Err(error),
        };
        match (settled, aside, here) {
            (Ok(()), aside, _) => {
                if let Some(old) = aside {
                    std::fs::remove_dir_all(old).map_err(Error::internal)?;
                }
                self.tenant_view(&id).await
            }
            (Err(error), Some(old), Some(before)) => {
                self.close(&id).await;
                let _ = std::fs::remove_dir_all(&folder);
                std::fs::rename(old, &folder).map_err(Error::internal)?;
                self.write(move |tx| registry::put(tx, &before)).await?;
                Err(error)
            }
            (Err(error), ..) => {
                self.roll_back(&record).await?;
                Err(error)
            }
        }
    }

    /// Key and row of a tenant that is not here yet.
    fn new_from(&self, header: &Header, passphrase: Option<&str>) -> Result<(Arc<TenantKey>, TenantRecord)> {
        let id = &header.tenant;
        let key = match (&header.wrapped_key, passphrase) {
            (Some(wrapped), Some(text)) => {
                TenantKey::unwrap_with_passphrase(text, id.as_str(), wrapped).map_err(brought)?
            }
            (Some(_), None) => return Err(Error::field("passphrase", "is needed for this file")),
            (None, _) => {
                let detail = "The key of this file is not in it: it opens only where the tenant is.";
                return Err(Error::new(Code::Gone, detail).hint(
                    "When the tenant was erased, its key was destroyed, and nothing opens the file any more.",
                ));
            }
        };
        self.check_region(header.region.as_deref())?;
        let mut record = TenantRecord::new(id.clone(), header.name.clone(), self.now());
        record.state = TenantState::Provisioning;
        if crate::plans::NAMES.contains(&header.plan.as_str()) {
            record.plan.clone_from(&header.plan);
        }
        record.limits = header.limits.clone();
        record.region.clone_from(&header.region);
        record.wrapped_key = Some(self.inner.keyring.wrap(id, &key)?);
        Ok((Arc::new(key), record))
    }

    fn replaced_by(
        &self,
        here: &TenantRecord,
        header: &Header,
        replace: bool,
    ) -> Result<(Arc<TenantKey>, TenantRecord)> {
        let key = self.inner.keyring.key(&here.id)?;
        let closed = matches!(here.state, TenantState::Suspended | TenantState::Deleting);
        if !replace || !closed {
            let detail = format!("There is a tenant '{}' here already.", here.id);
            return Err(Error::new(Code::Conflict, detail)
                .hint("Suspend it and import with `replace` to put this file in its place."));
        }
        if key.id() != header.key_id {
            let detail = "The file is of another tenant that has the same id: their keys differ.";
            return Err(Error::new(Code::Conflict, detail).hint("Delete the one that is here first."));
        }
        Ok((key, TenantRecord { state: TenantState::Provisioning, ..here.clone() }))
    }

    /// Opens and migrates what was unpacked, and makes it a tenant.
    async fn settle(&self, scope: &Scope, mut record: TenantRecord) -> Result<()> {
        let first = record.clone();
        self.write(move |tx| registry::put(tx, &first)).await?;
        let own = Scope::system(record.id.clone());
        if let Some(reason) = self.tenant(&own)?.db.read_only() {
            return Err(Error::new(
                Code::InvalidRequest,
                format!("The tenant's data does not fit: {reason}."),
            ));
        }
        for part in self.parts() {
            part.prepare(&own).await?;
        }
        self.inner.identity.end_all_sessions(&record.id).await?;
        self.inner.identity.note_all_names(&record.id).await?;
        self.adopt_targets(&record.id).await?;
        (record.state, record.reason, record.erase_at) = (TenantState::Active, None, None);
        let scope = scope.clone();
        self.write(move |tx| {
            registry::put(tx, &record)?;
            let change = Change::new("tenant.imported", record.id.as_str());
            audit::record(tx, &scope, change.after(&described(&record)))
        })
        .await
    }
}

/// Moves a tenant's folder out of the way.
fn set_aside(folder: &Path, there: bool) -> Result<Option<PathBuf>> {
    if !there {
        return Ok(None);
    }
    let aside = folder.with_extension("replaced");
    let _ = std::fs::remove_dir_all(&aside);
    std::fs::rename(folder, &aside).map_err(Error::internal)?;
    Ok(Some(aside))
}

/// The database as it is at one moment, and the originals; index and vectors are made anew from them.
fn pack(
    store: &TenantStore,
    header: &Header,
    key: &TenantKey,
    target: Option<PathBuf>,
    folder: &Path,
) -> Result<Exported> {
    let near = target.as_deref().and_then(Path::parent).unwrap_or(folder);
    let scratch = tempfile::tempdir_in(&store.folder).map_err(Error::internal)?;
    let copy = scratch.path().join("data.db");
    store.db.snapshot(&copy)?;
    let mut file = tempfile::NamedTempFile::new_in(near).map_err(Error::internal)?;
    let header = serde_json::to_value(header).map_err(Error::internal)?;
    let mut writer = ArchiveWriter::new(BufWriter::new(file.as_file_mut()), &header, key).map_err(inside)?;
    writer.add_file("data.db", &copy).map_err(inside)?;
    for entry in walkdir::WalkDir::new(store.blobs()).sort_by_file_name() {
        let entry = entry.map_err(|e| Error::internal(e.to_string()))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let inner = entry.path().strip_prefix(&store.folder).map_err(Error::internal)?;
        match writer.add_file(&inner.to_string_lossy(), entry.path()) {
            // Deleted since the copy was made: the copy's row will be told so when it is read.
            Err(_) if !entry.path().exists() => {}
            other => other.map_err(inside)?,
        }
    }
    writer.finish().map_err(inside)?.flush().map_err(Error::internal)?;
    file.as_file().sync_all().map_err(Error::internal)?;
    if let Some(path) = target {
        file.persist_noclobber(&path).map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::field("file", "is there already"),
            _ => Error::internal(e.error),
        })?;
        return Ok(Exported::At(path));
    }
    let mut file = file.into_file();
    let length = file.metadata().map_err(Error::internal)?.len();
    file.rewind().map_err(Error::internal)?;
    Ok(Exported::Here(file, length))
}

//! Taking a document in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_edge::Incoming;
use lectern_kernel::ports::{Metered, Quota};
use lectern_kernel::{Code, DocumentId, Error, Result, Scope, TenantId, UserId};
use lectern_store::{StoreError, TenantStore, Tx, audit};

use crate::model::{MAX_TAGS, name_error};
use crate::{DocumentView, Documents, access, store, store_access, store_life};

/// What comes with a file.
#[derive(Debug, Clone, Default)]
pub struct NewFile {
    pub collection: Option<String>,
    pub tags: Vec<String>,
    pub title: Option<String>,
    /// Used once and never stored.
    pub password: Option<String>,
    /// Path it had at its source.
    pub path: Option<String>,
}

/// A row to be.
pub(crate) struct NewDocument {
    pub id: DocumentId,
    pub sha256: String,
    pub title: String,
    pub title_given: bool,
    pub file_name: String,
    pub kind: String,
    pub collection: Option<String>,
    pub tags: Vec<String>,
    pub source: String,
    pub size_bytes: u64,
    /// The person who adds it.
    pub created_by: Option<UserId>,
}

impl NewFile {
    /// From the fields of an upload form.
    pub(crate) fn from_fields(fields: &std::collections::HashMap<String, String>) -> Result<Self> {
        let filled = |name: &str| fields.get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let tags = filled("tags").unwrap_or_default();
        let file = Self {
            collection: filled("collection"),
            tags: tags.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect(),
            title: filled("title"),
            password: fields.get("password").filter(|p| !p.is_empty()).cloned(),
            path: filled("path"),
        };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<()> {
        let collection = self.collection.as_ref().and_then(|c| name_error("collection", c));
        let tags = self.tags.iter().find_map(|t| name_error("tags", t));
        if let Some(wrong) = collection.or(tags) {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        if self.tags.len() > MAX_TAGS {
            return Err(Error::field("tags", format!("at most {MAX_TAGS}")));
        }
        Ok(())
    }
}

/// Where an original lies: its name is its hash.
pub(crate) fn blob_path(store: &TenantStore, sha256: &str) -> PathBuf {
    store.blobs().join(&sha256[..2]).join(sha256)
}

impl Documents {
    /// Refuses uploads when the disk is nearly full.
    pub(crate) fn check_space(&self, scope: &Scope) -> Result<()> {
        let tenant = self.tenant(scope)?;
        let Ok(disk) = rustix::fs::statvfs(&tenant.store.folder) else { return Ok(()) };
        if disk.f_bavail.saturating_mul(disk.f_frsize) < self.inner.limits.keep_free_bytes {
            return Err(Error::new(
                Code::StorageFull,
                "The disk of the appliance is nearly full; the file was not taken.",
            )
            .hint("Free space on the disk that holds the data folder, or lower upload.keep_free."));
        }
        Ok(())
    }

    /// Takes an upload; `false` beside it when the same bytes were there already. Bytes of a document that one does not
    /// see are taken like new ones: the answer must not tell of it.
    pub async fn create(&self, scope: &Scope, incoming: Incoming) -> Result<(DocumentView, bool)> {
        if incoming.bytes == 0 {
            return Err(Error::field("file", "the file is empty"));
        }
        let file = NewFile::from_fields(&incoming.fields)?;
        let tenant = self.tenant(scope)?;
        let (known, place_in) = (incoming.sha256.clone(), file.collection.clone());
        let sight = scope.sight().clone();
        let (room, bytes) = (self.room(scope), incoming.bytes);
        let look = move |tx: &Tx<'_>| {
            access::check_entry(tx, &sight, place_in.as_deref())?;
            let known = store_access::by_hash(tx, &sight, &known)?;
            if known.is_none() {
                room.check(tx, bytes)?;
            }
            Ok(known)
        };
        if let Some(view) = tenant.store.db.read(look).await? {
            return Ok((view, false));
        }
        let new = NewDocument {
            id: DocumentId::generate(),
            title: file.title.clone().unwrap_or_else(|| stem(&incoming.file_name)),
            title_given: file.title.is_some(),
            kind: kind_of_name(&incoming.file_name),
            collection: file.collection,
            tags: file.tags,
            source: file.path.unwrap_or_else(|| incoming.file_name.clone()),
            file_name: incoming.file_name.clone(),
            size_bytes: incoming.bytes,
            sha256: incoming.sha256.clone(),
            created_by: scope.user().cloned(),
        };
        // Under the gate: a deletion of the same bytes must not remove the blob that is put here.
        let gate = tenant.gate.lock().await;
        place(&incoming.path, &blob_path(&tenant.store, &new.sha256))?;
        if let Some(password) = file.password {
            self.inner.passwords.lock().insert(new.id.clone(), password);
        }
        let (id, own) = (new.id.clone(), scope.clone());
        let room = self.room(scope);
        let taken = tenant.store.db.write(move |tx| take(tx, &own, &room, &new)).await;
        drop(gate);
        // Refused, or the same bytes came in another way meanwhile: nobody asks for this password.
        if !matches!(taken, Ok((_, true))) {
            self.inner.passwords.lock().remove(&id);
        }
        let (view, created) = taken?;
        self.wake(&tenant);
        Ok((view, created))
    }
}

/// Adds the document, unless the same bytes are there and are seen.
fn take(
    tx: &mut Tx<'_>,
    scope: &Scope,
    room: &Room,
    new: &NewDocument,
) -> Result<(DocumentView, bool), StoreError> {
    let sight = scope.sight();
    access::enter(tx, sight, new.collection.as_deref())?;
    if let Some(view) = store_access::by_hash(tx, sight, &new.sha256)? {
        return Ok((view, false));
    }
    room.check(tx, new.size_bytes)?;
    store::insert(tx, new)?;
    let view = store::by_id(tx, &new.id)?.ok_or_else(|| Error::not_found("document"))?;
    audit::record_event(tx, scope, "document.created", view.id.as_str(), &view)?;
    Ok((view, true))
}

/// What the tenant's plan leaves room for.
struct Room {
    quota: Option<Arc<dyn Quota>>,
    tenant: TenantId,
}

impl Documents {
    fn room(&self, scope: &Scope) -> Room {
        Room { quota: self.inner.quota.get().cloned(), tenant: scope.tenant().clone() }
    }
}

impl Room {
    /// Whether one more document of this size fits; compared in the transaction that adds it.
    fn check(&self, tx: &Tx<'_>, bytes: u64) -> Result<(), StoreError> {
        let Some(quota) = &self.quota else { return Ok(()) };
        let held = store_life::holdings(tx)?;
        let wanted = [(Metered::Documents, held.documents + 1), (Metered::Storage, held.bytes + bytes)];
        for (what, wanted) in wanted {
            if quota.limit(&self.tenant, what).is_some_and(|most| wanted > most) {
                return Err(quota.refusal(&self.tenant, what).into());
            }
        }
        Ok(())
    }
}

/// Moves a file that is on the disk whole to its place.
fn place(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().ok_or_else(|| Error::internal("a blob without folder"))?;
    std::fs::create_dir_all(folder).map_err(Error::internal)?;
    std::fs::rename(from, to).map_err(Error::internal)
}

fn stem(name: &str) -> String {
    Path::new(name).file_stem().map_or_else(|| name.to_owned(), |s| s.to_string_lossy().into_owned())
}

/// Until the content is known, the extension tells.
fn kind_of_name(name: &str) -> String {
    let extension = Path::new(name).extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension
        .filter(|e| e.len() <= 8 && e.bytes().all(|b| b.is_ascii_alphanumeric()))
        .unwrap_or_else(|| "txt".into())
}

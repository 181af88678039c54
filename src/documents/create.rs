//! Taking a document in: from an upload or from a file on this machine.

use std::path::{Path, PathBuf};

use lectern_edge::Incoming;
use lectern_kernel::{Code, DocumentId, Error, Result, Scope};
use lectern_store::{TenantStore, outbox};
use sha2::{Digest, Sha256};

use crate::model::{MAX_TAGS, name_error};
use crate::{DocumentView, Documents, store};

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

    /// Takes an upload; `false` beside it when the same bytes were there already.
    pub async fn create(&self, scope: &Scope, incoming: Incoming) -> Result<(DocumentView, bool)> {
        if incoming.bytes == 0 {
            return Err(Error::field("file", "the file is empty"));
        }
        let file = NewFile::from_fields(&incoming.fields)?;
        let (name, hash, bytes) = (incoming.file_name.clone(), incoming.sha256.clone(), incoming.bytes);
        self.keep(scope, file, &incoming.path, name, hash, bytes).await
    }

    /// Takes a file of this machine; the file itself is copied.
    pub async fn create_from_file(
        &self,
        scope: &Scope,
        path: &Path,
        file: NewFile,
    ) -> Result<(DocumentView, bool)> {
        file.check()?;
        self.check_space(scope)?;
        let tenant = self.tenant(scope)?;
        let target = tenant.store.incoming().join(DocumentId::generate().as_str());
        let (from, to, most) = (path.to_owned(), target.clone(), self.inner.limits.max_upload_bytes);
        let (hash, bytes) = tokio::task::spawn_blocking(move || copy(&from, &to, most))
            .await
            .map_err(|e| Error::internal(e.to_string()))??;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kept = self.keep(scope, file, &target, name, hash, bytes).await;
        let _ = std::fs::remove_file(&target);
        kept
    }

    async fn keep(
        &self,
        scope: &Scope,
        file: NewFile,
        path: &Path,
        file_name: String,
        sha256: String,
        size_bytes: u64,
    ) -> Result<(DocumentView, bool)> {
        let tenant = self.tenant(scope)?;
        let known = sha256.clone();
        if let Some(view) = tenant.store.db.read(move |tx| store::by_hash(tx, &known)).await? {
            return Ok((view, false));
        }
        let new = NewDocument {
            id: DocumentId::generate(),
            title: file.title.clone().unwrap_or_else(|| stem(&file_name)),
            title_given: file.title.is_some(),
            kind: kind_of_name(&file_name),
            collection: file.collection,
            tags: file.tags,
            source: file.path.unwrap_or_else(|| file_name.clone()),
            file_name,
            size_bytes,
            sha256,
        };
        // Under the gate: a deletion of the same bytes must not remove the blob that is put here.
        let gate = tenant.gate.lock().await;
        place(path, &blob_path(&tenant.store, &new.sha256))?;
        if let Some(password) = file.password {
            self.inner.passwords.lock().insert(new.id.clone(), password);
        }
        let (view, created) = tenant
            .store
            .db
            .write(move |tx| {
                let created = store::insert(tx, &new)?;
                let view = store::by_hash(tx, &new.sha256)?.ok_or_else(|| Error::not_found("document"))?;
                if created {
                    outbox::push(tx, "document.created", view.id.as_str(), &view)?;
                }
                Ok((view, created))
            })
            .await?;
        drop(gate);
        tenant.work.notify_one();
        Ok((view, created))
    }
}

/// Moves a file that is on the disk whole to its place.
fn place(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().ok_or_else(|| Error::internal("a blob without folder"))?;
    std::fs::create_dir_all(folder).map_err(Error::internal)?;
    std::fs::rename(from, to).map_err(Error::internal)
}

fn copy(from: &Path, to: &Path, most: u64) -> Result<(String, u64)> {
    use std::io::{Read, Write};
    let open = |e: std::io::Error| {
        Error::new(Code::InvalidRequest, format!("{} cannot be read: {e}.", from.display()))
    };
    let mut source = std::fs::File::open(from).map_err(open)?;
    let mut target = std::fs::File::create(to).map_err(Error::internal)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0u64);
    let mut buffer = vec![0u8; 256 << 10];
    loop {
        let read = source.read(&mut buffer).map_err(open)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > most {
            let _ = std::fs::remove_file(to);
            return Err(Error::new(
                Code::TooLarge,
                format!("{} is larger than upload.max_size.", from.display()),
            ));
        }
        hash.update(&buffer[..read]);
        target.write_all(&buffer[..read]).map_err(Error::internal)?;
    }
    if bytes == 0 {
        let _ = std::fs::remove_file(to);
        return Err(Error::field("file", "the file is empty"));
    }
    target.sync_data().map_err(Error::internal)?;
    Ok((hex::encode(hash.finalize()), bytes))
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

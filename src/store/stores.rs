//! The data folder: `control.db`, and `tenants/<id>/` with `data.db`, `index/` and `blobs/`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_kernel::{Clock, Scope, TenantId};
use parking_lot::Mutex;

use crate::{Database, Migration, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// All databases of an appliance.
#[derive(Clone)]
pub struct Stores {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    control: Database,
    tenant_migrations: Vec<Migration>,
    tenants: Mutex<HashMap<TenantId, TenantStore>>,
    clock: Arc<dyn Clock>,
}

/// One tenant's folder.
#[derive(Clone)]
pub struct TenantStore {
    pub id: TenantId,
    pub folder: PathBuf,
    pub db: Database,
}

impl TenantStore {
    /// Where originals lie.
    pub fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Where the search index lies.
    pub fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// Where the vectors of the passages lie, a folder for each model.
    pub fn vectors(&self) -> PathBuf {
        self.folder.join("vectors")
    }

    /// Where uploads are written before they are blobs; emptied at start.
    pub fn incoming(&self) -> PathBuf {
        self.folder.join("incoming")
    }
}

impl Stores {
    /// Opens the folder's control database. The caller holds the folder's lock.
    pub fn open(
        folder: &Path,
        control: &[Migration],
        tenant: Vec<Migration>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder.join("tenants"))?;
        let control = Database::open(&folder.join("control.db"), control, clock.clone())?;
        let inner = Inner {
            folder: folder.to_owned(),
            control,
            tenant_migrations: tenant,
            tenants: Mutex::new(HashMap::new()),
            clock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Appliance-wide data: tenants, people, settings.
    pub fn control(&self) -> &Database {
        &self.inner.control
    }

    /// The tenant of the scope, opened and migrated when this is its first use.
    pub fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        let id = scope.tenant();
        let mut open = self.inner.tenants.lock();
        if let Some(store) = open.get(id) {
            return Ok(store.clone());
        }
        let folder = self.inner.folder.join("tenants").join(id.as_str());
        for sub in ["blobs", "index", "incoming"] {
            std::fs::create_dir_all(folder.join(sub))?;
        }
        let db =
            Database::open(&folder.join("data.db"), &self.inner.tenant_migrations, self.inner.clock.clone())?;
        let store = TenantStore { id: id.clone(), folder, db };
        open.insert(id.clone(), store.clone());
        Ok(store)
    }

    /// The tenants that have a folder.
    pub fn tenant_ids(&self) -> Result<Vec<TenantId>> {
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(self.inner.folder.join("tenants"))? {
            if let Some(id) = entry?.file_name().to_str().and_then(|n| n.parse().ok()) {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Folds every write-ahead log into its file.
    pub fn close(&self) -> Result<()> {
        for store in self.inner.tenants.lock().values() {
            store.db.checkpoint()?;
        }
        self.inner.control.checkpoint()
    }
}

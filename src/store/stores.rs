//! The data folder: `control.db`, and `tenants/<id>/` with `data.db`, `index/` and `blobs/`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lectern_kernel::{Clock, Error, Scope, TenantId, Timestamp};
use parking_lot::Mutex;

use crate::grown::Grown;
use crate::registry::{self, Registry, TenantRecord, TenantState};
use crate::{Database, Migration, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// How often it is looked whether a tenant was closed.
const LOOK: Duration = Duration::from_secs(1);

/// All databases of an appliance.
#[derive(Clone)]
pub struct Stores {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    control: Database,
    registry: Registry,
    tenant_migrations: Vec<Migration>,
    open: Mutex<HashMap<TenantId, Arc<Slot>>>,
    grown: Arc<Grown>,
    clock: Arc<dyn Clock>,
    options: Options,
}

/// How many tenants are kept open, and where they lie.
#[derive(Debug, Clone)]
pub struct Options {
    /// Tenants that nobody uses are closed when more than this are open.
    pub most_open: usize,
    /// … or when they were not used for this long.
    pub idle: Duration,
    /// Folders for the tenants of a region, by its label; others lie in the data folder.
    pub regions: BTreeMap<String, PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { most_open: 128, idle: Duration::from_mins(5), regions: BTreeMap::new() }
    }
}

/// One tenant's place: opening it holds up nobody else.
#[derive(Default)]
struct Slot {
    state: Mutex<SlotState>,
}

#[derive(Default)]
struct SlotState {
    store: Option<TenantStore>,
    used: Timestamp,
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
        Self::open_with(folder, control, tenant, clock, Options::default())
    }

    pub fn open_with(
        folder: &Path,
        control: &[Migration],
        tenant: Vec<Migration>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder.join("tenants"))?;
        let migrations = [control, &[registry::MIGRATION]].concat();
        let control = Database::open(&folder.join("control.db"), &migrations, clock.clone())?;
        let registry = Registry::default();
        registry.load(&control)?;
        let grown = Arc::<Grown>::default();
        control.tell(grown.clone(), None);
        let inner = Inner {
            folder: folder.to_owned(),
            control,
            registry,
            tenant_migrations: tenant,
            open: Mutex::default(),
            grown,
            clock,
            options,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Which records of who did what have grown.
    pub fn grown(&self) -> &Grown {
        &self.inner.grown
    }

    /// Appliance-wide data: tenants, operators, models.
    pub fn control(&self) -> &Database {
        &self.inner.control
    }

    /// A tenant as it is registered.
    pub fn record(&self, id: &TenantId) -> Option<Arc<TenantRecord>> {
        self.inner.registry.get(id)
    }

    /// All tenants, by id.
    pub fn records(&self) -> Vec<Arc<TenantRecord>> {
        self.inner.registry.list()
    }

    /// Ids of all tenants.
    pub fn tenant_ids(&self) -> Vec<TenantId> {
        self.records().iter().map(|record| record.id.clone()).collect()
    }

    /// Reads the rows of the tenants again after they were changed.
    pub fn refresh(&self) -> Result<()> {
        self.inner.registry.load(&self.inner.control)
    }

    /// Registers a tenant, or changes its row.
    pub fn register(&self, tenant: &TenantRecord) -> Result<()> {
        self.inner.control.write_now(|tx| registry::put(tx, tenant))?;
        self.refresh()
    }

    /// Waits until a tenant is suspended or goes: then what its people still have open ends.
    pub async fn until_closed(&self, id: &TenantId) {
        while self.record(id).is_some_and(|record| record.state == TenantState::Active) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Where a tenant's folder lies or would lie.
    pub fn folder_of(&self, tenant: &TenantRecord) -> PathBuf {
        let region = tenant.region.as_ref().and_then(|label| self.inner.options.regions.get(label));
        match region {
            Some(folder) => folder.join(tenant.id.as_str()),
            None => self.inner.folder.join("tenants").join(tenant.id.as_str()),
        }
    }

    /// The tenant of the scope, opened and migrated when this is its first use.
    pub fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        let id = scope.tenant();
        let record = self.record(id).ok_or_else(|| StoreError::Rule(Error::not_found("tenant")))?;
        let slot = self.inner.open.lock().entry(id.clone()).or_default().clone();
        let mut state = slot.state.lock();
        state.used = self.inner.clock.now();
        if let Some(store) = &state.store {
            return Ok(store.clone());
        }
        let store = self.open_tenant(&record)?;
        state.store = Some(store.clone());
        drop(state);
        if self.open_count() > self.inner.options.most_open {
            self.close_unused();
        }
        Ok(store)
    }

    fn open_tenant(&self, record: &TenantRecord) -> Result<TenantStore> {
        let folder = self.folder_of(record);
        for sub in ["blobs", "index", "incoming"] {
            std::fs::create_dir_all(folder.join(sub))?;
        }
        let (path, clock) = (folder.join("data.db"), self.inner.clock.clone());
        let db = match Database::open(&path, &self.inner.tenant_migrations, clock.clone()) {
            // This tenant stays as it is and can be read; the others are not touched by it.
            Err(StoreError::Migration(reason)) => {
                tracing::error!(tenant = %record.id, reason, "the tenant can only be read");
                Database::open_read_only(&path, reason, clock)?
            }
            other => other?,
        };
        db.tell(self.inner.grown.clone(), Some(record.id.clone()));
        Ok(TenantStore { id: record.id.clone(), folder, db })
    }

    /// Whether the tenant is open now.
    pub fn is_open(&self, id: &TenantId) -> bool {
        let slot = self.inner.open.lock().get(id).cloned();
        slot.is_some_and(|slot| slot.state.lock().store.is_some())
    }

    /// Why a tenant that is open can only be read, when it is so.
    pub fn read_only(&self, id: &TenantId) -> Option<String> {
        let slot = self.inner.open.lock().get(id).cloned()?;
        let state = slot.state.try_lock()?;
        state.store.as_ref().and_then(|store| store.db.read_only().map(str::to_owned))
    }

    /// Whether an open tenant was not used for a while.
    pub fn is_idle(&self, id: &TenantId) -> bool {
        let idle_since = self.inner.clock.now().minus(self.inner.options.idle);
        let slot = self.inner.open.lock().get(id).cloned();
        let idle = |state: &SlotState| state.store.is_some() && state.used <= idle_since;
        slot.is_some_and(|slot| slot.state.try_lock().is_some_and(|state| idle(&state)))
    }

    /// Number of tenants that are open.
    pub fn open_count(&self) -> usize {
        let slots: Vec<_> = self.inner.open.lock().values().cloned().collect();
        // One that is locked is being opened.
        slots.iter().filter(|slot| slot.state.try_lock().is_none_or(|state| state.store.is_some())).count()
    }

    /// Closes tenants that nobody holds: those not used for a while, and the longest unused beyond the number that may
    /// be open. Returns those that were closed.
    pub fn close_unused(&self) -> Vec<TenantId> {
        let idle_since = self.inner.clock.now().minus(self.inner.options.idle);
        let slots: Vec<_> =
            self.inner.open.lock().iter().map(|(id, slot)| (id.clone(), slot.clone())).collect();
        let mut open: Vec<_> = slots
            .into_iter()
            .filter_map(|(id, slot)| {
                let state = slot.state.try_lock()?;
                let used = state.store.is_some().then_some(state.used)?;
                drop(state);
                Some((used, id, slot))
            })
            .collect();
        open.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut surplus = open.len().saturating_sub(self.inner.options.most_open);
        let mut closed = Vec::new();
        for (used, id, slot) in open {
            if (used <= idle_since || surplus > 0) && slot.close() {
                surplus = surplus.saturating_sub(1);
                closed.push(id);
            }
        }
        closed
    }

    /// Closes a tenant; false while somebody holds it.
    pub fn close_tenant(&self, id: &TenantId) -> bool {
        let slot = self.inner.open.lock().get(id).cloned();
        slot.is_none_or(|slot| slot.close())
    }

    /// Folds every write-ahead log into its file.
    pub fn close(&self) -> Result<()> {
        let slots: Vec<_> = self.inner.open.lock().values().cloned().collect();
        for slot in slots {
            if let Some(store) = &slot.state.lock().store {
                store.db.checkpoint()?;
            }
        }
        self.inner.control.checkpoint()
    }
}

impl Slot {
    /// Closes the tenant unless it is in use or being opened; the log of writes is folded into the file.
    fn close(&self) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        match &state.store {
            None => true,
            Some(store) if store.db.is_shared() => false,
            Some(store) => {
                if let Err(error) = store.db.checkpoint() {
                    tracing::warn!(tenant = %store.id, %error, "the log of writes was not folded into the file");
                }
                state.store = None;
                true
            }
        }
    }
}

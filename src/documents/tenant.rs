//! What is open of a tenant: its store, its index, and what keeps the two in step.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lectern_kernel::{Code, DocumentId, Error, Event, Result};
use lectern_search::{Options, SearchError, SearchIndex};
use lectern_store::TenantStore;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::life::Life;
use crate::meaning::TenantMeaning;
use crate::model::DocumentView;
use crate::{Limits, store_life};

/// The writer's memory is given back when nothing was written for this long.
const WRITER_IDLE: Duration = Duration::from_secs(20);

pub(crate) struct Tenant {
    pub store: TenantStore,
    index: RwLock<Arc<SearchIndex>>,
    options: Options,
    /// Held while a document is put into or taken out of the index, so that a deleted one cannot come back.
    pub gate: tokio::sync::Mutex<()>,
    /// Documents whose passages wait for the next commit.
    pub uncommitted: Mutex<Vec<Uncommitted>>,
    /// Percent of documents that are being extracted.
    pub progress: Mutex<HashMap<DocumentId, u8>>,
    /// There is a job to take.
    pub work: Notify,
    /// There is something to commit.
    pub dirty: Notify,
    /// Vectors of the passages.
    pub meaning: TenantMeaning,
    /// Whether its background work runs.
    pub life: Mutex<Life>,
}

/// A document that is in the index but not yet findable.
pub(crate) struct Uncommitted {
    pub document: DocumentId,
    pub job: lectern_kernel::JobId,
    pub passages: u64,
}

impl Tenant {
    /// Opens the index too; `true` when it was not there or could not be read, and an empty one took its place.
    pub fn open(store: TenantStore, limits: &Limits) -> Result<(Self, bool)> {
        // What was being uploaded when the last process ended is of no use to anybody.
        for entry in std::fs::read_dir(store.incoming()).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        let options = Options { writer_memory: limits.writer_memory_bytes, ..Options::default() };
        // A tenant that came as a file comes without one.
        let absent = !store.index().join("meta.json").exists();
        let (index, renewed) = match SearchIndex::open(&store.index(), options) {
            Ok(index) => (index, absent),
            Err(error @ SearchError::Damaged { .. }) => {
                tracing::error!(tenant = %store.id, %error, "the search index is made anew from the database");
                (SearchIndex::recreate(&store.index(), options).map_err(search_error)?, true)
            }
            Err(error) => return Err(search_error(error)),
        };
        let meaning = TenantMeaning::new(store.vectors());
        let tenant = Self {
            store,
            index: RwLock::new(Arc::new(index)),
            options,
            gate: tokio::sync::Mutex::default(),
            uncommitted: Mutex::default(),
            progress: Mutex::default(),
            work: Notify::new(),
            dirty: Notify::new(),
            meaning,
            life: Mutex::default(),
        };
        Ok((tenant, renewed))
    }

    /// Whether work is left that must not be broken off.
    pub fn is_busy(&self) -> bool {
        let jobs = self.store.db.read_now(store_life::pending);
        jobs.is_ok_and(|left| left > 0) || !self.uncommitted.lock().is_empty() || self.meaning.is_building()
    }

    pub fn index(&self) -> Arc<SearchIndex> {
        self.index.read().clone()
    }

    /// Runs `work` on the index off the async threads.
    pub async fn on_index<T, F>(self: &Arc<Self>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&SearchIndex) -> Result<T, SearchError> + Send + 'static,
    {
        let index = self.index();
        tokio::task::spawn_blocking(move || work(&index))
            .await
            .map_err(|e| Error::internal(e.to_string()))?
            .map_err(search_error)
    }

    /// Writes an empty index in place of the present one, readable or not.
    pub fn recreate_index(&self) -> Result<Arc<SearchIndex>> {
        let mut slot = self.index.write();
        let made = Arc::new(SearchIndex::recreate(&self.store.index(), self.options).map_err(search_error)?);
        *slot = made.clone();
        Ok(made)
    }

    /// Tells listeners how a document is now.
    pub fn announce(&self, kind: &str, view: &DocumentView) {
        let payload = serde_json::to_value(view).unwrap_or_default();
        let at = self.store.db.clock().now();
        self.store.db.notify(Event {
            sequence: 0,
            kind: kind.to_owned(),
            subject: view.id.to_string(),
            payload,
            at,
        });
    }

    pub fn percent(&self, document: &DocumentId) -> Option<u8> {
        self.progress.lock().get(document).copied()
    }

    /// Gives the writer's memory back after a while without writes.
    pub async fn rest(self: &Arc<Self>) -> Result<()> {
        tokio::time::sleep(WRITER_IDLE).await;
        self.on_index(SearchIndex::release_writer).await
    }
}

/// The index's errors in the words of the API.
pub(crate) fn search_error(error: SearchError) -> Error {
    let hint = error.hint().map(str::to_owned);
    let code = match &error {
        SearchError::Query(_) => Code::InvalidQuery,
        SearchError::Cursor => Code::InvalidCursor,
        _ => return Error::internal(error),
    };
    let mut problem = Error::new(code, format!("{error}."));
    problem.hint = hint;
    problem
}

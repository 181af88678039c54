//! Which vectors of a tenant are searched with which model. While another model's are being made, those of the one
//! before serve; they lie in `vectors/`, a folder for each model, and `serving.json` names the one in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lectern_inference::{Embedder, MeaningBank, TextModelError};
use lectern_kernel::{Error, Result};
use lectern_vectors::{VectorError, VectorStore};
use parking_lot::{Condvar, Mutex, RwLock};
use serde::{Deserialize, Serialize};

use crate::understanding::{Asked, Space, folder_name};

const SERVING: &str = "serving.json";
const MODEL: &str = "model.json";
/// The background waits so long after a question, and at most so long for questions to end.
const QUIET: Duration = Duration::from_millis(30);
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct Named {
    model: String,
    #[serde(default)]
    dimensions: usize,
}

/// What of a tenant is searched by meaning.
pub(crate) struct TenantMeaning {
    root: PathBuf,
    slots: RwLock<Slots>,
    pub activity: Activity,
    woken: Mutex<bool>,
    bell: Condvar,
}

#[derive(Default, Clone)]
pub(crate) struct Slots {
    /// Complete at some time; searched.
    pub serving: Option<Arc<Space>>,
    /// Of the chosen model, being made.
    pub building: Option<Arc<Space>>,
    /// Passages that have vectors of the chosen model, of all.
    pub done: u64,
    pub total: u64,
}

impl TenantMeaning {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            slots: RwLock::default(),
            activity: Activity::default(),
            woken: Mutex::new(false),
            bell: Condvar::new(),
        }
    }

    pub(crate) fn slots(&self) -> Slots {
        self.slots.read().clone()
    }

    /// There may be something to embed.
    /// Whether passages wait for their vectors.
    pub(crate) fn is_building(&self) -> bool {
        let slots = self.slots.read();
        slots.building.is_some() || slots.done < slots.total
    }

    pub(crate) fn wake(&self) {
        *self.woken.lock() = true;
        self.bell.notify_all();
    }

    /// Waits until woken, at most `limit`; whether it was woken.
    pub(crate) fn sleep(&self, limit: Duration) -> bool {
        let mut woken = self.woken.lock();
        if !*woken {
            self.bell.wait_for(&mut woken, limit);
        }
        std::mem::take(&mut *woken)
    }

    pub(crate) fn progress(&self, done: u64, total: u64) {
        let mut slots = self.slots.write();
        (slots.done, slots.total) = (done, total);
    }

    /// A document is gone: so are its vectors.
    pub(crate) fn forget(&self, document: &str) -> Result<()> {
        let slots = self.slots();
        for space in slots.serving.iter().chain(&slots.building) {
            space.store.remove(document).map_err(vector_error)?;
        }
        Ok(())
    }

    /// Puts the chosen model's vectors in their place: serving when they were complete once, else being made.
    pub(crate) fn choose(&self, model: Option<&str>, load: &dyn Fn() -> Option<Arc<Embedder>>) -> Result<()> {
        let slots = self.slots();
        let Some(model) = model else {
            *self.slots.write() = Slots::default();
            return Ok(());
        };
        let is = |space: &Option<Arc<Space>>| space.as_ref().is_some_and(|space| space.model == model);
        if is(&slots.serving) {
            self.slots.write().building = None;
            return Ok(());
        }
        if is(&slots.building) {
            return Ok(());
        }
        let mut next = Slots { serving: slots.serving, ..Slots::default() };
        if next.serving.is_none() {
            next.serving = self.last_served();
        }
        if !is(&next.serving) {
            let folder = self.root.join(folder_name(model));
            next.building = match open(&folder) {
                Some(space) if space.model == model => Some(Arc::new(space)),
                _ => load().map(|embedder| make(&folder, model, embedder.dimensions())).transpose()?,
            };
        }
        *self.slots.write() = next;
        Ok(())
    }

    /// The vectors that are being made, or were when the last process ended.
    pub(crate) fn unfinished(&self) -> Option<Arc<Space>> {
        let mut folders = std::fs::read_dir(&self.root).into_iter().flatten().flatten();
        folders.find_map(|entry| open(&entry.path())).map(Arc::new)
    }

    pub(crate) fn build(&self, space: Arc<Space>) {
        self.slots.write().building = Some(space);
    }

    /// What was in force when the last process ended.
    fn last_served(&self) -> Option<Arc<Space>> {
        let named: Named = serde_json::from_slice(&std::fs::read(self.root.join(SERVING)).ok()?).ok()?;
        let space = open(&self.root.join(folder_name(&named.model)))?;
        (space.model == named.model).then(|| Arc::new(space))
    }

    /// The vectors that were being made are complete: from now on they serve, and the others go.
    pub(crate) fn swap(&self) -> Result<()> {
        let Some(space) = self.slots().building else { return Ok(()) };
        write(&self.root.join(SERVING), &Named { model: space.model.clone(), dimensions: 0 })?;
        {
            let mut slots = self.slots.write();
            slots.building = None;
            slots.serving = Some(space.clone());
        }
        let own = folder_name(&space.model);
        for entry in std::fs::read_dir(&self.root).into_iter().flatten().flatten() {
            if entry.path().is_dir() && entry.file_name().to_string_lossy() != own {
                // A search that still reads them keeps the files until it ends.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        tracing::info!(model = space.model, "search by meaning uses the vectors of this model now");
        Ok(())
    }

    /// Prepares a question; none when there is no model, or nothing was embedded yet.
    pub(crate) fn ask(&self, bank: &dyn MeaningBank, question: &str, context: Option<&str>) -> Option<Asked> {
        if question.trim().is_empty() {
            return None;
        }
        let (space, embedder) = self.usable(bank)?;
        let failed =
            |error: &TextModelError| tracing::warn!(%error, "a question is searched by its words only");
        let reranker = bank.reranker().inspect_err(failed).ok().flatten();
        Asked::new(space, &embedder, reranker, (question, context)).inspect_err(failed).ok()
    }

    /// Vectors and their model: those that serve, or those that are being made when the model of the former is gone.
    fn usable(&self, bank: &dyn MeaningBank) -> Option<(Arc<Space>, Arc<Embedder>)> {
        let slots = self.slots();
        for space in slots.serving.into_iter().chain(slots.building) {
            match bank.embedder_of(&space.model) {
                Ok(Some(embedder)) if embedder.dimensions() == space.store.dimensions() => {
                    return Some((space, embedder));
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, model = space.model, "the model cannot be used"),
            }
        }
        None
    }
}

fn make(folder: &Path, model: &str, dimensions: usize) -> Result<Arc<Space>> {
    // Whatever lies there is of no use: no vectors, or vectors of nobody knows which model.
    let _ = std::fs::remove_dir_all(folder);
    let store = VectorStore::open(folder, dimensions).map_err(vector_error)?;
    write(&folder.join(MODEL), &Named { model: model.to_owned(), dimensions })?;
    Ok(Arc::new(Space { model: model.to_owned(), store }))
}

fn open(folder: &Path) -> Option<Space> {
    let named: Named = serde_json::from_slice(&std::fs::read(folder.join(MODEL)).ok()?).ok()?;
    let opened = VectorStore::open(folder, named.dimensions);
    let store = opened.inspect_err(|error| tracing::error!(%error, "the vectors are made anew")).ok()?;
    Some(Space { model: named.model, store })
}

/// Written aside and renamed: after a crash the old or the new one is there.
fn write(path: &Path, named: &Named) -> Result<()> {
    let text = serde_json::to_vec(named).map_err(Error::internal)?;
    let mut file =
        tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(Error::internal)?;
    std::io::Write::write_all(&mut file, &text).map_err(Error::internal)?;
    file.as_file().sync_all().map_err(Error::internal)?;
    file.persist(path).map_err(|error| Error::internal(error.error))?;
    Ok(())
}

pub(crate) fn vector_error(error: VectorError) -> Error {
    let hint = error.hint();
    Error::internal(error).hint(hint)
}

/// Questions that run now; the background stands back for them.
#[derive(Default)]
pub(crate) struct Activity {
    running: AtomicUsize,
    ended: Mutex<Option<Instant>>,
}

pub(crate) struct Running<'a>(&'a Activity);

impl Activity {
    pub(crate) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::AcqRel);
        Running(self)
    }

    /// Waits until no question runs, but not for ever.
    pub(crate) fn wait(&self) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let quiet = self.ended.lock().is_none_or(|ended| ended.elapsed() >= QUIET);
            if quiet && self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.ended.lock() = Some(Instant::now());
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

//! The installed models and the choices among them, as memory has them: what questions go by.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lectern_kernel::{Result, Timestamp};
use lectern_store::Stores;
use parking_lot::RwLock;

use crate::manifest::{Kind, Manifest};
use crate::stage::disk;
use crate::store;

/// An installed model.
pub(crate) struct Installed {
    pub manifest: Manifest,
    pub folder: PathBuf,
    /// `NAME@FINGERPRINT`.
    pub identity: String,
    /// Whether this process has compared its files with their hashes.
    compared: AtomicBool,
}

impl Installed {
    pub fn new(manifest: Manifest, folder: PathBuf) -> Self {
        let identity = format!("{}@{}", manifest.name, manifest.fingerprint());
        Self { manifest, folder, identity, compared: AtomicBool::new(false) }
    }

    pub fn is_compared(&self) -> bool {
        self.compared.load(Ordering::Relaxed)
    }

    pub fn set_compared(&self, compared: bool) {
        self.compared.store(compared, Ordering::Relaxed);
    }
}

/// When a model was checked, and what was wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checked {
    pub at: Option<Timestamp>,
    pub problem: Option<String>,
}

#[derive(Default)]
struct Known {
    models: BTreeMap<String, Arc<Installed>>,
    choices: HashMap<Kind, String>,
    checks: HashMap<String, Checked>,
}

pub(crate) struct Registry(RwLock<Known>);

impl Registry {
    /// From the folder and `control.db`.
    pub fn read(folder: &Path, stores: &Stores) -> Result<Self> {
        let (choices, checks) =
            stores.control().read_now(|tx| Ok((store::choices(tx)?, store::checks(tx)?)))?;
        let mut known = Known::default();
        for entry in std::fs::read_dir(folder).map_err(disk)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !entry.path().is_dir() {
                continue;
            }
            match Manifest::load(&entry.path()) {
                Ok(manifest) if manifest.name == name => {
                    known.models.insert(name, Arc::new(Installed::new(manifest, entry.path())));
                }
                Ok(manifest) => {
                    tracing::warn!(
                        folder = name,
                        says = manifest.name,
                        "a model's folder has another name; not used"
                    );
                }
                Err(error) => {
                    tracing::warn!(folder = name, %error, "a model's manifest cannot be read; not used");
                }
            }
        }
        known.choices = choices.into_iter().filter(|(_, name)| known.models.contains_key(name)).collect();
        known.checks =
            checks.into_iter().map(|c| (c.name, Checked { at: Some(c.at), problem: c.problem })).collect();
        Ok(Self(RwLock::new(known)))
    }

    pub fn all(&self) -> Vec<Arc<Installed>> {
        let mut all: Vec<_> = self.0.read().models.values().cloned().collect();
        all.sort_by_key(|model| model.manifest.kind);
        all
    }

    pub fn get(&self, name: &str) -> Option<Arc<Installed>> {
        self.0.read().models.get(name).cloned()
    }

    pub fn chosen(&self, kind: Kind) -> Option<Arc<Installed>> {
        let known = self.0.read();
        known.choices.get(&kind).and_then(|name| known.models.get(name)).cloned()
    }

    pub fn is_chosen(&self, kind: Kind, name: &str) -> bool {
        self.0.read().choices.get(&kind).is_some_and(|chosen| chosen == name)
    }

    pub fn checked(&self, name: &str) -> Checked {
        self.0.read().checks.get(name).cloned().unwrap_or_default()
    }

    pub fn add(&self, model: Arc<Installed>) {
        self.0.write().models.insert(model.manifest.name.clone(), model);
    }

    pub fn remove(&self, name: &str) {
        let mut known = self.0.write();
        known.models.remove(name);
        known.checks.remove(name);
        known.choices.retain(|_, chosen| chosen != name);
    }

    /// None: nothing imported does the work of the kind.
    pub fn choose(&self, kind: Kind, name: Option<&str>) {
        let mut known = self.0.write();
        match name {
            Some(name) => known.choices.insert(kind, name.to_owned()),
            None => known.choices.remove(&kind),
        };
    }

    pub fn set_checked(&self, name: &str, checked: Checked) {
        self.0.write().checks.insert(name.to_owned(), checked);
    }
}

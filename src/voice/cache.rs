//! Spoken audio on disk, by a keyed hash of everything that makes its sound; the least used goes first.
//!
//! The key is the tenant's own, so that nobody can tell from an address what was said. Files: `audio/ab/abcd….wav`.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac};
use lectern_kernel::{Code, Error, Result, Scope, TenantId};
use lectern_store::Stores;
use parking_lot::Mutex;
use sha2::Sha256;

/// Characters of a name.
pub(crate) const NAME: usize = 40;
const KEY: &str = "key";
/// After a clearing the cache is so full, in percent.
const CLEARED: u64 = 80;

#[derive(Clone)]
pub(crate) struct AudioCache {
    stores: Stores,
    limit: u64,
    shelves: Arc<Mutex<HashMap<TenantId, Arc<Shelf>>>>,
}

/// One tenant's audio.
pub(crate) struct Shelf {
    folder: PathBuf,
    key: Vec<u8>,
    limit: u64,
    used: Mutex<u64>,
}

impl AudioCache {
    pub(crate) fn new(stores: Stores, limit: u64) -> Self {
        Self { stores, limit, shelves: Arc::default() }
    }

    /// Touches the disk: not for async threads.
    pub(crate) fn shelf(&self, scope: &Scope) -> Result<Arc<Shelf>> {
        if let Some(shelf) = self.shelves.lock().get(scope.tenant()) {
            return Ok(Arc::clone(shelf));
        }
        let folder = self.stores.tenant(scope)?.folder.join("audio");
        let mut shelves = self.shelves.lock();
        if let Some(shelf) = shelves.get(scope.tenant()) {
            return Ok(Arc::clone(shelf));
        }
        let shelf = Arc::new(Shelf::open(folder, self.limit).map_err(full)?);
        shelves.insert(scope.tenant().clone(), Arc::clone(&shelf));
        Ok(shelf)
    }

    /// Drops what nobody asked for in this time.
    pub(crate) fn sweep(&self, unused: Duration) {
        for tenant in self.stores.tenant_ids() {
            match self.shelf(&Scope::system(tenant)) {
                Ok(shelf) => shelf.drop_older(unused),
                Err(error) => tracing::warn!(%error, "old audio cannot be removed"),
            }
        }
    }
}

impl Shelf {
    fn open(folder: PathBuf, limit: u64) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let key = match fs::read(folder.join(KEY)) {
            Ok(key) if key.len() == 32 => key,
            _ => new_key(&folder)?,
        };
        let shelf = Self { folder, key, limit, used: Mutex::new(0) };
        let mut used = 0;
        for entry in shelf.entries() {
            if entry.path.extension().is_some_and(|kind| kind == "part") {
                // Left by a power cut.
                let _ = fs::remove_file(&entry.path);
            } else {
                used += entry.bytes;
            }
        }
        *shelf.used.lock() = used;
        Ok(shelf)
    }

    /// The name of what these fields sound like.
    pub(crate) fn name(&self, fields: &[&[u8]]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        for field in fields {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field);
        }
        let mut name = hex::encode(mac.finalize().into_bytes());
        name.truncate(NAME);
        name
    }

    fn path(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join(&name[..2]).join(format!("{name}.{kind}"))
    }

    /// The file, when it is there; it is then the last used.
    pub(crate) fn find(&self, name: &str, kind: &str) -> Option<PathBuf> {
        let path = self.path(name, kind);
        let file = fs::File::open(&path).ok()?;
        // An old time only makes it go sooner.
        let _ = file.set_modified(SystemTime::now());
        Some(path)
    }

    /// Keeps the bytes; the file appears whole.
    pub(crate) fn keep(&self, name: &str, kind: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.path(name, kind);
        self.write(&path, bytes).map_err(full)?;
        let used = {
            let mut used = self.used.lock();
            *used += bytes.len() as u64;
            *used
        };
        if used > self.limit {
            self.shrink(&path);
        }
        Ok(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let mut part = tempfile::Builder::new().suffix(".part").tempfile_in(folder)?;
        part.write_all(bytes)?;
        part.persist(path)?;
        Ok(())
    }

    fn entries(&self) -> Vec<Entry> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
        let entry = |file: fs::DirEntry| {
            let meta = file.metadata().ok()?;
            Some(Entry { path: file.path(), bytes: meta.len(), used: meta.modified().ok()? })
        };
        files.filter_map(entry).collect()
    }

    /// Removes the least used, but never what was written just now.
    fn shrink(&self, spared: &Path) {
        let mut entries = self.entries();
        entries.sort_by_key(|entry| entry.used);
        let mut used: u64 = entries.iter().map(|entry| entry.bytes).sum();
        let wanted = self.limit / 100 * CLEARED;
        for entry in entries {
            if used <= wanted {
                break;
            }
            if entry.path != spared && fs::remove_file(&entry.path).is_ok() {
                used -= entry.bytes;
            }
        }
        *self.used.lock() = used;
    }

    /// Removes all of it; the number of files.
    pub(crate) fn clear(&self) -> usize {
        let removed = self.entries().iter().filter(|entry| fs::remove_file(&entry.path).is_ok()).count();
        *self.used.lock() = self.entries().iter().map(|entry| entry.bytes).sum();
        removed
    }

    fn drop_older(&self, unused: Duration) {
        let Some(border) = SystemTime::now().checked_sub(unused) else { return };
        let mut used = 0;
        for entry in self.entries() {
            if entry.used >= border || fs::remove_file(&entry.path).is_err() {
                used += entry.bytes;
            }
        }
        *self.used.lock() = used;
    }
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn new_key(folder: &Path) -> std::io::Result<Vec<u8>> {
    let mut key = vec![0; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    let mut file = tempfile::Builder::new().suffix(".part").tempfile_in(folder)?;
    file.write_all(&key)?;
    file.persist(folder.join(KEY))?;
    Ok(key)
}

fn full(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::new(
            Code::StorageFull,
            "The disk of the appliance is full; the audio could not be kept.",
        )
        .hint("Free space on the disk that holds the data folder, then try again.");
    }
    Error::internal(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_every_field_and_on_the_key() {
        let (one, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let shelf = Shelf::open(one.path().into(), 1000).expect("opens");
        let name = shelf.name(&[b"ab", b"c"]);
        assert_eq!(name.len(), NAME);
        assert_ne!(name, shelf.name(&[b"a", b"bc"]));
        assert_eq!(name, Shelf::open(one.path().into(), 1).expect("opens again").name(&[b"ab", b"c"]));
        assert_ne!(name, Shelf::open(other.path().into(), 1).expect("opens").name(&[b"ab", b"c"]));
    }

    #[test]
    fn the_least_used_goes_first() {
        let folder = tempfile::tempdir().expect("folder");
        let shelf = Shelf::open(folder.path().into(), 1000).expect("opens");
        let names: Vec<String> = (0..4_u8).map(|n| shelf.name(&[&[n]])).collect();
        let age = |name: &str, seconds| {
            let file = fs::File::open(shelf.path(name, "wav")).expect("is there");
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("ages");
        };
        for (at, name) in names[..3].iter().enumerate() {
            shelf.keep(name, "wav", &[0; 300]).expect("keeps");
            age(name, 100 - at as u64);
        }
        assert!(shelf.find(&names[0], "wav").is_some(), "now the last used");
        shelf.keep(&names[3], "wav", &[0; 300]).expect("keeps");
        let there: Vec<bool> = names.iter().map(|name| shelf.path(name, "wav").exists()).collect();
        assert_eq!(there, [true, false, false, true]);
        assert_eq!(*Shelf::open(folder.path().into(), 1000).expect("opens again").used.lock(), 600);
        age(&names[0], 5000);
        shelf.drop_older(Duration::from_secs(4000));
        assert!(shelf.find(&names[0], "wav").is_none() && shelf.find(&names[3], "wav").is_some());
        let parts = walkdir(folder.path());
        assert!(!parts.iter().any(|name| name.contains(".part")), "{parts:?}");
    }

    fn walkdir(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).expect("lists").flatten() {
            if entry.path().is_dir() {
                names.extend(walkdir(&entry.path()));
            }
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names
    }
}

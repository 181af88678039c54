//! The files of a store. `CURRENT` names the generation; a generation is three files that only grow: passage vectors,
//! sentence vectors and the log. What stands in the log is on the disk; what stands behind it after a crash is cut off.
#![allow(
    unsafe_code,
    reason = "the files are mapped into memory; only this program changes them, and they only grow"
)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use crate::error::{Result, VectorError};

const CURRENT: &str = "current.json";
const VERSION: u32 = 1;

/// What `current.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Current {
    pub version: u32,
    pub dimensions: usize,
    pub generation: u64,
}

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> VectorError + '_ {
    move |source| VectorError::Io { path: path.to_owned(), source }
}

/// Reads which generation is in force; makes the first in an empty folder.
pub(crate) fn current(dir: &Path, dimensions: usize) -> Result<Current> {
    let path = dir.join(CURRENT);
    let foreign = |reason: String| VectorError::Foreign { path: dir.to_owned(), reason };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let first = Current { version: VERSION, dimensions, generation: 1 };
            set_current(dir, &first)?;
            return Ok(first);
        }
        Err(error) => return Err(io(&path)(error)),
    };
    let current: Current = serde_json::from_slice(&text).map_err(|error| foreign(error.to_string()))?;
    if current.version != VERSION || current.dimensions != dimensions {
        return Err(foreign(format!("version {}, {} dimensions", current.version, current.dimensions)));
    }
    Ok(current)
}

/// Puts a generation in force, by one rename.
pub(crate) fn set_current(dir: &Path, current: &Current) -> Result<()> {
    let text = serde_json::to_vec(current).map_err(|error| io(dir)(error.into()))?;
    replace(&dir.join(CURRENT), &text)
}

/// Writes a small file so that after a crash either the old or the new one is there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    write().map_err(io(path))
}

/// Removes what other generations and broken-off writes left; what others put into the folder stays.
pub(crate) fn sweep(dir: &Path, generation: u64) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((kind, number)) = name.rsplit_once('.') else { continue };
        let left = match kind {
            "current" => number == "new",
            "passages" | "sentences" | "log" | "graph" | "graph-info" => {
                number.parse::<u64>().is_ok_and(|number| number != generation) || number == "new"
            }
            "graph-new" => true,
            _ => false,
        };
        if left {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A file that grows, seen through memory.
pub(crate) struct Growing {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    map: Option<Mmap>,
}

/// The end of a growing file, for who writes there; searches go on meanwhile.
pub(crate) struct Tail {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
}

impl Tail {
    /// Appends and waits until it is on the disk.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let write = || -> std::io::Result<()> {
            self.file.write_all_at(bytes, self.length)?;
            self.file.sync_data()
        };
        // What a failed write left lies behind `length` and is written over by the next.
        write().map_err(io(&self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Growing {
    pub(crate) fn open(dir: &Path, name: &str, generation: u64) -> Result<Self> {
        let path = dir.join(format!("{name}.{generation}"));
        let open = || -> std::io::Result<(File, u64)> {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().map_err(io(&path))?;
        let mut growing = Self { path, file: Arc::new(file), length, map: None };
        growing.remap()?;
        Ok(growing)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    /// Cuts off what a crash left behind the last whole entry.
    pub(crate) fn cut(&mut self, length: u64) -> Result<()> {
        if length < self.length {
            self.map = None;
            self.file.set_len(length).map_err(io(&self.path))?;
            self.length = length;
            self.remap()?;
        }
        Ok(())
    }

    pub(crate) fn tail(&self) -> Tail {
        Tail { path: self.path.clone(), file: Arc::clone(&self.file), length: self.length }
    }

    /// Takes in what was appended; [`Self::bytes`] shows it after [`Self::remap`].
    pub(crate) fn grown(&mut self, tail: &Tail) -> bool {
        std::mem::replace(&mut self.length, tail.length) != tail.length
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let mut tail = self.tail();
        tail.append(bytes)?;
        self.grown(&tail);
        Ok(())
    }

    pub(crate) fn remap(&mut self) -> Result<()> {
        self.map = None;
        if self.length > 0 {
            // SAFETY: the folder belongs to this process (it holds the data folder's lock); the file is only appended
            // to, and cut only in `cut`, which gives the map back first.
            let map = unsafe { Mmap::map(&*self.file) };
            self.map = Some(map.map_err(io(&self.path))?);
        }
        Ok(())
    }
}

//! Small files that only their owner may read: made whole or not at all, never written over, read with suspicion.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use crate::error::{Result, SealError};
use crate::secret::fill;

const MODE: u32 = 0o600;
const OTHERS: u32 = 0o077;
const MOST: usize = 4096;

/// The one line of the file that is no comment; nothing if there is no file. A file without that line is an error.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>> {
    let damaged = |reason| SealError::KeyFile { path: path.to_owned(), reason };
    // A pipe in its place must not hold the start. Links are followed: secrets are mounted as such.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(e) => return Err(SealError::io("opening", path)(e.into())),
    };
    let meta = file.metadata().map_err(SealError::io("looking at", path))?;
    if !meta.is_file() {
        return Err(damaged("it is not a plain file"));
    }
    let mode = meta.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(SealError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 1));
    file.take(MOST as u64 + 1).read_to_end(&mut bytes).map_err(SealError::io("reading", path))?;
    if bytes.len() > MOST {
        return Err(damaged("it is too long"));
    }
    let text = str::from_utf8(&bytes).map_err(|_| damaged("it is not text"))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(Some(Zeroizing::new(line.to_owned()))),
        (None, _) => Err(damaged("it is empty")),
        _ => Err(damaged("it has more than one line")),
    }
}

/// Makes the file with a comment and a line. False, and nothing changed, if a file of this name was there first.
pub(crate) fn create(path: &Path, comment: &str, line: &str) -> Result<bool> {
    let temporary = Temporary::beside(path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&temporary.0)
        .map_err(SealError::io("making", &temporary.0))?;
    // Whatever the umask says.
    let write = file
        .set_permissions(Permissions::from_mode(MODE))
        .and_then(|()| file.write_all(format!("# {comment}\n").as_bytes()))
        .and_then(|()| file.write_all(line.as_bytes()))
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all());
    write.map_err(SealError::io("writing", &temporary.0))?;
    // A link and no renaming: that would put this key in the place of one that came in between.
    match std::fs::hard_link(&temporary.0, path) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(SealError::io("making", path)(e)),
    }
    drop(temporary);
    sync_folder(folder_of(path))?;
    Ok(true)
}

/// Makes new names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(SealError::io("saving the folder", folder))
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A path in the same folder that nothing else has, hidden and with an ending that says what it is.
pub(crate) fn unused_path(path: &Path, ending: &str) -> Result<PathBuf> {
    let mut random = [0; 8];
    fill(&mut random)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(folder_of(path).join(format!(".{name}.{}.{ending}", hex::encode(random))))
}

/// A file under a name of its own, removed when dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> Result<Self> {
        unused_path(path, "new").map(Self)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is a private file that no one reads.
        let _ = std::fs::remove_file(&self.0);
    }
}

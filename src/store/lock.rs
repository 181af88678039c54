//! One process a data folder.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// Held as long as the process works on the folder; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("the data folder {folder} is in use by {holder}")]
    Held { folder: String, holder: String },
    #[error("the data folder {folder} cannot be used: {source}")]
    Io { folder: String, source: std::io::Error },
}

impl DataLock {
    /// Takes the folder, making it when absent. `who` is what a second process is told, such as `https://…`.
    pub fn take(folder: &Path, who: &str) -> Result<Self, LockError> {
        let name = folder.display().to_string();
        let io = |source| LockError::Io { folder: name.clone(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        private(folder).map_err(io)?;
        let path = folder.join("lock");
        let mut file =
            OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path).map_err(io)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder =
                if holder.is_empty() { "another process".to_owned() } else { holder.trim().to_owned() };
            return Err(LockError::Held { folder: name, holder });
        }
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        write!(file, "process {} ({who})", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }

    /// Whether another process holds the folder, and who.
    pub fn holder(folder: &Path) -> Option<String> {
        let mut file = File::open(folder.join("lock")).ok()?;
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            return None;
        }
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        Some(text)
    }
}

fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

//! Unpacks an archive into a folder of its own: all of it, or nothing is left.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::archive_entry::Summary;
use crate::archive_reader::{ArchiveReader, Entry};
use crate::archive_stream::PART;
use crate::error::{Result, SealError};
use crate::private_file::{folder_of, sync_folder, unused_path};
use crate::tenant::TenantKey;

/// What an archive may fill the disk with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Number of files.
    pub files: u64,
}

impl Limits {
    fn check(self, seen: Summary) -> Result<()> {
        if seen.bytes > self.bytes {
            return Err(SealError::Limit { what: "bytes", most: self.bytes });
        }
        if seen.files > self.files {
            return Err(SealError::Limit { what: "files", most: self.files });
        }
        Ok(())
    }
}

impl<R: Read> ArchiveReader<R> {
    /// Unpacks everything to the folder `dir`, which must not exist; the folder above it must. It appears, whole and
    /// saved to disk, after the last byte was checked; when something fails, what was written is removed. Folders get
    /// the mode 0700. Empty folders do not exist in archives.
    pub fn extract_to(self, key: &TenantKey, dir: &Path, limits: Limits) -> Result<Summary> {
        refuse_occupied(dir)?;
        let mut entries = self.entries(key)?;
        let unpacked = Unpacked::beside(dir)?;
        // The size that an entry claims counts before a byte of it is written.
        while let Some(entry) = entries.next_entry()? {
            limits.check(entry.seen())?;
            unpacked.write(entry)?;
        }
        unpacked.keep(dir)?;
        Ok(entries.summary())
    }
}

fn refuse_occupied(dir: &Path) -> Result<()> {
    match std::fs::symlink_metadata(dir) {
        Ok(_) => Err(SealError::Occupied(dir.to_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(SealError::io("looking at", dir)(e)),
    }
}

/// A folder that no one else can write to, removed with all that is in it unless kept.
struct Unpacked {
    root: PathBuf,
}

impl Unpacked {
    fn beside(dir: &Path) -> Result<Self> {
        let root = unused_path(dir, "part")?;
        DirBuilder::new().mode(0o700).create(&root).map_err(SealError::io("making the folder", &root))?;
        Ok(Self { root })
    }

    fn write<R: Read>(&self, mut entry: Entry<'_, R>) -> Result<()> {
        // The path was checked when it was read, and nothing but plain files and folders is ever made below the root.
        let path = self.root.join(entry.path());
        let clash = |e: std::io::Error, entry: &Entry<'_, R>| match e.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                let reason = "it clashes with another one";
                SealError::Path { path: entry.path().to_owned(), reason }
            }
            _ => SealError::io("writing", &path)(e),
        };
        let folder = folder_of(&path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| clash(e, &entry))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(entry.mode())
            .open(&path)
            .map_err(|e| clash(e, &entry))?;
        file.set_permissions(Permissions::from_mode(entry.mode()))
            .map_err(SealError::io("writing", &path))?;
        let mut buffer = Zeroizing::new(vec![0; PART.min(entry.size() as usize)]);
        loop {
            match entry.read_some(&mut buffer)? {
                0 => return Ok(()),
                count => file.write_all(&buffer[..count]).map_err(SealError::io("writing", &path))?,
            }
        }
    }

    /// Gives the folder its name, once everything in it is on disk.
    fn keep(self, dir: &Path) -> Result<()> {
        // One call for the whole file system: a call for each of many small files would take minutes.
        let saved = File::open(&self.root).and_then(|root| Ok(rustix::fs::syncfs(&root)?));
        saved.map_err(SealError::io("saving the folder", &self.root))?;
        refuse_occupied(dir)?;
        std::fs::rename(&self.root, dir).map_err(SealError::io("making the folder", dir))?;
        sync_folder(folder_of(dir))
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // After keeping there is nothing under this name. What cannot be removed is hidden, private and named so that
        // it can be told apart.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

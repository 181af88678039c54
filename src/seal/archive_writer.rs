//! Writes an archive from first to last byte, in bounded memory.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::archive_entry::{EntryHead, Seen, Summary, check_path};
use crate::archive_head::{Head, SALT};
use crate::archive_stream::{PART, PartWriter};
use crate::error::{Result, SealError};
use crate::secret::fill;
use crate::tenant::TenantKey;

/// Writes files into an archive. Without [`finish`](Self::finish) what was written is a cut-off archive and opens as
/// such. It writes in pieces of up to 64 KiB, so `out` needs no buffer. Saving `out` to disk (fsync) is the caller's
/// matter.
pub struct ArchiveWriter<W> {
    parts: PartWriter<W>,
    seen: Seen,
    broken: bool,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive. The header, at most [`MAX_HEADER`](crate::MAX_HEADER) bytes as JSON, is readable for
    /// everyone.
    pub fn new(out: W, header: &Value, key: &TenantKey) -> Result<Self> {
        let mut salt = [0; SALT];
        fill(&mut salt)?;
        Self::with_salt(out, header, key, salt)
    }

    pub(crate) fn with_salt(out: W, header: &Value, key: &TenantKey, salt: [u8; SALT]) -> Result<Self> {
        let parts = PartWriter::new(out, Head::create(header, key, salt)?)?;
        Ok(Self { parts, seen: Seen::default(), broken: false })
    }

    /// Adds a plain file, with mode 0700 if its owner may execute it, else 0600. A link is refused, and so is a file
    /// that grows or shrinks meanwhile.
    pub fn add_file(&mut self, path_in_archive: &str, file: &Path) -> Result<()> {
        check_path(path_in_archive)?;
        let content = open_plain(file)?;
        let meta = content.metadata().map_err(SealError::io("looking at", file))?;
        if !meta.is_file() {
            return Err(SealError::NotAFile(file.to_owned()));
        }
        let executable = meta.mode() & 0o100 != 0;
        let entry = EntryHead { path: path_in_archive.to_owned(), executable, size: meta.size() };
        self.add(entry, content)
    }

    /// Adds what a reader gives, which must be exactly `size` bytes. Unpacked, it has the mode 0600.
    pub fn add_reader(&mut self, path_in_archive: &str, size: u64, content: impl Read) -> Result<()> {
        check_path(path_in_archive)?;
        self.add(EntryHead { path: path_in_archive.to_owned(), executable: false, size }, content)
    }

    /// How much was added so far.
    pub fn summary(&self) -> Summary {
        self.seen.summary
    }

    /// Writes the manifest and the end, and gives the output back.
    pub fn finish(mut self) -> Result<W> {
        if self.broken {
            return Err(SealError::Broken);
        }
        self.parts.write(&self.seen.summary.encode())?;
        self.parts.finish()
    }

    fn add(&mut self, entry: EntryHead, content: impl Read) -> Result<()> {
        if self.broken {
            return Err(SealError::Broken);
        }
        self.seen.add(&entry)?;
        self.broken = true;
        self.parts.write(&entry.encode())?;
        let hash = self.copy(&entry, content)?;
        self.parts.write(&hash)?;
        self.broken = false;
        Ok(())
    }

    /// Copies exactly the announced bytes and returns their SHA-256.
    fn copy(&mut self, entry: &EntryHead, mut content: impl Read) -> Result<[u8; 32]> {
        let mut buffer = Zeroizing::new(vec![0; PART]);
        let (mut left, mut hash) = (entry.size, Sha256::new());
        loop {
            match content.read(&mut buffer) {
                Ok(0) if left == 0 => return Ok(hash.finalize().into()),
                Ok(count) if count > 0 && count as u64 <= left => {
                    hash.update(&buffer[..count]);
                    self.parts.write(&buffer[..count])?;
                    left -= count as u64;
                }
                Ok(_) => return Err(SealError::Changed { path: entry.path.clone(), size: entry.size }),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(SealError::io("reading", Path::new(&entry.path))(e)),
            }
        }
    }
}

/// Opens without following a link in the last place and without waiting for a pipe's other end.
fn open_plain(path: &Path) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => Err(SealError::NotAFile(path.to_owned())),
        Err(e) => Err(SealError::io("opening", path)(e.into())),
    }
}

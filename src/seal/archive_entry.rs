//! What stands inside the encrypted part: entries, then a manifest. All numbers are big-endian:
//!
//! | entry | | manifest | |
//! | --- | --- | --- | --- |
//! | 1 | `0x01` | 1 | `0x02` |
//! | 2 | length of the path | 8 | number of entries |
//! | … | path, UTF-8 | 8 | bytes of all contents |
//! | 1 | 0 for mode 0600, 1 for 0700 | | |
//! | 8 | length of the content | | |
//! | … | content | | |
//! | 32 | SHA-256 of the content | | |

use std::collections::HashSet;
use std::io::Read;

use sha2::{Digest, Sha256};

use crate::archive_stream::PartReader;
use crate::error::{Result, SealError};

/// Bytes of the longest path of an entry.
pub const MAX_PATH: usize = 1024;
/// Entries of the largest archive.
pub const MAX_ENTRIES: u64 = 1_000_000;

const MAX_NAME: usize = 255;
const MAX_DEPTH: usize = 32;
const ENTRY: u8 = 1;
const MANIFEST: u8 = 2;

/// How much is in an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number of entries.
    pub files: u64,
    /// Bytes of their contents.
    pub bytes: u64,
}

/// What stands before an entry's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryHead {
    pub path: String,
    pub executable: bool,
    pub size: u64,
}

pub(crate) enum Record {
    Entry(EntryHead),
    Manifest(Summary),
}

impl EntryHead {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![ENTRY];
        bytes.extend_from_slice(&(self.path.len() as u16).to_be_bytes());
        bytes.extend_from_slice(self.path.as_bytes());
        bytes.push(u8::from(self.executable));
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes
    }
}

impl Summary {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [&[MANIFEST][..], &self.files.to_be_bytes(), &self.bytes.to_be_bytes()].concat()
    }
}

impl Record {
    /// Reads what comes next and checks an entry's path.
    pub(crate) fn read(stream: &mut PartReader<impl Read>) -> Result<Self> {
        match stream.read_array()? {
            [ENTRY] => read_entry(stream).map(Self::Entry),
            [MANIFEST] => {
                let files = u64::from_be_bytes(stream.read_array()?);
                let bytes = u64::from_be_bytes(stream.read_array()?);
                Ok(Self::Manifest(Summary { files, bytes }))
            }
            _ => Err(SealError::Content("it has something that is neither entry nor manifest")),
        }
    }
}

fn read_entry(stream: &mut PartReader<impl Read>) -> Result<EntryHead> {
    let length = u16::from_be_bytes(stream.read_array()?) as usize;
    if length > MAX_PATH {
        return Err(SealError::Content("a path is too long"));
    }
    let mut path = vec![0; length];
    stream.read_exact(&mut path)?;
    let path = String::from_utf8(path).map_err(|_| SealError::Content("a path is not UTF-8"))?;
    check_path(&path)?;
    let executable = match stream.read_array()? {
        [0] => false,
        [1] => true,
        _ => return Err(SealError::Content("a file has an unknown mode")),
    };
    Ok(EntryHead { path, executable, size: u64::from_be_bytes(stream.read_array()?) })
}

/// Whether a path stays inside the folder that it is unpacked to, on every file system.
pub(crate) fn check_path(path: &str) -> Result<()> {
    let refuse = |reason| SealError::Path { path: path.chars().take(100).collect(), reason };
    if path.is_empty() || path.len() > MAX_PATH {
        return Err(refuse("it is empty or too long"));
    }
    if path.starts_with('/') {
        return Err(refuse("it is absolute"));
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return Err(refuse("it has a control character or a backslash"));
    }
    if path.split('/').count() > MAX_DEPTH {
        return Err(refuse("it is too deep"));
    }
    for name in path.split('/') {
        match name {
            "" | "." | ".." => return Err(refuse("it has a part that is empty, '.' or '..'")),
            _ if name.len() > MAX_NAME => return Err(refuse("it has too long a name")),
            _ => {}
        }
    }
    Ok(())
}

/// Counts entries and remembers their paths, by hash so that a million of them take little memory.
#[derive(Default)]
pub(crate) struct Seen {
    pub summary: Summary,
    paths: HashSet<[u8; 16]>,
}

impl Seen {
    /// Notes one more entry, if there may be one of this path and size.
    pub(crate) fn add(&mut self, entry: &EntryHead) -> Result<()> {
        let Summary { files, bytes } = self.summary;
        if files == MAX_ENTRIES {
            return Err(SealError::Limit { what: "files", most: MAX_ENTRIES });
        }
        let bytes = bytes.checked_add(entry.size);
        let bytes = bytes.ok_or(SealError::Content("its files are larger than numbers are"))?;
        let hash = Sha256::digest(&entry.path);
        if !self.paths.insert(*hash.first_chunk().expect("a hash has 32 bytes")) {
            let reason = "it is there already";
            return Err(SealError::Path { path: entry.path.clone(), reason });
        }
        self.summary = Summary { files: files + 1, bytes };
        Ok(())
    }
}

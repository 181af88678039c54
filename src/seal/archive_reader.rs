//! Reads an archive from first to last byte, in bounded memory. Only authentic bytes are given out; that nothing is
//! missing is known when the last entry was read.

use std::io::{self, Read};

use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::archive_entry::{EntryHead, Record, Seen, Summary};
use crate::archive_head::Head;
use crate::archive_stream::{PART, PartReader};
use crate::error::{Result, SealError};
use crate::tenant::TenantKey;

/// An archive whose header was read.
pub struct ArchiveReader<R> {
    input: R,
    head: Head,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads the header. It reads in pieces of up to 64 KiB afterwards, so `input` needs no buffer.
    pub fn new(mut input: R) -> Result<Self> {
        let head = Head::read(&mut input)?;
        Ok(Self { input, head })
    }

    /// What the caller wrote at the beginning. Not to be trusted before [`entries`](Self::entries) gave something:
    /// until then anyone could have changed it.
    pub fn header(&self) -> &Value {
        &self.head.header
    }

    /// Begins to read the content. An archive of another key is told as such; a changed header shows with the first
    /// entry.
    pub fn entries(self, key: &TenantKey) -> Result<Entries<R>> {
        let parts = PartReader::new(self.input, self.head.open(key)?)?;
        Ok(Entries { parts, seen: Seen::default(), current: None, state: State::Going })
    }
}

/// The entries in their order.
pub struct Entries<R> {
    parts: PartReader<R>,
    seen: Seen,
    current: Option<Current>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Going,
    Failed,
    Done,
}

/// The entry that is being read.
struct Current {
    head: EntryHead,
    left: u64,
    hash: Sha256,
}

impl<R: Read> Entries<R> {
    /// The next entry, after whatever was left of the one before; nothing when the archive was read to its authentic
    /// end. After an error only [`SealError::Broken`] comes.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_, R>>> {
        if self.state == State::Going {
            self.guarded(Self::advance)?;
        }
        match self.state {
            State::Going => Ok(Some(Entry { entries: self })),
            State::Done => Ok(None),
            State::Failed => Err(SealError::Broken),
        }
    }

    /// Reads the rest, checks all of it and says how much the whole archive holds.
    pub fn verify(mut self) -> Result<Summary> {
        while self.next_entry()?.is_some() {}
        Ok(self.seen.summary)
    }

    /// How much was begun to be read so far; after the last entry, what the archive holds.
    pub fn summary(&self) -> Summary {
        self.seen.summary
    }

    /// After a failure nothing more is read: the place in the stream is lost.
    fn guarded<T>(&mut self, action: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.state == State::Failed {
            return Err(SealError::Broken);
        }
        let result = action(self);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    fn advance(&mut self) -> Result<()> {
        let mut buffer = Zeroizing::new(Vec::new());
        while self.current.as_ref().is_some_and(|entry| entry.left > 0) {
            buffer.resize(PART, 0);
            self.read_content(&mut buffer)?;
        }
        self.current = None;
        match Record::read(&mut self.parts)? {
            Record::Entry(head) => {
                self.seen.add(&head)?;
                let empty = head.size == 0;
                self.current = Some(Current { left: head.size, head, hash: Sha256::new() });
                if empty { self.check_content() } else { Ok(()) }
            }
            Record::Manifest(summary) if summary == self.seen.summary => self.end(),
            Record::Manifest(_) => Err(SealError::Content("its manifest counts other entries")),
        }
    }

    fn end(&mut self) -> Result<()> {
        if self.parts.read(&mut [0])? > 0 {
            return Err(SealError::Content("something follows its manifest"));
        }
        self.state = State::Done;
        Ok(())
    }

    /// Reads of the current entry; its checksum is compared before its last bytes are given out.
    fn read_content(&mut self, out: &mut [u8]) -> Result<usize> {
        let Some(entry) = &mut self.current else { return Ok(0) };
        let wanted = (out.len() as u64).min(entry.left) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.parts.read(&mut out[..wanted])?;
        if count == 0 {
            return Err(SealError::Content("it ends too early"));
        }
        entry.hash.update(&out[..count]);
        entry.left -= count as u64;
        if entry.left == 0 {
            self.check_content()?;
        }
        Ok(count)
    }

    fn check_content(&mut self) -> Result<()> {
        let wanted: [u8; 32] = self.parts.read_array()?;
        let Some(entry) = &mut self.current else { return Ok(()) };
        if entry.hash.finalize_reset().as_slice() == wanted {
            Ok(())
        } else {
            Err(SealError::Checksum { path: entry.head.path.clone() })
        }
    }
}

/// One file of an archive. Its content comes by [`Read`]; what is not read is skipped.
pub struct Entry<'a, R> {
    entries: &'a mut Entries<R>,
}

impl<R: Read> Entry<'_, R> {
    /// Relative, with '/' between plain names; never leads out of the folder it is joined to.
    pub fn path(&self) -> &str {
        &self.head().path
    }

    /// Bytes of the content.
    pub fn size(&self) -> u64 {
        self.head().size
    }

    /// The permissions to give the file, 0600 or 0700.
    pub fn mode(&self) -> u32 {
        if self.head().executable { 0o700 } else { 0o600 }
    }

    /// What was begun up to and with this entry.
    pub(crate) fn seen(&self) -> Summary {
        self.entries.seen.summary
    }

    /// As [`Read::read`], with this crate's errors.
    pub fn read_some(&mut self, out: &mut [u8]) -> Result<usize> {
        self.entries.guarded(|entries| entries.read_content(out))
    }

    fn head(&self) -> &EntryHead {
        &self.entries.current.as_ref().expect("an entry is only given out while it is current").head
    }
}

impl<R: Read> Read for Entry<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_some(out)?)
    }
}

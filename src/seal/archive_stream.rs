//! The encrypted part of an archive: parts of 64 KiB, each sealed with its number and with whether it is the last
//! (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015, with the nonces of c2sp.org/age,
//! "Payload"). So no part can be changed, left out, doubled, moved or appended without notice.

use std::io::{ErrorKind, Read, Write};

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use zeroize::Zeroizing;

use crate::error::{Result, SealError};
use crate::secret::Secret;

/// Bytes of plaintext in every part but the last, which has 1 to this many.
pub(crate) const PART: usize = 64 * 1024;
pub(crate) const TAG: usize = 16;

/// A key that seals one archive and nothing else, so that numbers can be nonces.
pub(crate) struct PartCipher {
    cipher: ChaCha20Poly1305,
    /// What goes before the parts, authenticated with the first one.
    head: Vec<u8>,
}

impl PartCipher {
    pub(crate) fn new(key: &Secret, head: Vec<u8>) -> Self {
        Self { cipher: ChaCha20Poly1305::new(key.bytes().into()), head }
    }

    /// Seals in place and appends the tag.
    fn seal(&self, number: u64, last: bool, part: &mut Vec<u8>) {
        let tag = self
            .cipher
            .encrypt_in_place_detached(&nonce(number, last), self.aad(number), part)
            .expect("a part is shorter than the cipher's limit");
        part.extend_from_slice(&tag);
    }

    /// Opens in place and takes the tag off; leaves the part as it was if it does not open.
    fn open(&self, number: u64, last: bool, part: &mut Vec<u8>) -> bool {
        let Some(length) = part.len().checked_sub(TAG) else { return false };
        let (text, tag) = part.split_at_mut(length);
        let tag = Tag::clone_from_slice(tag);
        let nonce = nonce(number, last);
        let opened = self.cipher.decrypt_in_place_detached(&nonce, self.aad(number), text, &tag).is_ok();
        if opened {
            part.truncate(length);
        }
        opened
    }

    fn aad(&self, number: u64) -> &[u8] {
        if number == 0 { &self.head } else { &[] }
    }
}

/// The part's number in 11 bytes, big-endian, then 1 for the last part and 0 for others.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

pub(crate) struct PartWriter<W> {
    out: W,
    cipher: PartCipher,
    part: Zeroizing<Vec<u8>>,
    number: u64,
}

impl<W: Write> PartWriter<W> {
    /// Writes the head at once.
    pub(crate) fn new(mut out: W, cipher: PartCipher) -> Result<Self> {
        out.write_all(&cipher.head).map_err(SealError::stream("writing"))?;
        let part = Zeroizing::new(Vec::with_capacity(PART + TAG));
        Ok(Self { out, cipher, part, number: 0 })
    }

    pub(crate) fn write(&mut self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            // A full part waits until more comes: it could be the last one.
            if self.part.len() == PART {
                self.put(false)?;
            }
            let (now, later) = data.split_at(data.len().min(PART - self.part.len()));
            self.part.extend_from_slice(now);
            data = later;
        }
        Ok(())
    }

    /// Seals what is left as the last part and gives the output back.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.put(true)?;
        self.out.flush().map_err(SealError::stream("writing"))?;
        Ok(self.out)
    }

    fn put(&mut self, last: bool) -> Result<()> {
        self.cipher.seal(self.number, last, &mut self.part);
        self.out.write_all(&self.part).map_err(SealError::stream("writing"))?;
        self.part.clear();
        self.number += 1;
        Ok(())
    }
}

pub(crate) struct PartReader<R> {
    input: R,
    cipher: PartCipher,
    /// The opened part, and how much of it was given out.
    part: Zeroizing<Vec<u8>>,
    given: usize,
    /// The sealed part after it; empty after the last.
    ahead: Vec<u8>,
    number: u64,
    failed: bool,
}

impl<R: Read> PartReader<R> {
    /// Reads from where the head ends.
    pub(crate) fn new(input: R, cipher: PartCipher) -> Result<Self> {
        let (part, ahead) = (Zeroizing::new(Vec::new()), Vec::new());
        let mut reader = Self { input, cipher, part, given: 0, ahead, number: 0, failed: false };
        reader.read_ahead()?;
        if reader.ahead.is_empty() { Err(SealError::Truncated { at: reader.offset() }) } else { Ok(reader) }
    }

    /// Gives out authentic bytes; 0 only after the last part, or for an empty `out`.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.failed {
            return Err(SealError::Damaged { part: self.number + 1, at: self.offset() });
        }
        if self.given == self.part.len() && !self.ahead.is_empty() && !out.is_empty() {
            self.open_next()?;
        }
        let ready = &self.part[self.given..];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }

    /// Fills `out`; an authentic stream that is shorter is no archive.
    pub(crate) fn read_exact(&mut self, mut out: &mut [u8]) -> Result<()> {
        while !out.is_empty() {
            match self.read(out)? {
                0 => return Err(SealError::Content("it ends too early")),
                count => out = &mut out[count..],
            }
        }
        Ok(())
    }

    pub(crate) fn read_array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        self.read_exact(&mut array)?;
        Ok(array)
    }

    fn open_next(&mut self) -> Result<()> {
        // Set first: after an error of reading, the place in the input is unknown.
        self.failed = true;
        std::mem::swap(&mut *self.part, &mut self.ahead);
        self.read_ahead()?;
        let last = self.ahead.is_empty();
        if !self.cipher.open(self.number, last, &mut self.part) {
            return Err(self.why_closed(last));
        }
        self.given = 0;
        self.number += 1;
        self.failed = false;
        Ok(())
    }

    /// Tells a changed part from one that is right and has the other mark: then what should follow it is missing, or
    /// what follows it should not be there.
    fn why_closed(&mut self, last: bool) -> SealError {
        let at = self.offset();
        let end = at + self.part.len() as u64;
        match (self.cipher.open(self.number, !last, &mut self.part), last) {
            (false, _) => SealError::Damaged { part: self.number + 1, at },
            (true, true) => SealError::Truncated { at: end },
            (true, false) => SealError::Appended { at: end },
        }
    }

    /// Reads a sealed part, as far as there is one.
    fn read_ahead(&mut self) -> Result<()> {
        self.ahead.resize(PART + TAG, 0);
        let mut filled = 0;
        while filled < self.ahead.len() {
            match self.input.read(&mut self.ahead[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(SealError::stream("reading")(e)),
            }
        }
        self.ahead.truncate(filled);
        Ok(())
    }

    /// Where in the archive the part that is opened next begins.
    fn offset(&self) -> u64 {
        self.cipher.head.len() as u64 + self.number * (PART + TAG) as u64
    }
}

//! The bundle: one uncompressed ustar archive (POSIX.1-1988) with the manifest first, then exactly the files it names.
//!
//! Read while it arrives. Nothing in it decides where something is written: names are checked by the manifest, and every
//! size and hash must be the manifest's, so there is nothing to unpack that was not announced.

use sha2::{Digest, Sha256};

use crate::manifest::{MANIFEST, MANIFEST_BYTES, Manifest, refused};
use crate::stage::Folder;
use lectern_kernel::Result;

const BLOCK: usize = 512;
/// The place behind the manifest that a signature of it may have.
pub(crate) const SIGNATURE: &str = "manifest.sig";
const SIGNATURE_BYTES: usize = 64 << 10;

/// Whether a file that begins like this is a bundle.
pub(crate) fn is_bundle(start: &[u8]) -> bool {
    start.len() >= BLOCK && header(&start[..BLOCK]).is_ok_and(|h| h.is_some_and(|h| h.name == MANIFEST))
}

struct Header {
    name: String,
    bytes: u64,
}

/// A header block; none when it is the zeros that end an archive.
fn header(block: &[u8]) -> Result<Option<Header>> {
    if block.iter().all(|b| *b == 0) {
        return Ok(None);
    }
    let broken = || refused("The bundle is damaged: an entry's header is no header.");
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, b)| if (148..156).contains(&at) { 32 } else { u64::from(*b) })
        .sum();
    if octal(&block[148..156]) != Some(sum) || &block[257..262] != b"ustar" {
        return Err(broken());
    }
    let name = text(&block[..100]).ok_or_else(broken)?;
    if !matches!(block[156], b'0' | 0) || block[345] != 0 {
        return Err(refused(format!("'{}' in the bundle is no plain file at its top.", name.escape_debug())));
    }
    let bytes = octal(&block[124..136])
        .ok_or_else(|| refused(format!("The bundle gives no size for '{}'.", name.escape_debug())))?;
    Ok(Some(Header { name, bytes }))
}

fn text(field: &[u8]) -> Option<String> {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    std::str::from_utf8(&field[..end]).ok().map(str::to_owned)
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = text(field)?;
    u64::from_str_radix(digits.trim(), 8).ok()
}

enum State {
    /// Collects a header.
    Header,
    /// Collects the manifest or its signature.
    Small { name: String, left: u64, padding: u64, bytes: Vec<u8> },
    /// Writes the file of this index.
    File { index: usize, left: u64, padding: u64, hash: Sha256 },
    /// Reads past what fills a block.
    Padding { left: u64 },
    /// The closing zeros were seen.
    End,
}

/// Takes a bundle in pieces and writes its files into a folder.
pub(crate) struct Unpacker {
    state: State,
    block: Vec<u8>,
    manifest: Option<Manifest>,
    done: Vec<bool>,
    most_bytes: u64,
}

impl Unpacker {
    pub fn new(most_bytes: u64) -> Self {
        Self {
            state: State::Header,
            block: Vec::with_capacity(BLOCK),
            manifest: None,
            done: Vec::new(),
            most_bytes,
        }
    }

    /// The next piece.
    pub fn push(&mut self, mut data: &[u8], folder: &mut Folder) -> Result<()> {
        while !data.is_empty() {
            let used = match &mut self.state {
                State::Header => {
                    let used = data.len().min(BLOCK - self.block.len());
                    self.block.extend_from_slice(&data[..used]);
                    if self.block.len() == BLOCK {
                        let block = std::mem::take(&mut self.block);
                        self.begin(header(&block)?, folder)?;
                    }
                    used
                }
                State::Small { left, bytes, .. } => {
                    let used = take(left, data.len());
                    bytes.extend_from_slice(&data[..used]);
                    used
                }
                State::File { left, hash, .. } => {
                    let used = take(left, data.len());
                    hash.update(&data[..used]);
                    folder.write(&data[..used])?;
                    used
                }
                State::Padding { left } => take(left, data.len()),
                // What pads an archive to a record is not looked at.
                State::End => data.len(),
            };
            data = &data[used..];
            self.settle(folder)?;
        }
        Ok(())
    }

    fn begin(&mut self, header: Option<Header>, folder: &mut Folder) -> Result<()> {
        let Some(Header { name, bytes }) = header else {
            self.state = State::End;
            return Ok(());
        };
        let padding = bytes.next_multiple_of(BLOCK as u64) - bytes;
        let small = match &self.manifest {
            None if name == MANIFEST => Some(MANIFEST_BYTES),
            None => return Err(refused("The bundle does not begin with its manifest.")),
            Some(_) if name == SIGNATURE && !self.done.contains(&true) => Some(SIGNATURE_BYTES),
            Some(_) => None,
        };
        if let Some(most) = small {
            if bytes > most as u64 {
                return Err(refused(format!("'{name}' in the bundle is larger than {} KiB.", most >> 10)));
            }
            self.state = State::Small { name, left: bytes, padding, bytes: Vec::new() };
            return Ok(());
        }
        let index = self.expected(&name, bytes)?;
        folder.begin(&name)?;
        self.state = State::File { index, left: bytes, padding, hash: Sha256::new() };
        Ok(())
    }

    /// Which of the manifest's files this entry is.
    fn expected(&self, name: &str, bytes: u64) -> Result<usize> {
        let files = self.manifest.as_ref().map(|m| m.files.as_slice()).unwrap_or_default();
        let found = files.iter().position(|file| file.name == name);
        let Some(index) = found.filter(|index| !self.done[*index]) else {
            return Err(refused(format!(
                "The bundle has '{}', which its manifest does not name or which came before.",
                name.escape_debug()
            )));
        };
        if files[index].bytes != bytes {
            return Err(refused(format!(
                "'{name}' has {bytes} bytes in the bundle and {} in its manifest.",
                files[index].bytes
            )));
        }
        Ok(index)
    }

    /// Goes on when the present part is whole; also for parts without a byte.
    fn settle(&mut self, folder: &mut Folder) -> Result<()> {
        loop {
            let padding = match &mut self.state {
                State::Small { left: 0, name, bytes, padding } => {
                    let (name, bytes, padding) = (std::mem::take(name), std::mem::take(bytes), *padding);
                    self.small(&name, &bytes)?;
                    padding
                }
                State::File { left: 0, index, hash, padding } => {
                    let (index, padding) = (*index, *padding);
                    let found = hex::encode(std::mem::take(hash).finalize());
                    folder.end()?;
                    self.whole(index, &found)?;
                    padding
                }
                State::Padding { left: 0 } => {
                    self.state = State::Header;
                    return Ok(());
                }
                _ => return Ok(()),
            };
            self.state = State::Padding { left: padding };
        }
    }

    fn small(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if name != MANIFEST {
            return Ok(());
        }
        let manifest = Manifest::parse(bytes)?;
        let most = self.most_bytes;
        let total = manifest.files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.bytes));
        if total.is_none_or(|total| total > most) {
            return Err(crate::stage::too_large(most));
        }
        self.done = vec![false; manifest.files.len()];
        self.manifest = Some(manifest);
        Ok(())
    }

    fn whole(&mut self, index: usize, found: &str) -> Result<()> {
        self.done[index] = true;
        let file = self.manifest.as_ref().map(|m| &m.files[index]);
        match file {
            Some(file) if file.sha256 != found => Err(refused(format!(
                "'{}' in the bundle is damaged: its SHA-256 begins with {}, the manifest says {}.",
                file.name,
                &found[..12],
                &file.sha256[..12]
            ))
            .hint("Copy the bundle again from where it was made.")),
            _ => Ok(()),
        }
    }

    /// The manifest, when everything it names has come.
    pub fn finish(self) -> Result<Manifest> {
        let Some(manifest) = self.manifest else {
            return Err(refused("The bundle ends before its manifest does."));
        };
        if let Some(missing) = self.done.iter().position(|done| !done) {
            return Err(refused(format!(
                "The bundle ends before '{}' is whole.",
                manifest.files[missing].name
            ))
            .hint("Copy the bundle again from where it was made."));
        }
        Ok(manifest)
    }
}

fn take(left: &mut u64, available: usize) -> usize {
    let used = (*left).min(available as u64);
    *left -= used;
    used as usize
}

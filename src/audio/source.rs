//! Where bytes come from, counted: a file that makes its reader go round and round ends with an error.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Mutex;

use symphonia::core::io::MediaSource;

/// How many times its own length may be read: containers read the end first, then the start.
const ROUNDS: u64 = 4;
/// What small files may read whatever their length.
const FLOOR: u64 = 4 << 20;

/// A source that can go back.
pub(crate) struct Seekable<R> {
    // The library asks for `Sync`; with a lock around it every `Send` reader is.
    inner: Mutex<R>,
    length: u64,
    left: u64,
}

impl<R: Read + Seek> Seekable<R> {
    pub(crate) fn new(mut inner: R) -> io::Result<Self> {
        let length = inner.seek(SeekFrom::End(0))?;
        inner.seek(SeekFrom::Start(0))?;
        Ok(Self {
            inner: Mutex::new(inner),
            length,
            left: length.saturating_mul(ROUNDS).saturating_add(FLOOR),
        })
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

fn unlocked<R>(inner: &mut Mutex<R>) -> &mut R {
    inner.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<R: Read> Read for Seekable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = unlocked(&mut self.inner).read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the file leads in circles"))?;
        Ok(read)
    }
}

impl<R: Seek> Seek for Seekable<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // A seek costs as well, so that a circle without reading ends too.
        self.left = self
            .left
            .checked_sub(64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the file leads in circles"))?;
        unlocked(&mut self.inner).seek(to)
    }
}

impl<R: Read + Seek + Send> MediaSource for Seekable<R> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// A source that only goes forward.
pub(crate) struct Stream<R> {
    inner: Mutex<R>,
    left: u64,
}

impl<R> Stream<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        Self { inner: Mutex::new(inner), left: limit }
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = unlocked(&mut self.inner).read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "more bytes than allowed"))?;
        Ok(read)
    }
}

impl<R> Seek for Stream<R> {
    fn seek(&mut self, _to: SeekFrom) -> io::Result<u64> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "a stream cannot go back"))
    }
}

impl<R: Read + Send> MediaSource for Stream<R> {
    fn is_seekable(&self) -> bool {
        false
    }

    fn byte_len(&self) -> Option<u64> {
        None
    }
}

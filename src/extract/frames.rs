//! The frames between the server and its reading child: one byte of kind, four of length (little endian), the payload.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Extracted, Format, Limits, Source};
use crate::ocr::Tesseract;

/// Server to child: [`Setup`], once.
pub(crate) const SETUP: u8 = b'S';
/// Server to child: [`Job`], followed by the bytes of the file outside any frame.
pub(crate) const JOB: u8 = b'J';
/// Child to server: [`Ready`].
pub(crate) const READY: u8 = b'Y';
/// Child to server: one byte, percent.
pub(crate) const PROGRESS: u8 = b'P';
/// Child to server: [`Done`].
pub(crate) const DONE: u8 = b'D';
/// Child to server: an `ExtractError`.
pub(crate) const FAILED: u8 = b'E';

pub(crate) const HEAD: usize = 5;
/// Setup and job frames are small; anything larger is not ours.
const MOST_CONTROL: usize = 1 << 20;

/// What the child is allowed, said once when it starts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub memory_bytes: u64,
    pub output_bytes: usize,
    pub scratch: PathBuf,
    pub tesseract: Option<Tesseract>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub source: Source,
    pub limits: Limits,
    pub cpu_seconds: u64,
    pub bytes: u64,
}

/// The child is locked in; `warnings` are the locks that this kernel lacks.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub warnings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub format: Format,
    pub extracted: Extracted,
}

pub(crate) fn head(kind: u8, payload: &[u8]) -> io::Result<[u8; HEAD]> {
    let length = u32::try_from(payload.len()).map_err(|_| io::Error::other("frame too long"))?;
    let [a, b, c, d] = length.to_le_bytes();
    Ok([kind, a, b, c, d])
}

pub(crate) fn parse_head(head: [u8; HEAD]) -> (u8, usize) {
    let [kind, length @ ..] = head;
    (kind, u32::from_le_bytes(length) as usize)
}

/// Write a frame; the child's side.
pub(crate) fn send(out: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    out.write_all(&head(kind, payload)?)?;
    out.write_all(payload)?;
    out.flush()
}

/// Read a control frame; the child's side. `None` at the end of the stream.
pub(crate) fn receive(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; HEAD];
    match input.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let (kind, length) = parse_head(head);
    if length > MOST_CONTROL {
        return Err(io::Error::other("control frame too long"));
    }
    let mut payload = vec![0; length];
    input.read_exact(&mut payload)?;
    Ok(Some((kind, payload)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_there_and_back() {
        let mut stream = Vec::new();
        send(&mut stream, PROGRESS, &[42]).unwrap();
        send(&mut stream, JOB, b"{}").unwrap();
        let mut input = stream.as_slice();
        assert_eq!(receive(&mut input).unwrap(), Some((PROGRESS, vec![42])));
        assert_eq!(receive(&mut input).unwrap(), Some((JOB, b"{}".to_vec())));
        assert_eq!(receive(&mut input).unwrap(), None);
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused() {
        assert!(receive(&mut [JOB, 255, 255, 255, 255].as_slice()).is_err());
    }
}

//! OLE2 compound files: reading streams within limits, and the documents that OLE objects carry.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use cfb::CompoundFile;

use crate::encoding;
use crate::model::{ExtractError, Source};
use crate::package::MAX_PART;
use crate::read;
use crate::writer::{TextWriter, damaged};

/// Entries looked at in one file: a directory can be made to go in circles.
const MAX_ENTRIES: usize = 20_000;

pub(crate) fn is_ole(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
}

pub(crate) struct Ole<'a> {
    file: CompoundFile<Cursor<&'a [u8]>>,
    size: u64,
}

impl<'a> Ole<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, ExtractError> {
        let file = CompoundFile::open(Cursor::new(bytes))
            .map_err(|_| damaged("The file is damaged: its directory cannot be read."))?;
        Ok(Self { file, size: bytes.len() as u64 })
    }

    pub fn has(&self, path: &str) -> bool {
        self.file.exists(path)
    }

    /// A stream's bytes. A stream is never larger than the file it is in.
    pub fn stream(&mut self, path: &str) -> Option<Vec<u8>> {
        let stream = self.file.open_stream(path).ok()?;
        let mut bytes = Vec::new();
        // Bytes before a broken sector are still text.
        let _ = stream.take(self.size.min(MAX_PART)).read_to_end(&mut bytes);
        Some(bytes)
    }

    /// Names and kinds (`true`: a storage) of what a storage holds.
    pub fn list(&self, path: &str) -> Vec<(String, bool)> {
        match self.file.read_storage(path) {
            Ok(entries) => {
                entries.take(MAX_ENTRIES).map(|entry| (entry.name().to_owned(), entry.is_storage())).collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// A storage as a file of its own.
    pub fn detach(&mut self, path: &str) -> Option<Vec<u8>> {
        let entries: Vec<_> = self
            .file
            .walk_storage(path)
            .ok()?
            .take(MAX_ENTRIES)
            .map(|e| (e.path().to_owned(), e.is_stream(), *e.clsid()))
            .collect();
        let mut copy = CompoundFile::create(Cursor::new(Vec::new())).ok()?;
        let mut total = 0u64;
        for (from, is_stream, clsid) in entries {
            let Ok(relative) =
                from.strip_prefix(path.trim_start_matches('/')).or_else(|_| from.strip_prefix(path))
            else {
                continue;
            };
            let to = Path::new("/").join(relative);
            if relative.as_os_str().is_empty() {
                let _ = copy.set_storage_clsid("/", clsid);
            } else if is_stream {
                let bytes = self.stream(from.to_str()?)?;
                total += bytes.len() as u64;
                if total > self.size.saturating_mul(2) {
                    return None;
                }
                copy.create_stream(&to).ok()?.write_all(&bytes).ok()?;
            } else {
                copy.create_storage(&to).ok()?;
            }
        }
        copy.flush().ok()?;
        Some(copy.into_inner().into_inner())
    }
}

/// Reads the document an OLE object (`oleObject1.bin`) carries.
pub(crate) fn embed_object(
    bytes: &[u8],
    name: &str,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let Ok(mut file) = Ole::open(bytes) else { return Ok(()) };
    if let Some(native) = file.stream("/\u{1}Ole10Native")
        && let Some((label, data)) = native_data(&native)
    {
        let label = if label.is_empty() { name.to_owned() } else { label };
        return read::embed(&data, &label, source, out);
    }
    for stream in ["/Package", "/CONTENTS", "/EmbeddedOdf", "/package_stream", "/contents"] {
        if let Some(data) = file.stream(stream).filter(|data| !data.is_empty()) {
            out.spend(data.len() as u64)?;
            return read::embed(&data, &renamed(&data, name), source, out);
        }
    }
    read::embed(bytes, name, source, out)
}

/// A `.bin` says nothing; the extension of what is inside does.
fn renamed(data: &[u8], name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match crate::detect::detect(data, name) {
        Some(format) => format!("{stem}.{}", format!("{format:?}").to_lowercase()),
        None => name.to_owned(),
    }
}

/// Name and bytes of a file packed by the Object Packager.
fn native_data(native: &[u8]) -> Option<(String, Vec<u8>)> {
    // Total size, flags, label, path, two words, temporary path with its length, then the data with its length.
    let mut at = 6;
    let label = zero_ended(native, &mut at)?;
    let path = zero_ended(native, &mut at)?;
    at += 4;
    let length = u32_at(native, at)? as usize;
    at = at.checked_add(4)?.checked_add(length)?;
    let size = u32_at(native, at)? as usize;
    at += 4;
    let data = native.get(at..at.checked_add(size)?.min(native.len()))?;
    let name = if label.is_empty() { path } else { label };
    Some((name.rsplit(['\\', '/']).next().unwrap_or_default().to_owned(), data.to_vec()))
}

fn zero_ended(bytes: &[u8], at: &mut usize) -> Option<String> {
    let rest = bytes.get(*at..)?;
    let length = rest.iter().take(1024).position(|byte| *byte == 0)?;
    *at += length + 1;
    Some(encoding::decode(&rest[..length]).into_owned())
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(crate) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Title (2), subject (3), keywords (5) and comments (6) of a summary information stream.
pub(crate) fn summary(file: &mut Ole) -> Vec<(u32, String)> {
    file.stream("/\u{5}SummaryInformation").and_then(|bytes| summary_strings(&bytes)).unwrap_or_default()
}

fn summary_strings(bytes: &[u8]) -> Option<Vec<(u32, String)>> {
    let base = u32_at(bytes, 44)? as usize;
    let count = u32_at(bytes, base.checked_add(4)?)?.min(200) as usize;
    let property = |index: usize| {
        let at = base + 8 + index * 8;
        Some((u32_at(bytes, at)?, base.checked_add(u32_at(bytes, at + 4)? as usize)?))
    };
    let mut page = 0;
    for index in 0..count {
        if let Some((1, at)) = property(index) {
            page = u32_at(bytes, at.checked_add(4)?).unwrap_or(0) & 0xffff;
        }
    }
    let mut found = Vec::new();
    for index in 0..count {
        let Some((id @ (2 | 3 | 5 | 6), at)) = property(index) else { continue };
        let (Some(kind), Some(length)) = (u32_at(bytes, at), u32_at(bytes, at + 4)) else { continue };
        let length = length as usize;
        let text = match kind {
            30 => bytes.get(at + 8..at.saturating_add(8).saturating_add(length)).map(|raw| {
                let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
                encoding::code_page(page).decode_without_bom_handling(&raw[..end]).0.into_owned()
            }),
            31 => bytes
                .get(at + 8..at.saturating_add(8).saturating_add(length.saturating_mul(2)))
                .map(encoding::utf16le),
            _ => None,
        };
        found.extend(text.map(|text| (id, text.trim_matches(['\0', ' ']).to_owned())));
    }
    Some(found)
}

/// Title from the summary, and keywords as a note, as in the newer formats.
pub(crate) fn push_summary(file: &mut Ole, out: &mut TextWriter) -> Result<(), ExtractError> {
    for (id, text) in summary(file) {
        let label = match id {
            3 => "Subject",
            5 => "Keywords",
            6 => "Description",
            _ => continue,
        };
        if !text.trim().is_empty() {
            out.push_block(
                crate::model::BlockKind::Note,
                0,
                &format!("{label}: {text}"),
                None,
                Some("Properties"),
            )?;
        }
    }
    Ok(())
}

pub(crate) fn set_title(file: &mut Ole, out: &mut TextWriter) {
    if let Some((_, title)) = summary(file).into_iter().find(|(id, _)| *id == 2) {
        out.set_title(&title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_files_come_out() {
        let mut native = vec![0, 0, 0, 0, 2, 0];
        native.extend(b"a.txt\0C:\\x\\a.txt\0\0\0\x03\0");
        native.extend(4u32.to_le_bytes());
        native.extend(b"tmp\0");
        native.extend(5u32.to_le_bytes());
        native.extend(b"hello");
        assert_eq!(native_data(&native), Some(("a.txt".to_owned(), b"hello".to_vec())));
        assert_eq!(native_data(&native[..20]), None);
    }

    #[test]
    fn storages_detach() {
        let mut file = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        file.create_storage("/pool").unwrap();
        file.create_storage("/pool/_1").unwrap();
        file.create_stream("/pool/_1/data").unwrap().write_all(b"inner").unwrap();
        file.flush().unwrap();
        let bytes = file.into_inner().into_inner();
        let detached = Ole::open(&bytes).unwrap().detach("/pool/_1").unwrap();
        assert_eq!(Ole::open(&detached).unwrap().stream("/data").unwrap(), b"inner");
    }
}

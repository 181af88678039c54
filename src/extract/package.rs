//! Zip files as containers of parts (OOXML, ODF, EPUB): reading parts by name under the writer's budget, relations.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::model::ExtractError;
use crate::writer::{TextWriter, damaged, too_large};
use crate::xml::{self, Xml};

/// One part larger than this is not read: memory is bounded, whatever the archive says.
pub(crate) const MAX_PART: u64 = 256 << 20;

pub(crate) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    names: HashMap<String, usize>,
}

/// A relation of a part: what it points to inside the package, or outside of it.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub id: String,
    /// The last word of the relation's type URI, such as `footnotes`.
    pub kind: String,
    pub target: String,
    pub external: bool,
}

impl<'a> Package<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, ExtractError> {
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| damaged("The file is damaged: its directory cannot be read."))?;
        let names = zip
            .file_names_raw()
            .enumerate()
            .map(|(index, name)| (normal(&String::from_utf8_lossy(name)), index))
            .collect();
        Ok(Self { zip, names })
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(&normal(name))
    }

    /// Names as found, sorted, lower case, without a leading slash.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.names.keys().cloned().collect();
        names.sort();
        names
    }

    /// The bytes of a part; `None` when it is not there or cannot be unpacked.
    pub fn read(&mut self, name: &str, out: &mut TextWriter) -> Result<Option<Vec<u8>>, ExtractError> {
        let Some(&index) = self.names.get(&normal(name)) else { return Ok(None) };
        let Ok(mut file) = self.zip.by_index(index) else { return Ok(None) };
        let (bytes, whole) = read_limited(&mut file, out)?;
        if !whole {
            out.warn(format!("The part “{name}” is damaged; what could be unpacked was read."));
        }
        Ok(Some(bytes))
    }

    /// The text of an XML part.
    pub fn read_xml(&mut self, name: &str, out: &mut TextWriter) -> Result<Option<String>, ExtractError> {
        Ok(self.read(name, out)?.map(|bytes| xml::decode(&bytes).into_owned()))
    }

    /// The relations of a part (`""` for those of the package).
    pub fn relations(&mut self, part: &str, out: &mut TextWriter) -> Result<Vec<Relation>, ExtractError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let slash = if folder.is_empty() { "" } else { "/" };
        let Some(text) = self.read_xml(&format!("{folder}{slash}_rels/{file}.rels"), out)? else {
            return Ok(Vec::new());
        };
        let mut xml = Xml::new(&text);
        let mut found = Vec::new();
        while let Some(tag) = xml.seek("Relationship")? {
            let target = tag.attr("Target").unwrap_or_default();
            let external = tag.attr("TargetMode").as_deref() == Some("External");
            found.push(Relation {
                id: tag.attr("Id").unwrap_or_default(),
                kind: tag.attr("Type").unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned(),
                target: if external { target } else { resolve(folder, &target) },
                external,
            });
        }
        Ok(found)
    }
}

/// Reads to the end within the limits; `false` when the data ended in an error.
pub(crate) fn read_limited(
    file: &mut impl Read,
    out: &mut TextWriter,
) -> Result<(Vec<u8>, bool), ExtractError> {
    let most = out.unpack_budget().min(MAX_PART);
    let mut bytes = Vec::new();
    let whole = file.by_ref().take(most + 1).read_to_end(&mut bytes).is_ok();
    if bytes.len() as u64 > most {
        let limit = if most < MAX_PART { out.limits().unpacked_bytes } else { MAX_PART };
        return Err(too_large(format!("Unpacked, this file is larger than {} MB.", limit / 1_000_000)));
    }
    out.spend(bytes.len() as u64)?;
    Ok((bytes, whole))
}

fn normal(name: &str) -> String {
    name.trim_start_matches('/').replace('\\', "/").to_lowercase()
}

/// A target relative to the folder of its part. `..` never leaves the package.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.split('#').next().unwrap_or_default();
    let decoded = percent_decode(target);
    let mut parts: Vec<&str> = if decoded.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').filter(|p| !p.is_empty()).collect()
    };
    for part in decoded.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// As [`resolve`], for a reference in the file `from`.
pub(crate) fn resolve_from(from: &str, target: &str) -> String {
    resolve(from.rsplit_once('/').map_or("", |(folder, _)| folder), target)
}

pub(crate) fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_stay_inside() {
        assert_eq!(resolve("word", "../media/a%20b.png"), "media/a b.png");
        assert_eq!(resolve("word", "/xl/book.xml"), "xl/book.xml");
        assert_eq!(resolve("word", "../../../../etc/passwd"), "etc/passwd");
        assert_eq!(resolve_from("OEBPS/x.opf", "text/1.xhtml#top"), "OEBPS/text/1.xhtml");
    }
}

//! Which format a file is in. The content decides; the name only breaks ties between kinds of plain text.

use std::io::{Cursor, Read as _};

use crate::encoding;
use crate::model::Format;

const SAMPLE: usize = 8192;

/// The format of a file, `None` when it is none that can be read.
pub fn detect(bytes: &[u8], name: &str) -> Option<Format> {
    match by_magic(bytes, name) {
        Magic::Is(format) => Some(format),
        Magic::Nothing => None,
        Magic::Unknown => by_text(bytes, name),
    }
}

/// Lower-case extension of a file name, without the dot.
pub(crate) fn extension(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').map(|(_, ext)| ext.to_lowercase()).unwrap_or_default()
}

/// What the first bytes say.
enum Magic {
    Is(Format),
    /// Known, and no document that can be read.
    Nothing,
    Unknown,
}

fn by_magic(bytes: &[u8], name: &str) -> Magic {
    let head = &bytes[..bytes.len().min(1024)];
    if head.windows(5).any(|five| five == b"%PDF-") {
        return Magic::Is(Format::Pdf);
    }
    if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK00PK\x03\x04"].iter().any(|magic| bytes.starts_with(magic)) {
        return zip_kind(bytes, name).map_or(Magic::Nothing, Magic::Is);
    }
    if crate::ole::is_ole(bytes) {
        return ole_kind(bytes, name).map_or(Magic::Nothing, Magic::Is);
    }
    if head.trim_ascii_start().starts_with(b"{\\rtf") {
        return Magic::Is(Format::Rtf);
    }
    if is_image(bytes) {
        return Magic::Is(Format::Image);
    }
    // Excel before OLE2 wrote bare records: BOF with length and version.
    if matches!(bytes, [9, 0 | 2 | 4 | 8, 4..=16, 0, ..]) {
        return Magic::Is(Format::Xls);
    }
    Magic::Unknown
}

fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.starts_with(&[0xff, 0xd8, 0xff])
        || bytes.starts_with(b"II*\0")
        || bytes.starts_with(b"MM\0*")
        || bytes.starts_with(b"GIF8")
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
        || (bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0, 0, 0, 0]))
}

fn zip_kind(bytes: &[u8], name: &str) -> Option<Format> {
    if let Some(format) = by_mimetype_member(bytes) {
        return Some(format);
    }
    let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return Some(by_office_extension(name).unwrap_or(Format::Zip));
    };
    let names: Vec<String> = zip
        .file_names_raw()
        .map(|raw| String::from_utf8_lossy(raw).replace('\\', "/").to_lowercase())
        .collect();
    let has = |start: &str| names.iter().any(|name| name.trim_start_matches('/').starts_with(start));
    if let Some(format) = by_unpacked_mimetype(&mut zip) {
        return Some(format);
    }
    if has("[content_types].xml") || has("_rels/.rels") {
        for (folder, format) in [("word/", Format::Docx), ("ppt/", Format::Pptx), ("xl/", Format::Xlsx)] {
            if has(folder) {
                return if has("xl/workbook.bin") { None } else { Some(format) };
            }
        }
        return Some(by_office_extension(name).unwrap_or(Format::Zip));
    }
    if has("meta-inf/container.xml") && names.iter().any(|name| extension(name) == "opf") {
        return Some(Format::Epub);
    }
    if has("content.xml") && (has("meta-inf/manifest.xml") || has("styles.xml")) {
        return Some(by_office_extension(name).unwrap_or(Format::Odt));
    }
    Some(Format::Zip)
}

/// ODF and EPUB say what they are in their first member, which is stored.
fn by_mimetype_member(bytes: &[u8]) -> Option<Format> {
    let name_length = usize::from(u16::from_le_bytes([*bytes.get(26)?, *bytes.get(27)?]));
    let extra = usize::from(u16::from_le_bytes([*bytes.get(28)?, *bytes.get(29)?]));
    if bytes.get(30..30 + name_length)? != b"mimetype" {
        return None;
    }
    let start = 30 + name_length + extra;
    by_media_type(&String::from_utf8_lossy(bytes.get(start..(start + 80).min(bytes.len()))?))
}

fn by_media_type(value: &str) -> Option<Format> {
    if value.starts_with("application/epub+zip") { Some(Format::Epub) } else { opendocument_kind(value) }
}

/// The same member where a program packed it, or put it elsewhere.
fn by_unpacked_mimetype(zip: &mut zip::ZipArchive<Cursor<&[u8]>>) -> Option<Format> {
    let mut value = String::new();
    zip.by_name("mimetype").ok()?.take(100).read_to_string(&mut value).ok()?;
    by_media_type(&value)
}

fn opendocument_kind(media_type: &str) -> Option<Format> {
    let kind = media_type.strip_prefix("application/vnd.oasis.opendocument.")?;
    if kind.starts_with("text") {
        Some(Format::Odt)
    } else if kind.starts_with("spreadsheet") {
        Some(Format::Ods)
    } else if kind.starts_with("presentation") || kind.starts_with("graphics") {
        Some(Format::Odp)
    } else {
        None
    }
}

fn by_office_extension(name: &str) -> Option<Format> {
    Some(match extension(name).as_str() {
        "docx" | "docm" | "dotx" | "dotm" => Format::Docx,
        "pptx" | "pptm" | "potx" | "ppsx" | "ppsm" | "potm" => Format::Pptx,
        "xlsx" | "xlsm" | "xltx" | "xltm" => Format::Xlsx,
        "odt" | "ott" => Format::Odt,
        "ods" | "ots" => Format::Ods,
        "odp" | "otp" | "odg" => Format::Odp,
        "epub" => Format::Epub,
        _ => return None,
    })
}

fn ole_kind(bytes: &[u8], name: &str) -> Option<Format> {
    let by_name = || {
        Some(match extension(name).as_str() {
            "doc" | "dot" => Format::Doc,
            "xls" | "xlt" => Format::Xls,
            "ppt" | "pot" | "pps" => Format::Ppt,
            "msg" => Format::Msg,
            other => return by_office_extension(&format!("x.{other}")),
        })
    };
    let Ok(file) = cfb::CompoundFile::open(Cursor::new(bytes)) else { return by_name() };
    let names: Vec<String> =
        file.read_root_storage().take(4096).map(|entry| entry.name().to_lowercase()).collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("encryptedpackage") || has("encryptioninfo") {
        return Some(by_office_extension(name).unwrap_or(Format::Docx));
    }
    if has("worddocument") {
        return Some(Format::Doc);
    }
    if has("powerpoint document") || has("pp97_dualstorage") {
        return Some(Format::Ppt);
    }
    if has("workbook") || has("book") {
        return Some(Format::Xls);
    }
    if names.iter().any(|name| name.starts_with("__properties_version") || name.starts_with("__substg1.0_")) {
        return Some(Format::Msg);
    }
    None
}

fn by_text(bytes: &[u8], name: &str) -> Option<Format> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if !is_text(sample) {
        return None;
    }
    let text = encoding::decode(sample);
    let head = text.trim_start_matches('\u{feff}').trim_start();
    let lower: String = head.chars().take(2048).collect::<String>().to_lowercase();
    if let Some(format) = flat_opendocument(head) {
        return Some(format);
    }
    let extension = extension(name);
    match extension.as_str() {
        "md" | "markdown" | "mdown" | "mkd" => return Some(Format::Md),
        "adoc" | "asciidoc" | "asc" if !lower.starts_with("-----begin") => return Some(Format::Adoc),
        "csv" | "tsv" | "tab" => return Some(Format::Csv),
        _ => {}
    }
    if looks_like_html(&lower) || matches!(extension.as_str(), "html" | "htm" | "xhtml" | "shtml") {
        return Some(Format::Html);
    }
    if head.starts_with("From ") && (extension == "mbox" || has_mail_header(head.split_once('\n')?.1, 1)) {
        return Some(Format::Mbox);
    }
    if matches!(extension.as_str(), "eml" | "mht" | "mhtml") || has_mail_header(head, 3) {
        return Some(Format::Eml);
    }
    if extension == "mbox" {
        return Some(Format::Mbox);
    }
    if matches!(extension.as_str(), "json" | "jsonl" | "ndjson" | "geojson" | "ipynb") {
        return Some(Format::Json);
    }
    if extension.is_empty()
        && head.starts_with(['{', '['])
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
    {
        return Some(Format::Json);
    }
    Some(Format::Txt)
}

/// Text has no control characters to speak of once its encoding is known.
fn is_text(sample: &[u8]) -> bool {
    if encoding::decode_bom(sample).is_some() || encoding::utf16_without_bom(sample).is_some() {
        return true;
    }
    let odd = sample.iter().filter(|byte| matches!(byte, 0..=7 | 14..=26 | 28..=31 | 127)).count();
    let zeros = sample.split(|byte| *byte == 0).count() - 1;
    !sample.is_empty() && odd * 100 <= sample.len() && zeros * 500 <= sample.len()
}

fn flat_opendocument(head: &str) -> Option<Format> {
    if !head.starts_with("<?xml") && !head.starts_with("<office:document") {
        return None;
    }
    let at = head.find("office:mimetype=")?;
    opendocument_kind(&head[at + 17..])
}

fn looks_like_html(lower: &str) -> bool {
    let mut rest = lower;
    // Comments and declarations may stand before the first element.
    while let Some(after) =
        rest.strip_prefix("<!--").and_then(|r| r.split_once("-->")).map(|(_, after)| after)
    {
        rest = after.trim_start();
    }
    if rest.starts_with("<!doctype html")
        || rest.starts_with("<html")
        || rest.starts_with("<head")
        || rest.starts_with("<body")
    {
        return true;
    }
    if rest.starts_with("<?xml") || rest.starts_with("<!doctype") {
        return rest.contains("<html") || rest.contains("<!doctype html");
    }
    ["<div", "<p>", "<table", "<h1", "<meta ", "<title", "<style", "<script", "<span", "<ul"]
        .iter()
        .any(|tag| rest.starts_with(tag))
}

/// At least `least` known mail headers before the first empty line.
fn has_mail_header(head: &str, least: usize) -> bool {
    const KNOWN: [&str; 16] = [
        "from:",
        "to:",
        "subject:",
        "date:",
        "received:",
        "return-path:",
        "message-id:",
        "mime-version:",
        "delivered-to:",
        "content-type:",
        "cc:",
        "reply-to:",
        "x-mozilla-status:",
        "in-reply-to:",
        "content-transfer-encoding:",
        "sender:",
    ];
    let mut found = 0;
    for line in head.lines().take(200) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { return false };
        if name.is_empty() || name.contains(' ') {
            return false;
        }
        let lower = format!("{}:", name.to_lowercase());
        found += usize::from(KNOWN.contains(&lower.as_str()));
    }
    found >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_wins_over_the_name() {
        for (bytes, name, expected) in [
            (&b"%PDF-1.4 x"[..], "a.txt", Some(Format::Pdf)),
            (b"{\\rtf1 x}", "a.doc", Some(Format::Rtf)),
            (b"<!DOCTYPE html><p>x", "a.txt", Some(Format::Html)),
            (b"From a@b Mon\nFrom: a\nTo: b\n\nx", "x", Some(Format::Mbox)),
            (b"Return-Path: <a>\nFrom: a\nSubject: b\n\nx", "x.txt", Some(Format::Eml)),
            (b"# x", "x.md", Some(Format::Md)),
            (b"{\"a\":1}", "x", Some(Format::Json)),
            (b"Note: this is\nonly text: yes", "x", Some(Format::Txt)),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0", "x.txt", None),
            (b"", "x.txt", None),
        ] {
            assert_eq!(detect(bytes, name), expected, "{name} {:?}", String::from_utf8_lossy(bytes));
        }
    }
}

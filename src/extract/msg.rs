//! Outlook messages ([MS-OXMSG]): properties of the message, its body in the best form there is, attachments.

use crate::date_render::moment;
use crate::encoding;
use crate::html;
use crate::lzfu;
use crate::model::{BlockKind, ExtractError, Source};
use crate::ole::{Ole, u16_at, u32_at};
use crate::plain;
use crate::read;
use crate::rtf;
use crate::writer::TextWriter;

const SUBJECT: u16 = 0x0037;
const BODY: u16 = 0x1000;
const HTML: u16 = 0x1013;
const RTF: u16 = 0x1009;
const ATTACHMENT: u16 = 0x3701;

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut file = Ole::open(bytes)?;
    message(&mut file, "", 32, source, out)
}

/// The message in a storage; `header` is what stands before the list of its fixed properties.
fn message(
    file: &mut Ole,
    folder: &str,
    header: usize,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let fixed = Fixed::read(file, folder, header);
    let page = fixed.number(0x3ffd).or_else(|| fixed.number(0x3fde)).unwrap_or(1252);
    let subject = text(file, folder, SUBJECT, page).unwrap_or_default();
    out.set_title(&subject);
    out.push_block(BlockKind::Heading, 1, &subject, None, None)?;
    let mut lines = Vec::new();
    let sender =
        text(file, folder, 0x0c1a, page).or_else(|| text(file, folder, 0x0042, page)).unwrap_or_default();
    let address = text(file, folder, 0x5d01, page)
        .or_else(|| text(file, folder, 0x0c1f, page))
        .filter(|a| a.contains('@'));
    let from = match address {
        Some(address) if address != sender => format!("{sender} <{address}>"),
        _ => sender,
    };
    lines.push(("From", from));
    lines.push(("To", text(file, folder, 0x0e04, page).unwrap_or_default()));
    lines.push(("Cc", text(file, folder, 0x0e03, page).unwrap_or_default()));
    lines.push(("Date", fixed.time(0x0039).or_else(|| fixed.time(0x0e06)).unwrap_or_default()));
    let head: Vec<String> = lines
        .iter()
        .map(|(name, value)| (name, value.trim_matches(['\0', ' '])))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    out.push_block(BlockKind::Paragraph, 0, &head.join("\n"), None, None)?;
    body(file, folder, page, source, out)?;
    attachments(file, folder, source, out)
}

fn body(
    file: &mut Ole,
    folder: &str,
    page: u32,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    if let Some(text) = text(file, folder, BODY, page).filter(|text| !text.trim().is_empty()) {
        return plain::push(&text, None, None, out);
    }
    if let Some(bytes) = file.stream(&stream(folder, HTML, 0x0102)).filter(|bytes| !bytes.is_empty()) {
        return html::extract(&bytes, out);
    }
    if let Some(text) = text(file, folder, HTML, page) {
        return html::push(&text, None, None, out);
    }
    if let Some(bytes) = file.stream(&stream(folder, RTF, 0x0102)) {
        let bytes = lzfu::expand(&bytes);
        return rtf::extract(&bytes, source, out);
    }
    Ok(())
}

fn attachments(
    file: &mut Ole,
    folder: &str,
    source: &Source,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let names: Vec<String> = file
        .list(if folder.is_empty() { "/" } else { folder })
        .into_iter()
        .filter(|(name, is_storage)| *is_storage && name.starts_with("__attach_version1.0_"))
        .map(|(name, _)| name)
        .take(1000)
        .collect();
    for name in names {
        let inner = format!("{folder}/{name}");
        let page = 1252;
        let title =
            [0x3707, 0x3704, 0x3001].iter().find_map(|id| text(file, &inner, *id, page)).unwrap_or_default();
        let title = title.trim_matches(['\0', ' ']).to_owned();
        let title = if title.is_empty() { "attachment".to_owned() } else { title };
        let object = stream(&inner, ATTACHMENT, 0x000d);
        if let Some(bytes) = file.stream(&stream(&inner, ATTACHMENT, 0x0102)) {
            out.spend(bytes.len() as u64)?;
            read::embed(&bytes, &title, source, out)?;
        } else if file.has(&format!("{object}/__properties_version1.0")) {
            out.enter(&title)?;
            let result = message(file, &object, 24, source, out);
            out.leave();
            result?;
        } else if let Some(bytes) = file.detach(&object) {
            out.spend(bytes.len() as u64)?;
            crate::ole::embed_object(&bytes, &title, source, out)?;
        }
    }
    Ok(())
}

fn stream(folder: &str, id: u16, kind: u16) -> String {
    format!("{folder}/__substg1.0_{id:04X}{kind:04X}")
}

/// A string property, in UTF-16 or in the message's code page.
fn text(file: &mut Ole, folder: &str, id: u16, page: u32) -> Option<String> {
    if let Some(bytes) = file.stream(&stream(folder, id, 0x001f)) {
        return Some(encoding::utf16le(&bytes));
    }
    let bytes = file.stream(&stream(folder, id, 0x001e))?;
    let encoding = match std::str::from_utf8(&bytes) {
        Ok(_) => encoding_rs::UTF_8,
        Err(_) if page == 1252 && bytes.len() > 8 => encoding::guess(&bytes),
        Err(_) => encoding::code_page(page),
    };
    Some(encoding.decode_without_bom_handling(&bytes).0.into_owned())
}

/// Properties of fixed size: type, id, flags, value.
struct Fixed(Vec<u8>, usize);

impl Fixed {
    fn read(file: &mut Ole, folder: &str, header: usize) -> Self {
        Self(file.stream(&format!("{folder}/__properties_version1.0")).unwrap_or_default(), header)
    }

    fn find(&self, id: u16) -> Option<&[u8]> {
        let entries = self.0.get(self.1..)?.chunks_exact(16);
        entries.into_iter().find(|entry| u16_at(entry, 2) == Some(id)).map(|entry| &entry[8..])
    }

    fn number(&self, id: u16) -> Option<u32> {
        u32_at(self.find(id)?, 0).filter(|value| *value > 0)
    }

    /// A count of 100 ns since 1601, in UTC.
    fn time(&self, id: u16) -> Option<String> {
        let value = self.find(id)?;
        let ticks = u64::from(u32_at(value, 0)?) | u64::from(u32_at(value, 4)?) << 32;
        // 109,205 days lie between 1601-01-01 and 1899-12-30.
        let days = ticks as f64 / 864e9 - 109_205.0;
        let at = moment(days, false, 0)?;
        Some(format!("{:04}-{:02}-{:02} {:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute))
    }
}

//! Plain text, and XML that is no known document.

use crate::encoding;
use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;
use crate::xml_text;

/// Text without empty lines is cut after this many lines, so that no block is a whole book.
const LINES: usize = 60;

pub(crate) fn extract(bytes: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let text = encoding::decode(bytes);
    let head = text.trim_start_matches('\u{feff}').trim_start();
    if head.starts_with("<?xml") || head.starts_with("<!DOCTYPE") || head.starts_with("<svg") {
        let mark = out.mark();
        xml_text::push(&crate::xml::decode(bytes), out)?;
        if !out.is_empty_since(&mark) {
            return Ok(());
        }
    }
    push(&text, None, None, out)
}

/// Paragraphs are what empty lines part; a form feed begins a page.
pub(crate) fn push(
    text: &str,
    page: Option<u32>,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let has_feeds = page.is_none() && text.trim_end().contains('\u{c}');
    let mut pages = 0;
    for (index, sheet) in text.split('\u{c}').enumerate() {
        let page = if has_feeds { Some(index as u32 + 1) } else { page };
        pages = index as u32 + 1;
        push_sheet(sheet, page, label, out)?;
    }
    if has_feeds {
        out.set_pages(pages);
    }
    Ok(())
}

fn push_sheet(
    text: &str,
    page: Option<u32>,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let (mut start, mut at, mut lines) = (0, 0, 0);
    for line in Lines(text) {
        let end = at + line.len();
        if line.trim().is_empty() || lines == LINES {
            out.push_block(BlockKind::Paragraph, 0, &text[start..at], page, label)?;
            (start, lines) = (at, 0);
        }
        lines += 1;
        at = end;
    }
    out.push_block(BlockKind::Paragraph, 0, &text[start..], page, label)
}

/// Lines with their ends, for `\n`, `\r\n` and the lone `\r` of old Macs.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = self.0.as_bytes();
        let end = match bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(at) if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') => at + 2,
            Some(at) => at + 1,
            None => bytes.len(),
        };
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    #[test]
    fn paragraphs_and_pages() {
        let mut out = TextWriter::new(&Limits::default());
        extract(b"one\r\ntwo\r\n\r\nthree\x0cfour\rfive", &mut out).unwrap();
        let out = out.finish();
        assert_eq!(out.text, "one\ntwo\n\nthree\n\nfour\nfive");
        assert_eq!(out.pages, 2);
        assert_eq!(out.blocks[2].page, Some(2));
    }

    #[test]
    fn xml_gives_its_text() {
        let mut out = TextWriter::new(&Limits::default());
        extract(b"<?xml version='1.0'?><book><title>War</title><p>In <b>1812</b> it</p></book>", &mut out)
            .unwrap();
        assert_eq!(out.finish().text, "War\n\nIn 1812 it");
    }
}

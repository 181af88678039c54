//! Word documents before OOXML ([MS-DOC]): text by the piece table, structure by paragraph properties.

use crate::crypt;
use crate::doc_pieces::Pieces;
use crate::doc_text::Paragraphs;
use crate::model::{BlockKind, ExtractError, Source};
use crate::ole::{self, Ole, u16_at, u32_at};
use crate::writer::{TextWriter, damaged};

/// The parts of a document's character positions, in their order.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    body: u32,
    footnotes: u32,
    margins: u32,
    comments: u32,
    endnotes: u32,
    boxes: u32,
    margin_boxes: u32,
}

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut file = Ole::open(bytes)?;
    let Some(main) = file.stream("/WordDocument") else {
        return Err(damaged("The file is damaged: it has no document stream."));
    };
    let flags = u16_at(&main, 10).unwrap_or(0);
    if flags & 0x0100 != 0 {
        let plain = crypt::unlock(bytes, source.password.as_deref())?;
        let mut file = Ole::open(&plain)?;
        let main = file.stream("/WordDocument").unwrap_or_default();
        return extract_plain(&mut file, &main, source, out);
    }
    extract_plain(&mut file, &main, source, out)
}

fn extract_plain(file: &mut Ole, main: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    ole::set_title(file, out);
    let version = u16_at(main, 2).unwrap_or(0);
    if version < 0x00c0 {
        return old_text(main, out);
    }
    let flags = u16_at(main, 10).unwrap_or(0);
    let table = if flags & 0x0200 != 0 { "/1Table" } else { "/0Table" };
    let table = file.stream(table).or_else(|| file.stream("/0Table")).or_else(|| file.stream("/1Table")).unwrap_or_default();
    let lengths = lengths(main);
    let pieces = Pieces::read(main, &table)?;
    let mut paragraphs = Paragraphs::new(main, &table, &pieces);
    let mut at = lengths.body;
    let mut part = |length: u32| {
        let range = at..at.saturating_add(length);
        at = range.end;
        range
    };
    let (footnotes, margins, comments, endnotes, boxes, margin_boxes) = (
        part(lengths.footnotes),
        part(lengths.margins),
        part(lengths.comments),
        part(lengths.endnotes),
        part(lengths.boxes),
        part(lengths.margin_boxes),
    );
    notes(&pieces, margins, "Header or footer", out)?;
    paragraphs.push(0..lengths.body, out)?;
    notes(&pieces, footnotes, "Footnote", out)?;
    notes(&pieces, endnotes, "Endnote", out)?;
    notes(&pieces, comments, "Comment", out)?;
    for range in [boxes, margin_boxes] {
        for line in lines(&pieces.text(range)) {
            out.push_block(BlockKind::Paragraph, 0, &line, None, None)?;
        }
    }
    ole::push_summary(file, out)?;
    embedded(file, source, out)
}

fn lengths(main: &[u8]) -> Lengths {
    // ccpText and its siblings stand at fixed places of the FIB.
    let value = |at: usize| u32_at(main, at).unwrap_or(0).min(i32::MAX as u32);
    Lengths {
        body: value(0x4c),
        footnotes: value(0x50),
        margins: value(0x54),
        comments: value(0x5c),
        endnotes: value(0x60),
        boxes: value(0x64),
        margin_boxes: value(0x68),
    }
}

fn notes(pieces: &Pieces, range: std::ops::Range<u32>, label: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut seen: Vec<String> = Vec::new();
    for line in lines(&pieces.text(range)) {
        if line.chars().any(char::is_alphanumeric) && !seen.contains(&line) {
            out.push_block(BlockKind::Note, 0, &line, None, Some(label))?;
            if seen.len() < 1000 {
                seen.push(line);
            }
        }
    }
    Ok(())
}

/// Paragraphs of text without structure.
fn lines(text: &str) -> Vec<String> {
    text.split(['\r', '\u{7}', '\u{c}'])
        .map(|line| crate::doc_text::visible(line).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// Word 6 and 95: text stands in one run of bytes, in the code page of its language.
fn old_text(main: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    if u16_at(main, 10).unwrap_or(0) & 0x0100 != 0 {
        return Err(crypt::encrypted());
    }
    let start = u32_at(main, 0x18).unwrap_or(0) as usize;
    let end = u32_at(main, 0x1c).unwrap_or(0) as usize;
    let bytes = main.get(start..end.min(main.len())).ok_or_else(|| damaged("The file is damaged: its text cannot be found."))?;
    let text = crate::encoding::guess(bytes).decode_without_bom_handling(bytes).0;
    for line in lines(&text) {
        out.push_block(BlockKind::Paragraph, 0, &line, None, None)?;
    }
    Ok(())
}

/// Objects live in storages of their own below `ObjectPool`.
fn embedded(file: &mut Ole, source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    for (name, is_storage) in file.list("/ObjectPool").into_iter().take(1000) {
        if !is_storage {
            continue;
        }
        if let Some(bytes) = file.detach(&format!("/ObjectPool/{name}")) {
            out.spend(bytes.len() as u64)?;
            ole::embed_object(&bytes, &name, source, out)?;
        }
    }
    Ok(())
}

//! Word documents before OOXML ([MS-DOC]): text by the piece table, structure by paragraph properties.

use crate::crypt;
use crate::crypt_rc4::Key;
use crate::doc_pieces::Pieces;
use crate::doc_text::Paragraphs;
use crate::model::{BlockKind, ExtractError, Source};
use crate::ole::{self, Ole, u16_at, u32_at};
use crate::writer::{TextWriter, damaged};

/// What of the document stream is never locked, and the size of the cipher's blocks.
const OPEN_HEAD: usize = 68;
const CIPHER_BLOCK: usize = 512;

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
    ole::set_title(&mut file, out);
    if u16_at(&main, 2).unwrap_or(0) < 0x00c0 {
        return old_text(&main, out);
    }
    let table = if flags & 0x0200 != 0 { "/1Table" } else { "/0Table" };
    let table = file
        .stream(table)
        .or_else(|| file.stream("/0Table"))
        .or_else(|| file.stream("/1Table"))
        .unwrap_or_default();
    let (main, table) = if flags & 0x0100 == 0 { (main, table) } else { unlock(main, table, flags, source)? };
    extract_plain(&main, &table, out)?;
    ole::push_summary(&mut file, out)?;
    embedded(&mut file, source, out)
}

/// Opens the two streams; the header of the cipher stands before the table.
fn unlock(
    mut main: Vec<u8>,
    mut table: Vec<u8>,
    flags: u16,
    source: &Source,
) -> Result<(Vec<u8>, Vec<u8>), ExtractError> {
    // The obfuscation of Word 95 is not a cipher, but has no text either.
    if flags & 0x8000 != 0 {
        return Err(crypt::unsupported());
    }
    let key = crypt::with_passwords(source.password.as_deref(), |password| Key::find(&table, password))?;
    let head = main[..main.len().min(OPEN_HEAD)].to_vec();
    key.apply_blocks(CIPHER_BLOCK, &mut main);
    main[..head.len()].copy_from_slice(&head);
    key.apply_blocks(CIPHER_BLOCK, &mut table);
    Ok((main, table))
}

fn extract_plain(main: &[u8], table: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let lengths = lengths(main);
    let pieces = Pieces::read(main, table)?;
    let mut paragraphs = Paragraphs::new(main, table, &pieces);
    let mut at = lengths.body;
    let mut part = |length: u32| {
        let range = at..at.saturating_add(length);
        at = range.end;
        range
    };
    let footnotes = part(lengths.footnotes);
    let margins = part(lengths.margins);
    let comments = part(lengths.comments);
    let endnotes = part(lengths.endnotes);
    let boxes = [part(lengths.boxes), part(lengths.margin_boxes)];
    notes(&pieces, margins, "Header or footer", out)?;
    paragraphs.push(0..lengths.body, out)?;
    notes(&pieces, footnotes, "Footnote", out)?;
    notes(&pieces, endnotes, "Endnote", out)?;
    notes(&pieces, comments, "Comment", out)?;
    for range in boxes {
        for line in lines(&pieces.text(range)) {
            out.push_block(BlockKind::Paragraph, 0, &line, None, None)?;
        }
    }
    Ok(())
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

fn notes(
    pieces: &Pieces,
    range: std::ops::Range<u32>,
    label: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
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
    let bytes = main
        .get(start..end.min(main.len()))
        .ok_or_else(|| damaged("The file is damaged: its text cannot be found."))?;
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

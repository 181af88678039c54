//! The text of PowerPoint's records: shapes, placeholders, tables, header and footer strings.

use crate::encoding;
use crate::ole::{u16_at, u32_at};
use crate::ppt_records::{Record, inside};

/// Containers nest no deeper than this in a presentation.
const MAX_DEPTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    Title,
    Body,
    Notes,
    Other,
    /// Cells of a table row, parted by tabs.
    Cells,
}

#[derive(Debug, Clone)]
pub(crate) struct TextRun {
    pub kind: TextKind,
    pub text: String,
    /// Indent of each paragraph.
    pub levels: Vec<u8>,
}

/// All texts below a slide, notes page or master; placeholders refer to `outline` by number.
pub(crate) fn texts(bytes: &[u8], record: &Record, outline: &[TextRun]) -> Vec<TextRun> {
    let mut found = Vec::new();
    walk(bytes, record, outline, 0, &mut found);
    found
}

fn walk(bytes: &[u8], record: &Record, outline: &[TextRun], depth: usize, found: &mut Vec<TextRun>) {
    if depth > MAX_DEPTH {
        return;
    }
    for child in inside(bytes, record) {
        match child.kind {
            // Header and footer strings come on their own, colour schemes and the like hold no text.
            4057 | 2032 | 5000 => {}
            0xf003 => group(bytes, &child, outline, depth, found),
            3998 => {
                let number = u32_at(child.body(bytes), 0).unwrap_or(u32::MAX) as usize;
                found.extend(outline.get(number).cloned());
            }
            _ if child.container => walk(bytes, &child, outline, depth + 1, found),
            _ => append(bytes, &child, found),
        }
    }
}

/// A group of shapes may be a table: then its cells make rows by their place.
fn group(bytes: &[u8], record: &Record, outline: &[TextRun], depth: usize, found: &mut Vec<TextRun>) {
    let mut cells: Vec<(i32, i32, String)> = Vec::new();
    let shapes: Vec<Record> = inside(bytes, record).collect();
    let is_table = shapes.first().is_some_and(|shape| is_table(bytes, shape));
    if !is_table {
        walk(bytes, record, outline, depth + 1, found);
        return;
    }
    for shape in &shapes {
        let mut runs = Vec::new();
        walk(bytes, shape, outline, depth + 1, &mut runs);
        let anchor =
            inside(bytes, shape).find(|record| record.kind == 0xf00f).map(|record| record.body(bytes));
        let at = |index: usize| anchor.and_then(|body| u32_at(body, index)).unwrap_or(0) as i32;
        let text =
            runs.iter().map(|run| run.text.replace(['\r', '\u{b}', '\t'], " ")).collect::<Vec<_>>().join(" ");
        if anchor.is_some() && !text.trim().is_empty() {
            cells.push((at(4), at(0), text));
        }
    }
    cells.sort_by_key(|cell| (cell.0, cell.1));
    for row in cells.chunk_by(|left, right| left.0 == right.0) {
        let text = row.iter().map(|cell| cell.2.trim()).collect::<Vec<_>>().join("\t");
        found.push(TextRun { kind: TextKind::Cells, text, levels: Vec::new() });
    }
}

/// The table properties of a group (property 0x39f) say so.
fn is_table(bytes: &[u8], shape: &Record) -> bool {
    inside(bytes, shape).filter(|record| record.kind == 0xf122).any(|record| {
        record.body(bytes).chunks_exact(6).take(usize::from(record.instance)).any(|property| {
            u16_at(property, 0).is_some_and(|id| id & 0x3fff == 0x039f)
                && u32_at(property, 2).is_some_and(|value| value & 1 != 0)
        })
    })
}

/// Adds what one atom says to the running texts.
pub(crate) fn append(bytes: &[u8], record: &Record, found: &mut Vec<TextRun>) {
    let body = record.body(bytes);
    match record.kind {
        3999 => {
            let kind = match u32_at(body, 0) {
                Some(0 | 6) => TextKind::Title,
                Some(1 | 5 | 7 | 8) => TextKind::Body,
                Some(2) => TextKind::Notes,
                _ => TextKind::Other,
            };
            found.push(TextRun { kind, text: String::new(), levels: Vec::new() });
        }
        4000 => push(found, &encoding::utf16le(body)),
        // One byte a character: the low half of UTF-16.
        4008 => push(found, &body.iter().map(|byte| char::from(*byte)).collect::<String>()),
        4001 => levels(body, found),
        _ => {}
    }
}

fn push(found: &mut Vec<TextRun>, text: &str) {
    let text: String = text.trim_end_matches('\r').replace('\u{b}', "\n");
    match found.last_mut().filter(|run| run.text.is_empty()) {
        Some(run) => run.text = text,
        None => found.push(TextRun { kind: TextKind::Other, text, levels: Vec::new() }),
    }
}

/// Indents stand at the head of the style atom: count of characters, level, mask of further properties.
fn levels(body: &[u8], found: &mut [TextRun]) {
    let Some(run) = found.last_mut() else { return };
    // Only the first paragraph run can be read without its property sizes; most texts have one.
    if let (Some(count), Some(level)) = (u32_at(body, 0), u16_at(body, 4)) {
        let covered = (count as usize).min(run.text.chars().count() + 1);
        let lines = run.text.chars().take(covered).filter(|c| *c == '\r').count() + 1;
        run.levels = vec![level.min(8) as u8; lines];
    }
}

/// Strings of headers and footers.
pub(crate) fn margins(bytes: &[u8], record: &Record) -> Vec<TextRun> {
    let mut found = Vec::new();
    for container in inside(bytes, record).filter(|record| record.kind == 4057) {
        // Instance 0 is a date, 1 a header, 2 a footer.
        for string in inside(bytes, &container).filter(|record| record.kind == 4026) {
            let text = encoding::utf16le(string.body(bytes));
            found.push(TextRun { kind: TextKind::Other, text, levels: Vec::new() });
        }
    }
    found
}

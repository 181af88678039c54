//! Pieces of all pages to blocks: headings by the sizes of the whole document, running heads and page numbers dropped.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{BlockKind, ExtractError};
use crate::pdf_glyphs::Tag;
use crate::pdf_lines::{Piece, PieceKind, marker_len};
use crate::writer::TextWriter;

/// The pieces of a page, in the order of reading.
pub(crate) struct PagePieces {
    pub page: u32,
    /// Height of the page in the frame of its main direction; tells the margins.
    pub height: f32,
    pub pieces: Vec<Piece>,
}

/// Write the blocks of a document.
pub(crate) fn write(pages: &[PagePieces], out: &mut TextWriter) -> Result<(), ExtractError> {
    let scale = Scale::of(pages);
    let repeated = repeated_margins(pages);
    let mut shown = HashSet::new();
    for page in pages {
        for (at, piece) in page.pieces.iter().enumerate() {
            if let Some(key) = margin_key(page, piece)
                && repeated.contains_key(&key)
                && (key.chars().all(|c| !c.is_alphabetic()) || !shown.insert(key))
            {
                continue;
            }
            let alone = |other: Option<&Piece>| other.is_none_or(|other| other.kind != PieceKind::List);
            let apart =
                alone(at.checked_sub(1).and_then(|i| page.pieces.get(i))) && alone(page.pieces.get(at + 1));
            let (kind, level) = scale.kind_of(piece, apart);
            write_piece(piece, kind, level, page.page, out)?;
        }
    }
    Ok(())
}

fn write_piece(
    piece: &Piece,
    kind: BlockKind,
    level: u8,
    page: u32,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    match kind {
        BlockKind::TableRow => {
            let cells: Vec<&str> = piece.text.split('\t').collect();
            out.push_row(&cells, Some(page), None)
        }
        _ => out.push_block(kind, level, &piece.text, Some(page), None),
    }
}

/// The sizes of text in a document: what is body, and which larger sizes are used for headings.
struct Scale {
    body: f32,
    body_is_bold: bool,
    larger: Vec<i32>,
}

/// Sizes in half points, so that rounding in the file does not make levels.
fn half_points(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

impl Scale {
    fn of(pages: &[PagePieces]) -> Self {
        let mut letters: BTreeMap<i32, usize> = BTreeMap::new();
        let (mut bold, mut all) = (0, 0);
        let pieces = || pages.iter().flat_map(|page| &page.pieces);
        for piece in pieces() {
            *letters.entry(half_points(piece.size)).or_default() += piece.text.len();
            all += piece.text.len();
            bold += if piece.bold { piece.text.len() } else { 0 };
        }
        let body = letters.iter().max_by_key(|(_, count)| **count).map_or(20, |(size, _)| *size) as f32 / 2.0;
        let mut larger: Vec<i32> =
            pieces().filter(|p| may_head(p) && p.size >= 1.12 * body).map(|p| half_points(p.size)).collect();
        larger.sort_unstable_by(|a, b| b.cmp(a));
        // Sizes a point apart are one level.
        larger.dedup_by(|a, b| (*a - *b).abs() <= 1);
        larger.truncate(5);
        Self { body, body_is_bold: bold * 2 > all, larger }
    }

    fn kind_of(&self, piece: &Piece, apart: bool) -> (BlockKind, u8) {
        match (piece.kind, piece.tag) {
            (PieceKind::Row, _) => return (BlockKind::TableRow, 0),
            (PieceKind::Prose, Tag::Heading(level)) => return (BlockKind::Heading, level.clamp(1, 6)),
            (PieceKind::List, _) if !(apart && numbered_title(piece)) => return (BlockKind::ListItem, 1),
            _ => {}
        }
        if may_head(piece) && piece.size >= 1.12 * self.body {
            let size = half_points(piece.size);
            let level = self.larger.iter().position(|known| size >= known - 1).unwrap_or(self.larger.len());
            return (BlockKind::Heading, (level + 1).min(6) as u8);
        }
        let strong = piece.bold && !self.body_is_bold && piece.size >= 0.95 * self.body;
        if may_head(piece) && piece.lines <= 2 && (strong || numbered_title(piece)) {
            return (BlockKind::Heading, (self.larger.len() + 1).min(6) as u8);
        }
        (if piece.kind == PieceKind::List { BlockKind::ListItem } else { BlockKind::Paragraph }, 0)
    }
}

/// Short, and not a sentence.
fn may_head(piece: &Piece) -> bool {
    let text = piece.text.trim();
    piece.kind != PieceKind::Row
        && piece.lines <= 4
        && text.chars().count() <= 200
        && text.chars().filter(|c| c.is_alphabetic()).count() >= 2
        && !text.ends_with(['.', ',', ';'])
        && !matches!(piece.tag, Tag::Artifact | Tag::Cell)
}

/// `3.1 Results`, `2. METHOD`: a number, then a few words that begin large.
fn numbered_title(piece: &Piece) -> bool {
    let text = piece.text.trim();
    let Some((number, rest)) = text.split_once(' ') else { return false };
    let sections = number.trim_end_matches(['.', ')']);
    let is_number = !sections.is_empty()
        && sections
            .split('.')
            .all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let deep = sections.contains('.') || marker_len(text, false) > 0;
    is_number
        && deep
        && piece.lines == 1
        && rest.chars().next().is_some_and(char::is_uppercase)
        && rest.split(' ').count() <= 10
        && !text.ends_with(['.', ',', ';', ':'])
}

/// Short pieces near the upper or lower edge, numbers made equal.
fn margin_key(page: &PagePieces, piece: &Piece) -> Option<String> {
    let place = piece.base / page.height.max(1.0);
    let edge = !(0.11..0.9).contains(&place);
    if !edge && piece.tag != Tag::Artifact || piece.lines > 2 || piece.text.chars().count() > 150 {
        return None;
    }
    let mut key = String::new();
    for c in piece.text.chars() {
        let c = if c.is_numeric() { '#' } else { c };
        if !(c == '#' && key.ends_with('#')) {
            key.push(c);
        }
    }
    Some(key)
}

/// Keys that stand in the margins of at least three pages and a fifth of them.
fn repeated_margins(pages: &[PagePieces]) -> HashMap<String, usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for page in pages {
        let mut keys: Vec<String> = page.pieces.iter().filter_map(|piece| margin_key(page, piece)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count >= 3 && *count * 5 >= pages.len());
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn piece(text: &str, size: f32, base: f32) -> Piece {
        Piece { kind: PieceKind::Prose, text: text.into(), lines: 1, size, bold: false, tag: Tag::None, base }
    }

    fn pages() -> Vec<PagePieces> {
        (1..=4)
            .map(|page| PagePieces {
                page,
                height: 800.0,
                pieces: vec![
                    piece("Annual report", 8.0, 30.0),
                    piece(&format!("Chapter {page} of it"), 18.0, 120.0),
                    piece("Some prose that is long enough to be the body of the text.", 10.0, 150.0),
                    piece(&format!("{page}"), 8.0, 780.0),
                ],
            })
            .collect()
    }

    #[test]
    fn running_heads_stay_once_and_page_numbers_go() {
        let mut out = TextWriter::new(&Limits::default());
        write(&pages(), &mut out).unwrap();
        let got = out.finish();
        assert_eq!(got.text.matches("Annual report").count(), 1);
        assert!(!got.blocks.iter().any(|b| b.end - b.start == 1));
        let headings: Vec<_> = got.blocks.iter().filter(|b| b.kind == BlockKind::Heading).collect();
        assert_eq!(headings.len(), 4);
        assert_eq!((headings[3].page, headings[3].level), (Some(4), 1));
    }
}

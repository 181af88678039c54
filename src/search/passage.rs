//! Cuts an extracted text into passages: the pieces that are found, cited and read for an answer. A passage is a
//! contiguous run of the text, so its offsets are the document's.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::analysis::is_unspaced;
use crate::sentence::sentences;

/// Longest heading path kept with a passage, in characters.
const MAX_HEADING: usize = 300;

/// What a block of text is in its document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    Heading,
    #[default]
    Paragraph,
    ListItem,
    TableRow,
    Code,
    Note,
    Caption,
}

/// A run of the extracted text; `start..end` in code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef<'a> {
    pub kind: BlockKind,
    /// Heading level 1–6, list depth from 1, otherwise 0.
    pub level: u8,
    pub start: u32,
    pub end: u32,
    pub page: Option<u32>,
    pub label: Option<&'a str>,
}

/// Where a block begins inside a passage: code points from the passage's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub start: u32,
    pub kind: BlockKind,
    pub page: Option<u32>,
}

/// A retrievable piece of a document. `start..end` are code points of the document's text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    pub ordinal: u32,
    pub start: u32,
    pub end: u32,
    /// Page, slide or sheet where it begins.
    pub page: Option<u32>,
    pub label: Option<String>,
    /// The headings above it, outermost first, joined by ` › `.
    pub heading: String,
    pub text: String,
    /// The blocks in it, in order; the first begins at 0.
    pub marks: Vec<Mark>,
}

/// Sizes in words; two characters of a script without spaces count as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Size at which long paragraphs are cut.
    pub target: usize,
    /// Size up to which whole paragraphs are put together.
    pub max: usize,
    /// How much of the passage before is repeated, in whole sentences.
    pub overlap: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { target: 200, max: 260, overlap: 40 }
    }
}

/// One sentence with what is known about it.
struct Unit {
    bytes: Range<usize>,
    start: u32,
    end: u32,
    words: usize,
    block: usize,
}

struct Piece<'a> {
    block: BlockRef<'a>,
    units: Range<usize>,
    words: usize,
}

/// Cuts `text` into passages; blocks may be absent, then empty lines separate paragraphs. Runs in one pass.
pub fn split(text: &str, blocks: &[BlockRef<'_>], shape: Shape) -> Vec<Passage> {
    let made;
    let blocks = if blocks.is_empty() {
        made = paragraphs(text);
        &made[..]
    } else {
        blocks
    };
    let (pieces, units) = measure(text, blocks);
    let mut packer = Packer {
        text,
        pieces: &pieces,
        units: &units,
        shape,
        path: Vec::new(),
        first: 0,
        words: 0,
        fresh: 0,
        out: Vec::new(),
    };
    packer.run();
    packer.out
}

/// Blocks of a plain text: paragraphs between empty lines.
fn paragraphs(text: &str) -> Vec<BlockRef<'static>> {
    let mut blocks = Vec::new();
    let mut at = 0u32;
    for paragraph in text.split("\n\n") {
        let length = paragraph.chars().count() as u32;
        if !paragraph.trim().is_empty() {
            blocks.push(BlockRef {
                kind: BlockKind::Paragraph,
                level: 0,
                start: at,
                end: at + length,
                page: None,
                label: None,
            });
        }
        at += length + 2;
    }
    blocks
}

/// Splits each block into sentences and counts their words. Blocks out of order or overlapping are cut to what is new.
fn measure<'a>(text: &str, blocks: &[BlockRef<'a>]) -> (Vec<Piece<'a>>, Vec<Unit>) {
    let mut place = Place { text, byte: 0, point: 0 };
    let (mut pieces, mut units) = (Vec::with_capacity(blocks.len()), Vec::new());
    for block in blocks {
        let from = place.advance(block.start);
        let (mut point, to) = (place.point, place.advance(block.end));
        let first = units.len();
        let mut byte = from;
        for range in block_sentences(&text[from..to], block.kind) {
            let bytes = from + range.start..from + range.end;
            let start = point + text[byte..bytes.start].chars().count() as u32;
            let end = start + text[bytes.clone()].chars().count() as u32;
            (byte, point) = (bytes.end, end);
            units.push(Unit { words: words(&text[bytes.clone()]), bytes, start, end, block: pieces.len() });
        }
        if units.len() > first {
            let words = units[first..].iter().map(|unit| unit.words).sum();
            pieces.push(Piece { block: *block, units: first..units.len(), words });
        }
    }
    (pieces, units)
}

/// Sentences of one block; rows and headings are whole unless they are long.
pub(crate) fn block_sentences(text: &str, kind: BlockKind) -> Vec<Range<usize>> {
    if matches!(kind, BlockKind::Heading | BlockKind::TableRow | BlockKind::Caption) && text.len() <= 600 {
        let start = text.len() - text.trim_start().len();
        let end = start + text.trim().len();
        return if end > start { std::iter::once(start..end).collect() } else { Vec::new() };
    }
    sentences(text)
}

/// Walks forward only: code points to bytes.
struct Place<'t> {
    text: &'t str,
    byte: usize,
    point: u32,
}

impl Place<'_> {
    fn advance(&mut self, point: u32) -> usize {
        let bytes = self.text.as_bytes();
        while self.point < point && self.byte < bytes.len() {
            self.byte += 1;
            while self.byte < bytes.len() && (bytes[self.byte] & 0xC0) == 0x80 {
                self.byte += 1;
            }
            self.point += 1;
        }
        self.byte
    }
}

fn words(text: &str) -> usize {
    let (mut words, mut unspaced, mut inside) = (0, 0, false);
    if text.is_ascii() {
        for byte in text.bytes() {
            let word = byte.is_ascii_alphanumeric();
            words += usize::from(word && !inside);
            inside = word;
        }
        return words.max(text.len() / 40);
    }
    for c in text.chars() {
        let word = c.is_alphanumeric();
        if is_unspaced(c) {
            unspaced += 1;
            inside = false;
        } else {
            words += usize::from(word && !inside);
            inside = word;
        }
    }
    (words + unspaced / 2).max(text.len() / 60)
}

struct Packer<'a> {
    text: &'a str,
    pieces: &'a [Piece<'a>],
    units: &'a [Unit],
    shape: Shape,
    path: Vec<(u8, &'a str)>,
    /// First unit of the passage being filled.
    first: usize,
    words: usize,
    /// First unit that no passage has yet.
    fresh: usize,
    out: Vec<Passage>,
}

impl Packer<'_> {
    fn run(&mut self) {
        for index in 0..self.pieces.len() {
            let piece = &self.pieces[index];
            if index > 0 && self.breaks(&self.pieces[index - 1].block, &piece.block) {
                self.close(piece.units.start, false);
            }
            let room = self.words + piece.words <= self.shape.max;
            if !room && piece.words <= self.shape.max && self.words >= self.shape.target / 2 {
                self.close(piece.units.start, true);
            }
            for unit in piece.units.clone() {
                let words = self.units[unit].words;
                let whole = self.words + piece.words <= self.shape.max && unit == piece.units.start;
                if whole {
                    self.words += piece.words;
                    break;
                }
                if self.words + words > self.shape.target && self.fresh < unit {
                    self.close(unit, true);
                }
                self.words += words;
            }
        }
        self.close(self.units.len(), false);
    }

    /// Whether a passage must end between two neighbouring blocks.
    fn breaks(&self, before: &BlockRef<'_>, next: &BlockRef<'_>) -> bool {
        if before.label != next.label {
            return true;
        }
        if next.kind == BlockKind::Heading && before.kind != BlockKind::Heading {
            return self.words >= self.shape.target / 4;
        }
        before.page != next.page && (next.label.is_some() || self.words >= self.shape.target * 3 / 4)
    }

    /// Ends the passage before unit `until` and begins the next, with overlap when asked.
    fn close(&mut self, until: usize, overlap: bool) {
        if until <= self.fresh {
            return;
        }
        self.emit(until);
        // The next passage begins later than this one, whatever the overlap.
        let floor = self.first + 1;
        self.fresh = until;
        self.first = until;
        self.words = 0;
        while overlap && self.first > floor {
            let unit = &self.units[self.first - 1];
            let kind = self.pieces[unit.block].block.kind;
            if kind == BlockKind::Heading || self.words + unit.words > self.shape.overlap {
                break;
            }
            self.words += unit.words;
            self.first -= 1;
        }
    }

    fn emit(&mut self, until: usize) {
        let units = &self.units[self.first..until];
        let (Some(head), Some(last)) = (units.first(), units.last()) else { return };
        let mut marks: Vec<Mark> = Vec::new();
        let mut previous = usize::MAX;
        for unit in units {
            if unit.block != previous {
                let block = &self.pieces[unit.block].block;
                marks.push(Mark { start: unit.start - head.start, kind: block.kind, page: block.page });
                previous = unit.block;
            }
        }
        let blocks = head.block..last.block + 1;
        let heading = self.heading(blocks.clone());
        let block = &self.pieces[head.block].block;
        self.out.push(Passage {
            ordinal: self.out.len() as u32,
            start: head.start,
            end: last.end,
            page: block.page,
            label: block.label.map(str::to_owned),
            heading,
            text: self.text[head.bytes.start..last.bytes.end].to_owned(),
            marks,
        });
    }

    /// Takes in the headings of the blocks; the path holds as it stands after the leading ones.
    fn heading(&mut self, blocks: Range<usize>) -> String {
        let mut joined = None;
        for index in blocks {
            let piece = &self.pieces[index];
            if piece.block.kind == BlockKind::Heading {
                let bytes =
                    self.units[piece.units.start].bytes.start..self.units[piece.units.end - 1].bytes.end;
                self.path.retain(|(level, _)| *level < piece.block.level);
                self.path.push((piece.block.level, &self.text[bytes]));
            } else if joined.is_none() {
                joined = Some(join(&self.path));
            }
        }
        joined.unwrap_or_else(|| join(&self.path))
    }
}

fn join(path: &[(u8, &str)]) -> String {
    let joined = path.iter().map(|(_, heading)| *heading).collect::<Vec<_>>().join(" › ");
    if joined.len() <= MAX_HEADING { joined } else { joined.chars().take(MAX_HEADING).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(text: &str, start: u32, end: u32) -> String {
        text.chars().skip(start as usize).take((end - start) as usize).collect()
    }

    fn check(text: &str, passages: &[Passage]) {
        for (index, passage) in passages.iter().enumerate() {
            assert_eq!(passage.ordinal as usize, index);
            assert_eq!(slice(text, passage.start, passage.end), passage.text);
            assert_eq!(passage.marks[0].start, 0);
            assert!(passage.marks.windows(2).all(|pair| pair[0].start < pair[1].start));
        }
        assert!(passages.windows(2).all(|pair| pair[0].end < pair[1].end && pair[0].start < pair[1].start));
    }

    fn prose(sentences: usize) -> String {
        (0..sentences)
            .map(|n| format!("Sentence number {n} tells about the é thing."))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn whole_paragraphs_stay_together() {
        let text = [prose(10), prose(12), prose(15)].join("\n\n");
        let passages = split(&text, &[], Shape::default());
        check(&text, &passages);
        assert_eq!(passages.len(), 2);
        assert!(passages[0].text.ends_with("number 11 tells about the é thing."));
        assert!(passages[1].start < passages[0].end, "the second repeats the end of the first");
    }

    #[test]
    fn long_paragraphs_are_cut_between_sentences() {
        let text = prose(200);
        let passages = split(&text, &[], Shape::default());
        check(&text, &passages);
        assert!(passages.len() >= 6);
        assert!(
            passages
                .iter()
                .all(|passage| passage.text.starts_with("Sentence") && passage.text.ends_with("thing."))
        );
        assert!(passages.iter().all(|passage| words(&passage.text) <= 260));
    }

    #[test]
    fn headings_sheets_and_pages_are_respected() {
        let parts = ["Report", "Money", &prose(20), "People", &prose(20), &prose(5)];
        let kinds = [
            BlockKind::Heading,
            BlockKind::Heading,
            BlockKind::Paragraph,
            BlockKind::Heading,
            BlockKind::Paragraph,
            BlockKind::Paragraph,
        ];
        let (mut text, mut blocks) = (String::new(), Vec::new());
        for (index, (part, kind)) in parts.iter().zip(kinds).enumerate() {
            let start = text.chars().count() as u32;
            text.push_str(part);
            let level = if index == 0 { 1 } else { 2 };
            let label = (index == 5).then_some("Sheet 2");
            blocks.push(BlockRef {
                kind,
                level,
                start,
                end: text.chars().count() as u32,
                page: Some(index as u32),
                label,
            });
            text.push('\n');
        }
        let passages = split(&text, &blocks, Shape::default());
        check(&text, &passages);
        let headings: Vec<_> = passages.iter().map(|passage| passage.heading.as_str()).collect();
        assert_eq!(headings, ["Report › Money", "Report › People", "Report › People"]);
        assert_eq!(passages[2].label.as_deref(), Some("Sheet 2"));
        assert_eq!(passages[1].page, Some(3));
        assert_eq!(passages[1].marks[1].page, Some(4));
    }

    #[test]
    fn unspaced_text_is_counted_by_characters() {
        let text = "今日は天気がいいので散歩に行きました。".repeat(100);
        let passages = split(&text, &[], Shape::default());
        check(&text, &passages);
        assert!(passages.len() >= 4);
    }

    #[test]
    fn any_text_and_any_blocks_hold() {
        let mut random = crate::testing::Random::new(3);
        for round in 0..800 {
            let text = random.text(300);
            let mut blocks = Vec::new();
            for _ in 0..random.below(8) * (round % 3) {
                let start = random.below(200) as u32;
                let end = start.saturating_add(random.below(300) as u32).saturating_sub(3);
                let kind = if random.below(3) == 0 { BlockKind::Heading } else { BlockKind::Paragraph };
                blocks.push(BlockRef {
                    kind,
                    level: random.below(7) as u8,
                    start,
                    end,
                    page: Some(1),
                    label: None,
                });
            }
            let shape = Shape { target: 12, max: 16, overlap: 4 };
            check(&text, &split(&text, &blocks, shape));
        }
        assert!(split("", &[], Shape::default()).is_empty());
    }
}

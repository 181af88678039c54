//! The one way text gets into an [`Extracted`]: offsets in code points, normal form, limits, and the budget that
//! nested documents share. Not here: what a heading or a page is; the readers of the formats know that.

use std::borrow::Cow;

use crate::model::{Block, BlockKind, ExtractError, ExtractErrorCode, Extracted, Limits};

/// More blocks than this are no document that people read; they only fill memory.
const MAX_BLOCKS: usize = 2_000_000;
const MAX_WARNINGS: usize = 200;

/// Collects the blocks of one document and of everything embedded in it.
#[derive(Debug)]
pub struct TextWriter {
    out: Extracted,
    chars: u32,
    limits: Limits,
    /// Names of the archives and attachments we are inside of, outermost first.
    path: Vec<String>,
    members: usize,
    unpacked: u64,
    first_heading: Option<String>,
}

/// A place in the text to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    blocks: usize,
    bytes: usize,
    chars: u32,
}

impl TextWriter {
    pub fn new(limits: &Limits) -> Self {
        Self {
            out: Extracted::default(),
            chars: 0,
            limits: limits.clone(),
            path: Vec::new(),
            members: 0,
            unpacked: 0,
            first_heading: None,
        }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Appends a block. Text is brought to NFC with `\n` line ends and without control characters; a block with
    /// nothing in it is dropped. `label` stands behind the names of the members we are inside of.
    pub fn push_block(
        &mut self,
        kind: BlockKind,
        level: u8,
        text: &str,
        page: Option<u32>,
        label: Option<&str>,
    ) -> Result<(), ExtractError> {
        let clean = clean(text, kind);
        if clean.trim().is_empty() {
            return Ok(());
        }
        let separator = match self.out.blocks.last() {
            None => "",
            Some(last) if last.kind == kind && joins_tightly(kind) => "\n",
            Some(_) => "\n\n",
        };
        let size = self.out.text.len() + separator.len() + clean.len();
        if size > self.limits.text_bytes || self.out.blocks.len() >= MAX_BLOCKS {
            return Err(too_large(format!(
                "The text of this document is larger than {} MB.",
                self.limits.text_bytes / 1_000_000
            )));
        }
        self.out.text.push_str(separator);
        self.chars += separator.len() as u32;
        let start = self.chars;
        self.chars += count_chars(&clean);
        self.out.text.push_str(&clean);
        // A sheet's name stands as heading and label; it does not name the document.
        let names_document = label != Some(text) && self.path.is_empty();
        if kind == BlockKind::Heading && self.first_heading.is_none() && names_document {
            self.first_heading = Some(one_line(&clean, 200));
        }
        let label = self.label(label);
        self.out.blocks.push(Block { kind, level, start, end: self.chars, page, label });
        Ok(())
    }

    /// A table row: cells joined by a tab, line ends inside a cell made spaces.
    pub fn push_row<S: AsRef<str>>(
        &mut self,
        cells: &[S],
        page: Option<u32>,
        label: Option<&str>,
    ) -> Result<(), ExtractError> {
        let used = cells.iter().rposition(|cell| !cell.as_ref().trim().is_empty()).map_or(0, |at| at + 1);
        let mut row = String::new();
        for (index, cell) in cells[..used].iter().enumerate() {
            if index > 0 {
                row.push('\t');
            }
            push_cell(&mut row, cell.as_ref());
        }
        self.push_block(BlockKind::TableRow, 0, &row, page, label)
    }

    fn label(&self, own: Option<&str>) -> Option<String> {
        let own = own.map(str::trim).filter(|own| !own.is_empty());
        match (self.path.is_empty(), own) {
            (true, own) => own.map(|own| one_line(own, 200)),
            (false, None) => Some(self.path.join("/")),
            (false, Some(own)) => Some(format!("{} › {}", self.path.join("/"), one_line(own, 200))),
        }
    }

    /// Notes what could not be read although the rest could, as one sentence.
    pub fn warn(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if self.out.warnings.len() < MAX_WARNINGS && !self.out.warnings.contains(&sentence) {
            self.out.warnings.push(sentence);
        }
    }

    /// The title from the metadata of the outermost document. Members do not change it.
    pub fn set_title(&mut self, title: &str) {
        let title = one_line(&clean(title, BlockKind::Heading), 300);
        if self.path.is_empty() && self.out.title.is_none() && sensible_title(&title) {
            self.out.title = Some(title);
        }
    }

    /// A title for the case that the metadata has none, such as that of the first slide.
    pub fn suggest_title(&mut self, title: &str) {
        if self.path.is_empty() && self.first_heading.is_none() && sensible_title(title) {
            self.first_heading = Some(one_line(title, 200));
        }
    }

    /// Page count of the outermost document. Members do not change it.
    pub fn set_pages(&mut self, pages: u32) {
        if self.path.is_empty() {
            self.out.pages = pages;
        }
    }

    /// Pages of the current document that need OCR; of a member only a warning can say so.
    pub fn set_needs_ocr(&mut self, pages: Vec<u32>) {
        if pages.is_empty() {
            return;
        }
        if self.path.is_empty() {
            self.out.needs_ocr = pages;
        } else {
            let member = self.path.join("/");
            self.warn(format!("“{member}” has {} pages that only show an image.", pages.len()));
        }
    }

    /// How deep inside archives and attachments we are; 0 in the outermost document.
    pub fn depth(&self) -> usize {
        self.path.len()
    }

    /// Goes into a member or attachment. Every successful call needs its [`TextWriter::leave`].
    pub fn enter(&mut self, name: &str) -> Result<(), ExtractError> {
        if self.path.len() >= self.limits.depth {
            return Err(too_complex(format!(
                "Documents are nested more than {} levels deep.",
                self.limits.depth
            )));
        }
        self.members += 1;
        if self.members > self.limits.members {
            return Err(too_large(format!("The archive has more than {} members.", self.limits.members)));
        }
        self.path.push(one_line(&clean(name, BlockKind::Heading), 200));
        Ok(())
    }

    pub fn leave(&mut self) {
        self.path.pop();
    }

    /// Bytes that may still be unpacked.
    pub fn unpack_budget(&self) -> u64 {
        self.limits.unpacked_bytes.saturating_sub(self.unpacked)
    }

    /// Takes `bytes` from the budget of unpacked data.
    pub fn spend(&mut self, bytes: u64) -> Result<(), ExtractError> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        if self.unpacked > self.limits.unpacked_bytes {
            return Err(too_large(format!(
                "Unpacked, this file is larger than {} MB.",
                self.limits.unpacked_bytes / 1_000_000
            )));
        }
        Ok(())
    }

    /// Where the text ends now; see [`TextWriter::rollback`].
    pub(crate) fn mark(&self) -> Mark {
        Mark { blocks: self.out.blocks.len(), bytes: self.out.text.len(), chars: self.chars }
    }

    /// Whether since `mark` nothing but one heading was written.
    pub(crate) fn only_heading_since(&self, mark: &Mark) -> bool {
        self.out.blocks[mark.blocks..].len() <= 1
    }

    pub(crate) fn is_empty_since(&self, mark: &Mark) -> bool {
        self.out.blocks.len() <= mark.blocks
    }

    /// Takes back what was written since `mark`.
    pub(crate) fn rollback(&mut self, mark: Mark) {
        self.out.blocks.truncate(mark.blocks);
        self.out.text.truncate(mark.bytes);
        self.chars = mark.chars;
    }

    pub fn is_empty(&self) -> bool {
        self.out.blocks.is_empty()
    }

    pub fn finish(mut self) -> Extracted {
        if self.out.title.is_none() {
            self.out.title = self.first_heading.filter(|heading| sensible_title(heading));
        }
        self.out
    }
}

pub(crate) fn too_large(message: String) -> ExtractError {
    ExtractError { code: ExtractErrorCode::TooLarge, message }
}

pub(crate) fn too_complex(message: impl Into<String>) -> ExtractError {
    ExtractError { code: ExtractErrorCode::TooComplex, message: message.into() }
}

pub(crate) fn damaged(message: impl Into<String>) -> ExtractError {
    ExtractError { code: ExtractErrorCode::Damaged, message: message.into() }
}

/// Rows and list items of one table or list stand on neighbouring lines, prose is set apart by an empty one.
fn joins_tightly(kind: BlockKind) -> bool {
    matches!(kind, BlockKind::TableRow | BlockKind::ListItem)
}

fn push_cell(row: &mut String, cell: &str) {
    for (index, word) in cell.split_whitespace().enumerate() {
        if index > 0 {
            row.push(' ');
        }
        row.push_str(word);
    }
}

fn count_chars(text: &str) -> u32 {
    if text.is_ascii() { text.len() as u32 } else { text.chars().count() as u32 }
}

/// The first line of `text`, at most `most` code points.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    push_cell(&mut line, text.get(..text.len().min(most * 8)).unwrap_or(text));
    match line.char_indices().nth(most) {
        Some((at, _)) => line[..at].to_owned(),
        None => line,
    }
}

/// Metadata is often the template's or the program's; such titles say nothing.
fn sensible_title(title: &str) -> bool {
    const EMPTY_WORDS: [&str; 8] = [
        "untitled",
        "powerpoint presentation",
        "presentation",
        "document",
        "slide 1",
        "title",
        "no slide title",
        "powerpoint-präsentation",
    ];
    title.chars().filter(|c| c.is_alphanumeric()).count() >= 2
        && !EMPTY_WORDS.contains(&title.to_lowercase().as_str())
}

fn is_plain(text: &str, kind: BlockKind) -> bool {
    text.is_ascii()
        && text
            .bytes()
            .all(|b| b >= b' ' && b != 0x7f || b == b'\n' || (b == b'\t' && kind != BlockKind::Heading))
}

/// Line ends, control characters, invisible characters, NFC, and no space at either end or before a line end.
fn clean(text: &str, kind: BlockKind) -> Cow<'_, str> {
    let text = match kind {
        BlockKind::Code => text.trim_matches(['\n', '\r']).trim_end(),
        BlockKind::TableRow => text.trim_matches([' ', '\n', '\r']).trim_end(),
        _ => text.trim(),
    };
    if is_plain(text, kind) && !text.contains(" \n") && !text.contains("\t\n") {
        return Cow::Borrowed(text);
    }
    let visible = visible_only(text);
    let composed = if visible.is_ascii() {
        visible
    } else {
        match icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(&visible) {
            Cow::Borrowed(_) => visible,
            Cow::Owned(changed) => changed,
        }
    };
    Cow::Owned(strip_line_ends(&composed, kind))
}

fn visible_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_return = false;
    for c in text.chars() {
        match c {
            '\n' if after_return => {}
            '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push('\t'),
            '\u{a0}' | '\u{202f}' | '\u{2007}' => out.push(' '),
            '\u{ad}' | '\u{feff}' | '\u{200b}' | '\u{2060}' | '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
        after_return = c == '\r';
    }
    out
}

fn strip_line_ends(text: &str, kind: BlockKind) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str(if kind == BlockKind::TableRow { line.trim_end_matches(' ') } else { line.trim_end() });
    }
    let trimmed =
        if matches!(kind, BlockKind::Code | BlockKind::TableRow) { out.trim_end() } else { out.trim() };
    if trimmed.len() == out.len() { out } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> TextWriter {
        TextWriter::new(&Limits::default())
    }

    #[test]
    fn offsets_count_code_points() {
        let mut w = writer();
        w.push_block(BlockKind::Heading, 1, "Gothic 𐌲𐌿", Some(1), None).unwrap();
        w.push_block(BlockKind::Paragraph, 0, "  \u{0}\u{ad} ", None, None).unwrap();
        w.push_block(BlockKind::Paragraph, 0, "e\u{301}té\r\nzwei ", None, Some("x")).unwrap();
        w.push_row(&["a", "", "c\nd", " "], None, None).unwrap();
        w.push_row(&["1", "2"], None, None).unwrap();
        let out = w.finish();
        assert_eq!(out.text, "Gothic 𐌲𐌿\n\nété\nzwei\n\na\t\tc d\n1\t2");
        let slices: Vec<_> = out
            .blocks
            .iter()
            .map(|b| lectern_kernel::text::slice(&out.text, b.start as usize, b.end as usize))
            .collect();
        assert_eq!(slices, ["Gothic 𐌲𐌿", "été\nzwei", "a\t\tc d", "1\t2"]);
        assert_eq!(out.title.as_deref(), Some("Gothic 𐌲𐌿"));
    }

    #[test]
    fn limits_hold() {
        let mut w = TextWriter::new(&Limits {
            text_bytes: 10,
            depth: 1,
            members: 2,
            unpacked_bytes: 5,
            ..Limits::default()
        });
        assert_eq!(
            w.push_block(BlockKind::Paragraph, 0, "0123456789a", None, None).unwrap_err().code,
            ExtractErrorCode::TooLarge
        );
        w.enter("a.zip").unwrap();
        assert_eq!(w.enter("b").unwrap_err().code, ExtractErrorCode::TooComplex);
        w.leave();
        w.enter("c").unwrap();
        w.leave();
        assert_eq!(w.enter("d").unwrap_err().code, ExtractErrorCode::TooLarge);
        assert!(w.spend(5).is_ok() && w.spend(1).is_err());
    }

    #[test]
    fn labels_carry_the_members() {
        let mut w = writer();
        w.enter("a.zip").unwrap();
        w.enter("b.xlsx").unwrap();
        w.push_block(BlockKind::Paragraph, 0, "x", None, Some("Sheet1")).unwrap();
        w.leave();
        w.push_block(BlockKind::Paragraph, 0, "y", None, None).unwrap();
        let out = w.finish();
        assert_eq!(out.blocks[0].label.as_deref(), Some("a.zip/b.xlsx › Sheet1"));
        assert_eq!(out.blocks[1].label.as_deref(), Some("a.zip"));
        assert_eq!(out.title, None);
    }
}

//! The body of a Word document: paragraphs with their styles, lists and tables, fields reduced to what they show.

use std::ops::Range;

use crate::blocks::Blocks;
use crate::doc_pieces::{Pieces, pair};
use crate::doc_styles::{Properties, Styles};
use crate::model::{BlockKind, ExtractError};
use crate::ole::{u16_at, u32_at};
use crate::writer::TextWriter;

/// Bytes of a page of formatting.
const PAGE: usize = 512;

pub(crate) struct Paragraphs<'a> {
    pieces: &'a Pieces<'a>,
    styles: Styles,
    /// File offsets of paragraphs, with their properties: sorted.
    runs: Vec<(usize, usize, Properties)>,
}

impl<'a> Paragraphs<'a> {
    pub fn new(main: &'a [u8], table: &[u8], pieces: &'a Pieces<'a>) -> Self {
        let part = |index: usize| {
            pair(main, index)
                .and_then(|(at, length)| table.get(at..at.saturating_add(length).min(table.len())))
        };
        let styles = Styles::read(part(1).unwrap_or_default());
        let mut runs = part(13).map(|plc| paragraph_runs(main, plc)).unwrap_or_default();
        runs.sort_by_key(|run| run.0);
        Self { pieces, styles, runs }
    }

    pub fn push(&mut self, range: Range<u32>, out: &mut TextWriter) -> Result<(), ExtractError> {
        let mut state =
            Layout { blocks: Blocks::new(out, None, None), text: String::new(), field: Vec::new() };
        for (positions, offset, width) in self.pieces.runs(&range) {
            let text = self.pieces.text(positions);
            let mut at = offset;
            let mut start = 0;
            for (index, c) in text.char_indices() {
                let wide = if width == 2 { c.len_utf16() * 2 } else { 1 };
                if matches!(c, '\r' | '\u{7}' | '\u{c}') {
                    state.text.push_str(&text[start..index]);
                    start = index + c.len_utf8();
                    let properties = self.properties(at);
                    state.end(c, &properties, &self.styles)?;
                }
                at += wide;
            }
            state.text.push_str(&text[start..]);
        }
        state.end('\r', &Properties::default(), &self.styles)?;
        state.blocks.finish()
    }

    fn properties(&self, offset: usize) -> Properties {
        let index = self.runs.partition_point(|run| run.0 <= offset);
        let found = index.checked_sub(1).map(|at| &self.runs[at]).filter(|run| offset < run.1);
        found.map(|run| run.2.clone()).unwrap_or_default()
    }
}

struct Layout<'w> {
    blocks: Blocks<'w>,
    text: String,
    /// Open fields: whether we are in the code (`true`) or in what is shown.
    field: Vec<bool>,
}

impl Layout<'_> {
    fn end(&mut self, mark: char, properties: &Properties, styles: &Styles) -> Result<(), ExtractError> {
        let raw = std::mem::take(&mut self.text);
        let text = self.shown(&raw);
        if properties.in_table || mark == '\u{7}' {
            return self.cell(mark, &text, properties);
        }
        while self.blocks.in_table() {
            self.blocks.close_table()?;
        }
        let heading = properties.outline.or_else(|| styles.heading(properties.style));
        let listed = properties.list.unwrap_or_else(|| styles.is_list(properties.style));
        let (kind, level) = match heading {
            Some(level) => (BlockKind::Heading, level),
            None if listed => (BlockKind::ListItem, properties.list_level + 1),
            None => (BlockKind::Paragraph, 0),
        };
        self.blocks.push(kind, level, &text)
    }

    fn cell(&mut self, mark: char, text: &str, properties: &Properties) -> Result<(), ExtractError> {
        if !self.blocks.in_table() {
            self.blocks.open_table();
            self.blocks.open_cell();
        }
        if properties.row_end {
            self.blocks.drop_empty_cell();
            self.blocks.close_row()?;
            self.blocks.open_cell();
            return Ok(());
        }
        self.blocks.push(BlockKind::Paragraph, 0, text)?;
        if mark == '\u{7}' {
            self.blocks.close_cell();
            self.blocks.open_cell();
        }
        Ok(())
    }

    /// Text without the codes of fields; a field may go over several paragraphs.
    fn shown(&mut self, raw: &str) -> String {
        let mut out = String::with_capacity(raw.len());
        for c in raw.chars() {
            match c {
                '\u{13}' if self.field.len() < 1000 => self.field.push(true),
                '\u{14}' => {
                    if let Some(code) = self.field.last_mut() {
                        *code = false;
                    }
                }
                '\u{15}' => {
                    self.field.pop();
                }
                c if !self.field.contains(&true) => push_visible(&mut out, c),
                _ => {}
            }
        }
        out
    }
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\u{b}' => out.push('\n'),
        '\u{1e}' => out.push('\u{2011}'),
        '\t' => out.push('\t'),
        // Pictures, drawn objects, footnote marks, optional hyphens.
        c if c < ' ' => {}
        // Symbol fonts in the private range.
        '\u{f020}'..='\u{f0ff}' => {}
        c => out.push(c),
    }
}

/// Text of notes and boxes, where fields do not matter across paragraphs.
pub(crate) fn visible(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut code = 0usize;
    for c in raw.chars() {
        match c {
            '\u{13}' => code += 1,
            '\u{14}' | '\u{15}' => code = code.saturating_sub(1),
            c if code == 0 => push_visible(&mut out, c),
            _ => {}
        }
    }
    out
}

/// Every paragraph of the bin table: first and end file offset, and its properties.
fn paragraph_runs(main: &[u8], plc: &[u8]) -> Vec<(usize, usize, Properties)> {
    let count = plc.len().saturating_sub(4) / 8;
    let mut runs = Vec::new();
    for index in 0..count {
        let Some(number) = u32_at(plc, (count + 1) * 4 + index * 4) else { break };
        let start = (number & 0x3f_ffff) as usize * PAGE;
        let Some(page) = main.get(start..start + PAGE) else { continue };
        page_runs(page, &mut runs);
    }
    runs
}

/// One page of paragraph formatting (PapxFkp).
fn page_runs(page: &[u8], runs: &mut Vec<(usize, usize, Properties)>) {
    let count = usize::from(page[PAGE - 1]);
    for index in 0..count {
        let (Some(start), Some(end)) = (u32_at(page, index * 4), u32_at(page, index * 4 + 4)) else { return };
        let Some(&word) = page.get((count + 1) * 4 + index * 13) else { return };
        let mut properties = Properties::default();
        let at = usize::from(word) * 2;
        if at > 0 && at < PAGE - 1 {
            let size = usize::from(page[at]);
            let (from, length) =
                if size == 0 { (at + 2, usize::from(page[at + 1]) * 2) } else { (at + 1, size * 2 - 1) };
            if let Some(data) = page.get(from..(from + length).min(PAGE)) {
                properties = Properties { style: u16_at(data, 0).unwrap_or(0), ..Properties::default() };
                properties.apply(data.get(2..).unwrap_or_default());
            }
        }
        runs.push((start as usize, end as usize, properties));
    }
}

//! Blocks with tables: turns nested tables and cells with several paragraphs into rows or plain blocks.
//!
//! A cell is captured until its row ends. A row becomes one line of tab-joined cells; a row that is only a frame
//! (one filled cell with several blocks, or one with a table inside) gives its blocks on their own.

use crate::model::{BlockKind, ExtractError};
use crate::table_spans::{Grid, Span};
use crate::writer::TextWriter;

/// Tables nested deeper than this only lay out; their rows join the table they are in.
const MAX_TABLES: usize = 24;
/// Longest row that is still worth reading as one line.
const MAX_ROW: usize = 20_000;

#[derive(Debug)]
struct Piece {
    kind: BlockKind,
    level: u8,
    text: String,
}

#[derive(Debug, Default)]
struct Table {
    row: Vec<Vec<Piece>>,
    in_cell: bool,
    spans: Vec<Span>,
    grid: Grid,
}

pub(crate) struct Blocks<'w> {
    pub out: &'w mut TextWriter,
    pub page: Option<u32>,
    pub label: Option<String>,
    tables: Vec<Table>,
    ignored: usize,
}

impl<'w> Blocks<'w> {
    pub fn new(out: &'w mut TextWriter, page: Option<u32>, label: Option<&str>) -> Self {
        Self { out, page, label: label.map(str::to_owned), tables: Vec::new(), ignored: 0 }
    }

    pub fn in_table(&self) -> bool {
        !self.tables.is_empty()
    }

    pub fn push(&mut self, kind: BlockKind, level: u8, text: &str) -> Result<(), ExtractError> {
        self.push_at(self.tables.len(), Piece { kind, level, text: text.to_owned() })
    }

    fn push_at(&mut self, depth: usize, piece: Piece) -> Result<(), ExtractError> {
        if piece.text.trim().is_empty() {
            return Ok(());
        }
        let Some(table) = depth.checked_sub(1).and_then(|at| self.tables.get_mut(at)) else {
            return self.out.push_block(
                piece.kind,
                piece.level,
                &piece.text,
                self.page,
                self.label.as_deref(),
            );
        };
        // Text between cells (captions, misplaced text) belongs to a cell of its own.
        if !table.in_cell || table.row.is_empty() {
            table.row.push(Vec::new());
            table.in_cell = true;
        }
        if let Some(cell) = table.row.last_mut() {
            cell.push(piece);
        }
        Ok(())
    }

    pub fn open_table(&mut self) {
        if self.tables.len() >= MAX_TABLES {
            self.ignored += 1;
        } else {
            self.tables.push(Table::default());
        }
    }

    pub fn close_table(&mut self) -> Result<(), ExtractError> {
        if self.ignored > 0 {
            self.ignored -= 1;
            return Ok(());
        }
        self.close_row()?;
        self.tables.pop();
        Ok(())
    }

    pub fn open_cell(&mut self) {
        if let Some(table) = self.tables.last_mut() {
            table.row.push(Vec::new());
            table.in_cell = true;
        }
    }

    /// How many columns and rows the open cell covers.
    pub fn span_cell(&mut self, columns: usize, rows: usize) {
        self.set_span(Span { columns: columns.clamp(1, 1000), rows: rows.clamp(1, 1000), continued: false });
    }

    /// The open cell shows what stands in the one above it.
    pub fn continue_cell(&mut self, columns: usize) {
        self.set_span(Span { columns: columns.clamp(1, 1000), rows: 1, continued: true });
    }

    fn set_span(&mut self, span: Span) {
        if let Some(table) = self.tables.last_mut().filter(|table| !table.row.is_empty()) {
            table.spans.resize(table.row.len(), Span::default());
            if let Some(last) = table.spans.last_mut() {
                *last = span;
            }
        }
    }

    pub fn in_nested_table(&self) -> bool {
        self.tables.len() > 1
    }

    /// Repeats the text of the last cell.
    pub fn repeat_cell(&mut self, times: usize) {
        let Some(row) = self.tables.last_mut().map(|table| &mut table.row) else { return };
        let text =
            row.last().map(|cell| cell.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(" "));
        for _ in 0..times {
            let text = text.clone().unwrap_or_default();
            let cell = if text.is_empty() {
                Vec::new()
            } else {
                vec![Piece { kind: BlockKind::Paragraph, level: 0, text }]
            };
            row.push(cell);
        }
    }

    /// Takes back a cell that was opened and never filled.
    pub fn drop_empty_cell(&mut self) {
        if let Some(table) = self.tables.last_mut()
            && table.row.last().is_some_and(Vec::is_empty)
        {
            table.row.pop();
        }
    }

    pub fn close_cell(&mut self) {
        if let Some(table) = self.tables.last_mut() {
            table.in_cell = false;
        }
    }

    pub fn close_row(&mut self) -> Result<(), ExtractError> {
        let depth = self.tables.len();
        let Some(table) = self.tables.last_mut() else { return Ok(()) };
        let mut row = std::mem::take(&mut table.row);
        table.in_cell = false;
        let spans = std::mem::take(&mut table.spans);
        if !spans.is_empty() || !table.grid.is_empty() {
            row = table.grid.fill(row, &spans, |cell| join_row(std::slice::from_ref(cell)), piece_of);
        }
        let filled = row.iter().filter(|cell| !cell.is_empty()).count();
        let blocks: usize = row.iter().map(Vec::len).sum();
        let size: usize = row.iter().flatten().map(|piece| piece.text.len()).sum();
        let nested = row.iter().flatten().any(|piece| piece.kind == BlockKind::TableRow);
        if nested || size > MAX_ROW || (filled == 1 && row.len() == 1 && blocks > 1) {
            for piece in row.into_iter().flatten() {
                self.push_at(depth - 1, piece)?;
            }
            return Ok(());
        }
        let text = join_row(&row);
        self.push_at(depth - 1, Piece { kind: BlockKind::TableRow, level: 0, text })
    }

    /// Ends tables that the document left open.
    pub fn finish(&mut self) -> Result<(), ExtractError> {
        self.ignored = 0;
        while self.in_table() {
            self.close_table()?;
        }
        Ok(())
    }
}

fn piece_of(text: &str) -> Vec<Piece> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![Piece { kind: BlockKind::Paragraph, level: 0, text: text.to_owned() }]
    }
}

fn join_row(row: &[Vec<Piece>]) -> String {
    let used = row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1);
    let mut text = String::new();
    for (index, cell) in row[..used].iter().enumerate() {
        if index > 0 {
            text.push('\t');
        }
        for (at, word) in cell.iter().flat_map(|piece| piece.text.split_whitespace()).enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    #[test]
    fn rows_and_frames() {
        let mut out = TextWriter::new(&Limits::default());
        let mut blocks = Blocks::new(&mut out, None, None);
        blocks.open_table();
        blocks.open_cell();
        blocks.push(BlockKind::Paragraph, 0, "a\nb").unwrap();
        blocks.open_cell();
        blocks.open_cell();
        blocks.push(BlockKind::Paragraph, 0, "c").unwrap();
        blocks.push(BlockKind::Paragraph, 0, "d").unwrap();
        blocks.close_row().unwrap();
        blocks.open_cell();
        blocks.push(BlockKind::Heading, 1, "Frame").unwrap();
        blocks.push(BlockKind::Paragraph, 0, "text").unwrap();
        blocks.finish().unwrap();
        let out = out.finish();
        assert_eq!(out.text, "a b\t\tc d\n\nFrame\n\ntext");
        assert_eq!(out.blocks[1].kind, BlockKind::Heading);
    }
}

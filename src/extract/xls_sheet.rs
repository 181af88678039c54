//! One sheet of a BIFF workbook: cells, comments, text boxes, margins, and the texts of charts.

use crate::model::{BlockKind, ExtractError};
use crate::ole::{f64_at, u16_at};
use crate::writer::TextWriter;
use crate::xls::Book;
use crate::xls_records::{Record, Text, records, rk_at};
use crate::xlsx_sheet::margin_text;

const MAX_GAP: usize = 16;

#[derive(Default)]
struct Sheet {
    cells: Vec<(u16, u16, String)>,
    notes: Vec<String>,
    boxes: Vec<String>,
    margins: Vec<String>,
    chart: Vec<String>,
    /// The cell whose text comes in the next record.
    pending: Option<(u16, u16)>,
    /// Streams inside of the sheet's own: charts.
    depth: usize,
    is_chart: bool,
}

pub(crate) fn push(
    stream: &[u8],
    offset: usize,
    book: &Book,
    page: u32,
    name: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let mut sheet = Sheet::default();
    for record in records(stream, offset) {
        if !sheet.record(stream, &record, book) {
            break;
        }
    }
    sheet.write(page, name, out)
}

impl Sheet {
    /// `false` at the end of the sheet.
    fn record(&mut self, stream: &[u8], record: &Record, book: &Book) -> bool {
        let body = record.body(stream);
        match record.kind {
            0x0809 | 0x0409 | 0x0209 | 0x0009 => {
                self.depth += 1;
                self.is_chart = u16_at(body, 2) == Some(0x20);
            }
            0x0a => {
                self.depth = self.depth.saturating_sub(1);
                self.is_chart = false;
                return self.depth > 0;
            }
            0x100d => {
                let mut text = Text::new(stream, record);
                text.skip(2);
                self.chart.push(text.short(book.biff));
            }
            0x14 | 0x15 if !body.is_empty() => {
                let mut text = Text::new(stream, record);
                let code = if book.biff.version >= 8 { text.long(book.biff) } else { text.short(book.biff) };
                self.margins.push(margin_text(&code));
            }
            0x1b6 => {
                let length = usize::from(u16_at(body, 10).unwrap_or(0));
                if length > 0 {
                    self.boxes.push(Text::new(stream, record).continued(length));
                }
            }
            0x1c if book.biff.version < 8 => {
                let mut text = Text::new(stream, record);
                text.skip(4);
                self.notes.push(text.long(book.biff));
            }
            0x207 => {
                if let Some((row, column)) = self.pending.take() {
                    let text = Text::new(stream, record).long(book.biff);
                    self.cells.push((row, column, text));
                }
            }
            _ => self.cell(stream, record, book),
        }
        true
    }

    fn cell(&mut self, stream: &[u8], record: &Record, book: &Book) {
        let body = record.body(stream);
        let (Some(row), Some(column)) = (u16_at(body, 0), u16_at(body, 2)) else { return };
        let style = u16_at(body, 4).unwrap_or(0);
        let text = match record.kind {
            0xfd => {
                let at = crate::ole::u32_at(body, 6).unwrap_or(u32::MAX) as usize;
                book.strings.get(at).cloned()
            }
            0x204 | 0xd6 => {
                let mut text = Text::new(stream, record);
                text.skip(6);
                Some(text.long(book.biff))
            }
            0x203 => f64_at(body, 6).map(|value| book.show(value, style)),
            0x27e => rk_at(body, 6).map(|value| book.show(value, style)),
            0xbd => {
                for index in 0..body.len().saturating_sub(6) / 6 {
                    let at = 4 + index * 6;
                    if let (Some(style), Some(value)) = (u16_at(body, at), rk_at(body, at + 2)) {
                        self.push_cell(row, column.saturating_add(index as u16), book.show(value, style));
                    }
                }
                None
            }
            0x06 | 0x206 | 0x406 => self.formula(body, row, column, style, book),
            0x205 => body.get(6).map(|value| boolean_or_error(*value, body.get(7) == Some(&1))),
            // BIFF2: three bytes of attributes instead of a style.
            0x02 => u16_at(body, 7).map(|value| value.to_string()),
            0x03 => f64_at(body, 7).map(crate::number_format::general),
            0x04 => {
                let mut text = Text::new(stream, record);
                text.skip(7);
                Some(text.short(book.biff))
            }
            _ => None,
        };
        if let Some(text) = text {
            self.push_cell(row, column, text);
        }
    }

    fn push_cell(&mut self, row: u16, column: u16, text: String) {
        if self.is_chart {
            // Numbers cached for a chart stand in the cells already.
            if text.parse::<f64>().is_err() && !self.chart.contains(&text) && self.chart.len() < 10_000 {
                self.chart.push(text);
            }
        } else {
            self.cells.push((row, column, text));
        }
    }

    /// A formula's cached result; a string follows in a record of its own.
    fn formula(&mut self, body: &[u8], row: u16, column: u16, style: u16, book: &Book) -> Option<String> {
        let result = body.get(6..14)?;
        if result[6..8] != [0xff, 0xff] {
            return f64_at(body, 6).map(|value| book.show(value, style));
        }
        match result[0] {
            0 => {
                self.pending = Some((row, column));
                None
            }
            1 => Some(boolean_or_error(result[2], false)),
            2 => Some(boolean_or_error(result[2], true)),
            _ => None,
        }
    }

    fn write(mut self, page: u32, name: Option<&str>, out: &mut TextWriter) -> Result<(), ExtractError> {
        let page = Some(page);
        self.cells.sort_by_key(|cell| (cell.0, cell.1));
        for row in self.cells.chunk_by(|left, right| left.0 == right.0) {
            let (mut texts, mut next) = (Vec::new(), 0usize);
            for (_, column, text) in row.iter().filter(|cell| !cell.2.is_empty()) {
                let gap = usize::from(*column).saturating_sub(next);
                texts.extend(std::iter::repeat_n("", if gap > MAX_GAP { 1 } else { gap }));
                texts.push(text.as_str());
                next = usize::from(*column) + 1;
            }
            out.push_row(&texts, page, name)?;
        }
        for text in self.boxes {
            out.push_block(BlockKind::Paragraph, 0, &text, page, name)?;
        }
        for text in self.chart {
            out.push_block(BlockKind::Caption, 0, &text, page, name)?;
        }
        for text in self.notes.into_iter().chain(self.margins) {
            if text.chars().any(char::is_alphabetic) {
                out.push_block(BlockKind::Note, 0, &text, page, name)?;
            }
        }
        Ok(())
    }
}

fn boolean_or_error(value: u8, is_error: bool) -> String {
    let text = match (is_error, value) {
        (false, 0) => "FALSE",
        (false, _) => "TRUE",
        (true, 0) => "#NULL!",
        (true, 7) => "#DIV/0!",
        (true, 15) => "#VALUE!",
        (true, 23) => "#REF!",
        (true, 29) => "#NAME?",
        (true, 36) => "#NUM!",
        (true, _) => "#N/A",
    };
    text.to_owned()
}

//! Paragraphs, rows and notes as the control words of RTF build them.

use crate::model::{BlockKind, ExtractError};
use crate::rtf::Place;
use crate::writer::TextWriter;

pub(crate) struct Output<'w> {
    out: &'w mut TextWriter,
    text: String,
    /// Texts that wait while a note or margin inside of them is read.
    captured: Vec<String>,
    notes: Vec<String>,
    margins: Vec<String>,
    label: Option<String>,
    row: Vec<String>,
    pub in_table: bool,
    pub heading: Option<u8>,
    pub title: String,
}

impl<'w> Output<'w> {
    pub fn new(out: &'w mut TextWriter) -> Self {
        Self {
            out,
            text: String::new(),
            captured: Vec::new(),
            notes: Vec::new(),
            margins: Vec::new(),
            label: None,
            row: Vec::new(),
            in_table: false,
            heading: None,
            title: String::new(),
        }
    }

    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn begin_capture(&mut self) {
        self.captured.push(std::mem::take(&mut self.text));
    }

    pub fn end_capture(&mut self, place: Place) -> Result<(), ExtractError> {
        let outer = self.captured.pop().unwrap_or_default();
        let text = std::mem::replace(&mut self.text, outer);
        let text = text.trim();
        match place {
            Place::ListText => self.label = Some(text.to_owned()),
            Place::Note if !text.is_empty() => self.notes.push(text.to_owned()),
            Place::Margin
                if text.chars().any(char::is_alphabetic)
                    && !self.margins.iter().any(|other| other == text) =>
            {
                self.margins.push(text.to_owned());
                self.out.push_block(BlockKind::Note, 0, text, None, Some("Header or footer"))?;
            }
            _ => {}
        }
        Ok(())
    }

    pub fn reset_paragraph(&mut self) {
        if self.captured.is_empty() {
            self.in_table = false;
            self.heading = None;
        }
    }

    /// Ends a paragraph; inside a cell or a note it is only a line.
    pub fn paragraph(&mut self) -> Result<(), ExtractError> {
        if !self.captured.is_empty() || self.in_table {
            self.text.push('\n');
            return Ok(());
        }
        self.flush_row()?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.text);
        let label = self.label.take();
        let (kind, level) = match (self.heading, &label) {
            (Some(level), _) => (BlockKind::Heading, level),
            (None, Some(_)) => (BlockKind::ListItem, 1),
            _ => (BlockKind::Paragraph, 0),
        };
        // Bullets are marks, numbers are text.
        let label = label.filter(|label| label.chars().any(char::is_alphanumeric) && label.trim() != "o");
        let text = match label {
            Some(label) if !text.trim().is_empty() => format!("{label} {}", text.trim_start()),
            _ => text,
        };
        self.out.push_block(kind, level, &text, None, None)?;
        self.flush_notes()
    }

    fn flush_notes(&mut self) -> Result<(), ExtractError> {
        for note in std::mem::take(&mut self.notes) {
            self.out.push_block(BlockKind::Note, 0, &note, None, None)?;
        }
        Ok(())
    }

    pub fn row_definition(&mut self) -> Result<(), ExtractError> {
        // Text between two tables has no paragraph end of its own in some files.
        if self.captured.is_empty() && !self.in_table && !self.text.trim().is_empty() {
            self.flush()?;
        }
        Ok(())
    }

    pub fn cell(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = match self.label.take().filter(|label| label.chars().any(char::is_alphanumeric)) {
            Some(label) => format!("{label} {text}"),
            None => text,
        };
        if self.captured.is_empty() {
            self.row.push(text);
        } else {
            self.text = text + "\t";
        }
    }

    pub fn row(&mut self) -> Result<(), ExtractError> {
        if !self.captured.is_empty() {
            self.text.push('\n');
            return Ok(());
        }
        self.flush_row()
    }

    fn flush_row(&mut self) -> Result<(), ExtractError> {
        let row = std::mem::take(&mut self.row);
        if row.is_empty() {
            return Ok(());
        }
        if let [only] = row.as_slice() {
            for paragraph in only.split('\n') {
                self.out.push_block(BlockKind::Paragraph, 0, paragraph, None, None)?;
            }
        } else {
            self.out.push_row(&row, None, None)?;
        }
        self.flush_notes()
    }

    pub fn finish(&mut self) -> Result<(), ExtractError> {
        while let Some(outer) = self.captured.pop() {
            self.text = outer + &self.text;
        }
        self.flush_row()?;
        self.flush()?;
        self.out.set_title(&self.title);
        Ok(())
    }
}

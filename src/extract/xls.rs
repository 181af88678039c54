//! Excel workbooks before OOXML ([MS-XLS], BIFF2 to BIFF8): sheets as rows of cells as displayed.

use crate::model::{BlockKind, ExtractError, Source};
use crate::number_format::NumberFormat;
use crate::ole::{self, Ole, u16_at, u32_at};
use crate::writer::{TextWriter, damaged};
use crate::xls_crypt;
use crate::xls_records::{Biff, Text, records};
use crate::xls_sheet;

/// What all sheets share.
pub(crate) struct Book {
    pub biff: Biff,
    pub strings: Vec<String>,
    formats: std::collections::HashMap<u16, NumberFormat>,
    /// Format id of every cell style.
    styles: Vec<u16>,
    pub epoch_1904: bool,
}

impl Book {
    /// A number as the style of its cell shows it.
    pub fn show(&self, value: f64, style: u16) -> String {
        let id = self.styles.get(usize::from(style)).copied().unwrap_or(0);
        let shown = match self.formats.get(&id) {
            Some(format) => format.show(value, self.epoch_1904),
            None => NumberFormat::built_in(u32::from(id)).unwrap_or_default().show(value, self.epoch_1904),
        };
        if shown.trim().is_empty() { crate::number_format::general(value) } else { shown }
    }
}

struct SheetRef {
    name: String,
    offset: usize,
    kind: u8,
}

pub(crate) fn extract(bytes: &[u8], source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    if !ole::is_ole(bytes) {
        return workbook(bytes, out);
    }
    let mut file = Ole::open(bytes)?;
    let stream = ["/Workbook", "/Book", "/WORKBOOK", "/BOOK"].iter().find_map(|name| file.stream(name));
    let Some(stream) = stream else {
        return Err(damaged("The file is damaged: it has no workbook stream."));
    };
    ole::set_title(&mut file, out);
    let stream = xls_crypt::unlock(stream, source.password.as_deref())?;
    workbook(&stream, out)?;
    ole::push_summary(&mut file, out)?;
    embedded(&mut file, source, out)
}

fn workbook(stream: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let Some((book, sheets)) = globals(stream) else {
        return Err(damaged("The file is damaged: it does not begin as a workbook."));
    };
    if sheets.is_empty() {
        out.set_pages(1);
        return xls_sheet::push(stream, 0, &book, 1, None, out);
    }
    for (index, sheet) in sheets.iter().take(out.limits().pages).enumerate() {
        let page = index as u32 + 1;
        // Kind 6 is a module of macros, which holds no cells.
        if sheet.kind == 6 {
            continue;
        }
        out.push_block(BlockKind::Heading, 1, &sheet.name, Some(page), Some(&sheet.name))?;
        xls_sheet::push(stream, sheet.offset, &book, page, Some(&sheet.name), out)?;
    }
    out.set_pages(sheets.len() as u32);
    Ok(())
}

/// The records before the first sheet.
fn globals(stream: &[u8]) -> Option<(Book, Vec<SheetRef>)> {
    let biff = Biff::of(stream)?;
    let mut book = Book {
        biff,
        strings: Vec::new(),
        formats: std::collections::HashMap::new(),
        styles: Vec::new(),
        epoch_1904: false,
    };
    let mut sheets = Vec::new();
    for record in records(stream, 0) {
        let body = record.body(stream);
        match record.kind {
            0x0a => break,
            0x22 => book.epoch_1904 = u16_at(body, 0) == Some(1),
            0x42 => book.biff.set_code_page(u16_at(body, 0).unwrap_or(0)),
            0x85 => {
                let offset = u32_at(body, 0).unwrap_or(0) as usize;
                let mut text = Text::new(stream, &record);
                text.skip(6);
                let name = text.short(book.biff);
                sheets.push(SheetRef { name, offset, kind: body.get(5).copied().unwrap_or(0) });
            }
            0xfc => book.strings = Text::new(stream, &record).shared(),
            0x41e => {
                let mut text = Text::new(stream, &record);
                let id = text.word();
                let code = if book.biff.version >= 8 { text.long(book.biff) } else { text.short(book.biff) };
                // Dates in the order of the country the file was made in are shown in the order nobody mistakes.
                if id != 14 && id != 22 {
                    book.formats.insert(id, NumberFormat::parse(&code));
                }
            }
            0xe0 => book.styles.push(u16_at(body, 2).unwrap_or(0)),
            // Styles of BIFF3 and BIFF4.
            0x243 | 0x443 => book.styles.push(u16::from(body.get(1).copied().unwrap_or(0))),
            _ => {}
        }
    }
    Some((book, sheets))
}

/// Objects are storages named `MBD…`, beside the workbook stream.
fn embedded(file: &mut Ole, source: &Source, out: &mut TextWriter) -> Result<(), ExtractError> {
    for (name, is_storage) in file.list("/").into_iter().take(1000) {
        if is_storage
            && name.starts_with("MBD")
            && let Some(bytes) = file.detach(&format!("/{name}"))
        {
            out.spend(bytes.len() as u64)?;
            ole::embed_object(&bytes, &name, source, out)?;
        }
    }
    Ok(())
}

//! One worksheet as a stream of rows.

use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;
use crate::xlsx::{Book, rich_text, unescape};
use crate::xml::{Tag, Xml};

/// A gap of more empty cells than this is only a look; it is shown as one.
const MAX_GAP: usize = 16;
const MAX_MERGES: usize = 2000;
const MAX_MERGED_ROWS: usize = 1000;

/// Cells that cover several rows: first and last row, and column, from 0.
#[derive(Debug, Clone)]
struct Merge {
    first: usize,
    last: usize,
    column: usize,
    text: String,
}

#[derive(Debug, Default)]
pub(crate) struct Merges(Vec<Merge>);

/// The merged cells stand behind the rows, so they are looked up before.
pub(crate) fn merges(text: &str) -> Result<Merges, ExtractError> {
    let mut found = Vec::new();
    let Some(at) = text.rfind("<mergeCells").or_else(|| text.rfind(":mergeCells ")) else {
        return Ok(Merges(found));
    };
    let mut xml = Xml::new(&text[text[..=at].rfind('<').unwrap_or(at)..]);
    while let Some(tag) = xml.seek("mergeCell")? {
        let reference = tag.attr("ref").unwrap_or_default();
        let Some((from, to)) = reference.split_once(':') else { continue };
        if let (Some(column), Some(first), Some(last)) = (column(from), row_number(from), row_number(to))
            && last > first
            && last - first < MAX_MERGED_ROWS
            && found.len() < MAX_MERGES
        {
            found.push(Merge { first, last, column, text: String::new() });
        }
    }
    Ok(Merges(found))
}

impl Merges {
    /// Remembers what covers rows below, and says it again in those that have something of their own.
    fn fill(&mut self, number: usize, cells: &mut Vec<(usize, String)>) {
        if self.0.is_empty() || cells.is_empty() {
            return;
        }
        self.0.retain(|merge| merge.last >= number);
        for merge in self.0.iter_mut().filter(|merge| merge.first <= number) {
            match cells.binary_search_by_key(&merge.column, |cell| cell.0) {
                Ok(at) if merge.first == number => merge.text.clone_from(&cells[at].1),
                Err(at) if !merge.text.is_empty() => cells.insert(at, (merge.column, merge.text.clone())),
                _ => {}
            }
        }
    }
}

fn row_number(reference: &str) -> Option<usize> {
    reference.trim_start_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()
}

pub(crate) fn push(
    xml: &mut Xml,
    book: &Book,
    mut merges: Merges,
    page: u32,
    name: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    if xml.child()?.is_none() {
        return Ok(());
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "sheetData" => rows(xml, book, &mut merges, page, name, out)?,
            "headerFooter" => margins(xml, page, name, out)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn rows(
    xml: &mut Xml,
    book: &Book,
    merges: &mut Merges,
    page: u32,
    name: &str,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let mut cells: Vec<(usize, String)> = Vec::new();
    let mut number = 0;
    while let Some(tag) = xml.child()? {
        if tag.name() != "row" {
            xml.skip()?;
            continue;
        }
        number = tag.number("r").and_then(|row| usize::try_from(row).ok()).unwrap_or(number + 1);
        cells.clear();
        read_cells(xml, book, &mut cells)?;
        merges.fill(number, &mut cells);
        let (mut row, mut next) = (Vec::new(), 0);
        for (column, text) in cells.drain(..) {
            place(&mut row, &mut next, column, text);
        }
        out.push_row(&row, Some(page), Some(name))?;
    }
    Ok(())
}

/// The filled cells of a row with their columns, in order.
fn read_cells(xml: &mut Xml, book: &Book, cells: &mut Vec<(usize, String)>) -> Result<(), ExtractError> {
    let mut next = 0;
    while let Some(tag) = xml.child()? {
        if tag.name() != "c" {
            xml.skip()?;
            continue;
        }
        let column = tag.attr("r").and_then(|reference| column(&reference)).unwrap_or(next).max(next);
        let text = cell(xml, &tag, book)?;
        next = column + 1;
        if !text.is_empty() {
            cells.push((column, text));
        }
    }
    Ok(())
}

/// Puts a cell into its column; `next` is the column after the last one that was filled.
fn place(row: &mut Vec<String>, next: &mut usize, column: usize, text: String) {
    let gap = column.saturating_sub(*next);
    let shown = if gap > MAX_GAP { 1 } else { gap };
    row.extend(std::iter::repeat_n(String::new(), shown));
    row.push(text);
    *next = column.max(*next) + 1;
}

/// The column of a reference such as `BC12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let column =
        letters.fold(0usize, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    column.checked_sub(1)
}

fn cell(xml: &mut Xml, tag: &Tag, book: &Book) -> Result<String, ExtractError> {
    let kind = tag.attr("t").unwrap_or_default();
    let style = tag.number("s").and_then(|style| usize::try_from(style).ok());
    let (mut value, mut inline) = (String::new(), String::new());
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "v" => value = xml.text()?,
            "is" => inline = rich_text(xml)?,
            _ => xml.skip()?,
        }
    }
    Ok(match kind.as_str() {
        "s" => value
            .trim()
            .parse::<usize>()
            .ok()
            .and_then(|at| book.strings.get(at).cloned())
            .unwrap_or_default(),
        "inlineStr" => inline,
        "str" => unescape(value),
        "b" => if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
        "e" => value,
        "d" => value.trim_end_matches("T00:00:00").replace('T', " "),
        _ => number(&value, style, book),
    })
}

fn number(value: &str, style: Option<usize>, book: &Book) -> String {
    let Ok(parsed) = value.trim().parse::<f64>() else { return value.to_owned() };
    match style.and_then(|style| book.formats.get(style)) {
        Some(format) => {
            let shown = format.show(parsed, book.epoch_1904);
            // A format that hides a value (`;;;`) hides it from the eye only.
            if shown.trim().is_empty() { crate::number_format::general(parsed) } else { shown }
        }
        None => crate::number_format::general(parsed),
    }
}

fn margins(xml: &mut Xml, page: u32, name: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut seen: Vec<String> = Vec::new();
    while let Some(tag) = xml.child()? {
        drop(tag);
        let text = margin_text(&xml.text()?);
        if text.chars().any(char::is_alphabetic) && !seen.contains(&text) {
            out.push_block(BlockKind::Note, 0, &text, Some(page), Some(name))?;
            seen.push(text);
        }
    }
    Ok(())
}

/// The text of a header or footer without its codes: `&L`, `&"Font,Bold"`, `&12`, `&K01+000`.
pub(crate) fn margin_text(code: &str) -> String {
    let mut out = String::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '&' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('&') => out.push('&'),
            Some('L' | 'C' | 'R') => out.push('\t'),
            Some('"') => while chars.next().is_some_and(|c| c != '"') {},
            Some('K') => {
                chars.by_ref().take(6).for_each(drop);
            }
            Some(digit) if digit.is_ascii_digit() => while chars.next_if(char::is_ascii_digit).is_some() {},
            _ => {}
        }
    }
    out.split(['\t', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_codes() {
        assert_eq!(
            (column("A1"), column("AA10"), column("XFD1"), column("12")),
            (Some(0), Some(26), Some(16383), None)
        );
        assert_eq!(margin_text("&L&\"Arial,Bold\"&12Left&C&K01+000Mid && &P&RRight"), "Left Mid & Right");
    }

    #[test]
    fn far_cells_do_not_blow_up_a_row() {
        let (mut row, mut next) = (Vec::new(), 0);
        place(&mut row, &mut next, 16_000, "x".into());
        place(&mut row, &mut next, 16_002, "y".into());
        assert_eq!(row.join("|"), "|x||y");
    }
}

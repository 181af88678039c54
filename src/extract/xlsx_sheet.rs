//! One worksheet as a stream of rows.

use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;
use crate::xlsx::{Book, rich_text, unescape};
use crate::xml::{Tag, Xml};

/// A gap of more empty cells than this is only a look; it is shown as one.
const MAX_GAP: usize = 16;

pub(crate) fn push(xml: &mut Xml, book: &Book, page: u32, name: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    if xml.child()?.is_none() {
        return Ok(());
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "sheetData" => rows(xml, book, page, name, out)?,
            "headerFooter" => margins(xml, page, name, out)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn rows(xml: &mut Xml, book: &Book, page: u32, name: &str, out: &mut TextWriter) -> Result<(), ExtractError> {
    let mut row: Vec<String> = Vec::new();
    while let Some(tag) = xml.child()? {
        if tag.name() != "row" {
            xml.skip()?;
            continue;
        }
        row.clear();
        let mut next = 0;
        while let Some(tag) = xml.child()? {
            if tag.name() != "c" {
                xml.skip()?;
                continue;
            }
            let column = tag.attr("r").and_then(|reference| column(&reference)).unwrap_or(next);
            let text = cell(xml, &tag, book)?;
            if !text.is_empty() {
                place(&mut row, &mut next, column, text);
            }
        }
        out.push_row(&row, Some(page), Some(name))?;
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
    let column = letters.fold(0usize, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
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
        "s" => value.trim().parse::<usize>().ok().and_then(|at| book.strings.get(at).cloned()).unwrap_or_default(),
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
        assert_eq!((column("A1"), column("AA10"), column("XFD1"), column("12")), (Some(0), Some(26), Some(16383), None));
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

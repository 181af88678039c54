//! Comma, semicolon, tab and pipe separated values: every record is a row.

use crate::encoding;
use crate::model::ExtractError;
use crate::writer::TextWriter;

pub(crate) fn extract(bytes: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let text = encoding::decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let (delimiter, text) = match text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')) {
        Some((first, rest)) => (first.chars().next().unwrap_or(','), rest),
        None => (sniff(text), text),
    };
    let mut records = Records { rest: text, delimiter };
    let mut row = Vec::new();
    while records.next_into(&mut row) {
        out.push_row(&row, None, None)?;
    }
    Ok(())
}

/// The delimiter that parts most lines into the same number of fields, more than one.
fn sniff(text: &str) -> char {
    let sample = &text[..text.floor_char_boundary(16 << 10)];
    let score = |delimiter: char| {
        let mut records = Records { rest: sample, delimiter };
        let (mut row, mut widths) = (Vec::new(), Vec::new());
        while widths.len() < 50 && records.next_into(&mut row) {
            if row.len() > 1 || !row[0].trim().is_empty() {
                widths.push(row.len());
            }
        }
        // The last record of a sample may be cut.
        if widths.len() > 2 && sample.len() < text.len() {
            widths.pop();
        }
        let common = widths.iter().copied().filter(|width| *width > 1).max_by_key(|width| {
            widths.iter().filter(|other| *other == width).count() * 1000 + width.min(&999)
        });
        common.map_or((0, 0), |width| (widths.iter().filter(|other| **other == width).count(), width))
    };
    [',', '\t', ';', '|', ':']
        .into_iter()
        .rev()
        .max_by_key(|delimiter| {
            let (lines, width) = score(*delimiter);
            (if *delimiter == ':' { lines / 2 } else { lines }, width)
        })
        .unwrap_or(',')
}

struct Records<'a> {
    rest: &'a str,
    delimiter: char,
}

impl Records<'_> {
    /// Reads one record; a quote opens a quoted field only where a field begins.
    fn next_into(&mut self, row: &mut Vec<String>) -> bool {
        row.clear();
        if self.rest.is_empty() {
            return false;
        }
        loop {
            let (field, used, ends) = field(self.rest, self.delimiter);
            row.push(field);
            self.rest = &self.rest[used..];
            if ends {
                return true;
            }
        }
    }
}

/// A field, the bytes it and its delimiter take, and whether the record ends with it.
fn field(text: &str, delimiter: char) -> (String, usize, bool) {
    if let Some(quoted) = text.strip_prefix('"')
        && let Some((value, used)) = quoted_field(quoted)
    {
        let after = &text[1 + used..];
        let (tail, more, ends) = bare_field(after, delimiter);
        return (value + tail, 1 + used + more, ends);
    }
    let (value, used, ends) = bare_field(text, delimiter);
    (value.to_owned(), used, ends)
}

fn bare_field(text: &str, delimiter: char) -> (&str, usize, bool) {
    match text.find([delimiter, '\n', '\r']) {
        Some(at) if text[at..].starts_with(delimiter) => (&text[..at], at + delimiter.len_utf8(), false),
        Some(at) if text[at..].starts_with("\r\n") => (&text[..at], at + 2, true),
        Some(at) => (&text[..at], at + 1, true),
        None => (text, text.len(), true),
    }
}

/// What stands before the closing quote, and the bytes up to behind it; `None` without one within reach.
fn quoted_field(text: &str) -> Option<(String, usize)> {
    const LONGEST: usize = 1 << 20;
    let mut value = String::new();
    let mut at = 0;
    loop {
        let quote = text[at..].find('"')? + at;
        if quote > LONGEST {
            return None;
        }
        value.push_str(&text[at..quote]);
        if text[quote + 1..].starts_with('"') {
            value.push('"');
            at = quote + 2;
        } else {
            return Some((value, quote + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn read(bytes: &[u8]) -> String {
        let mut out = TextWriter::new(&Limits::default());
        extract(bytes, &mut out).unwrap();
        out.finish().text
    }

    #[test]
    fn delimiters_and_quotes() {
        assert_eq!(read(b"a,b\n\"x, \"\"y\"\"\nz\",2\r\n,3"), "a\tb\nx, \"y\" z\t2\n\t3");
        assert_eq!(read(b"a;b;c\n1,5;2,5;3\n"), "a\tb\tc\n1,5\t2,5\t3");
        assert_eq!(read(b"a\tb\n1\t2"), "a\tb\n1\t2");
        assert_eq!(read(b"sep=|\na|b,c"), "a\tb,c");
        assert_eq!(read(b"\"open quote, never closed\nnext,line"), "\"open quote\tnever closed\nnext\tline");
    }
}

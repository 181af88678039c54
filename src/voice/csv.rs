//! CSV as in RFC 4180, for the lexicon.

use lectern_kernel::{Code, Error, Result};

const MAX_ROWS: usize = 20_000;
const MAX_FIELDS: usize = 16;

/// A row with its line end. What a spreadsheet would take for a formula is disarmed by a leading apostrophe.
pub(crate) fn line(fields: &[&str]) -> String {
    let quoted = |field: &&str| {
        let risky = field.starts_with(['=', '@', '\t', '\r']);
        let field = if risky { format!("'{field}") } else { (*field).to_owned() };
        if field.contains([',', '"', '\n', '\r', ';']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    };
    format!("{}\r\n", fields.iter().map(quoted).collect::<Vec<_>>().join(","))
}

/// Rows with the line each begins on. Semicolons part fields when the first line has no comma.
pub(crate) fn parse(text: &str) -> Result<Vec<(usize, Vec<String>)>> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let mark = if !first.contains(',') && first.contains(';') { ';' } else { ',' };
    let mut rows = Vec::new();
    let (mut row, mut field) = (Vec::new(), String::new());
    let (mut line, mut begun, mut quoted) = (1, 1, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            '\n' if !quoted => {
                line += 1;
                row.push(std::mem::take(&mut field));
                rows.push((begun, std::mem::take(&mut row)));
                begun = line;
            }
            '\r' if !quoted => {}
            c if c == mark && !quoted => row.push(std::mem::take(&mut field)),
            c => {
                line += usize::from(c == '\n');
                field.push(c);
            }
        }
        if rows.len() > MAX_ROWS || row.len() > MAX_FIELDS {
            return Err(Error::new(Code::TooLarge, "The table has too many rows or columns.")
                .hint("Send at most 20,000 rows of five columns."));
        }
    }
    if quoted {
        return Err(Error::new(
            Code::InvalidRequest,
            format!("A quote that begins on line {begun} is not ended."),
        )
        .hint("Double the quotes inside of fields."));
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push((begun, row));
    }
    for (_, row) in &mut rows {
        for field in row {
            if let Some(plain) = field.strip_prefix('\'').filter(|plain| plain.starts_with(['=', '@'])) {
                *field = plain.to_owned();
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let fields = ["a, \"b\"", "=1+1", "l'Ekt@n", "two\nlines", ""];
        let text = format!("{}{}", line(&["x", "y"]), line(&fields));
        let rows = parse(&text).expect("reads");
        assert_eq!(rows[0], (1, vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!((rows[1].0, rows[1].1.as_slice()), (2, &fields.map(str::to_owned)[..]));
    }

    #[test]
    fn semicolons_and_broken_quotes() {
        assert_eq!(parse("\u{feff}a;b\nc;\"d;e\"").expect("reads")[1].1, ["c", "d;e"]);
        assert!(parse("a,\"b").is_err());
        assert!(parse(&"a\n".repeat(20_002)).is_err());
        assert!(parse("").expect("reads").is_empty());
    }
}

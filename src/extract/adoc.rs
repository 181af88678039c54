//! AsciiDoc to blocks: titles, lists, tables, delimited blocks and the common inline marks. Includes and conditionals
//! are not followed: nothing is read but the file itself.

use std::collections::HashMap;

use crate::blocks::Blocks;
use crate::encoding;
use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;

pub(crate) fn extract(bytes: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let text = encoding::decode(bytes);
    let mut reader = Reader {
        blocks: Blocks::new(out, None, None),
        paragraph: String::new(),
        kind: (BlockKind::Paragraph, 0),
        attributes: HashMap::new(),
        fence: None,
        counters: Vec::new(),
        titled: false,
    };
    for line in text.trim_start_matches('\u{feff}').lines() {
        reader.line(line)?;
    }
    reader.flush()?;
    reader.blocks.finish()
}

struct Reader<'w> {
    blocks: Blocks<'w>,
    paragraph: String,
    kind: (BlockKind, u8),
    attributes: HashMap<String, String>,
    /// The line that ends the verbatim block, comment or table we are in.
    fence: Option<String>,
    counters: Vec<u32>,
    titled: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) -> Result<(), ExtractError> {
        let trimmed = line.trim_end();
        if let Some(fence) = self.fence.clone() {
            return self.fenced(&fence, trimmed);
        }
        if trimmed.is_empty() {
            return self.flush();
        }
        if self.opens_fence(trimmed)? || self.directive(trimmed)? {
            return Ok(());
        }
        if let Some((level, title)) = heading(trimmed) {
            self.flush()?;
            self.counters.clear();
            let title = self.inline(title);
            if level == 1 && !self.titled {
                self.blocks.out.set_title(&title);
            }
            self.titled = true;
            return self.blocks.push(BlockKind::Heading, level, &title);
        }
        if let Some((marker, depth, text)) = list_item(trimmed) {
            self.flush()?;
            self.kind = (BlockKind::ListItem, depth);
            if marker == '.' {
                self.counters.resize(usize::from(depth), 0);
                let number = self.counters.last_mut().map_or(1, |last| {
                    *last += 1;
                    *last
                });
                self.paragraph = format!("{number}. {text}");
            } else {
                text.clone_into(&mut self.paragraph);
            }
            return Ok(());
        }
        if let Some((term, text)) =
            trimmed.split_once(":: ").or_else(|| Some((trimmed.strip_suffix("::")?, "")))
        {
            self.flush()?;
            self.paragraph = format!("{term}: {text}");
            return Ok(());
        }
        self.continue_paragraph(trimmed);
        Ok(())
    }

    fn continue_paragraph(&mut self, line: &str) {
        if !self.paragraph.is_empty() {
            self.paragraph.push(' ');
        }
        self.paragraph.push_str(line.strip_suffix(" +").unwrap_or(line).trim_start());
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.paragraph);
        let (kind, level) = std::mem::replace(&mut self.kind, (BlockKind::Paragraph, 0));
        if kind == BlockKind::Code {
            return self.blocks.push(kind, level, &text);
        }
        let text = self.inline(&text);
        self.blocks.push(kind, level, &text)
    }

    /// Block delimiters; example, sidebar and quote blocks only frame what is read as usual.
    fn opens_fence(&mut self, line: &str) -> Result<bool, ExtractError> {
        let repeated = |c: char| line.len() >= 4 && line.chars().all(|other| other == c);
        if line.starts_with("|===") || line.starts_with(",===") || line.starts_with("!===") {
            self.flush()?;
            self.blocks.open_table();
            self.fence = Some(line.to_owned());
        } else if repeated('-') || repeated('.') || repeated('+') || repeated('/') || line.starts_with("```")
        {
            self.flush()?;
            self.kind = (BlockKind::Code, 0);
            self.fence = Some(if line.starts_with("```") { "```".to_owned() } else { line.to_owned() });
        } else if repeated('=')
            || repeated('*')
            || repeated('_')
            || line == "--"
            || line == "'''"
            || line == "<<<"
            || line == "+"
        {
            self.flush()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn fenced(&mut self, fence: &str, line: &str) -> Result<(), ExtractError> {
        let table = fence.ends_with("===");
        if line == fence {
            self.fence = None;
            if table {
                return self.blocks.close_table();
            }
            if fence.starts_with("////") {
                self.paragraph.clear();
            }
            return self.flush();
        }
        if !table {
            self.paragraph.push_str(line);
            self.paragraph.push('\n');
            return Ok(());
        }
        self.table_line(line, fence.chars().next().unwrap_or('|'))
    }

    /// Cells begin with the separator; a line without one goes on with the last cell; empty lines part nothing here.
    fn table_line(&mut self, line: &str, separator: char) -> Result<(), ExtractError> {
        let Some(first) = line.find(separator) else {
            let text = self.inline(line);
            return self.blocks.push(BlockKind::Paragraph, 0, &text);
        };
        if separator == ','
            || line[..first].chars().all(|c| c.is_ascii_alphanumeric() || "<>^.*+ ".contains(c))
        {
            self.blocks.close_row()?;
        }
        let cells = if separator == ',' { line } else { &line[first + 1..] };
        for cell in cells.split(separator) {
            let text = self.inline(strip_cell_spec(cell));
            self.blocks.open_cell();
            self.blocks.push(BlockKind::Paragraph, 0, &text)?;
        }
        Ok(())
    }

    /// Attributes, comments, block macros and block attribute lines.
    fn directive(&mut self, line: &str) -> Result<bool, ExtractError> {
        if line.starts_with("//") {
            return Ok(true);
        }
        if let Some((name, value)) = line.strip_prefix(':').and_then(|rest| rest.split_once(':'))
            && name.chars().all(|c| c.is_alphanumeric() || "-_!".contains(c))
        {
            self.attributes.insert(name.to_lowercase(), value.trim().to_owned());
            return Ok(true);
        }
        if line.starts_with('[') && line.ends_with(']') {
            self.flush()?;
            return Ok(true);
        }
        for name in ["include::", "ifdef::", "ifndef::", "endif::", "ifeval::", "toc::"] {
            if line.starts_with(name) {
                return Ok(true);
            }
        }
        for name in ["image::", "video::", "audio::"] {
            if let Some((_, text)) = line.strip_prefix(name).and_then(|rest| rest.split_once('[')) {
                self.flush()?;
                let text = text.trim_end_matches(']').split(',').next().unwrap_or_default();
                self.blocks.push(BlockKind::Caption, 0, text.trim_matches('"'))?;
                return Ok(true);
            }
        }
        if let Some(title) = line.strip_prefix('.').filter(|rest| !rest.starts_with(['.', ' '])) {
            self.flush()?;
            let title = self.inline(title);
            self.blocks.push(BlockKind::Caption, 0, &title)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn inline(&self, text: &str) -> String {
        strip_marks(&macros(&self.substitute(text)))
    }

    fn substitute(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            if let Some((value, tail)) = after
                .split_once('}')
                .and_then(|(name, tail)| Some((self.attributes.get(&name.to_lowercase())?, tail)))
            {
                out.push_str(value);
                rest = tail;
            } else {
                out.push('{');
                rest = after;
            }
        }
        out + rest
    }
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let marker = if line.starts_with('=') { '=' } else { '#' };
    let level = line.chars().take_while(|c| *c == marker).count();
    let title = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level as u8, title.trim()))
}

fn list_item(line: &str) -> Option<(char, u8, &str)> {
    let line = line.trim_start();
    let marker = line.chars().next()?;
    let count = line.chars().take_while(|c| *c == marker).count();
    let text = match marker {
        '*' | '.' if count <= 5 => line[count..].strip_prefix(' ')?,
        '-' if count == 1 => line[1..].strip_prefix(' ')?,
        _ => return None,
    };
    let text = text.trim_start();
    let text = ["[x] ", "[ ] ", "[*] "].iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text);
    Some((marker, count as u8, text))
}

/// A cell's specification (`2+`, `.3+^`, `a`) stands before the next separator, at the end of the cell before.
fn strip_cell_spec(cell: &str) -> &str {
    let Some((text, spec)) = cell.rsplit_once(' ') else { return cell };
    let is_spec = (!spec.is_empty()
        && spec.chars().all(|c| c.is_ascii_digit() || "+.*<>^".contains(c))
        && spec.ends_with(['+', '*', '<', '>', '^']))
        || (!spec.is_empty()
            && spec.len() > 1
            && spec.ends_with(['a', 'e', 'h', 'l', 'm', 's', 'd'])
            && spec.contains(['+', '^', '<', '>'])
            && spec.len() < 6);
    if is_spec { text } else { cell }
}

/// Links, cross references and inline macros become their text.
fn macros(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '<']) {
        if let Some((target, tail)) = rest[at..].strip_prefix("<<").and_then(|inner| inner.split_once(">>")) {
            out.push_str(&rest[..at]);
            out.push_str(target.split_once(',').map_or(target, |(_, text)| text.trim()));
            rest = tail;
            continue;
        }
        let before = &rest[..at];
        let start = before.rfind([' ', '(']).map_or(0, |space| space + 1);
        let closing = rest[at..].find(']').map(|end| at + end);
        match closing {
            Some(end) if rest[at..].starts_with('[') && is_macro(&before[start..]) => {
                out.push_str(&before[..start]);
                let inner = &rest[at + 1..end];
                let inner = inner.split(",window=").next().unwrap_or(inner).trim_end_matches('^');
                out.push_str(if inner.is_empty() {
                    before[start..].trim_start_matches("link:")
                } else {
                    inner
                });
                rest = &rest[end + 1..];
            }
            _ => {
                out.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

fn is_macro(target: &str) -> bool {
    [
        "http://",
        "https://",
        "link:",
        "mailto:",
        "xref:",
        "image:",
        "footnote:",
        "kbd:",
        "btn:",
        "menu:",
        "stem:",
        "pass:",
        "ftp://",
    ]
    .iter()
    .any(|start| target.contains(start))
}

/// Marks of emphasis go where they stand at the border of a word.
fn strip_marks(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (index, c) in chars.iter().copied().enumerate() {
        let before = index.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(index + 1).copied();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_mark = match c {
            '*' | '_' | '`' => {
                !(word(before) && word(after))
                    && (after.is_some_and(|c| !c.is_whitespace())
                        || before.is_some_and(|c| !c.is_whitespace()))
            }
            _ => false,
        };
        let doubled = matches!(c, '*' | '_' | '`') && (before == Some(c) || after == Some(c));
        if !is_mark && !doubled {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    #[test]
    fn blocks_of_all_kinds() {
        let text = "= Guide\n:v: 1.2\n// gone\n\n== Part {v}\nSome *bold* and https://x.org[the link],\nsnake_case stays.\n\n. one\n. two\n** deep\n\n.Cap\n|===\n|a |b\n\n|1\n|2\n|===\n\n----\ncode  x\n----\nNOTE: mind <<ref,this>>\n";
        let mut out = TextWriter::new(&Limits::default());
        extract(text.as_bytes(), &mut out).unwrap();
        let out = out.finish();
        assert_eq!(
            out.text,
            "Guide\n\nPart 1.2\n\nSome bold and the link, snake_case stays.\n\n1. one\n2. two\ndeep\n\nCap\n\na\tb\n1\n2\n\ncode  x\n\nNOTE: mind this"
        );
        assert_eq!(out.title.as_deref(), Some("Guide"));
    }
}

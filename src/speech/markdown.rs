//! Takes the writing out of a written text: markdown, links, citation marks, tables, code.
//! What is left are sentences.

use std::sync::LazyLock;

use regex::{Captures, Regex};

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

static IMAGE: LazyLock<Regex> = LazyLock::new(|| regex(r"!\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)"));
static LINK: LazyLock<Regex> = LazyLock::new(|| regex(r"\[([^\]]+)\]\((?:[^()]|\([^()]*\))*\)"));
static URL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"<?\b(?:(?:https?|ftp|file|wss?)://|www\.|mailto:)[^\s<>()"'\]]+(?:\([^\s()]*\)[^\s<>()"'\]]*)*>?"#,
    )
});
static CITATION: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\s*\[(?:\^?\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*|(?:note|nb) ?\d{1,3}|[a-z]+ needed|\^[\w-]+)\]")
});
static CODE: LazyLock<Regex> = LazyLock::new(|| regex(r"`+([^`]+)`+"));
static STRONG: LazyLock<Regex> = LazyLock::new(|| regex(r"\*\*\*|\*\*|___|__|~~"));
static EMPHASIS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(^|[\s(\x22'“])[*_]([^\s*_](?:[^*_\n]*[^\s*_])?)[*_]($|[\s.,;:!?)\x22'”])"));
static BULLET: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s*(?:[-*+•‣◦▪·]|[–—])\s+(?:\[[ xX]\]\s+)?"));
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s*(\d{1,3})[.)]\s+"));
static HEADING: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$"));
static RULE: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s{0,3}(?:(?:[-*_=]\s*){3,})$"));
static TABLE_RULE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$"));

/// The text as sentences, without marks of any kind.
pub(crate) fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Paragraphs::default();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if let Some(fence) = fence(line) {
            at += 1 + lines[at + 1..].iter().take_while(|line| !line.trim_start().starts_with(fence)).count();
        } else if is_table_row(line) {
            let rows = lines[at..].iter().take_while(|line| is_table_row(line)).count();
            table(&lines[at..at + rows], &mut out);
            at += rows - 1;
        } else {
            block_line(line, &mut out);
        }
        at += 1;
    }
    inline(&out.finish())
}

#[derive(Default)]
struct Paragraphs {
    done: Vec<String>,
    open: String,
}

impl Paragraphs {
    fn add(&mut self, line: &str) {
        if !self.open.is_empty() {
            self.open.push(' ');
        }
        self.open.push_str(line.trim());
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    /// A line that is a sentence of its own, with a point when it has none.
    fn sentence(&mut self, line: &str) {
        self.close();
        let line = CITATION.replace_all(line.trim(), "");
        let bare = line.trim_end_matches(['*', '_', '~', '`', ' ', ':']);
        if bare.chars().any(char::is_alphanumeric) {
            let ended = bare.ends_with(['.', '!', '?', '…', '。', '！', '？', ';', ',']);
            let marks = line[bare.len()..].trim_matches([' ', ':']);
            self.done.push(format!("{bare}{marks}{}", if ended { "" } else { "." }));
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.done.join("\n\n")
    }
}

fn fence(line: &str) -> Option<&'static str> {
    ["```", "~~~"].into_iter().find(|fence| line.trim_start().starts_with(fence))
}

fn block_line(line: &str, out: &mut Paragraphs) {
    let line = line.trim_start_matches(['>', ' ', '\t']);
    if line.trim().is_empty() {
        out.close();
    } else if RULE.is_match(line) {
        // Also the line under a heading in the older style: the heading is then a sentence.
        let heading = std::mem::take(&mut out.open);
        out.sentence(&heading);
    } else if let Some(found) = HEADING.captures(line) {
        out.sentence(&found[1]);
    } else if let Some(found) = BULLET.find(line) {
        out.sentence(&line[found.end()..]);
    } else if let Some(found) = NUMBERED.captures(line) {
        out.sentence(&format!("{}: {}", &found[1], &line[found[0].len()..]));
    } else {
        out.add(line);
    }
}

fn is_table_row(line: &str) -> bool {
    let line = line.trim();
    line.len() > 1 && line.starts_with('|') && line.ends_with('|')
}

/// Each row as a sentence, its cells named by the heading row when there is one.
fn table(rows: &[&str], out: &mut Paragraphs) {
    let cells = |row: &str| -> Vec<String> {
        row.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let has_heading = rows.get(1).is_some_and(|row| TABLE_RULE.is_match(row));
    let heading = if has_heading { cells(rows[0]) } else { Vec::new() };
    for row in rows.iter().skip(if has_heading { 2 } else { 0 }).filter(|row| !TABLE_RULE.is_match(row)) {
        let named =
            cells(row).into_iter().enumerate().filter(|(_, cell)| !cell.is_empty()).map(|(column, cell)| {
                match heading.get(column).filter(|name| !name.is_empty()) {
                    Some(name) => format!("{name}: {cell}"),
                    None => cell,
                }
            });
        out.sentence(&named.collect::<Vec<_>>().join(", "));
    }
}

fn inline(text: &str) -> String {
    let text = IMAGE.replace_all(text, "$1");
    let text = LINK.replace_all(&text, |found: &Captures<'_>| {
        if URL.is_match(&found[1]) { "link".to_owned() } else { found[1].to_owned() }
    });
    let text = CITATION.replace_all(&text, "");
    let text = CODE.replace_all(&text, "$1");
    let text = URL.replace_all(&text, |found: &Captures<'_>| {
        // The sign after an address belongs to the sentence.
        let address = found[0].trim_end_matches('>');
        format!("link{}", &address[address.trim_end_matches(['.', ',', ';', ':', '!', '?']).len()..])
    });
    let text = STRONG.replace_all(&text, "");
    // Twice: neighbours share the space between them.
    let text = EMPHASIS.replace_all(&text, "$1$2$3");
    let text = EMPHASIS.replace_all(&text, "$1$2$3");
    entities(&text)
}

fn entities(text: &str) -> String {
    [("&nbsp;", " "), ("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

//! Cuts text into clauses while it is still being written, so that the first can be spoken before
//! the last exists. Every character comes out exactly once and in order.

/// A first clause may be short: it decides when the first sound is heard.
const FIRST_SOFT: usize = 24;
/// Later ones are cut at a comma only when they are long: sentences sound better whole.
const LATER_SOFT: usize = 120;
const MAX_CHARS: usize = 240;

/// Written before a point that does not end a sentence.
const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "etc", "e.g", "i.e", "cf", "approx", "inc",
    "ltd", "co", "al", "u.s", "u.k", "z.b", "d.h", "bzw", "usw", "ca", "p.ej", "ej", "jan", "feb", "mar",
    "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
];
/// The same, only with a number after it.
const BEFORE_NUMBERS: &[&str] =
    &["no", "nos", "nr", "fig", "figs", "vol", "p", "pp", "art", "sec", "ch", "abs", "eq", "pos", "sig"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The piece of text, with the spaces after it.
    pub text: String,
    /// Ends a sentence or a paragraph, and not only a part of one.
    pub ends_sentence: bool,
}

#[derive(Debug, Default)]
pub struct ClauseSplitter {
    pending: String,
    /// A first clause was given.
    started: bool,
}

struct Cut {
    /// Bytes.
    at: usize,
    ends_sentence: bool,
}

impl ClauseSplitter {
    pub fn new() -> Self {
        Self::default()
    }

    /// For text that goes on with what was spoken: its first clause need not be short.
    pub fn going_on() -> Self {
        Self { started: true, ..Self::default() }
    }

    /// Takes more text and gives the clauses that are certain to be whole.
    pub fn push(&mut self, text: &str) -> Vec<Clause> {
        self.pending.push_str(text);
        self.drain(false)
    }

    /// Gives what is left. The splitter is then as new.
    pub fn finish(&mut self) -> Vec<Clause> {
        let mut clauses = self.drain(true);
        if !self.pending.is_empty() {
            clauses.push(Clause { text: std::mem::take(&mut self.pending), ends_sentence: true });
        }
        self.started = false;
        clauses
    }

    fn drain(&mut self, finished: bool) -> Vec<Clause> {
        let mut clauses = Vec::new();
        let mut from = 0;
        while let Some(cut) = find_cut(&self.pending[from..], self.started, finished) {
            let text = self.pending[from..from + cut.at].to_owned();
            clauses.push(Clause { text, ends_sentence: cut.ends_sentence });
            from += cut.at;
            self.started = true;
        }
        self.pending.drain(..from);
        clauses
    }
}

/// The first border. A sign is a border only with the space after it, and the spaces belong to the
/// clause before; so a border is certain when the next word has begun.
fn find_cut(text: &str, started: bool, finished: bool) -> Option<Cut> {
    let soft = if started { LATER_SOFT } else { FIRST_SOFT };
    let mut last_space = None;
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count >= MAX_CHARS {
            return Some(Cut { at: last_space.unwrap_or(at), ends_sentence: false });
        }
        if c.is_whitespace() && count > 0 {
            last_space = Some(at + c.len_utf8());
        }
        let kind = border(text, at, c, count, soft);
        let Some(ends_sentence) = kind else { continue };
        let sign = at + c.len_utf8();
        let closed =
            sign + text[sign..].chars().take_while(|c| is_closing(*c)).map(char::len_utf8).sum::<usize>();
        let spaces: usize =
            text[closed..].chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum();
        let end = closed + spaces;
        if end == text.len() {
            // More spaces, quotes or digits may follow; without more to come the rest is one clause.
            return finished.then_some(Cut { at: end, ends_sentence: true }).filter(|_| end > 0);
        }
        if spaces > 0 || is_full_width(c) || c == '\n' {
            return Some(Cut { at: end, ends_sentence });
        }
    }
    None
}

/// Whether a border can stand at this character, and whether it ends a sentence.
fn border(text: &str, at: usize, c: char, count: usize, soft: usize) -> Option<bool> {
    match c {
        '.' if is_abbreviation(&text[..at], &text[at + 1..]) => None,
        '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟' => Some(true),
        '\n' if text[at + 1..].starts_with('\n') && !text[..at].trim().is_empty() => Some(true),
        ',' | ';' | ':' | '—' | '–' | '，' | '、' | '；' | '：' | '،' if count >= soft => {
            Some(false)
        }
        _ => None,
    }
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}' | '»' | '”' | '’' | '」' | '』' | '.' | '!' | '?' | '…')
}

fn is_full_width(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '，' | '、' | '；' | '：')
}

/// Initials (`J.`), numbers of a list (`3.`) at the start, and known short forms.
fn is_abbreviation(before: &str, after: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || "([\"'“‘".contains(c)).next().unwrap_or_default();
    let number_follows = after.trim_start_matches([' ', '\u{a0}']).starts_with(|c: char| c.is_ascii_digit());
    let mut chars = word.chars();
    match (chars.next(), chars.next()) {
        (None, _) => false,
        (Some(only), None) if only.is_uppercase() => true,
        (Some(only), None) if only.is_ascii_digit() => before.trim_start() == word,
        _ => {
            let word = word.to_lowercase();
            ABBREVIATIONS.contains(&word.as_str())
                || (number_follows && BEFORE_NUMBERS.contains(&word.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut splitter = ClauseSplitter::new();
        let mut clauses = splitter.push(text);
        clauses.extend(splitter.finish());
        clauses.into_iter().map(|clause| clause.text).collect()
    }

    #[test]
    fn sentences() {
        assert_eq!(all("One. Two! Three?"), ["One. ", "Two! ", "Three?"]);
        assert_eq!(all("He said \"No.\" Then he left."), ["He said \"No.\" ", "Then he left."]);
        assert_eq!(all("北京。上海！"), ["北京。", "上海！"]);
        assert_eq!(all("Title\n\nBody"), ["Title\n\n", "Body"]);
    }

    #[test]
    fn points_that_end_nothing() {
        assert_eq!(all("Dr. J. Smith paid 3.50 e.g. at No. 5."), ["Dr. J. Smith paid 3.50 e.g. at No. 5."]);
        assert_eq!(all("1. First point"), ["1. First point"]);
    }

    #[test]
    fn the_first_clause_comes_at_a_comma_later_ones_whole() {
        let clauses =
            all("When the server has started again, it goes on. After a while, that is, soon, it ends.");
        assert_eq!(clauses.len(), 3);
        assert_eq!(clauses[0], "When the server has started again, ");
    }

    #[test]
    fn comes_before_the_end_and_waits_for_certainty() {
        let mut splitter = ClauseSplitter::new();
        assert_eq!(splitter.push("It costs 3."), []);
        assert_eq!(splitter.push("5 euros."), []);
        let clauses = splitter.push(" The");
        assert_eq!(clauses.len(), 1);
        assert_eq!(clauses[0].text, "It costs 3.5 euros. ");
        assert_eq!(splitter.finish(), [Clause { text: "The".into(), ends_sentence: true }]);
        assert_eq!(splitter.finish(), []);
    }

    #[test]
    fn nothing_is_lost_however_it_arrives() {
        let texts = [
            "A first, short one; then — more: 3.5, 1,000. \"Quoted?\" (Yes.) 北京。好！\n\n- a\n- b\n\n…",
            &"word ".repeat(300),
            &"x".repeat(2000),
            &"é,".repeat(500),
            " \n\n . ! ",
        ];
        for text in texts {
            for step in [1, 2, 7, 64, 10_000] {
                let mut splitter = ClauseSplitter::new();
                let chars: Vec<char> = text.chars().collect();
                let mut clauses = Vec::new();
                for piece in chars.chunks(step) {
                    clauses.extend(splitter.push(&piece.iter().collect::<String>()));
                }
                clauses.extend(splitter.finish());
                assert!(clauses.iter().all(|clause| !clause.text.is_empty()));
                assert!(clauses.iter().all(|clause| clause.text.trim_end().chars().count() <= MAX_CHARS + 8));
                assert_eq!(clauses.iter().map(|clause| clause.text.as_str()).collect::<String>(), text);
            }
        }
    }
}

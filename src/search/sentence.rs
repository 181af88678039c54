//! Sentence borders, with their places. Rules, no model: they hold for any language with sentence signs; structure
//! (list items, table rows, headings) comes from the caller, who splits block by block.

use std::ops::Range;
use std::sync::OnceLock;

use rustc_hash::FxHashSet;

/// Longest sentence in bytes; a longer one is cut at a blank or a code point.
const MAX_SENTENCE: usize = 2000;

/// Written before a dot without ending a sentence (lower case, English, German, French, Spanish, Italian, Dutch).
const ABBREVIATIONS: &str = "mr mrs ms dr prof rev hon st jr sr gen col lt capt sgt maj cmdr adm gov sen rep pres vs etc eg ie cf \
    al fig figs eq no nos vol vols ed eds pp p ch sec inc ltd co corp dept est approx ca c jan feb mar apr jun jul aug sept sep oct \
    nov dec mt ft messrs mme mlle m bzw usw evtl ggf nr str abs art bd hrsg vgl geb gest usf zb sog inkl av bvd dhr mevr sra srta \
    sig dott ing avv ph lit trans repr rd ave blvd univ";

/// Byte ranges of the sentences of one block of text: trimmed, in order, never empty, never overlapping.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let border = match c {
            '\n' => line_border(text, start, at),
            '.' | '!' | '?' | '…' | '؟' | '۔' | '।' | '॥' | '։' | '܀' | '።' | '‼' | '⁇' | '⁈' | '⁉' => {
                latin_border(text, start, at, c)
            }
            '。' | '！' | '？' | '｡' | '．' => Some(closers(text, at + c.len_utf8(), false)),
            _ => None,
        };
        let Some(end) = border else {
            continue;
        };
        push(text, start..end, &mut found);
        start = end;
        while chars.peek().is_some_and(|(next, _)| *next < end) {
            chars.next();
        }
    }
    push(text, start..text.len(), &mut found);
    found
}

/// End of a run of closing signs from `at`: quotes, brackets, footnote marks, repeated sentence signs.
fn closers(text: &str, mut at: usize, footnotes: bool) -> usize {
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else { return at };
        if matches!(
            c,
            '"' | '\''
                | '”'
                | '’'
                | '»'
                | ')'
                | ']'
                | '」'
                | '』'
                | '）'
                | '》'
                | '】'
                | '!'
                | '?'
                | '.'
                | '！'
                | '？'
                | '。'
                | '؟'
        ) {
            at += c.len_utf8();
        } else if footnotes && c == '[' {
            match rest.bytes().take(6).position(|b| b == b']') {
                Some(close) if close <= 5 && rest[1..close].bytes().all(|b| b.is_ascii_digit()) => {
                    at += close + 1;
                }
                _ => return at,
            }
        } else {
            return at;
        }
    }
}

/// A line end is a border before a list item, after a sentence or a short line, and at an empty line.
fn line_border(text: &str, start: usize, at: usize) -> Option<usize> {
    let next = text[at + 1..].trim_start_matches([' ', '\t', '\r']);
    let line = text[start..at].rsplit('\n').next().unwrap_or("").trim_end();
    let item = next.starts_with(['•', '–', '▪', '◦', '*', '-', '·']) || is_number_mark(next.as_bytes());
    let table = line.contains('\t') || next.lines().next().is_some_and(|l| l.contains('\t'));
    let short = line.chars().take(40).count() < 40 && next.chars().next().is_some_and(char::is_uppercase);
    (next.starts_with('\n')
        || next.is_empty()
        || item
        || table
        || short
        || line.ends_with([':', '.', '!', '?']))
    .then_some(at + 1)
}

/// `1. ` or `12) ` at the beginning of a line.
fn is_number_mark(line: &[u8]) -> bool {
    let digits = line.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    (1..=3).contains(&digits)
        && matches!(line.get(digits), Some(b'.' | b')'))
        && line.get(digits + 1) == Some(&b' ')
}

/// `.`, `!`, `?` and their kin end a sentence when what follows looks like a beginning.
fn latin_border(text: &str, start: usize, at: usize, sign: char) -> Option<usize> {
    let after = at + sign.len_utf8();
    let end = closers(text, after, true);
    let rest = &text[end..];
    let next = rest.chars().next();
    if next.is_some_and(|c| !c.is_whitespace()) {
        return None;
    }
    let beginning = rest
        .trim_start()
        .trim_start_matches(['"', '\'', '“', '‘', '«', '(', '[', '¿', '¡', '„'])
        .chars()
        .next();
    if beginning.is_some_and(char::is_lowercase) {
        return None;
    }
    if sign == '.' && end == after && is_abbreviation(&text[start..at], beginning) {
        return None;
    }
    Some(end)
}

/// Whether the dot after `before` belongs to an abbreviation, an initial or an ordinal.
fn is_abbreviation(before: &str, next: Option<char>) -> bool {
    static SET: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    let word = before
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“' | '/' | '-'))
        .next()
        .unwrap_or("");
    if word.is_empty() || next.is_none() {
        return false;
    }
    let letters: String = word.chars().filter(|c| *c != '.').flat_map(char::to_lowercase).collect();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let dotted =
        word.contains('.') && letters.chars().count() <= 3 && letters.chars().all(char::is_alphabetic);
    let numeral = letters.len() <= 2 && !letters.is_empty() && letters.bytes().all(|b| b.is_ascii_digit());
    if dotted {
        // "in the U.S. The" ends here as often as not; a name after initials does not.
        return letters.len() < 2 || !matches!(next, Some(c) if c.is_uppercase()) || word.len() <= 2;
    }
    let set = SET.get_or_init(|| ABBREVIATIONS.split_ascii_whitespace().collect());
    let known = set.contains(letters.as_str())
        && !(letters == "no" && word == "no" && next.is_some_and(|c| !c.is_ascii_digit()));
    initial || known || (numeral && before.trim_start() == word)
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    let mut from = start;
    while end > from + MAX_SENTENCE {
        let mut limit = from + MAX_SENTENCE;
        while !text.is_char_boundary(limit) {
            limit -= 1;
        }
        let cut = text[from..limit]
            .rfind(char::is_whitespace)
            .filter(|cut| *cut > MAX_SENTENCE / 2)
            .map_or(limit, |cut| from + cut);
        found.push(from..cut);
        from = cut + (text[cut..end].len() - text[cut..end].trim_start().len());
    }
    if end > from {
        found.push(from..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn abbreviations_initials_and_numbers_do_not_end() {
        assert_eq!(
            split("Dr. J. R. Smith paid $3.50. He left."),
            ["Dr. J. R. Smith paid $3.50.", "He left."]
        );
        assert_eq!(
            split("It is 2.5 times, i.e. more. See Fig. 3 for it."),
            ["It is 2.5 times, i.e. more.", "See Fig. 3 for it."]
        );
        assert_eq!(split("The answer is no. Nobody came."), ["The answer is no.", "Nobody came."]);
        assert_eq!(
            split("She moved to the U.S. The year was 1990."),
            ["She moved to the U.S.", "The year was 1990."]
        );
    }

    #[test]
    fn quotes_and_footnotes_stay_with_their_sentence() {
        assert_eq!(split("He said \"Go.\" Then he went."), ["He said \"Go.\"", "Then he went."]);
        assert_eq!(
            split("It grew.[12] Then it fell!) And?! Yes."),
            ["It grew.[12]", "Then it fell!)", "And?!", "Yes."]
        );
    }

    #[test]
    fn other_scripts() {
        assert_eq!(
            split("今日は晴れ。明日は？「雨。」はい"),
            ["今日は晴れ。", "明日は？", "「雨。」", "はい"]
        );
        assert_eq!(split("هل هذا صحيح؟ نعم."), ["هل هذا صحيح؟", "نعم."]);
        assert_eq!(split("यह वाक्य है। दूसरा।"), ["यह वाक्य है।", "दूसरा।"]);
    }

    #[test]
    fn lines_wrap_but_items_do_not() {
        let wrapped = "This line is long enough to have been wrapped\nby its author. Second.";
        assert_eq!(split(wrapped).len(), 2);
        assert_eq!(split("Things:\n- one\n- two\n1. three"), ["Things:", "- one", "- two", "1. three"]);
        assert_eq!(split("a\tb\nc\td"), ["a\tb", "c\td"]);
    }

    #[test]
    fn any_text_gives_trimmed_ordered_ranges() {
        let mut random = crate::testing::Random::new(11);
        for _ in 0..3000 {
            let text = random.text(80);
            let mut last = 0;
            for range in sentences(&text) {
                let sentence = &text[range.clone()];
                assert!(
                    range.start >= last && !sentence.is_empty() && sentence == sentence.trim(),
                    "{text:?}"
                );
                last = range.end;
            }
        }
        let long = "x".repeat(10_000) + &" 漢".repeat(3000);
        assert!(sentences(&long).iter().all(|range| range.len() <= MAX_SENTENCE));
    }
}

//! From text to tokens: word borders, folding and CJK bigrams, the same for indexing, queries, snippets and
//! answers. Stemming is in `language`; sentences are in `sentence`.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Longest token kept, in bytes; longer runs are data, not words.
const MAX_TOKEN: usize = 120;

/// How a token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// Two neighbouring characters of a script without spaces (the last of a run stands alone).
    Bigram,
}

/// A token's place in the text (bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub range: Range<usize>,
    pub kind: Kind,
}

/// Scripts written without spaces between words.
pub(crate) fn is_unspaced(c: char) -> bool {
    !c.is_ascii()
        && matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{1100}'..='\u{11FF}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9F}' | '\u{20000}'..='\u{323AF}')
        && c != '\u{30FB}'
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{FEFF}' | '\u{2060}')
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{0900}'..='\u{0903}' | '\u{093A}'..='\u{094F}' | '\u{0962}'..='\u{0963}'
        | '\u{0981}'..='\u{0DFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}')
}

fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    (c.is_alphanumeric() || is_mark(c) || is_joiner(c)) && !is_unspaced(c)
}

/// The tokens of a text, in order.
pub(crate) struct Spans<'t> {
    text: &'t str,
    at: usize,
}

pub(crate) fn spans(text: &str) -> Spans<'_> {
    Spans { text, at: 0 }
}

impl Spans<'_> {
    fn char_at(&self, at: usize) -> Option<char> {
        let byte = *self.text.as_bytes().get(at)?;
        if byte < 128 { Some(byte as char) } else { self.text[at..].chars().next() }
    }

    /// End of the run of word characters from `at`.
    fn run(&self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        while at < bytes.len() {
            if bytes[at] < 128 {
                if !bytes[at].is_ascii_alphanumeric() {
                    break;
                }
                at += 1;
                continue;
            }
            match self.char_at(at) {
                Some(c) if is_word(c) => at += c.len_utf8(),
                _ => break,
            }
        }
        at
    }

    /// Numbers keep their inner separators (`1,000`, `3.14`), abbreviations their dots (`U.S.`).
    fn extend(&self, start: usize, mut end: usize) -> usize {
        let bytes = self.text.as_bytes();
        let digits =
            |range: Range<usize>| range.end > range.start && bytes[range].iter().all(u8::is_ascii_digit);
        if digits(start..end) {
            while let Some(separator @ (b'.' | b',')) = bytes.get(end).copied() {
                let next = self.run(end + 1);
                let group = next - end - 1;
                if !digits(end + 1..next) || (separator == b',' && group != 3) {
                    break;
                }
                end = next;
            }
        } else if end - start == 1 && bytes[start].is_ascii_alphabetic() {
            while bytes.get(end) == Some(&b'.')
                && self.run(end + 1) == end + 2
                && bytes[end + 1].is_ascii_alphabetic()
            {
                end += 2;
            }
        }
        end
    }

    /// Skips what hangs on a word by an apostrophe: `'s`, `'t`, `'ll`.
    fn suffix(&self, end: usize) -> usize {
        match self.char_at(end) {
            Some(c @ ('\'' | '’')) => {
                let from = end + c.len_utf8();
                let to = self.run(from);
                if (1..=2).contains(&(to - from)) && self.text.as_bytes()[from].is_ascii_alphabetic() {
                    to
                } else {
                    end
                }
            }
            _ => end,
        }
    }
}

impl Iterator for Spans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.at += rest.iter().take_while(|b| b.is_ascii() && !b.is_ascii_alphanumeric()).count();
            let c = self.char_at(self.at)?;
            if is_unspaced(c) {
                let start = self.at;
                self.at += c.len_utf8();
                let end = match self.char_at(self.at) {
                    Some(next) if is_unspaced(next) => self.at + next.len_utf8(),
                    _ => self.at,
                };
                return Some(Span { range: start..end, kind: Kind::Bigram });
            }
            if !is_word(c) {
                self.at += c.len_utf8();
                continue;
            }
            let start = self.at;
            let end = self.extend(start, self.run(start));
            self.at = self.suffix(end);
            let elided = end - start <= 2 && matches!(self.char_at(end), Some('\'' | '’')) && self.at == end;
            if elided && self.run(end + self.char_at(end).map_or(0, char::len_utf8)) > end + 1 {
                continue;
            }
            if end - start <= MAX_TOKEN {
                return Some(Span { range: start..end, kind: Kind::Word });
            }
        }
    }
}

/// Lower case, without the signs inside numbers and abbreviations; diacritics stay (stemmers need them).
pub(crate) fn lower(token: &str, out: &mut String) {
    out.clear();
    if token.is_ascii() {
        out.push_str(token);
        out.make_ascii_lowercase();
        if token.bytes().any(|b| !b.is_ascii_alphanumeric()) {
            let decimal =
                token.as_bytes()[0].is_ascii_digit() && token.bytes().filter(|b| *b == b'.').count() == 1;
            out.retain(|c| c.is_ascii_alphanumeric() || (c == '.' && decimal));
        }
        return;
    }
    for c in token.chars().filter(|c| !is_joiner(*c)) {
        out.extend(c.to_lowercase());
    }
}

/// Removes diacritics and compatibility forms from a lower-case token.
pub(crate) fn fold(token: &str, out: &mut String) {
    out.clear();
    if token.is_ascii() {
        out.push_str(token);
        return;
    }
    for c in token.chars() {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'þ' => out.push_str("th"),
            'ı' => out.push('i'),
            'ς' => out.push('σ'),
            'أ' | 'إ' | 'آ' | 'ٱ' => out.push('ا'),
            'ى' => out.push('ي'),
            'ـ' => {}
            c if is_unspaced(c) && !('\u{FF00}'..='\u{FFEF}').contains(&c) => out.push(c),
            c => out
                .extend(std::iter::once(c).nfkd().filter(|d| !is_stripped(*d)).flat_map(char::to_lowercase)),
        }
    }
}

/// Marks that change the look of a letter, not the letter (Indic vowel signs stay).
fn is_stripped(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}')
}

/// The folded form of one token: what the exact field holds.
pub(crate) fn exact_form(token: &str) -> String {
    let (mut lowered, mut folded) = (String::new(), String::new());
    lower(token, &mut lowered);
    fold(&lowered, &mut folded);
    folded
}

/// Code points counted as the reader counts offsets.
pub(crate) fn code_points(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        spans(text).map(|span| exact_form(&text[span.range])).collect()
    }

    #[test]
    fn words_numbers_and_abbreviations() {
        assert_eq!(
            forms("The U.S. paid $1,000.50 in COVID-19 aid."),
            ["the", "us", "paid", "1000.50", "in", "covid", "19", "aid"]
        );
        assert_eq!(
            forms("Luther's don't l'école O’Brien rock 'n' roll"),
            ["luther", "don", "ecole", "brien", "rock", "n", "roll"]
        );
        assert_eq!(forms("v2.5.1 3.14, 1,2,3 a.b"), ["v2", "5.1", "3.14", "1", "2", "3", "ab"]);
    }

    #[test]
    fn folds_letters_of_many_scripts() {
        assert_eq!(forms("Straße Ærø ŁÓDŹ ﬁne Ａ１"), ["strasse", "aero", "lodz", "fine", "a1"]);
        assert_eq!(forms("co\u{AD}operate"), ["cooperate"]);
        assert_eq!(forms("مُحَمَّد أحمد"), ["محمد", "احمد"]);
    }

    #[test]
    fn unspaced_scripts_become_bigrams() {
        assert_eq!(forms("東京都です"), ["東京", "京都", "都で", "です", "す"]);
        assert_eq!(forms("AI技術"), ["ai", "技術", "術"]);
        assert_eq!(forms("猫"), ["猫"]);
    }

    #[test]
    fn any_text_gives_ordered_ranges_on_character_borders() {
        let mut random = crate::testing::Random::new(7);
        for _ in 0..3000 {
            let text = random.text(60);
            let mut last = 0;
            for span in spans(&text) {
                assert!(span.range.start >= last && span.range.end > span.range.start, "{text:?}");
                assert!(text.is_char_boundary(span.range.start) && text.is_char_boundary(span.range.end));
                last = span.range.start;
                let _ = exact_form(&text[span.range]);
            }
        }
    }
}

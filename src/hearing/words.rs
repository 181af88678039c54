//! Written text as it is spoken: sentences of lower-case words, numbers in words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word as it is heard, and as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// Letters a to z and inner apostrophes.
    pub(crate) word: String,
    /// With its capitals and accents; `None` for what the text had as a number or sign.
    pub(crate) written: Option<String>,
    /// Whether a sentence began with it, where capitals say nothing.
    pub(crate) first: bool,
}

const LONGEST_WORD: usize = 32;
const LONGEST_SENTENCE: usize = 60;

/// Calls `each` with every sentence.
pub(crate) fn sentences(text: &str, each: &mut dyn FnMut(&[Spoken])) {
    let mut sentence: Vec<Spoken> = Vec::new();
    for line in text.split("\n\n") {
        for chunk in line.split_whitespace() {
            let ends = add_chunk(chunk, &mut sentence);
            if ends || sentence.len() >= LONGEST_SENTENCE {
                flush(&mut sentence, each);
            }
        }
        flush(&mut sentence, each);
    }
}

fn flush(sentence: &mut Vec<Spoken>, each: &mut dyn FnMut(&[Spoken])) {
    if !sentence.is_empty() {
        each(sentence);
        sentence.clear();
    }
}

/// Adds the words of what stands between two spaces; true when a sentence ends with it.
fn add_chunk(chunk: &str, sentence: &mut Vec<Spoken>) -> bool {
    let core = chunk.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    let ends = core.ends_with(['.', '!', '?', ':', ';']) && !is_abbreviation(core);
    if chunk.contains("://") || chunk.contains('@') || chunk.len() > 200 {
        return ends; // an address is not read aloud as it stands
    }
    if let Some(title) = title(core) {
        push(sentence, title, None);
        return false;
    }
    for part in
        chunk.split(['-', '–', '—', '/', '_', '+', '=', '(', ')', '[', ']', '"', '“', '”', '*', '|', '#'])
    {
        add_part(part, sentence);
    }
    ends
}

fn title(chunk: &str) -> Option<&'static str> {
    Some(match chunk {
        "Mr." | "Mr" => "mister",
        "Mrs." | "Mrs" => "missus",
        "Dr." | "Dr" => "doctor",
        "St." => "saint",
        "vs." => "versus",
        "&" => "and",
        _ => return None,
    })
}

fn is_abbreviation(chunk: &str) -> bool {
    let stem = chunk.trim_end_matches('.');
    // "J." and "U.S." go on.
    stem.chars().count() == 1
        || (stem.contains('.') && stem.len() <= 6)
        || matches!(stem, "e.g" | "i.e" | "No" | "etc")
}

fn add_part(part: &str, sentence: &mut Vec<Spoken>) {
    let part =
        part.trim_matches(|c: char| !c.is_alphanumeric() && c != '$' && c != '%' && c != '€' && c != '£');
    if part.chars().any(|c| c.is_ascii_digit()) {
        add_number(part, sentence);
        return;
    }
    if let Some((word, written)) = plain(part) {
        push(sentence, &word, Some(written));
    }
}

/// The letters of a word without accents, and the word itself; `None` when other alphabets are in it.
fn plain(part: &str) -> Option<(String, String)> {
    let part = part.replace('’', "'");
    let mut word = String::with_capacity(part.len());
    for letter in part.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'a'..='z' | '\'' => word.push(letter),
            'A'..='Z' => word.push(letter.to_ascii_lowercase()),
            'ß' => word.push_str("ss"),
            'æ' | 'Æ' => word.push_str("ae"),
            'œ' | 'Œ' => word.push_str("oe"),
            'ø' | 'Ø' => word.push('o'),
            'ł' | 'Ł' => word.push('l'),
            '.' | '·' | '®' | '™' | ',' => {}
            _ => return None,
        }
    }
    let word = word.trim_matches('\'').to_owned();
    (!word.is_empty() && word.len() <= LONGEST_WORD)
        .then(|| (word, part.trim_matches(['\'', '.']).to_owned()))
}

fn push(sentence: &mut Vec<Spoken>, word: &str, written: Option<String>) {
    sentence.push(Spoken { word: word.to_owned(), written, first: sentence.is_empty() });
}

/// Numbers as words; letters beside them on their own.
fn add_number(part: &str, sentence: &mut Vec<Spoken>) {
    let (dollars, rest) =
        part.strip_prefix(['$', '€', '£']).map_or((false, part), |rest| (part.starts_with('$'), rest));
    let (percent, rest) = rest.strip_suffix('%').map_or((false, rest), |rest| (true, rest));
    let mut at = 0;
    while at < rest.len() {
        let digits = rest[at..]
            .find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.'))
            .unwrap_or(rest.len() - at);
        if digits > 0 {
            for word in number_words(&rest[at..at + digits]) {
                push(sentence, word, None);
            }
            at += digits;
            continue;
        }
        let letters = rest[at..].find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len() - at);
        if let Some((word, written)) = plain(&rest[at..at + letters]).filter(|(word, _)| !is_ending(word)) {
            push(sentence, &word, Some(written));
        }
        at += letters;
    }
    if dollars {
        push(sentence, "dollars", None);
    }
    if percent {
        push(sentence, "percent", None);
    }
}

/// "2nd", "1990s".
fn is_ending(word: &str) -> bool {
    matches!(word, "st" | "nd" | "rd" | "th" | "s")
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// As said in English; long rows of digits one by one.
fn number_words(number: &str) -> Vec<&'static str> {
    let number = number.trim_matches(['.', ',']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let grouped = whole.contains(',');
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let mut words = Vec::new();
    match digits.parse::<u32>() {
        Ok(year) if digits.len() == 4 && !grouped && fraction.is_empty() && is_year(year) => {
            below_hundred(year / 100, &mut words);
            if (1..10).contains(&(year % 100)) {
                words.push("oh");
            }
            if year.is_multiple_of(100) {
                words.push("hundred");
            } else {
                below_hundred(year % 100, &mut words);
            }
        }
        Ok(value) if digits.len() <= 9 && !(digits.len() > 1 && digits.starts_with('0')) => {
            cardinal(value, &mut words);
        }
        _ => words.extend(digits.chars().take(20).map(digit)),
    }
    if !fraction.is_empty() {
        words.push("point");
        words.extend(fraction.chars().filter(char::is_ascii_digit).take(8).map(digit));
    }
    words
}

fn is_year(year: u32) -> bool {
    (1_100..2_000).contains(&year) || (2_010..2_100).contains(&year)
}

fn digit(c: char) -> &'static str {
    SMALL[c.to_digit(10).unwrap_or(0) as usize]
}

fn below_hundred(value: u32, words: &mut Vec<&'static str>) {
    if value < 20 {
        words.push(SMALL[value as usize]);
        return;
    }
    words.push(TENS[(value / 10) as usize % 10]);
    if !value.is_multiple_of(10) {
        words.push(SMALL[(value % 10) as usize]);
    }
}

fn cardinal(value: u32, words: &mut Vec<&'static str>) {
    for (unit, name) in [(1_000_000, "million"), (1_000, "thousand")] {
        if value >= unit {
            cardinal(value / unit, words);
            words.push(name);
            if value.is_multiple_of(unit) {
                return;
            }
            return cardinal(value % unit, words);
        }
    }
    if value >= 100 {
        words.push(SMALL[(value / 100) as usize]);
        words.push("hundred");
        if value.is_multiple_of(100) {
            return;
        }
    }
    below_hundred(value % 100, words);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        sentences(text, &mut |sentence| {
            out.push(sentence.iter().map(|spoken| spoken.word.as_str()).collect::<Vec<_>>().join(" "));
        });
        out
    }

    #[test]
    fn sentences_are_found_and_cleaned() {
        assert_eq!(
            all("Dr. J. Müller’s co-worker (at NASA) said: \"Don't!\" See https://x.org/a.\n\nNext line"),
            ["doctor j muller's co worker at nasa said", "don't", "see", "next line"]
        );
        assert_eq!(all("Привет 世界 - — * | #"), Vec::<String>::new());
    }

    #[test]
    fn numbers_are_said() {
        for (written, said) in [
            ("1984", "nineteen eighty four"),
            ("1905", "nineteen oh five"),
            ("1900", "nineteen hundred"),
            ("2005", "two thousand five"),
            ("1,250", "one thousand two hundred fifty"),
            ("3.14", "three point one four"),
            ("15%", "fifteen percent"),
            ("$40", "forty dollars"),
            ("0049", "zero zero four nine"),
            ("B12", "b twelve"),
            ("2nd", "two"),
            ("1000000", "one million"),
            (
                "99999999999999999999999999",
                "nine nine nine nine nine nine nine nine nine nine nine nine nine nine \
              nine nine nine nine nine nine",
            ),
        ] {
            assert_eq!(all(written), [said], "{written}");
        }
    }

    #[test]
    fn odd_text_is_survived() {
        for text in
            ["'", "''''", "-", "\u{0}\u{fffd}", "%", "$", "9'9", ".,.,", "1.2.3.4", "é́́́", "ﬁ", "a\u{200b}b"]
        {
            sentences(text, &mut |sentence| {
                for spoken in sentence {
                    assert!(spoken.word.bytes().all(|b| b.is_ascii_lowercase() || b == b'\''), "{spoken:?}");
                }
            });
        }
    }
}

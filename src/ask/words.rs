//! Words by which a statement is compared with a text: folded, without the small words that prove nothing.

use std::collections::HashSet;

/// Small words of four letters and more in English, German, French, Spanish, Italian, Dutch and Portuguese; shorter
/// words without a digit never count.
const SMALL: &str = "that this these those with from have been were which their there they will would could should into \
    than then them such also about after before other some more most only over under when where while what your does \
    dass diese dieser dieses einer eines einem einen sind wird werden wurde wurden haben hatte nicht auch oder aber sich \
    nach beim über unter durch sowie wenn weil kann können soll muss \
    dans avec pour cette sont être avoir plus mais elle elles leur leurs nous vous aussi comme entre sans sous \
    para como este esta estos estas pero más tiene tienen sobre entre cuando donde desde hasta también \
    sono della delle degli dello nella nelle questo questa questi queste anche come quando dove essere hanno \
    deze door voor werd zijn naar over niet maar ook wordt worden kunnen zullen omdat \
    pelo pela pelos pelas este essa esse isso mais mas também quando onde entre para como";

/// A word that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    /// Has a digit.
    pub number: bool,
    /// Written like a name, and not first.
    pub name: bool,
}

impl Word {
    pub(crate) fn weight(&self) -> f32 {
        if self.number { 2.0 } else { 1.0 }
    }
}

fn is_small(word: &str) -> bool {
    static SET: std::sync::OnceLock<HashSet<&'static str>> = std::sync::OnceLock::new();
    SET.get_or_init(|| SMALL.split_ascii_whitespace().collect()).contains(word)
}

/// Written without spaces between words.
fn is_dense(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// The words of a text that count, in order; dense scripts give pairs of characters.
pub(crate) fn content(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut first = true;
    for run in runs(text) {
        if run.chars().any(is_dense) {
            pairs(&run, &mut words);
        } else if let Some(word) = word(&run, first) {
            words.push(word);
        }
        first = false;
    }
    words
}

/// Letters and digits in a row. Thousands are written together (`1,000` is `1000`), fractions with a point.
fn runs(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut runs = Vec::new();
    let mut run = String::new();
    for (at, c) in chars.iter().enumerate() {
        let separates = matches!(c, ',' | '.' | '\u{a0}' | '\u{202f}' | '\'' | '’');
        if c.is_alphanumeric() {
            run.push(*c);
        } else if separates && at > 0 && digit(at - 1) && digit(at + 1) {
            let thousands = digit(at + 2) && digit(at + 3) && !digit(at + 4);
            if !thousands {
                run.push('.');
            }
        } else if !run.is_empty() {
            runs.push(std::mem::take(&mut run));
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

fn word(run: &str, first: bool) -> Option<Word> {
    let number = run.contains(|c: char| c.is_numeric());
    let text = run.to_lowercase();
    let short = text.chars().nth(3).is_none();
    let upper = run.starts_with(char::is_uppercase);
    let name = upper && !first;
    let proves = number || (!is_small(&text) && (name || !short));
    proves.then_some(Word { text, number, name })
}

fn pairs(run: &str, words: &mut Vec<Word>) {
    let chars: Vec<char> = run.chars().collect();
    let width = chars.len().min(2);
    words.extend(chars.windows(width).map(|pair| Word {
        text: pair.iter().collect(),
        number: false,
        name: false,
    }));
}

/// Whether two words are the same or forms of one another.
pub(crate) fn related(a: &Word, b: &Word) -> bool {
    if a.text == b.text {
        return true;
    }
    if a.number || b.number {
        return false;
    }
    let (one, other) = (a.text.chars().count(), b.text.chars().count());
    let common = a.text.chars().zip(b.text.chars()).take_while(|(x, y)| x == y).count();
    let whole = common == one.min(other) && common >= 4 && one.abs_diff(other) <= 4;
    whole || (common >= 5 && one.min(other) - common <= 2)
}

/// Share of the statement's words, by weight, that stand in the text.
pub(crate) fn overlap<'a>(statement: impl Iterator<Item = &'a Word>, text: &[Word]) -> f32 {
    let (mut all, mut found) = (0.0, 0.0);
    for word in statement {
        all += word.weight();
        if text.iter().any(|other| related(word, other)) {
            found += word.weight();
        }
    }
    if all > 0.0 { found / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        content(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn small_words_go_numbers_and_names_stay() {
        assert_eq!(texts("It was in 1,000 pieces of the US Navy."), ["1000", "pieces", "us", "navy"]);
        assert_eq!(texts("3,5 bar. 7, 1.234.567"), ["3.5", "7", "1234567"]);
        assert_eq!(texts("東京都 abc"), ["東京", "京都"]);
        assert_eq!(texts(""), Vec::<String>::new());
    }

    #[test]
    fn forms_of_a_word_are_related_but_numbers_must_be_equal() {
        let is = |a: &str, b: &str| related(&content(a)[0], &content(b)[0]);
        assert!(is("pumps", "pump") && is("installed", "installation"));
        assert!(!is("1990", "1991") && !is("station", "state") && !is("contract", "contest"));
    }
}

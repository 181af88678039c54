//! Words of a person or a site, and passwords, in a form in which they can be compared: small letters, no accents, and the
//! digits and signs that stand for letters taken as those.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Shorter ones are in too many innocent passwords.
const SHORTEST: usize = 4;
/// A name, an e-mail, a site and a tenant have fewer; more are not looked at.
const MOST: usize = 32;
const LONGEST: usize = 200;

/// `Älex-M4ier` becomes `aiexmaier`: i, l, 1, ! and | are one, for each stands for each.
pub(crate) fn fold(text: &str) -> String {
    let plain =
        text.chars().take(LONGEST).flat_map(char::to_lowercase).nfkd().filter(|c| !is_combining_mark(*c));
    plain.map(letter).filter(|c| c.is_alphanumeric()).collect()
}

fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' | 'l' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        other => other,
    }
}

/// What a person or a site could be recognised by: each input as a whole, the part of an e-mail before the @, and the
/// single words; folded, the longest first. German umlauts also in two letters.
pub(crate) fn words(inputs: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = inputs.iter().take(MOST).flat_map(|input| parts(input)).collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words.truncate(MOST);
    words
}

/// The single words as they are written, in small letters.
pub(crate) fn tokens(inputs: &[&str]) -> Vec<String> {
    let all = inputs.iter().take(MOST).flat_map(|input| split(&lower(input)));
    all.filter(|word| word.chars().count() >= SHORTEST).take(MOST).collect()
}

fn parts(input: &str) -> Vec<String> {
    let input = lower(input);
    let mailbox = input.split('@').next().unwrap_or_default().to_owned();
    let found = split(&input).into_iter().chain([mailbox, input]);
    found
        .flat_map(|word| [fold(&word), fold(&two_letters(&word))])
        .filter(|word| word.chars().count() >= SHORTEST)
        .collect()
}

fn lower(input: &str) -> String {
    input.chars().take(LONGEST).flat_map(char::to_lowercase).collect()
}

fn split(input: &str) -> Vec<String> {
    input.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
}

fn two_letters(word: &str) -> String {
    word.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss")
}

//! How the words of a site that the dictionary lacks are said.

use crate::g2p::G2p;
use crate::phones::{Dictionary, PHONES, phone, written};
use crate::site_text::Reader;

/// Sounds of the words that the dictionary lacks, in the order of the words.
pub(crate) fn spellings(words: &[&str], text: &Reader, dictionary: &Dictionary) -> Vec<(String, String)> {
    let mut model: Option<G2p> = None;
    let mut out = Vec::new();
    for word in words.iter().filter(|word| !dictionary.contains(word)) {
        let mut ways = Vec::new();
        if text.is_acronym(word) {
            ways.push(dictionary.spelled(word));
        }
        if let Some(known) = derived(word, dictionary) {
            ways.push(known);
        } else if !text.is_acronym(word) || has_vowel(word) {
            let model = model.get_or_insert_with(|| G2p::train(dictionary));
            ways.extend(model.say(word));
        }
        ways.dedup();
        for (at, phones) in ways.iter().filter(|phones| !phones.is_empty()).enumerate() {
            let name = if at == 0 { (*word).to_owned() } else { format!("{word}({})", at + 1) };
            out.push((name, written(phones)));
        }
    }
    out
}

fn has_vowel(word: &str) -> bool {
    word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
}

/// A known word with an ending, or two known words.
fn derived(word: &str, dictionary: &Dictionary) -> Option<Vec<u8>> {
    let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix('s')).filter(|stem| stem.len() > 2);
    if let Some(phones) = stem.and_then(|stem| dictionary.get(stem)) {
        let mut phones = phones.to_vec();
        phones.extend(plural(*phones.last()?));
        return Some(phones);
    }
    if !word.is_ascii() {
        return None;
    }
    (4..word.len().saturating_sub(3)).rev().find_map(|at| {
        let (left, right) = (dictionary.get(&word[..at])?, dictionary.get(&word[at..])?);
        Some([left, right].concat())
    })
}

/// The sound of a plural after a last sound.
fn plural(last: u8) -> Vec<u8> {
    let name = PHONES[usize::from(last)];
    let sounds: &[&str] = match name {
        "S" | "Z" | "SH" | "ZH" | "CH" | "JH" => &["IH", "Z"],
        "P" | "T" | "K" | "F" | "TH" => &["S"],
        _ => &["Z"],
    };
    sounds.iter().filter_map(|name| phone(name)).collect()
}

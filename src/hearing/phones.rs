//! The pronouncing dictionary of the built-in recogniser, and how words that are not in it may be said.

use std::fs;
use std::io;
use std::path::Path;

use rustc_hash::FxHashMap;

/// The sounds of the model (ARPAbet without stress).
pub(crate) const PHONES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
];

/// An index into [`PHONES`].
pub(crate) type Phone = u8;

/// Word to its first way of being said.
pub(crate) struct Dictionary {
    words: FxHashMap<String, Vec<Phone>>,
}

pub(crate) fn phone(name: &str) -> Option<Phone> {
    PHONES.binary_search(&name).ok().map(|at| at as Phone)
}

pub(crate) fn written(phones: &[Phone]) -> String {
    let names: Vec<&str> = phones.iter().filter_map(|at| PHONES.get(usize::from(*at)).copied()).collect();
    names.join(" ")
}

impl Dictionary {
    pub(crate) fn load(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(&fs::read_to_string(path)?))
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut words = FxHashMap::default();
        for line in text.lines() {
            let mut parts = line.split_ascii_whitespace();
            let Some(word) = parts.next().filter(|word| !word.ends_with(')')) else { continue };
            let phones: Option<Vec<Phone>> = parts.map(phone).collect();
            if let Some(phones) = phones.filter(|phones| !phones.is_empty()) {
                words.insert(word.to_owned(), phones);
            }
        }
        Self { words }
    }

    pub(crate) fn get(&self, word: &str) -> Option<&[Phone]> {
        self.words.get(word).map(Vec::as_slice)
    }

    pub(crate) fn contains(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// In a fixed order, so that what is learned from it is always the same.
    pub(crate) fn sorted(&self) -> Vec<(&str, &[Phone])> {
        let mut all: Vec<(&str, &[Phone])> =
            self.words.iter().map(|(word, phones)| (word.as_str(), phones.as_slice())).collect();
        all.sort_unstable();
        all
    }

    /// Letter by letter.
    pub(crate) fn spelled(&self, word: &str) -> Vec<Phone> {
        let mut phones = Vec::new();
        for letter in word.chars().filter(char::is_ascii_lowercase) {
            phones.extend_from_slice(
                self.get(&format!("{letter}.")).or_else(|| self.get(&letter.to_string())).unwrap_or(&[]),
            );
        }
        phones
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_words_and_spells() {
        let dictionary = Dictionary::parse("a AH\na. EY\nb. B IY\nread R IY D\nread(2) R EH D\nodd X\n");
        assert_eq!(written(dictionary.get("read").expect("read")), "R IY D");
        assert!(!dictionary.contains("odd"));
        assert_eq!(written(&dictionary.spelled("ab")), "EY B IY");
        assert!(PHONES.is_sorted());
    }
}

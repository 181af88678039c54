//! A site's own pronunciations: whole words replaced by a respelling or by phonemes before any voice speaks.
//!
//! Phonemes travel inside the text between two private marks, which text from elsewhere cannot hold: [`Lexicon::apply`]
//! takes them out of what it is given.

use std::collections::HashMap;

use crate::sanitise::sanitise;

const OPEN: char = '\u{f0e0}';
const CLOSE: char = '\u{f0e1}';
const MAX_PHONEMES: usize = 80;
/// What eSpeak NG's phoneme notation is written with (its docs/phonemes.md), but for brackets and spaces.
const SIGNS: &str = "@_:;,'%=|!?#~^-&*\"$+/.<>`{}";

/// How a word is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pronunciation {
    /// Written so that a voice reads it right.
    Respelling(String),
    /// eSpeak NG's notation, checked by [`phonemes`].
    Phonemes(String),
}

/// A word and how it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexiconEntry {
    pub word: String,
    /// ISO 639-1 code; none for all languages.
    pub language: Option<String>,
    pub case_sensitive: bool,
    pub said: Pronunciation,
}

/// Entries by the first word of each, the most particular first.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    entries: HashMap<String, Vec<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    entry: LexiconEntry,
    folded: String,
    said: String,
}

/// The phonemes without brackets, fit for the engine; else what is wrong with them.
pub fn phonemes(text: &str) -> Result<String, &'static str> {
    let inner = text.trim();
    let inner = inner.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")).unwrap_or(inner).trim();
    if inner.is_empty() {
        return Err("has no phonemes");
    }
    if inner.chars().count() > MAX_PHONEMES {
        return Err("has more than 80 characters");
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c) || c == ' ';
    if !inner.chars().all(fits) {
        return Err("has signs that eSpeak NG's phoneme notation does not know");
    }
    // Two bars part words; a space would end the phonemes.
    Ok(inner.split_whitespace().collect::<Vec<_>>().join("||"))
}

impl Lexicon {
    /// Entries whose phonemes are not fit are left out.
    pub fn new(entries: impl IntoIterator<Item = LexiconEntry>) -> Self {
        let mut by_word: HashMap<String, Vec<Known>> = HashMap::new();
        for entry in entries {
            let said = match &entry.said {
                Pronunciation::Respelling(text) => unmarked(text),
                Pronunciation::Phonemes(text) => match phonemes(text) {
                    Ok(phonemes) => format!("{OPEN}{phonemes}{CLOSE}"),
                    Err(_) => continue,
                },
            };
            let folded = fold(&entry.word);
            let Some(first) = first_word(&folded) else { continue };
            by_word.entry(first.to_owned()).or_default().push(Known { folded: folded.clone(), said, entry });
        }
        for known in by_word.values_mut() {
            let rank = |k: &Known| (k.folded.len(), k.entry.language.is_some(), k.entry.case_sensitive);
            known.sort_by_key(|known| std::cmp::Reverse(rank(known)));
        }
        Self { entries: by_word }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text with the words of the lexicon as they are said in this language.
    pub fn apply(&self, text: &str, language: Option<&str>) -> String {
        let text = unmarked(text);
        if self.entries.is_empty() {
            return text;
        }
        let base = language.and_then(|l| l.split(['-', '_']).next()).map(str::to_ascii_lowercase);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let mut in_word = false;
        while let Some(c) = text[at..].chars().next() {
            let found = if in_word { None } else { self.find(&text[at..], base.as_deref()) };
            if let Some((length, said)) = found {
                out.push_str(said);
                at += length;
                in_word = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
                continue;
            }
            out.push(c);
            at += c.len_utf8();
            in_word = c.is_alphanumeric();
        }
        out
    }

    /// The entry that the text begins with as a whole word: bytes of the text, and what is said.
    fn find(&self, text: &str, language: Option<&str>) -> Option<(usize, &str)> {
        let folded = fold(first_word(text)?);
        let known = self.entries.get(&folded)?;
        known.iter().find_map(|known| {
            if known.entry.language.is_some() && known.entry.language.as_deref() != language {
                return None;
            }
            let length = matched(text, known)?;
            Some((length, known.said.as_str()))
        })
    }
}

/// Bytes of `text` that are the entry's word.
fn matched(text: &str, known: &Known) -> Option<usize> {
    let wanted = if known.entry.case_sensitive { squeezed(&known.entry.word) } else { known.folded.clone() };
    let mut rest = wanted.as_str();
    let mut at = 0;
    while !rest.is_empty() {
        let c = text[at..].chars().next()?;
        if c.is_whitespace() {
            rest = rest.strip_prefix(' ')?;
            at += text[at..].chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum::<usize>();
            continue;
        }
        let one = if known.entry.case_sensitive { c.to_string() } else { c.to_lowercase().collect() };
        rest = rest.strip_prefix(one.as_str())?;
        at += c.len_utf8();
    }
    let ends_in_word = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    let goes_on = text[at..].chars().next().is_some_and(char::is_alphanumeric);
    (!(ends_in_word && goes_on)).then_some(at)
}

/// What a text begins with: a run of letters and digits, or one sign.
fn first_word(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    let end = if end == 0 { text.chars().next()?.len_utf8() } else { end };
    Some(&text[..end]).filter(|word| !word.trim().is_empty())
}

fn squeezed(word: &str) -> String {
    word.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fold(word: &str) -> String {
    squeezed(word).to_lowercase()
}

fn unmarked(text: &str) -> String {
    text.replace([OPEN, CLOSE], "")
}

/// What the engine is given: sanitised text, and between marks phonemes in the engine's own brackets.
pub(crate) fn for_engine(text: &str) -> String {
    let Some((before, rest)) = text.split_once(OPEN) else { return sanitise(text) };
    let Some((inside, after)) = rest.split_once(CLOSE) else { return sanitise(&unmarked(text)) };
    let said = match phonemes(inside) {
        // The way in which the engine's own dictionaries begin phonemes: brackets in a text cannot.
        Ok(phonemes) => format!("[\u{2}{phonemes}]]"),
        Err(_) => String::new(),
    };
    format!("{}{said}{}", sanitise(before), for_engine(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(word: &str, said: &str) -> LexiconEntry {
        LexiconEntry {
            word: word.into(),
            language: None,
            case_sensitive: false,
            said: Pronunciation::Respelling(said.into()),
        }
    }

    #[test]
    fn whole_words_only_the_longest_first() {
        let lexicon = Lexicon::new([
            entry("SQL", "sequel"),
            entry("SQL  Server", "sequel surfer"),
            entry("C++", "see plus plus"),
            entry("Köln", "Coellen"),
        ]);
        let said = |text| lexicon.apply(text, Some("en"));
        assert_eq!(said("SQL, MySQL and sqlite: sql"), "sequel, MySQL and sqlite: sequel");
        assert_eq!(said("An SQL\n server's C++."), "An sequel surfer's see plus plus.");
        assert_eq!(said("KÖLN Kölner Köln"), "Coellen Kölner Coellen");
        assert_eq!(said(""), "");
    }

    #[test]
    fn case_and_language_decide() {
        let lexicon = Lexicon::new([
            entry("us", "uss"),
            LexiconEntry { case_sensitive: true, ..entry("US", "U S") },
            LexiconEntry { language: Some("de".into()), ..entry("chat", "tschätt") },
            entry("chat", "tchat"),
        ]);
        assert_eq!(lexicon.apply("US us Us", Some("en")), "U S uss uss");
        assert_eq!(lexicon.apply("chat", Some("de-AT")), "tschätt");
        assert_eq!(lexicon.apply("Chat", Some("fr")), "tchat");
        assert_eq!(lexicon.apply("chat", None), "tchat");
    }

    #[test]
    fn phonemes_are_checked_and_texts_cannot_bring_their_own() {
        assert_eq!(phonemes(" [[l'Ekt@n]] "), Ok("l'Ekt@n".into()));
        assert_eq!(phonemes("h@l'oU w'3:ld"), Ok("h@l'oU||w'3:ld".into()));
        for wrong in ["", "[[ ]]", "a]]b", "[a", "é", "a\u{2}", &"a".repeat(81)] {
            assert!(phonemes(wrong).is_err(), "{wrong:?}");
        }
        let said = Pronunciation::Phonemes("[[l'Ekt@n]]".into());
        let lexicon = Lexicon::new([LexiconEntry { said, ..entry("Lectern", "") }]);
        let text = lexicon.apply("A Lectern \u{f0e0}x\u{f0e1} [[x]].", Some("en"));
        assert_eq!(for_engine(&text), "A [\u{2}l'Ekt@n]] x [[x]].");
        assert_eq!(for_engine("a\u{f0e0}b c]]\u{f0e1}d\u{f0e0}"), "ad");
        assert_eq!(for_engine("a\u{2}b"), sanitise("a\u{2}b"));
    }

    #[test]
    fn anything_goes_through() {
        let lexicon = Lexicon::new([entry("a b", "x"), entry("İ", "i"), entry("ß", "ss"), entry("…", ".")]);
        for text in ["a\u{a0}b", "a  ", "İi\u{307}", "ẞ ß", "…", "a", "\u{301}a b"] {
            let _ = lexicon.apply(text, None);
        }
    }
}

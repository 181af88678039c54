//! A question in natural language: its content words with their weight in this index, and what kind of thing would
//! answer it.

use tantivy::Term;
use tantivy::schema::Field;

use crate::analysis::{self, exact_form};
use crate::language::{FunctionWords, Initials, stem_variants};
use crate::within::Eyes;

/// Content words of a question that count; more is a pasted text.
const MAX_TERMS: usize = 48;
/// Shortest common beginning by which two stems are taken as related (`invent`, `inventor`).
const RELATED_PREFIX: usize = 5;

/// The kind of thing asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Person,
    Time,
    Place,
    Number,
    Reason,
    Thing,
}

/// A content word.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub exact: String,
    /// Stems in the languages of the index.
    pub stems: Vec<String>,
    /// Rarity in the index (BM25's idf).
    pub weight: f32,
    /// Whether any passage has it.
    pub known: bool,
    /// Written like a name: upper case or a number.
    pub name: bool,
}

/// An analysed question.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub words: Vec<Word>,
    pub asks: Asks,
    /// Neighbours in the question: pairs of indices into `words`.
    pub pairs: Vec<(u8, u8)>,
    /// Sum of the words' weights.
    pub total: f32,
    pub initials: Initials,
}

impl Question {
    pub(crate) fn analyse(text: &str, eyes: &Eyes, body: Field) -> tantivy::Result<Self> {
        let tokens: Vec<&str> = analysis::spans(text).map(|span| &text[span.range]).collect();
        let folded: Vec<String> = tokens.iter().map(|token| exact_form(token)).collect();
        let function = FunctionWords::of(&folded);
        let content = |index: &usize| !function.contains(&folded[*index]) && !folded[*index].is_empty();
        let mut chosen: Vec<usize> = (0..tokens.len()).filter(content).collect();
        if chosen.is_empty() {
            chosen = (0..tokens.len()).collect();
        }
        let (mut words, mut pairs): (Vec<Word>, Vec<(u8, u8)>) = (Vec::new(), Vec::new());
        let mut previous: Option<(usize, u8)> = None;
        for index in chosen {
            let stems = stem_variants(tokens[index], &eyes.languages);
            let at = match words.iter().position(|word| word.stems == stems) {
                Some(at) => at,
                None if words.len() < MAX_TERMS => {
                    words.push(word(tokens[index], &folded[index], stems, index == 0, eyes, body)?);
                    words.len() - 1
                }
                None => break,
            };
            if let Some((before, left)) = previous
                && index - before <= 3
            {
                pairs.push((left, at as u8));
            }
            previous = Some((index, at as u8));
        }
        let total = words.iter().map(|word| word.weight).sum::<f32>().max(f32::EPSILON);
        let mut initials = Initials::default();
        for word in &words {
            initials.add(&word.exact);
            for stem in &word.stems {
                initials.add(stem);
            }
        }
        Ok(Self { words, asks: asks(&folded), pairs, total, initials })
    }
}

fn word(
    token: &str,
    exact: &str,
    stems: Vec<String>,
    first: bool,
    eyes: &Eyes,
    body: Field,
) -> tantivy::Result<Word> {
    let mut frequency = 0;
    for stem in &stems {
        frequency = frequency.max(eyes.frequency(&Term::from_field_text(body, stem))?);
    }
    let documents = eyes.count().max(frequency) as f32;
    let weight = (1.0 + (documents - frequency as f32 + 0.5) / (frequency as f32 + 0.5)).ln();
    let name = token.starts_with(|c: char| c.is_numeric() || (c.is_uppercase() && !first));
    Ok(Word { exact: exact.to_owned(), stems, weight, known: frequency > 0, name })
}

fn asks(folded: &[String]) -> Asks {
    const PERSON: &[&str] =
        &["who", "whom", "whose", "wer", "wem", "wen", "quien", "quienes", "quem", "chi", "wie"];
    const TIME: &[&str] = &["when", "wann", "quand", "cuando", "quando", "wanneer"];
    const PLACE: &[&str] = &["where", "wo", "wohin", "donde", "dove", "onde", "waar"];
    const REASON: &[&str] = &["why", "warum", "wieso", "weshalb", "pourquoi", "waarom"];
    const AMOUNT: &[&str] = &[
        "wieviel", "wieviele", "combien", "cuanto", "cuantos", "cuanta", "cuantas", "quanti", "quanto",
        "hoeveel",
    ];
    const AMOUNT_AFTER_HOW: &[&str] = &[
        "many", "much", "long", "old", "far", "tall", "high", "large", "big", "often", "deep", "fast",
        "heavy", "wide",
    ];
    const TIME_NOUNS: &[&str] = &["year", "years", "date", "day", "month", "century", "decade", "time"];
    const PLACE_NOUNS: &[&str] =
        &["city", "country", "state", "place", "location", "town", "continent", "region", "area"];
    const NUMBER_NOUNS: &[&str] =
        &["percentage", "percent", "number", "amount", "population", "age", "price", "rate"];
    for (index, word) in folded.iter().enumerate() {
        let has = |list: &[&str], word: &str| list.contains(&word);
        // "wie" asks for a person in Dutch and for a manner in German: only at the beginning, only when no other word tells.
        if has(PERSON, word) && word != "wie" {
            return Asks::Person;
        }
        let after: Vec<&str> = folded[index + 1..].iter().take(3).map(String::as_str).collect();
        let found = match word.as_str() {
            "how" if after.first().is_some_and(|next| has(AMOUNT_AFTER_HOW, next)) => Some(Asks::Number),
            "what" | "which" => noun(&after, TIME_NOUNS, Asks::Time)
                .or_else(|| noun(&after, PLACE_NOUNS, Asks::Place))
                .or_else(|| noun(&after, NUMBER_NOUNS, Asks::Number)),
            word if has(TIME, word) => Some(Asks::Time),
            word if has(PLACE, word) => Some(Asks::Place),
            word if has(REASON, word) => Some(Asks::Reason),
            word if has(AMOUNT, word) => Some(Asks::Number),
            _ => None,
        };
        if let Some(found) = found {
            return found;
        }
    }
    Asks::Thing
}

fn noun(after: &[&str], nouns: &[&str], asks: Asks) -> Option<Asks> {
    after.iter().any(|word| nouns.contains(word)).then_some(asks)
}

/// How well a word of a text answers to a word of the question.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Grade {
    Related,
    Stem,
    Exact,
}

impl Grade {
    pub(crate) fn share(self) -> f32 {
        match self {
            Self::Related => 0.5,
            Self::Stem | Self::Exact => 1.0,
        }
    }
}

impl Question {
    /// The question's word that a text's word answers to.
    pub(crate) fn match_word(&self, folded: &str, stem: &str) -> Option<(u8, Grade)> {
        let mut related = None;
        for (index, word) in self.words.iter().enumerate() {
            if word.exact == folded {
                return Some((index as u8, Grade::Exact));
            }
            if word.stems.iter().any(|known| known == stem) {
                return Some((index as u8, Grade::Stem));
            }
            if related.is_none() && word.stems.iter().any(|known| is_related(known, stem)) {
                related = Some((index as u8, Grade::Related));
            }
        }
        related
    }
}

fn is_related(left: &str, right: &str) -> bool {
    let common = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    common >= RELATED_PREFIX
        && common * 10 >= left.len().max(right.len()) * 6
        && left.as_bytes()[0].is_ascii_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Asks {
        let folded: Vec<String> = analysis::spans(text).map(|span| exact_form(&text[span.range])).collect();
        asks(&folded)
    }

    #[test]
    fn tells_what_is_asked() {
        assert_eq!(kind("Who wrote it?"), Asks::Person);
        assert_eq!(kind("In what year did it end?"), Asks::Time);
        assert_eq!(kind("How many people came?"), Asks::Number);
        assert_eq!(kind("In which city is it?"), Asks::Place);
        assert_eq!(kind("Wann begann der Krieg?"), Asks::Time);
        assert_eq!(kind("Combien de temps?"), Asks::Number);
        assert_eq!(kind("Why?"), Asks::Reason);
        assert_eq!(kind("oil price history"), Asks::Thing);
        assert_eq!(kind(""), Asks::Thing);
    }

    #[test]
    fn related_words_share_their_beginning() {
        assert!(is_related("inventor", "invent"));
        assert!(!is_related("international", "internal"));
        assert!(!is_related("", "invent"));
    }
}

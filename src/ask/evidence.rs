//! Which place of a passage supports a sentence, if any does: by the words they share.

use lectern_kernel::ports::RetrievedPassage;
use lectern_kernel::text;

use crate::words::{self, Word};

/// Share of a sentence's words that must stand in the passage it names.
const SUPPORT: f32 = 0.45;
/// The same for a sentence that names none: the place was not said, so more is asked.
const SUPPORT_UNNAMED: f32 = 0.65;
/// Words below which a sentence without a mark says too little to be looked for.
const UNNAMED_WORDS: usize = 3;
/// What a second sentence must add to be quoted with the first.
const GAIN: f32 = 0.15;

/// A place that supports a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Index of the passage.
    pub passage: usize,
    /// Code points of the document, end exclusive.
    pub start: u32,
    pub end: u32,
    pub page: Option<u32>,
    pub label: Option<String>,
    /// What stands there.
    pub text: String,
}

/// The passages of a question, cut into sentences.
pub(crate) struct Evidence<'a> {
    passages: Vec<Cut<'a>>,
}

struct Cut<'a> {
    passage: &'a RetrievedPassage,
    pieces: Vec<Piece>,
    words: Vec<Word>,
}

struct Piece {
    /// Code points inside the passage.
    start: usize,
    end: usize,
    page: Option<u32>,
    label: Option<String>,
    words: Vec<Word>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(passages: &'a [RetrievedPassage]) -> Self {
        Self { passages: passages.iter().map(cut).collect() }
    }

    /// The place in that passage which supports the sentence.
    pub(crate) fn named(&self, sentence: &str, language: Option<&str>, passage: usize) -> Option<Place> {
        let statement = words::content(sentence);
        self.best(&statement, language, passage)
            .filter(|(support, _)| *support >= SUPPORT)
            .map(|(_, place)| place)
    }

    /// The place in any passage which supports a sentence that names none.
    pub(crate) fn anywhere(&self, sentence: &str, language: Option<&str>) -> Option<Place> {
        let statement = words::content(sentence);
        if statement.len() < UNNAMED_WORDS {
            return None;
        }
        let found = (0..self.passages.len()).filter_map(|passage| self.best(&statement, language, passage));
        let best = found.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.passage.cmp(&a.1.passage)))?;
        (best.0 >= SUPPORT_UNNAMED).then_some(best.1)
    }

    fn best(&self, statement: &[Word], language: Option<&str>, index: usize) -> Option<(f32, Place)> {
        let cut = self.passages.get(index)?;
        // A number that the passage does not have is the worst mistake a citation can cover.
        let invented = |word: &&Word| word.number && word.text.len() > 1;
        if statement
            .iter()
            .filter(invented)
            .any(|word| !cut.words.iter().any(|other| words::related(word, other)))
        {
            return None;
        }
        let marked = comparable(statement, language, cut.passage.language.as_deref());
        let support = |words: &[Word]| {
            words::overlap(statement.iter(), words).max(words::overlap(marked.iter().copied(), words))
        };
        let mut best: Option<(f32, usize, usize)> = None;
        for (at, piece) in cut.pieces.iter().enumerate() {
            let alone = support(&piece.words);
            if best.is_none_or(|(known, ..)| alone > known) {
                best = Some((alone, at, at));
            }
        }
        for at in 1..cut.pieces.len() {
            let both: Vec<Word> = [&cut.pieces[at - 1].words[..], &cut.pieces[at].words].concat();
            let together = support(&both);
            if best.is_none_or(|(known, from, to)| together > known + if from == to { GAIN } else { 0.0 }) {
                best = Some((together, at - 1, at));
            }
        }
        best.map(|(support, from, to)| (support, cut.place(index, from, to)))
    }
}

/// What can be compared with a passage in another language: numbers and names, when there are several.
fn comparable<'w>(statement: &'w [Word], own: Option<&str>, other: Option<&str>) -> Vec<&'w Word> {
    let foreign = own.zip(other).is_some_and(|(own, other)| own != other);
    let marked: Vec<&Word> = statement.iter().filter(|word| foreign && (word.number || word.name)).collect();
    if marked.len() < 2 { Vec::new() } else { marked }
}

fn cut(passage: &RetrievedPassage) -> Cut<'_> {
    let length = passage.end.saturating_sub(passage.start) as usize;
    let inside = |at: u32| (at.saturating_sub(passage.start) as usize).min(length);
    let mut blocks: Vec<(usize, usize, Option<u32>, Option<String>)> = passage
        .blocks
        .iter()
        .map(|block| (inside(block.start), inside(block.end), block.page, block.label.clone()))
        .filter(|(start, end, ..)| start < end)
        .collect();
    if blocks.is_empty() {
        blocks.push((0, passage.text.chars().count(), passage.page, passage.label.clone()));
    }
    let mut pieces = Vec::new();
    for (start, end, page, label) in blocks {
        let block = text::slice(&passage.text, start, end);
        let (mut at, mut bytes) = (start, 0);
        for range in lectern_search::sentences(block) {
            at += block[bytes..range.start].chars().count();
            let length = block[range.clone()].chars().count();
            let words = words::content(&block[range.clone()]);
            pieces.push(Piece { start: at, end: at + length, page, label: label.clone(), words });
            (at, bytes) = (at + length, range.end);
        }
    }
    let words = words::content(&passage.text);
    Cut { passage, pieces, words }
}

impl Cut<'_> {
    fn place(&self, passage: usize, from: usize, to: usize) -> Place {
        let (first, last) = (&self.pieces[from], &self.pieces[to]);
        Place {
            passage,
            start: self.passage.start + first.start as u32,
            end: self.passage.start + last.end as u32,
            page: first.page.or(self.passage.page),
            label: first.label.clone().or_else(|| self.passage.label.clone()),
            text: text::slice(&self.passage.text, first.start, last.end).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::passage;

    #[test]
    fn quotes_the_sentence_that_supports_and_its_place() {
        let text = "Die Höhe zählt. The pump holds 40 litres of oil. It was built in 1998 by Müller.";
        let passages = [passage("Pump", text, 100)];
        let evidence = Evidence::new(&passages);
        let place = evidence.named("The pump can hold 40 litres.", Some("en"), 0).expect("supported");
        assert_eq!(place.text, "The pump holds 40 litres of oil.");
        assert_eq!((place.start, place.end), (116, 148));
        let place =
            evidence.named("Müller built the pump, which holds 40 litres, in 1998.", None, 0).expect("two");
        assert!(place.text.starts_with("The pump") && place.text.ends_with("Müller."), "{}", place.text);
    }

    #[test]
    fn an_invented_number_or_statement_has_no_support() {
        let passages = [passage("Pump", "The pump holds 40 litres of oil.", 0)];
        let evidence = Evidence::new(&passages);
        assert_eq!(evidence.named("The pump holds 50 litres of oil.", None, 0), None);
        assert_eq!(evidence.named("Penguins live in Antarctica.", None, 0), None);
        assert_eq!(evidence.named("The pump holds 40 litres.", None, 7), None);
        assert_eq!(evidence.anywhere("Oil.", None), None);
        assert!(evidence.anywhere("The hydraulic pump holds oil.", None).is_some());
    }

    #[test]
    fn another_language_is_compared_by_numbers_and_names() {
        let passages = [passage("Curie", "Marie Curie received the prize in 1903.", 0)];
        let evidence = Evidence::new(&passages);
        let said = "Den Preis bekam Marie Curie 1903.";
        assert!(evidence.named(said, Some("de"), 0).is_some());
        assert!(evidence.named("Den Preis bekam Otto Hahn 1944.", Some("de"), 0).is_none());
    }
}

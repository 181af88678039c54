//! Reads a passage with a question's eyes: its sentences, the question's words in them, and signs of an answer.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::analysis::{self, fold, lower};
use crate::language::{Stems, code_of};
use crate::passage::{BlockKind, Passage, block_sentences};
use crate::question::{Asks, Grade, Question};

/// A word of the question in a sentence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// Number of the word in the passage.
    pub at: u32,
    pub word: u8,
    pub grade: Grade,
}

/// A sentence of a passage.
#[derive(Debug, Clone)]
pub(crate) struct Sentence {
    /// Bytes in the passage.
    pub range: Range<usize>,
    pub kind: BlockKind,
    /// Whether it begins its block.
    pub leads: bool,
    /// Position of its block's mark.
    pub mark: usize,
    pub words: usize,
    pub hits: Range<usize>,
    /// How much it looks like holding the kind of thing asked for, 0–1.
    pub fits: f32,
}

/// A passage read with a question.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub sentences: Vec<Sentence>,
    pub hits: Vec<Hit>,
    pub words: usize,
    /// Bit n: title, heading or label have the question's word n.
    pub context: u64,
}

/// Looks words up for one question; remembers them, for passages of one topic share their words.
pub(crate) struct Reader<'q> {
    question: &'q Question,
    languages: FxHashMap<[u8; 2], (Stems, Known)>,
    lowered: String,
    folded: String,
}

type Known = FxHashMap<Box<str>, Option<(u8, Grade)>>;

impl<'q> Reader<'q> {
    pub(crate) fn new(question: &'q Question) -> Self {
        Self { question, languages: FxHashMap::default(), lowered: String::new(), folded: String::new() }
    }

    fn look_up(&mut self, code: [u8; 2], token: &str) -> Option<(u8, Grade)> {
        if !self.question.initials.may_begin(token, code) {
            return None;
        }
        let (stems, known) =
            self.languages.entry(code).or_insert_with(|| (Stems::new(code), Known::default()));
        if let Some(found) = known.get(token) {
            return *found;
        }
        lower(token, &mut self.lowered);
        fold(&self.lowered, &mut self.folded);
        let found = self.question.match_word(&self.folded, stems.stem(token));
        known.insert(token.into(), found);
        found
    }

    /// Bits of the question's words in a text.
    fn bits(&mut self, code: [u8; 2], text: &str) -> u64 {
        let mut bits = 0;
        for span in analysis::spans(text) {
            if let Some((word, Grade::Stem | Grade::Exact)) = self.look_up(code, &text[span.range]) {
                bits |= 1 << word.min(63);
            }
        }
        bits
    }

    pub(crate) fn scan(&mut self, passage: &Passage, title: &str, language: Option<&str>) -> Scan {
        let code = code_of(language);
        let context = self.bits(code, title)
            | self.bits(code, &passage.heading)
            | passage.label.as_deref().map_or(0, |label| self.bits(code, label));
        let mut scan = Scan { context, ..Scan::default() };
        for (mark, block) in blocks(passage).into_iter().enumerate() {
            let text = &passage.text[block.0.clone()];
            for (index, range) in block_sentences(text, block.1).into_iter().enumerate() {
                let range = block.0.start + range.start..block.0.start + range.end;
                self.sentence(&passage.text, range, code, &mut scan);
                let sentence = scan.sentences.last_mut().expect("just pushed");
                (sentence.kind, sentence.leads, sentence.mark) = (block.1, index == 0, mark);
            }
        }
        scan
    }

    fn sentence(&mut self, text: &str, range: Range<usize>, code: [u8; 2], scan: &mut Scan) {
        let (first_hit, first_word) = (scan.hits.len(), scan.words);
        let mut signs = Signs::default();
        for span in analysis::spans(&text[range.clone()]) {
            let at = range.start + span.range.start..range.start + span.range.end;
            let found = self.look_up(code, &text[at.clone()]);
            match found {
                Some((word, grade)) => scan.hits.push(Hit { at: scan.words as u32, word, grade }),
                None => signs.see(text, at, scan.words == first_word),
            }
            scan.words += 1;
        }
        let fits = signs.fits(self.question.asks);
        let hits = first_hit..scan.hits.len();
        let words = scan.words - first_word;
        scan.sentences.push(Sentence {
            range,
            kind: BlockKind::Paragraph,
            leads: false,
            mark: 0,
            words,
            hits,
            fits,
        });
    }
}

/// Byte range and kind of each block of a passage.
pub(crate) fn blocks(passage: &Passage) -> Vec<(Range<usize>, BlockKind)> {
    let mut found: Vec<(Range<usize>, BlockKind)> = Vec::with_capacity(passage.marks.len());
    let mut chars = passage.text.char_indices().map(|(at, _)| at);
    let mut point = 0usize;
    let mut at = chars.next().unwrap_or(0);
    for mark in &passage.marks {
        while point < mark.start as usize {
            at = chars.next().unwrap_or(passage.text.len());
            point += 1;
        }
        if let Some(last) = found.last_mut() {
            last.0.end = at;
        }
        found.push((at..passage.text.len(), mark.kind));
    }
    if found.is_empty() {
        found.push((0..passage.text.len(), BlockKind::Paragraph));
    }
    found
}

/// What the words that are not the question's tell.
#[derive(Default)]
struct Signs {
    digits: u32,
    years: u32,
    names: u32,
    months: u32,
    counts: u32,
    reasons: u32,
    places: u32,
}

impl Signs {
    fn see(&mut self, text: &str, at: Range<usize>, first: bool) {
        let token = &text[at.clone()];
        let Some(c) = token.chars().next() else { return };
        if c.is_numeric() {
            self.digits += 1;
            let year = token.len() == 4 && (token.starts_with('1') || token.starts_with("20"));
            self.years += u32::from(year && token.bytes().all(|b| b.is_ascii_digit()));
        } else if c.is_uppercase() {
            if MONTHS.contains(&token) {
                self.months += 1;
            } else if !first {
                self.names += 1;
                self.places += u32::from(is_after_place_word(&text[..at.start]));
            }
        } else {
            self.counts += u32::from(COUNTS.contains(&token));
            self.reasons += u32::from(REASONS.contains(&token));
            self.months += u32::from(TIMES.contains(&token));
        }
    }

    fn fits(&self, asks: Asks) -> f32 {
        let graded = |strong: u32, weak: u32| {
            if strong > 0 {
                1.0
            } else if weak > 0 {
                0.5
            } else {
                0.0
            }
        };
        match asks {
            Asks::Time => graded(self.years + self.months, self.digits),
            Asks::Number => graded(self.digits, self.counts),
            Asks::Person => graded(u32::from(self.names > 1), self.names),
            Asks::Place => graded(self.places, self.names),
            Asks::Reason => graded(self.reasons, 0),
            Asks::Thing => graded(0, self.names + self.digits),
        }
    }
}

fn is_after_place_word(before: &str) -> bool {
    let word = before.trim_end().rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    PLACE_WORDS.contains(&word)
}

const PLACE_WORDS: &[&str] =
    &["in", "at", "near", "from", "to", "of", "en", "im", "aus", "nach", "à", "de", "a"];
const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Januar",
    "Februar",
    "März",
    "Mai",
    "Juni",
    "Juli",
    "Oktober",
    "Dezember",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const TIMES: &[&str] = &[
    "century",
    "decade",
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const COUNTS: &[&str] = &[
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
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "hundred",
    "hundreds",
    "thousand",
    "thousands",
    "million",
    "billion",
    "half",
    "third",
    "quarter",
    "dozen",
    "percent",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "dos",
    "tres",
    "cuatro",
    "cinco",
];
const REASONS: &[&str] = &[
    "because",
    "due",
    "since",
    "reason",
    "reasons",
    "therefore",
    "caused",
    "result",
    "order",
    "owing",
    "weil",
    "da",
    "wegen",
    "porque",
    "car",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passage::{Shape, split};

    #[test]
    fn blocks_cover_the_passage() {
        let text = "Ein Äpfel.\n\nZwei Birnen.\n\nDrei.";
        let passage = &split(text, &[], Shape::default())[0];
        let found: Vec<&str> =
            blocks(passage).into_iter().map(|(range, _)| passage.text[range].trim()).collect();
        assert_eq!(found, ["Ein Äpfel.", "Zwei Birnen.", "Drei."]);
    }
}

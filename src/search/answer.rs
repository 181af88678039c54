//! Extractive answers: up to three exact sentences chosen over the best passages, or the word that the documents do
//! not tell. The weights come from `examples/fit.rs`.

use rustc_hash::FxHashMap;

use crate::passage::BlockKind;
use crate::question::Asks;
use crate::rank::{coverage, dot, exact_coverage, together, window, with_context};
use crate::retrieve::{Retrieval, Retrieved};
use crate::scan::{Scan, Sentence};

/// Passages whose sentences are considered.
pub(crate) const ANSWER_PASSAGES: usize = 10;
/// Most sentences of an answer.
pub const MAX_SENTENCES: usize = 3;
/// Number of features of a sentence; the last four are of meaning and zero without a model.
pub const SENTENCE_FEATURES: usize = 24;
/// Number of signals by which an answer is trusted; the last three are of meaning and zero without a model.
pub const TRUST_FEATURES: usize = 9;

pub(crate) const SENTENCE_WEIGHTS: [f32; SENTENCE_FEATURES] = [
    2.965, 3.301, 0.378, 2.008, 0.565, 2.475, -0.474, -2.191, 0.000, 5.523, 0.127, 0.100, 0.286, -3.713,
    -0.227, -0.088, 0.024, 1.326, 0.094, -0.559, 0.0, 0.0, 0.0, 0.0,
];
/// The same when there is a model.
pub(crate) const MEANING_SENTENCE_WEIGHTS: [f32; SENTENCE_FEATURES] = [
    2.965, 3.301, 0.378, 2.008, 0.565, 2.475, -0.474, -2.191, 0.000, 5.523, 0.127, 0.100, 0.286, -3.713,
    -0.227, -0.088, 0.024, 1.326, 0.094, -0.559, 4.0, 0.0, 0.0, 0.0,
];
pub(crate) const TRUST_WEIGHTS: [f32; TRUST_FEATURES] =
    [0.992, 3.606, 2.629, 1.055, -2.265, 2.869, 0.0, 0.0, 0.0];
/// The same when there is a model.
pub(crate) const MEANING_TRUST_WEIGHTS: [f32; TRUST_FEATURES] =
    [0.992, 3.606, 2.629, 1.055, -2.265, 2.869, 0.0, 0.0, 0.0];
/// Below this trust the documents do not tell. Set where about two in a hundred answerable questions are refused.
pub(crate) const TRUST_NEEDED: f32 = 3.1;
/// The same when there is a model.
pub(crate) const MEANING_TRUST_NEEDED: f32 = 3.1;

/// An exact sentence of a document; `start..end` are code points of its text.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerSentence {
    /// Index into the retrieval's passages.
    pub passage: usize,
    pub start: u32,
    pub end: u32,
    /// Page, slide or sheet of the sentence itself.
    pub page: Option<u32>,
    pub text: String,
    pub score: f32,
}

/// What the documents say to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Sentences, best first.
    Found { sentences: Vec<AnswerSentence>, trust: f32 },
    /// No passage is good enough; the retrieval's passages are the nearest.
    Refused { trust: f32 },
}

/// Chooses up to `limit` (at most [`MAX_SENTENCES`]) sentences.
pub fn answer(retrieval: &Retrieval, limit: usize) -> Answer {
    let chosen = choose(retrieval, limit.clamp(1, MAX_SENTENCES));
    let (weights, needed) = if retrieval.by_meaning {
        (&MEANING_TRUST_WEIGHTS, MEANING_TRUST_NEEDED)
    } else {
        (&TRUST_WEIGHTS, TRUST_NEEDED)
    };
    let trust = dot(&trust_features(retrieval, &chosen), weights);
    if chosen.is_empty() || trust < needed {
        return Answer::Refused { trust };
    }
    let sentences = chosen.into_iter().map(|choice| choice.sentence(retrieval)).collect();
    Answer::Found { sentences, trust }
}

/// A sentence under consideration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    pub passage: usize,
    pub sentence: usize,
    pub score: f32,
    pub features: [f32; SENTENCE_FEATURES],
}

impl Choice {
    pub(crate) fn sentence(&self, retrieval: &Retrieval) -> AnswerSentence {
        let found = &retrieval.passages[self.passage];
        let sentence = &found.scan.sentences[self.sentence];
        let (start, end) = code_point_range(found, sentence);
        let page = found.passage.marks.get(sentence.mark).map_or(found.passage.page, |mark| mark.page);
        let text = found.passage.text[sentence.range.clone()].to_owned();
        AnswerSentence { passage: self.passage, start, end, page, text, score: self.score }
    }
}

fn code_point_range(found: &Retrieved, sentence: &Sentence) -> (u32, u32) {
    let before = found.passage.text[..sentence.range.start].chars().count() as u32;
    let length = found.passage.text[sentence.range.clone()].chars().count() as u32;
    (found.passage.start + before, found.passage.start + before + length)
}

/// All sentences of the first passages with features and score, each place of a document once.
pub(crate) fn consider(retrieval: &Retrieval) -> Vec<Choice> {
    let mut seen: FxHashMap<(&str, u32), usize> = FxHashMap::default();
    let mut choices: Vec<Choice> = Vec::new();
    let weights = if retrieval.by_meaning { &MEANING_SENTENCE_WEIGHTS } else { &SENTENCE_WEIGHTS };
    let nearest = nearest_sentence(retrieval);
    for (index, found) in retrieval.passages.iter().take(ANSWER_PASSAGES).enumerate() {
        for (at, sentence) in found.own_scan().sentences.iter().enumerate() {
            let features = features(retrieval, index, at, nearest);
            let choice = Choice { passage: index, sentence: at, score: dot(&features, weights), features };
            let place = (found.meta.id.as_str(), code_point_range(found, sentence).0);
            match seen.get(&place) {
                Some(known) if choices[*known].score >= choice.score => {}
                Some(known) => choices[*known] = choice,
                None => {
                    seen.insert(place, choices.len());
                    choices.push(choice);
                }
            }
        }
    }
    choices
}

pub(crate) fn choose(retrieval: &Retrieval, limit: usize) -> Vec<Choice> {
    let mut choices = consider(retrieval);
    choices.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut chosen: Vec<Choice> = Vec::with_capacity(limit);
    for choice in choices {
        if chosen.len() == limit {
            break;
        }
        let text = |choice: &Choice| {
            let found = &retrieval.passages[choice.passage];
            &found.passage.text[found.scan.sentences[choice.sentence].range.clone()]
        };
        if !chosen.iter().any(|other| text(other) == text(&choice)) {
            chosen.push(choice);
        }
    }
    chosen
}

/// Nearness of the nearest sentence of all that are considered.
fn nearest_sentence(retrieval: &Retrieval) -> f32 {
    let passages = retrieval.passages.iter().take(ANSWER_PASSAGES);
    passages.filter_map(|found| found.nearness.as_ref()).flatten().copied().fold(0.0, f32::max)
}

fn features(retrieval: &Retrieval, passage: usize, at: usize, nearest: f32) -> [f32; SENTENCE_FEATURES] {
    let question = &retrieval.question;
    let found = &retrieval.passages[passage];
    let scan = found.own_scan();
    let sentence = &scan.sentences[at];
    let hits = &scan.hits[sentence.hits.clone()];
    let own = coverage(question, hits);
    let around = coverage(question, window(scan, at, 1, 1));
    let before = if at > 0 { coverage(question, window(scan, at - 1, 0, 0)) } else { 0.0 };
    let after =
        if at + 1 < scan.sentences.len() { coverage(question, window(scan, at + 1, 0, 0)) } else { 0.0 };
    let width = hits.last().map_or(1, |last| last.at - hits[0].at + 1) as f32;
    let top_score = retrieval.passages[0].score;
    let flag = f32::from;
    let [near, behind, beside, both] = nearness(found, at, nearest, own);
    let typed = question.asks != Asks::Thing;
    [
        own,
        around,
        together(question, hits),
        sentence.fits * flag(u8::from(typed)),
        found.score - top_score,
        exact_coverage(question, hits),
        (sentence.words.max(1) as f32).ln() / 4.0,
        flag(u8::from(sentence.words < 5)),
        flag(u8::from(sentence.kind == BlockKind::Heading)),
        with_context(question, hits, scan.context) - own,
        flag(u8::from(sentence.leads)),
        hits.len() as f32 / width,
        before,
        flag(u8::from(found.passage.text[sentence.range.clone()].ends_with('?'))),
        own * sentence.fits * flag(u8::from(typed)),
        after,
        1.0 / (1.0 + passage as f32),
        own * own,
        sentence.fits * flag(u8::from(!typed)),
        (sentence.words.max(1) as f32).ln().powi(2) / 16.0,
        near,
        behind,
        beside,
        both,
    ]
}

/// Of a sentence: nearness, distance from the nearest of all, nearness of its neighbours, and of words with meaning.
/// One without vectors is taken to be as near as its passage is, or as a middling one.
fn nearness(found: &Retrieved, at: usize, nearest: f32, own: f32) -> [f32; 4] {
    if nearest <= 0.0 {
        return [0.0; 4];
    }
    let unknown = found.near.map_or(nearest * 0.5, |near| near.mean);
    let of = |at: usize| found.nearness.as_ref().and_then(|near| near.get(at)).copied();
    let near = of(at).unwrap_or(unknown);
    let before = at.checked_sub(1).and_then(of);
    let beside = before.into_iter().chain(of(at + 1)).fold(0.0, f32::max);
    [near, near - nearest, beside, near * own]
}

impl Retrieved {
    /// As the question's own words see it.
    pub(crate) fn own_scan(&self) -> &Scan {
        self.own.as_ref().unwrap_or(&self.scan)
    }
}

/// Signals of how far the chosen sentences are to be trusted as an answer. What a context brought counts only for the
/// passages: its words need not stand in the sentence.
pub(crate) fn trust_features(retrieval: &Retrieval, chosen: &[Choice]) -> [f32; TRUST_FEATURES] {
    let question = retrieval.whole.as_ref().unwrap_or(&retrieval.question);
    let (Some(best), Some(first)) = (chosen.first(), retrieval.passages.first()) else {
        return [0.0; TRUST_FEATURES];
    };
    let found = &retrieval.passages[best.passage];
    let names: f32 = question.words.iter().filter(|word| word.name).map(|word| word.weight).sum();
    let seen = found.scan.hits.iter().fold(found.scan.context, |bits, hit| bits | 1 << hit.word.min(63));
    let missing: f32 = question
        .words
        .iter()
        .enumerate()
        .filter(|(index, word)| word.name && seen & (1 << index.min(&63)) == 0)
        .map(|(_, word)| word.weight)
        .sum();
    [
        best.features[0],
        best.features[1],
        with_context(question, &found.scan.hits, found.scan.context),
        with_context(question, &first.scan.hits, first.scan.context),
        missing / names.max(f32::EPSILON),
        best.features[2],
        best.features[20],
        first.near.map_or(0.0, |near| near.best),
        nearest_sentence(retrieval),
    ]
}

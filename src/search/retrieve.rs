//! From a question to the passages that may answer it: BM25 and meaning gather candidates, `rank` orders them.

use rustc_hash::FxHashSet;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, EmptyQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, Searcher, Term};

use crate::answer::ANSWER_PASSAGES;
use crate::error::Result;
use crate::filter::{Filter, narrow};
use crate::index::SearchIndex;
use crate::meaning::{self, Closeness, Found, Meaning};
use crate::passage::Passage;
use crate::question::Question;
use crate::rank::{self, Candidate, MEANING_PASSAGE_WEIGHTS, PASSAGE_WEIGHTS};
use crate::record::DocumentMeta;
use crate::scan::{Reader, Scan};
use crate::span;
use crate::viewer::Viewer;
use crate::within::Eyes;

/// Passages that BM25, and as many that meaning, hands to the ranking.
const CANDIDATES: usize = 100;
/// Candidates read closely; those behind keep the order they came in.
const READ: usize = 60;
/// The same when meaning brought candidates of its own.
const READ_FUSED: usize = 80;
/// Passages that a re-ranker looks at.
const RERANKED: usize = 30;
const TITLE_BOOST: f32 = 0.6;
const HEADING_BOOST: f32 = 0.5;

/// What is looked for.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// In natural language or keywords.
    pub question: &'a str,
    /// What the question leans on: words that help to find passages, but do not choose sentences.
    pub context: Option<&'a str>,
    /// All of them hold.
    pub filters: &'a [Filter],
    /// Who looks; none sees everything.
    pub viewer: Option<&'a Viewer>,
    /// Most passages.
    pub limit: usize,
    pub meaning: Option<&'a dyn Meaning>,
}

/// A passage found for a question.
#[derive(Debug)]
pub struct Retrieved {
    pub meta: DocumentMeta,
    pub passage: Passage,
    /// Higher is better; only comparable within one retrieval.
    pub score: f32,
    pub(crate) bm25: f32,
    pub(crate) near: Option<Closeness>,
    /// Read with question and context.
    pub(crate) scan: Scan,
    /// Read with the question alone, when there is a context.
    pub(crate) own: Option<Scan>,
    /// Nearness of each sentence, when the passage's vectors are there.
    pub(crate) nearness: Option<Vec<f32>>,
}

/// What a question brought.
#[derive(Debug)]
pub struct Retrieval {
    pub passages: Vec<Retrieved>,
    pub(crate) question: Question,
    /// With its context, when it has one.
    pub(crate) whole: Option<Question>,
    /// Whether meaning was asked and knew something.
    pub(crate) by_meaning: bool,
    read: usize,
}

impl SearchIndex {
    /// The best `limit` passages for a question, by its words.
    pub fn retrieve(&self, question: &str, filters: &[Filter], limit: usize) -> Result<Retrieval> {
        self.find(&Wanted { question, filters, limit, ..Wanted::default() })
    }

    /// The best passages for a question.
    pub fn find(&self, wanted: &Wanted<'_>) -> Result<Retrieval> {
        let mut retrieval = self.candidates(wanted)?;
        let weights = if retrieval.by_meaning { &MEANING_PASSAGE_WEIGHTS } else { &PASSAGE_WEIGHTS };
        let scores: Vec<f32> =
            retrieval.features().iter().map(|features| rank::dot(features, weights)).collect();
        order(&mut retrieval.passages, &scores);
        if let Some(meaning) = wanted.meaning {
            rerank(&mut retrieval.passages, meaning);
        }
        retrieval.passages.truncate(wanted.limit);
        retrieval.prepare_sentences(wanted.meaning);
        Ok(retrieval)
    }

    /// Candidates in BM25's order, the first of them read.
    pub(crate) fn candidates(&self, wanted: &Wanted<'_>) -> Result<Retrieval> {
        let eyes = self.eyes(wanted.viewer)?;
        let analyse = |text: &str| Question::analyse(text, &eyes, self.fields.body);
        let question = analyse(wanted.question)?;
        let whole = match wanted.context.filter(|context| !context.trim().is_empty()) {
            Some(context) => Some(analyse(&format!("{} {context}", wanted.question))?),
            None => None,
        };
        let asked = whole.as_ref().unwrap_or(&question);
        let (found, read) = self.gather(&eyes, asked, wanted)?;
        let mut reader = Reader::new(asked);
        let mut passages = Vec::with_capacity(found.len());
        for candidate in found {
            let closely = passages.len() < read;
            passages.push(self.read(&eyes.searcher, candidate, &mut reader, closely, wanted.meaning)?);
        }
        // Nothing embedded yet: as if there were no model.
        let by_meaning = passages.iter().any(|found: &Retrieved| found.near.is_some());
        Ok(Retrieval { passages, question, whole, by_meaning, read })
    }

    /// Candidates, and how many of them are to be read: those in BM25's order, the others as they came.
    fn gather(&self, eyes: &Eyes, question: &Question, wanted: &Wanted<'_>) -> Result<(Vec<Found>, usize)> {
        let query = eyes.within(narrow(self.any_word(question), wanted.filters.iter(), &self.fields));
        let limit = wanted.limit.max(CANDIDATES);
        let words = eyes.searcher.search(&query, &TopDocs::with_limit(limit).order_by_score())?;
        let Some(meaning) = wanted.meaning else {
            let found =
                words.into_iter().map(|(bm25, address)| Found { address, bm25, near: None, fused: bm25 });
            return Ok((found.collect(), READ));
        };
        let near = self.near(eyes, meaning, wanted.filters, CANDIDATES)?;
        let known: FxHashSet<DocAddress> = words.iter().map(|(_, address)| *address).collect();
        let others = near.iter().map(|near| near.0).filter(|address| !known.contains(address));
        let scores = meaning::scores(&eyes.searcher, &query, others.collect())?;
        let mut found = meaning::fuse(&words, &near, &scores);
        let read = found.len().min(READ_FUSED);
        found[..read].sort_by(|a, b| b.bm25.total_cmp(&a.bm25));
        Ok((found, read))
    }

    fn read(
        &self,
        searcher: &Searcher,
        found: Found,
        reader: &mut Reader<'_>,
        closely: bool,
        meaning: Option<&dyn Meaning>,
    ) -> Result<Retrieved> {
        let (meta, passage) = self.stored(searcher, found.address)?;
        let (mut scan, mut near) = (Scan::default(), found.near);
        if closely {
            scan = reader.scan(&passage, &meta.title, meta.language.as_deref());
            near = near.or_else(|| meaning.and_then(|meaning| meaning.closeness(&meta.id, passage.ordinal)));
        }
        let bm25 = found.bm25;
        Ok(Retrieved { meta, passage, score: bm25, bm25, near, scan, own: None, nearness: None })
    }

    /// Any of the question's words in body, title or headings.
    fn any_word(&self, question: &Question) -> Box<dyn Query> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let mut add = |field: Field, stem: &str, boost: f32| {
            let term = TermQuery::new(Term::from_field_text(field, stem), IndexRecordOption::WithFreqs);
            clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(term), boost))));
        };
        for word in question.words.iter().filter(|word| word.known || question.words.len() < 8) {
            for stem in &word.stems {
                add(self.fields.body, stem, 1.0);
                add(self.fields.title, stem, TITLE_BOOST);
                add(self.fields.heading, stem, HEADING_BOOST);
            }
        }
        if clauses.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::new(clauses)) }
    }
}

impl Retrieval {
    /// Features of the passages that were read.
    pub(crate) fn features(&self) -> Vec<[f32; rank::PASSAGE_FEATURES]> {
        let candidates: Vec<Candidate<'_>> = self
            .passages
            .iter()
            .take(self.read)
            .map(|found| Candidate {
                document: &found.meta.id,
                bm25: found.bm25,
                near: found.near,
                scan: &found.scan,
            })
            .collect();
        rank::passage_features(self.whole.as_ref().unwrap_or(&self.question), &candidates)
    }

    /// What the choice of sentences needs of the first passages: the question's own words, and nearness.
    fn prepare_sentences(&mut self, meaning: Option<&dyn Meaning>) {
        let mut reader = self.whole.is_some().then(|| Reader::new(&self.question));
        for found in self.passages.iter_mut().take(ANSWER_PASSAGES) {
            let (meta, passage) = (&found.meta, &found.passage);
            if let Some(reader) = &mut reader {
                found.own = Some(reader.scan(passage, &meta.title, meta.language.as_deref()));
            }
            let spans = meaning.and_then(|meaning| meaning.sentences(&meta.id, passage.ordinal));
            let Some(spans) = spans else { continue };
            let sentences = found.scan.sentences.iter().map(|sentence| sentence.range.clone());
            let of = span::group(&passage.text, sentences);
            found.nearness = of.into_iter().map(|span| spans.get(span).copied()).collect();
        }
    }
}

/// Sorts the read passages by score; those behind keep their order with lower scores.
fn order(passages: &mut [Retrieved], scores: &[f32]) {
    for (passage, score) in passages.iter_mut().zip(scores) {
        passage.score = *score;
    }
    let read = scores.len();
    passages[..read].sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut floor = passages[..read].last().map_or(0.0, |passage| passage.score);
    for passage in &mut passages[read..] {
        floor -= 0.001;
        passage.score = floor;
    }
}

/// Puts the first passages into the re-ranker's order. They keep the scores of their new places, for those are
/// compared with each other and have their scale.
fn rerank(passages: &mut [Retrieved], meaning: &dyn Meaning) {
    let first = passages.len().min(RERANKED);
    let first = &mut passages[..first];
    let texts: Vec<&str> = first.iter().map(|found| found.passage.text.as_str()).collect();
    let Some(ranks) = meaning.rerank(&texts).filter(|ranks| ranks.len() == first.len()) else { return };
    let scores: Vec<f32> = first.iter().map(|found| found.score).collect();
    for (found, rank) in first.iter_mut().zip(ranks) {
        found.score = rank;
    }
    first.sort_by(|a, b| b.score.total_cmp(&a.score));
    for (found, score) in first.iter_mut().zip(scores) {
        found.score = score;
    }
}

//! From a question to the passages that may answer it: BM25 gathers candidates, `rank` orders them.

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, EmptyQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use crate::error::Result;
use crate::filter::{Filter, narrow};
use crate::index::SearchIndex;
use crate::passage::Passage;
use crate::question::Question;
use crate::rank::{self, Candidate, PASSAGE_WEIGHTS};
use crate::record::DocumentMeta;
use crate::scan::{Reader, Scan};

/// Passages that BM25 hands to the ranking.
const CANDIDATES: usize = 100;
/// Candidates read closely; those behind keep BM25's order.
const READ: usize = 60;
const TITLE_BOOST: f32 = 0.6;
const HEADING_BOOST: f32 = 0.5;

/// A passage found for a question.
#[derive(Debug)]
pub struct Retrieved {
    pub meta: DocumentMeta,
    pub passage: Passage,
    /// Higher is better; only comparable within one retrieval.
    pub score: f32,
    pub(crate) bm25: f32,
    pub(crate) scan: Scan,
}

/// What a question brought.
#[derive(Debug)]
pub struct Retrieval {
    pub passages: Vec<Retrieved>,
    pub(crate) question: Question,
}

impl SearchIndex {
    /// The best `limit` passages for a question in natural language or keywords, under all `filters`.
    pub fn retrieve(&self, question: &str, filters: &[Filter], limit: usize) -> Result<Retrieval> {
        let mut retrieval = self.candidates(question, filters, limit.max(CANDIDATES))?;
        let scores: Vec<f32> =
            retrieval.features().iter().map(|features| rank::dot(features, &PASSAGE_WEIGHTS)).collect();
        order(&mut retrieval.passages, &scores);
        retrieval.passages.truncate(limit);
        Ok(retrieval)
    }

    /// Candidates in BM25's order, the first of them read.
    pub(crate) fn candidates(&self, question: &str, filters: &[Filter], limit: usize) -> Result<Retrieval> {
        let searcher = self.searcher();
        let languages = self.languages();
        let question = Question::analyse(question, &languages, &searcher, self.fields.body)?;
        let query = narrow(self.any_word(&question), filters.iter(), &self.fields);
        let found = searcher.search(&query, &TopDocs::with_limit(limit.max(1)).order_by_score())?;
        let mut reader = Reader::new(&question);
        let mut passages = Vec::with_capacity(found.len());
        for (bm25, address) in found {
            passages.push(self.read(&searcher, address, bm25, &mut reader, passages.len() < READ)?);
        }
        Ok(Retrieval { passages, question })
    }

    fn read(
        &self,
        searcher: &Searcher,
        address: tantivy::DocAddress,
        bm25: f32,
        reader: &mut Reader<'_>,
        closely: bool,
    ) -> Result<Retrieved> {
        let (meta, passage) = self.stored(searcher, address)?;
        let scan = if closely {
            reader.scan(&passage, &meta.title, meta.language.as_deref())
        } else {
            Scan::default()
        };
        Ok(Retrieved { meta, passage, score: bm25, bm25, scan })
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
            .take(READ)
            .map(|found| Candidate { document: &found.meta.id, bm25: found.bm25, scan: &found.scan })
            .collect();
        rank::passage_features(&self.question, &candidates)
    }
}

/// Sorts the read passages by score; those behind follow in BM25's order with lower scores.
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

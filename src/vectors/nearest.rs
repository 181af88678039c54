//! Finding the passages nearest to a question: all passages are compared by their mean vector, or the graph is asked
//! when they are many; the best are then compared sentence by sentence.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::error::{Result, VectorError};
use crate::quantise::{Fine, SCALE};
use crate::store::{Row, State, VectorStore};

/// Passages that are compared sentence by sentence, at least.
const CLOSE: usize = 200;
/// How much a passage's mean counts beside its best sentence.
const MEAN_SHARE: f32 = 0.5;
/// The graph is asked when at least this share of the passages is allowed; else those are compared one by one.
const ALLOWED_SHARE: usize = 10;

/// A question's vector, prepared.
#[derive(Debug, Clone)]
pub struct Query(Fine);

impl Query {
    /// Any length.
    pub fn new(vector: &[f32]) -> Self {
        Self(Fine::new(vector))
    }
}

/// A passage near the question.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    pub document: Arc<str>,
    /// The passage's number in its document.
    pub ordinal: u32,
    /// Cosine of the passage's mean.
    pub mean: f32,
    /// Cosine of its nearest sentence.
    pub best: f32,
}

impl Neighbour {
    /// By what neighbours are ordered.
    pub fn score(&self) -> f32 {
        self.best + MEAN_SHARE * self.mean
    }
}

impl VectorStore {
    /// The nearest `limit` passages, best first; only of documents that are `allowed`.
    pub fn nearest(
        &self,
        query: &Query,
        limit: usize,
        allowed: Option<&dyn Fn(&str) -> bool>,
    ) -> Result<Vec<Neighbour>> {
        self.check(query)?;
        let state = self.state.read();
        let open: Vec<bool> = state
            .documents
            .iter()
            .map(|document| document.alive && allowed.is_none_or(|allowed| allowed(&document.id)))
            .collect();
        let wanted = limit.max(CLOSE);
        let rows = match &state.graph {
            Some(graph) if is_wide(&state, &open, graph.rows) => {
                let mut found = graph.nearest(&query.0, wanted, |row| {
                    state.rows.get(row as usize).is_some_and(|row| open[row.document as usize])
                })?;
                found.extend(scan(&state, &query.0, graph.rows, wanted, &open));
                found
            }
            _ => scan(&state, &query.0, 0, wanted, &open),
        };
        let mut near: Vec<Neighbour> = rows.into_iter().map(|row| neighbour(&state, &query.0, row)).collect();
        near.sort_by(|a, b| b.score().total_cmp(&a.score()));
        near.truncate(limit);
        Ok(near)
    }

    /// A passage of a document compared with the question; none when its vectors are not there.
    pub fn compare(&self, query: &Query, document: &str, ordinal: u32) -> Option<Neighbour> {
        self.check(query).ok()?;
        let state = self.state.read();
        let row = state.row(document, ordinal)?;
        Some(neighbour(&state, &query.0, row))
    }

    /// The cosines of a passage's sentences, in their order.
    pub fn sentences(&self, query: &Query, document: &str, ordinal: u32) -> Option<Vec<f32>> {
        self.check(query).ok()?;
        let state = self.state.read();
        let row = state.row(document, ordinal)?;
        Some(state.spans(&state.rows[row as usize]).map(|span| query.0.cosine(span)).collect())
    }

    fn check(&self, query: &Query) -> Result<()> {
        let found = query.0.numbers.len();
        if found == self.dimensions {
            return Ok(());
        }
        Err(VectorError::Dimensions { wanted: self.dimensions, found })
    }
}

/// Whether so many rows of the graph are allowed that it finds enough of them.
fn is_wide(state: &State, open: &[bool], rows: usize) -> bool {
    let allowed: usize = state
        .documents
        .iter()
        .zip(open)
        .filter(|(_, open)| **open)
        .map(|(document, _)| document.rows.len())
        .sum();
    allowed * ALLOWED_SHARE >= rows
}

fn neighbour(state: &State, query: &Fine, row: u32) -> Neighbour {
    let place = &state.rows[row as usize];
    let mean = query.cosine(state.passage(row));
    let best = state.spans(place).map(|span| query.cosine(span)).fold(f32::MIN, f32::max);
    Neighbour {
        document: state.documents[place.document as usize].id.clone(),
        ordinal: place.ordinal,
        mean,
        best: if place.spans == 0 { mean } else { best },
    }
}

/// The best rows from `first` on, by comparing all of them.
fn scan(state: &State, query: &Fine, first: usize, limit: usize, open: &[bool]) -> Vec<u32> {
    let mut heap: BinaryHeap<Scored> = BinaryHeap::with_capacity(limit + 1);
    let mut floor = f32::MIN;
    for (at, row) in state.rows.iter().enumerate().skip(first) {
        if !open[row.document as usize] {
            continue;
        }
        let cosine = query.cosine(state.passage(at as u32));
        if cosine > floor {
            heap.push(Scored(cosine, at as u32));
            if heap.len() > limit {
                heap.pop();
                floor = heap.peek().map_or(f32::MIN, |worst| worst.0);
            }
        }
    }
    heap.into_iter().map(|found| found.1).collect()
}

/// The worst is the greatest, so that a heap gives it away first.
#[derive(PartialEq)]
struct Scored(f32, u32);

impl Eq for Scored {}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then_with(|| self.1.cmp(&other.1))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl State {
    fn stride(&self) -> usize {
        self.passage_file.bytes().len() / self.rows.len().max(1)
    }

    pub(crate) fn passage(&self, row: u32) -> &[u8] {
        let stride = self.stride();
        &self.passage_file.bytes()[row as usize * stride..][..stride]
    }

    pub(crate) fn spans(&self, row: &Row) -> impl Iterator<Item = &[u8]> {
        let stride = self.stride().max(SCALE);
        let start = row.first as usize * stride;
        self.sentence_file.bytes()[start..start + usize::from(row.spans) * stride].chunks_exact(stride)
    }

    fn row(&self, document: &str, ordinal: u32) -> Option<u32> {
        let at = self.by_id.get(document)?;
        self.documents[*at as usize].rows.get(ordinal as usize).copied()
    }
}

//! A question compared by meaning: its vectors, those of the passages, and a re-ranker when there is one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use lectern_inference::{Embedder, Kind, Reranker, TextModelError};
use lectern_search::{Closeness, Meaning, Near, Passage};
use lectern_vectors::{Neighbour, Query, VectorStore};

/// Sentences embedded at once in the background: a tenth of a second or two, then questions are looked for.
const TOGETHER: usize = 32;

/// The vectors that one model made of a tenant's passages.
pub(crate) struct Space {
    /// The model, as the bank names it.
    pub model: String,
    pub store: VectorStore,
}

/// A question with its vectors.
pub(crate) struct Asked {
    space: Arc<Space>,
    /// With its context: finds passages.
    whole: Query,
    /// Without: chooses sentences.
    own: Query,
    baseline: f32,
    question: String,
    reranker: Option<Arc<Reranker>>,
    /// Milliseconds that the vectors took.
    pub embed_ms: f64,
}

impl Asked {
    pub(crate) fn new(
        space: Arc<Space>,
        embedder: &Embedder,
        reranker: Option<Arc<Reranker>>,
        (question, context): (&str, Option<&str>),
    ) -> Result<Self, TextModelError> {
        let started = Instant::now();
        let whole = context.map(|context| format!("{context} {question}"));
        let texts: Vec<&str> = std::iter::once(question).chain(whole.as_deref()).collect();
        // One by one: together they would change each other's rounding.
        let mut vectors = Vec::with_capacity(texts.len());
        for text in &texts {
            vectors.extend(embedder.embed(&[text], Kind::Query)?.iter().map(|vector| Query::new(vector)));
        }
        let whole_vector = vectors.pop();
        let (own, whole_vector) = match (vectors.pop(), whole_vector) {
            (Some(own), Some(whole)) => (own, whole),
            (_, Some(only)) => (only.clone(), only),
            _ => return Err(TextModelError::Run("no vector was made".to_owned())),
        };
        Ok(Self {
            space,
            whole: whole_vector,
            own,
            baseline: embedder.baseline(),
            question: whole.unwrap_or_else(|| question.to_owned()),
            reranker,
            embed_ms: started.elapsed().as_secs_f64() * 1000.0,
        })
    }

    /// A cosine on the scale where unrelated texts are at 0, whatever the model.
    fn scaled(&self, cosine: f32) -> f32 {
        (cosine - self.baseline) / (1.0 - self.baseline)
    }

    fn closeness(&self, near: &Neighbour) -> Closeness {
        Closeness { best: self.scaled(near.best), mean: self.scaled(near.mean) }
    }
}

impl Meaning for Asked {
    fn nearest(&self, limit: usize, allowed: Option<&dyn Fn(&str) -> bool>) -> Vec<Near> {
        let found = self.space.store.nearest(&self.whole, limit, allowed).unwrap_or_else(|error| {
            tracing::error!(%error, "the vectors cannot be searched");
            Vec::new()
        });
        let near = |found: Neighbour| Near {
            closeness: self.closeness(&found),
            document: found.document.to_string(),
            ordinal: found.ordinal,
        };
        found.into_iter().map(near).collect()
    }

    fn closeness(&self, document: &str, ordinal: u32) -> Option<Closeness> {
        let near = self.space.store.compare(&self.whole, document, ordinal)?;
        Some(self.closeness(&near))
    }

    fn sentences(&self, document: &str, ordinal: u32) -> Option<Vec<f32>> {
        let cosines = self.space.store.sentences(&self.own, document, ordinal)?;
        Some(cosines.into_iter().map(|cosine| self.scaled(cosine)).collect())
    }

    fn rerank(&self, passages: &[&str]) -> Option<Vec<f32>> {
        let reranker = self.reranker.as_ref()?;
        reranker
            .score(&self.question, passages)
            .inspect_err(|error| tracing::error!(%error, "the passages cannot be re-ranked"))
            .ok()
    }
}

/// Makes the vectors of the sentences of passages. Between a few of them `wait` is called, and says whether to go on.
/// What a passage repeats of the one before is not computed again. None when it was told to stop.
pub(crate) fn embed(
    embedder: &Embedder,
    passages: &[Passage],
    known: &mut HashMap<String, Vec<f32>>,
    wait: &mut dyn FnMut() -> bool,
) -> Result<Option<Vec<Vec<Vec<f32>>>>, TextModelError> {
    if !wait() {
        return Ok(None);
    }
    let spans: Vec<Vec<&str>> = passages
        .iter()
        .map(|passage| {
            let ranges = lectern_search::spans(passage).into_iter().take(lectern_vectors::MAX_SPANS);
            ranges.map(|range| &passage.text[range]).collect()
        })
        .collect();
    let mut new: Vec<&str> = Vec::new();
    for text in spans.iter().flatten() {
        if !known.contains_key(*text) {
            known.insert((*text).to_owned(), Vec::new());
            new.push(text);
        }
    }
    // Of about the same length together: padding costs time and, in models of eight bits, precision.
    new.sort_by_key(|text| text.len());
    for part in new.chunks(TOGETHER) {
        if !wait() {
            return Ok(None);
        }
        let made = embedder.embed(part, Kind::Passage)?;
        for (text, vector) in part.iter().zip(made) {
            known.insert((*text).to_owned(), vector);
        }
    }
    let vectors = spans.iter().map(|spans| spans.iter().map(|text| known[*text].clone()).collect());
    let vectors: Vec<Vec<Vec<f32>>> = vectors.collect();
    // Only the last passage can be repeated by what comes.
    let last: Vec<&str> = spans.last().cloned().unwrap_or_default();
    known.retain(|text, _| last.contains(&text.as_str()));
    Ok(Some(vectors))
}

/// Tells two texts of a document apart: by what would be embedded of it.
pub(crate) fn fingerprint(passages: &[Passage]) -> u64 {
    let mut hash = Fnv(0xCBF2_9CE4_8422_2325);
    hash.add(&lectern_search::SPAN_RULE.to_le_bytes());
    for passage in passages {
        hash.add(&(passage.text.len() as u64).to_le_bytes());
        hash.add(passage.text.as_bytes());
        for mark in &passage.marks {
            hash.add(&mark.start.to_le_bytes());
        }
    }
    hash.0
}

/// A short name for a folder.
pub(crate) fn folder_name(model: &str) -> String {
    let mut hash = Fnv(0xCBF2_9CE4_8422_2325);
    hash.add(model.as_bytes());
    format!("{:016x}", hash.0)
}

/// FNV-1a, 64 bits: the same in every version, unlike the standard library's.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
}

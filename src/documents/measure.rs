//! Measures answers by meaning on data with known answers, with the code that answers in the server.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lectern_inference::{Embedder, TextModelError};
use lectern_search::eval::{self, QaReport};
use lectern_search::squad::Article;
use lectern_search::{Closeness, Meaning, Near, Options, Passage, SearchError, SearchIndex, Shape};
use lectern_vectors::{VectorError, VectorStore};

use crate::meaning::TenantMeaning;
use crate::understanding::{self, Asked, Space};

#[derive(Debug)]
pub enum MeasureError {
    Search(SearchError),
    Model(TextModelError),
    Vectors(VectorError),
}

impl std::fmt::Display for MeasureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Search(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Vectors(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MeasureError {}

impl From<SearchError> for MeasureError {
    fn from(error: SearchError) -> Self {
        Self::Search(error)
    }
}

impl From<std::io::Error> for MeasureError {
    fn from(error: std::io::Error) -> Self {
        Self::Search(error.into())
    }
}

impl From<TextModelError> for MeasureError {
    fn from(error: TextModelError) -> Self {
        Self::Model(error)
    }
}

impl From<VectorError> for MeasureError {
    fn from(error: VectorError) -> Self {
        Self::Vectors(error)
    }
}

/// Vectors of documents in a folder of their own.
pub struct Understanding {
    embedder: Embedder,
    space: Arc<Space>,
}

impl Understanding {
    /// Loads the model of a folder; vectors go to `vectors`.
    pub fn new(model: &Path, vectors: &Path) -> Result<Self, MeasureError> {
        let embedder = Embedder::load(model)?;
        let store = VectorStore::open(vectors, embedder.dimensions())?;
        Ok(Self { embedder, space: Arc::new(Space { model: String::new(), store }) })
    }

    /// Embeds a document that is in the index.
    pub fn add(&self, index: &SearchIndex, document: &str) -> Result<(), MeasureError> {
        let passages = index.passages(document)?;
        let print = understanding::fingerprint(&passages);
        let known = self.space.store.document(document);
        if known.is_some_and(|known| known.complete && known.fingerprint == print) {
            return Ok(());
        }
        let vectors = understanding::embed(&self.embedder, &passages, &mut HashMap::new(), &mut || true)?;
        self.space.store.put(document, (0, print), &vectors.unwrap_or_default(), true)?;
        Ok(())
    }

    /// Prepares a question; `hidden` is a document that is as if it were not there.
    pub fn ask(&self, question: &str, hidden: Option<&str>) -> Result<Box<dyn Meaning>, MeasureError> {
        let asked = Asked::new(self.space.clone(), &self.embedder, None, (question, None))?;
        Ok(Box::new(Without { asked, hidden: hidden.map(str::to_owned) }))
    }
}

/// A question that does not see one document.
struct Without {
    asked: Asked,
    hidden: Option<String>,
}

impl Meaning for Without {
    fn nearest(&self, limit: usize, allowed: Option<&dyn Fn(&str) -> bool>) -> Vec<Near> {
        let Some(hidden) = &self.hidden else { return self.asked.nearest(limit, allowed) };
        let open = |id: &str| id != hidden && allowed.is_none_or(|allowed| allowed(id));
        self.asked.nearest(limit, Some(&open))
    }

    fn closeness(&self, document: &str, ordinal: u32) -> Option<Closeness> {
        Meaning::closeness(&self.asked, document, ordinal)
    }

    fn sentences(&self, document: &str, ordinal: u32) -> Option<Vec<f32>> {
        self.asked.sentences(document, ordinal)
    }

    fn rerank(&self, passages: &[&str]) -> Option<Vec<f32>> {
        self.asked.rerank(passages)
    }
}

/// Indexes and embeds the articles of a SQuAD file in a folder that is removed afterwards, and asks all questions.
pub fn qa_file(file: &Path, model: &Path) -> Result<QaReport, MeasureError> {
    let articles = eval::read_articles(file)?;
    let folder = tempfile::tempdir()?;
    let index = SearchIndex::open(&folder.path().join("index"), Options::default())?;
    eval::index_articles(&index, &articles, Shape::default())?;
    let understanding = Understanding::new(model, &folder.path().join("vectors"))?;
    for number in 0..articles.len() {
        understanding.add(&index, &eval::article_id(number))?;
    }
    ask_all(&index, &articles, &understanding)
}

/// Fills the vectors that a stopped appliance had begun with made-up ones, so that the speed of search can be measured
/// without the hours that a model needs for so many passages. Returns the passages.
pub fn fill(tenant: &Path) -> Result<usize, MeasureError> {
    let index = SearchIndex::open_read_only(&tenant.join("index"))?;
    let meaning = TenantMeaning::new(tenant.join("vectors"));
    let nothing = || SearchError::Evaluation {
        file: tenant.display().to_string(),
        reason: "no vectors were begun".to_owned(),
    };
    let space = meaning.unfinished().ok_or_else(nothing)?;
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for (document, _) in index.documents()? {
        let passages = index.passages(&document)?;
        // Of a document that was begun some passages are there.
        let begun = space.store.document(&document).map_or(0, |known| known.passages);
        let made = passages
            .iter()
            .skip(begun)
            .map(|passage| made_up(passage, space.store.dimensions(), &mut random));
        let vectors: Vec<Vec<Vec<f32>>> = made.collect();
        let print = understanding::fingerprint(&passages);
        // The stamp is another one; the appliance sees by the fingerprint that the text is the same.
        space.store.put(&document, (0, print), &vectors, true)?;
    }
    space.store.maintain(&AtomicBool::new(false))?;
    let count = space.store.stats().passages;
    meaning.build(space);
    meaning.swap().map_err(|error| SearchError::Evaluation {
        file: tenant.display().to_string(),
        reason: error.to_string(),
    })?;
    Ok(count)
}

fn made_up(passage: &Passage, dimensions: usize, random: &mut u64) -> Vec<Vec<f32>> {
    let mut next = || {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        (*random >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    lectern_search::spans(passage).iter().map(|_| (0..dimensions).map(|_| next()).collect()).collect()
}

/// Asks all questions of articles that are in the index and embedded.
pub fn ask_all(
    index: &SearchIndex,
    articles: &[Article],
    understanding: &Understanding,
) -> Result<QaReport, MeasureError> {
    let failed = |error: MeasureError| SearchError::Evaluation {
        file: "embedding model".to_owned(),
        reason: error.to_string(),
    };
    let ask = |question: &str| understanding.ask(question, None).map_err(failed);
    Ok(eval::qa(index, articles, &[], Some(&ask))?)
}

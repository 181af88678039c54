//! A query that finds only what somebody sees. It stands around the whole query, so that every collector, count and
//! facet is under it, and keeps the engine's shortcut to the best hits: a passage costs one look at a bit.

use std::fmt;
use std::sync::Arc;

use tantivy::query::{
    BitSetDocSet, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight,
    intersect_scorers,
};
use tantivy::{BitSet, DocId, Score, Searcher, SegmentReader, TantivyError, Term};

use crate::index::SearchIndex;
use crate::viewer::{Seen, Statistics};

/// A state of the index in somebody's eyes.
pub(crate) struct Eyes {
    pub searcher: Searcher,
    pub seen: Option<Arc<Seen>>,
    pub languages: Arc<[[u8; 2]]>,
}

impl SearchIndex {
    pub(crate) fn eyes(&self, viewer: Option<&crate::Viewer>) -> crate::Result<Eyes> {
        let searcher = self.searcher();
        let seen = self.seen_by(&searcher, viewer)?;
        let languages = seen.as_ref().map_or_else(|| self.languages(), |seen| seen.languages());
        Ok(Eyes { searcher, seen, languages })
    }
}

impl Eyes {
    /// The query for what is seen.
    pub(crate) fn within(&self, query: Box<dyn Query>) -> Box<dyn Query> {
        match &self.seen {
            Some(seen) => Box::new(Within { query, seen: seen.clone() }),
            None => query,
        }
    }

    /// Passages with a term.
    pub(crate) fn frequency(&self, term: &Term) -> tantivy::Result<u64> {
        match &self.seen {
            Some(seen) => seen.frequency(&self.searcher, term),
            None => self.searcher.doc_freq(term),
        }
    }

    /// All passages.
    pub(crate) fn count(&self) -> u64 {
        self.seen.as_ref().map_or_else(|| self.searcher.num_docs(), |seen| seen.count())
    }
}

struct Within {
    query: Box<dyn Query>,
    seen: Arc<Seen>,
}

impl Clone for Within {
    fn clone(&self) -> Self {
        Self { query: self.query.box_clone(), seen: self.seen.clone() }
    }
}

impl fmt::Debug for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Within({:?})", self.query)
    }
}

impl Query for Within {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let inner = match scoring {
            EnableScoring::Enabled { searcher, .. } => {
                let statistics = Statistics { seen: &self.seen, searcher };
                self.query.weight(EnableScoring::enabled_from_statistics_provider(&statistics, searcher))?
            }
            disabled @ EnableScoring::Disabled { .. } => self.query.weight(disabled)?,
        };
        Ok(Box::new(WithinWeight { inner, seen: self.seen.clone() }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.query.query_terms(visitor);
    }
}

struct WithinWeight {
    inner: Box<dyn Weight>,
    seen: Arc<Seen>,
}

impl WithinWeight {
    fn passages(&self, reader: &SegmentReader) -> Option<&BitSet> {
        self.seen.passages(reader.segment_id())
    }
}

impl Weight for WithinWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let Some(passages) = self.passages(reader) else { return Ok(Box::new(EmptyScorer)) };
        let seen = ConstScorer::new(BitSetDocSet::from(passages.clone()), 0.0);
        let scorers = vec![self.inner.scorer(reader, boost)?, Box::new(seen)];
        Ok(intersect_scorers(scorers, reader.num_docs()))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        if self.passages(reader).is_some_and(|passages| passages.contains(doc)) {
            return self.inner.explain(reader, doc);
        }
        Err(TantivyError::InvalidArgument("the passage does not match".to_owned()))
    }

    fn for_each(
        &self,
        reader: &SegmentReader,
        callback: &mut dyn FnMut(DocId, Score),
    ) -> tantivy::Result<()> {
        let Some(passages) = self.passages(reader) else { return Ok(()) };
        self.inner.for_each(reader, &mut |doc, score| {
            if passages.contains(doc) {
                callback(doc, score);
            }
        })
    }

    fn for_each_no_score(
        &self,
        reader: &SegmentReader,
        callback: &mut dyn FnMut(&[DocId]),
    ) -> tantivy::Result<()> {
        let Some(passages) = self.passages(reader) else { return Ok(()) };
        let mut seen = Vec::new();
        self.inner.for_each_no_score(reader, &mut |docs| {
            seen.clear();
            seen.extend(docs.iter().copied().filter(|doc| passages.contains(*doc)));
            callback(&seen);
        })
    }

    fn for_each_pruning(
        &self,
        threshold: Score,
        reader: &SegmentReader,
        callback: &mut dyn FnMut(DocId, Score) -> Score,
    ) -> tantivy::Result<()> {
        let Some(passages) = self.passages(reader) else { return Ok(()) };
        let mut reached = threshold;
        self.inner.for_each_pruning(threshold, reader, &mut |doc, score| {
            if passages.contains(doc) {
                reached = callback(doc, score);
            }
            reached
        })
    }
}

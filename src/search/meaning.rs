//! Search by meaning beside search by words: what is asked of whoever has the vectors, and how both lists become one.

use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::StrColumn;
use tantivy::query::{EnableScoring, Query};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, DocSet, Score, Searcher, SegmentOrdinal, SegmentReader, TERMINATED, Term};

use crate::error::Result;
use crate::filter::{Filter, narrow};
use crate::index::SearchIndex;
use crate::schema::DOCUMENT;
use crate::within::Eyes;

/// Constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009).
const FUSION: f32 = 60.0;

/// How near a passage is to the question: 1 is the same, 0 is what two unrelated texts have in the model's eyes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Closeness {
    /// Of its nearest sentence.
    pub best: f32,
    /// Of the whole.
    pub mean: f32,
}

/// A passage found by meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    pub document: String,
    pub ordinal: u32,
    pub closeness: Closeness,
}

/// One question compared by meaning. Passages whose vectors are not made yet are unknown to it.
pub trait Meaning {
    /// The nearest passages of documents that are `allowed`, best first.
    fn nearest(&self, limit: usize, allowed: Option<&dyn Fn(&str) -> bool>) -> Vec<Near>;

    /// One passage.
    fn closeness(&self, document: &str, ordinal: u32) -> Option<Closeness>;

    /// The spans of a passage ([`crate::spans`]), in their order; by the question alone, without its context.
    fn sentences(&self, document: &str, ordinal: u32) -> Option<Vec<f32>>;

    /// How well passages answer the question, when there is a model for it; higher is better.
    fn rerank(&self, passages: &[&str]) -> Option<Vec<f32>>;
}

/// A passage found by words, by meaning, or by both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub address: DocAddress,
    pub bm25: f32,
    pub near: Option<Closeness>,
    /// By what the fused list is ordered.
    pub fused: f32,
}

/// One list out of two, best first: `words` and `near` are ordered. `scores` has BM25 for what only `near` has.
pub(crate) fn fuse(
    words: &[(f32, DocAddress)],
    near: &[(DocAddress, Closeness)],
    scores: &FxHashMap<DocAddress, f32>,
) -> Vec<Found> {
    let mut at: FxHashMap<DocAddress, usize> = FxHashMap::default();
    let mut all: Vec<Found> = Vec::with_capacity(words.len() + near.len());
    for (rank, (bm25, address)) in words.iter().enumerate() {
        at.insert(*address, all.len());
        let fused = 1.0 / (FUSION + 1.0 + rank as f32);
        all.push(Found { address: *address, bm25: *bm25, near: None, fused });
    }
    for (rank, (address, closeness)) in near.iter().enumerate() {
        let share = 1.0 / (FUSION + 1.0 + rank as f32);
        if let Some(at) = at.get(address) {
            all[*at].fused += share;
            all[*at].near = Some(*closeness);
            continue;
        }
        let bm25 = scores.get(address).copied().unwrap_or(0.0);
        all.push(Found { address: *address, bm25, near: Some(*closeness), fused: share });
    }
    all.sort_by(|a, b| b.fused.total_cmp(&a.fused));
    all
}

impl SearchIndex {
    /// What `meaning` finds under the filters, with the places in the index.
    pub(crate) fn near(
        &self,
        eyes: &Eyes,
        meaning: &dyn Meaning,
        filters: &[Filter],
        limit: usize,
    ) -> Result<Vec<(DocAddress, Closeness)>> {
        let found = match &eyes.seen {
            None if filters.is_empty() => meaning.nearest(limit, None),
            Some(seen) if filters.is_empty() => {
                let allowed = seen.documents(|| self.documents_under(eyes, filters))?;
                meaning.nearest(limit, Some(&|id| allowed.contains(id)))
            }
            _ => {
                let allowed = self.documents_under(eyes, filters)?;
                meaning.nearest(limit, Some(&|id| allowed.contains(id)))
            }
        };
        let mut wanted: FxHashMap<&str, Vec<(u32, usize)>> = FxHashMap::default();
        for (rank, near) in found.iter().enumerate() {
            wanted.entry(&near.document).or_default().push((near.ordinal, rank));
        }
        let mut places: Vec<Option<DocAddress>> = vec![None; found.len()];
        for (document, ordinals) in wanted {
            self.place(&eyes.searcher, document, &ordinals, &mut places)?;
        }
        let pairs = found.iter().zip(places);
        Ok(pairs.filter_map(|(near, place)| place.map(|place| (place, near.closeness))).collect())
    }

    /// Finds passages of a document by their numbers.
    fn place(
        &self,
        searcher: &Searcher,
        document: &str,
        ordinals: &[(u32, usize)],
        places: &mut [Option<DocAddress>],
    ) -> Result<()> {
        let term = Term::from_field_text(self.fields.document, document);
        for (number, segment) in searcher.segment_readers().iter().enumerate() {
            let inverted = segment.inverted_index(self.fields.document)?;
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            let column = segment.fast_fields().u64("ordinal")?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                let ordinal = column.first(doc);
                let found = ordinals.iter().find(|(wanted, _)| ordinal == Some(u64::from(*wanted)));
                if let Some((_, rank)) = found.filter(|_| !segment.is_deleted(doc)) {
                    places[*rank] = Some(DocAddress::new(number as u32, doc));
                }
                doc = postings.advance();
            }
        }
        Ok(())
    }

    /// Ids of the documents that are seen and pass the filters.
    fn documents_under(&self, eyes: &Eyes, filters: &[Filter]) -> Result<FxHashSet<String>> {
        let everything: Box<dyn Query> = Box::new(tantivy::query::AllQuery);
        let query = eyes.within(narrow(everything, filters.iter(), &self.fields));
        Ok(eyes.searcher.search(&query, &Documents)?)
    }
}

/// BM25 of passages that the search for the best ones did not bring; those that do not match are left out.
pub(crate) fn scores(
    searcher: &Searcher,
    query: &dyn Query,
    mut addresses: Vec<DocAddress>,
) -> Result<FxHashMap<DocAddress, f32>> {
    addresses.sort_unstable();
    let mut found = FxHashMap::default();
    let weight = query.weight(EnableScoring::enabled_from_searcher(searcher))?;
    for part in addresses.chunk_by(|a, b| a.segment_ord == b.segment_ord) {
        let Some(first) = part.first() else { continue };
        let mut scorer = weight.scorer(searcher.segment_reader(first.segment_ord), 1.0)?;
        for address in part {
            if scorer.doc() < address.doc_id {
                scorer.seek(address.doc_id);
            }
            if scorer.doc() == address.doc_id {
                found.insert(*address, scorer.score());
            }
        }
    }
    Ok(found)
}

/// Collects the documents of the matching passages.
struct Documents;

struct SegmentDocuments {
    column: Option<StrColumn>,
    seen: Vec<bool>,
}

impl Collector for Documents {
    type Fruit = FxHashSet<String>;
    type Child = SegmentDocuments;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentDocuments> {
        let column = segment.fast_fields().str(DOCUMENT)?;
        let seen = vec![false; column.as_ref().map_or(0, |column| column.num_terms())];
        Ok(SegmentDocuments { column, seen })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(
        &self,
        segments: Vec<tantivy::Result<FxHashSet<String>>>,
    ) -> tantivy::Result<FxHashSet<String>> {
        let mut all = FxHashSet::default();
        for segment in segments {
            all.extend(segment?);
        }
        Ok(all)
    }
}

impl SegmentCollector for SegmentDocuments {
    type Fruit = tantivy::Result<FxHashSet<String>>;

    fn collect(&mut self, doc: DocId, _: Score) {
        for ordinal in self.column.iter().flat_map(|column| column.term_ords(doc)) {
            if let Some(seen) = self.seen.get_mut(ordinal as usize) {
                *seen = true;
            }
        }
    }

    fn harvest(self) -> Self::Fruit {
        let mut all = FxHashSet::default();
        let Some(column) = self.column else { return Ok(all) };
        // In one pass: to look them up one by one takes tens of times as long.
        let ordinals = self.seen.iter().enumerate().filter(|(_, seen)| **seen);
        let ordinals: Vec<u64> = ordinals.map(|(ordinal, _)| ordinal as u64).collect();
        column.dictionary().sorted_ords_to_term_cb(&ordinals, |id| {
            all.extend(std::str::from_utf8(id).map(str::to_owned));
        })?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_lists_have_comes_first() {
        let address = |doc| DocAddress::new(0, doc);
        let close = |best| Closeness { best, mean: 0.0 };
        let words = [(9.0, address(1)), (8.0, address(2)), (7.0, address(3))];
        let near = [(address(4), close(0.9)), (address(3), close(0.8))];
        let scores = std::iter::once((address(4), 0.5)).collect();
        let fused = fuse(&words, &near, &scores);
        let order: Vec<u32> = fused.iter().map(|candidate| candidate.address.doc_id).collect();
        assert_eq!(order, [3, 1, 4, 2]);
        assert_eq!(fused[0].near, Some(close(0.8)));
        assert_eq!((fused[2].bm25, fused[3].near), (0.5, None));
    }
}

//! What of the index somebody sees. It is worked out once for a viewer and a state of the index, as a set of passages
//! for each segment, and then holds inside every query ([`crate::within`]). Words are counted in it too: how rare a
//! word is in texts that are not seen must not show in scores, orders or the words that a prefix stands for.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::index::SegmentId;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocSet, Opstamp, Searcher, SegmentReader, TERMINATED, Term};

use crate::error::Result;
use crate::index::{SearchIndex, first_languages};
use crate::schema::{Fields, OPEN, by, place};

/// Viewers that are remembered.
const MAX_VIEWERS: usize = 32;
/// Words whose frequency is remembered for a viewer.
const MAX_WORDS: usize = 2000;

/// Who looks. A document with readers of its own is seen when they name one of `ids`; any other one unless its
/// collection is hidden.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Of the person and of what they belong to.
    pub ids: Vec<String>,
    /// Collections that are not seen.
    pub hidden_collections: Vec<String>,
    /// Documents that are not seen, whatever the index has of them.
    pub hidden_documents: Vec<String>,
}

/// What a viewer sees of one state of the index.
pub(crate) struct Seen {
    viewer: Viewer,
    generation: u64,
    parts: Vec<Arc<Part>>,
    text_fields: [Field; 4],
    languages: Arc<[[u8; 2]]>,
    documents: OnceLock<FxHashSet<String>>,
    frequencies: Mutex<FxHashMap<Term, u64>>,
}

/// The same of one segment; a segment never changes but for deletions.
struct Part {
    segment: SegmentId,
    deletions: Option<Opstamp>,
    passages: BitSet,
    /// Words in each of the text fields.
    tokens: [u64; 4],
    languages: Vec<([u8; 2], u64)>,
}

impl Seen {
    /// The passages that are seen of a segment; none of a segment that is not known.
    pub(crate) fn passages(&self, segment: SegmentId) -> Option<&BitSet> {
        self.parts.iter().find(|part| part.segment == segment).map(|part| &part.passages)
    }

    pub(crate) fn count(&self) -> u64 {
        self.parts.iter().map(|part| part.passages.len() as u64).sum()
    }

    pub(crate) fn languages(&self) -> Arc<[[u8; 2]]> {
        Arc::clone(&self.languages)
    }

    /// Ids of the documents, collected by `collect` when it is asked for the first time.
    pub(crate) fn documents(
        &self,
        collect: impl FnOnce() -> Result<FxHashSet<String>>,
    ) -> Result<&FxHashSet<String>> {
        if let Some(known) = self.documents.get() {
            return Ok(known);
        }
        let found = collect()?;
        Ok(self.documents.get_or_init(|| found))
    }

    /// Seen passages that have a term.
    pub(crate) fn frequency(&self, searcher: &Searcher, term: &Term) -> tantivy::Result<u64> {
        let lock = || self.frequencies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(term) {
            return Ok(*known);
        }
        let mut count = 0;
        for segment in searcher.segment_readers() {
            let Some(passages) = self.passages(segment.segment_id()) else { continue };
            each(segment, term, |doc| count += u64::from(passages.contains(doc)))?;
        }
        let mut known = lock();
        if known.len() >= MAX_WORDS {
            known.clear();
        }
        known.insert(term.clone(), count);
        Ok(count)
    }

    fn tokens(&self, field: Field) -> u64 {
        let at = self.text_fields.iter().position(|known| *known == field);
        at.map_or(0, |at| self.parts.iter().map(|part| part.tokens[at]).sum())
    }
}

/// How rare words are in what is seen.
pub(crate) struct Statistics<'a> {
    pub seen: &'a Seen,
    pub searcher: &'a Searcher,
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        Ok(self.seen.tokens(field))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.seen.count().max(1))
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.seen.frequency(self.searcher, term)
    }
}

impl SearchIndex {
    /// What a viewer sees of this state of the index; none for everything there is.
    pub(crate) fn seen_by(&self, searcher: &Searcher, viewer: Option<&Viewer>) -> Result<Option<Arc<Seen>>> {
        let Some(viewer) = viewer else { return Ok(None) };
        let generation = searcher.generation().generation_id();
        let lock = || self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().iter().find(|seen| seen.viewer == *viewer).cloned();
        if let Some(seen) = known.as_ref().filter(|seen| seen.generation == generation) {
            return Ok(Some(seen.clone()));
        }
        let mut parts = Vec::with_capacity(searcher.segment_readers().len());
        for segment in searcher.segment_readers() {
            let (id, deletions) = (segment.segment_id(), segment.delete_opstamp());
            let same = |part: &&Arc<Part>| part.segment == id && part.deletions == deletions;
            match known.as_ref().and_then(|seen| seen.parts.iter().find(same)) {
                Some(part) => parts.push(part.clone()),
                None => parts.push(Arc::new(part(&self.fields, segment, viewer)?)),
            }
        }
        let languages = first_languages(parts.iter().flat_map(|part| part.languages.iter().copied()));
        let seen = Arc::new(Seen {
            viewer: viewer.clone(),
            generation,
            parts,
            text_fields: self.fields.texts(),
            languages,
            documents: OnceLock::new(),
            frequencies: Mutex::default(),
        });
        let mut viewers = lock();
        viewers.retain(|known| known.viewer != *viewer);
        if viewers.len() >= MAX_VIEWERS {
            viewers.remove(0);
        }
        viewers.push(seen.clone());
        Ok(Some(seen))
    }
}

fn part(fields: &Fields, segment: &SegmentReader, viewer: &Viewer) -> tantivy::Result<Part> {
    let passages = passages(fields, segment, viewer)?;
    let mut tokens = [0; 4];
    for (field, tokens) in fields.texts().into_iter().zip(&mut tokens) {
        let norms = segment.get_fieldnorms_reader(field)?;
        let seen = (0..segment.max_doc()).filter(|doc| passages.contains(*doc));
        *tokens = seen.map(|doc| u64::from(norms.fieldnorm(doc))).sum();
    }
    let mut languages = Vec::new();
    let inverted = segment.inverted_index(fields.language)?;
    let mut terms = inverted.terms().stream()?;
    while let Some((term, info)) = terms.next() {
        let Ok(code) = <[u8; 2]>::try_from(&term[..term.len().min(2)]) else { continue };
        let mut postings = inverted.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        let mut count = 0;
        while postings.doc() != TERMINATED {
            count += u64::from(passages.contains(postings.doc()));
            postings.advance();
        }
        languages.push((code, count));
    }
    languages.retain(|(_, count)| *count > 0);
    let (segment, deletions) = (segment.segment_id(), segment.delete_opstamp());
    Ok(Part { segment, deletions, passages, tokens, languages })
}

/// Nothing is seen but what is named: a passage without any mark stays hidden.
fn passages(fields: &Fields, segment: &SegmentReader, viewer: &Viewer) -> tantivy::Result<BitSet> {
    let access = |text: &str| Term::from_field_text(fields.access, text);
    let mut seen = BitSet::with_max_value(segment.max_doc());
    let mut insert = |doc| {
        seen.insert(doc);
    };
    each(segment, &access(OPEN), &mut insert)?;
    for id in &viewer.ids {
        each(segment, &access(&by(id)), &mut insert)?;
    }
    for collection in &viewer.hidden_collections {
        each(segment, &access(&place(collection)), |doc| seen.remove(doc))?;
    }
    for document in &viewer.hidden_documents {
        each(segment, &Term::from_field_text(fields.document, document), |doc| seen.remove(doc))?;
    }
    if segment.has_deletes() {
        (0..segment.max_doc()).filter(|doc| segment.is_deleted(*doc)).for_each(|doc| seen.remove(doc));
    }
    Ok(seen)
}

fn each(segment: &SegmentReader, term: &Term, mut work: impl FnMut(u32)) -> tantivy::Result<()> {
    let inverted = segment.inverted_index(term.field())?;
    let Some(mut postings) = inverted.read_postings(term, IndexRecordOption::Basic)? else { return Ok(()) };
    while postings.doc() != TERMINATED {
        work(postings.doc());
        postings.advance();
    }
    Ok(())
}

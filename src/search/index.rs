//! The index folder of one tenant: opening, the one writer, adding and deleting, committing, closing. Searching is
//! in `search` and `retrieve`; comparing with the disk in `audit`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tantivy::collector::DocSetCollector;
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, TantivyDocument, Value};
use tantivy::{
    DocAddress, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyError, Term,
};

use crate::error::{Result, SearchError};
use crate::passage::Passage;
use crate::record::{self, DocumentMeta};
use crate::schema::{self, Fields};
use crate::tokenizer;
use crate::viewer::Seen;

/// Languages a query is stemmed for: those with the most passages.
const MAX_LANGUAGES: usize = 6;

/// How the index uses the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes the writer collects, over all its threads, before it writes a segment.
    pub writer_memory: usize,
    /// Threads that index; one keeps up with two cores' extraction.
    pub writer_threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { writer_memory: 64 << 20, writer_threads: 1 }
    }
}

/// Full-text index of one tenant. Cheap to share behind an `Arc`; all methods take `&self`.
pub struct SearchIndex {
    dir: PathBuf,
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    reader: IndexReader,
    writer: Mutex<WriterState>,
    options: Option<Options>,
    languages: RwLock<Arc<[[u8; 2]]>>,
    /// What viewers see, the one that came last at the end.
    pub(crate) viewers: Mutex<Vec<Arc<Seen>>>,
}

#[derive(Default)]
struct WriterState {
    writer: Option<IndexWriter>,
    dirty: bool,
}

impl SearchIndex {
    /// Opens the index in `dir`, making folder and index when they are not there. The writer is made on first use.
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        Self::open_with(dir, Some(options))
    }

    /// Opens an index that exists; everything that writes is refused.
    pub fn open_read_only(dir: &Path) -> Result<Self> {
        Self::open_with(dir, None)
    }

    /// Throws away whatever is in `dir`, readable or not, and opens an empty index there.
    pub fn recreate(dir: &Path, options: Options) -> Result<Self> {
        if dir.exists() {
            let lock = Self::open_with(dir, Some(options)).ok();
            if let Some(index) = &lock {
                index.with_writer(|_| Ok(()))?;
            }
            drop(lock);
            std::fs::remove_dir_all(dir)?;
        }
        Self::open(dir, options)
    }

    fn open_with(dir: &Path, options: Option<Options>) -> Result<Self> {
        let damaged = |reason: String| SearchError::Damaged { path: dir.to_owned(), reason };
        let (schema, fields) = schema::build();
        let directory = MmapDirectory::open(dir).map_err(|error| damaged(error.to_string()))?;
        let exists = Index::exists(&directory).map_err(|error| damaged(error.to_string()))?;
        let index = match (exists, options) {
            (true, _) => Index::open(directory).map_err(|error| damaged(error.to_string()))?,
            (false, Some(_)) => Index::create(directory, schema.clone(), settings())?,
            (false, None) => return Err(damaged("there is no index".to_owned())),
        };
        if index.schema() != schema {
            return Err(damaged("it was made by another version".to_owned()));
        }
        tokenizer::register(index.tokenizers());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(64)
            .try_into()
            .map_err(|error: TantivyError| damaged(error.to_string()))?;
        let languages = RwLock::new(Arc::from([]));
        let (dir, writer, viewers) = (dir.to_owned(), Mutex::default(), Mutex::default());
        let index = Self { dir, index, fields, reader, writer, options, languages, viewers };
        index.refresh()?;
        Ok(index)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Number of passages that can be found.
    pub fn count(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// Languages of the indexed documents, most frequent first.
    pub(crate) fn languages(&self) -> Arc<[[u8; 2]]> {
        Arc::clone(&self.languages.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a document's passages; what the index had under the same id is replaced. Found after [`Self::commit`].
    pub fn add(&self, meta: &DocumentMeta, passages: &[Passage]) -> Result<u64> {
        self.with_writer(|writer| {
            writer.delete_term(Term::from_field_text(self.fields.document, &meta.id));
            for passage in passages {
                writer.add_document(self.fields.document(meta, passage))?;
            }
            Ok(passages.len() as u64)
        })
    }

    /// Changes title, collection, tags and the like of a committed document without its text. Returns its passages.
    pub fn update_meta(&self, meta: &DocumentMeta) -> Result<u64> {
        self.commit()?;
        let passages = self.passages(&meta.id)?;
        if passages.is_empty() { Ok(0) } else { self.add(meta, &passages) }
    }

    /// Removes a document; it cannot be found after [`Self::commit`].
    pub fn delete(&self, document: &str) -> Result<()> {
        self.with_writer(|writer| {
            writer.delete_term(Term::from_field_text(self.fields.document, document));
            Ok(())
        })
    }

    /// Removes everything.
    pub fn clear(&self) -> Result<()> {
        self.with_writer(|writer| {
            writer.delete_all_documents()?;
            Ok(())
        })?;
        self.commit()?;
        Ok(())
    }

    /// Makes what was written findable and durable. Returns whether there was anything.
    pub fn commit(&self) -> Result<bool> {
        let mut state = self.state();
        if !state.dirty {
            return Ok(false);
        }
        if let Some(writer) = state.writer.as_mut() {
            writer.commit()?;
        }
        state.dirty = false;
        drop(state);
        self.refresh()?;
        Ok(true)
    }

    /// Commits and gives the writer's memory, threads and lock back; the next write makes a new one. Waits for merges.
    pub fn release_writer(&self) -> Result<()> {
        self.commit()?;
        let writer = self.state().writer.take();
        if let Some(writer) = writer {
            writer.wait_merging_threads()?;
            self.refresh()?;
        }
        Ok(())
    }

    /// Commits, waits for merges and releases the lock.
    pub fn close(self) -> Result<()> {
        self.release_writer()
    }

    /// One passage of a document.
    pub fn passage(&self, document: &str, ordinal: u32) -> Result<Option<(DocumentMeta, Passage)>> {
        let searcher = self.searcher();
        for address in self.addresses(&searcher, document)? {
            let segment = searcher.segment_reader(address.segment_ord);
            let ordinals = segment.fast_fields().u64("ordinal")?;
            if ordinals.first(address.doc_id) == Some(ordinal.into()) {
                return self.stored(&searcher, address).map(Some);
            }
        }
        Ok(None)
    }

    /// All passages of a document, in order.
    pub fn passages(&self, document: &str) -> Result<Vec<Passage>> {
        let searcher = self.searcher();
        let mut passages = Vec::new();
        for address in self.addresses(&searcher, document)? {
            passages.push(self.stored(&searcher, address)?.1);
        }
        passages.sort_by_key(|passage| passage.ordinal);
        Ok(passages)
    }

    fn addresses(&self, searcher: &Searcher, document: &str) -> Result<Vec<DocAddress>> {
        let query =
            TermQuery::new(Term::from_field_text(self.fields.document, document), IndexRecordOption::Basic);
        Ok(searcher.search(&query, &DocSetCollector)?.into_iter().collect())
    }

    pub(crate) fn stored(&self, searcher: &Searcher, address: DocAddress) -> Result<(DocumentMeta, Passage)> {
        let document: TantivyDocument = searcher.doc(address)?;
        document
            .get_first(self.fields.record)
            .and_then(|value| value.as_str())
            .and_then(record::decode)
            .ok_or_else(|| SearchError::Damaged {
                path: self.dir.clone(),
                reason: "a stored passage is not readable".to_owned(),
            })
    }

    fn state(&self) -> MutexGuard<'_, WriterState> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with the writer, making it when there is none.
    pub(crate) fn with_writer<T>(&self, work: impl FnOnce(&IndexWriter) -> Result<T>) -> Result<T> {
        let options = self.options.ok_or(SearchError::ReadOnly)?;
        let mut state = self.state();
        let writer = match state.writer.take() {
            Some(writer) => writer,
            None => self.make_writer(options)?,
        };
        let result = work(&writer);
        // After a failed write the writer's threads may be gone: a fresh one is made next time.
        if result.is_ok() {
            state.writer = Some(writer);
            state.dirty = true;
        }
        result
    }

    fn make_writer(&self, options: Options) -> Result<IndexWriter> {
        let threads = options.writer_threads.clamp(1, 8);
        let memory = (options.writer_memory / threads).clamp(16 << 20, 2 << 30);
        let writer_options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(memory)
            .num_merge_threads(1)
            .build();
        let writer = self.index.writer_with_options(writer_options).map_err(|error| match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => SearchError::Locked(self.dir.clone()),
            other => other.into(),
        })?;
        let mut policy = LogMergePolicy::default();
        policy.set_min_num_segments(6);
        policy.set_del_docs_ratio_before_merge(0.3);
        writer.set_merge_policy(Box::new(policy));
        Ok(writer)
    }

    /// Sees the last commit.
    fn refresh(&self) -> Result<()> {
        self.reader.reload()?;
        let mut counts: Vec<([u8; 2], u64)> = Vec::new();
        for segment in self.searcher().segment_readers() {
            let inverted = segment.inverted_index(self.fields.language)?;
            let mut terms = inverted.terms().stream()?;
            while let Some((term, info)) = terms.next() {
                let Ok(code) = <[u8; 2]>::try_from(&term[..term.len().min(2)]) else { continue };
                counts.push((code, info.doc_freq.into()));
            }
        }
        let languages = first_languages(counts.into_iter());
        *self.languages.write().unwrap_or_else(PoisonError::into_inner) = languages;
        Ok(())
    }
}

/// The most frequent languages of the counts, of which a language may have several.
pub(crate) fn first_languages(counts: impl Iterator<Item = ([u8; 2], u64)>) -> Arc<[[u8; 2]]> {
    let mut sums: Vec<([u8; 2], u64)> = Vec::new();
    for (code, count) in counts {
        match sums.iter_mut().find(|(known, _)| *known == code) {
            Some((_, sum)) => *sum += count,
            None => sums.push((code, count)),
        }
    }
    sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sums.into_iter().take(MAX_LANGUAGES).map(|(code, _)| crate::language::known(code)).collect()
}

fn settings() -> IndexSettings {
    IndexSettings {
        docstore_blocksize: 8 << 10,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

//! The vectors of one tenant and one model: what is there, adding, removing. A passage has one vector for each of its
//! sentences, and their mean, by which it is found.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::error::{Result, VectorError};
use crate::files::{self, Current, Growing, io};
use crate::graph::Graph;
use crate::log::{self, Record};
use crate::quantise::{SCALE, length, store};

/// Most sentence vectors of one passage.
pub const MAX_SPANS: usize = 1000;

/// What is known of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentState {
    pub stamp: i64,
    pub fingerprint: u64,
    /// Passages whose vectors are there.
    pub passages: usize,
    /// All of them are.
    pub complete: bool,
}

/// Sizes of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub documents: usize,
    pub passages: usize,
    pub sentences: usize,
    /// Passages that were removed and still take space.
    pub dead: usize,
    /// Passages that the graph holds; 0 when search is exact.
    pub graph: usize,
    pub bytes: u64,
}

/// A passage's place in the files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub document: u32,
    pub ordinal: u32,
    /// Number of its first sentence vector.
    pub first: u32,
    pub spans: u16,
}

#[derive(Debug)]
pub(crate) struct Document {
    pub id: Arc<str>,
    pub stamp: i64,
    pub fingerprint: u64,
    pub complete: bool,
    pub alive: bool,
    /// Rows by the passages' numbers.
    pub rows: Vec<u32>,
}

/// All that a search needs.
pub(crate) struct State {
    pub generation: u64,
    pub rows: Vec<Row>,
    pub documents: Vec<Document>,
    pub by_id: FxHashMap<Arc<str>, u32>,
    pub dead: usize,
    pub sentences: u32,
    pub passage_file: Growing,
    pub sentence_file: Growing,
    pub log_file: Growing,
    pub graph: Option<Graph>,
}

/// The vectors of one tenant and one model. All methods take `&self`; searches go on while something is added.
pub struct VectorStore {
    pub(crate) dir: PathBuf,
    pub(crate) dimensions: usize,
    pub(crate) state: RwLock<State>,
    /// Held by whoever changes the files.
    pub(crate) writing: Mutex<()>,
}

impl VectorStore {
    /// Opens the store in `dir`, making it when it is not there.
    pub fn open(dir: &Path, dimensions: usize) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(io(dir))?;
        let current = files::current(dir, dimensions)?;
        files::sweep(dir, current.generation);
        let mut state = State::open(dir, &current)?;
        state.graph = Graph::open(dir, current.generation, state.rows.len());
        Ok(Self { dir: dir.to_owned(), dimensions, state: RwLock::new(state), writing: Mutex::new(()) })
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// What is known of a document.
    pub fn document(&self, id: &str) -> Option<DocumentState> {
        let state = self.state.read();
        state.by_id.get(id).map(|at| state.documents[*at as usize].state())
    }

    /// All documents with what is known of them.
    pub fn documents(&self) -> Vec<(String, DocumentState)> {
        let state = self.state.read();
        let alive = state.documents.iter().filter(|document| document.alive);
        alive.map(|document| (document.id.to_string(), document.state())).collect()
    }

    /// Adds the next passages of a document, each with the vectors of its sentences; on the disk when this returns.
    /// When the fingerprint differs from the one that is there, or that one was complete, the document begins anew.
    pub fn put(
        &self,
        document: &str,
        (stamp, fingerprint): (i64, u64),
        passages: &[Vec<Vec<f32>>],
        complete: bool,
    ) -> Result<()> {
        let mut bytes = Encoded::default();
        for passage in passages {
            bytes.add(passage, self.dimensions)?;
        }
        let record =
            Record::Put { document: document.to_owned(), stamp, fingerprint, complete, spans: bytes.spans };
        let _writing = self.writing.lock();
        self.write(&bytes.passages, &bytes.sentences, record)
    }

    /// Removes a document, if it is there.
    pub fn remove(&self, document: &str) -> Result<()> {
        let _writing = self.writing.lock();
        if !self.state.read().by_id.contains_key(document) {
            return Ok(());
        }
        self.write(&[], &[], Record::Remove { document: document.to_owned() })
    }

    /// The document was indexed again and its passages are the same.
    pub fn restamp(&self, document: &str, stamp: i64) -> Result<()> {
        let _writing = self.writing.lock();
        if !self.state.read().by_id.contains_key(document) {
            return Ok(());
        }
        self.write(&[], &[], Record::Stamp { document: document.to_owned(), stamp })
    }

    /// Vectors, then the record that names them, to the disk; then searches see them. Searches do not wait for the disk.
    /// The caller holds `writing`.
    fn write(&self, passages: &[u8], sentences: &[u8], record: Record) -> Result<()> {
        let (mut passage_tail, mut sentence_tail, mut log_tail) = {
            let state = self.state.read();
            (state.passage_file.tail(), state.sentence_file.tail(), state.log_file.tail())
        };
        passage_tail.append(passages)?;
        sentence_tail.append(sentences)?;
        log_tail.append(&log::encode(&record))?;
        let mut state = self.state.write();
        let state = &mut *state;
        for (file, tail) in
            [(&mut state.passage_file, &passage_tail), (&mut state.sentence_file, &sentence_tail)]
        {
            if file.grown(tail) {
                file.remap()?;
            }
        }
        state.log_file.grown(&log_tail);
        state.apply(record);
        Ok(())
    }

    pub fn stats(&self) -> Stats {
        let state = self.state.read();
        Stats {
            documents: state.by_id.len(),
            passages: state.rows.len() - state.dead,
            sentences: state.sentences as usize,
            dead: state.dead,
            graph: state.graph.as_ref().map_or(0, |graph| graph.rows),
            bytes: state.passage_file.len() + state.sentence_file.len() + state.log_file.len(),
        }
    }
}

/// Passages in their stored form.
#[derive(Default)]
struct Encoded {
    passages: Vec<u8>,
    sentences: Vec<u8>,
    spans: Vec<u16>,
}

impl Encoded {
    fn add(&mut self, spans: &[Vec<f32>], dimensions: usize) -> Result<()> {
        let spans = &spans[..spans.len().min(MAX_SPANS)];
        let mut mean = vec![0.0f32; dimensions];
        for span in spans {
            if span.len() != dimensions {
                return Err(VectorError::Dimensions { wanted: dimensions, found: span.len() });
            }
            let factor = 1.0 / length(span);
            mean.iter_mut().zip(span).for_each(|(sum, x)| *sum += x * factor);
            store(span, &mut self.sentences);
        }
        store(&mean, &mut self.passages);
        self.spans.push(spans.len() as u16);
        Ok(())
    }
}

impl Document {
    fn state(&self) -> DocumentState {
        DocumentState {
            stamp: self.stamp,
            fingerprint: self.fingerprint,
            passages: self.rows.len(),
            complete: self.complete,
        }
    }
}

impl State {
    /// Reads the log of a generation and cuts off what is behind its last whole record.
    pub(crate) fn open(dir: &Path, current: &Current) -> Result<Self> {
        let generation = current.generation;
        let open = |name| Growing::open(dir, name, generation);
        let mut state = Self {
            generation,
            rows: Vec::new(),
            documents: Vec::new(),
            by_id: FxHashMap::default(),
            dead: 0,
            sentences: 0,
            passage_file: open("passages")?,
            sentence_file: open("sentences")?,
            log_file: open("log")?,
            graph: None,
        };
        let bytes = std::fs::read(state.log_file.path()).map_err(io(state.log_file.path()))?;
        let stride = (SCALE + current.dimensions) as u64;
        let mut at = 0;
        while let Some((record, length)) = log::decode(&bytes[at..]) {
            let (mut passages, mut sentences) = (state.rows.len() as u64, u64::from(state.sentences));
            if let Record::Put { spans, .. } = &record {
                passages += spans.len() as u64;
                sentences += spans.iter().map(|count| u64::from(*count)).sum::<u64>();
            }
            if passages * stride > state.passage_file.len() || sentences * stride > state.sentence_file.len()
            {
                break;
            }
            state.apply(record);
            at += length;
        }
        if (at as u64) < state.log_file.len() {
            tracing::warn!(path = %state.log_file.path().display(), "an unfinished entry is cut off");
        }
        state.log_file.cut(at as u64)?;
        state.passage_file.cut(state.rows.len() as u64 * stride)?;
        state.sentence_file.cut(u64::from(state.sentences) * stride)?;
        Ok(state)
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Put { document, stamp, fingerprint, complete, spans } => {
                let at = self.place(&document, fingerprint);
                let first_row = self.rows.len() as u32;
                for (offset, spans) in spans.into_iter().enumerate() {
                    let ordinal = self.documents[at as usize].rows.len() as u32;
                    self.rows.push(Row { document: at, ordinal, first: self.sentences, spans });
                    self.sentences += u32::from(spans);
                    self.documents[at as usize].rows.push(first_row + offset as u32);
                }
                let entry = &mut self.documents[at as usize];
                (entry.stamp, entry.complete) = (stamp, complete);
            }
            Record::Remove { document } => self.bury(&document),
            Record::Stamp { document, stamp } => {
                if let Some(at) = self.by_id.get(document.as_str()) {
                    self.documents[*at as usize].stamp = stamp;
                }
            }
        }
    }

    /// Where a document's next passages go: the unfinished one that is there, or a new one.
    fn place(&mut self, id: &str, fingerprint: u64) -> u32 {
        if let Some(at) = self.by_id.get(id) {
            let known = &self.documents[*at as usize];
            if known.fingerprint == fingerprint && !known.complete {
                return *at;
            }
        }
        self.bury(id);
        let id: Arc<str> = Arc::from(id);
        let at = self.documents.len() as u32;
        self.by_id.insert(id.clone(), at);
        let rows = Vec::new();
        self.documents.push(Document { id, stamp: 0, fingerprint, complete: false, alive: true, rows });
        at
    }

    fn bury(&mut self, id: &str) {
        if let Some(at) = self.by_id.remove(id) {
            let document = &mut self.documents[at as usize];
            document.alive = false;
            self.dead += document.rows.len();
            document.rows = Vec::new();
        }
    }
}

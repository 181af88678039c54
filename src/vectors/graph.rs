//! The graph for approximate search (HNSW: Malkov and Yashunin, 2018; the crate `usearch`). It lies in a file that is
//! mapped into memory, holds the rows up to a number, and is written anew when it has fallen too far behind.
#![allow(unsafe_code, reason = "the graph's metric gets plain pointers")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use crate::error::{Result, VectorError};
use crate::files;
use crate::quantise::{Fine, SCALE, byte_cosine};
use crate::store::VectorStore;

/// Neighbours of a row.
const CONNECTIVITY: usize = 24;
/// Candidates while a row is added, and while one is looked for.
const EXPANSION_ADD: usize = 160;
const EXPANSION_SEARCH: usize = 512;
/// Rows added between looks at the stop sign.
const CHUNK: usize = 256;

pub(crate) struct Graph {
    /// One search at a time: each takes about a millisecond.
    index: Mutex<Index>,
    /// Rows it holds, from the first.
    pub rows: usize,
}

/// Beside the graph: what is in it, and the sum by which damage is seen before it is mapped.
#[derive(Serialize, Deserialize)]
struct Info {
    rows: usize,
    crc: u32,
}

fn paths(dir: &Path, generation: u64) -> (PathBuf, PathBuf) {
    (dir.join(format!("graph.{generation}")), dir.join(format!("graph-info.{generation}")))
}

fn failed(error: impl std::fmt::Display) -> VectorError {
    VectorError::Graph(error.to_string())
}

impl Graph {
    /// The graph on the disk, if there is one that is whole and fits.
    pub(crate) fn open(dir: &Path, generation: u64, rows: usize) -> Option<Self> {
        let (path, info) = paths(dir, generation);
        let info: Info = serde_json::from_slice(&std::fs::read(info).ok()?).ok()?;
        if info.rows > rows || checksum(&path).ok()? != info.crc {
            tracing::warn!(path = %path.display(), "the search graph is damaged and is made anew");
            return None;
        }
        let mut index = Index::restore_view(path.to_str()?).ok()?;
        prepare(&mut index);
        Some(Self { index: Mutex::new(index), rows: info.rows })
    }

    /// The nearest rows that `allowed` lets through, in any order.
    pub(crate) fn nearest(
        &self,
        query: &Fine,
        limit: usize,
        allowed: impl Fn(u64) -> bool,
    ) -> Result<Vec<u32>> {
        let found = self.index.lock().filtered_search(&query.coarse(), limit, allowed).map_err(failed)?;
        Ok(found.keys.into_iter().map(|key| key as u32).collect())
    }
}

/// Our own measure: the same cosine as in the exact search, for the processor at hand.
fn prepare(index: &mut Index) {
    let dimensions = index.dimensions();
    index.change_expansion_search(EXPANSION_SEARCH);
    let metric = move |a: *const i8, b: *const i8| -> f32 {
        // SAFETY: the index hands out vectors of its own number of dimensions.
        let (a, b) =
            unsafe { (std::slice::from_raw_parts(a, dimensions), std::slice::from_raw_parts(b, dimensions)) };
        1.0 - byte_cosine(a, b)
    };
    index.change_metric::<i8>(Box::new(metric));
}

fn checksum(path: &Path) -> std::io::Result<u32> {
    use std::io::Read;
    let mut file = std::fs::File::open(path)?;
    let (mut hasher, mut buffer) = (crc32fast::Hasher::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

impl VectorStore {
    /// Brings the graph up to the last row and puts it in force; false when it was told to stop. Searches go on.
    pub(crate) fn build_graph(&self, stop: &AtomicBool) -> Result<bool> {
        let (generation, rows, known) = {
            let state = self.state.read();
            (state.generation, state.rows.len(), state.graph.as_ref().map_or(0, |graph| graph.rows))
        };
        let (path, info) = paths(&self.dir, generation);
        let (mut index, from) = match (known > 0).then(|| path.to_str().map(Index::restore)).flatten() {
            Some(Ok(index)) => (index, known),
            _ => (Index::new(&self.graph_options()).map_err(failed)?, 0),
        };
        prepare(&mut index);
        index.change_expansion_add(EXPANSION_ADD);
        index.reserve(rows).map_err(failed)?;
        for first in (from..rows).step_by(CHUNK) {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            // Copied, so that nobody who writes, and with them who searches, waits for the graph.
            let chunk: Vec<Vec<i8>> = {
                let state = self.state.read();
                let row = |row| state.passage(row as u32)[SCALE..].iter().map(|byte| byte.cast_signed());
                (first..rows.min(first + CHUNK)).map(|at| row(at).collect()).collect()
            };
            for (row, numbers) in (first..).zip(&chunk) {
                index.add(row as u64, numbers).map_err(failed)?;
            }
        }
        let new = self.dir.join(format!("graph-new.{generation}"));
        index.save(new.to_str().unwrap_or_default()).map_err(failed)?;
        drop(index);
        let crc = checksum(&new).map_err(files::io(&new))?;
        let _writing = self.writing.lock();
        std::fs::File::open(&new).and_then(|file| file.sync_all()).map_err(files::io(&new))?;
        std::fs::rename(&new, &path).map_err(files::io(&path))?;
        let text = serde_json::to_vec(&Info { rows, crc }).map_err(failed)?;
        files::replace(&info, &text)?;
        let graph = Graph::open(&self.dir, generation, rows);
        self.state.write().graph = graph;
        Ok(true)
    }

    fn graph_options(&self) -> IndexOptions {
        IndexOptions {
            dimensions: self.dimensions,
            metric: MetricKind::Cos,
            quantization: ScalarKind::I8,
            connectivity: CONNECTIVITY,
            expansion_add: EXPANSION_ADD,
            expansion_search: EXPANSION_SEARCH,
            multi: false,
        }
    }
}

//! Upkeep: files without what was removed, and the graph when there are many passages. For a thread in the background.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Result;
use crate::files::{self, Current, Growing};
use crate::log::{self, Record};
use crate::store::{State, VectorStore};

/// Up to so many passages search compares them all.
pub const EXACT: usize = 100_000;
/// The graph is renewed when so many passages, and this part of all, are not in it.
const BEHIND: usize = 20_000;
const BEHIND_PART: usize = 8;
/// Files are written anew when so many passages, and this part of all, are dead.
const DEAD: usize = 2_000;
const DEAD_PART: usize = 3;
/// Bytes written at once while copying.
const PIECE: usize = 4 << 20;

impl VectorStore {
    /// Does what upkeep is due; `stop` ends it early, without loss.
    pub fn maintain(&self, stop: &AtomicBool) -> Result<()> {
        self.maintain_above(EXACT, stop)
    }

    pub(crate) fn maintain_above(&self, exact: usize, stop: &AtomicBool) -> Result<()> {
        let (rows, dead, graph) = {
            let state = self.state.read();
            (state.rows.len(), state.dead, state.graph.as_ref().map(|graph| graph.rows))
        };
        if dead >= DEAD && dead * DEAD_PART >= rows {
            return self.compact();
        }
        let behind = rows - graph.unwrap_or(0);
        let due = graph.is_none() || (behind >= BEHIND && behind * BEHIND_PART >= rows);
        if rows - dead > exact && due && !stop.load(Ordering::Relaxed) {
            self.build_graph(stop)?;
        }
        Ok(())
    }

    /// Copies what is alive into a new generation.
    pub fn compact(&self) -> Result<()> {
        let _writing = self.writing.lock();
        let old = self.state.read();
        let generation = old.generation + 1;
        let next = Current { generation, ..files::current(&self.dir, self.dimensions)? };
        let mut copy = Copy {
            passages: Growing::open(&self.dir, "passages", generation)?,
            sentences: Growing::open(&self.dir, "sentences", generation)?,
            log: Growing::open(&self.dir, "log", generation)?,
            waiting: [Vec::new(), Vec::new(), Vec::new()],
        };
        // A compaction that did not come to its end may have left some.
        for file in [&mut copy.passages, &mut copy.sentences, &mut copy.log] {
            file.cut(0)?;
        }
        for document in old.documents.iter().filter(|document| document.alive) {
            let mut spans = Vec::with_capacity(document.rows.len());
            for row in &document.rows {
                let place = &old.rows[*row as usize];
                copy.waiting[0].extend_from_slice(old.passage(*row));
                old.spans(place).for_each(|span| copy.waiting[1].extend_from_slice(span));
                spans.push(place.spans);
            }
            copy.waiting[2].extend_from_slice(&log::encode(&Record::Put {
                document: document.id.to_string(),
                stamp: document.stamp,
                fingerprint: document.fingerprint,
                complete: document.complete,
                spans,
            }));
            copy.write(PIECE)?;
        }
        copy.write(0)?;
        drop(copy);
        drop(old);
        let state = State::open(&self.dir, &next)?;
        files::set_current(&self.dir, &next)?;
        *self.state.write() = state;
        files::sweep(&self.dir, generation);
        Ok(())
    }
}

struct Copy {
    passages: Growing,
    sentences: Growing,
    log: Growing,
    waiting: [Vec<u8>; 3],
}

impl Copy {
    /// Writes what waits when it is more than `above` bytes; the log last.
    fn write(&mut self, above: usize) -> Result<()> {
        if self.waiting.iter().map(Vec::len).sum::<usize>() <= above {
            return Ok(());
        }
        self.passages.append(&self.waiting[0])?;
        self.sentences.append(&self.waiting[1])?;
        self.log.append(&self.waiting[2])?;
        self.waiting.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

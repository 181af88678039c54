//! Nearest neighbours of embedding vectors. Owns the vectors of one tenant and one model in a folder: append-only
//! files that a crash cannot spoil, exact search by scanning, and a graph for approximate search when they are many.
//! Knows documents by their ids and passages by their number; makes no vectors itself.

mod compact;
mod error;
mod files;
mod graph;
mod log;
mod nearest;
mod quantise;
mod store;
#[cfg(test)]
mod tests;

pub use error::{Result, VectorError};
pub use nearest::{Neighbour, Query};
pub use store::{DocumentState, MAX_SPANS, Stats, VectorStore};

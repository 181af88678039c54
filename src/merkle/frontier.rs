//! The part of a growing tree that later entries still need: the roots of its complete subtrees, one for each bit of
//! the size (a compact range). At most 64 hashes, so that it fits into one row of a database.

use serde::{Deserialize, Serialize};

use crate::error::{MerkleError, Result};
use crate::hash::Hash;

/// A tree to append to. In serde: `{"size": 3, "hashes": ["…", "…"]}`, the largest subtree first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    size: u64,
    hashes: Vec<Hash>,
}

impl TryFrom<Stored> for Frontier {
    type Error = MerkleError;

    fn try_from(stored: Stored) -> Result<Self> {
        Self::from_parts(stored.size, stored.hashes)
    }
}

impl Frontier {
    /// The tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier from where it was kept; the number of hashes must go with the size.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self> {
        if hashes.len() == size.count_ones() as usize {
            Ok(Self { size, hashes })
        } else {
            Err(MerkleError::Frontier { size, hashes: hashes.len() })
        }
    }

    /// Appends an entry's leaf hash and returns the entry's index, which counts from zero. O(log n), mostly O(1).
    pub fn append(&mut self, leaf: Hash) -> Result<u64> {
        let index = self.size;
        let size = index.checked_add(1).ok_or(MerkleError::Full)?;
        let mut hash = leaf;
        // Each subtree that the new leaf completes has as sibling the smallest one so far.
        for _ in 0..index.trailing_ones() {
            let left = self.hashes.pop().expect("one hash for each bit of the size");
            hash = Hash::node(&left, &hash);
        }
        self.hashes.push(hash);
        self.size = size;
        Ok(index)
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, the largest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Root of the tree so far, RFC 9162 section 2.1.1.
    pub fn root(&self) -> Hash {
        let joined = self.hashes.iter().copied().rev().reduce(|right, left| Hash::node(&left, &right));
        joined.unwrap_or_else(Hash::empty)
    }
}

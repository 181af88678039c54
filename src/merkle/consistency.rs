//! Proofs that a tree is an older one with entries appended, RFC 9162 section 2.1.4.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{MerkleError, Result};
use crate::hash::{Hash, root_of, split};
use crate::inclusion::skip_lone;

/// That the first `older` entries of the tree of `size` entries are those of an older tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// Entries of the older tree.
    pub older: u64,
    /// Entries of the newer tree.
    pub size: u64,
    /// Roots of subtrees from which both trees' roots follow, the lowest first.
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Makes the proof for the tree over these leaf hashes, RFC 9162 section 2.1.4.1. It is empty from no entries, which
    /// every tree continues, and between equal sizes.
    pub fn of(leaves: &[Hash], older: u64) -> Result<Self> {
        Self::with(older, leaves.len() as u64, |range| {
            Ok(root_of(&leaves[range.start as usize..range.end as usize]))
        })
    }

    /// The same for a tree that is not in memory; `subtree` as in [`InclusionProof::with`](crate::InclusionProof::with).
    pub fn with<E: From<MerkleError>>(
        older: u64,
        size: u64,
        subtree: impl FnMut(Range<u64>) -> Result<Hash, E>,
    ) -> Result<Self, E> {
        if older > size {
            return Err(MerkleError::Shrunk { older, size }.into());
        }
        let path = subtrees(older, size).into_iter().map(subtree).collect::<Result<_, E>>()?;
        Ok(Self { older, size, path })
    }

    /// Whether the proof leads to both roots, RFC 9162 section 2.1.4.2. The sizes are not bound by the roots alone:
    /// [`Checkpoint::continues`](crate::Checkpoint::continues) compares them too.
    pub fn verify(&self, older_root: &Hash, root: &Hash) -> Result<()> {
        let (first, rest) = match self.start(older_root)? {
            Some(start) => start,
            None if self.older == 0 => return self.settle(*older_root == Hash::empty()),
            None => return self.settle(older_root == root),
        };
        let (hashes, last) = self.climb(*first, rest)?;
        if last != 0 {
            return Err(self.wrong_length());
        }
        self.settle(hashes == (*older_root, *root))
    }

    /// The hash both trees begin with and those to join with it; none where nothing needs a proof.
    fn start<'a>(&'a self, older_root: &'a Hash) -> Result<Option<(&'a Hash, &'a [Hash])>> {
        if self.older > self.size {
            return Err(MerkleError::Shrunk { older: self.older, size: self.size });
        }
        if self.older == 0 || self.older == self.size {
            return if self.path.is_empty() { Ok(None) } else { Err(self.wrong_length()) };
        }
        let (first, rest) = self.path.split_first().ok_or_else(|| self.wrong_length())?;
        // An older tree that is complete is itself the first hash, so the path leaves it out.
        let complete = self.older.is_power_of_two();
        Ok(Some(if complete { (older_root, &self.path) } else { (first, rest) }))
    }

    /// Both roots that follow, and what is left of the level's last place.
    fn climb(&self, first: Hash, rest: &[Hash]) -> Result<((Hash, Hash), u64)> {
        // The RFC's fn and sn: the places of the node and of the level's last node.
        let (node, last) = (self.older - 1, self.size - 1);
        let levels = node.trailing_ones();
        let (mut node, mut last) = (node >> levels, last >> levels);
        let (mut older, mut newer) = (first, first);
        for hash in rest {
            if last == 0 {
                return Err(self.wrong_length());
            }
            if node & 1 == 1 || node == last {
                older = Hash::node(hash, &older);
                newer = Hash::node(hash, &newer);
                (node, last) = skip_lone(node, last);
            } else {
                newer = Hash::node(&newer, hash);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        Ok(((older, newer), last))
    }

    fn settle(&self, holds: bool) -> Result<()> {
        if holds { Ok(()) } else { Err(MerkleError::NotContinued { older: self.older, size: self.size }) }
    }

    fn wrong_length(&self) -> MerkleError {
        MerkleError::ProofLength { found: self.path.len() }
    }
}

/// PROOF(m, D[n]) as ranges of leaves.
fn subtrees(older: u64, size: u64) -> Vec<Range<u64>> {
    let (mut start, mut end) = (0, size);
    let mut ranges = Vec::new();
    if older == 0 {
        return ranges;
    }
    while older != end {
        let middle = start + split(end - start);
        if older <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    // From the first leaf on it is the whole older tree, whose root the verifier has.
    if start > 0 {
        ranges.push(start..end);
    }
    ranges.reverse();
    ranges
}

//! Proofs that an entry is in a tree, RFC 9162 section 2.1.3.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{MerkleError, Result};
use crate::hash::{Hash, root_of, split};

/// That the tree of `size` entries has a certain entry at `index`, which counts from zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// Where the entry is.
    pub index: u64,
    /// Entries of the tree.
    pub size: u64,
    /// Roots of the subtrees beside the way from the leaf up to the root, the lowest first.
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Makes the proof for the tree over these leaf hashes, RFC 9162 section 2.1.3.1.
    pub fn of(leaves: &[Hash], index: u64) -> Result<Self> {
        Self::with(index, leaves.len() as u64, |range| {
            Ok(root_of(&leaves[range.start as usize..range.end as usize]))
        })
    }

    /// The same for a tree that is not in memory. `subtree` gives the root over a range of entries as if it were a tree
    /// of its own: a [`Frontier`](crate::Frontier) that all leaf hashes of the range went through has it.
    pub fn with<E: From<MerkleError>>(
        index: u64,
        size: u64,
        subtree: impl FnMut(Range<u64>) -> Result<Hash, E>,
    ) -> Result<Self, E> {
        if index >= size {
            return Err(MerkleError::NoSuchEntry { index, size }.into());
        }
        let path = siblings(index, size).into_iter().map(subtree).collect::<Result<_, E>>()?;
        Ok(Self { index, size, path })
    }

    /// Whether the proof leads from the entry's leaf hash to this root, RFC 9162 section 2.1.3.2. The size is not bound
    /// by the root alone: [`Checkpoint::includes`](crate::Checkpoint::includes) compares it too.
    pub fn verify(&self, leaf: &Hash, root: &Hash) -> Result<()> {
        if self.index >= self.size {
            return Err(MerkleError::NoSuchEntry { index: self.index, size: self.size });
        }
        // The RFC's fn and sn: the places of the node and of the level's last node.
        let (mut node, mut last) = (self.index, self.size - 1);
        let mut hash = *leaf;
        for sibling in &self.path {
            if last == 0 {
                return Err(MerkleError::ProofLength { found: self.path.len() });
            }
            if node & 1 == 1 || node == last {
                hash = Hash::node(sibling, &hash);
                (node, last) = skip_lone(node, last);
            } else {
                hash = Hash::node(&hash, sibling);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        match (last, hash == *root) {
            (0, true) => Ok(()),
            (0, false) => Err(MerkleError::NotIncluded { index: self.index, size: self.size }),
            _ => Err(MerkleError::ProofLength { found: self.path.len() }),
        }
    }
}

/// Goes up past the levels where the node has no sibling, as it ends a tree that is not complete there.
pub(crate) fn skip_lone(node: u64, last: u64) -> (u64, u64) {
    // All bits of zero are zeros: this is the root's level then, and there is nothing more to go up.
    let levels = if node == 0 { 0 } else { node.trailing_zeros() };
    (node >> levels, last >> levels)
}

/// PATH(m, D[n]) as ranges of leaves.
fn siblings(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut start, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    ranges
}

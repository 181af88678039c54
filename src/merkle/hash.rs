//! Hashes of the tree, RFC 9162 section 2.1.1 (the same as RFC 6962 section 2.1), and the tree's plain definition.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{MerkleError, Result};

/// Before the bytes of an entry and before two hashes: so that no entry can pass for a node.
const LEAF: [u8; 1] = [0];
const NODE: [u8; 1] = [1];

/// A SHA-256 hash of the tree. As text and in serde it is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash([u8; Hash::LENGTH]);

impl Hash {
    /// Bytes of a hash.
    pub const LENGTH: usize = 32;

    /// Root of the tree without entries, RFC 9162 section 2.1.1.
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// Hash of an entry's exact bytes, RFC 9162 section 2.1.1.
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update(LEAF).chain_update(entry).finalize().into())
    }

    /// Hash of a node over its two subtrees, RFC 9162 section 2.1.1.
    pub fn node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update(NODE).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// A hash from its bytes.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// As in a checkpoint: base 64 with padding, RFC 4648 section 4.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Back from `to_base64`; nothing but the one right spelling.
    pub fn from_base64(text: &str) -> Result<Self> {
        // Longer text is not even decoded.
        let bytes = if text.len() == 44 { STANDARD.decode(text).ok() } else { None };
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(MerkleError::Hash)
    }
}

impl FromStr for Hash {
    type Err = MerkleError;

    fn from_str(text: &str) -> Result<Self> {
        let mut bytes = [0; Self::LENGTH];
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lower => Ok(Self(bytes)),
            _ => Err(MerkleError::Hash),
        }
    }
}

impl TryFrom<String> for Hash {
    type Error = MerkleError;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hex::encode(hash.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Root of the tree over these leaf hashes by its plain definition, RFC 9162 section 2.1.1.
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            Hash::node(&root_of(left), &root_of(right))
        }
    }
}

/// Leaves of the left subtree: the largest power of two smaller than `size`, which is at least two.
pub(crate) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

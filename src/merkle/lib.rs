//! What makes an append-only log tamper-evident: the Merkle tree of RFC 6962 and RFC 9162 over the entries, proofs that
//! an entry is in a tree and that one tree continues another, and checkpoints signed in the text format of
//! c2sp.org/tlog-checkpoint. Pure computation: it stores nothing, knows no time and asks no one; what the bytes of an
//! entry are is the caller's matter.

mod checkpoint;
mod consistency;
mod error;
mod export;
mod frontier;
mod hash;
mod inclusion;
mod key;
mod note;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_export;
#[cfg(test)]
mod tests_note;

pub use checkpoint::{Checkpoint, Trust};
pub use consistency::ConsistencyProof;
pub use error::{MerkleError, Result};
pub use export::{ExportVerifier, verify_export};
pub use frontier::Frontier;
pub use hash::{Hash, root_of};
pub use inclusion::InclusionProof;
pub use key::{SigningKey, VerifierKey};
pub use note::{MAX_NOTE, MAX_SIGNATURES, NoteSignature, SignedNote};

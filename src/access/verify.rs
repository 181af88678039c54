//! Verifies an exported record without the appliance: every entry against the signed checkpoint, and the older
//! checkpoints on the way.

use std::io::BufRead;

use lectern_merkle::{Checkpoint, ExportVerifier, Hash, MerkleError, Trust, VerifierKey};
use serde::{Deserialize, Serialize};

/// First line of an export; each further line is an entry, or the leaf of one that had to be forgotten.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportHead {
    /// Version of the format, 1.
    pub lectern_audit: u32,
    /// Whose checkpoints they are.
    pub origin: String,
    /// The public key, `name+id+base64`.
    pub key: String,
    /// The signed checkpoint that the entries end with.
    pub checkpoint: String,
    /// Earlier ones.
    pub older: Vec<String>,
}

/// A line that stands for a forgotten entry.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Gone {
    pub sequence: u64,
    pub forgotten: bool,
    pub leaf: String,
}

/// What is wrong with an export.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("the file is no exported record: its first line is not what it should be")]
    Head,
    #[error("the file was written by a newer version")]
    Version,
    #[error("the key in the file is not the one that you trust")]
    OtherKey,
    #[error("line {0} stands for a forgotten entry but has no hash")]
    Leaf(u64),
    #[error(transparent)]
    Merkle(#[from] MerkleError),
}

/// What was verified.
#[derive(Debug)]
pub struct Verified {
    pub checkpoint: Checkpoint,
    /// Entries of which only the proof is left.
    pub forgotten: u64,
    /// The key that signed.
    pub key: String,
}

/// Reads and verifies an export; `trusted` is a key that is known from elsewhere, without which the file's own is
/// believed.
pub fn verify(input: impl BufRead, trusted: Option<&str>) -> Result<Verified, VerifyError> {
    let mut lines = input.lines();
    let first = lines.next().ok_or(VerifyError::Head)??;
    let head: ExportHead = serde_json::from_str(&first).map_err(|_| VerifyError::Head)?;
    if head.lectern_audit != 1 {
        return Err(VerifyError::Version);
    }
    if trusted.is_some_and(|trusted| trusted.trim() != head.key) {
        return Err(VerifyError::OtherKey);
    }
    let key: VerifierKey = head.key.parse()?;
    let older: Vec<&[u8]> = head.older.iter().map(String::as_bytes).collect();
    let trust = Trust::new(head.origin.clone(), vec![key]);
    let mut verifier = ExportVerifier::open(&trust, head.checkpoint.as_bytes(), &older)?;
    let mut forgotten = 0;
    for (number, line) in lines.enumerate() {
        let line = line?;
        match serde_json::from_str::<Gone>(&line) {
            Ok(gone) if gone.forgotten => {
                let leaf: Hash = gone.leaf.parse().map_err(|_| VerifyError::Leaf(number as u64 + 2))?;
                forgotten += 1;
                verifier.leaf(leaf);
            }
            _ => verifier.entry(line.as_bytes()),
        }
    }
    Ok(Verified { checkpoint: verifier.finish()?, forgotten, key: head.key })
}

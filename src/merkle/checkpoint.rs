//! Checkpoints, c2sp.org/tlog-checkpoint: what a log says of itself at a size, signed as a note.

use crate::consistency::ConsistencyProof;
use crate::error::{MerkleError, Result};
use crate::hash::Hash;
use crate::inclusion::InclusionProof;
use crate::key::{SigningKey, VerifierKey};
use crate::note::SignedNote;

/// Size and root of a log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint of the log named by `origin`, one line of text.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self> {
        if !is_line(origin) {
            return Err(MerkleError::Checkpoint("its origin is not one line of text"));
        }
        if size == 0 && root != Hash::empty() {
            return Err(MerkleError::Checkpoint(
                "it has no entries and yet another root than the empty tree",
            ));
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Adds an extension line: one line of text, opaque to the tree. The format advises against them.
    pub fn with_extension(mut self, line: &str) -> Result<Self> {
        if !is_line(line) {
            return Err(MerkleError::Checkpoint("an extension is not one line of text"));
        }
        self.extensions.push(line.to_owned());
        Ok(self)
    }

    /// Reads a note's text (c2sp.org/tlog-checkpoint, "Note text"), strictly: only one spelling for each checkpoint.
    pub fn from_text(text: &str) -> Result<Self> {
        let refuse = MerkleError::Checkpoint;
        let lines = text.strip_suffix('\n').ok_or(refuse("its last line does not end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(refuse("it has less than three lines"));
        };
        let size = read_size(size).ok_or(refuse("its second line is not a size"))?;
        let root = Hash::from_base64(root).map_err(|_| refuse("its third line is not a root"))?;
        lines.try_fold(Self::new(origin, size, root)?, Self::with_extension)
    }

    /// The text that is signed.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64());
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Signs it. Never sign one that does not continue all that the key has signed for this origin before.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedNote> {
        SignedNote::sign(self.to_text(), key)
    }

    /// Whether the proof shows that this tree has the entry with this leaf hash, at the proof's index.
    pub fn includes(&self, leaf: &Hash, proof: &InclusionProof) -> Result<()> {
        self.check_size(proof.size)?;
        proof.verify(leaf, &self.root)
    }

    /// Whether the proof shows that this tree is an older one of the same log with entries appended.
    pub fn continues(&self, older: &Self, proof: &ConsistencyProof) -> Result<()> {
        if self.origin != older.origin {
            return Err(MerkleError::WrongOrigin {
                wanted: self.origin.clone(),
                found: older.origin.clone(),
            });
        }
        older.check_size(proof.older)?;
        self.check_size(proof.size)?;
        proof.verify(&older.root, &self.root)
    }

    fn check_size(&self, found: u64) -> Result<()> {
        if found == self.size { Ok(()) } else { Err(MerkleError::ProofSize { wanted: self.size, found }) }
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Entries of the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The extension lines.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

/// What a reader of checkpoints believes from the start: the log's name and the keys that may speak for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    origin: String,
    keys: Vec<VerifierKey>,
}

impl Trust {
    /// Any of the keys is enough, so that earlier ones can stay after a change.
    pub fn new(origin: impl Into<String>, keys: Vec<VerifierKey>) -> Self {
        Self { origin: origin.into(), keys }
    }

    /// Reads a signed checkpoint and verifies signature and origin. What is in it shows only after that.
    pub fn open(&self, note: &[u8]) -> Result<Checkpoint> {
        let note = SignedNote::parse(note)?;
        note.verify(&self.keys)?;
        let checkpoint = Checkpoint::from_text(note.text())?;
        if checkpoint.origin == self.origin {
            Ok(checkpoint)
        } else {
            Err(MerkleError::WrongOrigin { wanted: self.origin.clone(), found: checkpoint.origin })
        }
    }
}

/// A log that is named like its key, as the format advises.
impl From<VerifierKey> for Trust {
    fn from(key: VerifierKey) -> Self {
        Self { origin: key.name().to_owned(), keys: vec![key] }
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|b| b < b' ')
}

/// Decimal digits without a sign and without zeros in front.
fn read_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

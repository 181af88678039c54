//! Verifies an export of a log without the log: all entries against a signed checkpoint, and against older ones.

use crate::checkpoint::{Checkpoint, Trust};
use crate::error::{MerkleError, Result};
use crate::frontier::Frontier;
use crate::hash::Hash;

/// Takes entry by entry; memory does not grow with them.
#[derive(Debug)]
pub struct ExportVerifier {
    checkpoint: Checkpoint,
    /// The checkpoints whose size has not been reached or whose root was not met, the next one last.
    ahead: Vec<Checkpoint>,
    tree: Frontier,
    found: u64,
    intact: u64,
}

impl ExportVerifier {
    /// Opens the signed checkpoint of the export, and older ones that the export has to continue. The more there are,
    /// the nearer is told where entries were changed.
    pub fn open(trust: &Trust, note: &[u8], older: &[&[u8]]) -> Result<Self> {
        let checkpoint = trust.open(note)?;
        let mut ahead = vec![checkpoint.clone()];
        for (at, note) in older.iter().enumerate() {
            let blame = |source| MerkleError::Older { number: at + 1, source: Box::new(source) };
            let opened = trust.open(note).map_err(blame)?;
            let (older, size) = (opened.size(), checkpoint.size());
            if older > size {
                return Err(blame(MerkleError::Shrunk { older, size }));
            }
            ahead.push(opened);
        }
        ahead.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size()));
        let fork =
            ahead.windows(2).find(|two| two[0].size() == two[1].size() && two[0].root() != two[1].root());
        if let Some(two) = fork {
            return Err(MerkleError::Forked { size: two[0].size() });
        }
        let mut verifier = Self { checkpoint, ahead, tree: Frontier::new(), found: 0, intact: 0 };
        verifier.compare();
        Ok(verifier)
    }

    /// The next entry's exact bytes, without the end of its line.
    pub fn entry(&mut self, bytes: &[u8]) {
        self.leaf(Hash::leaf(bytes));
    }

    /// The next entry's leaf hash, when what it said had to be forgotten: that something stood here is proven, and no
    /// more.
    pub fn leaf(&mut self, hash: Hash) {
        self.found = self.found.saturating_add(1);
        // Those past the checkpoint are only counted.
        if self.tree.size() < self.checkpoint.size() && self.tree.append(hash).is_ok() {
            self.compare();
        }
    }

    /// After the last entry: the checkpoint that all of them fulfil, or what is wrong.
    pub fn finish(self) -> Result<Checkpoint> {
        let (wanted, found, intact) = (self.checkpoint.size(), self.found, self.intact);
        if found != wanted {
            return Err(MerkleError::WrongSize { wanted, found, intact });
        }
        match self.ahead.last() {
            Some(missed) => Err(MerkleError::WrongRoot { size: missed.size(), intact }),
            None => Ok(self.checkpoint),
        }
    }

    /// Strikes off the checkpoints that are fulfilled here. One that is not stays, and so do all after it.
    fn compare(&mut self) {
        while let Some(next) = self.ahead.last()
            && next.size() == self.tree.size()
            && next.root() == self.tree.root()
        {
            self.intact = next.size();
            self.ahead.pop();
        }
    }
}

/// Verifies a whole export: `entries` are the exact bytes of each, as lines without their ends.
pub fn verify_export<T: AsRef<[u8]>>(
    entries: impl IntoIterator<Item = T>,
    trust: &Trust,
    note: &[u8],
    older: &[&[u8]],
) -> Result<Checkpoint> {
    let mut verifier = ExportVerifier::open(trust, note, older)?;
    for entry in entries {
        verifier.entry(entry.as_ref());
    }
    verifier.finish()
}

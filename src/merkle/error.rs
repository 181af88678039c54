//! What can be wrong with a tree, a proof, a key, a checkpoint or an export.

/// What this crate's functions give.
pub type Result<T, E = MerkleError> = std::result::Result<T, E>;

/// Why something does not hold or cannot be read. Never carries a secret, nor text that no trusted key has signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The text form of a hash.
    #[error("this is not a SHA-256 hash")]
    Hash,
    /// A frontier's parts do not go together.
    #[error("a frontier of {size} entries cannot have {hashes} hashes")]
    Frontier { size: u64, hashes: usize },
    /// No number is left for another entry.
    #[error("the tree is full")]
    Full,
    /// The index is not below the size.
    #[error("entry {index}, counted from zero, is not in a tree of {size} entries")]
    NoSuchEntry { index: u64, size: u64 },
    /// A tree never loses entries.
    #[error("the older tree has {older} entries, more than the newer one with {size}")]
    Shrunk { older: u64, size: u64 },
    /// The path is too short or too long for the sizes.
    #[error("a proof between these sizes does not have {found} hashes")]
    ProofLength { found: usize },
    /// The proof is not for the checkpoint it is held against.
    #[error("the proof is for {found} entries and the checkpoint for {wanted}")]
    ProofSize { wanted: u64, found: u64 },
    /// The path leads to another root.
    #[error("the entry is not the one at {index}, counted from zero, of this tree of {size} entries")]
    NotIncluded { index: u64, size: u64 },
    /// The path leads to other roots.
    #[error("this tree of {size} entries does not continue that one of {older} entries")]
    NotContinued { older: u64, size: u64 },
    /// The name of a key.
    #[error("a key's name has 1 to 255 bytes, no space, no '+' and no control character")]
    KeyName,
    /// The text form of a key.
    #[error("this is not a {kind} key: {reason}")]
    Key { kind: &'static str, reason: &'static str },
    /// The operating system has no random bytes.
    #[error("no random numbers for a key: {0}")]
    Random(String),
    /// Not a signed note. Line numbers count from one.
    #[error("this is not a signed note: {reason}{}", line.map(|n| format!(" (line {n})")).unwrap_or_default())]
    Note { line: Option<usize>, reason: &'static str },
    /// A note's text is not a checkpoint.
    #[error("the note is not a checkpoint: {0}")]
    Checkpoint(&'static str),
    /// None of the signatures is from a key that is trusted.
    #[error("no key that is trusted here has signed the checkpoint")]
    UnknownSigner,
    /// A signature claims a trusted key and is not by it.
    #[error("the checkpoint was changed: the signature of '{name}' does not belong to this text")]
    BadSignature { name: String },
    /// A trusted key signed for another log.
    #[error("the checkpoint is of the log {found:?} and not of {wanted:?}")]
    WrongOrigin { wanted: String, found: String },
    /// Something about an older checkpoint; they are counted from one.
    #[error("older checkpoint {number}: {source}")]
    Older { number: usize, source: Box<MerkleError> },
    /// Two signed checkpoints contradict each other.
    #[error("two checkpoints of {size} entries have been signed with different roots")]
    Forked { size: u64 },
    /// An export has too few or too many entries.
    #[error("the export has {found} entries and not the {wanted} that were signed; {}", as_signed(*.intact))]
    WrongSize { wanted: u64, found: u64, intact: u64 },
    /// The entries up to `size` are not those that were signed.
    #[error("the first {size} entries of the export are not those that were signed; {}", as_signed(*.intact))]
    WrongRoot { size: u64, intact: u64 },
}

fn as_signed(entries: u64) -> String {
    match entries {
        0 => "nothing tells since when".to_owned(),
        1 => "the first one is as it was signed".to_owned(),
        _ => format!("the first {entries} are as they were signed"),
    }
}

impl MerkleError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Hash => "A hash is written as 64 lower-case hex digits, in a checkpoint as base 64.",
            Self::Frontier { .. } => "The stored state is damaged; make it again from all entries.",
            Self::Full => "Begin a new tree.",
            Self::NoSuchEntry { .. } => "Ask for an entry below the size, or with a newer checkpoint.",
            Self::Shrunk { .. } => {
                "If both checkpoints are of the same log, entries were removed; otherwise give the older one first."
            }
            Self::ProofLength { .. } | Self::ProofSize { .. } => {
                "Fetch the proof again, for exactly the sizes of the checkpoints."
            }
            Self::NotIncluded { .. } => {
                "Compare with the entry's exact bytes and with the checkpoint of the proof's size; if both are \
                 right, the entry was changed."
            }
            Self::NotContinued { .. } => {
                "Take each root from the checkpoint of its size; if both are right, older entries were changed."
            }
            Self::KeyName => "Use a short name such as 'example.org/log'.",
            Self::Key { .. } => "Copy the key's whole line, as it was shown when the key was made.",
            Self::Random(_) => "Look into the system's log; a moment after its start this can pass.",
            Self::Note { .. } => {
                "Take the file as it was saved: plain text, with its last line's end, unchanged."
            }
            Self::Checkpoint(_) => "Take the file that was saved as a checkpoint of this log.",
            Self::UnknownSigner => {
                "Give the verifier key of the log; after a change of keys, the earlier one too."
            }
            Self::BadSignature { .. } => "Do not trust this copy; take the checkpoint from another place.",
            Self::WrongOrigin { .. } => "Give the checkpoint of the log that the entries come from.",
            Self::Older { source, .. } => source.hint(),
            Self::Forked { .. } => "Keep both checkpoints: they prove that the log showed two histories.",
            Self::WrongSize { .. } => {
                "Export again with the checkpoint; if it stays, entries were added or removed."
            }
            Self::WrongRoot { .. } => {
                "Export again; if it stays, an entry was changed, moved, added or removed. More older checkpoints \
                 tell nearer where."
            }
        }
    }
}

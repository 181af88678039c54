//! What can be wrong with a key, a passphrase, a sealed value or an archive.

use std::io;
use std::path::{Path, PathBuf};

/// What this crate's functions give.
pub type Result<T, E = SealError> = std::result::Result<T, E>;

/// Why something does not open or cannot be sealed. Never carries a key, a passphrase or what was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The operating system refused.
    #[error("{doing} '{path}' failed: {source}")]
    Io { doing: &'static str, path: String, source: io::Error },
    /// The operating system has no random bytes.
    #[error("no random numbers for a key: {0}")]
    Random(String),
    /// A key file that must be there is not.
    #[error("there is no key file '{}'", .0.display())]
    Missing(PathBuf),
    /// A key file is never written over.
    #[error("there is already a key file '{}'", .0.display())]
    Exists(PathBuf),
    /// A key file cannot be read as one.
    #[error("the key file '{}' is damaged: {reason}", path.display())]
    KeyFile { path: PathBuf, reason: &'static str },
    /// A key file that others can read or change.
    #[error("the key file '{}' is open to other users (mode {mode:04o})", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    /// Too short to withstand guessing.
    #[error("the passphrase has fewer than {least} characters")]
    ShortPassphrase { least: usize },
    /// Longer than any passphrase is.
    #[error("the passphrase has more than {most} bytes")]
    LongPassphrase { most: usize },
    /// The passphrase is not the one the key was made with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The key derivation could not run.
    #[error("no key could be made of the passphrase: {0}")]
    Derivation(String),
    /// A text form that cannot be read.
    #[error("this is not a {kind}: {reason}")]
    Text { kind: &'static str, reason: &'static str },
    /// A tenant's key, wrapped with another appliance's key. Ids are no secrets.
    #[error("the tenant's key was wrapped with the appliance key {wanted}, and this is {found}")]
    OtherApplianceKey { wanted: String, found: String },
    /// The cipher's check failed.
    #[error("the {kind} does not open: it was changed, or it belongs to another tenant, place or key")]
    Refused { kind: &'static str },
    /// A value that is no setting any more.
    #[error("a value of {found} bytes is too long to be sealed; the most is {most}")]
    LongValue { found: usize, most: usize },
    /// Not an archive, or its beginning is damaged.
    #[error("this is not an archive of Lectern: {0}")]
    NotAnArchive(&'static str),
    /// Made by a program that this one does not know.
    #[error("the archive has the format version {0}, which this program does not know")]
    ArchiveVersion(u16),
    /// A header that does not fit.
    #[error("an archive's header may have {most} bytes and not {found}")]
    LongHeader { found: usize, most: usize },
    /// The archive was not made with this key.
    #[error("the archive was sealed with another key than tenant key {found}")]
    OtherTenantKey { found: String },
    /// A part does not pass the cipher's check. Parts count from one.
    #[error("the archive is damaged or cut off in part {part}, {at} bytes from its beginning")]
    Damaged { part: u64, at: u64 },
    /// What is there is right, but there must be more.
    #[error("the archive is cut off after {at} bytes")]
    Truncated { at: u64 },
    /// Something follows the last part.
    #[error("something was appended to the archive, after its first {at} bytes")]
    Appended { at: u64 },
    /// Sealed with the right key and still not as the format says.
    #[error("the archive's content is not as it has to be: {0}")]
    Content(&'static str),
    /// A path that an archive must not hold.
    #[error("the path {path:?} cannot be in an archive: {reason}")]
    Path { path: String, reason: &'static str },
    /// A file's bytes do not have the checksum that was stored with them.
    #[error("the file {path:?} in the archive does not have its checksum")]
    Checksum { path: String },
    /// A source that gave less or more than was announced.
    #[error("{path:?} has not the {size} bytes that it had when it was begun")]
    Changed { path: String, size: u64 },
    /// Only plain files go into an archive.
    #[error("'{}' is not a plain file", .0.display())]
    NotAFile(PathBuf),
    /// An earlier failure left half an entry behind.
    #[error("the archive cannot go on after an entry that failed")]
    Broken,
    /// Unpacking would go beyond what the caller allows.
    #[error("the archive has more than {most} {what}")]
    Limit { what: &'static str, most: u64 },
    /// Archives are unpacked into a folder of their own.
    #[error("there is already something at '{}'", .0.display())]
    Occupied(PathBuf),
}

impl SealError {
    /// To put behind `map_err`: what was being done to which file.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { doing, path, source }
    }

    /// The same for the archive's own stream, which has no name here.
    pub(crate) fn stream(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: "the archive".to_owned(), source }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Look at the file's owner and permissions, and at the free space of its disk.",
            Self::Random(_) => "Look into the system's log; a moment after its start this can pass.",
            Self::Missing(_) => {
                "Bring the key file back from where it was kept safe. A new key would open nothing that is there."
            }
            Self::Exists(_) => "Use the key that is there, or give another path.",
            Self::KeyFile { .. } => {
                "Bring the key file back from where it was kept safe. No new key is made in its place: it would \
                 open nothing that is there."
            }
            Self::Exposed { .. } => {
                "Run chmod 600 on it; if others may have read it, wrap the tenants' keys with a new one."
            }
            Self::ShortPassphrase { .. } => "Take several words that do not belong together.",
            Self::LongPassphrase { .. } => "Take a shorter one; some words are enough.",
            Self::WrongPassphrase => {
                "Enter it again, with an eye on the keyboard's layout and capital letters."
            }
            Self::Derivation(_) => "It needs up to 256 MiB of memory for a moment; free some.",
            Self::Text { .. } => "Copy the whole text, as it was made.",
            Self::OtherApplianceKey { .. } => {
                "Start with the key file or passphrase with which this data was made."
            }
            Self::Refused { .. } => "Bring it back from a backup, or set the value again.",
            Self::LongValue { .. } => "Keep large content in a file.",
            Self::NotAnArchive(_) => "Give the whole file as it was saved; copying it as text damages it.",
            Self::ArchiveVersion(_) => "Open it with the version of Lectern that made it, or a newer one.",
            Self::LongHeader { .. } => "Put less into the header; content belongs into entries.",
            Self::OtherTenantKey { .. } => "Use the key that the archive's header names.",
            Self::Damaged { .. } | Self::Truncated { .. } => {
                "Take another copy of the archive, or copy it again from where it was made."
            }
            Self::Appended { .. } => "Do not trust this copy; take another one.",
            Self::Content(_) | Self::Checksum { .. } => {
                "Make the archive again. Nothing of this one was kept."
            }
            Self::Path { .. } => "Use a short relative path of plain names with '/' between them.",
            Self::Changed { .. } => "Archive a copy that nothing writes to, or try again.",
            Self::NotAFile(_) => "Leave out links, folders and devices.",
            Self::Broken => "Look at the first error; then begin again with the whole archive.",
            Self::Limit { .. } => "Raise the limit if you trust the archive, or put less into it.",
            Self::Occupied(_) => "Name a folder that does not exist yet.",
        }
    }
}

impl From<SealError> for io::Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Io { source, .. } => source,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

//! Sealing: keys, values that open only in the place they were made for, and encrypted archives. It stores nothing but
//! key files, knows no time and logs nothing.
//!
//! | what | how |
//! | --- | --- |
//! | [`ApplianceKey`] | 32 random bytes in a private file, or Argon2id (RFC 9106) of a passphrase; wraps tenant keys |
//! | [`TenantKey`] | 32 random bytes, kept only wrapped, by the appliance's key or by a passphrase |
//! | sealed value | XChaCha20-Poly1305 with a random nonce, bound to tenant and field |
//! | archive | ChaCha20-Poly1305 in the STREAM construction, under a key of its own |
//!
//! No key is used for two purposes: each use has its own key by HKDF-SHA256 (RFC 5869) with its own label. To wrap a
//! tenant's key anew, after a change of the appliance's key, unwrap it with the old one and wrap it with the new one;
//! sealed values and archives stay as they are.
//!
//! # What destroying a key means
//!
//! A tenant's key exists only in wrapped form, and in memory while it is in use. Whoever deletes every wrapped form
//! destroys what was sealed under it, wherever copies of that lie: sealed values, and archives whose header holds
//! nothing else than what was deleted, become unreadable for everyone, the appliance's owner included. Three things
//! survive such a deletion, so a caller that promises it has to think of them:
//!
//! - a wrapped form inside an archive's header: with the appliance's key (or with the passphrase, for
//!   [`TenantKey::wrap_with_passphrase`]) it opens that archive as long as the archive lasts. Archives that shall die
//!   with the tenant must name the key in their header (say, by [`TenantKey::id`]) and not carry it;
//! - copies of the database or file that the wrapped form was in: old backups, snapshots, free pages of a disk;
//! - files that were never sealed, such as an archive's unpacked folder.
//!
//! Deleting the appliance's key file, or forgetting its passphrase, does the same for all tenants at once, except for
//! keys that are also wrapped with a passphrase of their own.

mod appliance;
mod archive_entry;
mod archive_extract;
mod archive_head;
mod archive_reader;
mod archive_stream;
mod archive_writer;
mod error;
mod passphrase;
mod private_file;
mod secret;
mod tenant;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_archive;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_known;
#[cfg(test)]
mod tests_values;
mod text;

pub use appliance::ApplianceKey;
pub use archive_entry::{MAX_ENTRIES, MAX_PATH, Summary};
pub use archive_extract::Limits;
pub use archive_head::MAX_HEADER;
pub use archive_reader::{ArchiveReader, Entries, Entry};
pub use archive_writer::ArchiveWriter;
pub use error::{Result, SealError};
pub use secret::MAX_VALUE;
pub use tenant::TenantKey;

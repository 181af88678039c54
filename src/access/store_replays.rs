//! SQL of requests with an `Idempotency-Key`.

use lectern_kernel::Timestamp;
use lectern_store::{StoreError, Tx, params};

type Result<T> = std::result::Result<T, StoreError>;

/// A request that was begun.
pub(crate) struct Replay {
    pub fingerprint: String,
    /// Its answer; absent while it runs, and for ever when it broke off.
    pub sealed: Option<String>,
}

pub(crate) fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Replay>> {
    tx.query_one("SELECT fingerprint, sealed FROM replays WHERE name = $1", params![name], |row| {
        Ok(Replay { fingerprint: row.get("fingerprint")?, sealed: row.get("sealed")? })
    })
}

pub(crate) fn insert(tx: &Tx<'_>, name: &str, fingerprint: &str) -> Result<usize> {
    tx.execute(
        "INSERT INTO replays (name, fingerprint, created_at) VALUES ($1, $2, $3)",
        params![name, fingerprint, tx.now()],
    )
}

pub(crate) fn keep(tx: &Tx<'_>, name: &str, sealed: &str) -> Result<usize> {
    tx.execute("UPDATE replays SET sealed = $2 WHERE name = $1", params![name, sealed])
}

pub(crate) fn remove(tx: &Tx<'_>, name: &str) -> Result<usize> {
    tx.execute("DELETE FROM replays WHERE name = $1", params![name])
}

pub(crate) fn trim(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    tx.execute("DELETE FROM replays WHERE created_at < $1", params![before])
}

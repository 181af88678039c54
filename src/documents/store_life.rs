//! SQL about a tenant as a whole: what it holds, and whether work is left.

use lectern_kernel::ports::Holdings;
use lectern_store::{JobState, StoreError, Tx, params, queue};

/// Jobs that are not done.
pub(crate) fn pending(tx: &Tx<'_>) -> Result<u64, StoreError> {
    Ok(queue::count(tx, JobState::Queued)? + queue::count(tx, JobState::Running)?)
}

/// Jobs that wait for their time.
pub(crate) fn waiting(tx: &Tx<'_>) -> Result<u64, StoreError> {
    queue::count(tx, JobState::Queued)
}

pub(crate) fn holdings(tx: &Tx<'_>) -> Result<Holdings, StoreError> {
    let held = tx.query_one(
        "SELECT count(*) AS documents, coalesce(sum(size_bytes), 0) AS bytes FROM documents",
        params![],
        |row| Ok(Holdings { documents: row.get("documents")?, bytes: row.get("bytes")? }),
    )?;
    Ok(held.unwrap_or_default())
}

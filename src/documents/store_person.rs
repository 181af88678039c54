//! SQL of what people added and are named in, and of documents that are kept too long.

use lectern_kernel::{DocumentId, Timestamp, UserId};
use lectern_store::{StoreError, Tx, params};

use crate::{DocumentView, store};

type Result<T> = std::result::Result<T, StoreError>;

/// Documents that a person added, the oldest first, with the name of their original.
pub(crate) fn added_by(tx: &Tx<'_>, user: &UserId) -> Result<Vec<(DocumentView, String)>> {
    let rows = tx.query(
        "SELECT id, content FROM documents WHERE created_by = $1 ORDER BY id",
        params![user],
        |row| Ok((row.get::<DocumentId>("id")?, row.get::<String>("content")?)),
    )?;
    let mut found = Vec::with_capacity(rows.len());
    for (id, content) in rows {
        if let Some(view) = store::by_id(tx, &id)? {
            found.push((view, content));
        }
    }
    Ok(found)
}

/// Documents whose own lists name a person.
pub(crate) fn listed_in(tx: &Tx<'_>, user: &UserId) -> Result<Vec<DocumentId>> {
    tx.query("SELECT document_id FROM document_access WHERE subject = $1", params![user], |row| {
        row.get("document_id")
    })
}

/// Collections whose lists name a person.
pub(crate) fn collections_of(tx: &Tx<'_>, user: &UserId) -> Result<Vec<String>> {
    tx.query("SELECT collection FROM collection_access WHERE subject = $1", params![user], |row| {
        row.get("collection")
    })
}

/// Takes a person out of all lists.
pub(crate) fn unlist(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    let documents = tx.execute("DELETE FROM document_access WHERE subject = $1", params![user])?;
    Ok(documents + tx.execute("DELETE FROM collection_access WHERE subject = $1", params![user])?)
}

/// What the person added is nobody's.
pub(crate) fn disown(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("UPDATE documents SET created_by = NULL WHERE created_by = $1", params![user])
}

/// Documents of a collection, or of none when it is empty, that were added before a time, the oldest first.
pub(crate) fn older(tx: &Tx<'_>, collection: &str, before: Timestamp, most: u32) -> Result<Vec<DocumentId>> {
    tx.query(
        "SELECT id FROM documents WHERE coalesce(collection, '') = $1 AND created_at < $2
         ORDER BY created_at LIMIT $3",
        params![collection, before, most],
        |row| row.get("id"),
    )
}

pub(crate) fn count_older(tx: &Tx<'_>, collection: &str, before: Timestamp) -> Result<usize> {
    let count = tx.scalar::<u64>(
        "SELECT count(*) FROM documents WHERE coalesce(collection, '') = $1 AND created_at < $2",
        params![collection, before],
    )?;
    Ok(usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX))
}

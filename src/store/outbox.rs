//! Events, written with the change they tell of and read in order by whoever reacts.

use lectern_kernel::{Event, Timestamp};
use serde::Serialize;

use crate::{StoreError, Tx, params};

/// Adds an event to the transaction; listeners get it after the commit.
pub fn push(tx: &mut Tx<'_>, kind: &str, subject: &str, payload: &impl Serialize) -> Result<(), StoreError> {
    let payload = serde_json::to_value(payload)?;
    let at = tx.now();
    let sequence = tx
        .scalar::<i64>(
            "INSERT INTO outbox (kind, subject, payload, at) VALUES ($1, $2, $3, $4) RETURNING sequence",
            params![kind, subject, payload.to_string(), at],
        )?
        .unwrap_or_default();
    tx.remember(Event { sequence, kind: kind.to_owned(), subject: subject.to_owned(), payload, at });
    Ok(())
}

/// Events after a sequence number, oldest first.
pub fn after(tx: &Tx<'_>, sequence: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
    tx.query(
        "SELECT sequence, kind, subject, payload, at FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2",
        params![sequence, limit],
        |row| {
            Ok(Event {
                sequence: row.get("sequence")?,
                kind: row.get("kind")?,
                subject: row.get("subject")?,
                payload: serde_json::from_str(&row.get::<String>("payload")?)?,
                at: row.get("at")?,
            })
        },
    )
}

/// Forgets events older than `before`.
pub fn trim(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    tx.execute("DELETE FROM outbox WHERE at < $1", params![before])
}

/// Forgets the events that name a person, by id or by one of `words`.
pub fn forget_person(tx: &mut Tx<'_>, user: &str, words: &[&str]) -> Result<usize, StoreError> {
    let mut forgotten = 0;
    for word in words.iter().copied().chain([user]).filter(|word| !word.is_empty()) {
        forgotten += tx.execute(
            "DELETE FROM outbox WHERE subject = $1 OR instr(lower(payload), lower($1)) > 0",
            params![word],
        )?;
    }
    Ok(forgotten)
}

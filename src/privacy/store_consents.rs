//! SQL of the texts that people agree to.

use lectern_kernel::{Timestamp, UserId};
use lectern_store::{StoreError, Tx, params};

use crate::model::{ConsentTextView, NewConsentText, OwnConsentView};

type Result<T> = std::result::Result<T, StoreError>;

/// All texts, those that hold first, then the newest.
pub(crate) fn texts(tx: &Tx<'_>) -> Result<Vec<ConsentTextView>> {
    tx.query(
        "SELECT t.name, t.version, t.title, t.body, t.required, t.created_at, t.ended_at,
           (SELECT count(*) FROM consents c
            WHERE c.name = t.name AND c.version = t.version AND c.withdrawn_at IS NULL) AS given
         FROM consent_texts t ORDER BY t.ended_at IS NOT NULL, t.name, t.version DESC LIMIT 500",
        params![],
        |row| {
            Ok(ConsentTextView {
                name: row.get("name")?,
                version: row.get("version")?,
                title: row.get("title")?,
                body: row.get("body")?,
                required: row.get("required")?,
                created_at: row.get("created_at")?,
                ended_at: row.get("ended_at")?,
                given: row.get("given")?,
            })
        },
    )
}

/// Adds the next version of a text; its number.
pub(crate) fn add_text(tx: &Tx<'_>, new: &NewConsentText) -> Result<u32> {
    end_text(tx, &new.name)?;
    let last: Option<u32> =
        tx.scalar("SELECT coalesce(max(version), 0) FROM consent_texts WHERE name = $1", params![&new.name])?;
    let version = last.unwrap_or_default() + 1;
    tx.execute(
        "INSERT INTO consent_texts (name, version, title, body, required, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        params![&new.name, version, new.title.trim(), &new.body, new.required, tx.now()],
    )?;
    Ok(version)
}

/// Nobody is asked any more; what was agreed to stays.
pub(crate) fn end_text(tx: &Tx<'_>, name: &str) -> Result<usize> {
    tx.execute(
        "UPDATE consent_texts SET ended_at = $2 WHERE name = $1 AND ended_at IS NULL",
        params![name, tx.now()],
    )
}

/// The texts that hold, and what a person said to them.
pub(crate) fn own(tx: &Tx<'_>, user: &UserId) -> Result<Vec<OwnConsentView>> {
    tx.query(
        "SELECT t.name, t.version, t.title, t.body, t.required, c.given_at
         FROM consent_texts t LEFT JOIN consents c
           ON c.name = t.name AND c.version = t.version AND c.user_id = $1 AND c.withdrawn_at IS NULL
         WHERE t.ended_at IS NULL ORDER BY t.required DESC, t.name",
        params![user],
        |row| {
            Ok(OwnConsentView {
                name: row.get("name")?,
                version: row.get("version")?,
                title: row.get("title")?,
                body: row.get("body")?,
                required: row.get("required")?,
                given_at: row.get("given_at")?,
            })
        },
    )
}

/// Whether the version is the one that holds.
pub(crate) fn holds(tx: &Tx<'_>, name: &str, version: u32) -> Result<bool> {
    let found: Option<u32> = tx.scalar(
        "SELECT version FROM consent_texts WHERE name = $1 AND version = $2 AND ended_at IS NULL",
        params![name, version],
    )?;
    Ok(found.is_some())
}

pub(crate) fn give(tx: &Tx<'_>, user: &UserId, name: &str, version: u32) -> Result<usize> {
    tx.execute(
        "INSERT INTO consents (user_id, name, version, given_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, name, version) DO UPDATE SET withdrawn_at = NULL,
           given_at = CASE WHEN withdrawn_at IS NULL THEN given_at ELSE excluded.given_at END",
        params![user, name, version, tx.now()],
    )
}

pub(crate) fn withdraw(tx: &Tx<'_>, user: &UserId, name: &str) -> Result<usize> {
    tx.execute(
        "UPDATE consents SET withdrawn_at = $3 WHERE user_id = $1 AND name = $2 AND withdrawn_at IS NULL",
        params![user, name, tx.now()],
    )
}

/// All that a person ever said, for them to have.
pub(crate) fn history(tx: &Tx<'_>, user: &UserId) -> Result<Vec<serde_json::Value>> {
    tx.query(
        "SELECT c.name, c.version, t.title, c.given_at, c.withdrawn_at
         FROM consents c JOIN consent_texts t ON t.name = c.name AND t.version = c.version
         WHERE c.user_id = $1 ORDER BY c.given_at",
        params![user],
        |row| {
            Ok(serde_json::json!({
                "name": row.get::<String>("name")?,
                "version": row.get::<u32>("version")?,
                "title": row.get::<String>("title")?,
                "given_at": row.get::<Timestamp>("given_at")?,
                "withdrawn_at": row.get::<Option<Timestamp>>("withdrawn_at")?,
            }))
        },
    )
}

pub(crate) fn forget(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM consents WHERE user_id = $1", params![user])
}

/// Whether a person still has to agree to something before anything else.
pub(crate) fn is_missing(tx: &Tx<'_>, user: &UserId) -> Result<bool> {
    Ok(own(tx, user)?.iter().any(|text| text.required && text.given_at.is_none()))
}

/// Whether any text has to be agreed to.
pub(crate) fn any_required(tx: &Tx<'_>) -> Result<bool> {
    let count: Option<u64> =
        tx.scalar("SELECT count(*) FROM consent_texts WHERE ended_at IS NULL AND required = 1", params![])?;
    Ok(count.unwrap_or_default() > 0)
}

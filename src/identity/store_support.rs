//! SQL of consents to operators.

use lectern_kernel::UserId;
use lectern_store::{Row, StoreError, Tx, params};

use crate::model_support::SupportConsentView;

type Result<T> = std::result::Result<T, StoreError>;

const COLUMNS: &str = "id, granted_by, note, may_change, created_at, expires_at, ended_at";

pub(crate) fn insert(tx: &Tx<'_>, consent: &SupportConsentView) -> Result<usize> {
    tx.execute(
        "INSERT INTO support_consents (id, granted_by, note, may_change, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            &consent.id,
            consent.granted_by.as_ref().map(UserId::as_str),
            &consent.note,
            consent.may_change,
            consent.created_at,
            consent.expires_at
        ],
    )
}

/// The consent that holds now.
pub(crate) fn current(tx: &Tx<'_>) -> Result<Option<SupportConsentView>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM support_consents WHERE ended_at IS NULL AND expires_at > $1
         ORDER BY created_at DESC LIMIT 1"
    );
    tx.query_one(&sql, params![tx.now()], consent)
}

/// The newest first.
pub(crate) fn list(tx: &Tx<'_>, most: u32) -> Result<Vec<SupportConsentView>> {
    let sql = format!("SELECT {COLUMNS} FROM support_consents ORDER BY created_at DESC, id DESC LIMIT $1");
    tx.query(&sql, params![most], consent)
}

/// Ends all that hold, and the sessions that came of them.
pub(crate) fn end_all(tx: &Tx<'_>) -> Result<usize> {
    tx.execute("DELETE FROM sessions WHERE operator IS NOT NULL", params![])?;
    tx.execute(
        "UPDATE support_consents SET ended_at = $1 WHERE ended_at IS NULL AND expires_at > $1",
        params![tx.now()],
    )
}

fn consent(row: &Row<'_>) -> Result<SupportConsentView> {
    Ok(SupportConsentView {
        id: row.get("id")?,
        granted_by: row.get("granted_by")?,
        note: row.get("note")?,
        may_change: row.get("may_change")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        ended_at: row.get("ended_at")?,
    })
}

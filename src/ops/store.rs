//! All SQL of this area: settings of a tenant, and the log of outbound connections in `control.db`.

use lectern_kernel::Timestamp;
use lectern_store::{StoreError, Tx, params};
use serde_json::Value;

use crate::egress::EgressEntry;

type Result<T> = std::result::Result<T, StoreError>;

/// What was saved, by dotted name.
pub(crate) fn saved_settings(tx: &Tx<'_>) -> Result<Vec<(String, Value)>> {
    tx.query("SELECT name, value FROM settings ORDER BY name", params![], |row| {
        Ok((row.get("name")?, serde_json::from_str(&row.get::<String>("value")?)?))
    })
}

pub(crate) fn save_setting(tx: &Tx<'_>, name: &str, value: &Value) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        params![name, value.to_string(), tx.now()],
    )?;
    Ok(())
}

pub(crate) fn forget_setting(tx: &Tx<'_>, name: &str) -> Result<()> {
    tx.execute("DELETE FROM settings WHERE name = $1", params![name])?;
    Ok(())
}

/// Writes the attempt, or adds its status: the two may come in either order.
pub(crate) fn insert_egress(tx: &Tx<'_>, entry: &EgressEntry) -> Result<()> {
    tx.execute(
        "INSERT INTO egress (id, at, tenant_id, purpose, method, url, allowed, status)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET status = coalesce(excluded.status, egress.status)",
        params![
            &entry.id,
            entry.at,
            &entry.tenant,
            &entry.purpose,
            &entry.method,
            &entry.url,
            entry.allowed,
            entry.status
        ],
    )?;
    Ok(())
}

/// Newest first.
pub(crate) fn latest_egress(tx: &Tx<'_>, limit: u32) -> Result<Vec<EgressEntry>> {
    tx.query(
        "SELECT id, at, tenant_id, purpose, method, url, allowed, status FROM egress
         ORDER BY at DESC, id DESC LIMIT $1",
        params![limit],
        |row| {
            Ok(EgressEntry {
                id: row.get("id")?,
                tenant: row.get("tenant_id")?,
                at: row.get("at")?,
                method: row.get("method")?,
                url: row.get("url")?,
                allowed: row.get("allowed")?,
                purpose: row.get("purpose")?,
                status: row.get("status")?,
            })
        },
    )
}

pub(crate) fn trim_egress(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    tx.execute("DELETE FROM egress WHERE at < $1", params![before])
}

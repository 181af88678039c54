//! SQL of the servers that entries of a record are sent to: in the database of that record, and the list of tenants that
//! have some.

use lectern_kernel::{Error, TargetId, TenantId, Timestamp};
use lectern_store::{Row, StoreError, Tx, params};

use crate::model_forward::{TargetFormat, TargetKind, TargetView};

type Result<T> = std::result::Result<T, StoreError>;

/// A server with what is not shown of it.
#[derive(Debug, Clone)]
pub(crate) struct TargetRow {
    pub view: TargetView,
    /// Sealed.
    pub secret: Option<String>,
    /// The first entry that is not there yet.
    pub next: u64,
    pub last_sent_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, name, kind, address, format, ca_pem, header, secret, enabled, next_sequence,
    last_sent_at, created_at, updated_at";

pub(crate) fn targets(tx: &Tx<'_>) -> Result<Vec<TargetRow>> {
    tx.query(&format!("SELECT {COLUMNS} FROM audit_targets ORDER BY id"), params![], target)
}

pub(crate) fn target_by_id(tx: &Tx<'_>, id: &TargetId) -> Result<Option<TargetRow>> {
    tx.query_one(&format!("SELECT {COLUMNS} FROM audit_targets WHERE id = $1"), params![id], target)
}

/// Adds a server, or changes it; how far sending has come stays.
pub(crate) fn put_target(tx: &Tx<'_>, row: &TargetRow) -> Result<()> {
    let view = &row.view;
    tx.execute(
        "INSERT INTO audit_targets (id, name, kind, address, format, ca_pem, header, secret, enabled,
           next_sequence, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, address = excluded.address,
           format = excluded.format, ca_pem = excluded.ca_pem, header = excluded.header, secret = excluded.secret,
           enabled = excluded.enabled, updated_at = excluded.updated_at",
        params![
            &view.id,
            &view.name,
            view.kind.as_str(),
            &view.address,
            view.format.as_str(),
            view.ca_pem.clone(),
            &view.header,
            row.secret.clone(),
            view.enabled,
            row.next,
            view.created_at,
            view.updated_at
        ],
    )?;
    Ok(())
}

pub(crate) fn delete_target(tx: &Tx<'_>, id: &TargetId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM audit_targets WHERE id = $1", params![id])? > 0)
}

/// Notes that the entries from one up to another are there; not when something else was noted meanwhile.
pub(crate) fn advance(tx: &Tx<'_>, id: &TargetId, from: u64, to: u64) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE audit_targets SET next_sequence = $3, last_sent_at = $4 WHERE id = $1 AND next_sequence = $2",
        params![id, from, to, tx.now()],
    )?;
    Ok(changed > 0)
}

fn target(row: &Row<'_>) -> Result<TargetRow> {
    let (kind, format) = (row.get::<String>("kind")?, row.get::<String>("format")?);
    let unknown = || StoreError::Rule(Error::internal("a target of a kind that is not known"));
    let secret: Option<String> = row.get("secret")?;
    let view = TargetView {
        id: row.get("id")?,
        name: row.get("name")?,
        kind: TargetKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or_else(unknown)?,
        address: row.get("address")?,
        format: TargetFormat::ALL.into_iter().find(|f| f.as_str() == format).ok_or_else(unknown)?,
        ca_pem: row.get("ca_pem")?,
        header: row.get("header")?,
        has_secret: secret.is_some(),
        enabled: row.get("enabled")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    };
    Ok(TargetRow { view, secret, next: row.get("next_sequence")?, last_sent_at: row.get("last_sent_at")? })
}

// control.db

pub(crate) fn forwarding(tx: &Tx<'_>) -> Result<Vec<TenantId>> {
    tx.query("SELECT tenant_id FROM audit_forwarding", params![], |row| row.get("tenant_id"))
}

pub(crate) fn add_forwarding(tx: &Tx<'_>, tenant: &TenantId) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_forwarding (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING",
        params![tenant],
    )?;
    Ok(())
}

pub(crate) fn remove_forwarding(tx: &Tx<'_>, tenant: &TenantId) -> Result<()> {
    tx.execute("DELETE FROM audit_forwarding WHERE tenant_id = $1", params![tenant])?;
    Ok(())
}

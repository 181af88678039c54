//! Schema changes: each has a name, runs once, in order, in one transaction; a snapshot is made before.

use std::path::Path;

use lectern_kernel::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use crate::{StoreError, Tx, params};

/// One step of a schema: `documents/0001_init` and its SQL. Never changed after a release.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

const OWN: &[Migration] = &[
    Migration { name: "store/0001_queue", sql: include_str!("migrations/0001_queue.sql") },
    Migration { name: "store/0002_outbox", sql: include_str!("migrations/0002_outbox.sql") },
    Migration { name: "store/0003_audit", sql: include_str!("migrations/0003_audit.sql") },
];

pub(crate) fn run(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    )?;
    let applied = Tx::new(connection, now)
        .query("SELECT name FROM schema_migrations", params![], |row| row.at::<String>(0))?;
    let known: Vec<&Migration> = OWN.iter().chain(migrations).collect();
    if let Some(newer) = applied.iter().find(|name| !known.iter().any(|m| m.name == name.as_str())) {
        return Err(StoreError::Migration(format!(
            "{} was written by a newer version (it has '{newer}'); start that version, or restore a snapshot",
            path.display()
        )));
    }
    let pending: Vec<_> = known.into_iter().filter(|m| !applied.iter().any(|a| a == m.name)).collect();
    if pending.is_empty() {
        return Ok(());
    }
    if !applied.is_empty() {
        snapshot_before(connection, path, now)?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tx = Tx::new(&transaction, now);
    for migration in pending {
        tx.batch(migration.sql).map_err(|e| {
            StoreError::Migration(format!("{}: step '{}' failed: {e}", path.display(), migration.name))
        })?;
        tx.execute(
            "INSERT INTO schema_migrations (name, applied_at) VALUES ($1, $2)",
            params![migration.name, now],
        )?;
    }
    drop(tx);
    transaction.commit()?;
    Ok(())
}

fn snapshot_before(connection: &Connection, path: &Path, now: Timestamp) -> Result<(), StoreError> {
    let name = format!("{}.before-{}", path.file_name().unwrap_or_default().to_string_lossy(), now.0);
    let target = path.with_file_name(name);
    connection.execute("VACUUM INTO ?1", [target.to_string_lossy()])?;
    tracing::info!(snapshot = %target.display(), "database copied before its schema changes");
    Ok(())
}

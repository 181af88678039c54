//! All SQL of this area, on `control.db`.

use lectern_kernel::Timestamp;
use lectern_store::{StoreError, Tx, params};

use crate::manifest::Kind;

type Result<T> = std::result::Result<T, StoreError>;

/// What the last check of a model found.
pub(crate) struct Check {
    pub name: String,
    pub at: Timestamp,
    pub problem: Option<String>,
}

/// Kinds and the names of the models that do their work.
pub(crate) fn choices(tx: &Tx<'_>) -> Result<Vec<(Kind, String)>> {
    let rows = tx.query("SELECT kind, name FROM model_choices", params![], |row| {
        Ok((row.get::<String>("kind")?, row.get::<String>("name")?))
    })?;
    Ok(rows.into_iter().filter_map(|(kind, name)| Some((Kind::parse(&kind)?, name))).collect())
}

pub(crate) fn choose(tx: &Tx<'_>, kind: Kind, name: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO model_choices (kind, name, chosen_at) VALUES ($1, $2, $3)
         ON CONFLICT (kind) DO UPDATE SET name = excluded.name, chosen_at = excluded.chosen_at",
        params![kind.as_str(), name, tx.now()],
    )?;
    Ok(())
}

/// Ends a choice of this model.
pub(crate) fn release(tx: &Tx<'_>, name: &str) -> Result<()> {
    tx.execute("DELETE FROM model_choices WHERE name = $1", params![name])?;
    Ok(())
}

pub(crate) fn checks(tx: &Tx<'_>) -> Result<Vec<Check>> {
    tx.query("SELECT name, checked_at, problem FROM model_checks", params![], |row| {
        Ok(Check { name: row.get("name")?, at: row.get("checked_at")?, problem: row.get("problem")? })
    })
}

pub(crate) fn save_check(tx: &Tx<'_>, name: &str, problem: Option<&str>) -> Result<()> {
    tx.execute(
        "INSERT INTO model_checks (name, checked_at, problem) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET checked_at = excluded.checked_at, problem = excluded.problem",
        params![name, tx.now(), problem],
    )?;
    Ok(())
}

pub(crate) fn forget(tx: &Tx<'_>, name: &str) -> Result<()> {
    release(tx, name)?;
    tx.execute("DELETE FROM model_checks WHERE name = $1", params![name])?;
    Ok(())
}

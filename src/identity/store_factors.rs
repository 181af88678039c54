//! SQL of second factors and recovery codes in a tenant's database.

use lectern_kernel::{FactorId, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::model_factors::{FactorKind, FactorView};

type Result<T> = std::result::Result<T, StoreError>;

/// A factor with its sealed data.
#[derive(Clone)]
pub(crate) struct FactorRow {
    pub view: FactorView,
    pub user: UserId,
    pub data: String,
    pub credential: Option<String>,
    pub last_step: Option<u64>,
}

const FACTOR: &str =
    "SELECT id, user_id, kind, name, data, credential_sha256, last_step, created_at, last_used_at
    FROM factors WHERE";

fn factor(row: &Row<'_>) -> Result<FactorRow> {
    let kind: String = row.get("kind")?;
    let kind = if kind == "totp" { FactorKind::Totp } else { FactorKind::Passkey };
    let view = FactorView {
        id: row.get("id")?,
        kind,
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
    };
    Ok(FactorRow {
        view,
        user: row.get("user_id")?,
        data: row.get("data")?,
        credential: row.get("credential_sha256")?,
        last_step: row.get("last_step")?,
    })
}

/// All factors of a person, the oldest first.
pub(crate) fn factors_of(tx: &Tx<'_>, user: &UserId) -> Result<Vec<FactorRow>> {
    tx.query(&format!("{FACTOR} user_id = $1 ORDER BY id"), params![user], factor)
}

pub(crate) fn factor_by_credential(tx: &Tx<'_>, credential: &str) -> Result<Option<FactorRow>> {
    tx.query_one(&format!("{FACTOR} credential_sha256 = $1"), params![credential], factor)
}

/// Whether it was added; a passkey that is there already is not.
pub(crate) fn insert_factor(tx: &Tx<'_>, row: &FactorRow) -> Result<bool> {
    let FactorRow { view, user, data, credential, last_step } = row;
    let added = tx.execute(
        "INSERT INTO factors (id, user_id, kind, name, data, credential_sha256, last_step, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        params![
            &view.id,
            user,
            view.kind.as_str(),
            &view.name,
            data,
            credential.clone(),
            *last_step,
            view.created_at
        ],
    )?;
    Ok(added > 0)
}

/// Takes a time step for good; false when it, or a later one, was taken.
pub(crate) fn take_step(tx: &Tx<'_>, id: &FactorId, step: u64) -> Result<bool> {
    let taken = tx.execute(
        "UPDATE factors SET last_step = $2, last_used_at = $3
         WHERE id = $1 AND (last_step IS NULL OR last_step < $2)",
        params![id, step, tx.now()],
    )?;
    Ok(taken > 0)
}

/// Puts the data that a use changed in place of those it was based on; false when another use was faster.
pub(crate) fn replace_data(tx: &Tx<'_>, id: &FactorId, before: &str, after: &str) -> Result<bool> {
    let replaced = tx.execute(
        "UPDATE factors SET data = $3, last_used_at = $4 WHERE id = $1 AND data = $2",
        params![id, before, after, tx.now()],
    )?;
    Ok(replaced > 0)
}

pub(crate) fn delete_factor(tx: &Tx<'_>, id: &FactorId) -> Result<usize> {
    tx.execute("DELETE FROM factors WHERE id = $1", params![id])
}

/// All factors and recovery codes of a person; the number of factors.
pub(crate) fn delete_factors(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    delete_codes(tx, user)?;
    tx.execute("DELETE FROM factors WHERE user_id = $1", params![user])
}

/// Fingerprints of all passkeys of the tenant.
pub(crate) fn credentials(tx: &Tx<'_>) -> Result<Vec<String>> {
    tx.query(
        "SELECT credential_sha256 FROM factors WHERE credential_sha256 IS NOT NULL ORDER BY credential_sha256",
        params![],
        |row| row.at(0),
    )
}

/// The hashes of a person's recovery codes.
pub(crate) fn codes(tx: &Tx<'_>, user: &UserId) -> Result<Option<String>> {
    tx.scalar("SELECT hashes FROM recovery_codes WHERE user_id = $1", params![user])
}

/// How many recovery codes are left, and when they were made.
pub(crate) fn codes_left(tx: &Tx<'_>, user: &UserId) -> Result<Option<(u32, Timestamp)>> {
    tx.query_one(
        "SELECT codes_left, created_at FROM recovery_codes WHERE user_id = $1",
        params![user],
        |row| Ok((row.get("codes_left")?, row.get("created_at")?)),
    )
}

pub(crate) fn put_codes(tx: &Tx<'_>, user: &UserId, hashes: &str, left: usize) -> Result<()> {
    tx.execute(
        "INSERT INTO recovery_codes (user_id, hashes, codes_left, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET hashes = excluded.hashes, codes_left = excluded.codes_left,
           created_at = excluded.created_at",
        params![user, hashes, left, tx.now()],
    )?;
    Ok(())
}

/// Puts the set without a used code in place of the one it was found in; false when another use was faster.
pub(crate) fn spend_code(tx: &Tx<'_>, user: &UserId, before: &str, after: &str) -> Result<bool> {
    let spent = tx.execute(
        "UPDATE recovery_codes SET hashes = $3, codes_left = codes_left - 1 WHERE user_id = $1 AND hashes = $2",
        params![user, before, after],
    )?;
    Ok(spent > 0)
}

pub(crate) fn delete_codes(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", params![user])
}

/// The session has all the proof that can be asked for.
pub(crate) fn prove_session(tx: &Tx<'_>, session: &lectern_kernel::SessionId) -> Result<usize> {
    tx.execute("UPDATE sessions SET second_factor = 1 WHERE id = $1", params![session])
}

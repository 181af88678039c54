//! SQL on `control.db`: operators, which tenants may know an e-mail, and what older appliances left there.

use lectern_kernel::{TenantId, UserId};
use lectern_store::{StoreError, Tx, params};

type Result<T> = std::result::Result<T, StoreError>;

pub(crate) fn is_operator(tx: &Tx<'_>, subject: &str) -> Result<bool> {
    Ok(tx.scalar::<i64>("SELECT 1 FROM operators WHERE subject = $1", params![subject])?.is_some())
}

pub(crate) fn add_operator(tx: &Tx<'_>, subject: &str, tenant: &TenantId) -> Result<()> {
    tx.execute(
        "INSERT INTO operators (subject, tenant_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        params![subject, tenant, tx.now()],
    )?;
    Ok(())
}

/// People and keys that operate the appliance, with their tenants.
pub(crate) fn operators(tx: &Tx<'_>) -> Result<Vec<(String, TenantId)>> {
    tx.query("SELECT subject, tenant_id FROM operators ORDER BY subject LIMIT 1000", params![], |row| {
        Ok((row.get("subject")?, row.get("tenant_id")?))
    })
}

pub(crate) fn remove_operator(tx: &Tx<'_>, subject: &str) -> Result<usize> {
    tx.execute("DELETE FROM operators WHERE subject = $1", params![subject])
}

pub(crate) fn count_operators(tx: &Tx<'_>) -> Result<u64> {
    let people = "SELECT count(*) FROM operators WHERE subject LIKE 'usr_%'";
    Ok(tx.scalar(people, params![])?.unwrap_or_default())
}

/// `name` is the fingerprint of the e-mail's compared form.
pub(crate) fn add_name(tx: &Tx<'_>, name: &str, tenant: &TenantId) -> Result<()> {
    tx.execute(
        "INSERT INTO sign_in_names (name_sha256, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![name, tenant],
    )?;
    Ok(())
}

pub(crate) fn remove_name(tx: &Tx<'_>, name: &str, tenant: &TenantId) -> Result<()> {
    tx.execute("DELETE FROM sign_in_names WHERE name_sha256 = $1 AND tenant_id = $2", params![name, tenant])?;
    Ok(())
}

pub(crate) fn tenants_of_name(tx: &Tx<'_>, name: &str, most: usize) -> Result<Vec<TenantId>> {
    tx.query(
        "SELECT tenant_id FROM sign_in_names WHERE name_sha256 = $1 ORDER BY tenant_id LIMIT $2",
        params![name, most],
        |row| row.get("tenant_id"),
    )
}

/// `credential` is the fingerprint of a passkey's id.
pub(crate) fn add_passkey(tx: &Tx<'_>, credential: &str, tenant: &TenantId) -> Result<()> {
    tx.execute(
        "INSERT INTO sign_in_passkeys (credential_sha256, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![credential, tenant],
    )?;
    Ok(())
}

pub(crate) fn remove_passkey(tx: &Tx<'_>, credential: &str, tenant: &TenantId) -> Result<()> {
    tx.execute(
        "DELETE FROM sign_in_passkeys WHERE credential_sha256 = $1 AND tenant_id = $2",
        params![credential, tenant],
    )?;
    Ok(())
}

pub(crate) fn tenants_of_passkey(tx: &Tx<'_>, credential: &str, most: usize) -> Result<Vec<TenantId>> {
    tx.query(
        "SELECT tenant_id FROM sign_in_passkeys WHERE credential_sha256 = $1 ORDER BY tenant_id LIMIT $2",
        params![credential, most],
        |row| row.get("tenant_id"),
    )
}

/// What hangs on a tenant that is gone.
pub(crate) fn forget_tenant(tx: &Tx<'_>, tenant: &TenantId) -> Result<()> {
    tx.execute("DELETE FROM sign_in_names WHERE tenant_id = $1", params![tenant])?;
    tx.execute("DELETE FROM sign_in_passkeys WHERE tenant_id = $1", params![tenant])?;
    tx.execute("DELETE FROM operators WHERE tenant_id = $1", params![tenant])?;
    Ok(())
}

/// A person as the first version kept them.
pub(crate) struct OldUser {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub email_key: String,
    pub password: String,
}

pub(crate) fn old_users(tx: &Tx<'_>) -> Result<Vec<OldUser>> {
    tx.query("SELECT id, name, email, email_key, password FROM users ORDER BY id", params![], |row| {
        Ok(OldUser {
            id: row.get("id")?,
            name: row.get("name")?,
            email: row.get("email")?,
            email_key: row.get("email_key")?,
            password: row.get("password")?,
        })
    })
}

/// A key as the first version kept it.
pub(crate) struct OldKey {
    pub id: String,
    pub name: String,
    pub prefix: String,
    pub secret_sha256: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
}

pub(crate) fn old_keys(tx: &Tx<'_>) -> Result<Vec<OldKey>> {
    tx.query(
        "SELECT id, name, prefix, secret_sha256, created_at, expires_at FROM api_keys ORDER BY id",
        params![],
        |row| {
            Ok(OldKey {
                id: row.get("id")?,
                name: row.get("name")?,
                prefix: row.get("prefix")?,
                secret_sha256: row.get("secret_sha256")?,
                created_at: row.get("created_at")?,
                expires_at: row.get("expires_at")?,
            })
        },
    )
}

/// After they were taken over.
pub(crate) fn remove_old(tx: &Tx<'_>) -> Result<()> {
    for table in ["sessions", "api_keys", "users"] {
        tx.execute(&format!("DELETE FROM {table}"), params![])?;
    }
    Ok(())
}

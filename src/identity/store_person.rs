//! SQL of what is held about one person beside their own row.

use lectern_kernel::{Timestamp, UserId};
use lectern_store::{StoreError, Tx, params};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, StoreError>;

/// Who the person is at providers.
pub(crate) fn identities(tx: &Tx<'_>, user: &UserId) -> Result<Vec<Value>> {
    tx.query(
        "SELECT i.provider_id, p.name, i.subject, i.user_name, i.created_at, i.last_used_at
         FROM identities i JOIN sign_in_providers p ON p.id = i.provider_id WHERE i.user_id = $1",
        params![user],
        |row| {
            Ok(json!({
                "provider": row.get::<String>("name")?,
                "subject": row.get::<String>("subject")?,
                "user_name": row.get::<Option<String>>("user_name")?,
                "created_at": row.get::<Timestamp>("created_at")?,
                "last_used_at": row.get::<Timestamp>("last_used_at")?,
            }))
        },
    )
}

/// Links that were sent to an e-mail and are still open.
pub(crate) fn invitations(tx: &Tx<'_>, email_key: &str) -> Result<Vec<Value>> {
    tx.query(
        "SELECT id, email, name, role, created_at, expires_at FROM invitations WHERE email_key = $1",
        params![email_key],
        |row| {
            Ok(json!({
                "id": row.get::<String>("id")?,
                "email": row.get::<String>("email")?,
                "name": row.get::<String>("name")?,
                "role": row.get::<String>("role")?,
                "created_at": row.get::<Timestamp>("created_at")?,
                "expires_at": row.get::<Timestamp>("expires_at")?,
            }))
        },
    )
}

/// API keys that the person made.
pub(crate) fn keys_made(tx: &Tx<'_>, user: &UserId) -> Result<Vec<Value>> {
    tx.query(
        "SELECT id, name, prefix, created_at FROM api_keys WHERE created_by = $1 ORDER BY id",
        params![user],
        |row| {
            Ok(json!({
                "id": row.get::<String>("id")?,
                "name": row.get::<String>("name")?,
                "prefix": row.get::<String>("prefix")?,
                "created_at": row.get::<Timestamp>("created_at")?,
            }))
        },
    )
}

/// Consents to support that the person gave for the tenant.
pub(crate) fn consents_given(tx: &Tx<'_>, user: &UserId) -> Result<Vec<Value>> {
    tx.query(
        "SELECT id, note, created_at, expires_at FROM support_consents WHERE granted_by = $1 ORDER BY created_at",
        params![user],
        |row| {
            Ok(json!({
                "id": row.get::<String>("id")?,
                "note": row.get::<String>("note")?,
                "created_at": row.get::<Timestamp>("created_at")?,
                "expires_at": row.get::<Timestamp>("expires_at")?,
            }))
        },
    )
}

/// The consents stay, without saying who gave them.
pub(crate) fn forget_consents(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("UPDATE support_consents SET granted_by = NULL WHERE granted_by = $1", params![user])
}

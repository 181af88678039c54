//! All SQL of this area, on `control.db`.

use lectern_kernel::{Actor, Code, Error, KeyId, Principal, Role, SessionId, TenantId, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::model::{KeyView, SessionView, TenantView, UserView};

type Result<T> = std::result::Result<T, StoreError>;

/// What signing in needs of a user.
pub(crate) struct Account {
    pub id: UserId,
    pub email: String,
    pub password: String,
}

/// A session or key as it was found by its secret's fingerprint.
pub(crate) struct Found {
    pub principal: Principal,
    pub seen_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

fn role(text: &str) -> Result<Role> {
    match text {
        "admin" => Ok(Role::Admin),
        other => Err(Error::internal(format!("the role '{other}' is unknown to this version")).into()),
    }
}

pub(crate) fn count_users(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM users", params![])?.unwrap_or_default())
}

/// A user with the e-mail's compared form and the password's hash.
pub(crate) struct UserRow<'a> {
    pub view: &'a UserView,
    pub tenant: &'a TenantId,
    pub email_key: &'a str,
    pub password: &'a str,
}

pub(crate) fn insert_user(tx: &Tx<'_>, user: &UserRow<'_>) -> Result<()> {
    let UserRow { view, tenant, email_key, password } = user;
    let now = tx.now();
    let inserted = tx.execute(
        "INSERT INTO users (id, tenant_id, name, email, email_key, role, password, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (email_key) DO NOTHING",
        params![&view.id, *tenant, &view.name, &view.email, *email_key, view.role.as_str(), *password, now],
    )?;
    if inserted == 0 {
        return Err(Error::new(Code::Conflict, "There is a user with this e-mail already.").into());
    }
    Ok(())
}

pub(crate) fn account_by_email(tx: &Tx<'_>, email_key: &str) -> Result<Option<Account>> {
    tx.query_one("SELECT id, email, password FROM users WHERE email_key = $1", params![email_key], account)
}

pub(crate) fn account_by_id(tx: &Tx<'_>, id: &UserId) -> Result<Option<Account>> {
    tx.query_one("SELECT id, email, password FROM users WHERE id = $1", params![id], account)
}

fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account { id: row.get("id")?, email: row.get("email")?, password: row.get("password")? })
}

pub(crate) fn set_password(tx: &Tx<'_>, id: &UserId, password: &str) -> Result<()> {
    tx.execute(
        "UPDATE users SET password = $2, updated_at = $3 WHERE id = $1",
        params![id, password, tx.now()],
    )?;
    Ok(())
}

pub(crate) fn list_users(tx: &Tx<'_>, tenant: &TenantId) -> Result<Vec<UserView>> {
    tx.query(
        "SELECT id, name, email, role FROM users WHERE tenant_id = $1 ORDER BY id",
        params![tenant],
        |row| {
            Ok(UserView {
                id: row.get("id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                role: role(&row.get::<String>("role")?)?,
            })
        },
    )
}

pub(crate) fn insert_session(
    tx: &Tx<'_>,
    id: &SessionId,
    user: &UserId,
    fingerprint: &str,
    expires_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO sessions (id, user_id, token_sha256, created_at, last_seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)",
        params![id, user, fingerprint, tx.now(), expires_at],
    )?;
    Ok(())
}

/// Ends a user's oldest sessions beyond `most`.
pub(crate) fn trim_sessions(tx: &Tx<'_>, user: &UserId, most: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN
         (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2)",
        params![user, most],
    )
}

/// The session of a cookie; `csrf_token` goes into the principal.
pub(crate) fn find_session(tx: &Tx<'_>, fingerprint: &str, csrf_token: String) -> Result<Option<Found>> {
    tx.query_one(
        "SELECT s.id, s.last_seen_at, s.expires_at, u.id AS user_id, u.tenant_id, u.role
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_sha256 = $1",
        params![fingerprint],
        |row| {
            let principal = Principal {
                tenant: row.get("tenant_id")?,
                user: Some(row.get("user_id")?),
                role: role(&row.get::<String>("role")?)?,
                actor: Actor::Session { id: row.get("id")?, csrf_token },
            };
            Ok(Found { principal, seen_at: row.get("last_seen_at")?, expires_at: row.get("expires_at")? })
        },
    )
}

pub(crate) fn view_session(tx: &Tx<'_>, id: &SessionId, csrf_token: String) -> Result<Option<SessionView>> {
    tx.query_one(
        "SELECT s.expires_at, u.id AS user_id, u.name, u.email, u.role, t.id AS tenant_id, t.name AS tenant
         FROM sessions s JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = u.tenant_id
         WHERE s.id = $1",
        params![id],
        |row| {
            Ok(SessionView {
                user: UserView {
                    id: row.get("user_id")?,
                    name: row.get("name")?,
                    email: row.get("email")?,
                    role: role(&row.get::<String>("role")?)?,
                },
                tenant: TenantView { id: row.get("tenant_id")?, name: row.get("tenant")? },
                csrf_token,
                expires_at: row.get("expires_at")?,
            })
        },
    )
}

pub(crate) fn touch_session(tx: &Tx<'_>, id: &SessionId) -> Result<usize> {
    tx.execute("UPDATE sessions SET last_seen_at = $2 WHERE id = $1", params![id, tx.now()])
}

pub(crate) fn delete_session(tx: &Tx<'_>, id: &SessionId) -> Result<usize> {
    tx.execute("DELETE FROM sessions WHERE id = $1", params![id])
}

/// Ends all sessions of a user but one.
pub(crate) fn delete_sessions(tx: &Tx<'_>, user: &UserId, keep: Option<&SessionId>) -> Result<usize> {
    let keep = keep.map_or("", SessionId::as_str);
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", params![user, keep])
}

/// Removes sessions that are over, or were not used since `idle_since`.
pub(crate) fn sweep_sessions(tx: &Tx<'_>, idle_since: Timestamp) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2",
        params![tx.now(), idle_since],
    )
}

/// A key to be kept, by its secret's fingerprint.
pub(crate) struct KeyRow<'a> {
    pub view: &'a KeyView,
    pub tenant: &'a TenantId,
    pub created_by: Option<&'a UserId>,
    pub fingerprint: &'a str,
}

pub(crate) fn insert_key(tx: &Tx<'_>, key: &KeyRow<'_>) -> Result<()> {
    let KeyRow { view, tenant, created_by, fingerprint } = key;
    tx.execute(
        "INSERT INTO api_keys
         (id, tenant_id, name, prefix, role, secret_sha256, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            &view.id,
            *tenant,
            &view.name,
            &view.prefix,
            Role::Admin.as_str(),
            *fingerprint,
            *created_by,
            view.created_at,
            view.expires_at
        ],
    )?;
    Ok(())
}

pub(crate) fn count_keys(tx: &Tx<'_>, tenant: &TenantId) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM api_keys WHERE tenant_id = $1", params![tenant])?.unwrap_or_default())
}

/// Keys with ids below `before`, newest first.
pub(crate) fn list_keys(
    tx: &Tx<'_>,
    tenant: &TenantId,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<KeyView>> {
    tx.query(
        "SELECT id, name, prefix, created_at, last_used_at, expires_at FROM api_keys
         WHERE tenant_id = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3",
        params![tenant, before.unwrap_or_default(), limit],
        |row| {
            Ok(KeyView {
                id: row.get("id")?,
                name: row.get("name")?,
                prefix: row.get("prefix")?,
                created_at: row.get("created_at")?,
                last_used_at: row.get("last_used_at")?,
                expires_at: row.get("expires_at")?,
            })
        },
    )
}

pub(crate) fn delete_key(tx: &Tx<'_>, tenant: &TenantId, id: &KeyId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM api_keys WHERE tenant_id = $1 AND id = $2", params![tenant, id])? > 0)
}

/// A key acts for its tenant, not for the person who made it.
pub(crate) fn find_key(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Found>> {
    tx.query_one(
        "SELECT id, tenant_id, role, last_used_at, expires_at FROM api_keys WHERE secret_sha256 = $1",
        params![fingerprint],
        |row| {
            let principal = Principal {
                tenant: row.get("tenant_id")?,
                user: None,
                role: role(&row.get::<String>("role")?)?,
                actor: Actor::Key { id: row.get("id")? },
            };
            Ok(Found { principal, seen_at: row.get("last_used_at")?, expires_at: row.get("expires_at")? })
        },
    )
}

pub(crate) fn touch_key(tx: &Tx<'_>, id: &KeyId) -> Result<usize> {
    tx.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", params![id, tx.now()])
}

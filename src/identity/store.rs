//! SQL of sessions and keys in a tenant's database.

use lectern_kernel::{KeyId, Role, SessionId, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::model::KeyView;
use crate::model_people::OpenSessionView;

type Result<T> = std::result::Result<T, StoreError>;

/// A session as it was found by its secret's fingerprint.
pub(crate) struct FoundSession {
    pub id: SessionId,
    pub user: UserId,
    pub role: Role,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether it was opened with all the proof that can be asked for.
    pub second_factor: bool,
    /// Who is in it in the person's place.
    pub operator: Option<String>,
}

/// A key as it was found by its secret's fingerprint.
pub(crate) struct FoundKey {
    pub id: KeyId,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A session to be kept, by its secret's fingerprint.
pub(crate) struct SessionRow<'a> {
    pub id: &'a SessionId,
    pub user: &'a UserId,
    pub fingerprint: &'a str,
    pub method: &'a str,
    pub address: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub second_factor: bool,
    pub operator: Option<&'a str>,
    pub expires_at: Timestamp,
}

pub(crate) fn insert_session(tx: &Tx<'_>, session: &SessionRow<'_>) -> Result<()> {
    let SessionRow { id, user, fingerprint, method, address, agent, second_factor, operator, expires_at } =
        session;
    tx.execute(
        "INSERT INTO sessions
           (id, user_id, token_sha256, method, address, agent, second_factor, created_at, last_seen_at, expires_at,
            operator)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)",
        params![
            *id,
            *user,
            *fingerprint,
            *method,
            *address,
            *agent,
            *second_factor,
            tx.now(),
            *expires_at,
            *operator
        ],
    )?;
    if operator.is_none() {
        tx.execute("UPDATE users SET last_seen_at = $2 WHERE id = $1", params![*user, tx.now()])?;
    }
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

/// The session of a cookie, when its person may come in.
pub(crate) fn find_session(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<FoundSession>> {
    tx.query_one(
        "SELECT s.id, s.created_at, s.last_seen_at, s.expires_at, s.second_factor, s.operator, u.id AS user_id, u.role
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_sha256 = $1 AND u.state = 'active'",
        params![fingerprint],
        |row| {
            Ok(FoundSession {
                id: row.get("id")?,
                user: row.get("user_id")?,
                role: row.get("role")?,
                created_at: row.get("created_at")?,
                seen_at: row.get("last_seen_at")?,
                expires_at: row.get("expires_at")?,
                second_factor: row.get("second_factor")?,
                operator: row.get("operator")?,
            })
        },
    )
}

/// When a session ends, and whether it has all the proof that can be asked for.
pub(crate) fn session_end(tx: &Tx<'_>, id: &SessionId) -> Result<Option<(Timestamp, bool)>> {
    tx.query_one("SELECT expires_at, second_factor FROM sessions WHERE id = $1", params![id], |row| {
        Ok((row.get("expires_at")?, row.get("second_factor")?))
    })
}

pub(crate) fn list_sessions(tx: &Tx<'_>, user: &UserId) -> Result<Vec<OpenSessionView>> {
    tx.query(
        "SELECT id, method, address, agent, operator, created_at, last_seen_at FROM sessions
         WHERE user_id = $1 ORDER BY last_seen_at DESC, id DESC",
        params![user],
        |row| {
            Ok(OpenSessionView {
                id: row.get("id")?,
                current: false,
                method: row.get("method")?,
                address: row.get("address")?,
                agent: row.get("agent")?,
                operator: row.get("operator")?,
                created_at: row.get("created_at")?,
                last_seen_at: row.get("last_seen_at")?,
            })
        },
    )
}

pub(crate) fn touch_session(tx: &Tx<'_>, id: &SessionId) -> Result<usize> {
    tx.execute(
        "UPDATE users SET last_seen_at = $2
         WHERE id = (SELECT user_id FROM sessions WHERE id = $1 AND operator IS NULL)",
        params![id, tx.now()],
    )?;
    tx.execute("UPDATE sessions SET last_seen_at = $2 WHERE id = $1", params![id, tx.now()])
}

pub(crate) fn delete_session(tx: &Tx<'_>, user: &UserId, id: &SessionId) -> Result<usize> {
    tx.execute("DELETE FROM sessions WHERE id = $1 AND user_id = $2", params![id, user])
}

/// Ends all sessions of a user but one.
pub(crate) fn delete_sessions(tx: &Tx<'_>, user: &UserId, keep: Option<&SessionId>) -> Result<usize> {
    let keep = keep.map_or("", SessionId::as_str);
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", params![user, keep])
}

/// Ends all sessions of the tenant.
pub(crate) fn delete_all_sessions(tx: &Tx<'_>) -> Result<usize> {
    tx.execute("DELETE FROM sessions", params![])
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
    pub created_by: Option<&'a UserId>,
    pub fingerprint: &'a str,
}

pub(crate) fn insert_key(tx: &Tx<'_>, key: &KeyRow<'_>) -> Result<()> {
    let KeyRow { view, created_by, fingerprint } = key;
    tx.execute(
        "INSERT INTO api_keys (id, name, prefix, secret_sha256, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            &view.id,
            &view.name,
            &view.prefix,
            *fingerprint,
            *created_by,
            view.created_at,
            view.expires_at
        ],
    )?;
    for permission in &view.scopes {
        tx.execute(
            "INSERT INTO api_key_scopes (key_id, permission) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&view.id, permission],
        )?;
    }
    for network in &view.networks {
        tx.execute(
            "INSERT INTO api_key_networks (key_id, network) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&view.id, network],
        )?;
    }
    Ok(())
}

pub(crate) fn count_keys(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM api_keys", params![])?.unwrap_or_default())
}

/// Keys with ids below `before`, newest first.
pub(crate) fn list_keys(tx: &Tx<'_>, before: Option<&str>, limit: u32) -> Result<Vec<KeyView>> {
    let keys = tx.query(
        "SELECT id, name, prefix, created_by, created_at, last_used_at, expires_at FROM api_keys
         WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2",
        params![before.unwrap_or_default(), limit],
        key,
    )?;
    keys.into_iter().map(|key| with_lists(tx, key)).collect()
}

pub(crate) fn key_by_id(tx: &Tx<'_>, id: &KeyId) -> Result<Option<KeyView>> {
    let found = tx.query_one(
        "SELECT id, name, prefix, created_by, created_at, last_used_at, expires_at FROM api_keys WHERE id = $1",
        params![id],
        key,
    )?;
    found.map(|key| with_lists(tx, key)).transpose()
}

fn key(row: &Row<'_>) -> Result<KeyView> {
    Ok(KeyView {
        id: row.get("id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        scopes: Vec::new(),
        networks: Vec::new(),
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
        expires_at: row.get("expires_at")?,
    })
}

fn with_lists(tx: &Tx<'_>, mut key: KeyView) -> Result<KeyView> {
    key.scopes = key_scopes(tx, &key.id)?;
    key.networks = key_networks(tx, &key.id)?;
    Ok(key)
}

pub(crate) fn key_scopes(tx: &Tx<'_>, id: &KeyId) -> Result<Vec<String>> {
    tx.query(
        "SELECT permission FROM api_key_scopes WHERE key_id = $1 ORDER BY permission",
        params![id],
        |row| row.get("permission"),
    )
}

pub(crate) fn key_networks(tx: &Tx<'_>, id: &KeyId) -> Result<Vec<String>> {
    tx.query("SELECT network FROM api_key_networks WHERE key_id = $1 ORDER BY network", params![id], |row| {
        row.get("network")
    })
}

pub(crate) fn delete_key(tx: &Tx<'_>, id: &KeyId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM api_keys WHERE id = $1", params![id])? > 0)
}

/// A key that is replaced works until then.
pub(crate) fn end_key(tx: &Tx<'_>, id: &KeyId, at: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE api_keys SET expires_at = $2 WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2)",
        params![id, at],
    )
}

/// A key acts for its tenant, not for the person who made it.
pub(crate) fn find_key(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<FoundKey>> {
    tx.query_one(
        "SELECT id, last_used_at, expires_at FROM api_keys WHERE secret_sha256 = $1",
        params![fingerprint],
        |row| {
            Ok(FoundKey {
                id: row.get("id")?,
                last_used_at: row.get("last_used_at")?,
                expires_at: row.get("expires_at")?,
            })
        },
    )
}

pub(crate) fn touch_key(tx: &Tx<'_>, id: &KeyId) -> Result<usize> {
    tx.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", params![id, tx.now()])
}

/// A key of the first version, with all that it held.
pub(crate) fn adopt_key(tx: &Tx<'_>, key: &crate::store_control::OldKey) -> Result<()> {
    let added = tx.execute(
        "INSERT INTO api_keys (id, name, prefix, secret_sha256, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        params![&key.id, &key.name, &key.prefix, &key.secret_sha256, key.created_at, key.expires_at],
    )?;
    if added > 0 {
        tx.execute("INSERT INTO api_key_scopes (key_id, permission) VALUES ($1, '*')", params![&key.id])?;
    }
    Ok(())
}

//! SQL of families, codes and tokens.

use lectern_kernel::{AppId, KeyId, Timestamp, UserId};
use lectern_store::{StoreError, Tx, params};

use crate::model::Flow;
use crate::scopes::Scopes;

type Result<T> = std::result::Result<T, StoreError>;

/// All that came of one consent, or of one request of an app for itself.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub id: String,
    pub app: AppId,
    pub user: Option<UserId>,
    pub created_at: Timestamp,
    pub scopes: Vec<String>,
}

/// A code as it was found.
pub(crate) struct Code {
    pub family: String,
    pub redirect_uri: String,
    pub challenge: String,
    pub expires_at: Timestamp,
    pub used: bool,
}

/// A code to be kept.
pub(crate) struct CodeRow<'a> {
    pub fingerprint: &'a str,
    pub family: &'a str,
    pub redirect_uri: &'a str,
    pub challenge: &'a str,
    pub expires_at: Timestamp,
}

/// An access token that is live.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub id: KeyId,
    pub family: String,
    pub app: AppId,
    pub user: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Those that the app may still have.
    pub scopes: Vec<String>,
}

/// A refresh token as it was found.
pub(crate) struct Refresh {
    pub id: KeyId,
    pub family: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used: bool,
}

/// A token to be kept, by its fingerprint.
pub(crate) struct TokenRow<'a> {
    pub id: &'a KeyId,
    pub family: &'a str,
    pub fingerprint: &'a str,
    pub expires_at: Timestamp,
}

pub(crate) fn insert_family(tx: &Tx<'_>, family: &Family, flow: Flow, ends_at: Timestamp) -> Result<()> {
    let user = family.user.as_ref().map(UserId::as_str);
    tx.execute(
        "INSERT INTO oauth_families (id, app_id, user_id, flow, created_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![&family.id, &family.app, user, flow.as_str(), family.created_at, ends_at],
    )?;
    for name in &family.scopes {
        tx.execute(
            "INSERT INTO oauth_family_scopes (family_id, permission) VALUES ($1, $2)",
            params![&family.id, name],
        )?;
    }
    Ok(())
}

/// Ends the oldest families of an app and person, or of the app itself, beyond `most`.
pub(crate) fn trim_families(tx: &Tx<'_>, app: &AppId, user: Option<&UserId>, most: u32) -> Result<usize> {
    tx.execute(
        "DELETE FROM oauth_families WHERE app_id = $1 AND coalesce(user_id, '') = $2 AND id NOT IN
         (SELECT id FROM oauth_families WHERE app_id = $1 AND coalesce(user_id, '') = $2
          ORDER BY id DESC LIMIT $3)",
        params![app, user.map_or("", UserId::as_str), most],
    )
}

pub(crate) fn family(tx: &Tx<'_>, id: &str) -> Result<Option<Family>> {
    let found = tx.query_one(
        "SELECT id, app_id, user_id, created_at FROM oauth_families WHERE id = $1",
        params![id],
        |row| {
            Ok(Family {
                id: row.get("id")?,
                app: row.get("app_id")?,
                user: row.get("user_id")?,
                created_at: row.get("created_at")?,
                scopes: Vec::new(),
            })
        },
    )?;
    let Some(mut family) = found else { return Ok(None) };
    family.scopes = tx.query(
        "SELECT permission FROM oauth_family_scopes WHERE family_id = $1 ORDER BY permission",
        params![id],
        |row| row.at(0),
    )?;
    Ok(Some(family))
}

/// Notes that a family was used, and how long it lives now.
pub(crate) fn touch_family(tx: &Tx<'_>, id: &str, ends_at: Timestamp) -> Result<usize> {
    tx.execute(
        "UPDATE oauth_families SET used_at = $2, ends_at = $3 WHERE id = $1",
        params![id, tx.now(), ends_at],
    )
}

/// With all its codes and tokens.
pub(crate) fn delete_family(tx: &Tx<'_>, id: &str) -> Result<usize> {
    tx.execute("DELETE FROM oauth_families WHERE id = $1", params![id])
}

pub(crate) fn insert_code(tx: &Tx<'_>, code: &CodeRow<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO oauth_codes (code_sha256, family_id, redirect_uri, challenge, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![code.fingerprint, code.family, code.redirect_uri, code.challenge, code.expires_at],
    )?;
    Ok(())
}

pub(crate) fn find_code(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Code>> {
    tx.query_one(
        "SELECT family_id, redirect_uri, challenge, expires_at, used_at FROM oauth_codes
         WHERE code_sha256 = $1",
        params![fingerprint],
        |row| {
            Ok(Code {
                family: row.get("family_id")?,
                redirect_uri: row.get("redirect_uri")?,
                challenge: row.get("challenge")?,
                expires_at: row.get("expires_at")?,
                used: row.get::<Option<Timestamp>>("used_at")?.is_some(),
            })
        },
    )
}

pub(crate) fn use_code(tx: &Tx<'_>, fingerprint: &str) -> Result<usize> {
    tx.execute("UPDATE oauth_codes SET used_at = $2 WHERE code_sha256 = $1", params![fingerprint, tx.now()])
}

pub(crate) fn insert_access(tx: &Tx<'_>, token: &TokenRow<'_>, scopes: &Scopes) -> Result<()> {
    tx.execute(
        "INSERT INTO oauth_access_tokens (id, family_id, token_sha256, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![token.id, token.family, token.fingerprint, tx.now(), token.expires_at],
    )?;
    for name in scopes {
        tx.execute(
            "INSERT INTO oauth_access_token_scopes (token_id, permission) VALUES ($1, $2)",
            params![token.id, name],
        )?;
    }
    Ok(())
}

/// Ends a family's oldest access tokens beyond `most`, and forgets its oldest used refresh tokens beyond `history`.
pub(crate) fn trim_tokens(tx: &Tx<'_>, family: &str, most: u32, history: u32) -> Result<()> {
    tx.execute(
        "DELETE FROM oauth_access_tokens WHERE family_id = $1 AND id NOT IN
         (SELECT id FROM oauth_access_tokens WHERE family_id = $1 ORDER BY id DESC LIMIT $2)",
        params![family, most],
    )?;
    tx.execute(
        "DELETE FROM oauth_refresh_tokens WHERE family_id = $1 AND id NOT IN
         (SELECT id FROM oauth_refresh_tokens WHERE family_id = $1 ORDER BY id DESC LIMIT $2)",
        params![family, history],
    )?;
    Ok(())
}

/// A live access token.
pub(crate) fn find_access(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Access>> {
    let found = tx.query_one(
        "SELECT t.id, t.family_id, t.created_at, t.expires_at, f.app_id, f.user_id
         FROM oauth_access_tokens t JOIN oauth_families f ON f.id = t.family_id
         WHERE t.token_sha256 = $1 AND t.expires_at > $2",
        params![fingerprint, tx.now()],
        |row| {
            Ok(Access {
                id: row.get("id")?,
                family: row.get("family_id")?,
                app: row.get("app_id")?,
                user: row.get("user_id")?,
                created_at: row.get("created_at")?,
                expires_at: row.get("expires_at")?,
                scopes: Vec::new(),
            })
        },
    )?;
    let Some(mut access) = found else { return Ok(None) };
    access.scopes = tx.query(
        "SELECT s.permission FROM oauth_access_token_scopes s
         JOIN oauth_app_scopes a ON a.permission = s.permission AND a.app_id = $2
         WHERE s.token_id = $1 ORDER BY s.permission",
        params![&access.id, &access.app],
        |row| row.at(0),
    )?;
    Ok(Some(access))
}

pub(crate) fn delete_access(tx: &Tx<'_>, id: &KeyId) -> Result<usize> {
    tx.execute("DELETE FROM oauth_access_tokens WHERE id = $1", params![id])
}

pub(crate) fn insert_refresh(tx: &Tx<'_>, token: &TokenRow<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO oauth_refresh_tokens (id, family_id, token_sha256, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![token.id, token.family, token.fingerprint, tx.now(), token.expires_at],
    )?;
    Ok(())
}

pub(crate) fn find_refresh(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Refresh>> {
    tx.query_one(
        "SELECT id, family_id, created_at, expires_at, used_at FROM oauth_refresh_tokens
         WHERE token_sha256 = $1",
        params![fingerprint],
        |row| {
            Ok(Refresh {
                id: row.get("id")?,
                family: row.get("family_id")?,
                created_at: row.get("created_at")?,
                expires_at: row.get("expires_at")?,
                used: row.get::<Option<Timestamp>>("used_at")?.is_some(),
            })
        },
    )
}

pub(crate) fn use_refresh(tx: &Tx<'_>, id: &KeyId) -> Result<usize> {
    tx.execute("UPDATE oauth_refresh_tokens SET used_at = $2 WHERE id = $1", params![id, tx.now()])
}

/// Removes what is over. The number of rows.
pub(crate) fn sweep(tx: &Tx<'_>) -> Result<usize> {
    let now = tx.now();
    let access = tx.execute("DELETE FROM oauth_access_tokens WHERE expires_at <= $1", params![now])?;
    let families = tx.execute("DELETE FROM oauth_families WHERE ends_at <= $1", params![now])?;
    let devices = tx.execute("DELETE FROM oauth_devices WHERE expires_at <= $1", params![now])?;
    let secrets = tx.execute("DELETE FROM oauth_app_secrets WHERE expires_at <= $1", params![now])?;
    Ok(access + families + devices + secrets)
}

//! SQL of apps, their secrets, and what people have allowed them.

use lectern_kernel::{AppId, TenantId, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::model::{AllowedAppView, AppKind, AppSecretView, AppView, Flow};
use crate::scopes::Scopes;
use crate::secret;

type Result<T> = std::result::Result<T, StoreError>;

/// A secret to be kept, by its fingerprint.
pub(crate) struct SecretRow<'a> {
    pub id: &'a str,
    pub prefix: &'a str,
    pub fingerprint: &'a str,
}

pub(crate) fn insert_app(tx: &Tx<'_>, app: &AppView) -> Result<()> {
    tx.execute(
        "INSERT INTO oauth_apps (id, name, homepage, kind, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            &app.id,
            &app.name,
            app.homepage.clone(),
            app.kind.as_str(),
            app.created_by.as_ref().map(UserId::as_str),
            app.created_at,
            app.updated_at
        ],
    )?;
    insert_lists(tx, app)
}

fn insert_lists(tx: &Tx<'_>, app: &AppView) -> Result<()> {
    for uri in &app.redirect_uris {
        tx.execute(
            "INSERT INTO oauth_app_redirects (app_id, uri) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&app.id, uri],
        )?;
    }
    for name in &app.scopes {
        tx.execute(
            "INSERT INTO oauth_app_scopes (app_id, permission) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&app.id, name],
        )?;
    }
    for flow in &app.grants {
        tx.execute(
            "INSERT INTO oauth_app_flows (app_id, flow) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&app.id, flow.as_str()],
        )?;
    }
    Ok(())
}

pub(crate) fn update_app(tx: &Tx<'_>, app: &AppView) -> Result<()> {
    tx.execute(
        "UPDATE oauth_apps SET name = $2, homepage = $3, updated_at = $4 WHERE id = $1",
        params![&app.id, &app.name, app.homepage.clone(), app.updated_at],
    )?;
    tx.execute("DELETE FROM oauth_app_redirects WHERE app_id = $1", params![&app.id])?;
    tx.execute("DELETE FROM oauth_app_scopes WHERE app_id = $1", params![&app.id])?;
    tx.execute("DELETE FROM oauth_app_flows WHERE app_id = $1", params![&app.id])?;
    insert_lists(tx, app)
}

/// With all its secrets, codes and tokens.
pub(crate) fn delete_app(tx: &Tx<'_>, id: &AppId) -> Result<usize> {
    tx.execute("DELETE FROM oauth_apps WHERE id = $1", params![id])
}

pub(crate) fn count_apps(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM oauth_apps", params![])?.unwrap_or_default())
}

/// Apps with ids below `before`, the newest first.
pub(crate) fn list_apps(
    tx: &Tx<'_>,
    tenant: &TenantId,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<AppView>> {
    let apps = tx.query(
        "SELECT id, name, homepage, kind, created_by, created_at, updated_at FROM oauth_apps
         WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2",
        params![before.unwrap_or_default(), limit],
        |row| app(row, tenant),
    )?;
    apps.into_iter().map(|app| with_lists(tx, app)).collect()
}

pub(crate) fn app_by_id(tx: &Tx<'_>, tenant: &TenantId, id: &AppId) -> Result<Option<AppView>> {
    let found = tx.query_one(
        "SELECT id, name, homepage, kind, created_by, created_at, updated_at FROM oauth_apps WHERE id = $1",
        params![id],
        |row| app(row, tenant),
    )?;
    found.map(|app| with_lists(tx, app)).transpose()
}

fn app(row: &Row<'_>, tenant: &TenantId) -> Result<AppView> {
    let id: AppId = row.get("id")?;
    let confidential = row.get::<String>("kind")? == AppKind::Confidential.as_str();
    Ok(AppView {
        client_id: secret::client_id(tenant, &id),
        id,
        name: row.get("name")?,
        homepage: row.get("homepage")?,
        kind: if confidential { AppKind::Confidential } else { AppKind::Public },
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        grants: Vec::new(),
        secrets: Vec::new(),
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn with_lists(tx: &Tx<'_>, mut app: AppView) -> Result<AppView> {
    app.redirect_uris = tx.query(
        "SELECT uri FROM oauth_app_redirects WHERE app_id = $1 ORDER BY uri",
        params![&app.id],
        |row| row.at(0),
    )?;
    app.scopes = tx.query(
        "SELECT permission FROM oauth_app_scopes WHERE app_id = $1 ORDER BY permission",
        params![&app.id],
        |row| row.at(0),
    )?;
    let flows = tx.query("SELECT flow FROM oauth_app_flows WHERE app_id = $1", params![&app.id], |row| {
        row.at::<String>(0)
    })?;
    app.grants = flows.iter().filter_map(|text| Flow::parse(text)).collect();
    app.grants.sort_unstable();
    app.secrets = tx.query(
        "SELECT prefix, created_at, expires_at FROM oauth_app_secrets
         WHERE app_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, id DESC",
        params![&app.id, tx.now()],
        |row| {
            Ok(AppSecretView {
                prefix: row.get("prefix")?,
                created_at: row.get("created_at")?,
                expires_at: row.get("expires_at")?,
            })
        },
    )?;
    Ok(app)
}

pub(crate) fn insert_secret(tx: &Tx<'_>, app: &AppId, secret: &SecretRow<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO oauth_app_secrets (id, app_id, prefix, secret_sha256, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![secret.id, app, secret.prefix, secret.fingerprint, tx.now()],
    )?;
    Ok(())
}

/// The newest secret works until then; all older ones end.
pub(crate) fn end_secrets(tx: &Tx<'_>, app: &AppId, at: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM oauth_app_secrets WHERE app_id = $1 AND expires_at IS NOT NULL", params![app])?;
    tx.execute("UPDATE oauth_app_secrets SET expires_at = $2 WHERE app_id = $1", params![app, at])?;
    Ok(())
}

/// Fingerprints of an app's live secrets.
pub(crate) fn secrets(tx: &Tx<'_>, app: &AppId) -> Result<Vec<String>> {
    tx.query(
        "SELECT secret_sha256 FROM oauth_app_secrets
         WHERE app_id = $1 AND (expires_at IS NULL OR expires_at > $2)",
        params![app, tx.now()],
        |row| row.at(0),
    )
}

/// Adds to what a person has allowed an app.
pub(crate) fn remember_consent(tx: &Tx<'_>, user: &UserId, app: &AppId, scopes: &Scopes) -> Result<()> {
    tx.execute(
        "INSERT INTO oauth_consents (user_id, app_id, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, app_id) DO UPDATE SET created_at = excluded.created_at",
        params![user, app, tx.now()],
    )?;
    for name in scopes {
        tx.execute(
            "INSERT INTO oauth_consent_scopes (user_id, app_id, permission) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            params![user, app, name],
        )?;
    }
    Ok(())
}

/// What a person has allowed an app before.
pub(crate) fn consented(tx: &Tx<'_>, user: &UserId, app: &AppId) -> Result<Scopes> {
    let names = tx.query(
        "SELECT permission FROM oauth_consent_scopes WHERE user_id = $1 AND app_id = $2",
        params![user, app],
        |row| row.at::<String>(0),
    )?;
    Ok(names.into_iter().collect())
}

/// The apps that a person has allowed something, by name.
pub(crate) fn allowed_apps(tx: &Tx<'_>, tenant: &TenantId, user: &UserId) -> Result<Vec<AllowedAppView>> {
    let mut apps = tx.query(
        "SELECT a.id, a.name, a.homepage, c.created_at,
           (SELECT max(f.used_at) FROM oauth_families f WHERE f.app_id = a.id AND f.user_id = $1) AS used_at
         FROM oauth_consents c JOIN oauth_apps a ON a.id = c.app_id WHERE c.user_id = $1
         ORDER BY a.name, a.id",
        params![user],
        |row| {
            let id: AppId = row.get("id")?;
            Ok(AllowedAppView {
                client_id: secret::client_id(tenant, &id),
                id,
                name: row.get("name")?,
                homepage: row.get("homepage")?,
                scopes: Vec::new(),
                allowed_at: row.get("created_at")?,
                last_used_at: row.get("used_at")?,
            })
        },
    )?;
    for app in &mut apps {
        app.scopes = consented(tx, user, &app.id)?.into_iter().collect();
    }
    Ok(apps)
}

/// Takes back all that a person allowed an app, with its codes, tokens and devices; false when there was nothing.
pub(crate) fn revoke_consent(tx: &Tx<'_>, user: &UserId, app: &AppId) -> Result<bool> {
    let there =
        tx.execute("DELETE FROM oauth_consents WHERE user_id = $1 AND app_id = $2", params![user, app])?;
    let families =
        tx.execute("DELETE FROM oauth_families WHERE user_id = $1 AND app_id = $2", params![user, app])?;
    tx.execute("DELETE FROM oauth_devices WHERE user_id = $1 AND app_id = $2", params![user, app])?;
    Ok(there + families > 0)
}

/// All that is kept of a person.
pub(crate) fn forget_person(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM oauth_devices WHERE user_id = $1", params![user])?;
    let consents = tx.execute("DELETE FROM oauth_consents WHERE user_id = $1", params![user])?;
    Ok(consents + tx.execute("DELETE FROM oauth_families WHERE user_id = $1", params![user])?)
}

/// Apps that a person registered stay with the tenant, without the person's name. Their number.
pub(crate) fn disown(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("UPDATE oauth_apps SET created_by = NULL WHERE created_by = $1", params![user])
}

//! SQL of providers, and of who somebody is there, in a tenant's database.

use lectern_kernel::{ProviderId, Role, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, Value, params};

use crate::model_sign_in::{GroupMapping, ProviderKind, ProviderView};

type Result<T> = std::result::Result<T, StoreError>;

/// A provider with its sealed secret.
#[derive(Clone)]
pub(crate) struct ProviderRow {
    pub view: ProviderView,
    pub secret: Option<String>,
}

const PROVIDER: &str =
    "SELECT id, kind, name, enabled, config, secret, default_role, create_people, link_people,
    owners, created_at, updated_at FROM sign_in_providers";

fn provider(row: &Row<'_>) -> Result<ProviderRow> {
    let kind: String = row.get("kind")?;
    let (config, secret): (String, Option<String>) = (row.get("config")?, row.get("secret")?);
    let view = ProviderView {
        id: row.get("id")?,
        kind: if kind == "oidc" { ProviderKind::Oidc } else { ProviderKind::Ldap },
        name: row.get("name")?,
        enabled: row.get("enabled")?,
        config: serde_json::from_str(&config)?,
        has_secret: secret.is_some(),
        default_role: row.get("default_role")?,
        create_people: row.get("create_people")?,
        link_people: row.get("link_people")?,
        owners: row.get("owners")?,
        groups: Vec::new(),
        addresses: Vec::new(),
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    };
    Ok(ProviderRow { view, secret })
}

fn with_lists(tx: &Tx<'_>, mut row: ProviderRow) -> Result<ProviderRow> {
    let id = &row.view.id;
    row.view.groups = tx.query(
        "SELECT external_group, role, group_id FROM provider_mappings WHERE provider_id = $1 ORDER BY position",
        params![id],
        |row| {
            let role: Option<Role> = row.get("role")?;
            Ok(GroupMapping { external: row.get("external_group")?, role, group: row.get("group_id")? })
        },
    )?;
    row.view.addresses = tx.query(
        "SELECT address FROM provider_addresses WHERE provider_id = $1 ORDER BY address",
        params![id],
        |row| row.get("address"),
    )?;
    Ok(row)
}

/// All providers, the oldest first.
pub(crate) fn providers(tx: &Tx<'_>) -> Result<Vec<ProviderRow>> {
    let rows = tx.query(&format!("{PROVIDER} ORDER BY id"), params![], provider)?;
    rows.into_iter().map(|row| with_lists(tx, row)).collect()
}

pub(crate) fn provider_by_id(tx: &Tx<'_>, id: &ProviderId) -> Result<Option<ProviderRow>> {
    let row = tx.query_one(&format!("{PROVIDER} WHERE id = $1"), params![id], provider)?;
    row.map(|row| with_lists(tx, row)).transpose()
}

pub(crate) fn count_enabled(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM sign_in_providers WHERE enabled = 1", params![])?.unwrap_or_default())
}

/// Adds a provider, or puts it in place of itself.
pub(crate) fn put_provider(tx: &Tx<'_>, row: &ProviderRow) -> Result<()> {
    let ProviderRow { view, secret } = row;
    tx.execute(
        "INSERT INTO sign_in_providers
           (id, kind, name, enabled, config, secret, default_role, create_people, link_people, owners,
            created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, enabled = excluded.enabled,
           config = excluded.config, secret = excluded.secret, default_role = excluded.default_role,
           create_people = excluded.create_people, link_people = excluded.link_people,
           owners = excluded.owners, updated_at = excluded.updated_at",
        &[
            Value::from(&view.id),
            view.kind.as_str().into(),
            (&view.name).into(),
            view.enabled.into(),
            serde_json::to_string(&view.config)?.into(),
            secret.clone().into(),
            (&view.default_role).into(),
            view.create_people.into(),
            view.link_people.into(),
            view.owners.into(),
            view.created_at.into(),
            view.updated_at.into(),
        ],
    )?;
    put_lists(tx, view)
}

fn put_lists(tx: &Tx<'_>, view: &ProviderView) -> Result<()> {
    tx.execute("DELETE FROM provider_mappings WHERE provider_id = $1", params![&view.id])?;
    for (position, mapping) in view.groups.iter().enumerate() {
        tx.execute(
            "INSERT INTO provider_mappings (provider_id, position, external_group, role, group_id)
             VALUES ($1, $2, $3, $4, $5)",
            params![&view.id, position, &mapping.external, mapping.role.as_ref(), mapping.group.as_ref()],
        )?;
    }
    tx.execute("DELETE FROM provider_addresses WHERE provider_id = $1", params![&view.id])?;
    for address in &view.addresses {
        tx.execute(
            "INSERT INTO provider_addresses (provider_id, address) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&view.id, address],
        )?;
    }
    Ok(())
}

pub(crate) fn delete_provider(tx: &Tx<'_>, id: &ProviderId) -> Result<usize> {
    tx.execute("DELETE FROM sign_in_providers WHERE id = $1", params![id])
}

/// Ends the sessions that were opened by a provider.
pub(crate) fn delete_sessions_by(tx: &Tx<'_>, id: &ProviderId) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE method = $1 OR substr(method, 1, length($1) + 1) = $1 || '+'",
        params![id],
    )
}

/// The person behind a provider's account.
pub(crate) fn user_of(tx: &Tx<'_>, id: &ProviderId, subject: &str) -> Result<Option<UserId>> {
    tx.scalar("SELECT user_id FROM identities WHERE provider_id = $1 AND subject = $2", params![id, subject])
}

/// Notes who somebody is at a provider, and that they were seen.
pub(crate) fn put_identity(
    tx: &Tx<'_>,
    (id, subject): (&ProviderId, &str),
    user: &UserId,
    user_name: Option<&str>,
) -> Result<usize> {
    let now: Timestamp = tx.now();
    tx.execute(
        "INSERT INTO identities (provider_id, subject, user_id, user_name, created_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (provider_id, subject) DO UPDATE SET user_name = excluded.user_name,
           last_used_at = excluded.last_used_at",
        params![id, subject, user, user_name, now],
    )
}

/// Who a person is in the tenant's directories: provider, subject and user name, the last used first.
pub(crate) fn directory_names(tx: &Tx<'_>, user: &UserId) -> Result<Vec<(ProviderId, String, String)>> {
    tx.query(
        "SELECT i.provider_id, i.subject, i.user_name FROM identities i
         JOIN sign_in_providers p ON p.id = i.provider_id
         WHERE i.user_id = $1 AND p.kind = 'ldap' AND p.enabled = 1 AND i.user_name IS NOT NULL
         ORDER BY i.last_used_at DESC LIMIT 3",
        params![user],
        |row| Ok((row.get("provider_id")?, row.get("subject")?, row.get("user_name")?)),
    )
}

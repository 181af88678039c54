//! SQL of what is kept of people and groups beyond what signing in needs, in a tenant's database.

use std::collections::HashMap;

use lectern_kernel::{GroupId, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::path::Fields;

type Result<T> = std::result::Result<T, StoreError>;

/// What was given of a person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptUser {
    pub user_name: String,
    pub external_id: Option<String>,
    pub attributes: Fields,
    pub updated_at: Timestamp,
}

/// The form of a user name or e-mail that is compared.
pub(crate) fn key(text: &str) -> String {
    text.trim().to_lowercase()
}

const USER: &str = "SELECT user_id, user_name, external_id, attributes, updated_at FROM scim_users WHERE";

fn user(row: &Row<'_>) -> Result<(UserId, KeptUser)> {
    let attributes = serde_json::from_str(&row.get::<String>("attributes")?)?;
    let kept = KeptUser {
        user_name: row.get("user_name")?,
        external_id: row.get("external_id")?,
        attributes,
        updated_at: row.get("updated_at")?,
    };
    Ok((row.get("user_id")?, kept))
}

pub(crate) fn user_by_id(tx: &Tx<'_>, id: &UserId) -> Result<Option<KeptUser>> {
    let found = tx.query_one(&format!("{USER} user_id = $1"), params![id], user)?;
    Ok(found.map(|(_, kept)| kept))
}

/// Those of the people from one id to another.
pub(crate) fn users_between(tx: &Tx<'_>, first: &UserId, last: &UserId) -> Result<HashMap<UserId, KeptUser>> {
    let sql = format!("{USER} user_id >= $1 AND user_id <= $2");
    Ok(tx.query(&sql, params![first, last], user)?.into_iter().collect())
}

pub(crate) fn user_by_name(tx: &Tx<'_>, name: &str) -> Result<Option<UserId>> {
    tx.scalar("SELECT user_id FROM scim_users WHERE user_name_key = $1", params![key(name)])
}

pub(crate) fn users_by_external_id(tx: &Tx<'_>, id: &str, most: u32) -> Result<Vec<UserId>> {
    tx.query(
        "SELECT user_id FROM scim_users WHERE external_id = $1 ORDER BY user_id LIMIT $2",
        params![id, most],
        |row| row.get("user_id"),
    )
}

pub(crate) fn users_by_email(tx: &Tx<'_>, email: &str, most: u32) -> Result<Vec<UserId>> {
    tx.query(
        "SELECT user_id FROM scim_emails WHERE email_key = $1 ORDER BY user_id LIMIT $2",
        params![key(email), most],
        |row| row.get("user_id"),
    )
}

/// Keeps what was given of a person, and every e-mail of it.
pub(crate) fn put_user(tx: &Tx<'_>, id: &UserId, kept: &KeptUser, emails: &[&str]) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_users
           (user_id, user_name, user_name_key, external_id, attributes, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (user_id) DO UPDATE SET user_name = excluded.user_name,
           user_name_key = excluded.user_name_key, external_id = excluded.external_id,
           attributes = excluded.attributes, updated_at = excluded.updated_at",
        params![
            id,
            &kept.user_name,
            key(&kept.user_name),
            kept.external_id.clone(),
            serde_json::to_string(&kept.attributes)?,
            kept.updated_at
        ],
    )?;
    tx.execute("DELETE FROM scim_emails WHERE user_id = $1", params![id])?;
    for email in emails {
        tx.execute(
            "INSERT INTO scim_emails (user_id, email_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![id, key(email)],
        )?;
    }
    Ok(())
}

/// Forgets what was given of a person, who may stay.
pub(crate) fn forget_user(tx: &Tx<'_>, id: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM scim_emails WHERE user_id = $1", params![id])?;
    tx.execute("DELETE FROM scim_users WHERE user_id = $1", params![id])
}

/// What was given of a group: the client's id, and when.
#[derive(Debug, Clone)]
pub(crate) struct KeptGroup {
    pub external_id: Option<String>,
    pub updated_at: Timestamp,
}

const GROUP: &str = "SELECT group_id, external_id, updated_at FROM scim_groups";

fn group(row: &Row<'_>) -> Result<(GroupId, KeptGroup)> {
    let kept = KeptGroup { external_id: row.get("external_id")?, updated_at: row.get("updated_at")? };
    Ok((row.get("group_id")?, kept))
}

pub(crate) fn groups(tx: &Tx<'_>) -> Result<HashMap<GroupId, KeptGroup>> {
    Ok(tx.query(GROUP, params![], group)?.into_iter().collect())
}

pub(crate) fn group_by_id(tx: &Tx<'_>, id: &GroupId) -> Result<Option<KeptGroup>> {
    let found = tx.query_one(&format!("{GROUP} WHERE group_id = $1"), params![id], group)?;
    Ok(found.map(|(_, kept)| kept))
}

pub(crate) fn put_group(tx: &Tx<'_>, id: &GroupId, external_id: Option<&str>) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_groups (group_id, external_id, created_at, updated_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (group_id) DO UPDATE SET external_id = excluded.external_id,
           updated_at = excluded.updated_at",
        params![id, external_id, tx.now()],
    )?;
    Ok(())
}

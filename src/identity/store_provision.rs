//! SQL of people and groups as programs that provision them see them.

use lectern_kernel::{GroupId, Role, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, Value, params};

use crate::provision::{ProvisionedGroup, ProvisionedPerson};
use crate::store_groups::name_key;
use crate::store_people::state;

type Result<T> = std::result::Result<T, StoreError>;

const PERSON: &str = "SELECT id, name, email, role, state, created_at, updated_at FROM users";

fn person(row: &Row<'_>) -> Result<ProvisionedPerson> {
    let role: Role = row.get("role")?;
    Ok(ProvisionedPerson {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        role,
        state: state(&row.get::<String>("state")?),
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

pub(crate) fn person_by_id(tx: &Tx<'_>, id: &UserId) -> Result<Option<ProvisionedPerson>> {
    tx.query_one(&format!("{PERSON} WHERE id = $1"), params![id], person)
}

pub(crate) fn person_by_email(tx: &Tx<'_>, email_key: &str) -> Result<Option<ProvisionedPerson>> {
    tx.query_one(&format!("{PERSON} WHERE email_key = $1"), params![email_key], person)
}

/// Ids of the people with this name; letters of ASCII are compared without case.
pub(crate) fn people_by_name(tx: &Tx<'_>, name: &str, most: u32) -> Result<Vec<UserId>> {
    tx.query(
        "SELECT id FROM users WHERE lower(name) = lower($1) ORDER BY id LIMIT $2",
        params![name, most],
        |row| row.get("id"),
    )
}

/// The oldest first, after an id.
pub(crate) fn people_after(tx: &Tx<'_>, after: &str, limit: u32) -> Result<Vec<ProvisionedPerson>> {
    tx.query(&format!("{PERSON} WHERE id > $1 ORDER BY id LIMIT $2"), params![after, limit], person)
}

/// The oldest first, after so many.
pub(crate) fn people_from(tx: &Tx<'_>, offset: u64, limit: u32) -> Result<Vec<ProvisionedPerson>> {
    tx.query(&format!("{PERSON} ORDER BY id LIMIT $2 OFFSET $1"), params![offset, limit], person)
}

pub(crate) fn set_email(tx: &Tx<'_>, id: &UserId, email: &str, email_key: &str) -> Result<()> {
    tx.execute(
        "UPDATE users SET email = $2, email_key = $3, updated_at = $4 WHERE id = $1",
        params![id, email, email_key, tx.now()],
    )?;
    Ok(())
}

/// Ids and names of a person's groups.
pub(crate) fn groups_of(tx: &Tx<'_>, user: &UserId) -> Result<Vec<(GroupId, String)>> {
    tx.query(
        "SELECT g.id, g.name FROM groups g JOIN group_members m ON m.group_id = g.id
         WHERE m.user_id = $1 ORDER BY g.id",
        params![user],
        |row| Ok((row.get("id")?, row.get("name")?)),
    )
}

/// Ids and names of a group's people.
pub(crate) fn members(tx: &Tx<'_>, group: &GroupId) -> Result<Vec<(UserId, String)>> {
    tx.query(
        "SELECT u.id, u.name FROM users u JOIN group_members m ON m.user_id = u.id
         WHERE m.group_id = $1 ORDER BY u.id",
        params![group],
        |row| Ok((row.get("id")?, row.get("name")?)),
    )
}

/// All groups, the oldest first; `id` and `name` restrict them.
pub(crate) fn groups(tx: &Tx<'_>, id: Option<&GroupId>, name: Option<&str>) -> Result<Vec<ProvisionedGroup>> {
    let (id, name): (Value, Value) = (id.into(), name.map(name_key).into());
    tx.query(
        "SELECT id, name, created_at, updated_at FROM groups
         WHERE ($1 IS NULL OR id = $1) AND ($2 IS NULL OR name_key = $2) ORDER BY id",
        &[id, name],
        |row| {
            let updated_at: Timestamp = row.get("updated_at")?;
            Ok(ProvisionedGroup {
                id: row.get("id")?,
                name: row.get("name")?,
                created_at: row.get("created_at")?,
                updated_at,
            })
        },
    )
}

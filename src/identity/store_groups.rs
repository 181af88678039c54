//! SQL of groups and roles in a tenant's database.

use lectern_kernel::{Code, Error, GroupId, Role, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::model_people::{GroupKind, GroupView, RoleView};

type Result<T> = std::result::Result<T, StoreError>;

pub(crate) fn role_permissions(tx: &Tx<'_>, role: &Role) -> Result<Vec<String>> {
    tx.query(
        "SELECT permission FROM role_permissions WHERE role = $1 ORDER BY permission",
        params![role],
        |row| row.get("permission"),
    )
}

pub(crate) fn list_roles(tx: &Tx<'_>) -> Result<Vec<RoleView>> {
    let named: Vec<(Role, String)> =
        tx.query("SELECT name, title FROM roles ORDER BY name", params![], |row| {
            Ok((row.get("name")?, row.get("title")?))
        })?;
    named
        .into_iter()
        .map(|(name, title)| {
            let permissions = role_permissions(tx, &name)?;
            Ok(RoleView { name, title, built_in: false, permissions })
        })
        .collect()
}

pub(crate) fn insert_role(tx: &Tx<'_>, role: &RoleView) -> Result<()> {
    let inserted = tx.execute(
        "INSERT INTO roles (name, title, created_at, updated_at) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING",
        params![&role.name, &role.title, tx.now()],
    )?;
    if inserted == 0 {
        return Err(Error::new(Code::Conflict, "There is a role with this name already.").into());
    }
    insert_permissions(tx, role)
}

fn insert_permissions(tx: &Tx<'_>, role: &RoleView) -> Result<()> {
    for permission in &role.permissions {
        tx.execute(
            "INSERT INTO role_permissions (role, permission) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![&role.name, permission],
        )?;
    }
    Ok(())
}

pub(crate) fn update_role(tx: &Tx<'_>, role: &RoleView) -> Result<()> {
    tx.execute(
        "UPDATE roles SET title = $2, updated_at = $3 WHERE name = $1",
        params![&role.name, &role.title, tx.now()],
    )?;
    tx.execute("DELETE FROM role_permissions WHERE role = $1", params![&role.name])?;
    insert_permissions(tx, role)
}

pub(crate) fn delete_role(tx: &Tx<'_>, name: &Role) -> Result<usize> {
    tx.execute("DELETE FROM roles WHERE name = $1", params![name])
}

pub(crate) fn role_exists(tx: &Tx<'_>, name: &Role) -> Result<bool> {
    Ok(name.is_built_in()
        || tx.scalar::<i64>("SELECT 1 FROM roles WHERE name = $1", params![name])?.is_some())
}

/// People, open invitations and providers that give the role.
pub(crate) fn count_with_role(tx: &Tx<'_>, name: &Role) -> Result<u64> {
    let found = tx.scalar(
        "SELECT (SELECT count(*) FROM users WHERE role = $1) + (SELECT count(*) FROM invitations WHERE role = $1)
           + (SELECT count(*) FROM sign_in_providers WHERE default_role = $1)
           + (SELECT count(*) FROM provider_mappings WHERE role = $1)",
        params![name],
    )?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn groups_of(tx: &Tx<'_>, user: &UserId) -> Result<Vec<GroupId>> {
    tx.query(
        "SELECT group_id FROM group_members WHERE user_id = $1 ORDER BY group_id",
        params![user],
        |row| row.get("group_id"),
    )
}

/// The groups with the number of their members, by name; `user` restricts them to that person's.
pub(crate) fn list_groups(tx: &Tx<'_>, user: Option<&UserId>) -> Result<Vec<GroupView>> {
    tx.query(
        "SELECT g.id, g.name, g.kind, g.created_at,
           (SELECT count(*) FROM group_members m WHERE m.group_id = g.id) AS members
         FROM groups g
         WHERE $1 = '' OR g.id IN (SELECT group_id FROM group_members WHERE user_id = $1)
         ORDER BY g.name_key",
        params![user.map_or("", UserId::as_str)],
        group,
    )
}

pub(crate) fn count_groups(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM groups", params![])?.unwrap_or_default())
}

pub(crate) fn find_group(tx: &Tx<'_>, id: &GroupId) -> Result<Option<GroupView>> {
    tx.query_one(
        "SELECT g.id, g.name, g.kind, g.created_at,
           (SELECT count(*) FROM group_members m WHERE m.group_id = g.id) AS members
         FROM groups g WHERE g.id = $1",
        params![id],
        group,
    )
}

fn group(row: &Row<'_>) -> Result<GroupView> {
    let kind: String = row.get("kind")?;
    let kind = if kind == "workspace" { GroupKind::Workspace } else { GroupKind::Group };
    Ok(GroupView {
        id: row.get("id")?,
        name: row.get("name")?,
        kind,
        members: row.get("members")?,
        created_at: row.get("created_at")?,
    })
}

fn taken() -> StoreError {
    Error::new(Code::Conflict, "There is a group with this name already.").into()
}

pub(crate) fn insert_group(tx: &Tx<'_>, group: &GroupView) -> Result<()> {
    let inserted = tx.execute(
        "INSERT INTO groups (id, name, name_key, kind, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
        params![&group.id, &group.name, name_key(&group.name), group.kind.as_str(), group.created_at],
    )?;
    if inserted == 0 { Err(taken()) } else { Ok(()) }
}

pub(crate) fn rename_group(tx: &Tx<'_>, id: &GroupId, name: &str, now: Timestamp) -> Result<()> {
    let other = tx.scalar::<i64>(
        "SELECT 1 FROM groups WHERE name_key = $2 AND id <> $1",
        params![id, name_key(name)],
    )?;
    if other.is_some() {
        return Err(taken());
    }
    tx.execute(
        "UPDATE groups SET name = $2, name_key = $3, updated_at = $4 WHERE id = $1",
        params![id, name, name_key(name), now],
    )?;
    Ok(())
}

pub(crate) fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

pub(crate) fn delete_group(tx: &Tx<'_>, id: &GroupId) -> Result<usize> {
    tx.execute("DELETE FROM groups WHERE id = $1", params![id])
}

pub(crate) fn members(tx: &Tx<'_>, id: &GroupId) -> Result<Vec<UserId>> {
    tx.query("SELECT user_id FROM group_members WHERE group_id = $1 ORDER BY user_id", params![id], |row| {
        row.get("user_id")
    })
}

/// Puts a person into a group of the tenant; an error when either is not there.
pub(crate) fn add_member(tx: &Tx<'_>, group: &GroupId, user: &UserId) -> Result<()> {
    let known = tx.scalar::<i64>(
        "SELECT 1 FROM groups g, users u WHERE g.id = $1 AND u.id = $2",
        params![group, user],
    )?;
    if known.is_none() {
        return Err(Error::new(Code::InvalidField, "There is no such person or group.").into());
    }
    tx.execute(
        "INSERT INTO group_members (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![group, user],
    )?;
    Ok(())
}

pub(crate) fn remove_member(tx: &Tx<'_>, group: &GroupId, user: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM group_members WHERE group_id = $1 AND user_id = $2", params![group, user])
}

pub(crate) fn clear_groups_of(tx: &Tx<'_>, user: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM group_members WHERE user_id = $1", params![user])
}

pub(crate) fn clear_members(tx: &Tx<'_>, group: &GroupId) -> Result<usize> {
    tx.execute("DELETE FROM group_members WHERE group_id = $1", params![group])
}

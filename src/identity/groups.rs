//! Groups and workspaces: who is in them. What they may see is said by the access lists of documents.

use lectern_kernel::{Code, Error, GroupId, Result, Scope, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model_people::{GroupView, NewGroup, PatchGroup};
use crate::{Identity, store_groups};

const GROUPS_A_TENANT: u64 = 2_000;

impl Identity {
    /// All groups of the tenant, by name.
    pub async fn groups(&self, scope: &Scope) -> Result<Vec<GroupView>> {
        Ok(self.tenant(scope)?.db.read(|tx| store_groups::list_groups(tx, None)).await?)
    }

    /// The groups that a person is in.
    pub async fn groups_of(&self, scope: &Scope, user: &UserId) -> Result<Vec<GroupView>> {
        let user = user.clone();
        Ok(self.tenant(scope)?.db.read(move |tx| store_groups::list_groups(tx, Some(&user))).await?)
    }

    pub async fn create_group(&self, scope: &Scope, new: NewGroup) -> Result<GroupView> {
        let (id, now, scope) = (GroupId::generate(), self.now(), scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let name = new.name.trim().to_owned();
            let group = GroupView { id: id.clone(), name, kind: new.kind, members: 0, created_at: now };
            make(tx, &scope, &group, &new.members)?;
            found(tx, &id)
        });
        let view = written.await?;
        self.inner.cache.clear();
        Ok(view)
    }

    pub async fn change_group(&self, scope: &Scope, id: &GroupId, patch: PatchGroup) -> Result<GroupView> {
        let (id, scope) = (id.clone(), scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            put(tx, &scope, &id, &patch)?;
            found(tx, &id)
        });
        let view = written.await?;
        self.inner.cache.clear();
        Ok(view)
    }

    /// Removes a group; access lists that name it name nobody by it any more.
    pub async fn delete_group(&self, scope: &Scope, id: &GroupId) -> Result<()> {
        let (id, scope) = (id.clone(), scope.clone());
        self.tenant(&scope)?.db.write(move |tx| remove(tx, &scope, &id)).await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Ids of the people in a group.
    pub async fn group_members(&self, scope: &Scope, id: &GroupId) -> Result<Vec<UserId>> {
        let id = id.clone();
        let store = self.tenant(scope)?;
        let read = store.db.read(move |tx| {
            found(tx, &id)?;
            store_groups::members(tx, &id)
        });
        Ok(read.await?)
    }
}

pub(crate) fn make(
    tx: &mut Tx<'_>,
    scope: &Scope,
    group: &GroupView,
    members: &[UserId],
) -> Result<(), StoreError> {
    if store_groups::count_groups(tx)? >= GROUPS_A_TENANT {
        return Err(Error::new(Code::Conflict, "There are 2,000 groups already.").into());
    }
    let id = &group.id;
    store_groups::insert_group(tx, group)?;
    members.iter().try_for_each(|user| store_groups::add_member(tx, id, user))?;
    let after = described(tx, id)?;
    audit::record(tx, scope, Change::new("group.created", id.as_str()).after(&after))?;
    outbox::push(tx, "group.created", id.as_str(), &after)
}

pub(crate) fn put(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: &GroupId,
    patch: &PatchGroup,
) -> Result<(), StoreError> {
    let before = described(tx, id)?;
    if let Some(name) = &patch.name {
        store_groups::rename_group(tx, id, name.trim(), tx.now())?;
    }
    if patch.members.is_some() {
        store_groups::clear_members(tx, id)?;
    }
    let add = patch.members.iter().flatten().chain(&patch.add);
    add.into_iter().try_for_each(|user| store_groups::add_member(tx, id, user))?;
    for user in &patch.remove {
        store_groups::remove_member(tx, id, user)?;
    }
    let after = described(tx, id)?;
    let change = Change::new("group.changed", id.as_str()).before(&before).after(&after);
    audit::record(tx, scope, change)?;
    outbox::push(tx, "group.changed", id.as_str(), &after)
}

pub(crate) fn remove(tx: &mut Tx<'_>, scope: &Scope, id: &GroupId) -> Result<(), StoreError> {
    let before = described(tx, id)?;
    store_groups::delete_group(tx, id)?;
    audit::record(tx, scope, Change::new("group.deleted", id.as_str()).before(&before))?;
    outbox::push(tx, "group.deleted", id.as_str(), &())
}

fn found(tx: &Tx<'_>, id: &GroupId) -> Result<GroupView, StoreError> {
    store_groups::find_group(tx, id)?.ok_or_else(|| Error::not_found("group").into())
}

fn described(tx: &Tx<'_>, id: &GroupId) -> Result<serde_json::Value, StoreError> {
    let group = found(tx, id)?;
    Ok(json!({ "name": group.name, "kind": group.kind, "members": store_groups::members(tx, id)? }))
}

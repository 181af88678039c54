//! Groups: found, made, changed and removed, with their members.

use std::collections::BTreeSet;

use lectern_identity::{Afterwards, PatchGroup, ProvisionedGroup};
use lectern_kernel::{GroupId, Scope, UserId};
use lectern_store::{StoreError, Tx};

use crate::fits::Hint;
use crate::list::Source;
use crate::path::Fields;
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::resource::Precondition;
use crate::schema::ResourceType;
use crate::store::{self, KeptGroup};
use crate::types::GROUP;
use crate::users::Edit;
use crate::{Caller, Scim, group, patch};

impl Scim {
    pub(crate) async fn group(&self, scope: &Scope, id: GroupId) -> Result<Fields> {
        let this = self.clone();
        let store = self.tenant(scope)?;
        let read = store.db.read(move |tx| this.load_group(tx, &id));
        Ok(read.await?)
    }

    fn load_group(&self, tx: &Tx<'_>, id: &GroupId) -> Result<Fields, StoreError> {
        let found = Groups(self).one(tx, id.as_str(), true)?;
        found.ok_or_else(|| Refusal::not_found("group").into())
    }

    pub(crate) async fn create_group(&self, caller: &Caller, new: Fields) -> Result<Fields> {
        let (this, own) = (self.clone(), caller.clone());
        let store = self.tenant(&caller.scope)?;
        let written = store.db.write(move |tx| {
            let (name, members) = (group::name(&new)?, group::members(&new)?);
            this.is_free_name(tx, None, name)?;
            this.are_people(tx, &members)?;
            let members: Vec<UserId> = members.into_iter().collect();
            let id = this.identity.add_provisioned_group(tx, &own.scope, name, &members)?;
            store::put_group(tx, &id, group::external_id(&new))?;
            this.load_group(tx, &id)
        });
        let made = written.await?;
        self.identity.provisioned(&caller.scope, Afterwards::default()).await?;
        Ok(made)
    }

    pub(crate) async fn change_group(
        &self,
        caller: &Caller,
        id: GroupId,
        known: Precondition,
        edit: Edit,
    ) -> Result<Fields> {
        let (this, own) = (self.clone(), caller.clone());
        let store = self.tenant(&caller.scope)?;
        let written = store.db.write(move |tx| {
            let before = this.load_group(tx, &id)?;
            known.check(&before)?;
            let after = match edit {
                Edit::Whole(after) => after,
                Edit::Patch(operations) => {
                    let mut after = before.clone();
                    patch::apply(&GROUP, &mut after, &operations)?;
                    after
                }
            };
            let name = group::name(&after)?;
            let (old, new) = (group::members(&before)?, group::members(&after)?);
            let external_id = group::external_id(&after);
            if (name, &new, external_id) == (group::name(&before)?, &old, group::external_id(&before)) {
                return Ok(before);
            }
            this.is_free_name(tx, Some(&id), name)?;
            let add: BTreeSet<UserId> = new.difference(&old).cloned().collect();
            this.are_people(tx, &add)?;
            let change = PatchGroup {
                name: Some(name.to_owned()),
                members: None,
                add: add.into_iter().collect(),
                remove: old.difference(&new).cloned().collect(),
            };
            this.identity.change_provisioned_group(tx, &own.scope, &id, &change)?;
            store::put_group(tx, &id, external_id)?;
            this.load_group(tx, &id)
        });
        let view = written.await?;
        self.identity.provisioned(&caller.scope, Afterwards::default()).await?;
        Ok(view)
    }

    pub(crate) async fn remove_group(&self, caller: &Caller, id: GroupId, known: Precondition) -> Result<()> {
        let (this, own) = (self.clone(), caller.clone());
        let store = self.tenant(&caller.scope)?;
        let written = store.db.write(move |tx| {
            known.check(&this.load_group(tx, &id)?)?;
            this.identity.remove_provisioned_group(tx, &own.scope, &id)
        });
        written.await?;
        Ok(self.identity.provisioned(&caller.scope, Afterwards::default()).await?)
    }

    fn is_free_name(&self, tx: &Tx<'_>, own: Option<&GroupId>, name: &str) -> Result<(), StoreError> {
        let found = self.identity.provisioned_groups(tx, None, Some(name))?;
        if found.iter().all(|group| Some(&group.id) == own) {
            return Ok(());
        }
        Err(Refusal::new(Wrong::Uniqueness, "There is a group with this name already.").into())
    }

    fn are_people(&self, tx: &Tx<'_>, members: &BTreeSet<UserId>) -> Result<(), StoreError> {
        for id in members {
            if self.identity.provisioned_person(tx, id)?.is_none() {
                return Err(group::unknown(id.as_str()).into());
            }
        }
        Ok(())
    }

    fn build_group(
        &self,
        tx: &Tx<'_>,
        found: &ProvisionedGroup,
        kept: Option<&KeptGroup>,
        links: bool,
    ) -> Result<Fields, StoreError> {
        let members = if links { self.identity.provisioned_members(tx, &found.id)? } else { Vec::new() };
        Ok(group::build(found, kept, members))
    }
}

/// The groups of a tenant; there are never so many that an index beside the database's own would help.
pub(crate) struct Groups<'a>(pub &'a Scim);

impl Groups<'_> {
    fn some(
        &self,
        tx: &Tx<'_>,
        found: impl Iterator<Item = ProvisionedGroup>,
        links: bool,
    ) -> Result<Vec<Fields>, StoreError> {
        let kept = store::groups(tx)?;
        found.map(|found| self.0.build_group(tx, &found, kept.get(&found.id), links)).collect()
    }
}

impl Source for Groups<'_> {
    fn kind(&self) -> &'static ResourceType {
        &GROUP
    }

    fn candidates(&self, tx: &Tx<'_>, hint: &Hint) -> Result<Option<Vec<String>>, StoreError> {
        match hint.attribute {
            "id" => Ok(Some(vec![hint.value.clone()])),
            "displayName" => {
                let found = self.0.identity.provisioned_groups(tx, None, Some(&hint.value))?;
                Ok(Some(found.iter().map(|group| group.id.to_string()).collect()))
            }
            "externalId" => {
                let mut ids: Vec<String> = store::groups(tx)?
                    .into_iter()
                    .filter(|(_, kept)| kept.external_id.as_deref() == Some(&hint.value))
                    .map(|(id, _)| id.to_string())
                    .collect();
                ids.sort_unstable();
                Ok(Some(ids))
            }
            _ => Ok(None),
        }
    }

    fn after(&self, tx: &Tx<'_>, id: &str, limit: u32, links: bool) -> Result<Vec<Fields>, StoreError> {
        let all = self.0.identity.provisioned_groups(tx, None, None)?;
        let page = all.into_iter().filter(|group| group.id.as_str() > id).take(limit as usize);
        self.some(tx, page, links)
    }

    fn page(
        &self,
        tx: &Tx<'_>,
        offset: u64,
        limit: u32,
        links: bool,
    ) -> Result<(Vec<Fields>, u64), StoreError> {
        let all = self.0.identity.provisioned_groups(tx, None, None)?;
        let total = all.len() as u64;
        let page = all.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(limit as usize);
        Ok((self.some(tx, page, links)?, total))
    }

    fn one(&self, tx: &Tx<'_>, id: &str, links: bool) -> Result<Option<Fields>, StoreError> {
        let Ok(id) = id.parse::<GroupId>() else { return Ok(None) };
        let found = self.0.identity.provisioned_groups(tx, Some(&id), None)?.pop();
        let kept = store::group_by_id(tx, &id)?;
        found.map(|found| self.0.build_group(tx, &found, kept.as_ref(), links)).transpose()
    }
}

//! A narrow way in for programs that provision people and groups: inside a transaction of the caller, who keeps more
//! about them beside it. All rules hold as they do for administrators.

use lectern_kernel::{Code, Error, GroupId, Result, Rights, Role, Scope, Timestamp, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::{UserView, check_email, check_name, email_key};
use crate::model_people::{GroupKind, GroupView, PatchGroup, UserState};
use crate::people::found;
use crate::policy::wrong_domain;
use crate::store_people::UserRow;
use crate::{Identity, groups, secret, store_control, store_people, store_policy, store_provision};

/// A person as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedPerson {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub state: UserState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What somebody is to be.
#[derive(Debug, Clone)]
pub struct PersonWanted {
    pub name: String,
    pub email: String,
    pub role: Role,
    pub state: UserState,
    /// ISO 639-1 code; absent leaves it as it is.
    pub language: Option<String>,
}

/// A group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedGroup {
    pub id: GroupId,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be done outside the tenant's database when the transaction is through; give it to
/// [`Identity::provisioned`].
#[derive(Debug, Default)]
#[must_use]
pub struct Afterwards {
    /// Compared form of an e-mail that nobody has any more.
    forgotten: Option<String>,
    removed: Option<UserId>,
}

impl Identity {
    /// The rights of a program that may give the roles of ordinary people without holding what they hold.
    pub fn rights_to_provision(&self, rights: &Rights) -> Rights {
        let (member, viewer) =
            (self.inner.catalogue.built_in(&Role::MEMBER), self.inner.catalogue.built_in(&Role::VIEWER));
        if member.are_within(rights) {
            return rights.clone();
        }
        let names = rights.names().chain(member.names()).chain(viewer.names());
        names.map(str::to_owned).collect()
    }

    /// Adds a person without a password.
    pub fn add_provisioned(
        &self,
        tx: &mut Tx<'_>,
        (scope, rights): (&Scope, &Rights),
        wanted: &PersonWanted,
    ) -> Result<UserId, StoreError> {
        let wanted = checked(wanted)?;
        self.may_give(tx, rights, &wanted.role)?;
        self.check_room(tx, scope.tenant())?;
        self.may_come(tx, scope, &wanted.email)?;
        let PersonWanted { name, email, role, state, language } = wanted;
        let view = UserView { id: UserId::generate(), name, email, role, language, voice: None };
        let key = email_key(&view.email);
        store_people::delete_invitations_of(tx, &key)?;
        store_people::insert_user(tx, &UserRow { view: &view, email_key: &key, password: None })?;
        audit::record(tx, scope, Change::new("user.created", view.id.as_str()).after(&json!(view)))?;
        outbox::push(tx, "user.created", view.id.as_str(), &view)?;
        let mut person = found(tx, &view.id)?;
        (person.state, person.language) = (state, view.language);
        store_people::update_person(tx, &person)?;
        Ok(view.id)
    }

    /// Makes a person what they are to be.
    pub fn change_provisioned(
        &self,
        tx: &mut Tx<'_>,
        (scope, rights): (&Scope, &Rights),
        id: &UserId,
        wanted: &PersonWanted,
    ) -> Result<Afterwards, StoreError> {
        let wanted = checked(wanted)?;
        let before = found(tx, id)?;
        let mut after = before.clone();
        after.language = wanted.language.or(after.language);
        (after.name, after.email) = (wanted.name, wanted.email);
        (after.role, after.state) = (wanted.role, wanted.state);
        self.put_person(tx, (scope, rights), &before, &after)?;
        let (old, new) = (email_key(&before.email), email_key(&after.email));
        if before.email != after.email {
            if old != new {
                self.may_come(tx, scope, &after.email)?;
                // Links that went to the old address end with it.
                store_people::delete_invitations_of(tx, &old)?;
            }
            store_provision::set_email(tx, id, &after.email, &new)?;
        }
        Ok(Afterwards { forgotten: Some(old).filter(|old| *old != new), removed: None })
    }

    pub fn remove_provisioned(
        &self,
        tx: &mut Tx<'_>,
        who: (&Scope, &Rights),
        id: &UserId,
    ) -> Result<Afterwards, StoreError> {
        let before = self.take_out(tx, who, id)?;
        Ok(Afterwards { forgotten: Some(email_key(&before.email)), removed: Some(before.id) })
    }

    /// Whether the e-mail is of a domain that may come, and nobody's yet; and notes that the tenant may know it. A name
    /// too much, when the transaction is not kept, only costs a look.
    fn may_come(&self, tx: &Tx<'_>, scope: &Scope, email: &str) -> Result<(), StoreError> {
        let (policy, key) = (store_policy::policy(tx)?, email_key(email));
        if !policy.invites(email) {
            return Err(wrong_domain(&policy).into());
        }
        if store_people::account_by_email(tx, &key)?.is_some() {
            return Err(Error::new(Code::Conflict, "There is a user with this e-mail already.").into());
        }
        let name = secret::fingerprint(&key);
        self.control().write_now(|tx| store_control::add_name(tx, &name, scope.tenant()))
    }

    /// After the transaction: what was known for a while is forgotten.
    pub async fn provisioned(&self, scope: &Scope, done: Afterwards) -> Result<()> {
        self.inner.cache.clear();
        if let Some(key) = done.forgotten {
            self.forget_name(scope.tenant(), &key).await?;
        }
        if let Some(id) = done.removed {
            self.control().write(move |tx| store_control::remove_operator(tx, id.as_str())).await?;
        }
        Ok(())
    }

    pub fn provisioned_person(
        &self,
        tx: &Tx<'_>,
        id: &UserId,
    ) -> Result<Option<ProvisionedPerson>, StoreError> {
        store_provision::person_by_id(tx, id)
    }

    pub fn provisioned_by_email(
        &self,
        tx: &Tx<'_>,
        email: &str,
    ) -> Result<Option<ProvisionedPerson>, StoreError> {
        store_provision::person_by_email(tx, &email_key(email))
    }

    pub fn provisioned_by_name(&self, tx: &Tx<'_>, name: &str, most: u32) -> Result<Vec<UserId>, StoreError> {
        store_provision::people_by_name(tx, name, most)
    }

    /// The people after an id, which is empty at the beginning; the oldest first.
    pub fn provisioned_after(
        &self,
        tx: &Tx<'_>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ProvisionedPerson>, StoreError> {
        store_provision::people_after(tx, after, limit)
    }

    /// The people after so many, and how many there are.
    pub fn provisioned_from(
        &self,
        tx: &Tx<'_>,
        offset: u64,
        limit: u32,
    ) -> Result<(Vec<ProvisionedPerson>, u64), StoreError> {
        Ok((store_provision::people_from(tx, offset, limit)?, store_people::count_users(tx)?))
    }

    /// Ids and names of a person's groups.
    pub fn provisioned_groups_of(
        &self,
        tx: &Tx<'_>,
        id: &UserId,
    ) -> Result<Vec<(GroupId, String)>, StoreError> {
        store_provision::groups_of(tx, id)
    }

    /// All groups, or those with an id or a name; the oldest first.
    pub fn provisioned_groups(
        &self,
        tx: &Tx<'_>,
        id: Option<&GroupId>,
        name: Option<&str>,
    ) -> Result<Vec<ProvisionedGroup>, StoreError> {
        store_provision::groups(tx, id, name)
    }

    /// Ids and names of a group's people.
    pub fn provisioned_members(
        &self,
        tx: &Tx<'_>,
        id: &GroupId,
    ) -> Result<Vec<(UserId, String)>, StoreError> {
        store_provision::members(tx, id)
    }

    pub fn add_provisioned_group(
        &self,
        tx: &mut Tx<'_>,
        scope: &Scope,
        name: &str,
        members: &[UserId],
    ) -> Result<GroupId, StoreError> {
        let name = checked_name(name)?;
        let id = GroupId::generate();
        let kind = GroupKind::Group;
        let group = GroupView { id: id.clone(), name, kind, members: 0, created_at: tx.now() };
        groups::make(tx, scope, &group, members)?;
        Ok(id)
    }

    pub fn change_provisioned_group(
        &self,
        tx: &mut Tx<'_>,
        scope: &Scope,
        id: &GroupId,
        patch: &PatchGroup,
    ) -> Result<(), StoreError> {
        if let Some(name) = &patch.name {
            checked_name(name)?;
        }
        groups::put(tx, scope, id, patch)
    }

    pub fn remove_provisioned_group(
        &self,
        tx: &mut Tx<'_>,
        scope: &Scope,
        id: &GroupId,
    ) -> Result<(), StoreError> {
        groups::remove(tx, scope, id)
    }
}

fn checked_name(name: &str) -> Result<String> {
    let mut errors = Vec::new();
    check_name(name, &mut errors);
    match errors.pop() {
        Some(wrong) => Err(Error::field(&wrong.field, wrong.message)),
        None => Ok(name.trim().to_owned()),
    }
}

fn checked(wanted: &PersonWanted) -> Result<PersonWanted> {
    let mut errors = Vec::new();
    check_name(&wanted.name, &mut errors);
    check_email(&wanted.email, &mut errors);
    if let Some(wrong) = errors.pop() {
        return Err(Error::field(&wrong.field, wrong.message));
    }
    let (name, email) = (wanted.name.trim().to_owned(), wanted.email.trim().to_owned());
    Ok(PersonWanted { name, email, ..wanted.clone() })
}

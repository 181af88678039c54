//! The people of a tenant: listed, changed, let in or not, removed; and what each may do about themselves.

use lectern_kernel::{
    Code, Cursor, Error, Page, PageRequest, Principal, Result, Rights, Role, Scope, SessionId, UserId,
};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::{UserView, email_key};
use crate::model_people::{
    OpenSessionView, PatchPerson, PatchProfile, PeopleParameters, PersonView, UserState,
};
use crate::roles::{Catalogue, holds_all};
use crate::session::own_session;
use crate::store_people::WantedPeople;
use crate::{Identity, store, store_groups, store_people};

impl Identity {
    /// People of the tenant, the oldest first.
    pub async fn people(&self, scope: &Scope, wanted: PeopleParameters) -> Result<Page<PersonView>> {
        let page = PageRequest { limit: wanted.limit, cursor: wanted.cursor };
        let (limit, position) = (page.limit(), page.position()?);
        let wanted = WantedPeople {
            text: wanted.q.unwrap_or_default(),
            role: wanted.role.unwrap_or_default(),
            group: wanted.group.unwrap_or_default(),
            after: position.map(|cursor| cursor.id).unwrap_or_default(),
        };
        let (mut items, total) = self
            .tenant(scope)?
            .db
            .read(move |tx| {
                let items = store_people::list_people(tx, &wanted, limit + 1)?;
                Ok((items, store_people::count_people(tx, &wanted)?))
            })
            .await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            let id = last.id.to_string();
            Cursor { key: id.clone(), id }.encode()
        });
        Ok(Page { items, next_cursor, total })
    }

    pub async fn person(&self, scope: &Scope, id: &UserId) -> Result<PersonView> {
        let id = id.clone();
        let found = self.tenant(scope)?.db.read(move |tx| store_people::person_by_id(tx, &id)).await?;
        found.ok_or_else(|| Error::not_found("person"))
    }

    /// Changes a person. Nobody gives what they do not have, or changes those who have more; an owner stays.
    pub async fn change_person(
        &self,
        scope: &Scope,
        rights: &Rights,
        id: &UserId,
        patch: PatchPerson,
    ) -> Result<PersonView> {
        let (id, scope, rights, this) = (id.clone(), scope.clone(), rights.clone(), self.clone());
        let view = self
            .tenant(&scope)?
            .db
            .write(move |tx| {
                let before = found(tx, &id)?;
                let after = patched(&before, patch);
                this.put_person(tx, (&scope, &rights), &before, &after)?;
                found(tx, &id)
            })
            .await?;
        self.inner.cache.clear();
        Ok(view)
    }

    /// Puts a person in place of how they were, if these rights may do that.
    pub(crate) fn put_person(
        &self,
        tx: &mut Tx<'_>,
        (scope, rights): (&Scope, &Rights),
        before: &PersonView,
        after: &PersonView,
    ) -> Result<(), StoreError> {
        let id = &before.id;
        below(tx, &self.inner.catalogue, rights, &before.role)?;
        if after.role != before.role {
            self.may_give(tx, rights, &after.role)?;
        }
        let ends = after.state != before.state || after.role != before.role;
        if ends && before.role == Role::OWNER {
            another_owner(tx, id)?;
        }
        store_people::update_person(tx, after)?;
        put_groups(tx, id, before, after)?;
        if after.state == UserState::Disabled {
            store::delete_sessions(tx, id, None)?;
        }
        let (told, now) = (json!(before), json!(after));
        audit::record(tx, scope, Change::new("user.changed", id.as_str()).before(&told).after(&now))?;
        outbox::push(tx, "user.changed", id.as_str(), after)
    }

    /// Whether somebody with these rights may give a role.
    pub(crate) fn may_give(&self, tx: &Tx<'_>, rights: &Rights, role: &Role) -> Result<(), StoreError> {
        if !store_groups::role_exists(tx, role)? {
            return Err(Error::field("role", format!("there is no role '{role}'")).into());
        }
        let given: Vec<String> = self.inner.catalogue.rights(tx, role)?.names().map(str::to_owned).collect();
        Ok(holds_all(rights, &given)?)
    }

    /// Removes a person; what they asked and added stays until it is erased.
    pub async fn remove_person(&self, scope: &Scope, rights: &Rights, id: &UserId) -> Result<PersonView> {
        let (wanted, own, rights, this) = (id.clone(), scope.clone(), rights.clone(), self.clone());
        let before =
            self.tenant(scope)?.db.write(move |tx| this.take_out(tx, (&own, &rights), &wanted)).await?;
        self.inner.cache.clear();
        self.forget_name(scope.tenant(), &email_key(&before.email)).await?;
        let subject = id.clone();
        self.control().write(move |tx| crate::store_control::remove_operator(tx, subject.as_str())).await?;
        Ok(before)
    }

    /// Removes a person, if these rights may do that; what they were.
    pub(crate) fn take_out(
        &self,
        tx: &mut Tx<'_>,
        (scope, rights): (&Scope, &Rights),
        id: &UserId,
    ) -> Result<PersonView, StoreError> {
        let before = found(tx, id)?;
        below(tx, &self.inner.catalogue, rights, &before.role)?;
        if before.role == Role::OWNER {
            another_owner(tx, id)?;
        }
        store_people::delete_user(tx, id)?;
        let told = json!(before);
        audit::record(tx, scope, Change::new("user.removed", id.as_str()).before(&told))?;
        outbox::push(tx, "user.removed", id.as_str(), &())?;
        Ok(before)
    }

    /// Ends all sessions of a person.
    pub async fn end_sessions(&self, scope: &Scope, id: &UserId, keep: Option<SessionId>) -> Result<usize> {
        let (id, own) = (id.clone(), scope.clone());
        let ended = self
            .tenant(scope)?
            .db
            .write(move |tx| {
                found(tx, &id)?;
                let ended = store::delete_sessions(tx, &id, keep.as_ref())?;
                let after = json!({ "ended": ended });
                audit::record(tx, &own, Change::new("sessions.ended", id.as_str()).after(&after))?;
                Ok(ended)
            })
            .await?;
        self.inner.cache.clear();
        Ok(ended)
    }

    /// Ends one session of a person.
    pub async fn end_session(&self, scope: &Scope, user: &UserId, session: &SessionId) -> Result<()> {
        let (user, session, own) = (user.clone(), session.clone(), scope.clone());
        self.tenant(scope)?
            .db
            .write(move |tx| {
                if store::delete_session(tx, &user, &session)? == 0 {
                    return Err(Error::not_found("session").into());
                }
                let after = json!({ "session": session });
                audit::record(tx, &own, Change::new("session.ended", user.as_str()).after(&after))
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// The browsers that a person is signed in with.
    pub async fn sessions(&self, principal: &Principal) -> Result<Vec<OpenSessionView>> {
        let (current, user, _) = own_session(principal)?;
        let store = self.tenant(&Scope::granted(principal))?;
        let mut sessions = store.db.read(move |tx| store::list_sessions(tx, &user)).await?;
        for session in &mut sessions {
            session.current = session.id == current;
        }
        Ok(sessions)
    }

    /// Changes the own profile.
    pub async fn change_profile(
        &self,
        scope: &Scope,
        principal: &Principal,
        patch: PatchProfile,
    ) -> Result<UserView> {
        let ((_, id, _), scope) = (own_session(principal)?, scope.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let before = found(tx, &id)?;
            let mut after = before.clone();
            let text = |text: String| Some(text).filter(|t| !t.is_empty());
            if let Some(name) = patch.name {
                name.trim().clone_into(&mut after.name);
            }
            after.language = patch.language.map_or(after.language, text);
            after.voice = patch.voice.map_or(after.voice, text);
            store_people::update_person(tx, &after)?;
            let change = Change::new("user.changed", id.as_str());
            audit::record(tx, &scope, change.before(&json!(before)).after(&json!(after)))?;
            outbox::push(tx, "user.changed", id.as_str(), &after)?;
            store_people::user_by_id(tx, &id)
        });
        written.await?.ok_or_else(|| Error::not_found("person"))
    }
}

fn patched(before: &PersonView, patch: PatchPerson) -> PersonView {
    let mut after = before.clone();
    if let Some(name) = patch.name {
        name.trim().clone_into(&mut after.name);
    }
    after.role = patch.role.unwrap_or(after.role);
    after.state = patch.state.unwrap_or(after.state);
    after.groups = patch.groups.unwrap_or(after.groups);
    after
}

pub(crate) fn found(tx: &Tx<'_>, id: &UserId) -> Result<PersonView, StoreError> {
    store_people::person_by_id(tx, id)?.ok_or_else(|| Error::not_found("person").into())
}

/// Whoever changes somebody holds at least what that person holds.
fn below(tx: &Tx<'_>, catalogue: &Catalogue, rights: &Rights, role: &Role) -> Result<(), StoreError> {
    if catalogue.rights(tx, role)?.are_within(rights) {
        return Ok(());
    }
    let detail = format!("Somebody with the role '{role}' holds more than you do.");
    Err(Error::new(Code::Forbidden, detail).hint("Ask an owner.").into())
}

fn another_owner(tx: &Tx<'_>, id: &UserId) -> Result<(), StoreError> {
    if store_people::count_other_owners(tx, id)? > 0 {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, "This is the last owner.")
        .hint("Make somebody else an owner first.")
        .into())
}

fn put_groups(tx: &Tx<'_>, id: &UserId, before: &PersonView, after: &PersonView) -> Result<(), StoreError> {
    if before.groups == after.groups {
        return Ok(());
    }
    store_groups::clear_groups_of(tx, id)?;
    after.groups.iter().try_for_each(|group| store_groups::add_member(tx, group, id))
}

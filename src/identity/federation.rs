//! Who somebody that another service vouches for is here: known, found by e-mail, new, or nobody; and what their groups
//! there give them here.

use lectern_kernel::{Code, Error, GroupId, Result, Role, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::{UserView, email_key};
use crate::model_people::{PersonView, UserState};
use crate::model_sign_in::{GroupMapping, ProviderView};
use crate::session::Caller;
use crate::store_people::{self, UserRow};
use crate::store_providers::{self, ProviderRow};
use crate::{Identity, store_groups};

/// Somebody as a provider knows them.
#[derive(Debug, Clone)]
pub(crate) struct Outsider {
    /// Never changes there.
    pub subject: String,
    pub email: Option<String>,
    /// Whether the provider vouches for the e-mail.
    pub email_verified: bool,
    pub name: String,
    pub user_name: Option<String>,
    /// Groups by every name they have.
    pub groups: Vec<String>,
    /// Whether names of groups differ by case.
    pub exact_groups: bool,
}

impl Outsider {
    fn is_in(&self, external: &str) -> bool {
        self.groups.iter().any(|group| {
            if self.exact_groups { group == external } else { group.eq_ignore_ascii_case(external) }
        })
    }
}

/// Why somebody that a provider vouches for does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotIn {
    /// Nobody here is that person, and nobody is made.
    NotInvited,
    /// Somebody here has that e-mail, and may not be taken for the same person.
    NotLinked,
    NoEmail,
    Disabled,
    /// An owner, and no owner vouched for the provider.
    Owner,
}

impl NotIn {
    /// For the page that shows it.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotInvited => "not_invited",
            Self::NotLinked => "not_linked",
            Self::NoEmail => "no_email",
            Self::Disabled => "person_disabled",
            Self::Owner => "owner_needs_password",
        }
    }
}

impl From<NotIn> for Error {
    fn from(why: NotIn) -> Self {
        let (detail, hint) = match why {
            NotIn::NotInvited => {
                ("You are not a member of this organisation.", "Ask an administrator to invite you.")
            }
            NotIn::NotLinked => (
                "Somebody with your e-mail is known here, and not by this service.",
                "Sign in as before; an administrator can let the service stand for people with the same e-mail.",
            ),
            NotIn::NoEmail => (
                "The service did not tell your e-mail.",
                "An administrator sets which attribute or claim holds it.",
            ),
            NotIn::Disabled => ("You may not sign in at the moment.", "Ask an administrator."),
            NotIn::Owner => (
                "Owners do not sign in by this service.",
                "Use the password. An owner can save the provider to let owners in by it.",
            ),
        };
        Error::new(Code::Forbidden, detail).hint(hint)
    }
}

impl Identity {
    /// The person here that an outsider is, made or linked where the provider may do that; with the role and groups that
    /// the outsider's groups give.
    pub(crate) async fn settle(
        &self,
        tenant: &TenantId,
        provider: &ProviderRow,
        outsider: Outsider,
        caller: &Caller,
    ) -> Result<Result<UserId, NotIn>> {
        if provider.view.create_people
            && let Some(email) = &outsider.email
        {
            self.note_name(tenant, &email_key(email)).await?;
        }
        let (this, view) = (self.clone(), provider.view.clone());
        let scope = caller.scope(tenant.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let id = match this.who(tx, &view, &outsider, &scope)? {
                Ok(id) => id,
                Err(why) => return Ok(Err(why)),
            };
            let key = (&view.id, outsider.subject.as_str());
            store_providers::put_identity(tx, key, &id, outsider.user_name.as_deref())?;
            let scope = scope.acting(&id, view.id.as_str());
            this.apply_groups(tx, &view, &outsider, &id, &scope)?;
            Ok(Ok(id))
        });
        let settled = written.await?;
        self.inner.cache.clear();
        Ok(settled)
    }

    /// Role and groups by the mappings; a change is recorded.
    fn apply_groups(
        &self,
        tx: &mut Tx<'_>,
        view: &ProviderView,
        outsider: &Outsider,
        id: &UserId,
        scope: &Scope,
    ) -> Result<(), StoreError> {
        let before = person(tx, id)?;
        let mut after = before.clone();
        // Owners are made and unmade by owners, here.
        if before.role != Role::OWNER
            && let Some(role) = self.mapped_role(tx, view, outsider)?
        {
            after.role = role;
        }
        let given: Vec<&GroupMapping> = view.groups.iter().filter(|m| outsider.is_in(&m.external)).collect();
        let gives = |group: &GroupId| given.iter().any(|m| m.group.as_ref() == Some(group));
        let governs = |group: &GroupId| view.groups.iter().any(|m| m.group.as_ref() == Some(group));
        after.groups.retain(|group| !governs(group) || gives(group));
        after.groups.extend(given.iter().filter_map(|m| m.group.clone()));
        after.groups.sort_unstable();
        after.groups.dedup();
        if (&after.role, &after.groups) == (&before.role, &before.groups) {
            return Ok(());
        }
        store_people::update_person(tx, &after)?;
        store_groups::clear_groups_of(tx, id)?;
        after.groups.iter().try_for_each(|group| store_groups::add_member(tx, group, id))?;
        let (told, now) = (json!(before), json!(after));
        audit::record(tx, scope, Change::new("user.changed", id.as_str()).before(&told).after(&now))?;
        outbox::push(tx, "user.changed", id.as_str(), &after)
    }

    /// Known by the account there, by the e-mail, or new.
    fn who(
        &self,
        tx: &mut Tx<'_>,
        view: &ProviderView,
        outsider: &Outsider,
        scope: &Scope,
    ) -> Result<Result<UserId, NotIn>, StoreError> {
        if let Some(id) = store_providers::user_of(tx, &view.id, &outsider.subject)? {
            return Ok(may_come(&person(tx, &id)?, view).map(|()| id));
        }
        let email = outsider.email.as_deref().map(str::trim).filter(|email| is_email(email));
        let known = match email {
            Some(email) => store_people::account_by_email(tx, &email_key(email))?,
            None => None,
        };
        match (known, email) {
            (Some(account), _) if view.link_people && outsider.email_verified => {
                if let Err(why) = may_come(&person(tx, &account.id)?, view) {
                    return Ok(Err(why));
                }
                let told = json!({ "provider": view.id, "subject": outsider.subject });
                let scope = scope.clone().acting(&account.id, view.id.as_str());
                audit::record(tx, &scope, Change::new("user.linked", account.id.as_str()).after(&told))?;
                outbox::push(tx, "user.linked", account.id.as_str(), &told)?;
                Ok(Ok(account.id))
            }
            (Some(_), _) => Ok(Err(NotIn::NotLinked)),
            (None, _) if !view.create_people => Ok(Err(NotIn::NotInvited)),
            (None, None) => Ok(Err(NotIn::NoEmail)),
            (None, Some(email)) => self.create(tx, view, outsider, (email, scope)).map(Ok),
        }
    }

    fn create(
        &self,
        tx: &mut Tx<'_>,
        provider: &ProviderView,
        outsider: &Outsider,
        (email, scope): (&str, &Scope),
    ) -> Result<UserId, StoreError> {
        self.check_room(tx, scope.tenant())?;
        let name: String = outsider.name.chars().filter(|c| !c.is_control()).take(100).collect();
        let name = if name.trim().is_empty() { email.to_owned() } else { name.trim().to_owned() };
        let (id, role) = (UserId::generate(), provider.default_role.clone());
        let view = UserView { id, name, email: email.to_owned(), role, language: None, voice: None };
        let row = UserRow { view: &view, email_key: &email_key(email), password: None };
        store_people::insert_user(tx, &row)?;
        let scope = scope.clone().acting(&view.id, provider.id.as_str());
        audit::record(tx, &scope, Change::new("user.created", view.id.as_str()).after(&json!(view)))?;
        outbox::push(tx, "user.created", view.id.as_str(), &view)?;
        Ok(view.id)
    }

    /// The role that may most of those that the mappings give; the default one where they give none. None where no
    /// mapping is about roles: then they are changed by hand.
    fn mapped_role(
        &self,
        tx: &Tx<'_>,
        view: &ProviderView,
        outsider: &Outsider,
    ) -> Result<Option<Role>, StoreError> {
        let roles = view.groups.iter().filter_map(|m| m.role.as_ref().map(|role| (&m.external, role)));
        let roles: Vec<_> = roles.collect();
        if roles.is_empty() {
            return Ok(None);
        }
        let mut most: Option<(usize, Role)> = None;
        for (_, role) in roles.into_iter().filter(|(external, _)| outsider.is_in(external)) {
            let rights = self.inner.catalogue.rights(tx, role)?.names().count();
            if most.as_ref().is_none_or(|(held, _)| rights > *held) {
                most = Some((rights, role.clone()));
            }
        }
        Ok(Some(most.map_or_else(|| view.default_role.clone(), |(_, role)| role)))
    }
}

fn may_come(person: &PersonView, view: &ProviderView) -> Result<(), NotIn> {
    if person.state != UserState::Active {
        Err(NotIn::Disabled)
    } else if person.role == Role::OWNER && !view.owners {
        Err(NotIn::Owner)
    } else {
        Ok(())
    }
}

fn is_email(email: &str) -> bool {
    let mut errors = Vec::new();
    crate::model::check_email(email, &mut errors);
    errors.is_empty()
}

fn person(tx: &Tx<'_>, id: &UserId) -> Result<PersonView, StoreError> {
    store_people::person_by_id(tx, id)?.ok_or_else(|| Error::not_found("person").into())
}

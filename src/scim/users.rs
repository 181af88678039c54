//! People: found, made, changed and removed, with what is kept of them, in one transaction each.

use lectern_identity::{Afterwards, ProvisionedPerson};
use lectern_kernel::{Scope, UserId};
use lectern_store::{StoreError, Tx};
use serde_json::Value;

use crate::fits::Hint;
use crate::list::Source;
use crate::patch::{self, Operation};
use crate::path::{Fields, is_assigned};
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::resource::Precondition;
use crate::schema::ResourceType;
use crate::store::{self, KeptUser};
use crate::types::USER;
use crate::user::{self, Links};
use crate::{Caller, Scim};

/// More people with the same name are looked through one by one.
const MOST_ALIKE: u32 = 1_000;

/// How a resource is changed.
#[derive(Debug)]
pub(crate) enum Edit {
    /// It is to be as it is here.
    Whole(Fields),
    Patch(Vec<Operation>),
}

impl Scim {
    pub(crate) async fn user(&self, scope: &Scope, id: UserId) -> Result<Fields> {
        let this = self.clone();
        let store = self.tenant(scope)?;
        let read = store.db.read(move |tx| this.load_user(tx, &id));
        Ok(read.await?)
    }

    fn load_user(&self, tx: &Tx<'_>, id: &UserId) -> Result<Fields, StoreError> {
        let found = Users(self).one(tx, id.as_str(), true)?;
        found.ok_or_else(|| Refusal::not_found("person").into())
    }

    pub(crate) async fn create_user(&self, caller: &Caller, mut new: Fields) -> Result<Fields> {
        new.entry("active").or_insert(Value::Bool(true));
        let (this, own) = (self.clone(), caller.clone());
        let store = self.tenant(&caller.scope)?;
        let written = store.db.write(move |tx| {
            let (wanted, kept) = (user::wanted(None, &new)?, user::kept(new, tx.now())?);
            this.is_free(tx, None, (&kept.user_name, &wanted.email))?;
            let id = this.identity.add_provisioned(tx, (&own.scope, &own.rights), &wanted)?;
            store::put_user(tx, &id, &kept, &user::emails(&kept.attributes))?;
            this.load_user(tx, &id)
        });
        let made = written.await?;
        self.identity.provisioned(&caller.scope, Afterwards::default()).await?;
        Ok(made)
    }

    pub(crate) async fn change_user(
        &self,
        caller: &Caller,
        id: UserId,
        known: Precondition,
        edit: Edit,
    ) -> Result<Fields> {
        let (this, own) = (self.clone(), caller.clone());
        let store = self.tenant(&caller.scope)?;
        let written = store.db.write(move |tx| {
            let before = this.load_user(tx, &id)?;
            known.check(&before)?;
            let after = edited(&before, edit)?;
            let (wanted, kept) = (user::wanted(Some(&before), &after)?, user::kept(after, tx.now())?);
            if kept == user::kept(before.clone(), tx.now())? {
                return Ok((before, Afterwards::default()));
            }
            this.is_free(tx, Some(&id), (&kept.user_name, &wanted.email))?;
            let done = this.identity.change_provisioned(tx, (&own.scope, &own.rights), &id, &wanted)?;
            store::put_user(tx, &id, &kept, &user::emails(&kept.attributes))?;
            Ok((this.load_user(tx, &id)?, done))
        });
        let (view, done) = written.await?;
        self.identity.provisioned(&caller.scope, done).await?;
        Ok(view)
    }

    pub(crate) async fn remove_user(&self, caller: &Caller, id: UserId, known: Precondition) -> Result<()> {
        let (this, own) = (self.clone(), caller.clone());
        let store = self.tenant(&caller.scope)?;
        let written = store.db.write(move |tx| {
            known.check(&this.load_user(tx, &id)?)?;
            this.identity.remove_provisioned(tx, (&own.scope, &own.rights), &id)
        });
        let done = written.await?;
        Ok(self.identity.provisioned(&caller.scope, done).await?)
    }

    /// Whether nobody else has the user name or the e-mail.
    fn is_free(
        &self,
        tx: &Tx<'_>,
        own: Option<&UserId>,
        (user_name, email): (&str, &str),
    ) -> Result<(), StoreError> {
        let other = |found: &UserId| Some(found) != own;
        let named = self.named(tx, user_name)?.into_iter().any(|id| other(&id));
        let mailed = self.identity.provisioned_by_email(tx, email)?.is_some_and(|person| other(&person.id));
        let what = match (named, mailed) {
            (true, _) => "user name",
            (_, true) => "e-mail",
            _ => return Ok(()),
        };
        let detail = format!("There is a person with this {what} already.");
        Err(Refusal::new(Wrong::Uniqueness, detail).into())
    }

    /// The people with a user name; who was not provisioned goes by their e-mail.
    fn named(&self, tx: &Tx<'_>, user_name: &str) -> Result<Vec<UserId>, StoreError> {
        let mut found: Vec<UserId> = store::user_by_name(tx, user_name)?.into_iter().collect();
        if let Some(person) = self.identity.provisioned_by_email(tx, user_name)?
            && store::user_by_id(tx, &person.id)?.is_none()
        {
            found.push(person.id);
        }
        Ok(found)
    }

    fn build_user(
        &self,
        tx: &Tx<'_>,
        person: &ProvisionedPerson,
        kept: Option<&KeptUser>,
        links: bool,
    ) -> Result<Fields, StoreError> {
        if !links {
            return Ok(user::build(person, kept, Links::default()));
        }
        let groups = self.identity.provisioned_groups_of(tx, &person.id)?;
        let manager = kept.and_then(|kept| user::manager(&kept.attributes));
        let manager = match manager {
            Some(id) => self.identity.provisioned_person(tx, &id)?.map(|manager| (id, manager.name)),
            None => None,
        };
        Ok(user::build(person, kept, Links { groups, manager }))
    }

    fn build_users(
        &self,
        tx: &Tx<'_>,
        people: &[ProvisionedPerson],
        links: bool,
    ) -> Result<Vec<Fields>, StoreError> {
        let (Some(first), Some(last)) = (people.first(), people.last()) else { return Ok(Vec::new()) };
        let kept = store::users_between(tx, &first.id, &last.id)?;
        people.iter().map(|person| self.build_user(tx, person, kept.get(&person.id), links)).collect()
    }
}

/// The resource as it is to be. What a client does not name when it puts the whole, and what is ours to say, stays.
fn edited(before: &Fields, edit: Edit) -> Result<Fields> {
    match edit {
        Edit::Patch(operations) => {
            let mut after = before.clone();
            patch::apply(&USER, &mut after, &operations)?;
            Ok(after)
        }
        Edit::Whole(mut after) => {
            for name in ["roles", "active"] {
                if let Some(value) = before.get(name)
                    && !after.get(name).is_some_and(is_assigned)
                {
                    after.insert(name.to_owned(), value.clone());
                }
            }
            Ok(after)
        }
    }
}

/// A name that the database compares as we do: it folds the letters of ASCII only, and keeps 100 of them.
fn is_plain(name: &str) -> bool {
    name.is_ascii() && name.len() <= 100 && name.trim() == name
}

/// The people of a tenant.
pub(crate) struct Users<'a>(pub &'a Scim);

impl Source for Users<'_> {
    fn kind(&self) -> &'static ResourceType {
        &USER
    }

    fn candidates(&self, tx: &Tx<'_>, hint: &Hint) -> Result<Option<Vec<String>>, StoreError> {
        let value = hint.value.as_str();
        let found = match hint.attribute {
            "id" => return Ok(Some(vec![value.to_owned()])),
            "userName" => self.0.named(tx, value)?,
            "externalId" => store::users_by_external_id(tx, value, MOST_ALIKE)?,
            "emails.value" => {
                let mut found = store::users_by_email(tx, value, MOST_ALIKE)?;
                found.extend(self.0.identity.provisioned_by_email(tx, value)?.map(|person| person.id));
                found.sort_unstable();
                found.dedup();
                found
            }
            "displayName" if is_plain(value) => self.0.identity.provisioned_by_name(tx, value, MOST_ALIKE)?,
            _ => return Ok(None),
        };
        let all = found.len() < MOST_ALIKE as usize;
        Ok(all.then(|| found.iter().map(ToString::to_string).collect()))
    }

    fn after(&self, tx: &Tx<'_>, id: &str, limit: u32, links: bool) -> Result<Vec<Fields>, StoreError> {
        let people = self.0.identity.provisioned_after(tx, id, limit)?;
        self.0.build_users(tx, &people, links)
    }

    fn page(
        &self,
        tx: &Tx<'_>,
        offset: u64,
        limit: u32,
        links: bool,
    ) -> Result<(Vec<Fields>, u64), StoreError> {
        let (people, total) = self.0.identity.provisioned_from(tx, offset, limit)?;
        Ok((self.0.build_users(tx, &people, links)?, total))
    }

    fn one(&self, tx: &Tx<'_>, id: &str, links: bool) -> Result<Option<Fields>, StoreError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some(person) = self.0.identity.provisioned_person(tx, &id)? else { return Ok(None) };
        let kept = store::user_by_id(tx, &id)?;
        self.0.build_user(tx, &person, kept.as_ref(), links).map(Some)
    }
}

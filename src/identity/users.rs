//! People made at set-up, by a link or from the command line, and the names they sign in with.

use lectern_edge::Validate;
use lectern_kernel::{Code, Error, Result, Role, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{Database, StoreError, Tx, outbox};
use serde_json::json;

use crate::model::{NewUser, UserView, email_key};
use crate::session::password_changed;
use crate::sign_in::account_name;
use crate::store_people::{self, UserRow};
use crate::{Identity, password, secret, store, store_control, store_factors};

/// A user whose fields were checked and whose password is hashed.
pub(crate) struct Prepared {
    pub view: UserView,
    pub email_key: String,
    password: String,
}

impl Prepared {
    pub fn password_hash(&self) -> String {
        self.password.clone()
    }

    pub fn insert(&self, tx: &mut Tx<'_>, scope: &Scope) -> Result<(), StoreError> {
        let Self { view, email_key, password } = self;
        store_people::insert_user(tx, &UserRow { view, email_key, password: Some(password) })?;
        audit::record(tx, scope, Change::new("user.created", view.id.as_str()).after(&json!(view)))?;
        outbox::push(tx, "user.created", view.id.as_str(), view)
    }
}

impl Identity {
    pub(crate) fn control(&self) -> &Database {
        self.inner.stores.control()
    }

    /// Adds a person, for the command line.
    pub async fn create_user(&self, tenant: TenantId, role: Role, new: NewUser) -> Result<UserView> {
        let scope = Scope::system(tenant);
        let prepared = prepare_user(new, role)?.finish(self, scope.tenant()).await?;
        let view = prepared.view.clone();
        self.note_name(scope.tenant(), &prepared.email_key).await?;
        self.tenant(&scope)?.db.write(move |tx| prepared.insert(tx, &scope)).await?;
        Ok(view)
    }

    /// Sets somebody's password, lets them in again and ends all their sessions, for the command line.
    pub async fn set_password(&self, tenant: &TenantId, email: &str, new: String) -> Result<()> {
        if let Some(complaint) = password::complaint(&new, email) {
            return Err(Error::field("password", complaint));
        }
        let (key, scope) = (email_key(email), Scope::system(tenant.clone()));
        let name = account_name(Some(tenant), &key);
        let store = self.tenant(&scope)?;
        let account = store.db.read(move |tx| store_people::account_by_email(tx, &key)).await?;
        let account = account.ok_or_else(|| {
            Error::new(Code::NotFound, "There is no user with this e-mail.")
                .hint("Look at the e-mail address; `lectern user add` makes a new administrator.")
        })?;
        self.check_password(tenant, ("password", &new), &account.name, &account.email).await?;
        let hash = self.inner.passwords.hash(new).await?;
        store
            .db
            .write(move |tx| {
                store_people::set_password(tx, &account.id, &hash)?;
                store::delete_sessions(tx, &account.id, None)?;
                password_changed(tx, &scope, &account.id)
            })
            .await?;
        self.inner.accounts.succeeded(&name);
        self.inner.cache.clear();
        Ok(())
    }

    /// Says that a tenant may know an e-mail. Before the person is written: a name too much only costs a look.
    pub(crate) async fn note_name(&self, tenant: &TenantId, email_key: &str) -> Result<()> {
        let (name, tenant) = (secret::fingerprint(email_key), tenant.clone());
        Ok(self.control().write(move |tx| store_control::add_name(tx, &name, &tenant)).await?)
    }

    pub(crate) async fn forget_name(&self, tenant: &TenantId, email_key: &str) -> Result<()> {
        let (name, tenant) = (secret::fingerprint(email_key), tenant.clone());
        Ok(self.control().write(move |tx| store_control::remove_name(tx, &name, &tenant)).await?)
    }

    /// Notes the names and passkeys of everybody in a tenant, which came as a file.
    pub async fn note_all_names(&self, tenant: &TenantId) -> Result<()> {
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        let read = store.db.read(|tx| Ok((store_people::email_keys(tx)?, store_factors::credentials(tx)?)));
        let (keys, passkeys) = read.await?;
        let tenant = tenant.clone();
        Ok(self
            .control()
            .write(move |tx| {
                keys.iter()
                    .try_for_each(|key| store_control::add_name(tx, &secret::fingerprint(key), &tenant))?;
                passkeys.iter().try_for_each(|key| store_control::add_passkey(tx, key, &tenant))
            })
            .await?)
    }

    /// Everything in `control.db` about a tenant that is gone.
    pub async fn forget_tenant(&self, tenant: &TenantId) -> Result<()> {
        self.inner.cache.forget_tenant(tenant);
        let tenant = tenant.clone();
        Ok(self.control().write(move |tx| store_control::forget_tenant(tx, &tenant)).await?)
    }

    /// Number of people in a tenant.
    pub async fn count_people(&self, scope: &Scope) -> Result<u64> {
        Ok(self.tenant(scope)?.db.read(store_people::count_users).await?)
    }

    /// Ends every session of a tenant.
    pub async fn end_all_sessions(&self, tenant: &TenantId) -> Result<usize> {
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        let ended = store.db.write(|tx| store::delete_all_sessions(tx)).await?;
        self.inner.cache.forget_tenant(tenant);
        Ok(ended)
    }
}

/// Checks the fields of somebody new.
pub(crate) fn prepare_user(new: NewUser, role: Role) -> Result<Unhashed> {
    let wrong = new.validate();
    if let Some(first) = wrong.first() {
        let mut error = Error::field(&first.field, first.message.clone());
        error.fields = wrong;
        return Err(error);
    }
    let (name, email) = (new.name.trim().to_owned(), new.email.trim().to_owned());
    let view = UserView { id: UserId::generate(), name, email, role, language: None, voice: None };
    Ok(Unhashed { view, password: new.password })
}

/// A user whose fields were checked.
pub(crate) struct Unhashed {
    view: UserView,
    password: String,
}

impl Unhashed {
    pub async fn finish(self, identity: &Identity, tenant: &TenantId) -> Result<Prepared> {
        let (name, email) = (&self.view.name, &self.view.email);
        identity.check_password(tenant, ("password", &self.password), name, email).await?;
        let password = identity.inner.passwords.hash(self.password).await?;
        let email_key = email_key(&self.view.email);
        Ok(Prepared { view: self.view, email_key, password })
    }
}

//! People: added at set-up or from the command line.

use lectern_edge::Validate;
use lectern_kernel::{Code, Error, Result, Role, TenantId, UserId};
use lectern_store::{Database, StoreError, Tx, outbox};

use crate::model::{NewUser, UserView, email_key};
use crate::store::UserRow;
use crate::{Identity, password, secret, store};

/// A user whose fields were checked and whose password is hashed.
pub(crate) struct Prepared {
    pub view: UserView,
    tenant: TenantId,
    email_key: String,
    password: String,
}

impl Prepared {
    pub fn insert(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Self { view, tenant, email_key, password } = self;
        store::insert_user(tx, &UserRow { view, tenant, email_key, password })?;
        outbox::push(tx, "user.created", view.id.as_str(), view)
    }
}

impl Identity {
    pub(crate) fn control(&self) -> &Database {
        self.inner.stores.control()
    }

    /// Adds an administrator, for the command line.
    pub async fn create_user(&self, tenant: TenantId, new: NewUser) -> Result<UserView> {
        let prepared = self.prepare_user(tenant, new).await?;
        let view = prepared.view.clone();
        self.control().write(move |tx| prepared.insert(tx)).await?;
        Ok(view)
    }

    /// Sets somebody's password and ends all their sessions, for the command line.
    pub async fn set_password(&self, email: &str, new: String) -> Result<()> {
        if let Some(complaint) = password::complaint(&new, email) {
            return Err(Error::field("password", complaint));
        }
        let key = email_key(email);
        let name = secret::fingerprint(&key);
        let account = self.control().read(move |tx| store::account_by_email(tx, &key)).await?;
        let account = account.ok_or_else(|| {
            Error::new(Code::NotFound, "There is no user with this e-mail.")
                .hint("Look at the e-mail address; `lectern user add` makes a new administrator.")
        })?;
        let hash = self.inner.passwords.hash(new).await?;
        self.control()
            .write(move |tx| {
                store::set_password(tx, &account.id, &hash)?;
                store::delete_sessions(tx, &account.id, None)?;
                outbox::push(tx, "user.password_changed", account.id.as_str(), &())
            })
            .await?;
        self.inner.accounts.succeeded(&name);
        self.inner.cache.clear();
        Ok(())
    }

    /// The people of a tenant, oldest first.
    pub async fn users(&self, tenant: TenantId) -> Result<Vec<UserView>> {
        Ok(self.control().read(move |tx| store::list_users(tx, &tenant)).await?)
    }

    pub(crate) async fn prepare_user(&self, tenant: TenantId, new: NewUser) -> Result<Prepared> {
        let wrong = new.validate();
        if let Some(first) = wrong.first() {
            let mut error = Error::field(&first.field, first.message.clone());
            error.fields = wrong;
            return Err(error);
        }
        let password = self.inner.passwords.hash(new.password).await?;
        let email = new.email.trim().to_owned();
        let view =
            UserView { id: UserId::generate(), name: new.name.trim().to_owned(), email, role: Role::Admin };
        let email_key = email_key(&view.email);
        Ok(Prepared { view, tenant, email_key, password })
    }
}

//! Browser sessions: look, sign out, change the password.

use lectern_kernel::{Actor, Code, Error, Principal, Result, Scope, SessionId, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};

use crate::model::{PasswordChange, SessionView, TenantName, email_key};
use crate::model_support::SupportView;
use crate::sign_in::account_name;
use crate::{Identity, Refused, password, store, store_people, store_policy, store_support};

/// Where a sign-in comes from.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What is slowed down after failures: an address, or the network of one.
    pub network: String,
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    pub request: Option<String>,
}

impl Caller {
    /// The scope of somebody who is not signed in yet.
    pub(crate) fn scope(&self, tenant: TenantId) -> Scope {
        Scope::system(tenant).requested(self.address.clone(), self.request.clone())
    }
}

/// A session that was just opened.
pub struct SignedIn {
    /// Value of the cookie; only its hash is kept.
    pub token: String,
    pub view: SessionView,
}

impl Identity {
    /// The session of the principal.
    pub async fn session(&self, principal: &Principal) -> Result<SessionView> {
        let (session, user, csrf_token) = own_session(principal)?;
        let (tenant, catalogue) = (principal.tenant.clone(), self.inner.catalogue.clone());
        let found = self
            .tenant(&Scope::granted(principal))?
            .db
            .read(move |tx| {
                let Some(user) = store_people::user_by_id(tx, &user)? else { return Ok(None) };
                let Some((end, proven)) = store::session_end(tx, &session)? else { return Ok(None) };
                let rights = catalogue.rights(tx, &user.role)?;
                let needed = !proven && store_policy::policy(tx)?.second_factor.asks(&rights);
                let may_change = store_support::current(tx)?.is_some_and(|consent| consent.may_change);
                Ok(Some((user, end, needed, may_change)))
            })
            .await?;
        let (user, expires_at, second_factor_needed, may_change) =
            found.ok_or_else(|| Error::new(Code::Unauthenticated, "The session is over."))?;
        let name = self.inner.stores.record(&tenant).map(|record| record.name.clone()).unwrap_or_default();
        let permissions = principal.rights.names().map(str::to_owned).collect();
        let tenant = TenantName { id: tenant, name };
        let operator = principal.actor.operator().map(str::to_owned);
        let support = operator.map(|operator| SupportView { operator, may_change });
        Ok(SessionView { user, tenant, csrf_token, permissions, second_factor_needed, support, expires_at })
    }

    /// Ends the session of the principal.
    pub async fn sign_out(&self, scope: &Scope, principal: &Principal) -> Result<()> {
        let (session, user, _) = own_session(principal)?;
        self.end_session(scope, &user, &session).await
    }

    /// Changes the own password; the user's other sessions end.
    pub async fn change_password(
        &self,
        scope: &Scope,
        principal: &Principal,
        change: PasswordChange,
    ) -> Result<(), Refused> {
        let (session, user, _) = own_session(principal)?;
        let store = self.tenant(scope)?;
        let account = store.db.read(move |tx| store_people::account_by_id(tx, &user)).await?;
        let account = account.ok_or_else(not_a_session)?;
        if let Some(complaint) = password::complaint(&change.new, &account.email) {
            return Err(Error::field("new", complaint).into());
        }
        self.check_password(scope.tenant(), ("new", &change.new), &account.name, &account.email).await?;
        // A stolen session must not be a way to guess the password faster.
        let name = account_name(Some(scope.tenant()), &email_key(&account.email));
        let blocked = |wait| Refused::throttled("wrong passwords", wait);
        self.inner.accounts.begin(&name, self.now()).map_err(blocked)?;
        if !self.inner.passwords.verify(change.current, account.password.clone()).await? {
            return Err(Error::field("current", "is not your password").into());
        }
        self.inner.accounts.succeeded(&name);
        let hash = self.inner.passwords.hash(change.new).await?;
        let scope = scope.clone();
        store
            .db
            .write(move |tx| {
                store_people::set_password(tx, &account.id, &hash)?;
                store::delete_sessions(tx, &account.id, Some(&session))?;
                password_changed(tx, &scope, &account.id)
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Removes a tenant's sessions and links that are over; to be called every hour. The number removed.
    pub async fn sweep(&self, tenant: &TenantId) -> Result<usize> {
        let idle_since = self.now().minus(self.inner.limits.idle.0);
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        let swept = store.db.write(move |tx| {
            Ok(store::sweep_sessions(tx, idle_since)? + store_people::sweep_invitations(tx)?)
        });
        Ok(swept.await?)
    }
}

pub(crate) fn password_changed(tx: &mut Tx<'_>, scope: &Scope, user: &UserId) -> Result<(), StoreError> {
    audit::record(tx, scope, Change::new("user.password_changed", user.as_str()))?;
    outbox::push(tx, "user.password_changed", user.as_str(), &())
}

/// Session, person and CSRF token of somebody who came by a browser.
pub(crate) fn own_session(principal: &Principal) -> Result<(SessionId, UserId, String)> {
    match (&principal.actor, &principal.user) {
        (Actor::Session { id, csrf_token, .. }, Some(user)) => {
            Ok((id.clone(), user.clone(), csrf_token.clone()))
        }
        _ => Err(not_a_session()),
    }
}

pub(crate) fn not_a_session() -> Error {
    Error::new(Code::Unauthenticated, "This needs a browser session; an API key has none.")
        .hint("Sign in with e-mail and password at POST /api/v1/session.")
}

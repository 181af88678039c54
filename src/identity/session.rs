//! Browser sessions: sign in, look, sign out, change the password.

use lectern_kernel::{Actor, Code, Error, Principal, Result, SessionId, UserId};
use lectern_store::outbox;

use crate::model::{NewSession, PasswordChange, SessionView, email_key};
use crate::store::Account;
use crate::{Identity, Refused, password, secret, store};

/// More browsers than one person has.
const SESSIONS_A_USER: u32 = 50;

/// A session that was just opened.
pub struct SignedIn {
    /// Value of the cookie; only its hash is kept.
    pub token: String,
    pub view: SessionView,
}

impl Identity {
    /// Opens a session; `address` is where the request comes from.
    pub async fn sign_in(&self, new: NewSession, address: &str) -> Result<SignedIn, Refused> {
        let now = self.now();
        let key = email_key(&new.email);
        let blocked = |wait| Refused::throttled("failed attempts to sign in", wait);
        self.inner.addresses.begin(address, now).map_err(blocked)?;
        // A name of any length must not fill the table.
        let account_name = secret::fingerprint(&key);
        self.inner.accounts.begin(&account_name, now).map_err(blocked)?;
        let account = self.control().read(move |tx| store::account_by_email(tx, &key)).await?;
        let account = self.check(account, new.password).await?;
        self.inner.accounts.succeeded(&account_name);
        self.inner.addresses.take_back(address, now);
        Ok(self.open_session(&account.id).await?)
    }

    async fn check(&self, account: Option<Account>, password: String) -> Result<Account> {
        let hash = account.as_ref().map(|a| a.password.clone());
        let right = self.inner.passwords.verify(password, hash).await?;
        account.filter(|_| right).ok_or_else(wrong_credentials)
    }

    pub(crate) async fn open_session(&self, user: &UserId) -> Result<SignedIn> {
        let token = secret::session_token()?;
        let (fingerprint, csrf) = (secret::fingerprint(&token), secret::csrf_token(&token));
        let (id, user) = (SessionId::generate(), user.clone());
        let expires_at = self.now().plus(self.inner.limits.lifetime.0);
        let view = self
            .control()
            .write(move |tx| {
                store::insert_session(tx, &id, &user, &fingerprint, expires_at)?;
                store::trim_sessions(tx, &user, SESSIONS_A_USER)?;
                outbox::push(tx, "session.opened", user.as_str(), &())?;
                store::view_session(tx, &id, csrf)
            })
            .await?;
        let view = view.ok_or_else(|| Error::internal("the session is gone in its own transaction"))?;
        Ok(SignedIn { token, view })
    }

    /// The session of the principal.
    pub async fn session(&self, principal: &Principal) -> Result<SessionView> {
        let (id, csrf) = own_session(principal)?;
        let view = self.control().read(move |tx| store::view_session(tx, &id, csrf)).await?;
        view.ok_or_else(|| Error::new(Code::Unauthenticated, "The session is over."))
    }

    /// Ends the session of the principal.
    pub async fn sign_out(&self, principal: &Principal) -> Result<()> {
        let (id, _) = own_session(principal)?;
        self.control().write(move |tx| store::delete_session(tx, &id)).await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Changes the own password; the user's other sessions end.
    pub async fn change_password(
        &self,
        principal: &Principal,
        change: PasswordChange,
    ) -> Result<(), Refused> {
        let (session, _) = own_session(principal)?;
        let user = principal.user.clone().ok_or_else(not_a_session)?;
        let account = self.control().read(move |tx| store::account_by_id(tx, &user)).await?;
        let account = account.ok_or_else(not_a_session)?;
        if let Some(complaint) = password::complaint(&change.new, &account.email) {
            return Err(Error::field("new", complaint).into());
        }
        // A stolen session must not be a way to guess the password faster.
        let name = secret::fingerprint(&email_key(&account.email));
        let blocked = |wait| Refused::throttled("wrong passwords", wait);
        self.inner.accounts.begin(&name, self.now()).map_err(blocked)?;
        let account = self.check(Some(account), change.current).await.map_err(wrong_current)?;
        self.inner.accounts.succeeded(&name);
        let hash = self.inner.passwords.hash(change.new).await?;
        self.control()
            .write(move |tx| {
                store::set_password(tx, &account.id, &hash)?;
                store::delete_sessions(tx, &account.id, Some(&session))?;
                outbox::push(tx, "user.password_changed", account.id.as_str(), &())
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Removes sessions that are over; to be called every hour. The number removed.
    pub async fn sweep(&self) -> Result<usize> {
        let idle_since = self.now().minus(self.inner.limits.idle.0);
        Ok(self.control().write(move |tx| store::sweep_sessions(tx, idle_since)).await?)
    }
}

fn own_session(principal: &Principal) -> Result<(SessionId, String)> {
    match &principal.actor {
        Actor::Session { id, csrf_token } => Ok((id.clone(), csrf_token.clone())),
        Actor::Key { .. } | Actor::Local => Err(not_a_session()),
    }
}

fn not_a_session() -> Error {
    Error::new(Code::Unauthenticated, "This needs a browser session; an API key has none.")
        .hint("Sign in with e-mail and password at POST /api/v1/session.")
}

fn wrong_credentials() -> Error {
    Error::new(Code::WrongCredentials, "There is no user with this e-mail and password.")
        .hint("An administrator can set a new password with `lectern user password`.")
}

/// The person is signed in, so it is a wrong field and no 401 that would send them to the sign-in page.
fn wrong_current(error: Error) -> Error {
    if error.code == Code::WrongCredentials { Error::field("current", "is not your password") } else { error }
}

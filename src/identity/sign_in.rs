//! Signing in: the first proof, the second where there is one, and the session.

use std::time::Duration;

use lectern_kernel::{Code, Error, FieldError, Principal, Result, Role, Scope, SessionId, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::outbox;
use serde_json::json;

use crate::failed::Why;
use crate::model::{NewSession, email_key};
use crate::model_people::UserState;
use crate::second_factor::Proof;
use crate::session::{Caller, SignedIn, not_a_session, own_session};
use crate::store::SessionRow;
use crate::store_people::{self, Account};
use crate::{Identity, Refused, secret, store, store_control, store_policy};

/// More browsers than one person has.
const SESSIONS_A_USER: u32 = 50;
/// An e-mail in more tenants than this has to say which is meant.
const TENANTS_A_NAME: usize = 8;

/// How somebody signed in who used nothing but a passkey.
pub(crate) const PASSKEY: &str = "passkey";

/// Somebody whose first proof was right.
#[derive(Clone)]
pub(crate) struct Proven {
    pub tenant: TenantId,
    pub user: UserId,
    /// The name under which failed tries are counted; it begins anew once the person is in.
    pub throttle: String,
    /// `password`, `passkey`, `invitation` or a provider's id.
    pub method: String,
    /// Whether it was a password that is kept here.
    pub local: bool,
}

/// What came of a password in one tenant.
enum Tried {
    Right(Proven),
    Wrong(Option<UserId>),
    /// Not looked at: too many were wrong before.
    Locked(Option<UserId>, Refused),
}

/// A session to be opened.
pub(crate) struct Opening<'a> {
    pub tenant: &'a TenantId,
    pub user: &'a UserId,
    pub method: &'a str,
    pub proof: Proof,
}

/// Under what failed tries at an account are counted: what happens in one tenant frees nothing in another. A name of
/// any length must not fill the table.
pub(crate) fn account_name(tenant: Option<&TenantId>, key: &str) -> String {
    secret::fingerprint(&format!("{}\0{key}", tenant.map_or("", TenantId::as_str)))
}

fn blocked(wait: Duration) -> Refused {
    Refused::throttled("failed attempts to sign in", wait)
}

impl Identity {
    /// Opens a session.
    pub async fn sign_in(&self, new: NewSession, caller: &Caller) -> Result<SignedIn, Refused> {
        self.begin_try(caller)?;
        let code = new.code.clone();
        let proven = self.prove_first(new, caller).await?;
        self.admit(proven, code, caller).await
    }

    /// The one account that name and password open, here or at a directory.
    pub(crate) async fn prove_first(&self, new: NewSession, caller: &Caller) -> Result<Proven, Refused> {
        match new.provider.clone() {
            Some(provider) => self.prove_at_directory(new, &provider, caller).await,
            None => self.prove_password((new.email, new.password), new.tenant, caller).await,
        }
    }

    /// Counts a try from the caller's network; it is taken back once it was good.
    pub(crate) fn begin_try(&self, caller: &Caller) -> Result<(), Refused> {
        self.inner.addresses.begin(&caller.network, self.now()).map_err(|wait| {
            // Whose account was meant is not looked at any more.
            self.failed_try(None, None, Why::Locked, caller);
            blocked(wait)
        })
    }

    pub(crate) fn good_try(&self, caller: &Caller) {
        self.inner.addresses.take_back(&caller.network, self.now());
    }

    pub(crate) fn begin_account(&self, name: &str) -> Result<(), Refused> {
        self.inner.accounts.begin(name, self.now()).map_err(blocked)
    }

    /// The one account that e-mail and password open. It counts as a failed try until the person is in, so that nobody
    /// with the password guesses codes.
    async fn prove_password(
        &self,
        (email, password): (String, String),
        tenant: Option<TenantId>,
        caller: &Caller,
    ) -> Result<Proven, Refused> {
        let key = email_key(&email);
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => self.tenants_of(&key).await?,
        };
        if tenants.is_empty() {
            // Nobody has this e-mail, which takes as long to tell as a wrong password.
            let begun = self.begin_account(&account_name(None, &key));
            let why = if begun.is_ok() { Why::Password } else { Why::Locked };
            self.failed_try(None, None, why, caller);
            begun?;
            self.inner.passwords.verify(password, None).await?;
            return Err(wrong_credentials().into());
        }
        let (mut open, mut refused, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for tenant in &tenants {
            match self.prove_in(tenant, &key, password.clone()).await? {
                Tried::Right(proven) => open.push(proven),
                Tried::Wrong(user) => failed.push((tenant, user, Why::Password)),
                Tried::Locked(user, refusal) => {
                    failed.push((tenant, user, Why::Locked));
                    refused.push(refusal);
                }
            }
        }
        if open.is_empty() {
            for (tenant, user, why) in &failed {
                self.failed_try(Some(tenant), user.as_ref(), *why, caller);
            }
        }
        if open.len() > 1 {
            for proven in &open {
                self.inner.accounts.take_back(&proven.throttle, self.now());
            }
            return Err(choose(open.iter().map(|proven| &proven.tenant)).into());
        }
        match (open.pop(), refused.len() == tenants.len()) {
            (Some(proven), _) => Ok(proven),
            (None, true) => Err(refused.swap_remove(0)),
            (None, false) => Err(wrong_credentials().into()),
        }
    }

    async fn prove_in(&self, tenant: &TenantId, key: &str, password: String) -> Result<Tried, Refused> {
        let throttle = account_name(Some(tenant), key);
        let begun = self.begin_account(&throttle);
        let account = self.account(tenant, key).await?;
        if let Err(refusal) = begun {
            return Ok(Tried::Locked(account.map(|account| account.id), refusal));
        }
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let right = self.inner.passwords.verify(password, hash).await?;
        let (tenant, method) = (tenant.clone(), "password".to_owned());
        let proven = |user| Proven { tenant, user, throttle, method, local: true };
        Ok(match account {
            Some(account) if right => Tried::Right(proven(account.id)),
            account => Tried::Wrong(account.map(|account| account.id)),
        })
    }

    async fn tenants_of(&self, key: &str) -> Result<Vec<TenantId>> {
        let name = secret::fingerprint(key);
        let read = self.control().read(move |tx| store_control::tenants_of_name(tx, &name, TENANTS_A_NAME));
        Ok(read.await?)
    }

    async fn account(&self, tenant: &TenantId, key: &str) -> Result<Option<Account>> {
        if self.inner.stores.record(tenant).is_none() {
            return Ok(None);
        }
        let (store, key) = (self.tenant(&Scope::system(tenant.clone()))?, key.to_owned());
        let account = store.db.read(move |tx| store_people::account_by_email(tx, &key)).await?;
        Ok(account.filter(|account| account.state == UserState::Active))
    }

    /// Lets somebody in whose first proof was right: asks for the second one where they have one.
    pub(crate) async fn admit(
        &self,
        proven: Proven,
        code: Option<String>,
        caller: &Caller,
    ) -> Result<SignedIn, Refused> {
        self.check_tenant(&proven.tenant)?;
        self.check_way(&proven).await?;
        let held = self.held(&proven.tenant, &proven.user).await?;
        let proof = match code.filter(|code| !code.is_empty()) {
            _ if held.factors.is_empty() => Proof::Nothing,
            Some(code) => {
                let checked = self.check_code(&proven.tenant, &held, &code).await;
                if checked.as_ref().is_err_and(|error| error.code == Code::SecondFactor) {
                    self.failed_try(Some(&proven.tenant), Some(&proven.user), Why::Code, caller);
                }
                checked?
            }
            None => {
                // Who knows the password guesses nothing from this network; the account goes on counting.
                self.good_try(caller);
                return Err(held.required().into());
            }
        };
        self.let_in(&proven, proof, caller).await
    }

    /// Opens the session of somebody who has proven all; their failed tries are forgotten.
    pub(crate) async fn let_in(
        &self,
        proven: &Proven,
        proof: Proof,
        caller: &Caller,
    ) -> Result<SignedIn, Refused> {
        let Proven { tenant, user, method, .. } = proven;
        let signed_in = self.open_session(Opening { tenant, user, method, proof }, caller).await?;
        self.inner.accounts.succeeded(&proven.throttle);
        self.good_try(caller);
        Ok(signed_in)
    }

    /// Whether the tenant lets people in by password. Owners always come in: somebody has to mend a broken provider.
    pub(crate) async fn check_way(&self, proven: &Proven) -> Result<()> {
        if !proven.local {
            return Ok(());
        }
        let (store, user) = (self.tenant(&Scope::system(proven.tenant.clone()))?, proven.user.clone());
        let read = store.db.read(move |tx| {
            let owner = store_people::user_by_id(tx, &user)?.is_some_and(|user| user.role == Role::OWNER);
            Ok(owner || store_policy::policy(tx)?.password_sign_in)
        });
        if read.await? {
            return Ok(());
        }
        Err(Error::new(
            Code::Forbidden,
            "Your organisation does not sign in with passwords that are kept here.",
        )
        .hint("Use one of the services on the sign-in page; owners can still use their password."))
    }

    pub(crate) async fn open_session(&self, opening: Opening<'_>, caller: &Caller) -> Result<SignedIn> {
        let Opening { tenant, user, method, proof } = opening;
        let token = secret::session_token(tenant)?;
        let (fingerprint, id) = (secret::fingerprint(&token), SessionId::generate());
        let scope = caller.scope(tenant.clone()).acting(user, id.as_str());
        let second = if method == PASSKEY { "" } else { proof.suffix() };
        let (user, method) = (user.clone(), format!("{method}{second}"));
        let (agent, address) = (caller.agent.clone(), caller.address.clone());
        let (now, longest) = (self.now(), self.inner.limits.lifetime.0);
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            proof.take(tx, &scope, &user)?;
            let lifetime = store_policy::policy(tx)?.lifetime().map_or(longest, |own| own.min(longest));
            let session = SessionRow {
                id: &id,
                user: &user,
                fingerprint: &fingerprint,
                method: &method,
                address: address.as_deref(),
                agent: agent.as_deref(),
                second_factor: proof.is_enough(),
                operator: None,
                expires_at: now.plus(lifetime),
            };
            store::insert_session(tx, &session)?;
            store::trim_sessions(tx, &user, SESSIONS_A_USER)?;
            let after = json!({ "method": method, "agent": agent });
            audit::record(tx, &scope, Change::new("session.opened", user.as_str()).after(&after))?;
            outbox::push(tx, "session.opened", user.as_str(), &())
        });
        written.await?;
        let credentials = lectern_kernel::ports::Credentials {
            session: Some(token.clone()),
            ..lectern_kernel::ports::Credentials::default()
        };
        let principal = lectern_kernel::ports::Authenticate::authenticate(self, credentials).await?;
        Ok(SignedIn { view: self.session(&principal).await?, token })
    }

    /// Asks the signed-in person for the password once more: a stolen session must not change how its owner signs in,
    /// nor be a way to guess the password faster.
    pub(crate) async fn prove_again(
        &self,
        scope: &Scope,
        principal: &Principal,
        password: String,
    ) -> Result<Account, Refused> {
        let (_, user, _) = own_session(principal)?;
        let store = self.tenant(scope)?;
        let account = store.db.read(move |tx| store_people::account_by_id(tx, &user)).await?;
        let account = account.ok_or_else(not_a_session)?;
        let name = account_name(Some(scope.tenant()), &email_key(&account.email));
        self.inner
            .accounts
            .begin(&name, self.now())
            .map_err(|wait| Refused::throttled("wrong passwords", wait))?;
        let right = match account.password.clone() {
            Some(hash) => self.inner.passwords.verify(password, Some(hash)).await?,
            None => self.prove_again_at_directory(scope, &account.id, password).await?,
        };
        if !right {
            return Err(Error::field("password", "is not your password").into());
        }
        self.inner.accounts.succeeded(&name);
        Ok(account)
    }
}

pub(crate) fn wrong_credentials() -> Error {
    Error::new(Code::WrongCredentials, "There is no user with this e-mail and password.")
        .hint("An administrator can set a new password with `lectern user password`.")
}

/// Only told to who knows the password in all of them.
fn choose<'a>(tenants: impl Iterator<Item = &'a TenantId>) -> Error {
    let mut error =
        Error::new(Code::ChooseTenant, "Your e-mail and password open more than one organisation.")
            .hint("Send `tenant` with one of those that stand in `errors`.");
    error.fields =
        tenants.map(|id| FieldError { field: "tenant".to_owned(), message: id.to_string() }).collect();
    error
}

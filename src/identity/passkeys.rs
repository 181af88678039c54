//! Passkeys: registered by who is signed in, and used to sign in, without a name or beside the password.
//!
//! Whose passkey it is that answers without a name: `control.db` maps the fingerprint of its id to the tenants that may
//! hold it, as it does for e-mails, and goes where a tenant goes by [`Identity::note_all_names`]. The handle that
//! authenticators keep follows from the person's id, so that nothing more has to be stored, and tells nothing.

use lectern_factors::{
    AuthenticationState, Claim, CredentialId, FactorError, NewPasskey, Passkey, Passkeys, Role, SignIn,
    UserHandle,
};
use lectern_kernel::{Code, Error, FactorId, Principal, Result, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::factors::{Enrolment, over};
use crate::failed::Why;
use crate::model::NewSession;
use crate::model_factors::{
    AskPasskey, FactorKind, FactorView, FinishPasskey, NewPasskeyFactor, PasskeyOptions,
};
use crate::model_people::UserState;
use crate::second_factor::{Proof, place, refused};
use crate::session::{Caller, SignedIn, own_session};
use crate::sign_in::{PASSKEY, Proven, account_name};
use crate::store_factors::FactorRow;
use crate::{Identity, Refused, secret, store_control, store_factors, store_people};

/// A passkey in more tenants than this is nobody's.
const TENANTS_A_PASSKEY: usize = 8;

/// The host that passkeys are bound to, and the origin of its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub host: String,
    pub origin: String,
}

/// A passkey that was asked for.
pub(crate) struct Asked {
    state: AuthenticationState,
    site: Site,
    /// Whose password was right; absent when nobody said a name.
    proven: Option<Proven>,
}

impl Site {
    fn passkeys(&self) -> Result<Passkeys> {
        Passkeys::new(&self.host, "Lectern", &[&self.origin]).map_err(|error| wrong_site(&error))
    }
}

/// The address of the page does not allow passkeys: nothing that signing in again would mend.
fn wrong_site(error: &FactorError) -> Error {
    Error::new(Code::Conflict, format!("{error}.")).hint(error.hint())
}

fn handle(user: &UserId) -> UserHandle {
    let mut hash = Sha256::new();
    hash.update(b"lectern passkey handle\0");
    hash.update(user.as_str().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    UserHandle::from_bytes(bytes)
}

fn fingerprint(id: &CredentialId) -> String {
    secret::fingerprint(&id.to_string())
}

impl Identity {
    /// Options for the page that registers a passkey.
    pub(crate) async fn begin_passkey(
        &self,
        scope: &Scope,
        principal: &Principal,
        new: NewPasskeyFactor,
        site: Site,
    ) -> Result<PasskeyOptions, Refused> {
        let passkeys = site.passkeys()?;
        let account = self.prove_again(scope, principal, new.password).await?;
        let (session, ..) = own_session(principal)?;
        let held = self.held(scope.tenant(), &account.id).await?;
        let existing = self.passkeys_of(scope.tenant(), &held.factors)?;
        let existing: Vec<_> = existing.iter().map(Passkey::id).collect();
        let wanted = NewPasskey {
            user: handle(&account.id),
            user_name: &account.email,
            display_name: &account.name,
            existing: &existing,
            role: if new.second_only { Role::SecondFactor } else { Role::OnlyFactor },
        };
        let begun = passkeys.begin_registration(&wanted, self.now().0);
        let (options, state) = begun.map_err(|error| refused(&error))?;
        let name = new.name.trim().to_owned();
        let waiting = Enrolment::Passkey { state: Box::new(state), site, name };
        let id = self.inner.enrolments.put(session.as_str(), waiting, self.now())?;
        Ok(PasskeyOptions { id, options })
    }

    /// Keeps the passkey that answered.
    pub(crate) async fn finish_passkey(
        &self,
        scope: &Scope,
        principal: &Principal,
        answer: FinishPasskey,
    ) -> Result<FactorView> {
        let (session, user, _) = own_session(principal)?;
        let Enrolment::Passkey { state, site, name } = self.waiting(&answer.id, &session)? else {
            return Err(over());
        };
        let now = self.now();
        let passkey = site
            .passkeys()?
            .finish_registration(*state, &answer.response.to_string(), now.0)
            .map_err(|error| Error::field("response", error.to_string()).hint(error.hint()))?;
        let (id, credential) = (FactorId::generate(), fingerprint(&passkey.id()));
        let data = self.seal_passkey(scope.tenant(), &id, &passkey)?;
        self.note_passkey(scope.tenant(), credential.clone()).await?;
        let view = FactorView { id, kind: FactorKind::Passkey, name, created_at: now, last_used_at: None };
        let row = FactorRow { view, user, data, credential: Some(credential), last_step: None };
        self.keep_factor(scope, session, row).await
    }

    /// Options for the page that signs in: without a name, or as the second proof of who has the password.
    pub(crate) async fn ask_passkey(
        &self,
        ask: AskPasskey,
        site: Site,
        caller: &Caller,
    ) -> Result<PasskeyOptions, Refused> {
        let passkeys = site.passkeys()?;
        let AskPasskey { email, password, tenant, provider } = ask;
        let proven = match (email, password) {
            (Some(email), Some(password)) => {
                self.begin_try(caller)?;
                let first = NewSession { email, password, tenant, provider, code: None };
                Some(self.prove_first(first, caller).await?)
            }
            _ => None,
        };
        let now = self.now();
        let begun = match &proven {
            None => passkeys.begin_authentication(SignIn::Nameless, now.0),
            Some(proven) => {
                self.check_tenant(&proven.tenant)?;
                self.check_way(proven).await?;
                let held = self.held(&proven.tenant, &proven.user).await?;
                let own = self.passkeys_of(&proven.tenant, &held.factors)?;
                self.good_try(caller);
                passkeys.begin_authentication(SignIn::SecondFactor(&own), now.0)
            }
        };
        let (options, state) = begun.map_err(|error| refused(&error))?;
        let id = self.inner.passkey_sign_ins.put(&caller.network, Asked { state, site, proven }, now)?;
        Ok(PasskeyOptions { id, options })
    }

    /// Opens a session for the passkey that answered.
    pub(crate) async fn answer_passkey(
        &self,
        answer: FinishPasskey,
        caller: &Caller,
    ) -> Result<SignedIn, Refused> {
        self.begin_try(caller)?;
        let (_, asked) = self.inner.passkey_sign_ins.take(&answer.id, self.now()).ok_or_else(over)?;
        let response = answer.response.to_string();
        let claim = Claim::read(&response).map_err(|error| refused(&error))?;
        let credential = fingerprint(&claim.credential_id);
        let tenants = match &asked.proven {
            Some(proven) => vec![proven.tenant.clone()],
            None => self.tenants_of_passkey(credential.clone()).await?,
        };
        let mut why = refused(&FactorError::WrongPasskey);
        for tenant in tenants {
            let Some(row) = self.passkey_row(&tenant, &credential, &asked).await? else { continue };
            match self.check_passkey(&tenant, &row, &asked, &response).await {
                Ok(proof) => {
                    self.check_tenant(&tenant)?;
                    let proven = asked.proven.clone().unwrap_or_else(|| nameless(&tenant, &row.user));
                    return self.let_in(&proven, proof, caller).await;
                }
                Err(error) => why = error,
            }
        }
        if why.code == Code::SecondFactor {
            let proven = asked.proven.as_ref();
            let (tenant, user) = (proven.map(|proven| &proven.tenant), proven.map(|proven| &proven.user));
            self.failed_try(tenant, user, Why::Passkey, caller);
        }
        Err(why.into())
    }

    /// The passkey of somebody who may come in, and whose password was right where one was sent.
    async fn passkey_row(
        &self,
        tenant: &TenantId,
        credential: &str,
        asked: &Asked,
    ) -> Result<Option<FactorRow>> {
        if self.inner.stores.record(tenant).is_none() {
            return Ok(None);
        }
        let (store, wanted) = (self.tenant(&Scope::system(tenant.clone()))?, credential.to_owned());
        let found = store.db.read(move |tx| {
            let Some(row) = store_factors::factor_by_credential(tx, &wanted)? else { return Ok(None) };
            let account = store_people::account_by_id(tx, &row.user)?;
            Ok(account.filter(|account| account.state == UserState::Active).map(|_| row))
        });
        let fits = |row: &FactorRow| asked.proven.as_ref().is_none_or(|proven| proven.user == row.user);
        Ok(found.await?.filter(fits))
    }

    async fn check_passkey(
        &self,
        tenant: &TenantId,
        row: &FactorRow,
        asked: &Asked,
        response: &str,
    ) -> Result<Proof> {
        let mut passkey = self.open_passkey(tenant, row)?;
        let checked = asked.site.passkeys()?.finish_authentication(
            asked.state.clone(),
            response,
            &passkey,
            self.now().0,
        );
        let result = match checked {
            Ok(result) if asked.proven.is_none() && !result.user_verified => {
                return Err(refused(&FactorError::NotVerified));
            }
            Ok(result) => result,
            Err(error) => {
                if error == FactorError::Cloned {
                    self.record_clone(tenant, row).await?;
                }
                return Err(refused(&error));
            }
        };
        passkey.update(&result);
        let after = self.seal_passkey(tenant, &row.view.id, &passkey)?;
        Ok(Proof::Passkey { factor: row.view.id.clone(), before: row.data.clone(), after })
    }

    async fn record_clone(&self, tenant: &TenantId, row: &FactorRow) -> Result<()> {
        let (scope, user, view) = (Scope::system(tenant.clone()), row.user.clone(), json!(row.view));
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let change = Change::new("factor.maybe_copied", user.as_str());
            audit::record(tx, &scope, change.after(&view))
        });
        Ok(written.await?)
    }

    fn passkeys_of(&self, tenant: &TenantId, factors: &[FactorRow]) -> Result<Vec<Passkey>> {
        let passkeys = factors.iter().filter(|row| row.view.kind == FactorKind::Passkey);
        passkeys.map(|row| self.open_passkey(tenant, row)).collect()
    }

    fn open_passkey(&self, tenant: &TenantId, row: &FactorRow) -> Result<Passkey> {
        let opened = self.vault()?.open(tenant, &place(&row.view.id), &row.data)?;
        serde_json::from_slice(&opened).map_err(Error::internal)
    }

    fn seal_passkey(&self, tenant: &TenantId, id: &FactorId, passkey: &Passkey) -> Result<String> {
        let bytes = serde_json::to_vec(passkey).map_err(Error::internal)?;
        self.vault()?.seal(tenant, &place(id), &bytes)
    }

    async fn tenants_of_passkey(&self, credential: String) -> Result<Vec<TenantId>> {
        let read = move |tx: &lectern_store::Tx<'_>| {
            store_control::tenants_of_passkey(tx, &credential, TENANTS_A_PASSKEY)
        };
        Ok(self.control().read(read).await?)
    }

    async fn note_passkey(&self, tenant: &TenantId, credential: String) -> Result<()> {
        let tenant = tenant.clone();
        Ok(self.control().write(move |tx| store_control::add_passkey(tx, &credential, &tenant)).await?)
    }

    pub(crate) async fn forget_passkey(&self, tenant: &TenantId, credential: String) -> Result<()> {
        let tenant = tenant.clone();
        Ok(self.control().write(move |tx| store_control::remove_passkey(tx, &credential, &tenant)).await?)
    }
}

fn nameless(tenant: &TenantId, user: &UserId) -> Proven {
    let throttle = account_name(Some(tenant), user.as_str());
    Proven { tenant: tenant.clone(), user: user.clone(), throttle, method: PASSKEY.to_owned(), local: false }
}

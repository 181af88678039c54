//! One's own second factors: set up, listed, removed. Each change asks for the password once more.

use lectern_factors::{FactorError, RecoveryCodes, Totp, TotpSecret, qr_svg};
use lectern_kernel::{Code, Error, FactorId, Principal, Result, Scope, SessionId, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model_factors::{
    ConfirmTotp, FactorKind, FactorView, FactorsView, NewFactor, RecoveryCodesView, TotpOffer,
};
use crate::second_factor::{place, refused};
use crate::session::own_session;
use crate::store_factors::FactorRow;
use crate::{Identity, Refused, store_factors, store_people, store_policy};

const FACTORS_A_USER: usize = 20;
/// Wrong first codes before the secret has to be made anew.
const TRIES: u32 = 5;

/// A factor that waits for its first proof.
pub(crate) enum Enrolment {
    Totp { secret: TotpSecret, name: String, tries: u32 },
    Passkey { state: Box<lectern_factors::RegistrationState>, site: crate::passkeys::Site, name: String },
}

impl Identity {
    pub async fn factors(&self, principal: &Principal) -> Result<FactorsView> {
        let (_, user, _) = own_session(principal)?;
        let store = self.tenant(&Scope::granted(principal))?;
        let read = store.db.read(move |tx| {
            let factors = store_factors::factors_of(tx, &user)?;
            Ok((factors, store_factors::codes_left(tx, &user)?))
        });
        let (factors, codes) = read.await?;
        Ok(FactorsView {
            factors: factors.into_iter().map(|row| row.view).collect(),
            recovery_codes_left: codes.map(|(left, _)| left),
            recovery_codes_made_at: codes.map(|(_, at)| at),
        })
    }

    /// A secret for an app; it counts once the first code proves that the app has it.
    pub async fn begin_totp(
        &self,
        scope: &Scope,
        principal: &Principal,
        new: NewFactor,
    ) -> Result<TotpOffer, Refused> {
        let account = self.prove_again(scope, principal, new.password).await?;
        let (session, ..) = own_session(principal)?;
        let secret = TotpSecret::generate().map_err(|error| refused(&error))?;
        let issuer = self.inner.stores.record(scope.tenant()).map(|r| r.name.clone()).unwrap_or_default();
        let issuer = if issuer.is_empty() { "Lectern".to_owned() } else { format!("Lectern {issuer}") };
        let uri = Totp::APPS.uri(&secret, &issuer, &account.email);
        let qr = qr_svg(&uri).map_err(|error| refused(&error))?;
        let text = secret.base32().to_string();
        let waiting = Enrolment::Totp { secret, name: new.name.trim().to_owned(), tries: TRIES };
        let id = self.inner.enrolments.put(session.as_str(), waiting, self.now())?;
        Ok(TotpOffer { id, secret: text, uri: uri.to_string(), qr_svg: qr.to_string() })
    }

    /// Keeps the secret, when the first code is right. That code is used up.
    pub async fn confirm_totp(
        &self,
        scope: &Scope,
        principal: &Principal,
        confirm: ConfirmTotp,
    ) -> Result<FactorView> {
        let (session, user, _) = own_session(principal)?;
        let now = self.now();
        let (secret, name, tries) = match self.waiting(&confirm.id, &session)? {
            Enrolment::Totp { secret, name, tries } => (secret, name, tries),
            Enrolment::Passkey { .. } => return Err(over()),
        };
        let step = match Totp::APPS.verify(&secret, &confirm.code, now.0, None) {
            Ok(step) => step,
            Err(error) => {
                if tries > 1 {
                    let again = Enrolment::Totp { secret, name, tries: tries - 1 };
                    self.inner.enrolments.put_back(&confirm.id, session.as_str(), again, now);
                }
                return Err(Error::field("code", error.to_string()).hint(error.hint()));
            }
        };
        let id = FactorId::generate();
        let data = self.vault()?.seal(scope.tenant(), &place(&id), secret.as_bytes())?;
        let view = FactorView { id, kind: FactorKind::Totp, name, created_at: now, last_used_at: None };
        self.keep_factor(
            scope,
            session,
            FactorRow { view, user, data, credential: None, last_step: Some(step) },
        )
        .await
    }

    /// What waits under this id for this session; it waits no longer.
    pub(crate) fn waiting(&self, id: &str, session: &SessionId) -> Result<Enrolment> {
        let found = self.inner.enrolments.take(id, self.now());
        found.filter(|(owner, _)| owner == session.as_str()).map(|(_, value)| value).ok_or_else(over)
    }

    pub(crate) async fn keep_factor(
        &self,
        scope: &Scope,
        session: SessionId,
        row: FactorRow,
    ) -> Result<FactorView> {
        let (scope, view) = (scope.clone(), row.view.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                if store_factors::factors_of(tx, &row.user)?.len() >= FACTORS_A_USER {
                    let error = Error::new(Code::Conflict, "There are 20 factors already.");
                    return Err(error.hint("Remove those that are not used any more.").into());
                }
                if !store_factors::insert_factor(tx, &row)? {
                    return Err(Error::new(Code::Conflict, "This passkey is registered already.").into());
                }
                // Whoever just proved a factor in this session has shown all that can be asked for.
                store_factors::prove_session(tx, &session)?;
                record(tx, &scope, "factor.added", &row.user, &row.view)
            })
            .await?;
        self.inner.cache.clear();
        Ok(view)
    }

    /// Removes a factor. The last one stays where the tenant asks for one.
    pub async fn delete_factor(
        &self,
        scope: &Scope,
        principal: &Principal,
        id: &FactorId,
        password: String,
    ) -> Result<(), Refused> {
        let account = self.prove_again(scope, principal, password).await?;
        let (user, own, id, rights) =
            (account.id, scope.clone(), id.clone(), self.role_rights(scope.tenant(), &principal.role).await?);
        let store = self.tenant(scope)?;
        let removed = store.db.write(move |tx| {
            let held = store_factors::factors_of(tx, &user)?;
            let row = held.iter().find(|row| row.view.id == id).ok_or_else(|| Error::not_found("factor"))?;
            if held.len() == 1 {
                if store_policy::policy(tx)?.second_factor.asks(&rights) {
                    return Err(Error::new(Code::Conflict, "Your organisation asks for a second factor.")
                        .hint("Add another one first.")
                        .into());
                }
                store_factors::delete_codes(tx, &user)?;
            }
            store_factors::delete_factor(tx, &id)?;
            record(tx, &own, "factor.removed", &user, &row.view)?;
            Ok(row.credential.clone())
        });
        if let Some(credential) = removed.await? {
            self.forget_passkey(scope.tenant(), credential).await?;
        }
        Ok(())
    }

    /// Ten new recovery codes in place of those before.
    pub async fn create_recovery_codes(
        &self,
        scope: &Scope,
        principal: &Principal,
        password: String,
    ) -> Result<RecoveryCodesView, Refused> {
        let account = self.prove_again(scope, principal, password).await?;
        let (codes, hashes, left) = self.inner.passwords.run(make_codes).await?;
        let (user, own) = (account.id, scope.clone());
        self.tenant(scope)?
            .db
            .write(move |tx| {
                if store_factors::factors_of(tx, &user)?.is_empty() {
                    return Err(Error::new(Code::Conflict, "Recovery codes stand in for a second factor.")
                        .hint("Set up an authenticator app or a passkey first.")
                        .into());
                }
                store_factors::put_codes(tx, &user, &hashes, left)?;
                audit::record(tx, &own, Change::new("recovery.made", user.as_str()))?;
                outbox::push(tx, "recovery.made", user.as_str(), &())
            })
            .await?;
        Ok(RecoveryCodesView { codes })
    }

    /// Removes all factors of somebody who lost them, by somebody who holds at least as much. Their sessions end.
    pub async fn remove_factors_of(
        &self,
        scope: &Scope,
        rights: &lectern_kernel::Rights,
        id: &UserId,
    ) -> Result<()> {
        let (id, own, rights, this) = (id.clone(), scope.clone(), rights.clone(), self.clone());
        self.tenant(scope)?
            .db
            .write(move |tx| {
                let person =
                    store_people::person_by_id(tx, &id)?.ok_or_else(|| Error::not_found("person"))?;
                this.may_give(tx, &rights, &person.role)?;
                Self::reset_factors(tx, &own, &id)
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Removes all factors of the person with an e-mail, for the command line.
    pub async fn unlock(&self, tenant: &TenantId, email: &str, factors: bool) -> Result<usize> {
        let (key, scope) = (crate::model::email_key(email), Scope::system(tenant.clone()));
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let account = store_people::account_by_email(tx, &key)?.ok_or_else(|| {
                Error::new(Code::NotFound, "There is no user with this e-mail.")
                    .hint("Look at the e-mail address and the tenant.")
            })?;
            let before = json!({ "state": account.state });
            store_people::activate(tx, &account.id)?;
            let change = Change::new("user.unlocked", account.id.as_str()).before(&before);
            audit::record(tx, &scope, change.after(&json!({ "state": "active" })))?;
            outbox::push(tx, "user.unlocked", account.id.as_str(), &())?;
            if factors { Self::reset_factors(tx, &scope, &account.id) } else { Ok(0) }
        });
        let removed = written.await?;
        self.inner.cache.clear();
        Ok(removed)
    }
}

fn make_codes() -> Result<(Vec<String>, String, usize)> {
    let wrong = |error: FactorError| refused(&error);
    let codes = RecoveryCodes::generate().map_err(wrong)?;
    let hashes = codes.hashes().map_err(wrong)?;
    let text = serde_json::to_string(&hashes).map_err(Error::internal)?;
    Ok((codes.iter().map(str::to_owned).collect(), text, hashes.left()))
}

fn record(
    tx: &mut Tx<'_>,
    scope: &Scope,
    action: &str,
    user: &UserId,
    view: &FactorView,
) -> Result<(), StoreError> {
    audit::record(tx, scope, Change::new(action, user.as_str()).after(&json!(view)))?;
    outbox::push(tx, action, user.as_str(), view)
}

pub(crate) fn over() -> Error {
    Error::new(Code::Gone, "This took too long, was used already, or belongs to another session.")
        .hint("Begin anew; there are five minutes.")
}

//! What this area holds about a person, handed out and taken away whole.

use async_trait::async_trait;
use lectern_kernel::{Erased, HeldFile, PersonPart, Result, Rights, Role, Scope, UserId};
use lectern_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::model::email_key;
use crate::people::{another_owner, below};
use crate::{Identity, store, store_control, store_factors, store_people, store_person};

#[async_trait]
impl PersonPart for Identity {
    fn name(&self) -> &'static str {
        "account"
    }

    async fn names(&self, scope: &Scope, user: &UserId) -> Result<Vec<String>> {
        let user = user.clone();
        let found = self.tenant(scope)?.db.read(move |tx| store_people::account_by_id(tx, &user)).await?;
        Ok(found.into_iter().map(|account| account.email).collect())
    }

    async fn may_erase(&self, scope: &Scope, rights: &Rights, user: &UserId) -> Result<()> {
        let (user, rights, this) = (user.clone(), rights.clone(), self.clone());
        let check = move |tx: &Tx<'_>| {
            let Some(person) = store_people::person_by_id(tx, &user)? else { return Ok(()) };
            below(tx, &this.inner.catalogue, &rights, &person.role)?;
            if person.role == Role::OWNER { another_owner(tx, &user) } else { Ok(()) }
        };
        Ok(self.tenant(scope)?.db.read(check).await?)
    }

    /// Never a secret: of second factors the names, of keys the first characters.
    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let user = user.clone();
        let read = move |tx: &Tx<'_>| -> Result<Option<Value>, StoreError> {
            let Some(person) = store_people::person_by_id(tx, &user)? else { return Ok(None) };
            let factors = store_factors::factors_of(tx, &user)?;
            let factors: Vec<_> = factors.into_iter().map(|factor| factor.view).collect();
            Ok(Some(json!({
                "person": person,
                "sessions": store::list_sessions(tx, &user)?,
                "second_factors": factors,
                "sign_ins_elsewhere": store_person::identities(tx, &user)?,
                "invitations": store_person::invitations(tx, &email_key(&person.email))?,
                "keys_made": store_person::keys_made(tx, &user)?,
                "support_consents_given": store_person::consents_given(tx, &user)?,
            })))
        };
        let found = self.tenant(scope)?.db.read(read).await?;
        found.iter().map(|rows| HeldFile::json("account.json", rows)).collect()
    }

    async fn erase(&self, scope: &Scope, user: &UserId, names: &[String]) -> Result<Vec<Erased>> {
        let (subject, keys) = (user.clone(), names.iter().map(|name| email_key(name)).collect::<Vec<_>>());
        let emails = keys.clone();
        let write = move |tx: &mut Tx<'_>| {
            let factors = store_factors::factors_of(tx, &subject)?;
            let invitations = emails.iter().map(|key| store_people::delete_invitations_of(tx, key));
            let invitations: usize = invitations.sum::<Result<usize, StoreError>>()?;
            store_person::forget_consents(tx, &subject)?;
            let gone = store_people::delete_user(tx, &subject)?;
            Ok((factors, invitations, gone))
        };
        let (factors, invitations, gone) = self.tenant(scope)?.db.write(write).await?;
        self.inner.cache.clear();
        let (subject, tenant, passkeys) = (user.clone(), scope.tenant().clone(), factors.len());
        let forget = move |tx: &mut Tx<'_>| {
            store_control::remove_operator(tx, subject.as_str())?;
            let credentials = factors.iter().filter_map(|factor| factor.credential.as_deref());
            credentials.into_iter().try_for_each(|one| store_control::remove_passkey(tx, one, &tenant))
        };
        self.control().write(forget).await?;
        for key in keys {
            self.forget_name(scope.tenant(), &key).await?;
        }
        Ok(vec![
            Erased::new("accounts", gone),
            Erased::new("second_factors", passkeys),
            Erased::new("invitations", invitations),
        ])
    }
}

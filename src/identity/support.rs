//! An operator in the place of a person: only while the tenant consents, for an hour at most, and in both records.

use std::time::Duration;

use lectern_kernel::{Code, ConsentId, Error, Principal, Result, Rights, Scope, SessionId, TenantId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::email_key;
use crate::model_people::UserState;
use crate::model_support::{NewSupportConsent, NewSupportSession, SupportConsentView, SupportConsentsView};
use crate::session::{Caller, SignedIn, own_session};
use crate::store::SessionRow;
use crate::{Identity, secret, store, store_people, store_support};

const SESSION_LIVES: Duration = Duration::from_hours(1);
const SHOWN: u32 = 21;
/// What an operator never may in a person's place: to give themselves a way in that outlives the consent, or to look
/// at what is kept about people.
const NEVER: [&str; 6] =
    ["keys.manage", "people.manage", "signin.manage", "apps.manage", "support.consent", "privacy.manage"];

/// Of a person's rights those that an operator has in their place.
pub(crate) fn lent(rights: &Rights, may_change: bool) -> Rights {
    let looks = |name: &str| [".read", ".use", ".all"].iter().any(|end| name.ends_with(end));
    let names = rights.names().filter(|name| !NEVER.contains(name) && (may_change || looks(name)));
    names.map(str::to_owned).collect()
}

impl Identity {
    /// The consent that holds, and those before.
    pub async fn support_consents(&self, scope: &Scope) -> Result<SupportConsentsView> {
        let read = |tx: &Tx<'_>| Ok((store_support::current(tx)?, store_support::list(tx, SHOWN)?));
        let (current, mut earlier) = self.tenant(scope)?.db.read(read).await?;
        earlier.retain(|one| current.as_ref().is_none_or(|current| current.id != one.id));
        earlier.truncate(SHOWN as usize - 1);
        Ok(SupportConsentsView { current, earlier })
    }

    /// Consents anew; a consent before it ends, and the sessions that came of it.
    pub async fn consent_to_support(
        &self,
        scope: &Scope,
        new: NewSupportConsent,
    ) -> Result<SupportConsentView> {
        let now = self.now();
        let view = SupportConsentView {
            id: ConsentId::generate(),
            granted_by: scope.user().cloned(),
            note: new.note.trim().to_owned(),
            may_change: new.may_change,
            created_at: now,
            expires_at: now.plus(Duration::from_hours(u64::from(new.hours))),
            ended_at: None,
        };
        let (scope, kept) = (scope.clone(), view.clone());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            store_support::end_all(tx)?;
            store_support::insert(tx, &kept)?;
            audit::record(
                tx,
                &scope,
                Change::new("support.consented", kept.id.as_str()).after(&json!(kept)),
            )?;
            outbox::push(tx, "support.consented", kept.id.as_str(), &kept)
        });
        written.await?;
        self.inner.cache.clear();
        Ok(view)
    }

    /// Takes the consent back; operators are out at once.
    pub async fn end_support(&self, scope: &Scope) -> Result<()> {
        let scope = scope.clone();
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            let consent = store_support::current(tx)?;
            let consent = consent.ok_or_else(|| Error::not_found("consent"))?;
            store_support::end_all(tx)?;
            audit::record(
                tx,
                &scope,
                Change::new("support.ended", consent.id.as_str()).before(&json!(consent)),
            )?;
            outbox::push(tx, "support.ended", consent.id.as_str(), &())
        });
        written.await?;
        self.inner.cache.clear();
        Ok(())
    }

    /// Opens a session in the place of a person. `principal` is the operator, at a browser.
    pub async fn open_support_session(
        &self,
        principal: &Principal,
        scope: &Scope,
        tenant: &TenantId,
        wanted: NewSupportSession,
        caller: &Caller,
    ) -> Result<SignedIn> {
        let operator = self.operator_name(principal).await?;
        if self.inner.stores.record(tenant).is_none() {
            return Err(Error::not_found("tenant"));
        }
        self.check_tenant(tenant)?;
        let token = secret::session_token(tenant)?;
        let opening = Opening {
            operator,
            reason: wanted.reason.trim().to_owned(),
            email_key: email_key(&wanted.email),
            fingerprint: secret::fingerprint(&token),
            session: SessionId::generate(),
        };
        let (own, caller) = (caller.scope(tenant.clone()), caller.clone());
        let (id, reason) = (tenant.to_string(), opening.reason.clone());
        let store = self.tenant(&own)?;
        let person = store.db.write(move |tx| opening.write(tx, &own, &caller)).await?;
        let (scope, after) = (scope.clone(), json!({ "person": person, "reason": reason }));
        let change = move |tx: &mut Tx<'_>| {
            audit::record(tx, &scope, Change::new("support.session_opened", &id).after(&after))
        };
        self.control().write(change).await?;
        let credentials = lectern_kernel::ports::Credentials {
            session: Some(token.clone()),
            ..lectern_kernel::ports::Credentials::default()
        };
        let principal = lectern_kernel::ports::Authenticate::authenticate(self, credentials).await?;
        Ok(SignedIn { view: self.session(&principal).await?, token })
    }

    /// What the tenant's record calls the operator.
    async fn operator_name(&self, principal: &Principal) -> Result<String> {
        let (_, user, _) = own_session(principal)?;
        if principal.actor.operator().is_some() {
            return Err(Error::new(Code::Forbidden, "An operator in a person's place is no operator.")
                .hint("End the session first."));
        }
        let store = self.tenant(&Scope::granted(principal))?;
        let found = store.db.read(move |tx| store_people::user_by_id(tx, &user)).await?;
        let user = found.ok_or_else(|| Error::not_found("user"))?;
        Ok(format!("{} ({})", user.email, principal.tenant))
    }
}

/// A session that is about to be opened in a person's place.
struct Opening {
    operator: String,
    reason: String,
    email_key: String,
    fingerprint: String,
    session: SessionId,
}

impl Opening {
    /// Checks consent and person, and opens it; whose place it is.
    fn write(&self, tx: &mut Tx<'_>, scope: &Scope, caller: &Caller) -> Result<String, StoreError> {
        let consent = store_support::current(tx)?.ok_or_else(no_consent)?;
        let person = store_people::account_by_email(tx, &self.email_key)?;
        let person = person.filter(|person| person.state == UserState::Active);
        let person = person.ok_or_else(|| Error::not_found("person"))?;
        let session = SessionRow {
            id: &self.session,
            user: &person.id,
            fingerprint: &self.fingerprint,
            method: "support",
            address: caller.address.as_deref(),
            agent: caller.agent.as_deref(),
            second_factor: true,
            operator: Some(&self.operator),
            expires_at: tx.now().plus(SESSION_LIVES).min(consent.expires_at),
        };
        store::insert_session(tx, &session)?;
        let scope =
            scope.clone().acting(&person.id, &format!("{} of operator {}", self.session, self.operator));
        let after = json!({
            "operator": self.operator,
            "reason": self.reason,
            "consent": consent.id,
            "may_change": consent.may_change,
        });
        let change = Change::new("support.session_opened", person.id.as_str());
        audit::record(tx, &scope, change.after(&after))?;
        outbox::push(tx, "support.session_opened", person.id.as_str(), &after)?;
        Ok(person.id.to_string())
    }
}

fn no_consent() -> Error {
    Error::new(Code::Forbidden, "The organisation has not consented to support, or its consent is over.")
        .hint("One of its administrators can consent under Administration, Support access.")
}

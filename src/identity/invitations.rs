//! Links that let somebody join a tenant or choose a new password. There is no mail: whoever makes a link passes it on.

use std::time::Duration;

use lectern_kernel::{Code, Error, InvitationId, Result, Rights, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::{NewUser, email_key};
use crate::model_people::{
    AcceptInvitation, InvitationKind, InvitationOffer, InvitationView, NewInvitation, NewInvitationView,
};
use crate::policy::wrong_domain;
use crate::second_factor::Proof;
use crate::session::{Caller, SignedIn, password_changed};
use crate::sign_in::{Opening, account_name};
use crate::store_people::InvitationRow;
use crate::users::prepare_user;
use crate::{Identity, Refused, secret, store, store_groups, store_people, store_policy};

const DAYS: u32 = 7;
/// A link for a new password is passed on at once.
const RESET: Duration = Duration::from_hours(24);
const DAY: Duration = Duration::from_hours(24);

impl Identity {
    /// Invites somebody. Nobody gives a role that holds more than they do.
    pub async fn invite(
        &self,
        scope: &Scope,
        rights: &Rights,
        new: NewInvitation,
    ) -> Result<NewInvitationView> {
        let now = self.now();
        let view = InvitationView {
            id: InvitationId::generate(),
            kind: InvitationKind::Join,
            email: new.email.trim().to_owned(),
            name: new.name.trim().to_owned(),
            role: new.role,
            groups: new.groups,
            created_at: now,
            expires_at: now.plus(DAY * new.days.unwrap_or(DAYS)),
        };
        let (rights, this) = (rights.clone(), self.clone());
        let check = move |tx: &Tx<'_>, view: &InvitationView| {
            this.may_give(tx, &rights, &view.role)?;
            let policy = store_policy::policy(tx)?;
            if !policy.invites(&view.email) {
                return Err(wrong_domain(&policy).into());
            }
            match store_people::account_by_email(tx, &email_key(&view.email))? {
                Some(_) => {
                    Err(Error::new(Code::Conflict, "There is a user with this e-mail already.").into())
                }
                None => Ok(None),
            }
        };
        self.keep_link(scope, view, check).await
    }

    /// A link with which a person chooses a new password.
    pub async fn reset_link(
        &self,
        scope: &Scope,
        rights: &Rights,
        user: &UserId,
    ) -> Result<NewInvitationView> {
        let (now, person) = (self.now(), self.person(scope, user).await?);
        let view = InvitationView {
            id: InvitationId::generate(),
            kind: InvitationKind::Reset,
            email: person.email,
            name: person.name,
            role: person.role,
            groups: Vec::new(),
            created_at: now,
            expires_at: now.plus(RESET),
        };
        let (rights, this, user) = (rights.clone(), self.clone(), user.clone());
        let check = move |tx: &Tx<'_>, view: &InvitationView| {
            this.may_give(tx, &rights, &view.role)?;
            Ok(Some(user))
        };
        self.keep_link(scope, view, check).await
    }

    /// Keeps a link in place of those that the same e-mail had.
    async fn keep_link(
        &self,
        scope: &Scope,
        view: InvitationView,
        check: impl FnOnce(&Tx<'_>, &InvitationView) -> Result<Option<UserId>, StoreError> + Send + 'static,
    ) -> Result<NewInvitationView> {
        let token = secret::invitation_token(scope.tenant())?;
        let (fingerprint, kept, scope) = (secret::fingerprint(&token), view.clone(), scope.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                let user = check(tx, &kept)?;
                let email_key = email_key(&kept.email);
                store_people::delete_invitations_of(tx, &email_key)?;
                let row = InvitationRow {
                    view: &kept,
                    email_key: &email_key,
                    user: user.as_ref(),
                    fingerprint: &fingerprint,
                    created_by: scope.user(),
                };
                store_people::insert_invitation(tx, &row)?;
                let change = Change::new("invitation.created", kept.id.as_str());
                audit::record(tx, &scope, change.after(&json!(kept)))?;
                outbox::push(tx, "invitation.created", kept.id.as_str(), &kept)
            })
            .await?;
        Ok(NewInvitationView { invitation: view, token })
    }

    /// Open invitations, the newest first.
    pub async fn invitations(&self, scope: &Scope) -> Result<Vec<InvitationView>> {
        Ok(self.tenant(scope)?.db.read(store_people::list_invitations).await?)
    }

    pub async fn withdraw_invitation(&self, scope: &Scope, id: &InvitationId) -> Result<()> {
        let (id, scope) = (id.clone(), scope.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                if store_people::delete_invitation(tx, &id)? == 0 {
                    return Err(Error::not_found("invitation").into());
                }
                audit::record(tx, &scope, Change::new("invitation.withdrawn", id.as_str()))
            })
            .await?;
        Ok(())
    }

    /// What a link offers, for the page that its holder opens.
    pub async fn offer(&self, token: &str, caller: &Caller) -> Result<InvitationOffer, Refused> {
        let tenant = self.tenant_of_link(token, caller)?;
        let (scope, fingerprint) = (Scope::system(tenant.clone()), secret::fingerprint(token.trim()));
        let store = self.tenant(&scope)?;
        let found = store.db.read(move |tx| store_people::find_invitation(tx, &fingerprint)).await?;
        let (view, _) = found.ok_or_else(over)?;
        self.inner.addresses.take_back(&caller.network, self.now());
        let name = self.inner.stores.record(&tenant).map(|r| r.name.clone()).unwrap_or_default();
        let InvitationView { kind, email, name: person, role, .. } = view;
        Ok(InvitationOffer { kind, tenant: name, email, name: person, role })
    }

    /// Joins, or sets the new password, and signs in.
    pub async fn accept(&self, accept: AcceptInvitation, caller: &Caller) -> Result<SignedIn, Refused> {
        let tenant = self.tenant_of_link(&accept.token, caller)?;
        let fingerprint = secret::fingerprint(accept.token.trim());
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        let wanted = fingerprint.clone();
        let found = store.db.read(move |tx| store_people::find_invitation(tx, &wanted)).await?;
        let (view, user) = found.ok_or_else(over)?;
        self.good_try(caller);
        let (throttle, proof) = self.prove_for_link(&tenant, &view, user.as_ref(), accept.code).await?;
        let opened_with = if proof.is_enough() { Proof::Vouched } else { Proof::Nothing };
        let name = [accept.name.trim(), &view.name, &view.email].into_iter().find(|n| !n.is_empty());
        let name = name.unwrap_or_default().to_owned();
        let new = NewUser { name, email: view.email.clone(), password: accept.password };
        let prepared = prepare_user(new, view.role)?.finish(self, &tenant).await?;
        if user.is_none() {
            self.note_name(&tenant, &prepared.email_key).await?;
        }
        let id = user.clone().unwrap_or_else(|| prepared.view.id.clone());
        let (scope, this) = (caller.scope(tenant.clone()).acting(&id, view.id.as_str()), self.clone());
        let hash = prepared.password_hash();
        store
            .db
            .write(move |tx| {
                // The same link twice at the same moment: one comes first. Role and groups are those of now.
                let (view, _) = store_people::find_invitation(tx, &fingerprint)?.ok_or_else(over)?;
                store_people::delete_invitation(tx, &view.id)?;
                if let Some(user) = &user {
                    proof.take(tx, &scope, user)?;
                    store_people::set_password(tx, user, &hash)?;
                    store::delete_sessions(tx, user, None)?;
                    return password_changed(tx, &scope, user);
                }
                this.check_room(tx, scope.tenant())?;
                prepared.insert(tx, &scope)?;
                let id = &prepared.view.id;
                view.groups.iter().try_for_each(|group| store_groups::add_member(tx, group, id))
            })
            .await?;
        self.inner.accounts.succeeded(&throttle);
        self.inner.cache.clear();
        let opening = Opening { tenant: &tenant, user: &id, method: "invitation", proof: opened_with };
        Ok(self.open_session(opening, caller).await?)
    }

    /// A link stands in for the password only: who has a second factor needs it too. Gives also the name that failed
    /// tries are counted under.
    async fn prove_for_link(
        &self,
        tenant: &TenantId,
        view: &InvitationView,
        user: Option<&UserId>,
        code: Option<String>,
    ) -> Result<(String, Proof), Refused> {
        let name = account_name(Some(tenant), &email_key(&view.email));
        let Some(user) = user else { return Ok((name, Proof::Nothing)) };
        let held = self.held(tenant, user).await?;
        if held.factors.is_empty() {
            return Ok((name, Proof::Nothing));
        }
        self.begin_account(&name)?;
        match code.filter(|code| !code.is_empty()) {
            Some(code) => Ok((name, self.check_code(tenant, &held, &code).await?)),
            None => Err(held.required().into()),
        }
    }

    /// The tenant of a link that can be one, within the number of tries.
    fn tenant_of_link(&self, token: &str, caller: &Caller) -> Result<TenantId, Refused> {
        let blocked = |wait| Refused::throttled("links that do not work", wait);
        self.inner.addresses.begin(&caller.network, self.now()).map_err(blocked)?;
        let tenant = secret::tenant_of_invitation(token).ok_or_else(over)?;
        if self.inner.stores.record(&tenant).is_none() {
            return Err(over().into());
        }
        self.check_tenant(&tenant)?;
        Ok(tenant)
    }
}

fn over() -> Error {
    Error::new(Code::Gone, "This link was used already, is over, or was never right.")
        .hint("Ask for a new one.")
}

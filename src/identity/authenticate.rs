//! Tells who sends a request, by cookie or key.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{
    APPLIANCE, Actor, Code, Error, Permission, Principal, Result, Rights, Role, Scope, TenantId, Timestamp,
    UserId,
};
use lectern_store::{StoreError, TenantState, Tx};

use crate::cache::Known;
use crate::network::Network;
use crate::{
    Identity, SessionUse, secret, store, store_control, store_groups, store_policy, store_support, support,
};

/// "Last used" is kept to this exactness: a write for each request would be too many.
const TOUCH_EVERY: Duration = Duration::from_mins(1);
/// No secret of ours is longer; what is longer is not hashed.
const LONGEST_SECRET: usize = 200;

fn unauthenticated(detail: &str) -> Error {
    Error::new(Code::Unauthenticated, detail)
        .hint("Sign in, or send a valid API key as Authorization: Bearer.")
}

#[async_trait]
impl Authenticate for Identity {
    /// A key goes before a cookie: whoever sends one means it.
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let known = match (credentials.bearer, credentials.session) {
            (Some(key), _) => self.by_key(key).await?,
            (None, Some(token)) if !token.is_empty() && token.len() <= LONGEST_SECRET => {
                self.by_session(token).await?
            }
            _ => return Err(unauthenticated("You are not signed in.")),
        };
        allowed_from(&known, credentials.address)?;
        self.check_tenant(&known.principal.tenant)?;
        Ok(known.principal)
    }
}

/// The same answer as for an unknown key: a stolen one tells nothing from elsewhere.
fn allowed_from(known: &Known, address: Option<IpAddr>) -> Result<()> {
    let inside = |address: IpAddr| known.networks.iter().any(|network| network.contains(address));
    if known.networks.is_empty() || address.is_some_and(inside) {
        return Ok(());
    }
    Err(unauthenticated(BAD_KEY))
}

const BAD_KEY: &str = "The API key is not valid, is revoked or is over.";
const BAD_SESSION: &str = "The session is over, or was never there.";

/// Somebody found, and how long that holds.
struct Found {
    known: Known,
    /// Permissions of the appliance that are held if the sender is an operator.
    appliance: Vec<String>,
    seen_at: Option<Timestamp>,
    end: Timestamp,
}

impl Identity {
    async fn by_session(&self, token: String) -> Result<Known> {
        let tenant = secret::tenant_of_session(&token).ok_or_else(|| unauthenticated(BAD_SESSION))?;
        let fingerprint = secret::fingerprint(&token);
        let (this, wanted, csrf) = (self.clone(), fingerprint.clone(), secret::csrf_token(&token));
        let find = move |tx: &Tx<'_>, tenant: TenantId| this.find_session(tx, tenant, &wanted, csrf);
        self.look_up(tenant, fingerprint, BAD_SESSION, find).await
    }

    async fn by_key(&self, key: String) -> Result<Known> {
        let tenant = secret::tenant_of_key(&key).ok_or_else(|| unauthenticated(BAD_KEY))?;
        let fingerprint = secret::fingerprint(&key);
        let (this, wanted) = (self.clone(), fingerprint.clone());
        let find = move |tx: &Tx<'_>, tenant: TenantId| this.find_key(tx, tenant, &wanted);
        self.look_up(tenant, fingerprint, BAD_KEY, find).await
    }

    async fn look_up(
        &self,
        tenant: TenantId,
        fingerprint: String,
        unknown: &str,
        find: impl FnOnce(&Tx<'_>, TenantId) -> Result<Option<Found>, StoreError> + Send + 'static,
    ) -> Result<Known> {
        let now = self.now();
        if let Some(known) = self.inner.cache.get(&fingerprint, now) {
            return Ok(known);
        }
        // A name that anybody can write must not open or make anything.
        if self.inner.stores.record(&tenant).is_none() {
            return Err(unauthenticated(unknown));
        }
        let generation = self.inner.cache.generation();
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        let found = store.db.read(move |tx| find(tx, tenant)).await?;
        let Found { mut known, appliance, seen_at, end } =
            found.filter(|found| now < found.end).ok_or_else(|| unauthenticated(unknown))?;
        self.add_operator_rights(&mut known.principal, appliance).await?;
        if store.db.read_only().is_none() && seen_at.is_none_or(|at| at.plus(TOUCH_EVERY) <= now) {
            self.touch(&store, &known.principal.actor).await;
        }
        self.inner.cache.put(fingerprint, known.clone(), (now, end), generation);
        Ok(known)
    }

    fn find_session(
        &self,
        tx: &Tx<'_>,
        tenant: TenantId,
        fingerprint: &str,
        csrf_token: String,
    ) -> Result<Option<Found>, StoreError> {
        let Some(found) = store::find_session(tx, fingerprint)? else { return Ok(None) };
        let lent = match &found.operator {
            None => None,
            // Its consent may have ended.
            Some(_) => match store_support::current(tx)? {
                Some(consent) => Some(consent),
                None => return Ok(None),
            },
        };
        let operator = found.operator.as_deref().map(Arc::from);
        let actor = Actor::Session { id: found.id, csrf_token, operator };
        let mut principal = self.principal(tx, tenant, &found.user, found.role, actor)?;
        let policy = store_policy::policy(tx)?;
        let mut appliance = self.inner.catalogue.appliance().map(str::to_owned).collect();
        if !found.second_factor && policy.second_factor.asks(&principal.rights) {
            // Only in to set one up.
            principal.rights = Rights::from_iter([SessionUse::NAME.to_owned()]).within(&principal.rights);
            appliance = Vec::new();
        }
        if let Some(consent) = &lent {
            principal.rights = support::lent(&principal.rights, consent.may_change);
            appliance = Vec::new();
        }
        let idle = policy.idle().map_or(self.inner.limits.idle.0, |own| own.min(self.inner.limits.idle.0));
        let longest = policy.lifetime().map_or(found.expires_at, |own| found.created_at.plus(own));
        let longest = lent.map_or(longest, |consent| longest.min(consent.expires_at));
        let end = found.expires_at.min(longest).min(found.seen_at.plus(idle));
        let known = Known { principal, networks: Arc::default() };
        Ok(Some(Found { known, appliance, seen_at: Some(found.seen_at), end }))
    }

    /// A person with what their role holds and the groups they are in.
    pub(crate) fn principal(
        &self,
        tx: &Tx<'_>,
        tenant: TenantId,
        user: &UserId,
        role: Role,
        actor: Actor,
    ) -> Result<Principal, StoreError> {
        let rights = self.inner.catalogue.rights(tx, &role)?;
        let groups = store_groups::groups_of(tx, user)?.into();
        Ok(Principal { tenant, user: Some(user.clone()), role, rights, groups, actor })
    }

    fn find_key(
        &self,
        tx: &Tx<'_>,
        tenant: TenantId,
        fingerprint: &str,
    ) -> Result<Option<Found>, StoreError> {
        let Some(found) = store::find_key(tx, fingerprint)? else { return Ok(None) };
        let scopes = store::key_scopes(tx, &found.id)?;
        let whole = self.inner.catalogue.whole_tenant();
        let appliance = scopes.iter().filter(|scope| scope.starts_with(APPLIANCE)).cloned().collect();
        let rights = if scopes.iter().any(|scope| scope == "*") {
            whole
        } else {
            scopes.into_iter().collect::<Rights>().within(&whole)
        };
        let networks = store::key_networks(tx, &found.id)?;
        let networks: Vec<Network> = networks.iter().filter_map(|text| text.parse().ok()).collect();
        let (actor, end) = (Actor::Key { id: found.id }, found.expires_at.unwrap_or(Timestamp(i64::MAX)));
        let principal =
            Principal { tenant, user: None, role: Role::ADMIN, rights, groups: Arc::default(), actor };
        let known = Known { principal, networks: networks.into() };
        Ok(Some(Found { known, appliance, seen_at: found.last_used_at, end }))
    }

    /// Operators hold the permissions of the appliance too; `control.db` says who they are, which a tenant's own file
    /// cannot.
    async fn add_operator_rights(&self, principal: &mut Principal, appliance: Vec<String>) -> Result<()> {
        let subject = match (&principal.actor, &principal.user) {
            (Actor::Key { id }, _) => id.to_string(),
            (_, Some(user)) => user.to_string(),
            _ => return Ok(()),
        };
        if appliance.is_empty() {
            return Ok(());
        }
        if self.control().read(move |tx| store_control::is_operator(tx, &subject)).await? {
            let own: Vec<String> = principal.rights.names().map(str::to_owned).collect();
            principal.rights = own.into_iter().chain(appliance).collect();
        }
        Ok(())
    }

    /// Nobody comes into a tenant that is suspended, is being made or goes.
    pub(crate) fn check_tenant(&self, tenant: &TenantId) -> Result<()> {
        let Some(record) = self.inner.stores.record(tenant) else {
            return Err(unauthenticated("You are not signed in."));
        };
        let why = match record.state {
            TenantState::Active => return Ok(()),
            TenantState::Suspended => {
                record.reason.clone().unwrap_or_else(|| "no reason was given".to_owned())
            }
            TenantState::Provisioning => "it is being set up".to_owned(),
            TenantState::Deleting => "it is being deleted".to_owned(),
        };
        Err(Error::new(Code::TenantSuspended, format!("{} is suspended: {why}.", record.name))
            .hint("Ask those who run this appliance."))
    }

    /// A request does not fail because its time could not be noted.
    async fn touch(&self, store: &lectern_store::TenantStore, actor: &Actor) {
        let actor = actor.clone();
        let written = store.db.write(move |tx| match &actor {
            Actor::Session { id, .. } => store::touch_session(tx, id),
            Actor::Key { id } => store::touch_key(tx, id),
            Actor::Local => Ok(0),
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "the time of last use was not noted");
        }
    }
}

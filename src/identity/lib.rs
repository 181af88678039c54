//! Who is there: people, groups and roles of each tenant, browser sessions, API keys, invitations, the first set-up.
//!
//! All of it lies in the tenant's `data.db`, so that it goes where the tenant goes; `control.db` knows the operators of
//! the appliance and which tenants may know an e-mail. What somebody may do is asked by `edge`, per route.

mod adopt;
mod authenticate;
mod cache;
mod directory;
mod error;
mod factors;
mod failed;
mod federation;
mod groups;
mod holder;
mod invitations;
mod keys;
mod model;
mod model_factors;
mod model_people;
mod model_sign_in;
mod model_support;
mod network;
mod oidc;
mod operators;
mod passkeys;
mod password;
mod pending;
mod people;
mod person;
mod policy;
mod providers;
mod provision;
mod roles;
mod routes;
mod routes_factors;
mod routes_operators;
mod routes_people;
mod routes_profile;
mod routes_providers;
mod routes_sign_in;
mod routes_support;
mod second_factor;
mod secret;
mod session;
mod setup;
mod sign_in;
mod sign_in_network;
mod store;
mod store_control;
mod store_factors;
mod store_groups;
mod store_people;
mod store_person;
mod store_policy;
mod store_providers;
mod store_provision;
mod store_support;
mod support;
mod users;

/// The authenticator in software that the engine itself is tested with.
#[cfg(test)]
#[path = "../factors/soft.rs"]
#[allow(dead_code, reason = "made for the engine's tests, which set more of it wrongly")]
mod soft;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_fakes;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_directory;
#[cfg(test)]
mod tests_factors;
#[cfg(test)]
mod tests_failed;
#[cfg(test)]
mod tests_passkeys;
#[cfg(test)]
mod tests_people;
#[cfg(test)]
mod tests_policy;
#[cfg(test)]
mod tests_providers;

use std::sync::{Arc, OnceLock};

use lectern_config as config;
use lectern_edge::Feature;
use lectern_kernel::ports::{Metered, Quota, Vault};
use lectern_kernel::{Error, Permission, PersonPart, Result, Scope, TenantId, Timestamp, permission};
use lectern_store::{Migration, StoreError, Stores, TenantStore, Tx};

pub use error::Refused;
pub use model::{
    KeyView, NewKey, NewKeyView, NewSession, NewSetup, NewUser, PasswordChange, RotateKey, SessionView,
    SetupView, TenantName, UserView,
};
pub use model_factors::{
    ConfirmTotp, FactorKind, FactorView, FactorsView, NewFactor, PasswordProof, RecoveryCodesView, TotpOffer,
};
pub use model_people::{
    AcceptInvitation, GroupKind, GroupView, InvitationKind, InvitationOffer, InvitationView, NewGroup,
    NewInvitation, NewInvitationView, NewRole, OpenSessionView, PatchGroup, PatchPerson, PatchProfile,
    PatchRole, PeopleParameters, PermissionView, PersonView, RoleView, UserState,
};
pub use model_sign_in::{
    BeginOidc, Demand, GroupMapping, NewProvider, OidcBegun, PatchProvider, ProviderKind, ProviderOption,
    ProviderStep, ProviderTest, ProviderView, SignInOptions, SignInPolicy,
};
pub use model_support::{
    NewSupportConsent, NewSupportSession, OperatorView, SupportConsentView, SupportConsentsView, SupportView,
};
pub use provision::{Afterwards, PersonWanted, ProvisionedGroup, ProvisionedPerson};
pub use session::{Caller, SignedIn};
// For those who implement the network.
pub use lectern_ldap::{Dial, DialError};
pub use lectern_oidc::{Fetch, HttpRequest, HttpResponse, ReqwestFetch};
pub use sign_in_network::{Place, SignInNetwork};

permission! {
    /// Look at one's own session and profile, end it, change one's own password.
    SessionUse = "session.use";
    /// See API keys, without their secrets.
    KeysRead = "keys.read";
    /// Make and revoke API keys.
    KeysManage = "keys.manage";
    /// See the people, groups and roles of the tenant.
    PeopleRead = "people.read";
    /// Invite, change and remove people, groups and roles.
    PeopleManage = "people.manage";
    /// Say how people sign in: second factors, providers, limits.
    SignInManage = "signin.manage";
    /// Let operators of the appliance work in the place of the tenant's people.
    SupportConsent = "support.consent";
    /// Work in the place of people of tenants that consented.
    Support = "appliance.support";
    /// Say who operates the appliance.
    OperatorsManage = "appliance.operators";
}

/// Schema of `control.db`.
pub const CONTROL_MIGRATIONS: &[Migration] = &[
    Migration { name: "identity/0001_identity", sql: include_str!("migrations/0001_identity.sql") },
    Migration { name: "identity/0002_operators", sql: include_str!("migrations/0002_operators.sql") },
    Migration { name: "identity/0003_passkeys", sql: include_str!("migrations/0003_passkeys.sql") },
];

/// Schema of a tenant's `data.db`.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "identity/0001_people", sql: include_str!("migrations/0001_people.sql") },
    Migration { name: "identity/0002_sign_in", sql: include_str!("migrations/0002_sign_in.sql") },
    Migration { name: "identity/0003_support", sql: include_str!("migrations/0003_support.sql") },
];

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    limits: config::Session,
    secure_cookies: bool,
    catalogue: roles::Catalogue,
    passwords: password::Passwords,
    setup: setup::SetupGate,
    accounts: lectern_edge::Throttle,
    addresses: lectern_edge::Throttle,
    failures: failed::Failures,
    cache: cache::PrincipalCache,
    quota: OnceLock<Arc<dyn Quota>>,
    parts: OnceLock<Vec<Arc<dyn PersonPart>>>,
    enrolments: pending::Pending<factors::Enrolment>,
    passkey_sign_ins: pending::Pending<passkeys::Asked>,
    providers: oidc::Known,
    vault: Option<Arc<dyn Vault>>,
    network: Arc<dyn SignInNetwork>,
}

impl Identity {
    /// `secure_cookies` is off only behind plain HTTP; `permissions` are all that routes ask for.
    pub fn new(
        stores: Stores,
        session: &config::Session,
        secure_cookies: bool,
        permissions: Vec<&'static str>,
    ) -> Self {
        let inner = Inner {
            stores,
            limits: session.clone(),
            secure_cookies,
            catalogue: roles::Catalogue::new(permissions),
            passwords: password::Passwords::default(),
            setup: setup::SetupGate::default(),
            accounts: lectern_edge::Throttle::default(),
            addresses: lectern_edge::Throttle::default(),
            failures: failed::Failures::default(),
            cache: cache::PrincipalCache::default(),
            quota: OnceLock::new(),
            parts: OnceLock::new(),
            enrolments: pending::Pending::default(),
            passkey_sign_ins: pending::Pending::default(),
            providers: oidc::Known::default(),
            vault: None,
            network: Arc::new(sign_in_network::NoNetwork),
        };
        Self { inner: Arc::new(inner) }
    }

    /// With what seals second factors and providers' secrets, and the way to providers. Before the first use.
    #[must_use]
    pub fn with_sign_in(self, vault: Arc<dyn Vault>, network: Arc<dyn SignInNetwork>) -> Self {
        let Ok(mut inner) = Arc::try_unwrap(self.inner) else {
            unreachable!("nobody has it before its first use")
        };
        (inner.vault, inner.network) = (Some(vault), network);
        Self { inner: Arc::new(inner) }
    }

    fn vault(&self) -> Result<&dyn Vault> {
        self.inner.vault.as_deref().ok_or_else(|| Error::internal("nothing was given that seals secrets"))
    }

    /// With the limits of plans; once.
    pub fn set_quota(&self, quota: Arc<dyn Quota>) {
        let _ = self.inner.quota.set(quota);
    }

    /// Whether one more person fits into the tenant's plan; asked in the transaction that adds them.
    fn check_room(&self, tx: &Tx<'_>, tenant: &TenantId) -> Result<(), StoreError> {
        let Some(quota) = self.inner.quota.get() else { return Ok(()) };
        let people = store_people::count_users(tx)?;
        match quota.limit(tenant, Metered::Members) {
            Some(most) if people >= most => Err(quota.refusal(tenant, Metered::Members).into()),
            _ => Ok(()),
        }
    }

    fn now(&self) -> Timestamp {
        self.inner.stores.clock().now()
    }

    fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        Ok(self.inner.stores.tenant(scope)?)
    }
}

/// What this area brings to the server; its service is `web::Data<Identity>`.
pub fn feature() -> Feature {
    Feature {
        name: "identity",
        permissions: &[
            SessionUse::NAME,
            KeysRead::NAME,
            KeysManage::NAME,
            PeopleRead::NAME,
            PeopleManage::NAME,
            SignInManage::NAME,
            SupportConsent::NAME,
            Support::NAME,
            OperatorsManage::NAME,
        ],
        routes: |config| {
            routes_sign_in::routes(config);
            routes::routes(config);
            routes_people::routes(config);
            routes_profile::routes(config);
            routes_factors::routes(config);
            routes_providers::routes(config);
            routes_support::routes(config);
            routes_operators::routes(config);
        },
        openapi: routes::openapi(),
    }
}

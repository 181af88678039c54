//! An OAuth 2.1 authorization server for the programs of third parties: a tenant registers apps, its people allow
//! them some of what they may themselves, and the apps come with tokens that say so.
//!
//! After draft-ietf-oauth-v2-1 with RFC 7636 (PKCE), 8628 (devices), 7662 (introspection), 7009 (revocation), 8414
//! (metadata), 8707 (resources), 9207 (`iss`) and 8252 (native apps). All of it lies in the tenant's `data.db`; every
//! code, token and client id names its tenant. What a token may is what it names of what its person holds now.

mod apps;
mod authenticate;
mod authorize;
mod cache;
mod client;
mod device;
mod exchange;
mod form;
mod grants;
mod holders;
mod inspect;
mod issue;
mod issuer;
mod model;
mod model_flow;
mod person;
mod redirect;
mod refusal;
mod routes;
mod routes_flow;
mod routes_token;
mod scopes;
mod secret;
mod store_apps;
mod store_devices;
mod store_tokens;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests_apps;
#[cfg(test)]
mod tests_attacks;
#[cfg(test)]
mod tests_code;
#[cfg(test)]
mod tests_device;
#[cfg(test)]
mod tests_peer;
#[cfg(test)]
mod tests_tokens;

use std::sync::Arc;

use lectern_edge::Feature;
use lectern_kernel::{Permission, Result, Scope, TenantId, Timestamp, permission};
use lectern_store::{Migration, Stores, TenantStore};

pub use authenticate::OAuthFirst;
pub use holders::{Holder, Holders};
pub use issuer::Issuer;
pub use model::{
    AllowedAppView, AppKind, AppSecretView, AppView, Flow, NewApp, NewAppView, PatchApp, RotateSecret,
};
pub use model_flow::{
    AuthorizationDecision, AuthorizationView, ConsentAppView, ConsentScopeView, ConsentView, DeviceDecision,
    DeviceParameters, DeviceView, IntrospectionView, RedirectView, ServerView, TokenView,
};
pub use refusal::OAuthError;
pub use routes_token::root_routes;

permission! {
    /// Register apps of third parties, change and remove them.
    AppsManage = "apps.manage";
    /// Allow apps something of one's own, and take it back; the same name as in `identity`.
    SessionUse = "session.use";
}

/// Schema of a tenant's `data.db`.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "oauth/0001_oauth", sql: include_str!("migrations/0001_oauth.sql") }];

/// Pages of the console, by their paths: a person looks at them, and they call this area's routes.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Opened by apps with the query of a request; `authorization_endpoint` of the metadata.
    pub authorize: String,
    /// Where a person types a device's code, or comes with it as `user_code`.
    pub device: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self { authorize: "/oauth/authorize".to_owned(), device: "/oauth/device".to_owned() }
    }
}

/// What the area is made from.
pub struct Parts {
    pub stores: Stores,
    pub holders: Arc<dyn Holders>,
    /// Every permission of the product; those of the appliance are left out.
    pub permissions: Vec<&'static str>,
    pub issuer: Issuer,
    pub pages: Pages,
}

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Oauth {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    holders: Arc<dyn Holders>,
    catalogue: scopes::Catalogue,
    issuer: Issuer,
    pages: Pages,
    cache: cache::TokenCache,
    /// Wrong client secrets, by app and network.
    secrets: lectern_edge::Throttle,
    /// Wrong user codes, by person.
    codes: lectern_edge::Throttle,
}

impl Oauth {
    pub fn new(parts: Parts) -> Self {
        let inner = Inner {
            stores: parts.stores,
            holders: parts.holders,
            catalogue: scopes::Catalogue::new(parts.permissions),
            issuer: parts.issuer,
            pages: parts.pages,
            cache: cache::TokenCache::default(),
            secrets: lectern_edge::Throttle::default(),
            codes: lectern_edge::Throttle::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn now(&self) -> Timestamp {
        self.inner.stores.clock().now()
    }

    fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        Ok(self.inner.stores.tenant(scope)?)
    }

    /// Tokens of a tenant are looked up anew from the next request on.
    fn forget(&self, tenant: &TenantId) {
        self.inner.cache.forget(tenant);
    }
}

/// What this area brings to the server; its service is `web::Data<Oauth>`.
pub fn feature() -> Feature {
    Feature {
        name: "oauth",
        permissions: &[AppsManage::NAME, SessionUse::NAME],
        routes: |config| {
            routes::routes(config);
            routes_flow::routes(config);
            routes_token::routes(config);
        },
        openapi: routes::openapi(),
    }
}

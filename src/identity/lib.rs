//! Who is there: users, browser sessions, API keys and the first set-up.
//!
//! Everything lies in `control.db`. What somebody may do is asked by `edge`, per route; it is not decided here.

mod authenticate;
mod cache;
mod error;
mod keys;
mod model;
mod password;
mod routes;
mod secret;
mod session;
mod setup;
mod store;
mod throttle;
mod users;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lectern_config as config;
use lectern_edge::Feature;
use lectern_kernel::{Permission, Timestamp, permission};
use lectern_store::{Migration, Stores};

pub use error::Refused;
pub use model::{
    KeyView, NewKey, NewKeyView, NewSession, NewSetup, NewUser, PasswordChange, SessionView, SetupView,
    TenantView, UserView,
};
pub use session::SignedIn;

permission! {
    /// Look at one's own session, end it, change one's own password.
    SessionUse = "session.use";
    /// List, make and revoke API keys.
    KeysManage = "keys.manage";
}

/// Schema of `control.db`.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "identity/0001_identity", sql: include_str!("migrations/0001_identity.sql") }];

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    limits: config::Session,
    secure_cookies: bool,
    passwords: password::Passwords,
    setup: setup::SetupGate,
    accounts: throttle::Throttle,
    addresses: throttle::Throttle,
    cache: cache::PrincipalCache,
}

impl Identity {
    /// `secure_cookies` is off only behind plain HTTP.
    pub fn new(stores: Stores, session: &config::Session, secure_cookies: bool) -> Self {
        let inner = Inner {
            stores,
            limits: session.clone(),
            secure_cookies,
            passwords: password::Passwords::default(),
            setup: setup::SetupGate::default(),
            accounts: throttle::Throttle::default(),
            addresses: throttle::Throttle::default(),
            cache: cache::PrincipalCache::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn now(&self) -> Timestamp {
        self.inner.stores.clock().now()
    }
}

/// What this area brings to the server; its service is `web::Data<Identity>`.
pub fn feature() -> Feature {
    Feature {
        name: "identity",
        permissions: &[SessionUse::NAME, KeysManage::NAME],
        routes: routes::routes,
        openapi: routes::openapi(),
    }
}

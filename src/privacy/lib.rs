//! What is held about people: handed out whole, erased whole, kept no longer than the tenant wants, and the texts that
//! people agree to.
//!
//! The areas that hold something come through the ports `PersonPart` and `RetentionPart`; this one knows none of them.

mod authenticate;
mod consents;
mod erase;
mod export;
mod held;
mod model;
mod retention;
mod routes;
mod routes_consents;
mod store;
mod store_consents;

use std::sync::Arc;

use lectern_edge::Feature;
use lectern_kernel::{Permission, PersonPart, Result, RetentionPart, Scope, Timestamp, permission};
use lectern_store::{Migration, Stores, TenantStore};

pub use authenticate::ConsentFirst;
pub use model::{
    ConsentAnswer, ConsentTextView, ErasePerson, ErasedInAreaView, ErasureOfPersonView, NewConsentText,
    OverdueView, OwnConsentView, RetentionView,
};

permission! {
    /// Hand out and erase what is held about people, say how long things are kept, write the texts they agree to.
    PrivacyManage = "privacy.manage";
    /// Get what is held about oneself, agree to texts; the same name as in `identity`.
    SessionUse = "session.use";
}

/// Schema of a tenant's `data.db`.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "privacy/0001_privacy", sql: include_str!("migrations/0001_privacy.sql") }];

/// What the area is made of.
pub struct Parts {
    pub stores: Stores,
    /// In the order in which they erase: the one that knows who the person is comes last.
    pub people: Vec<Arc<dyn PersonPart>>,
    pub retention: Vec<Arc<dyn RetentionPart>>,
}

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Privacy {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    people: Vec<Arc<dyn PersonPart>>,
    retention: Vec<Arc<dyn RetentionPart>>,
    missing: consents::Missing,
}

impl Privacy {
    pub fn new(parts: Parts) -> Self {
        let Parts { stores, mut people, retention } = parts;
        people.insert(0, Arc::new(held::Consents(stores.clone())));
        let inner = Inner { stores, people, retention, missing: consents::Missing::default() };
        Self { inner: Arc::new(inner) }
    }

    fn now(&self) -> Timestamp {
        self.inner.stores.clock().now()
    }

    fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        Ok(self.inner.stores.tenant(scope)?)
    }
}

/// What this area brings to the server; its service is `web::Data<Privacy>`.
pub fn feature() -> Feature {
    Feature {
        name: "privacy",
        permissions: &[PrivacyManage::NAME, SessionUse::NAME],
        routes: |config| {
            routes::routes(config);
            routes_consents::routes(config);
        },
        openapi: routes::openapi(),
    }
}

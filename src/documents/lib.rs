//! Documents: taking them in, extracting, indexing, finding, showing and deleting them.
//!
//! Owns the tables `documents`, `document_tags`, `document_image_pages`, `document_text`, `collections` and the access
//! lists of both, the originals in `blobs/` and the search index and vectors of each tenant. A document goes `queued → extracting → indexing → ready`, or
//! `failed` with a reason; each step is durable, so that a process that was killed goes on where it was.

mod access;
mod change;
mod create;
mod deliver;
mod embedding;
mod events;
mod find;
mod life;
mod maintain;
mod meaning;
pub mod measure;
mod model;
mod model_access;
mod person;
mod pipeline;
mod remove;
mod report;
mod retrieve;
mod routes;
mod routes_access;
mod routes_search;
mod site_text;
mod store;
mod store_access;
mod store_life;
mod store_list;
mod store_person;
mod store_text;
mod tenant;
mod text;
mod understanding;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use lectern_extract::Extractor;
use lectern_inference::MeaningBank;
use lectern_kernel::ports::Quota;
use lectern_kernel::{DocumentId, Result, Scope, TenantId, permission};
use lectern_store::{Migration, Stores};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

pub use create::NewFile;
pub use find::{SearchHit, SearchParameters, SearchResponse};
pub use maintain::IndexReport;
pub use model::{
    BulkAction, BulkRequest, BulkResponse, BulkResult, DocumentFacets, DocumentProblem, DocumentView,
    FacetCount, ListParameters, PatchDocument, RetryRequest, Status, TextBlock, TextWindow,
};
pub use model_access::{
    Access, AccessEntry, CollectionAccess, CollectionView, DocumentAccess, May, NewCollection,
    SetCollectionAccess, SetDocumentAccess,
};
use tenant::Tenant;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_access;
#[cfg(test)]
mod tests_meaning;
#[cfg(test)]
mod tests_person;
#[cfg(test)]
mod tests_routes;
#[cfg(test)]
mod tests_sight;

permission! {
    /// See, search and download documents.
    DocumentsRead = "documents.read";
    /// Add, change and delete documents.
    DocumentsWrite = "documents.write";
    /// Make collections, and say who sees a collection or a document.
    DocumentsShare = "documents.share";
}

/// Schema of a tenant's database.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "documents/0001_documents", sql: include_str!("migrations/0001_documents.sql") },
    Migration { name: "documents/0002_access", sql: include_str!("migrations/0002_access.sql") },
    Migration { name: "documents/0003_people", sql: include_str!("migrations/0003_people.sql") },
];

/// What the area needs of the configuration.
#[derive(Debug, Clone)]
pub struct Limits {
    pub max_upload_bytes: u64,
    /// Disk space that must stay free.
    pub keep_free_bytes: u64,
    pub writer_memory_bytes: usize,
    pub commit_time: std::time::Duration,
    pub workers: usize,
    /// The program that reads scanned pages, when there is one.
    pub ocr: Option<String>,
}

/// The documents of all tenants.
#[derive(Clone)]
pub struct Documents {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    extractor: Extractor,
    limits: Limits,
    stop: CancellationToken,
    /// The models of meaning; without them search is by words.
    bank: Option<Arc<dyn MeaningBank>>,
    tenants: Mutex<HashMap<TenantId, Arc<Tenant>>>,
    opened: life::Opened,
    quota: OnceLock<Arc<dyn Quota>>,
    /// Passwords wait here for their extraction; they are never written to disk.
    passwords: Mutex<HashMap<DocumentId, String>>,
}

impl Documents {
    /// `stop` ends the background work and the live streams.
    pub fn new(stores: Stores, extractor: Extractor, limits: Limits, stop: CancellationToken) -> Self {
        let (tenants, passwords, opened) = (Mutex::default(), Mutex::default(), life::Opened::default());
        let quota = OnceLock::new();
        let inner = Inner { stores, extractor, limits, stop, bank: None, tenants, opened, quota, passwords };
        Self { inner: Arc::new(inner) }
    }

    /// With the models by which passages are found by their meaning too. Before the first use.
    #[must_use]
    pub fn with_meaning(self, bank: Arc<dyn MeaningBank>) -> Self {
        let inner = &self.inner;
        let inner = Inner {
            stores: inner.stores.clone(),
            extractor: inner.extractor.clone(),
            limits: inner.limits.clone(),
            stop: inner.stop.clone(),
            bank: Some(bank),
            tenants: Mutex::default(),
            opened: life::Opened::default(),
            quota: OnceLock::new(),
            passwords: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// With the limits of plans; once.
    pub fn set_quota(&self, quota: Arc<dyn Quota>) {
        let _ = self.inner.quota.set(quota);
    }

    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The tenant of the scope with its index, opened when this is its first use.
    fn tenant(&self, scope: &Scope) -> Result<Arc<Tenant>> {
        let mut tenants = self.inner.tenants.lock();
        if let Some(tenant) = tenants.get(scope.tenant()) {
            self.keep_alive(tenant);
            // So that it counts as used.
            self.inner.stores.tenant(scope)?;
            return Ok(tenant.clone());
        }
        let store = self.inner.stores.tenant(scope)?;
        let (tenant, renewed) = Tenant::open(store, &self.inner.limits)?;
        let tenant = Arc::new(tenant);
        if renewed {
            tenant.store.db.write_now(store::index_all_again)?;
        }
        self.inner.opened.send(tenant.clone());
        tenants.insert(scope.tenant().clone(), tenant.clone());
        Ok(tenant)
    }
}

/// Routes, permissions and their description.
pub fn feature() -> lectern_edge::Feature {
    lectern_edge::Feature {
        name: "documents",
        permissions: &["documents.read", "documents.write", "documents.share"],
        routes: |config| {
            routes::configure(config);
            routes_access::configure(config);
            routes_search::configure(config);
        },
        openapi: routes::openapi(),
    }
}

//! Tenants and what they may use: made, suspended, moved, erased; their keys, plans and rates; and the record of who did
//! what, for each tenant and for the appliance.
//!
//! The registry of tenants and the record itself are kept by `store`; people are `identity`'s.

mod at_once;
mod audit;
mod audit_export;
mod erase;
mod error;
mod forward;
mod forward_network;
mod forward_send;
mod forward_words;
mod forward_work;
mod keyring;
mod model;
mod model_audit;
mod model_forward;
mod month;
mod person;
mod plans;
mod provision;
mod quota;
mod rates;
mod regions;
mod replays;
mod routes;
mod routes_audit;
mod routes_forward;
mod routes_usage;
mod store;
mod store_forward;
mod store_replays;
mod tenants;
mod transfer;
mod usage;
pub mod verify;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_forward;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_audit;
#[cfg(test)]
mod tests_forward;
#[cfg(test)]
mod tests_limits;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use lectern_config as config;
use lectern_identity::Identity;
use lectern_kernel::ports::TenantPart;
use lectern_kernel::{Permission, Result, Scope, TenantId, Timestamp, permission};
use lectern_store::{Migration, Stores, TenantStore};

pub use forward_network::{ForwardNetwork, Post, PostError, TargetPlace};
pub use keyring::{Keyring, Opening};
pub use model::{
    DeleteTenant, ErasureView, ExportRequest, Limits, NewTenant, NewTenantView, PatchTenant, Suspension,
    TenantUsage, TenantView,
};
pub use model_audit::{AuditEntry, AuditParameters};
pub use model_forward::{
    NewTarget, PatchTarget, TargetFormat, TargetKind, TargetStateView, TargetStep, TargetTest, TargetView,
};
pub use regions::Regions;
// For those who implement the network.
pub use lectern_syslog::{Dial, DialError};

permission! {
    /// Make, suspend, move and delete tenants.
    TenantsManage = "appliance.tenants";
    /// See who did what to the appliance.
    ApplianceAudit = "appliance.audit";
    /// See who did what in the tenant.
    AuditRead = "audit.read";
    /// Say to which servers the tenant's record is sent.
    AuditForward = "audit.forward";
    /// See what the tenant used and may use.
    UsageRead = "usage.read";
}

/// Schema of `control.db`.
pub const CONTROL_MIGRATIONS: &[Migration] = &[
    Migration { name: "access/0001_control", sql: include_str!("migrations/0001_control.sql") },
    Migration { name: "access/0002_forward", sql: include_str!("migrations/0002_forward.sql") },
    Migration { name: "access/0002_forwarding", sql: include_str!("migrations/0002_forwarding.sql") },
];

/// Schema of a tenant's `data.db`.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "access/0001_tenant", sql: include_str!("migrations/0001_tenant.sql") },
    Migration { name: "access/0002_forward", sql: include_str!("migrations/0002_forward.sql") },
    Migration { name: "access/0003_replays", sql: include_str!("migrations/0003_replays.sql") },
];

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    identity: Identity,
    keyring: Keyring,
    plans: plans::Plans,
    settings: config::Tenants,
    audit_time: std::time::Duration,
    exports: Vec<PathBuf>,
    parts: OnceLock<Vec<Arc<dyn TenantPart>>>,
    meters: quota::Meters,
    rates: rates::Rates,
    at_once: at_once::AtOnce,
    running: replays::Running,
    network: Arc<dyn ForwardNetwork>,
    forwarding: forward_work::Forwarding,
    /// One life-changing act on tenants at a time.
    gate: tokio::sync::Mutex<()>,
}

/// What the area is made of.
pub struct Parts {
    pub stores: Stores,
    pub identity: Identity,
    pub keyring: Keyring,
    /// The way to servers that the record is sent to.
    pub network: Arc<dyn ForwardNetwork>,
}

impl Access {
    pub fn new(parts: Parts, config: &config::Config) -> Self {
        let Parts { stores, identity, keyring, network } = parts;
        let inner = Inner {
            plans: plans::Plans::new(config),
            settings: config.tenants.clone(),
            audit_time: config.retention.audit.0,
            exports: config.tenants.exports.iter().map(PathBuf::from).collect(),
            parts: OnceLock::new(),
            meters: quota::Meters::default(),
            rates: rates::Rates::default(),
            at_once: at_once::AtOnce::default(),
            running: replays::Running::default(),
            network,
            forwarding: forward_work::Forwarding::default(),
            gate: tokio::sync::Mutex::default(),
            stores,
            identity,
            keyring,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The areas that keep something for each tenant; once, since they may ask this one for limits.
    pub fn set_parts(&self, parts: Vec<Arc<dyn TenantPart>>) {
        // A second time changes nothing.
        let _ = self.inner.parts.set(parts);
    }

    fn parts(&self) -> &[Arc<dyn TenantPart>] {
        self.inner.parts.get().map_or(&[], Vec::as_slice)
    }

    fn now(&self) -> Timestamp {
        self.inner.stores.clock().now()
    }

    fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        Ok(self.inner.stores.tenant(scope)?)
    }

    fn folder(&self) -> &Path {
        self.inner.stores.folder()
    }

    /// What is to be done every hour: erase what is due, sign the records, forget what is over.
    pub async fn hourly(&self) -> Result<()> {
        self.erase_due().await?;
        self.inner.rates.trim();
        self.inner.at_once.trim();
        self.sign_records(None).await?;
        self.trim_record(None).await?;
        for id in self.inner.stores.tenant_ids() {
            let scope = Scope::system(id.clone());
            if self.tenant(&scope)?.db.read_only().is_some() {
                continue;
            }
            self.sign_records(Some(&id)).await?;
            self.trim_record(Some(&id)).await?;
            self.trim_usage(&scope).await?;
            self.trim_replays(&scope).await?;
            self.count(&id).await?;
        }
        Ok(())
    }

    /// Closes tenants that nobody uses; to be called now and then.
    pub fn close_unused(&self) -> usize {
        for id in self.inner.stores.tenant_ids() {
            if self.inner.stores.is_idle(&id) {
                self.let_go(&id);
            }
        }
        self.inner.stores.close_unused().len()
    }

    /// Asks every area to let go of a tenant.
    fn let_go(&self, id: &TenantId) -> bool {
        // All of them, also when one is busy.
        let busy = self.parts().iter().filter(|part| !part.release(id)).count();
        busy == 0
    }
}

/// What this area brings to the server; its service is `web::Data<Access>`.
pub fn feature() -> lectern_edge::Feature {
    lectern_edge::Feature {
        name: "access",
        permissions: &[
            TenantsManage::NAME,
            ApplianceAudit::NAME,
            AuditRead::NAME,
            AuditForward::NAME,
            UsageRead::NAME,
        ],
        routes: |config| {
            routes::routes(config);
            routes_audit::routes(config);
            routes_forward::routes(config);
            routes_usage::routes(config);
        },
        openapi: routes::openapi(),
    }
}

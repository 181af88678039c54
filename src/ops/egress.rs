//! The log of outbound connections: the last ones in memory, more of them in `control.db`.

use std::collections::VecDeque;
use std::sync::Arc;

use lectern_kernel::{EventId, TenantId, Timestamp};
use lectern_store::{Database, StoreError};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

const IN_MEMORY: usize = 200;
/// Addresses are shown without their parameters, and cut.
const LONGEST_URL: usize = 500;

/// One attempt to connect to somewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EgressEntry {
    #[serde(skip, default = "EventId::generate")]
    #[schema(ignore)]
    pub(crate) id: EventId,
    #[serde(skip, default = "TenantId::main")]
    #[schema(ignore)]
    pub(crate) tenant: TenantId,
    pub at: Timestamp,
    /// The method, or `CONNECT` when a connection was given to an engine of ours, such as the Ollama client.
    pub method: String,
    pub url: String,
    pub allowed: bool,
    pub purpose: String,
    /// The answer's HTTP status, when there was one.
    pub status: Option<u16>,
}

#[derive(Clone)]
pub(crate) struct EgressLog {
    recent: Arc<Mutex<VecDeque<EgressEntry>>>,
    control: Database,
}

impl EgressLog {
    pub fn new(control: Database) -> Self {
        Self { recent: Arc::default(), control }
    }

    /// Begins an entry; what is written of the address is its origin and path.
    pub fn entry(&self, tenant: &TenantId, purpose: &str, method: &str, url: &str) -> EgressEntry {
        let url = url.split(['?', '#']).next().unwrap_or_default();
        EgressEntry {
            id: EventId::generate(),
            tenant: tenant.clone(),
            at: self.control.clock().now(),
            method: method.to_owned(),
            url: url.chars().take(LONGEST_URL).collect(),
            allowed: false,
            purpose: purpose.to_owned(),
            status: None,
        }
    }

    /// Notes the entry at once in memory, and soon in the database: a connection does not wait for the disk.
    pub fn note(&self, entry: EgressEntry) {
        {
            let mut recent = self.recent.lock();
            if recent.len() >= IN_MEMORY {
                recent.pop_front();
            }
            recent.push_back(entry.clone());
        }
        self.later(move |control| control.write_now(|tx| store::insert_egress(tx, &entry)));
    }

    /// Adds the status that an attempt ended with.
    pub fn finish(&self, entry: &EgressEntry, status: u16) {
        let done = EgressEntry { status: Some(status), ..entry.clone() };
        if let Some(kept) = self.recent.lock().iter_mut().rev().find(|e| e.id == entry.id) {
            kept.status = Some(status);
        }
        self.later(move |control| control.write_now(|tx| store::insert_egress(tx, &done)));
    }

    fn later(&self, work: impl FnOnce(&Database) -> Result<(), StoreError> + Send + 'static) {
        let control = self.control.clone();
        let run = move || {
            if let Err(error) = work(&control) {
                tracing::warn!(%error, "an outbound connection is not in the log of the database");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(run)),
            Err(_) => run(),
        }
    }

    /// The tenant's latest attempts, newest first.
    pub fn recent(&self, tenant: &TenantId) -> Vec<EgressEntry> {
        self.recent.lock().iter().rev().filter(|e| e.tenant == *tenant).cloned().collect()
    }

    /// Brings the latest attempts back into memory after a start.
    pub async fn load(&self) -> Result<(), StoreError> {
        let kept = self.control.read(|tx| store::latest_egress(tx, IN_MEMORY as u32)).await?;
        let mut recent = self.recent.lock();
        for entry in kept {
            if recent.len() < IN_MEMORY && !recent.iter().any(|e| e.id == entry.id) {
                recent.push_front(entry);
            }
        }
        Ok(())
    }

    /// Forgets what is older than `before` in the database.
    pub async fn trim(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.control.write(move |tx| store::trim_egress(tx, before)).await
    }
}

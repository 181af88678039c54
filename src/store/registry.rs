//! Which tenants there are: rows of `control.db`, kept in memory because every request asks.

use std::collections::HashMap;
use std::sync::Arc;

use lectern_kernel::{TenantId, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{Column, Database, Migration, Row, StoreError, Tx, Value, params};

type Result<T> = std::result::Result<T, StoreError>;

pub(crate) const MIGRATION: Migration =
    Migration { name: "store/0100_registry", sql: include_str!("migrations/0100_registry.sql") };

/// Where a tenant is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// Being made.
    Provisioning,
    Active,
    /// Its people cannot come in; its data stays.
    Suspended,
    /// Waits for its erasure and can still be taken back.
    Deleting,
}

impl TenantState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }
}

/// A tenant as the appliance knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantRecord {
    pub id: TenantId,
    pub name: String,
    pub state: TenantState,
    /// Why it is suspended.
    pub reason: Option<String>,
    pub plan: String,
    /// What differs from the plan.
    pub limits: Json,
    pub region: Option<String>,
    pub wrapped_key: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When a deleted tenant is erased.
    pub erase_at: Option<Timestamp>,
}

impl TenantRecord {
    /// An active tenant without limits of its own.
    pub fn new(id: TenantId, name: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id,
            name: name.into(),
            state: TenantState::Active,
            reason: None,
            plan: "enterprise".to_owned(),
            limits: Json::Object(serde_json::Map::new()),
            region: None,
            wrapped_key: None,
            created_at: now,
            updated_at: now,
            erase_at: None,
        }
    }
}

/// The tenants, as of the last change made through [`crate::Stores`].
#[derive(Default)]
pub(crate) struct Registry {
    tenants: RwLock<HashMap<TenantId, Arc<TenantRecord>>>,
}

impl Registry {
    pub fn load(&self, control: &Database) -> Result<()> {
        let records = control.read_now(all)?;
        *self.tenants.write() =
            records.into_iter().map(|record| (record.id.clone(), Arc::new(record))).collect();
        Ok(())
    }

    pub fn get(&self, id: &TenantId) -> Option<Arc<TenantRecord>> {
        self.tenants.read().get(id).cloned()
    }

    pub fn list(&self) -> Vec<Arc<TenantRecord>> {
        let mut records: Vec<_> = self.tenants.read().values().cloned().collect();
        records.sort_by(|a, b| a.id.cmp(&b.id));
        records
    }
}

fn all(tx: &Tx<'_>) -> Result<Vec<TenantRecord>> {
    tx.query(
        "SELECT id, name, state, reason, plan, limits, region, wrapped_key, created_at, updated_at, erase_at
         FROM tenants ORDER BY id",
        params![],
        record,
    )
}

/// Adds or replaces a tenant's row; [`crate::Stores::refresh`] makes it known.
pub fn put(tx: &mut Tx<'_>, tenant: &TenantRecord) -> Result<()> {
    tx.execute(
        "INSERT INTO tenants
           (id, name, state, reason, plan, limits, region, wrapped_key, created_at, updated_at, erase_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state, reason = excluded.reason,
           plan = excluded.plan, limits = excluded.limits, region = excluded.region,
           wrapped_key = excluded.wrapped_key, updated_at = excluded.updated_at, erase_at = excluded.erase_at",
        params![
            &tenant.id,
            &tenant.name,
            tenant.state.as_str(),
            tenant.reason.clone(),
            &tenant.plan,
            tenant.limits.to_string(),
            tenant.region.clone(),
            tenant.wrapped_key.clone(),
            tenant.created_at,
            tenant.updated_at,
            tenant.erase_at
        ],
    )?;
    Ok(())
}

/// Takes a tenant's row away.
pub fn remove(tx: &mut Tx<'_>, id: &TenantId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM tenants WHERE id = $1", params![id])? > 0)
}

fn record(row: &Row<'_>) -> Result<TenantRecord> {
    Ok(TenantRecord {
        id: row.get("id")?,
        name: row.get("name")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        plan: row.get("plan")?,
        limits: serde_json::from_str(&row.get::<String>("limits")?)?,
        region: row.get("region")?,
        wrapped_key: row.get("wrapped_key")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        erase_at: row.get("erase_at")?,
    })
}

impl From<TenantState> for Value {
    fn from(state: TenantState) -> Self {
        Self::Text(state.as_str().to_owned())
    }
}

impl Column for TenantState {
    fn read(value: rusqlite::types::ValueRef<'_>) -> Option<Self> {
        let all = [Self::Provisioning, Self::Active, Self::Suspended, Self::Deleting];
        let text = value.as_str().ok()?;
        all.into_iter().find(|state| state.as_str() == text)
    }
}

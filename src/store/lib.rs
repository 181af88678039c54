//! Storage: one control database, one folder a tenant, jobs and events.
//!
//! The only crate that names rusqlite. What leaves it are [`Tx`], [`Row`] and [`Value`], and SQL that PostgreSQL
//! would take too: `$1` parameters, `RETURNING`, `ON CONFLICT`, text ids, integer times.

pub mod audit;
mod database;
mod error;
mod grown;
mod line;
mod lock;
mod migrate;
pub mod outbox;
pub mod queue;
pub mod registry;
mod stores;
mod tx;
mod value;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_audit;
#[cfg(test)]
mod tests_tenants;

pub use database::Database;
pub use error::StoreError;
pub use grown::Grown;
pub use lock::{DataLock, LockError};
pub use migrate::Migration;
pub use queue::{Job, JobState, NewJob};
pub use registry::{TenantRecord, TenantState};
pub use stores::{Options, Stores, TenantStore};
pub use tx::{Row, Tx};
pub use value::{Column, Value};

/// Parameters of a statement: `params![id, title]` are `$1` and `$2`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*][..] };
}

//! What comes in and goes out about tenants.

use lectern_edge::Validate;
use lectern_kernel::ports::Metered;
use lectern_kernel::{FieldError, TenantId, Timestamp};
use lectern_store::TenantState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::plans::NAMES;

fn wrong(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}

/// Limits of a tenant; absent: its plan's; 0: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Of each key and person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Bytes of originals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_active_users: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_month: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questions_per_month: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speech_seconds_per_month: Option<u64>,
    /// Requests that cost much, such as questions, uploads and exports, running at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u64>,
}

/// A tenant to be made, with its first owner.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// 1–63 of a-z, 0-9 and -; part of keys, and the name of its folder.
    pub id: TenantId,
    pub name: String,
    /// free, team, business or enterprise.
    #[serde(default = "enterprise")]
    pub plan: String,
    #[serde(default)]
    pub limits: Limits,
    /// Label of a region of the configuration.
    #[serde(default)]
    pub region: Option<String>,
    /// E-mail of the person who becomes its owner by the invitation in the answer.
    pub owner_email: String,
    #[serde(default)]
    pub owner_name: String,
}

fn enterprise() -> String {
    "enterprise".to_owned()
}

fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    let length = name.trim().chars().count();
    if !(1..=100).contains(&length) || name.chars().any(char::is_control) {
        errors.push(wrong("name", "must have 1–100 characters on one line"));
    }
}

fn check_plan(plan: &str, errors: &mut Vec<FieldError>) {
    if !NAMES.contains(&plan) {
        errors.push(wrong("plan", "must be free, team, business or enterprise"));
    }
}

impl Validate for NewTenant {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        check_plan(&self.plan, &mut errors);
        errors
    }
}

/// A tenant that was made, or that was there as it was asked for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewTenantView {
    #[serde(flatten)]
    pub tenant: TenantView,
    /// Lets the owner join at `/join#TOKEN`; shown this once. Absent when the owner has joined already.
    pub invitation: Option<String>,
}

/// Changes a tenant; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchTenant {
    pub name: Option<String>,
    pub plan: Option<String>,
    /// All limits that differ from the plan's.
    pub limits: Option<Limits>,
}

impl Validate for PatchTenant {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut errors);
        }
        if let Some(plan) = &self.plan {
            check_plan(plan, &mut errors);
        }
        errors
    }
}

/// Why a tenant is suspended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// Shown to its people.
    pub reason: String,
}

impl Validate for Suspension {
    fn validate(&self) -> Vec<FieldError> {
        let length = self.reason.trim().chars().count();
        if (1..=300).contains(&length) && !self.reason.chars().any(char::is_control) {
            Vec::new()
        } else {
            vec![wrong("reason", "must have 1–300 characters on one line")]
        }
    }
}

/// Deletes a tenant.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTenant {
    /// The tenant's id, typed again.
    pub confirm: String,
    /// Hours until it is erased; the configuration's time when absent, 0 for at once.
    #[serde(default)]
    pub grace_hours: Option<u32>,
}

impl Validate for DeleteTenant {
    fn validate(&self) -> Vec<FieldError> {
        let right = self.grace_hours.is_none_or(|hours| hours <= 24 * 365);
        if right { Vec::new() } else { vec![wrong("grace_hours", "must be at most a year")] }
    }
}

/// How a tenant is exported.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Whoever has it can bring the tenant into another appliance. Without it the file opens only here, and not any
    /// more after the tenant was erased.
    #[serde(default)]
    #[schema(format = Password)]
    pub passphrase: Option<String>,
    /// File on the appliance's own disk, in a folder that exports may go to; without it the file is in the answer.
    #[serde(default)]
    pub file: Option<String>,
}

impl Validate for ExportRequest {
    fn validate(&self) -> Vec<FieldError> {
        let short = self.passphrase.as_ref().is_some_and(|p| p.chars().count() < 12);
        if short { vec![wrong("passphrase", "must have at least 12 characters")] } else { Vec::new() }
    }
}

/// What a tenant holds, as last counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantUsage {
    pub documents: u64,
    pub bytes: u64,
    pub members: u64,
    pub counted_at: Option<Timestamp>,
}

/// A tenant, as its operator sees it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    pub id: TenantId,
    pub name: String,
    pub state: TenantState,
    /// Why it is suspended.
    pub reason: Option<String>,
    pub plan: String,
    /// What differs from the plan.
    pub own_limits: Limits,
    /// What holds.
    pub limits: Limits,
    pub region: Option<String>,
    pub usage: TenantUsage,
    /// Whether its files are open now.
    pub open: bool,
    /// Why nothing can be written, when it is so.
    pub read_only: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub erase_at: Option<Timestamp>,
}

/// Proof that a tenant was erased.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErasureView {
    pub tenant: TenantId,
    pub name: String,
    pub erased_at: Timestamp,
    /// A note signed by the appliance (c2sp.org/signed-note): what was erased and the id of the key that was destroyed.
    pub statement: String,
}

/// How much of something is used.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UsageLine {
    pub what: Metered,
    pub used: u64,
    /// None: no limit.
    pub limit: Option<u64>,
    /// When the count begins anew; none for what is held.
    pub resets_at: Option<Timestamp>,
    /// `ok`, `near` from 80 %, `close` from 95 %, `reached`.
    pub level: Level,
}

/// How near a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    Near,
    Close,
    Reached,
}

impl Level {
    pub(crate) fn of(used: u64, limit: Option<u64>) -> Self {
        match limit {
            Some(limit) if used >= limit => Self::Reached,
            Some(limit) if used.saturating_mul(100) >= limit.saturating_mul(95) => Self::Close,
            Some(limit) if used.saturating_mul(100) >= limit.saturating_mul(80) => Self::Near,
            _ => Self::Ok,
        }
    }
}

/// A day's count.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UsageDay {
    /// `2026-11-26`
    pub day: String,
    pub what: Metered,
    pub used: u64,
}

/// What a tenant uses, and used on the last days.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    pub plan: String,
    pub lines: Vec<UsageLine>,
    /// The last 90 days, the oldest first.
    pub days: Vec<UsageDay>,
}

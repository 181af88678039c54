//! An operator in the place of a person: what comes in and what goes out.

use lectern_edge::Validate;
use lectern_kernel::{ConsentId, FieldError, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const LONGEST_HOURS: u32 = 168;
const LONGEST_TEXT: usize = 500;

/// Lets operators of the appliance work in the place of the tenant's people for a while.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSupportConsent {
    /// 1–168.
    pub hours: u32,
    /// Without it they only look.
    #[serde(default)]
    pub may_change: bool,
    /// What it is for, such as the number of a request for help.
    #[serde(default)]
    pub note: String,
}

impl Validate for NewSupportConsent {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !(1..=LONGEST_HOURS).contains(&self.hours) {
            errors.push(wrong("hours", "must be 1–168"));
        }
        if self.note.chars().count() > LONGEST_TEXT {
            errors.push(wrong("note", "must have 500 characters at most"));
        }
        errors
    }
}

/// A consent, as long as it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupportConsentView {
    pub id: ConsentId,
    pub granted_by: Option<UserId>,
    pub note: String,
    pub may_change: bool,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was taken back before its time.
    pub ended_at: Option<Timestamp>,
}

/// The consent that holds, and those before.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SupportConsentsView {
    pub current: Option<SupportConsentView>,
    /// The newest first, twenty at most.
    pub earlier: Vec<SupportConsentView>,
}

/// Begins a session in the place of a person of a tenant that consented.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSupportSession {
    /// E-mail of the person.
    pub email: String,
    /// Why, 3–500 characters; stands in both records.
    pub reason: String,
}

impl Validate for NewSupportSession {
    fn validate(&self) -> Vec<FieldError> {
        if (3..=LONGEST_TEXT).contains(&self.reason.trim().chars().count()) {
            return Vec::new();
        }
        vec![wrong("reason", "must have 3–500 characters")]
    }
}

/// That an operator is in a session in its person's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupportView {
    /// E-mail and tenant of the operator.
    #[schema(example = "ada@example.org (main)")]
    pub operator: String,
    pub may_change: bool,
}

/// Who operates the appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorView {
    /// A person or an API key.
    pub id: String,
    pub tenant: TenantId,
    /// Of the person, or what the key is called; absent when the tenant cannot be read.
    pub name: Option<String>,
    pub email: Option<String>,
}

fn wrong(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}

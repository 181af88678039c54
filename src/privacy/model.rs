//! What comes in and what goes out.

use lectern_edge::Validate;
use lectern_kernel::{Erased, FieldError, RetentionRules, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const LONGEST_DAYS: u32 = 36_500;
const MOST_COLLECTIONS: usize = 1000;
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 50_000;

fn wrong(field: &str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), message: message.to_owned() }
}

/// Erases a person; what they are called has to be typed again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasePerson {
    /// The person's e-mail, or their id when they were removed before.
    pub confirm: String,
    /// Further e-mails that the record may name them by, as of somebody who was removed before.
    #[serde(default)]
    pub also: Vec<String>,
}

impl Validate for ErasePerson {
    fn validate(&self) -> Vec<FieldError> {
        // A shorter word would take out entries about others.
        let short = self.also.iter().any(|name| name.trim().len() < 6 || !name.contains('@'));
        if short || self.also.len() > 10 {
            return vec![wrong("also", "must be e-mails, ten at most")];
        }
        Vec::new()
    }
}

/// What one area removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedInAreaView {
    #[schema(example = "conversations")]
    pub area: String,
    pub erased: Vec<Erased>,
}

/// That a person was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureOfPersonView {
    pub person: UserId,
    pub erased_at: Timestamp,
    pub areas: Vec<ErasedInAreaView>,
}

/// How long things are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionView {
    #[serde(flatten)]
    pub rules: RetentionRules,
}

/// How much is older than rules allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverdueView {
    pub overdue: Vec<Erased>,
}

/// Rules as they are sent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct NewRules(pub RetentionRules);

impl Validate for NewRules {
    fn validate(&self) -> Vec<FieldError> {
        let rules = &self.0;
        let mut errors = Vec::new();
        let fits = |days: u32| (1..=LONGEST_DAYS).contains(&days);
        for (field, days) in [("conversations", rules.conversations), ("uncollected", rules.uncollected)] {
            if days.is_some_and(|days| !fits(days)) {
                errors.push(wrong(field, "must be 1–36,500 days"));
            }
        }
        if rules.collections.len() > MOST_COLLECTIONS || rules.collections.values().any(|days| !fits(*days)) {
            errors.push(wrong("collections", "must be 1–36,500 days each, for 1,000 collections at most"));
        }
        if rules.collections.keys().any(|name| name.trim().is_empty()) {
            errors.push(wrong("collections", "must be named; `uncollected` is for documents in none"));
        }
        errors
    }
}

/// A text that people are asked to agree to.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsentText {
    /// 2–40 of a-z, 0-9 and -; a text under the same name is replaced, and people are asked again.
    pub name: String,
    pub title: String,
    /// Plain text.
    pub body: String,
    /// Whether people can do nothing else before they agree.
    #[serde(default)]
    pub required: bool,
}

impl Validate for NewConsentText {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(2..=40).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            errors.push(wrong("name", "has 2–40 of a-z, 0-9 and -"));
        }
        let title = self.title.trim().chars().count();
        if !(1..=LONGEST_TITLE).contains(&title) || self.title.chars().any(char::is_control) {
            errors.push(wrong("title", "must have 1–200 characters on one line"));
        }
        if self.body.trim().is_empty() || self.body.chars().count() > LONGEST_BODY {
            errors.push(wrong("body", "must have 1–50,000 characters"));
        }
        errors
    }
}

/// A text and how many agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentTextView {
    pub name: String,
    pub version: u32,
    pub title: String,
    pub body: String,
    pub required: bool,
    pub created_at: Timestamp,
    /// When it was replaced or taken away.
    pub ended_at: Option<Timestamp>,
    /// People who agreed and did not take it back.
    pub given: u64,
}

/// A text, and what one said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnConsentView {
    pub name: String,
    pub version: u32,
    pub title: String,
    pub body: String,
    pub required: bool,
    pub given_at: Option<Timestamp>,
}

/// Agrees to a text.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentAnswer {
    /// The version that was read.
    pub version: u32,
}

impl Validate for ConsentAnswer {}

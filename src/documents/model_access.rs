//! Access lists as they come in and go out.

use std::collections::HashSet;

use lectern_edge::Validate;
use lectern_kernel::{DocumentId, FieldError, GroupId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{field, name_error};

const MAX_ENTRIES: usize = 1000;

/// Whom a collection, or a document with a list of its own, is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Everybody in the tenant, as far as their permissions go.
    #[default]
    Everyone,
    /// Those in the list, and administrators.
    Listed,
}

impl Access {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Listed => "listed",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        // What cannot be read is for nobody but administrators.
        if text == "everyone" { Self::Everyone } else { Self::Listed }
    }
}

/// What somebody in a list may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum May {
    /// See, search, ask and download.
    Read,
    /// Also change, move and delete.
    Write,
}

impl May {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        if text == "write" { Self::Write } else { Self::Read }
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// Id of a person (`usr_…`) or of a group (`grp_…`).
    pub subject: String,
    pub may: May,
}

/// A collection to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCollection {
    /// 1–100 printable characters.
    pub name: String,
    #[serde(default)]
    pub access: Access,
}

impl Validate for NewCollection {
    fn validate(&self) -> Vec<FieldError> {
        name_error("name", &self.name).into_iter().collect()
    }
}

/// A collection as one sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CollectionView {
    pub name: String,
    pub access: Access,
    /// What its list lets one do, as far as one's permissions go.
    pub may: May,
    /// Documents in it that one sees.
    pub documents: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Who sees a collection's documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CollectionAccess {
    pub name: String,
    pub access: Access,
    /// Sorted by subject; empty for everyone.
    pub entries: Vec<AccessEntry>,
}

/// Replaces a collection's rule and list.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCollectionAccess {
    pub access: Access,
    /// At most 1,000; none with `everyone`.
    #[serde(default)]
    pub entries: Vec<AccessEntry>,
}

impl Validate for SetCollectionAccess {
    fn validate(&self) -> Vec<FieldError> {
        let mut wrong = check(&self.entries);
        if self.access == Access::Everyone && !self.entries.is_empty() {
            wrong.push(field("entries", "a list goes with access `listed` only"));
        }
        wrong
    }
}

/// Who sees a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentAccess {
    pub document: DocumentId,
    /// Whether it has a list of its own; else what follows is its collection's.
    pub own: bool,
    pub access: Access,
    pub collection: Option<String>,
    /// Sorted by subject.
    pub entries: Vec<AccessEntry>,
}

/// Gives a document a list of its own, in place of its collection's rule.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDocumentAccess {
    /// At most 1,000; an empty list is for administrators only.
    pub entries: Vec<AccessEntry>,
}

impl Validate for SetDocumentAccess {
    fn validate(&self) -> Vec<FieldError> {
        check(&self.entries)
    }
}

fn check(entries: &[AccessEntry]) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if entries.len() > MAX_ENTRIES {
        wrong.push(field("entries", format!("at most {MAX_ENTRIES}")));
    }
    let mut seen = HashSet::new();
    for (at, entry) in entries.iter().enumerate() {
        let subject = entry.subject.as_str();
        if subject.parse::<UserId>().is_err() && subject.parse::<GroupId>().is_err() {
            wrong.push(field(
                &format!("entries[{at}].subject"),
                "must be the id of a person (usr_…) or a group (grp_…)",
            ));
        } else if !seen.insert(subject) {
            wrong.push(field(&format!("entries[{at}].subject"), "is named twice"));
        }
    }
    wrong.truncate(20);
    wrong
}

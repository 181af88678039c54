//! What areas hold about a person, so that it can be handed out whole and be taken away whole; and how long they keep
//! things.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::Value;

use crate::{Result, Rights, Scope, UserId};

/// Content of one file of a person's export.
#[derive(Debug, Clone, PartialEq)]
pub enum HeldContent {
    /// Rows, as the API shows them.
    Json(Value),
    Text(String),
    /// A file of the tenant's folder, copied as it is.
    File(PathBuf),
}

/// One file of a person's export.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldFile {
    /// Below the area's folder, such as `conversations/cnv_….json`.
    pub path: String,
    pub content: HeldContent,
}

impl HeldFile {
    pub fn json(path: impl Into<String>, rows: &impl serde::Serialize) -> Result<Self> {
        let rows = serde_json::to_value(rows).map_err(crate::Error::internal)?;
        Ok(Self { path: path.into(), content: HeldContent::Json(rows) })
    }
}

/// How many things of a kind were removed, or made nobody's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Erased {
    #[schema(example = "conversations")]
    pub what: String,
    pub count: u64,
}

impl Erased {
    pub fn new(what: &str, count: usize) -> Self {
        Self { what: what.to_owned(), count: count as u64 }
    }
}

/// An area that keeps something about people. The scope is of the person's tenant.
#[async_trait]
pub trait PersonPart: Send + Sync {
    /// Name of the area's folder in an export.
    fn name(&self) -> &'static str;

    /// What the person is called here beside the id, such as the e-mail.
    async fn names(&self, scope: &Scope, user: &UserId) -> Result<Vec<String>> {
        let _ = (scope, user);
        Ok(Vec::new())
    }

    /// Refuses when somebody with these rights must not erase the person.
    async fn may_erase(&self, scope: &Scope, rights: &Rights, user: &UserId) -> Result<()> {
        let _ = (scope, rights, user);
        Ok(())
    }

    /// The person is disabled or gone: what they let others do in their name ends.
    async fn ended(&self, scope: &Scope, user: &UserId) -> Result<()> {
        let _ = (scope, user);
        Ok(())
    }

    /// Everything that is held about the person.
    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>>;

    /// Removes it; what others need, such as documents of the tenant, becomes nobody's. `names` are what the person is
    /// called anywhere. Again is no error.
    async fn erase(&self, scope: &Scope, user: &UserId, names: &[String]) -> Result<Vec<Erased>>;
}

/// How many days a tenant keeps things; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionRules {
    /// Conversations, since their last question.
    pub conversations: Option<u32>,
    /// Documents by the name of their collection, since they were added.
    pub collections: BTreeMap<String, u32>,
    /// Documents in no collection.
    pub uncollected: Option<u32>,
}

/// An area that keeps things no longer than a tenant wants.
#[async_trait]
pub trait RetentionPart: Send + Sync {
    /// What is older than the rules allow; nothing changes.
    async fn overdue(&self, scope: &Scope, rules: &RetentionRules) -> Result<Vec<Erased>>;

    /// Removes it, so much of it as goes at once; the rest the next time.
    async fn expire(&self, scope: &Scope, rules: &RetentionRules) -> Result<Vec<Erased>>;
}

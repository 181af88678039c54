//! What areas hold about a person, so that it can be handed out whole and be taken away whole.

use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::Value;

use crate::{Result, Scope, UserId};

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
    /// Below the area's folder, such as `conversations/con_….json`.
    pub path: String,
    pub content: HeldContent,
}

/// How many things of a kind were removed, or made nobody's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Erased {
    /// Such as `conversations`.
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

    /// The person is disabled or gone: what they let others do in their name ends.
    async fn ended(&self, scope: &Scope, user: &UserId) -> Result<()> {
        let _ = (scope, user);
        Ok(())
    }

    /// Everything that is held about the person.
    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>>;

    /// Removes it; what others need, such as documents of the tenant, becomes nobody's. Again is no error.
    async fn erase(&self, scope: &Scope, user: &UserId) -> Result<Vec<Erased>>;
}

//! What comes in and goes out, for the description of the API. Which attributes there are is told by `/Schemas`.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub use crate::refusal::ScimError;

/// A person: `urn:ietf:params:scim:schemas:core:2.0:User`, with the enterprise extension.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimUser {
    pub schemas: Vec<String>,
    /// Given by Lectern.
    pub id: Option<String>,
    pub external_id: Option<String>,
    pub user_name: String,
    pub display_name: Option<String>,
    pub active: Option<bool>,
    /// The primary one, or else the first, is the person's e-mail.
    pub emails: Option<Vec<Value>>,
    /// The primary one, or else the first, is the person's role.
    pub roles: Option<Vec<Value>>,
}

/// A group: `urn:ietf:params:scim:schemas:core:2.0:Group`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimGroup {
    pub schemas: Vec<String>,
    /// Given by Lectern.
    pub id: Option<String>,
    pub external_id: Option<String>,
    pub display_name: String,
    pub members: Option<Vec<Value>>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimList {
    pub schemas: Vec<String>,
    pub total_results: u64,
    /// From 1.
    pub start_index: u64,
    pub items_per_page: u64,
    #[serde(rename = "Resources")]
    pub resources: Vec<Value>,
}

/// Changes of a resource: `urn:ietf:params:scim:api:messages:2.0:PatchOp`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimPatch {
    pub schemas: Vec<String>,
    #[serde(rename = "Operations")]
    pub operations: Vec<ScimOperation>,
}

/// A change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimOperation {
    /// `add`, `replace` or `remove`.
    pub op: String,
    /// Such as `name.familyName`, `members` or `emails[type eq "work"].value`.
    pub path: Option<String>,
    pub value: Option<Value>,
}

/// A query that would be too long for an address: `urn:ietf:params:scim:api:messages:2.0:SearchRequest`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimSearch {
    pub schemas: Vec<String>,
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    /// `ascending` or `descending`.
    pub sort_order: Option<String>,
    /// From 1.
    pub start_index: Option<u64>,
    /// 0–200; 100 when absent.
    pub count: Option<u32>,
    pub attributes: Option<Vec<String>>,
    pub excluded_attributes: Option<Vec<String>>,
}

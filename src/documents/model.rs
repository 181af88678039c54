//! What comes in and goes out.

use lectern_edge::Validate;
use lectern_kernel::{DocumentId, FieldError, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest title, collection and tag, in characters.
const MAX_TITLE: usize = 500;
pub(crate) const MAX_NAME: usize = 100;
pub(crate) const MAX_TAGS: usize = 50;
const MAX_BULK: usize = 1000;

/// Where a document is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Queued,
    Extracting,
    Indexing,
    Ready,
    Failed,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Extracting => "extracting",
            Self::Indexing => "indexing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Extracting, Self::Indexing, Self::Ready, Self::Failed]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// Why a document failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentProblem {
    /// encrypted, wrong_password, unsupported, damaged, too_large, too_complex, timeout, memory, needs_ocr, empty or internal.
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

/// A document without its text.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentView {
    pub id: DocumentId,
    pub title: String,
    pub file_name: String,
    pub media_type: String,
    /// Short format name: pdf, docx, txt …
    #[serde(rename = "type")]
    pub kind: String,
    /// ISO 639-1 code, detected from the text.
    pub language: Option<String>,
    pub collection: Option<String>,
    pub tags: Vec<String>,
    /// Path or name it was sent with.
    pub source: String,
    pub sha256: String,
    pub size_bytes: u64,
    /// Pages, slides or sheets; 0 when the format has none.
    pub pages: u32,
    /// Code points of the extracted text.
    pub characters: u64,
    pub passages: u64,
    pub status: Status,
    pub percent: u8,
    pub problem: Option<DocumentProblem>,
    /// Pages that show only an image and were not read.
    pub ocr_pages: Vec<u32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub indexed_at: Option<Timestamp>,
}

/// Which documents to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    /// Part of the title or file name.
    pub q: Option<String>,
    pub collection: Option<String>,
    pub tag: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub status: Option<Status>,
    pub language: Option<String>,
    /// `-created_at` (default), `created_at`, `title` or `-size_bytes`.
    pub sort: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What to change; absent fields stay. `collection: null` takes the document out of its collection.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchDocument {
    pub title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub collection: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
}

/// Tells null (`Some(None)`) from absent (`None`).
#[allow(clippy::option_option, reason = "absent and null mean different things in a patch")]
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

impl Validate for PatchDocument {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.title.as_ref().is_some_and(|t| t.trim().is_empty() || t.chars().count() > MAX_TITLE) {
            errors.push(field("title", format!("must have 1–{MAX_TITLE} characters")));
        }
        if let Some(Some(name)) = &self.collection {
            errors.extend(name_error("collection", name));
        }
        for tag in self.tags.iter().flatten() {
            errors.extend(name_error("tags", tag));
        }
        if self.tags.as_ref().is_some_and(|t| t.len() > MAX_TAGS) {
            errors.push(field("tags", format!("at most {MAX_TAGS}")));
        }
        errors
    }
}

pub(crate) fn field(name: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: name.to_owned(), message: message.into() }
}

pub(crate) fn name_error(name: &str, value: &str) -> Option<FieldError> {
    let fits =
        !value.trim().is_empty() && value.chars().count() <= MAX_NAME && !value.chars().any(char::is_control);
    (!fits).then(|| field(name, format!("must have 1–{MAX_NAME} printable characters")))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    Delete,
    Retry,
    SetCollection,
    AddTags,
    RemoveTags,
}

/// One action on many documents.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    pub action: BulkAction,
    /// At most 1,000.
    #[schema(value_type = Vec<String>)]
    pub ids: Vec<String>,
    /// For `set_collection`; absent or empty takes them out of their collection.
    pub collection: Option<String>,
    /// For `add_tags` and `remove_tags`.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl Validate for BulkRequest {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors: Vec<_> = self.tags.iter().filter_map(|t| name_error("tags", t)).collect();
        errors.extend(
            self.collection.as_ref().filter(|c| !c.is_empty()).and_then(|c| name_error("collection", c)),
        );
        if self.ids.is_empty() || self.ids.len() > MAX_BULK {
            errors.push(field("ids", format!("must have 1–{MAX_BULK} entries")));
        }
        let tagging = matches!(self.action, BulkAction::AddTags | BulkAction::RemoveTags);
        if tagging && (self.tags.is_empty() || self.tags.len() > MAX_TAGS) {
            errors.push(field("tags", format!("must have 1–{MAX_TAGS} entries")));
        }
        errors
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkResult {
    pub id: String,
    pub ok: bool,
    /// Why not.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkResponse {
    pub results: Vec<BulkResult>,
}

/// How to try again.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRequest {
    /// Opens an encrypted document; used once and never stored.
    pub password: Option<String>,
}

impl Validate for RetryRequest {
    fn validate(&self) -> Vec<FieldError> {
        let long = self.password.as_ref().is_some_and(|p| p.len() > 1024);
        if long { vec![field("password", "at most 1,024 bytes")] } else { Vec::new() }
    }
}

/// A value and how many documents have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCount {
    pub value: String,
    pub count: u64,
}

/// The values that lists can be narrowed by.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct DocumentFacets {
    pub collections: Vec<FacetCount>,
    pub tags: Vec<FacetCount>,
    pub types: Vec<FacetCount>,
    pub languages: Vec<FacetCount>,
    pub statuses: Vec<FacetCount>,
}

/// A block of text with its place; offsets are code points of the document's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextBlock {
    /// heading, paragraph, list_item, table_row, code, note or caption.
    pub kind: String,
    pub level: u8,
    pub start: u32,
    pub end: u32,
    pub page: Option<u32>,
    pub label: Option<String>,
}

/// A part of a document's extracted text.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TextWindow {
    pub document: DocumentId,
    pub title: String,
    /// Code points of the whole text.
    pub length: u64,
    /// Where `text` begins and ends, in code points.
    pub from: u64,
    pub to: u64,
    pub text: String,
    /// Blocks that touch the window.
    pub blocks: Vec<TextBlock>,
}

//! What one area may ask of another without knowing it.

use async_trait::async_trait;

use crate::{Principal, Result, Scope, TurnId};

/// What a request brings to prove who sends it.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Value of the session cookie.
    pub session: Option<String>,
    /// Value of `Authorization: Bearer`.
    pub bearer: Option<String>,
}

/// Tells who sends a request. Held by `identity`.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// `Unauthenticated` when the credentials are absent, unknown or over.
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal>;
}

/// What is to be read aloud.
#[derive(Debug, Clone)]
pub struct Speakable {
    pub text: String,
    /// ISO 639-1 code of the text's language, when it is known.
    pub language: Option<String>,
}

/// Gives the answer of a turn for reading aloud. Held by `ask`.
#[async_trait]
pub trait Answers: Send + Sync {
    async fn speakable(&self, scope: &Scope, turn: &TurnId) -> Result<Speakable>;
}

/// What is in use now, for the status page: each area reports its own lines.
#[async_trait]
pub trait Report: Send + Sync {
    /// Name under which the report stands in the status.
    fn name(&self) -> &'static str;
    async fn report(&self, scope: &Scope) -> Result<serde_json::Value>;
}

/// Restricts a search to some documents; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default)]
    pub collection: Option<String>,
    #[serde(default)]
    pub tag: Option<String>,
    /// Short format name, such as `pdf`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// ISO 639-1 code.
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    pub document: Option<crate::DocumentId>,
}

/// A passage found for a question, with its text as it stands in the document.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RetrievedPassage {
    pub document: crate::DocumentId,
    pub title: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub collection: Option<String>,
    pub language: Option<String>,
    pub page: Option<u32>,
    pub label: Option<String>,
    pub heading: Option<String>,
    /// Code points in the document's text, end exclusive.
    pub start: u32,
    pub end: u32,
    pub text: String,
    /// Starts of blocks inside the passage: code points in the document, with the page each is on.
    #[serde(skip)]
    pub blocks: Vec<PassageBlock>,
    pub score: f32,
}

/// Where a paragraph, list item or table row of a passage begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PassageBlock {
    pub start: u32,
    pub end: u32,
    pub page: Option<u32>,
    pub label: Option<String>,
}

/// An exact sentence of a passage that answers the question by its words.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenSentence {
    /// Index into [`Retrieved::passages`].
    pub passage: usize,
    /// Code points in the document's text, end exclusive.
    pub start: u32,
    pub end: u32,
    pub page: Option<u32>,
    pub text: String,
    pub score: f32,
}

/// What the documents have for a question.
#[derive(Debug, Clone, Default)]
pub struct Retrieved {
    /// Best first.
    pub passages: Vec<RetrievedPassage>,
    /// The extractive answer, best first; empty when no passage is good enough.
    pub sentences: Vec<ChosenSentence>,
    /// Milliseconds for finding the passages and for choosing the sentences.
    pub retrieve_ms: f64,
    pub select_ms: f64,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct RetrieveRequest {
    pub question: String,
    pub filter: Filter,
    /// Most passages.
    pub passages: usize,
    /// Most sentences of the extractive answer.
    pub sentences: usize,
}

/// Finds passages, and the sentences in them that answer a question. Held by `documents`.
#[async_trait]
pub trait Retrieve: Send + Sync {
    async fn retrieve(&self, scope: &Scope, request: RetrieveRequest) -> Result<Retrieved>;

    /// The document's text at a place, none when the document is gone.
    async fn quote(
        &self,
        scope: &Scope,
        document: &crate::DocumentId,
        start: u32,
        end: u32,
    ) -> Result<Option<String>>;
}

//! What one area may ask of another without knowing it.

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

use crate::{Code, ConversationId, Error, Principal, Result, Scope, TurnId};

/// What a request brings to prove who sends it.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Value of the session cookie.
    pub session: Option<String>,
    /// Value of `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// Where the request comes from.
    pub address: Option<std::net::IpAddr>,
}

/// Tells who sends a request. Held by `identity`.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// `Unauthenticated` when the credentials are absent, unknown or over.
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal>;
}

/// A question for `ask`, from an area that speaks with people in another way than its routes.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// 1–4,000 characters.
    pub text: String,
    /// The conversation it goes on with; absent begins a new one.
    pub conversation: Option<ConversationId>,
    /// ISO 639-1 code of the question's language, when it is known.
    pub language: Option<String>,
    /// Only these documents are asked.
    pub filter: Filter,
}

/// A place that a sentence of an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerCitation {
    /// The mark in the text.
    pub n: u32,
    pub page: Option<u32>,
}

/// A whole, checked sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSentence {
    pub index: usize,
    /// Without citation marks.
    pub text: String,
    /// ISO 639-1 code, when it is known.
    pub language: Option<String>,
    pub citations: Vec<AnswerCitation>,
}

/// One step of an answer, in this order: `Retrieval`, then `Token`s and, sentence by sentence, its `Citation`s before
/// the `Sentence`, then `Done`; or `Failed` at any place as the last. Values are what the API shows of the step.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerPart {
    Retrieval {
        turn: TurnId,
        conversation: ConversationId,
        view: serde_json::Value,
    },
    Token(String),
    Citation(serde_json::Value),
    Sentence(AnswerSentence),
    /// The whole turn.
    Done(serde_json::Value),
    Failed(Failure),
}

/// Why there is no answer; what of an [`Error`] many may hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub detail: String,
    pub hint: Option<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { code: error.code, detail: error.detail.clone(), hint: error.hint.clone() }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = Self::new(failure.code, failure.detail);
        match failure.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// The parts of an answer as they are made.
pub type AnswerStream = Pin<Box<dyn Stream<Item = AnswerPart> + Send>>;

/// Answers questions for other areas, and gives them the answers that are being made. Held by `ask`.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Answers a question; dropping the stream stops the answer where it is.
    async fn ask(&self, scope: &Scope, question: Question) -> Result<AnswerStream>;

    /// The parts of a turn from its beginning, whether it is over or still being written. Dropping the stream does
    /// not touch the turn.
    async fn follow(&self, scope: &Scope, turn: &TurnId) -> Result<AnswerStream>;
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
    /// Milliseconds for the question's vector, when there is an embedding model.
    pub embed_ms: Option<f64>,
    /// Milliseconds for finding the passages and for choosing the sentences.
    pub retrieve_ms: f64,
    pub select_ms: f64,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct RetrieveRequest {
    pub question: String,
    /// What the question leans on: words of earlier questions. They help to find passages; sentences are chosen by the
    /// question alone.
    pub context: Option<String>,
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

/// The texts of a tenant's documents, for those who learn its words from them. Held by `documents`.
#[async_trait]
pub trait SiteText: Send + Sync {
    /// Changes when documents come, change or go; equal means that the texts are the same.
    async fn version(&self, scope: &Scope) -> Result<String>;

    /// Texts of ready documents, the newest first, together at most about `limit` characters.
    async fn texts(&self, scope: &Scope, limit: usize) -> Result<Vec<String>>;
}

/// An area that keeps something of each tenant open, or makes something for a new one.
#[async_trait]
pub trait TenantPart: Send + Sync {
    /// Makes what a new tenant needs.
    async fn prepare(&self, scope: &Scope) -> Result<()>;

    /// Lets go of a tenant, so that its files can be closed; false while work on it runs.
    fn release(&self, tenant: &crate::TenantId) -> bool;

    /// Documents and bytes that the area holds for the tenant.
    async fn holdings(&self, scope: &Scope) -> Result<Holdings>;
}

/// What an area holds for a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holdings {
    pub documents: u64,
    pub bytes: u64,
}

/// What a tenant's plan counts.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Metered {
    Documents,
    /// Bytes of originals.
    Storage,
    Members,
    MonthlyActiveUsers,
    /// Calls of the API in a month.
    Requests,
    /// Questions asked in a month.
    Questions,
    /// Seconds spoken and heard in a month.
    SpeechSeconds,
}

/// Says what a tenant may still use, and counts what it used. Held by `access`.
#[async_trait]
pub trait Quota: Send + Sync {
    /// The limit of what is held (documents, storage, members), to be compared inside the transaction that adds to it;
    /// none when there is no limit.
    fn limit(&self, tenant: &crate::TenantId, what: Metered) -> Option<u64>;

    /// The refusal when adding would go over the limit.
    fn refusal(&self, tenant: &crate::TenantId, what: Metered) -> Error;

    /// Uses up some of a month's amount; refused, and nothing used, when less is left. An amount of 0 asks whether
    /// anything is left.
    async fn spend(&self, scope: &Scope, what: Metered, amount: u64) -> Result<()>;

    /// Counts what was used already, beyond the limit too.
    async fn count(&self, scope: &Scope, what: Metered, amount: u64);
}

/// Keeps secrets of tenants unreadable on the disk: a value opens only for the tenant and in the place it was sealed
/// for. Held by `access`.
pub trait Vault: Send + Sync {
    /// `field` names the place, such as `usr_…/totp`.
    fn seal(&self, tenant: &crate::TenantId, field: &str, secret: &[u8]) -> Result<String>;

    fn open(&self, tenant: &crate::TenantId, field: &str, sealed: &str) -> Result<Vec<u8>>;
}

/// What is left of the rate of requests, as the IETF draft `RateLimit` headers say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateState {
    /// `"minute";q=60;w=60`
    pub policy: String,
    /// `"minute";r=12;t=48`
    pub state: String,
}

/// A request that does not come in.
#[derive(Debug)]
pub struct NotAdmitted {
    pub error: Error,
    /// Seconds to wait when there were too many.
    pub retry_after: Option<u64>,
    pub rate: Option<RateState>,
}

/// A place among the requests of a tenant that run at the same time; dropping it makes room for the next.
pub struct Place(
    #[expect(dead_code, reason = "is there to be dropped")] Box<dyn std::any::Any + Send + Sync>,
);

impl Place {
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

/// A request that came in.
#[derive(Default)]
pub struct Admission {
    pub rate: Option<RateState>,
    /// To be kept until the answer is sent; only requests that cost much have one.
    pub place: Option<Place>,
}

/// Whether one more request may come in. Held by `access`.
#[async_trait]
pub trait Admit: Send + Sync {
    /// Counts the request; `route` is as in `POST /api/v1/documents/{id}/retry`. A request that costs much may wait here
    /// until others have ended.
    async fn admit(&self, principal: &Principal, route: &str) -> Result<Admission, NotAdmitted>;
}

/// An answer that is given again to the same request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Answered {
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// None when it was a stream, which is not kept.
    pub body: Option<String>,
}

/// Requests with an `Idempotency-Key` are done once (draft-ietf-httpapi-idempotency-key-header). Held by `access`.
#[async_trait]
pub trait Replays: Send + Sync {
    /// None when the request is new and is to be done now, after which [`Replays::finish`] follows in any case. Refused
    /// when the first one still runs or broke off, and when it was another one.
    async fn begin(&self, principal: &Principal, key: &str, fingerprint: &str) -> Result<Option<Answered>>;

    /// Keeps the answer; without one the request changed nothing and can be sent again.
    async fn finish(&self, principal: &Principal, key: &str, answer: Option<Answered>);
}

//! What comes in and goes out.

use lectern_edge::Validate;
use lectern_kernel::ports::{Filter, RetrievedPassage};
use lectern_kernel::{ConversationId, DocumentId, FieldError, Timestamp, TurnId};
use serde::{Deserialize, Serialize};

const MAX_QUESTION: usize = 4000;
const MAX_TITLE: usize = 200;
const MAX_COMMENT: usize = 2000;
const MAX_FILTER: usize = 200;
/// Characters shown of a nearest passage.
const SNIPPET: usize = 300;

/// A question.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// 1–4,000 characters.
    pub question: String,
    /// The conversation it goes on with; absent begins a new one.
    #[serde(default)]
    pub conversation: Option<ConversationId>,
    /// Documents to which the answer is confined.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// The answer is going to be read aloud: a model is told to write for listeners.
    #[serde(default)]
    pub speak: bool,
}

impl NewQuestion {
    /// The question without control characters and outer spaces.
    pub(crate) fn text(&self) -> String {
        let plain: String = self.question.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        plain.trim().to_owned()
    }
}

fn field(name: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: name.to_owned(), message: message.into() }
}

impl Validate for NewQuestion {
    fn validate(&self) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        if self.text().is_empty() {
            wrong.push(field("question", "must not be empty"));
        }
        if self.question.chars().nth(MAX_QUESTION).is_some() {
            wrong.push(field("question", "may have 4,000 characters at most"));
        }
        if let Some(filter) = &self.filter {
            let values = [&filter.collection, &filter.tag, &filter.kind, &filter.language];
            if values.into_iter().flatten().any(|value| value.chars().nth(MAX_FILTER).is_some()) {
                wrong.push(field("filter", "a value may have 200 characters at most"));
            }
        }
        wrong
    }
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Exact sentences of documents.
    Extractive,
    /// Written by a model from passages of documents.
    Ollama,
    /// The documents do not tell.
    None,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
            Self::Ollama => "ollama",
            Self::None => "none",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "extractive" => Self::Extractive,
            "ollama" => Self::Ollama,
            _ => Self::None,
        }
    }
}

/// A sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SentenceView {
    pub index: usize,
    pub text: String,
    /// Numbers of the citations that support it.
    pub citations: Vec<u32>,
}

/// A place in a document, with the text that stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CitationView {
    pub n: u32,
    pub document: DocumentId,
    pub title: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub page: Option<u32>,
    /// Sheet, slide title or archive member.
    pub label: Option<String>,
    /// Code points of the document's text, end exclusive.
    pub start: u32,
    pub end: u32,
    /// Exactly what stood there when the answer was made.
    pub quote: String,
}

/// A passage near to the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NearView {
    pub document: DocumentId,
    pub title: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub collection: Option<String>,
    pub page: Option<u32>,
    pub label: Option<String>,
    pub heading: Option<String>,
    pub snippet: String,
    /// Code points in the snippet; always empty here, as in a search hit without marks.
    pub highlights: Vec<[u32; 2]>,
    pub start: u32,
    pub end: u32,
    pub score: f32,
}

impl From<&RetrievedPassage> for NearView {
    fn from(passage: &RetrievedPassage) -> Self {
        let mut snippet: String = passage.text.chars().take(SNIPPET).collect();
        if passage.text.chars().nth(SNIPPET).is_some() {
            snippet.push('…');
        }
        Self {
            document: passage.document.clone(),
            title: passage.title.clone(),
            kind: passage.kind.clone(),
            collection: passage.collection.clone(),
            page: passage.page,
            label: passage.label.clone(),
            heading: passage.heading.clone(),
            snippet,
            highlights: Vec::new(),
            start: passage.start,
            end: passage.end,
            score: passage.score,
        }
    }
}

/// Milliseconds of each stage, with one decimal; absent where the stage did not happen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trace {
    /// Making the question of a conversation stand for itself.
    pub rewrite_ms: Option<f64>,
    /// For the question's vector, when there is an embedding model.
    #[serde(default)]
    pub embed_ms: Option<f64>,
    pub retrieve_ms: f64,
    /// Choosing the sentences of an extractive answer.
    pub select_ms: f64,
    /// From the question's arrival to the model's first word.
    pub first_token_ms: Option<f64>,
    /// From the question's arrival to the first whole, checked sentence.
    pub first_sentence_ms: Option<f64>,
    /// Checking citations, all together.
    pub verify_ms: f64,
    pub total_ms: f64,
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TurnView {
    pub turn: TurnId,
    pub conversation: ConversationId,
    pub question: String,
    /// The sentences, each with its marks, such as ` [1]`.
    pub answer: String,
    pub mode: Mode,
    /// The model that wrote the answer.
    pub model: Option<String>,
    /// False when the documents do not tell.
    pub answered: bool,
    /// What the reader should know about how this answer came about.
    pub notice: Option<String>,
    /// ISO 639-1 code of the answer's language.
    pub language: Option<String>,
    pub sentences: Vec<SentenceView>,
    pub citations: Vec<CitationView>,
    /// The passages nearest to the question when `answered` is false.
    pub nearest: Vec<NearView>,
    /// Citations that could not be checked and were left out.
    pub dropped_citations: u32,
    pub rating: Option<Rating>,
    pub created_at: Timestamp,
    pub trace: Trace,
}

/// Thumbs up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    Up,
    Down,
}

impl Rating {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "up" => Some(Self::Up),
            "down" => Some(Self::Down),
            _ => None,
        }
    }
}

/// What somebody thinks of an answer.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// Null takes a rating back.
    pub rating: Option<Rating>,
    #[serde(default)]
    pub comment: Option<String>,
}

impl Validate for NewFeedback {
    fn validate(&self) -> Vec<FieldError> {
        let long = self.comment.as_ref().is_some_and(|text| text.chars().nth(MAX_COMMENT).is_some());
        if long { vec![field("comment", "may have 2,000 characters at most")] } else { Vec::new() }
    }
}

/// A conversation in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConversationView {
    pub id: ConversationId,
    pub title: String,
    /// Number of questions.
    pub turns: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A conversation with all that was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConversationDetail {
    pub id: ConversationId,
    pub title: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub turns: Vec<TurnView>,
}

/// Another title.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchConversation {
    /// 1–200 characters.
    pub title: String,
}

impl Validate for PatchConversation {
    fn validate(&self) -> Vec<FieldError> {
        let title = self.title.trim();
        if title.is_empty() || title.chars().nth(MAX_TITLE).is_some() {
            return vec![field("title", "must have 1 to 200 characters")];
        }
        Vec::new()
    }
}

/// Which conversations are listed.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConversationQuery {
    /// Words that title, questions or answers hold.
    #[serde(default)]
    pub q: Option<String>,
    /// At most this many items, 1–500; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    #[default]
    Json,
    Markdown,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    #[serde(default)]
    #[param(inline)]
    pub format: ExportFormat,
}

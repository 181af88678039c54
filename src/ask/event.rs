//! What a client sees while an answer is made.

use lectern_edge::{Problem, sse};
use lectern_kernel::{ConversationId, TurnId};
use serde::Serialize;

use crate::model::{CitationView, Mode, NearView, SentenceView, TurnView};

/// The passages were found; the answer is on its way.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RetrievalEvent {
    pub turn: TurnId,
    pub conversation: ConversationId,
    /// How the answer is going to be made; `done` says how it was.
    pub mode: Mode,
    pub model: Option<String>,
    pub hits: Vec<NearView>,
    pub retrieve_ms: f64,
}

/// One step of an answer, in this order: `Retrieval`, then `Token`s and, sentence by sentence, its `Citation`s before
/// the `Sentence`, then `Done`; or `Error` at any place as the last.
#[derive(Debug, Clone, PartialEq)]
pub enum AskEvent {
    Retrieval(Box<RetrievalEvent>),
    /// A piece of text as it is written, without citation marks.
    Token(String),
    Citation(CitationView),
    Sentence(SentenceView),
    Done(Box<TurnView>),
}

impl AskEvent {
    /// As a server-sent event.
    pub fn to_sse(&self) -> bytes::Bytes {
        match self {
            Self::Retrieval(event) => sse::event("retrieval", event),
            Self::Token(text) => sse::event("token", &serde_json::json!({ "text": text })),
            Self::Citation(citation) => sse::event("citation", citation),
            Self::Sentence(sentence) => sse::event("sentence", sentence),
            Self::Done(turn) => sse::event("done", turn),
        }
    }
}

/// The last event of an answer that failed.
pub(crate) fn error_event(problem: &Problem) -> bytes::Bytes {
    sse::event("error", problem)
}

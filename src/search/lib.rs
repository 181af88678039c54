//! Full-text search on tantivy and the choice of answer sentences. Owns passages, the index folder, the query
//! language, retrieval for questions, extractive answers and their measurement. No HTTP, no SQL, no model: what knows
//! the meaning of a text comes from outside.

mod analysis;
mod answer;
mod audit;
pub mod beir;
pub mod bench;
mod error;
pub mod eval;
mod facets;
mod filter;
mod index;
mod language;
mod meaning;
mod passage;
mod plan;
mod query;
mod question;
mod rank;
mod record;
mod retrieve;
mod scan;
mod schema;
mod search;
mod sentence;
mod snippet;
mod span;
pub mod squad;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_meaning;
#[cfg(test)]
mod tests_viewer;
mod tokenizer;
pub mod tuning;
mod viewer;
mod within;

pub use answer::{Answer, AnswerSentence, MAX_SENTENCES, TRUST_FEATURES, answer};
pub use audit::AuditReport;
pub use error::{QueryError, Result, SearchError};
pub use facets::Facets;
pub use filter::Filter;
pub use index::{Options, SearchIndex};
pub use language::detect as detect_language;
pub use meaning::{Closeness, Meaning, Near};
pub use passage::{BlockKind, BlockRef, Mark, Passage, Shape, split as split_passages};
pub use record::DocumentMeta;
pub use retrieve::{Retrieval, Retrieved, Wanted};
pub use search::{Hit, MAX_LIMIT, SearchRequest, SearchResults, is_plain};
pub use sentence::sentences;
pub use span::{SPAN_RULE, spans};
pub use viewer::Viewer;

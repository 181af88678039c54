//! Models of language: chat through Ollama as a stream under time and size limits, and text models that run here:
//! embedding and re-ranking.
//!
//! Owns what is known of an Ollama server and of a text model's folder. Not for prompts, SQL or HTTP routes; the HTTP
//! client comes from the caller, because only the guarded one may open outbound connections.

mod bank;
mod client;
mod embedder;
mod error;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod health;
mod reranker;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_text;
mod text_config;
mod text_error;
mod text_model;

pub use bank::{FixedBank, MeaningBank};
pub use client::{ChatRequest, Endpoint, Message, Model, Ollama};
pub use embedder::{Embedder, Kind};
pub use error::OllamaError;
pub use health::{Health, Reach};
pub use lectern_neural::collect_if_unloaded;
/// The client type that callers hand in.
pub use reqwest::Client as HttpClient;
pub use reranker::Reranker;
pub use stream::ChatStream;
pub use text_config::{Pooling, TextConfig};
pub use text_error::TextModelError;

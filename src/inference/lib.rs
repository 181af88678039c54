//! Language models through Ollama: chat as a stream under time and size limits, models, loading, health.
//!
//! Owns what is known of an Ollama server. Not for prompts, SQL or HTTP routes; the HTTP client comes from the
//! caller, because only the guarded one may open outbound connections.

mod client;
mod error;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod health;
mod stream;
#[cfg(test)]
mod tests;

pub use client::{ChatRequest, Endpoint, Message, Model, Ollama};
pub use error::OllamaError;
pub use health::{Health, Reach};
/// The client type that callers hand in.
pub use reqwest::Client as HttpClient;
pub use stream::ChatStream;

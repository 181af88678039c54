//! What the site has set for answers.

use async_trait::async_trait;
use lectern_inference::Endpoint;
use lectern_kernel::{Result, Scope};

/// The settings in force for one question.
#[derive(Debug, Clone)]
pub struct CurrentSettings {
    /// None when Ollama is off.
    pub ollama: Option<Endpoint>,
    /// Most sentences of an extractive answer.
    pub sentences: usize,
    /// Passages that an answer is made from.
    pub passages: usize,
    /// ISO 639-1 code that answers of a model are written in; none: the question's.
    pub language: Option<String>,
}

/// Tells the settings. Held by whoever keeps them.
#[async_trait]
pub trait AskSettings: Send + Sync {
    async fn current(&self, scope: &Scope) -> Result<CurrentSettings>;
}

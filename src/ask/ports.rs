//! What other areas may ask of this one.

use std::time::Duration;

use async_trait::async_trait;
use lectern_inference::{Ollama, Reach};
use lectern_kernel::ports::{Answers, Report, Speakable};
use lectern_kernel::{Result, Scope, TurnId};

use crate::Ask;

/// How long a reader waits for an answer that is being written.
const WAIT: Duration = Duration::from_mins(10);

#[async_trait]
impl Answers for Ask {
    /// Waits when the answer is still being written.
    async fn speakable(&self, scope: &Scope, turn: &TurnId) -> Result<Speakable> {
        // After the wait it is simply read as far as it went.
        let _ = tokio::time::timeout(WAIT, self.live.ended(scope, turn)).await;
        let turn = self.turn(scope, turn).await?;
        Ok(Speakable { text: turn.answer, language: turn.language })
    }
}

#[async_trait]
impl Report for Ask {
    fn name(&self) -> &'static str {
        "answers"
    }

    /// From what is known: the page never waits for a server that may be away.
    async fn report(&self, scope: &Scope) -> Result<serde_json::Value> {
        let Some(endpoint) = self.settings.current(scope).await?.ollama else {
            return Ok(serde_json::json!({ "mode": "extractive", "model": null, "reachable": null }));
        };
        let model = endpoint.model.clone();
        let reachable = match Ollama::new(endpoint).map(|ollama| self.health.reach(&ollama)) {
            Ok(Reach::Up) => Some(true),
            Ok(Reach::Unknown) => None,
            Ok(Reach::Down) | Err(_) => Some(false),
        };
        let mode = if reachable == Some(false) { "extractive" } else { "ollama" };
        Ok(serde_json::json!({ "mode": mode, "model": model, "reachable": reachable }))
    }
}

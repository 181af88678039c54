//! What other areas may ask of this one.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream;
use lectern_inference::{Ollama, Reach};
use lectern_kernel::ports::{AnswerStream, Answers, Question, Report};
use lectern_kernel::{Result, Scope, TurnId};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::live::{self, Feed};
use crate::{Ask, NewQuestion};

#[async_trait]
impl Answers for Ask {
    async fn ask(&self, scope: &Scope, question: Question) -> Result<AnswerStream> {
        let request = NewQuestion {
            question: question.text,
            conversation: question.conversation,
            filter: Some(question.filter),
            speak: true,
        };
        self.check(scope, &request).await?;
        let feed = Arc::new(Feed::default());
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let (ask, scope, writing) = (self.clone(), scope.clone(), Arc::clone(&feed));
        tokio::spawn(async move {
            if let Err(error) = ask.ask_into(&scope, request, &stop, &mut |_| {}, &writing).await {
                if error.code.status() >= 500 {
                    tracing::error!(cause = ?error.cause, "{error}");
                }
                writing.fail(&error);
            }
            writing.end();
        });
        Ok(listen(feed, Some(guard)))
    }

    async fn follow(&self, scope: &Scope, turn: &TurnId) -> Result<AnswerStream> {
        if let Some(feed) = self.live.feed(scope, turn) {
            return Ok(listen(feed, None));
        }
        let turn = self.turn(scope, turn).await?;
        Ok(Box::pin(stream::iter(live::parts_of(&turn))))
    }
}

/// The parts from the first on; `guard` stops the answer when the stream is dropped.
fn listen(feed: Arc<Feed>, guard: Option<DropGuard>) -> AnswerStream {
    Box::pin(stream::unfold((feed, guard, 0), |(feed, guard, next)| async move {
        let part = feed.part(next).await?;
        Some((part, (feed, guard, next + 1)))
    }))
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

//! The answer of a chat as it comes: lines of JSON, under limits of time and size.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use ollama_rs::generation::chat::ChatMessageResponse;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::OllamaError;

/// Longest line; a token is a few hundred bytes.
const MAX_LINE: usize = 1 << 20;
/// Longest answer, with what the model thinks aloud.
const MAX_ANSWER: usize = 256 << 10;

type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, OllamaError>> + Send>>;

/// Text as the model writes it.
pub struct ChatStream {
    parts: Parts,
    pending: Vec<u8>,
    thought: Thought,
    first: Option<Instant>,
    end: Instant,
    limits: (Duration, Duration),
    received: usize,
    done: bool,
}

#[derive(Deserialize)]
struct Told {
    error: String,
}

impl ChatStream {
    pub(crate) fn new(
        parts: impl Stream<Item = Result<Bytes, OllamaError>> + Send + 'static,
        started: Instant,
        first: Duration,
        total: Duration,
    ) -> Self {
        Self {
            parts: Box::pin(parts),
            pending: Vec::new(),
            thought: Thought::default(),
            first: Some(started + first),
            end: started + total,
            limits: (first, total),
            received: 0,
            done: false,
        }
    }

    /// The next piece of text, never empty; none at the end of the answer. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<String, OllamaError>> {
        while !self.done {
            match self.step().await {
                Ok(text) if text.is_empty() => {}
                Ok(text) => {
                    self.first = None;
                    return Some(Ok(text));
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// The text of the next line; reads on when there is no whole line yet.
    async fn step(&mut self) -> Result<String, OllamaError> {
        if let Some(at) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=at).collect();
            return self.line(&line);
        }
        if self.pending.len() > MAX_LINE {
            return Err(OllamaError::Garbage("a line of more than 1 MiB".to_owned()));
        }
        let until = self.first.map_or(self.end, |first| first.min(self.end));
        match timeout_at(until, self.parts.next()).await {
            Err(_) if self.first.is_some_and(|first| first <= self.end) => {
                Err(OllamaError::FirstToken(self.limits.0))
            }
            Err(_) => Err(OllamaError::Total(self.limits.1)),
            Ok(Some(part)) => {
                self.pending.extend_from_slice(&part?);
                Ok(String::new())
            }
            // The end without a line that says so: the server went away.
            Ok(None) if self.pending.is_empty() => Err(OllamaError::Broken),
            Ok(None) => {
                let line = std::mem::take(&mut self.pending);
                self.line(&line)
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<String, OllamaError> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(String::new());
        }
        let response: ChatMessageResponse = match serde_json::from_slice(line) {
            Ok(response) => response,
            Err(_) => {
                return Err(match serde_json::from_slice::<Told>(line) {
                    Ok(told) => OllamaError::Refused(told.error.chars().take(300).collect()),
                    Err(error) => OllamaError::Garbage(error.to_string()),
                });
            }
        };
        self.received += response.message.content.len();
        if self.received > MAX_ANSWER {
            return Err(OllamaError::Garbage("an answer without end".to_owned()));
        }
        self.done = response.done;
        let mut text = self.thought.pass(&response.message.content);
        if self.done {
            text.push_str(&self.thought.finish());
        }
        Ok(text)
    }
}

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Leaves out what some models think aloud before they answer.
#[derive(Default)]
enum Thought {
    /// Held back: it may be the beginning of the mark.
    #[default]
    Fresh,
    Begun(String),
    Inside(String),
    Over,
}

impl Thought {
    fn pass(&mut self, text: &str) -> String {
        let mut held = match std::mem::replace(self, Self::Over) {
            Self::Over => return text.to_owned(),
            Self::Fresh => String::new(),
            Self::Begun(held) => held,
            Self::Inside(tail) => return self.inside(&(tail + text)),
        };
        held.push_str(text);
        let begin = held.trim_start();
        if let Some(rest) = begin.strip_prefix(OPEN) {
            let rest = rest.to_owned();
            return self.inside(&rest);
        }
        if OPEN.starts_with(begin) {
            *self = Self::Begun(held);
            return String::new();
        }
        held
    }

    fn inside(&mut self, text: &str) -> String {
        if let Some((_, answer)) = text.split_once(CLOSE) {
            *self = Self::Over;
            return answer.trim_start().to_owned();
        }
        // Only the end can hold the beginning of the closing mark.
        let keep = text.char_indices().rev().nth(CLOSE.len()).map_or(0, |(at, _)| at);
        *self = Self::Inside(text[keep..].to_owned());
        String::new()
    }

    fn finish(&mut self) -> String {
        match std::mem::replace(self, Self::Over) {
            Self::Begun(held) => held,
            _ => String::new(),
        }
    }
}

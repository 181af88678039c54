//! What was said and is not asked yet: utterances whose transcripts are waited for, and words that more may follow.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::answer::Trace;
use crate::socket_model::TalkTrace;
use crate::speaking::{since, tenth};
use crate::utterance::Said;

/// An utterance that has ended.
pub(crate) struct Pending {
    /// Of the recogniser.
    pub work: u64,
    pub number: u64,
    pub ended: Instant,
    /// How long the end was waited for.
    pub silence: Duration,
    pub said: Option<Said>,
}

impl Pending {
    /// Of an answer to it, from here on.
    pub(crate) fn trace(&self, took: Duration) -> Trace {
        let ms = |duration: Duration| tenth(duration.as_secs_f64() * 1000.0);
        let trace = TalkTrace {
            end_of_turn_ms: (!self.silence.is_zero()).then(|| ms(self.silence)),
            transcript_ms: Some(since(self.ended)),
            transcribe_ms: Some(ms(took)),
            ..TalkTrace::default()
        };
        Trace::new(self.ended, trace)
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Pending>,
    heard: Option<(String, Trace)>,
}

impl Queue {
    pub(crate) fn push(&mut self, pending: Pending) {
        self.waiting.push_back(pending);
    }

    /// Keeps the outcome of an utterance's work; gives back what belongs to none.
    pub(crate) fn take(&mut self, said: Said) -> Option<Said> {
        match self.waiting.iter_mut().find(|pending| pending.work == said.work) {
            Some(pending) => pending.said.replace(said),
            None => Some(said),
        }
    }

    /// The earliest utterance, when its work is done.
    pub(crate) fn next(&mut self) -> Option<(Pending, Said)> {
        let said = self.waiting.front_mut()?.said.take()?;
        Some((self.waiting.pop_front()?, said))
    }

    /// What was said in two breaths is one question.
    pub(crate) fn collect(&mut self, text: &str, trace: Trace) {
        if text.is_empty() {
            return;
        }
        let text = match self.heard.take() {
            Some((before, _)) => format!("{before} {text}"),
            None => text.to_owned(),
        };
        self.heard = Some((text, trace));
    }

    /// What is to be asked, when no more transcripts are waited for.
    pub(crate) fn question(&mut self) -> Option<(String, Trace)> {
        if self.waiting.is_empty() { self.heard.take() } else { None }
    }
}

//! Turns whose answer is still being written: whoever joins late hears everything once, from the beginning.

use std::collections::HashMap;
use std::sync::Arc;

use lectern_kernel::ports::{AnswerCitation, AnswerPart, AnswerSentence, Failure, Retrieved};
use lectern_kernel::{DocumentId, Error, Scope, TenantId, TurnId};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::conversation::owner;
use crate::event::AskEvent;
use crate::model::{CitationView, SentenceView, TurnView};

/// A sentence below this length says less about its language than its document does.
const TELLING: usize = 40;

/// Turns are followed by their own asker only.
type Key = (TenantId, String, TurnId);
type Turns = Arc<Mutex<HashMap<Key, Arc<Feed>>>>;

#[derive(Clone, Default)]
pub(crate) struct Live(Turns);

/// The turn is being written as long as this is held.
pub(crate) struct Writing {
    turns: Turns,
    key: Key,
    feed: Arc<Feed>,
}

impl Live {
    pub(crate) fn begin(&self, scope: &Scope, turn: &TurnId, feed: &Arc<Feed>) -> Writing {
        let key = (scope.tenant().clone(), owner(scope), turn.clone());
        self.0.lock().insert(key.clone(), Arc::clone(feed));
        Writing { turns: Arc::clone(&self.0), key, feed: Arc::clone(feed) }
    }

    pub(crate) fn feed(&self, scope: &Scope, turn: &TurnId) -> Option<Arc<Feed>> {
        self.0.lock().get(&(scope.tenant().clone(), owner(scope), turn.clone())).cloned()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.key);
        self.feed.end();
    }
}

/// The parts of one answer, kept while it is written.
#[derive(Debug)]
pub(crate) struct Feed {
    told: Mutex<Told>,
    grown: watch::Sender<Grown>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Grown {
    parts: usize,
    over: bool,
}

#[derive(Debug, Default)]
struct Told {
    parts: Vec<AnswerPart>,
    /// Language of each document that may be quoted.
    languages: HashMap<DocumentId, String>,
    /// Of the question.
    asked: Option<String>,
    citations: Vec<CitationView>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { told: Mutex::default(), grown: watch::Sender::new(Grown::default()) }
    }
}

impl Feed {
    /// What the language of a sentence is guessed from, before the first event.
    pub(crate) fn found(&self, found: &Retrieved, asked: Option<String>) {
        let known =
            |p: &lectern_kernel::ports::RetrievedPassage| Some((p.document.clone(), p.language.clone()?));
        let mut told = self.told.lock();
        told.languages = found.passages.iter().filter_map(known).collect();
        told.asked = asked;
    }

    pub(crate) fn push(&self, event: &AskEvent) {
        let mut told = self.told.lock();
        let part = told.part(event);
        self.add(&mut told, part);
    }

    pub(crate) fn fail(&self, error: &Error) {
        self.add(&mut self.told.lock(), AnswerPart::Failed(Failure::from(error)));
    }

    pub(crate) fn end(&self) {
        self.grown.send_modify(|grown| grown.over = true);
    }

    fn add(&self, told: &mut Told, part: AnswerPart) {
        told.parts.push(part);
        self.grown.send_modify(|grown| grown.parts += 1);
    }

    /// Part number `index`, when it is there; none when the answer ended before.
    pub(crate) async fn part(&self, index: usize) -> Option<AnswerPart> {
        let mut grown = self.grown.subscribe();
        // It fails only without a sender, which `self` holds.
        let _ = grown.wait_for(|grown| grown.parts > index || grown.over).await;
        self.told.lock().parts.get(index).cloned()
    }
}

impl Told {
    fn part(&mut self, event: &AskEvent) -> AnswerPart {
        match event {
            AskEvent::Retrieval(found) => AnswerPart::Retrieval {
                turn: found.turn.clone(),
                conversation: found.conversation.clone(),
                view: json(found),
            },
            AskEvent::Token(text) => AnswerPart::Token(text.clone()),
            AskEvent::Citation(citation) => {
                self.citations.push(citation.clone());
                AnswerPart::Citation(json(citation))
            }
            AskEvent::Sentence(sentence) => AnswerPart::Sentence(self.sentence(sentence)),
            AskEvent::Done(turn) => AnswerPart::Done(json(turn)),
        }
    }

    fn sentence(&self, sentence: &SentenceView) -> AnswerSentence {
        let cited: Vec<&CitationView> =
            sentence.citations.iter().filter_map(|n| self.citations.iter().find(|c| c.n == *n)).collect();
        let document = cited.first().and_then(|first| self.languages.get(&first.document)).cloned();
        let guess = || lectern_search::detect_language(&sentence.text).map(str::to_owned);
        let long = sentence.text.chars().nth(TELLING).is_some();
        let told = if long { guess() } else { None };
        AnswerSentence {
            index: sentence.index,
            text: sentence.text.clone(),
            language: told.or(document).or_else(|| self.asked.clone()).or_else(guess),
            citations: cited.into_iter().map(|c| AnswerCitation { n: c.n, page: c.page }).collect(),
        }
    }
}

/// The parts of a turn that is over, without its tokens.
pub(crate) fn parts_of(turn: &TurnView) -> Vec<AnswerPart> {
    let told = Told { citations: turn.citations.clone(), asked: turn.language.clone(), ..Told::default() };
    let mut parts = vec![AnswerPart::Retrieval {
        turn: turn.turn.clone(),
        conversation: turn.conversation.clone(),
        view: serde_json::json!({
            "turn": turn.turn, "conversation": turn.conversation, "mode": turn.mode, "model": turn.model,
            "hits": turn.nearest, "retrieve_ms": turn.trace.retrieve_ms,
        }),
    }];
    let mut shown = 0;
    for sentence in &turn.sentences {
        let new = sentence.citations.iter().filter(|n| **n > shown).count();
        parts.extend(
            turn.citations.iter().skip(shown as usize).take(new).map(|c| AnswerPart::Citation(json(c))),
        );
        shown += new as u32;
        parts.push(AnswerPart::Sentence(told.sentence(sentence)));
    }
    parts.push(AnswerPart::Done(json(turn)));
    parts
}

fn json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

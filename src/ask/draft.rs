//! An answer in the making: every citation is checked before it counts, and sentences go out as they become whole.

use std::fmt::Write as _;
use std::time::Instant;

use lectern_kernel::Scope;
use lectern_kernel::ports::{Retrieve, RetrievedPassage};

use crate::event::AskEvent;
use crate::evidence::Place;
use crate::model::{CitationView, SentenceView};

pub(crate) type Sink<'s> = dyn FnMut(AskEvent) + Send + 's;

/// Sentences with their citations.
pub(crate) struct Draft<'a, 's> {
    retrieve: &'a dyn Retrieve,
    scope: &'a Scope,
    sink: &'a mut Sink<'s>,
    started: Instant,
    /// Events wait until the first citation holds.
    held: Option<Vec<AskEvent>>,
    pub answer: String,
    gap: &'static str,
    pub sentences: Vec<SentenceView>,
    pub citations: Vec<CitationView>,
    pub dropped: u32,
    pub verify_ms: f64,
    pub first_token_ms: Option<f64>,
    pub first_sentence_ms: Option<f64>,
}

/// Milliseconds since, with one decimal.
pub(crate) fn since(started: Instant) -> f64 {
    tenth(started.elapsed().as_secs_f64() * 1000.0)
}

pub(crate) fn tenth(milliseconds: f64) -> f64 {
    (milliseconds * 10.0).round() / 10.0
}

impl<'a, 's> Draft<'a, 's> {
    pub(crate) fn new(
        retrieve: &'a dyn Retrieve,
        scope: &'a Scope,
        sink: &'a mut Sink<'s>,
        started: Instant,
    ) -> Self {
        Self {
            retrieve,
            scope,
            sink,
            started,
            held: None,
            answer: String::new(),
            gap: "",
            sentences: Vec::new(),
            citations: Vec::new(),
            dropped: 0,
            verify_ms: 0.0,
            first_token_ms: None,
            first_sentence_ms: None,
        }
    }

    /// Keeps everything back until a citation holds: the documents may well not tell.
    pub(crate) fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    pub(crate) fn emit(&mut self, event: AskEvent) {
        match &mut self.held {
            Some(held) => held.push(event),
            None => (self.sink)(event),
        }
    }

    /// Text as it is written.
    pub(crate) fn token(&mut self, text: String) {
        self.first_token_ms.get_or_insert_with(|| since(self.started));
        if !text.is_empty() {
            self.emit(AskEvent::Token(text));
        }
    }

    /// Forgets what was written but for the counts: another way of answering begins.
    pub(crate) fn clear(&mut self) {
        self.held = None;
        self.answer.clear();
        self.gap = "";
        self.sentences.clear();
        self.citations.clear();
    }

    /// The number of the citation, when what it quotes stands in the document now.
    pub(crate) async fn cite(&mut self, passage: &RetrievedPassage, place: Place) -> Option<u32> {
        let known = self.citations.iter().find(|known| {
            known.document == passage.document && known.start == place.start && known.end == place.end
        });
        if let Some(known) = known {
            return Some(known.n);
        }
        let started = Instant::now();
        let found = self.retrieve.quote(self.scope, &passage.document, place.start, place.end).await;
        self.verify_ms += started.elapsed().as_secs_f64() * 1000.0;
        let quote = match found {
            Ok(quote) => quote.filter(|quote| same(quote, &place.text)),
            Err(error) => {
                tracing::warn!(document = %passage.document, %error, "a citation cannot be checked");
                None
            }
        };
        let Some(quote) = quote else {
            self.dropped += 1;
            return None;
        };
        let citation = CitationView {
            n: self.citations.len() as u32 + 1,
            document: passage.document.clone(),
            title: passage.title.clone(),
            kind: passage.kind.clone(),
            page: place.page.or(passage.page),
            label: place.label.or_else(|| passage.label.clone()),
            start: place.start,
            end: place.end,
            quote,
        };
        self.citations.push(citation.clone());
        for event in self.held.take().unwrap_or_default() {
            (self.sink)(event);
        }
        self.emit(AskEvent::Citation(citation.clone()));
        Some(citation.n)
    }

    /// Adds a whole sentence; `gap` is what stands after it.
    pub(crate) fn sentence(&mut self, text: String, mut citations: Vec<u32>, gap: &'static str) {
        citations.sort_unstable();
        citations.dedup();
        self.answer.push_str(self.gap);
        self.answer.push_str(&text);
        for n in &citations {
            // Writing to a string cannot fail.
            let _ = write!(self.answer, " [{n}]");
        }
        self.gap = gap;
        let sentence = SentenceView { index: self.sentences.len(), text, citations };
        self.sentences.push(sentence.clone());
        self.first_sentence_ms.get_or_insert_with(|| since(self.started));
        self.emit(AskEvent::Sentence(sentence));
    }
}

/// Equal but for white space, which extraction and index may write differently.
fn same(a: &str, b: &str) -> bool {
    !b.trim().is_empty() && a.split_whitespace().eq(b.split_whitespace())
}

//! The answer of a model: written piece by piece, every mark checked against the passage it names.

use lectern_inference::{ChatStream, Ollama, OllamaError};
use lectern_kernel::ports::RetrievedPassage;
use tokio_util::sync::CancellationToken;

use crate::draft::Draft;
use crate::evidence::Evidence;
use crate::phrase;
use crate::prompt::Prompt;
use crate::script::{Line, Ready, Script};

/// How the model's answer ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Whole,
    /// The model says that the passages do not tell.
    NotThere,
    /// Nobody listens any more.
    Stopped,
    /// It failed, after something was written or before.
    Failed(OllamaError),
}

/// One answer being written.
pub(crate) struct Writing<'w, 'a, 's> {
    pub draft: &'w mut Draft<'a, 's>,
    pub passages: &'w [RetrievedPassage],
    pub evidence: Evidence<'w>,
    pub shown: usize,
    pub question: &'w str,
}

impl Writing<'_, '_, '_> {
    pub(crate) async fn run(mut self, ollama: &Ollama, prompt: Prompt, stop: &CancellationToken) -> Ended {
        let begun = tokio::select! {
            biased;
            () = stop.cancelled() => return Ended::Stopped,
            begun = ollama.chat(prompt.request) => begun,
        };
        match begun {
            Ok(stream) => self.read(stream, stop).await,
            Err(error) => Ended::Failed(error),
        }
    }

    /// Returning drops the stream, which closes the connection.
    async fn read(&mut self, mut stream: ChatStream, stop: &CancellationToken) -> Ended {
        let mut script = Script::default();
        let ended = loop {
            let piece = tokio::select! {
                biased;
                () = stop.cancelled() => break Ended::Stopped,
                piece = stream.next() => piece,
            };
            match piece {
                None => break Ended::Whole,
                Some(Err(error)) => break Ended::Failed(error),
                Some(Ok(text)) => {
                    let ready = script.push(&text);
                    self.take(ready).await;
                }
            }
            if script.refused() {
                break Ended::NotThere;
            }
        };
        if !script.refused() {
            let ready = script.finish();
            self.take(ready).await;
        }
        if script.refused() { Ended::NotThere } else { ended }
    }

    async fn take(&mut self, ready: Ready) {
        if !ready.text.is_empty() {
            self.draft.token(ready.text);
        }
        for line in ready.lines {
            self.line(line).await;
        }
    }

    async fn line(&mut self, line: Line) {
        let language = phrase::language_of(self.question);
        let mut cited = Vec::new();
        for mark in &line.marks {
            let index = mark.checked_sub(1).filter(|index| *index < self.shown);
            match index.and_then(|index| self.evidence.named(&line.text, language, index)) {
                Some(place) => cited.extend(self.draft.cite(&self.passages[place.passage], place).await),
                None => self.draft.dropped += 1,
            }
        }
        // Small models often forget the marks; what was said may still stand in a passage word for word.
        if line.marks.is_empty()
            && let Some(place) = self.evidence.anywhere(&line.text, language)
        {
            cited.extend(self.draft.cite(&self.passages[place.passage], place).await);
        }
        self.draft.sentence(line.text, cited, line.gap);
    }
}

//! An answer on its way to a conversation: its text as it is written, its clauses as they are spoken, its trace.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use lectern_edge::Problem;
use lectern_kernel::ports::{AnswerPart, AnswerStream, Failure, Question};
use lectern_kernel::{ConversationId, Error, Result, Scope};
use lectern_speech::sample_bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Voice;
use crate::choice::Wanted;
use crate::clauses::{Clauses, Heard, Next, Piece, duration_ms, url};
use crate::line::{self, Line};
use crate::outgoing::{Frame, Outgoing};
use crate::socket_model::{Start, TalkTrace};
use crate::speaking::{Head, since};
use crate::stream::{SoundFormat, encode};

/// Bytes of a frame of sound.
const FRAME: usize = 32 << 10;

/// Milliseconds since the end of speech.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    zero: Instant,
    trace: Arc<Mutex<TalkTrace>>,
}

impl Trace {
    pub(crate) fn new(zero: Instant, trace: TalkTrace) -> Self {
        Self { zero, trace: Arc::new(Mutex::new(trace)) }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut TalkTrace, f64)) {
        change(&mut self.trace.lock(), since(self.zero));
    }

    pub(crate) fn finished(&self) -> TalkTrace {
        let mut trace = self.trace.lock().clone();
        trace.total_ms = since(self.zero);
        trace
    }
}

/// What the conversation needs to know of its answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub id: u64,
    pub what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Conversation(ConversationId, Value),
    Clause { index: usize, length: Duration },
    Over,
}

pub(crate) struct Answering {
    pub voice: Voice,
    pub scope: Scope,
    pub start: Start,
    pub out: Outgoing,
    pub told: mpsc::UnboundedSender<Told>,
    pub trace: Trace,
    pub id: u64,
}

impl Answering {
    async fn text(&self, message: Value) {
        self.out.answer(self.id, Frame::Text(message.to_string())).await;
    }

    fn tell(&self, what: What) {
        let _ = self.told.send(Told { id: self.id, what });
    }

    /// Dropping the future stops answer and voice.
    pub(crate) async fn run(self, question: Question) {
        let outcome = self.answer(question).await;
        let turn = match outcome {
            Ok(turn) => turn,
            Err(error) => {
                self.fail(&error).await;
                None
            }
        };
        self.tell(What::Over);
        let trace = self.trace.finished();
        self.text(json!({ "type": "done", "turn": turn, "stopped": false, "trace": trace })).await;
    }

    async fn fail(&self, error: &Error) {
        if error.code.status() >= 500 {
            tracing::error!(cause = ?error.cause, "{error}");
        }
        let mut message = serde_json::to_value(Problem::of(error, None)).unwrap_or_default();
        message["about"] = message["type"].take();
        message["type"] = json!("error");
        self.text(message).await;
    }

    /// The id of the turn.
    async fn answer(&self, question: Question) -> Result<Option<Value>> {
        let parts = self.voice.answers.ask(&self.scope, question).await?;
        let (say, lines) = mpsc::unbounded_channel();
        let lines = stream::unfold(lines, |mut lines: mpsc::UnboundedReceiver<Line>| async move {
            Some((lines.recv().await?, lines))
        });
        let wanted = Wanted {
            voice: self.start.voice.clone().filter(|voice| voice != "auto"),
            rate: self.start.rate,
            citations: self.start.citations,
            ..Wanted::default()
        };
        let spoken = async {
            if !self.start.speak {
                return Ok(());
            }
            let plan = self.voice.plan(&self.scope, wanted, &[]).await?;
            self.speak(Clauses::new(self.voice.speak(&self.scope, plan, Box::pin(lines), true))).await
        };
        let (turn, spoken) = tokio::join!(self.write(parts, say), spoken);
        let turn = turn?;
        spoken.map(|()| turn)
    }

    async fn write(
        &self,
        mut parts: AnswerStream,
        say: mpsc::UnboundedSender<Line>,
    ) -> Result<Option<Value>> {
        let mut id = None;
        while let Some(part) = parts.next().await {
            let failed = match &part {
                AnswerPart::Failed(failure) => Some(failure.clone()),
                _ => None,
            };
            if let AnswerPart::Retrieval { turn, conversation, .. } = &part {
                id = Some(json!(turn));
                self.tell(What::Conversation(conversation.clone(), json!(turn)));
            }
            self.show(&part).await;
            if let Some(line) = line::line(part) {
                // The voice may have failed; the text goes on.
                let _ = say.send(line);
            }
            if let Some(failure) = failed {
                return Err(Error::from(failure));
            }
        }
        let _ = say.send(Line::Failed(Failure::from(&Error::internal("the answer ended early"))));
        Ok(id)
    }

    async fn show(&self, part: &AnswerPart) {
        let message = match part {
            AnswerPart::Retrieval { view, .. } => {
                self.trace.set(|trace, ms| trace.retrieval_ms = Some(ms));
                typed("retrieval", view.clone())
            }
            AnswerPart::Token(text) => {
                self.trace.set(|trace, ms| {
                    trace.first_token_ms.get_or_insert(ms);
                });
                json!({ "type": "token", "text": text })
            }
            AnswerPart::Citation(view) => {
                // The citation's own `type` is the kind of its document.
                let mut view = view.clone();
                view["document_type"] = view["type"].take();
                typed("citation", view)
            }
            AnswerPart::Sentence(sentence) => {
                self.trace.set(|trace, ms| {
                    trace.first_sentence_ms.get_or_insert(ms);
                });
                let citations: Vec<u32> = sentence.citations.iter().map(|citation| citation.n).collect();
                json!({ "type": "sentence", "index": sentence.index, "text": sentence.text,
                    "language": sentence.language, "citations": citations })
            }
            AnswerPart::Done(turn) => {
                self.trace.set(|trace, ms| trace.text_done_ms = Some(ms));
                json!({ "type": "turn", "view": turn })
            }
            AnswerPart::Failed(_) => return,
        };
        self.text(message).await;
    }

    /// Samples go out as they are made; of other formats every clause is a file, and waits until it is whole.
    async fn speak(&self, mut clauses: Clauses) -> Result<()> {
        if self.start.format == SoundFormat::Pcm {
            while let Some(piece) = clauses.piece().await? {
                self.piece(&clauses, piece).await;
            }
            return Ok(());
        }
        loop {
            match clauses.next().await? {
                Next::Clause(heard) => self.clause(&clauses, *heard).await?,
                Next::Over => return Ok(()),
            }
        }
    }

    async fn piece(&self, clauses: &Clauses, piece: Piece) {
        let Piece { head, first, samples, end } = piece;
        let mut message = json!({ "type": "sound", "index": head.index });
        if first {
            message = json!({ "type": "clause", "index": head.index, "sentence": head.sentence,
                "kind": head.kind(), "text": head.text, "language": head.language, "voice": head.voice });
        }
        message["ms"] = json!(since(clauses.speaking.started));
        message["last"] = json!(end.is_some());
        if let Some(end) = end {
            message["duration_ms"] = json!(duration_ms(end.samples));
            message["url"] = json!(end.name.map(|name| url(&name, SoundFormat::Pcm)).unwrap_or_default());
        }
        let length = Duration::from_secs_f64(duration_ms(samples.len()) / 1000.0);
        self.began(clauses, &head);
        self.sound(message, sample_bytes(&samples).into(), (head.index, length)).await;
    }

    async fn clause(&self, clauses: &Clauses, heard: Heard) -> Result<()> {
        let format = self.start.format;
        let event = clauses.event(&heard, format);
        let length = Duration::from_secs_f64(event.duration_ms / 1000.0);
        let index = event.index;
        self.began(clauses, &heard.head);
        let samples = heard.samples;
        let sound = tokio::task::spawn_blocking(move || encode(&samples, format));
        let sound = Bytes::from(sound.await.map_err(Error::internal)??);
        let mut message = typed("clause", serde_json::to_value(&event).unwrap_or_default());
        message["last"] = json!(true);
        self.sound(message, sound, (index, length)).await;
        Ok(())
    }

    /// Notes when the voice began; its own times count from a little after `asked_ms`.
    fn began(&self, clauses: &Clauses, head: &Head) {
        self.trace.set(|trace, ms| {
            let zero = ms - since(clauses.speaking.started);
            trace.first_synthesis_ms.get_or_insert(crate::speaking::tenth(zero + head.begun_ms));
        });
    }

    /// A message, then the sound that it announces.
    async fn sound(&self, mut message: Value, sound: Bytes, (index, length): (usize, Duration)) {
        message["bytes"] = json!(sound.len());
        self.trace.set(|trace, ms| {
            trace.first_audio_ms.get_or_insert(ms);
        });
        self.tell(What::Clause { index, length });
        self.text(message).await;
        let mut at = 0;
        while at < sound.len() {
            let end = (at + FRAME).min(sound.len());
            self.out.answer(self.id, Frame::Sound(sound.slice(at..end))).await;
            at = end;
        }
    }
}

/// The message with its type, over a field of the same name.
fn typed(kind: &str, mut message: Value) -> Value {
    message["type"] = json!(kind);
    message
}

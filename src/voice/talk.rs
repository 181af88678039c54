//! One conversation by voice: what the client says and sends, what is heard, asked, answered and spoken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_audio::Resampler;
use lectern_edge::Problem;
use lectern_hearing::{HearOptions, RATE};
use lectern_kernel::ports::Question;
use lectern_kernel::{Code, ConversationId, Error, Result, Scope};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Voice;
use crate::answer::{self, Answering};
use crate::error::heard;
use crate::model::check_sound;
use crate::outgoing::Outgoing;
use crate::pending::{Pending, Queue};
use crate::socket_model::{ClientMessage, Start, TalkMode, TalkTrace};
use crate::speaking::since;
use crate::utterance::{Final, Noticed, Said, Utterance};

/// Samples of 22,050 Hz and sound of other rates, this many samples a second at most.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;
/// Between two levels for the meter.
const LEVELS: Duration = Duration::from_millis(95);
/// A sentence or clause that is stopped must not be heard longer than this after it should have ended.
const LATE: Duration = Duration::from_millis(300);

/// What ends a conversation.
pub(crate) enum End {
    /// The client did what is not allowed.
    Breach(Error),
}

pub(crate) struct Talk {
    voice: Voice,
    scope: Scope,
    out: Outgoing,
    start: Option<Start>,
    utterance: Option<Utterance>,
    resampler: Option<Resampler>,
    conversation: Option<ConversationId>,
    /// Number of utterances.
    count: u64,
    /// What was said and is not asked yet.
    queue: Queue,
    answering: Option<Running>,
    levelled: Instant,
    pub said: mpsc::UnboundedReceiver<Said>,
    said_to: mpsc::UnboundedSender<Said>,
    pub told: mpsc::UnboundedReceiver<answer::Told>,
    told_to: mpsc::UnboundedSender<answer::Told>,
}

/// An answer that is being made or heard.
struct Running {
    id: u64,
    stop: CancellationToken,
    trace: answer::Trace,
    turn: Option<Value>,
    /// All was sent.
    over: bool,
    clause: usize,
    /// Until when the client is playing what it was sent, as far as can be told from here.
    playing: Instant,
}

impl Talk {
    pub(crate) fn new(voice: Voice, scope: Scope, out: Outgoing) -> Self {
        let (said_to, said) = mpsc::unbounded_channel();
        let (told_to, told) = mpsc::unbounded_channel();
        Self {
            voice,
            scope,
            out,
            start: None,
            utterance: None,
            resampler: None,
            conversation: None,
            count: 0,
            queue: Queue::default(),
            answering: None,
            levelled: Instant::now(),
            said,
            said_to,
            told,
            told_to,
        }
    }

    fn tell(&self, message: Value) {
        self.out.control(message);
    }

    fn fail(&self, error: &Error) {
        if error.code.status() >= 500 {
            tracing::error!(cause = ?error.cause, "{error}");
        }
        let mut message = serde_json::to_value(Problem::of(error, None)).unwrap_or_default();
        // `type` names the message here; the page of the documentation moves aside.
        message["about"] = message["type"].take();
        message["type"] = json!("error");
        self.tell(message);
    }

    /// A text message.
    pub(crate) async fn message(&mut self, text: &str) -> Result<(), End> {
        let message: ClientMessage = serde_json::from_str(text).map_err(|error| {
            End::Breach(Error::new(Code::InvalidRequest, format!("The message does not fit: {error}.")))
        })?;
        if self.start.is_none() && !matches!(message, ClientMessage::Start(_) | ClientMessage::Ping) {
            return Err(End::Breach(Error::new(Code::InvalidRequest, "The first message must be 'start'.")));
        }
        let done = match message {
            ClientMessage::Ping => {
                self.tell(json!({ "type": "pong" }));
                Ok(())
            }
            ClientMessage::Start(start) => self.begin(*start).await,
            ClientMessage::Listen => {
                self.interrupt();
                self.listen();
                Ok(())
            }
            ClientMessage::EndOfSpeech => {
                self.finish(Duration::ZERO);
                Ok(())
            }
            ClientMessage::Ask { text, filter } => {
                if let (Some(start), Some(filter)) = (&mut self.start, filter) {
                    start.filter = filter;
                }
                let trace = answer::Trace::new(Instant::now(), TalkTrace::default());
                self.ask(&text, trace);
                Ok(())
            }
            ClientMessage::Stop => {
                self.stop(true);
                Ok(())
            }
            ClientMessage::Cancel => {
                self.forget();
                Ok(())
            }
        };
        if let Err(error) = done {
            self.fail(&error);
        }
        Ok(())
    }

    async fn begin(&mut self, start: Start) -> Result<()> {
        let mut wrong = Vec::new();
        check_sound(start.voice.as_deref(), start.language.as_deref(), start.rate, &mut wrong);
        if !RATES.contains(&start.sample_rate) {
            wrong.push(crate::model::wrong("sample_rate", "must be between 8,000 and 48,000"));
        }
        if let Some(wrong) = wrong.into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        self.stop(false);
        let limits = &self.voice.limits;
        self.resampler = match start.sample_rate {
            RATE => None,
            other => Some(Resampler::new(other, RATE).map_err(crate::error::decoded)?),
        };
        self.utterance = Some(Utterance::new(
            Arc::clone(&self.voice.ears),
            start.mode == TalkMode::HandsFree,
            limits.utterance,
            limits.end_of_turn,
            self.said_to.clone(),
        ));
        self.conversation.clone_from(&start.conversation);
        let engine = self.warm(start.language.as_deref()).await?;
        self.tell(json!({
            "type": "ready", "mode": start.mode, "engine": engine, "sample_rate": start.sample_rate,
            "audio": { "format": start.format, "sample_rate": lectern_speech::SAMPLE_RATE },
            "limits": {
                "idle_ms": limits.idle.as_millis() as u64, "utterance_ms": limits.utterance.as_millis() as u64,
                "frame_bytes": crate::routes_talk::MAX_FRAME,
            },
        }));
        self.start = Some(start);
        Ok(())
    }

    /// Loads what is going to hear and speak, so that the first question does not wait for it; the recogniser's name.
    async fn warm(&self, language: Option<&str>) -> Result<String> {
        let (ears, options) = (Arc::clone(&self.voice.ears), self.options_for(language));
        let work = tokio::task::spawn_blocking(move || {
            let name = ears.recogniser(options.language.as_deref())?.name();
            ears.warm(&options).map(|()| name)
        });
        work.await.map_err(Error::internal)?.map_err(heard)
    }

    fn options_for(&self, language: Option<&str>) -> HearOptions {
        let site = self.voice.words.now(&self.scope);
        HearOptions { language: language.map(str::to_owned), site, ..HearOptions::default() }
    }

    fn options(&self) -> HearOptions {
        self.options_for(self.start.as_ref().and_then(|start| start.language.as_deref()))
    }

    fn hands_free(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.mode == TalkMode::HandsFree)
    }

    fn listen(&mut self) {
        self.forget();
        self.utterance.iter_mut().for_each(Utterance::begin);
    }

    /// What was said and not asked yet.
    fn forget(&mut self) {
        self.queue = Queue::default();
        self.utterance.iter_mut().for_each(Utterance::reset);
    }

    /// Sound from the client: 16 bit, little endian.
    pub(crate) fn sound(&mut self, bytes: &[u8]) -> Result<(), End> {
        if self.start.is_none() || !bytes.len().is_multiple_of(2) {
            let what = "Sound must come after 'start', as 16 bit samples.";
            return Err(End::Breach(Error::new(Code::InvalidRequest, what)));
        }
        let samples: Vec<f32> = bytes
            .chunks_exact(2)
            .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
            .collect();
        let samples = match &mut self.resampler {
            None => samples,
            Some(resampler) => match resampler.push(&samples) {
                Ok(samples) => samples,
                Err(error) => return Err(End::Breach(crate::error::decoded(error))),
            },
        };
        if !self.hands_free() && self.utterance.as_ref().is_some_and(|utterance| !utterance.is_active()) {
            // Without `listen` the first sound of a pressed button begins an utterance.
            self.interrupt();
            self.listen();
        }
        let options = self.options();
        let Some(utterance) = &mut self.utterance else { return Ok(()) };
        for noticed in utterance.push(&samples, &options) {
            self.noticed(noticed);
        }
        Ok(())
    }

    fn noticed(&mut self, noticed: Noticed) {
        match noticed {
            Noticed::Level { rms, peak } => {
                if self.levelled.elapsed() >= LEVELS {
                    self.levelled = Instant::now();
                    self.tell(json!({ "type": "level", "rms": rms, "peak": peak }));
                }
            }
            Noticed::Speaking { at_ms } => {
                self.interrupt();
                self.tell(json!({ "type": "vad", "speaking": true, "at_ms": at_ms }));
            }
            Noticed::Ended { at_ms, silence } => {
                self.tell(json!({ "type": "vad", "speaking": false, "at_ms": at_ms }));
                if self.hands_free() || silence.is_zero() {
                    self.finish(silence);
                }
            }
        }
    }

    /// Speech while the answer is heard ends the answer.
    fn interrupt(&mut self) {
        let now = Instant::now();
        let Some(running) = self.answering.as_ref().filter(|r| !r.over || r.playing > now) else { return };
        let clause = running.clause;
        self.stop(true);
        self.tell(json!({ "type": "barge_in", "at_ms": 0, "clause": clause }));
    }

    /// The utterance has ended, `silence` ago.
    fn finish(&mut self, silence: Duration) {
        let options = self.options();
        let Some(utterance) = &mut self.utterance else { return };
        let ended = Instant::now().checked_sub(silence).unwrap_or_else(Instant::now);
        self.count += 1;
        match utterance.finish(&options) {
            None => {
                self.tell(json!({
                    "type": "transcript", "final": true, "text": "", "language": null, "engine": null,
                    "utterance": self.count, "ms": 0,
                }));
                self.settle();
            }
            Some(Final { work, done }) => {
                self.queue.push(Pending { work, number: self.count, ended, silence, said: None });
                if let Some(said) = done {
                    // It takes the same way as work that ends later.
                    let _ = self.said_to.send(said);
                }
            }
        }
    }

    /// The recogniser has done some work.
    pub(crate) fn heard(&mut self, said: Said) {
        let Some(said) = self.queue.take(said) else { return self.transcribed() };
        let text = self.utterance.as_mut().and_then(|utterance| utterance.told(said));
        if let Some(text) = text {
            self.tell(json!({
                "type": "transcript", "final": false, "text": text, "utterance": self.count + 1,
            }));
        }
    }

    /// Tells the transcripts that are there, the earliest first.
    fn transcribed(&mut self) {
        while let Some((pending, said)) = self.queue.next() {
            let transcript = match said.outcome {
                Ok(transcript) => transcript,
                Err(error) => {
                    self.fail(&heard(error));
                    continue;
                }
            };
            self.tell(json!({
                "type": "transcript", "final": true, "text": transcript.text, "language": transcript.language,
                "engine": transcript.engine, "utterance": pending.number, "ms": since(pending.ended),
            }));
            if self.hands_free() || self.start.as_ref().is_some_and(|start| start.auto_ask) {
                self.queue.collect(transcript.text.trim(), pending.trace(said.took));
            }
        }
        self.settle();
    }

    /// Asks what was said, when nothing more is being said.
    fn settle(&mut self) {
        let goes_on = self.hands_free() && self.utterance.as_ref().is_some_and(Utterance::is_active);
        if !goes_on && let Some((question, trace)) = self.queue.question() {
            self.ask(&question, trace);
        }
    }

    fn ask(&mut self, text: &str, trace: answer::Trace) {
        self.stop(true);
        let Some(start) = &self.start else { return };
        let question = Question {
            text: text.to_owned(),
            conversation: self.conversation.clone(),
            language: start.language.clone(),
            filter: start.filter.clone(),
        };
        let (stop, id) = (CancellationToken::new(), self.out.new_answer());
        trace.set(|trace, ms| trace.asked_ms = Some(ms));
        let answering = Answering {
            voice: self.voice.clone(),
            scope: self.scope.clone(),
            start: start.clone(),
            out: self.out.clone(),
            told: self.told_to.clone(),
            trace: trace.clone(),
            id,
        };
        self.answering = Some(Running {
            id,
            stop: stop.clone(),
            trace,
            turn: None,
            over: false,
            clause: 0,
            playing: Instant::now(),
        });
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = answering.run(question) => {}
            }
        });
    }

    /// The answer tells how far it is.
    pub(crate) fn answered(&mut self, told: answer::Told) {
        let Some(running) = self.answering.as_mut().filter(|running| running.id == told.id) else { return };
        match told.what {
            answer::What::Conversation(conversation, turn) => {
                running.turn = Some(turn);
                self.conversation = Some(conversation);
            }
            answer::What::Clause { index, length } => {
                running.clause = index;
                running.playing = running.playing.max(Instant::now()) + length;
            }
            answer::What::Over => {
                running.over = true;
                running.playing += LATE;
            }
        }
    }

    /// Ends the answer and its sound.
    fn stop(&mut self, tell: bool) {
        let Some(running) = self.answering.take() else { return };
        running.stop.cancel();
        self.out.drop_answer();
        if tell && !running.over {
            let trace = running.trace.finished();
            self.tell(json!({ "type": "done", "turn": running.turn, "stopped": true, "trace": trace }));
        }
    }

    pub(crate) fn close(&mut self) {
        self.stop(false);
        self.utterance.iter_mut().for_each(Utterance::reset);
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.close();
    }
}

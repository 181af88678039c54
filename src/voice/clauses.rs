//! The clauses of a spoken answer as events, each when its audio can be fetched.

use bytes::Bytes;
use futures_util::{Stream, stream};
use lectern_edge::{Problem, sse};
use lectern_kernel::{Error, Result};
use lectern_speech::SAMPLE_RATE;
use serde::Serialize;

use crate::speaking::{Head, PartTrace, Sound, Speaking, since, tenth};
use crate::stream::SoundFormat;

/// A clause that can be heard.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClauseEvent {
    pub index: usize,
    /// Index of the sentence in the answer.
    pub sentence: usize,
    pub kind: ClauseKind,
    /// As it is spoken.
    pub text: String,
    /// Its audio, for ever the same under this address.
    pub url: String,
    pub duration_ms: f64,
    /// Since the request began.
    pub ms: f64,
    pub language: Option<String>,
    pub voice: String,
}

/// What a clause tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClauseKind {
    Answer,
    /// Where the sentence before it stands.
    Citation,
}

/// After the last clause.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClausesDone {
    pub clauses: usize,
    pub duration_ms: f64,
    pub trace: SpeechTrace,
}

/// When what happened, in milliseconds since the request.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct SpeechTrace {
    pub first_text_ms: Option<f64>,
    pub first_synthesis_ms: Option<f64>,
    pub first_audio_ms: Option<f64>,
    pub total_ms: f64,
    pub parts: Vec<PartTrace>,
}

impl SpeechTrace {
    pub(crate) fn add(&mut self, part: PartTrace) {
        self.first_text_ms.get_or_insert(part.text_ready_ms);
        self.first_synthesis_ms.get_or_insert(part.synthesis_started_ms);
        self.first_audio_ms.get_or_insert(part.first_audio_ms);
        self.parts.push(part);
    }
}

pub(crate) fn duration_ms(samples: usize) -> f64 {
    tenth(samples as f64 * 1000.0 / f64::from(SAMPLE_RATE))
}

/// Where the audio of this name is.
pub(crate) fn url(name: &str, format: SoundFormat) -> String {
    format!("/api/v1/audio/{name}.{}", format.ending())
}

/// A clause with its sound.
pub(crate) struct Heard {
    pub head: Head,
    pub samples: Vec<i16>,
    pub name: Option<String>,
    pub trace: PartTrace,
}

/// Clause after clause.
pub(crate) struct Clauses {
    pub speaking: Speaking,
    pub trace: SpeechTrace,
    pub count: usize,
    /// Samples of all clauses.
    pub samples: usize,
}

pub(crate) enum Next {
    Clause(Box<Heard>),
    Over,
}

impl Clauses {
    pub(crate) fn new(speaking: Speaking) -> Self {
        Self { speaking, trace: SpeechTrace::default(), count: 0, samples: 0 }
    }

    pub(crate) async fn next(&mut self) -> Result<Next> {
        let (mut head, mut samples) = (None, Vec::new());
        loop {
            match self.speaking.next().await {
                Some(Sound::Begin(begun)) => head = Some(begun),
                Some(Sound::Samples(more)) => samples.extend(more),
                Some(Sound::End { name, trace }) => {
                    let Some(head) = head else { continue };
                    self.count += 1;
                    self.samples += samples.len();
                    self.trace.add(trace);
                    return Ok(Next::Clause(Box::new(Heard { head, samples, name, trace })));
                }
                Some(Sound::Over) => {
                    self.trace.total_ms = since(self.speaking.started);
                    return Ok(Next::Over);
                }
                Some(Sound::Failed(error)) => return Err(error),
                None => return Err(Error::internal("the voice ended without a word")),
            }
        }
    }

    pub(crate) fn event(&self, heard: &Heard, format: SoundFormat) -> ClauseEvent {
        let head = &heard.head;
        ClauseEvent {
            index: head.index,
            sentence: head.sentence,
            kind: if head.citation { ClauseKind::Citation } else { ClauseKind::Answer },
            text: head.text.clone(),
            url: heard.name.as_deref().map(|name| url(name, format)).unwrap_or_default(),
            duration_ms: duration_ms(heard.samples.len()),
            ms: since(self.speaking.started),
            language: head.language.clone(),
            voice: head.voice.clone(),
        }
    }

    pub(crate) fn done(&self) -> ClausesDone {
        ClausesDone { clauses: self.count, duration_ms: duration_ms(self.samples), trace: self.trace.clone() }
    }
}

/// The clauses as server-sent events: `clause`, `clause` …, `done`, or `error` as the last.
pub(crate) fn events(
    speaking: Speaking,
    format: SoundFormat,
    request: Option<String>,
) -> impl Stream<Item = Bytes> + use<> {
    stream::unfold(Some((Clauses::new(speaking), request)), move |state| async move {
        let (mut clauses, request) = state?;
        match clauses.next().await {
            Ok(Next::Clause(heard)) => {
                let event = sse::event("clause", &clauses.event(&heard, format));
                Some((event, Some((clauses, request))))
            }
            Ok(Next::Over) => Some((sse::event("done", &clauses.done()), None)),
            Err(error) => {
                if error.code.status() >= 500 {
                    tracing::error!(request, cause = ?error.cause, "{error}");
                }
                Some((sse::event("error", &Problem::of(&error, request.as_deref())), None))
            }
        }
    })
}

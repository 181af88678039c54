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

impl Head {
    pub(crate) fn kind(&self) -> ClauseKind {
        if self.citation { ClauseKind::Citation } else { ClauseKind::Answer }
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
}

/// Sound of a clause, as much as is there.
pub(crate) struct Piece {
    pub head: Head,
    /// Nothing of the clause came before it.
    pub first: bool,
    pub samples: Vec<i16>,
    /// With the last one.
    pub end: Option<Ended>,
}

/// A clause that is complete.
pub(crate) struct Ended {
    /// Samples of the whole.
    pub samples: usize,
    pub name: Option<String>,
}

/// Clause after clause.
pub(crate) struct Clauses {
    pub speaking: Speaking,
    pub trace: SpeechTrace,
    pub count: usize,
    /// Samples of all clauses.
    pub samples: usize,
    /// The clause that is being made, and how many of its samples were taken.
    current: Option<(Head, usize)>,
    /// Not taken yet.
    sound: Vec<i16>,
}

pub(crate) enum Next {
    Clause(Box<Heard>),
    Over,
}

impl Clauses {
    pub(crate) fn new(speaking: Speaking) -> Self {
        let trace = SpeechTrace::default();
        Self { speaking, trace, count: 0, samples: 0, current: None, sound: Vec::new() }
    }

    /// The next whole clause.
    pub(crate) async fn next(&mut self) -> Result<Next> {
        let mut samples = Vec::new();
        while let Some(piece) = self.piece().await? {
            samples.extend(piece.samples);
            if let Some(Ended { name, .. }) = piece.end {
                return Ok(Next::Clause(Box::new(Heard { head: piece.head, samples, name })));
            }
        }
        Ok(Next::Over)
    }

    /// What is there of the clause that is being made, as soon as there is something; none at the end of all.
    pub(crate) async fn piece(&mut self) -> Result<Option<Piece>> {
        loop {
            let sound = match self.speaking.next_now() {
                Some(sound) => Some(sound),
                None if !self.sound.is_empty() && self.current.is_some() => return Ok(self.take()),
                None => self.speaking.next().await,
            };
            match sound {
                Some(Sound::Begin(head)) => self.current = Some((head, 0)),
                Some(Sound::Samples(more)) => self.sound.extend(more),
                Some(Sound::End { name, trace }) => {
                    let Some(mut last) = self.take() else { continue };
                    let samples = self.current.take().map_or(0, |(_, taken)| taken);
                    self.count += 1;
                    self.samples += samples;
                    self.trace.add(trace);
                    last.end = Some(Ended { samples, name });
                    return Ok(Some(last));
                }
                Some(Sound::Over) => {
                    self.trace.total_ms = since(self.speaking.started);
                    return Ok(None);
                }
                Some(Sound::Failed(error)) => return Err(error),
                None => return Err(Error::internal("the voice ended without a word")),
            }
        }
    }

    fn take(&mut self) -> Option<Piece> {
        let (head, taken) = self.current.as_mut()?;
        let samples = std::mem::take(&mut self.sound);
        let first = *taken == 0;
        *taken += samples.len();
        Some(Piece { head: head.clone(), first, samples, end: None })
    }

    pub(crate) fn event(&self, heard: &Heard, format: SoundFormat) -> ClauseEvent {
        let head = &heard.head;
        ClauseEvent {
            index: head.index,
            sentence: head.sentence,
            kind: head.kind(),
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

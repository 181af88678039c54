//! What a transcription is asked with, and what it gives.

use lectern_hearing::{Segment, Transcript, Word};
use serde::{Deserialize, Serialize};

/// How a transcript is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TranscriptFormat {
    #[default]
    Json,
    /// SubRip.
    Srt,
    /// WebVTT.
    Vtt,
    Text,
}

impl TranscriptFormat {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "json" => Self::Json,
            "srt" => Self::Srt,
            "vtt" => Self::Vtt,
            "text" => Self::Text,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TranscriptionQuery {
    /// ISO 639-1; absent: found out by recognisers that can.
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    #[param(inline)]
    pub format: TranscriptFormat,
}

/// A word, where it was said, and how sure that is (0 to 1).
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct WordView {
    pub text: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub confidence: f32,
}

/// What was said in one go.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SegmentView {
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
    pub words: Vec<WordView>,
}

/// A recording written down. Nothing but silence and noise gives an empty text.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TranscriptView {
    pub text: String,
    pub language: Option<String>,
    /// Which recogniser heard it.
    pub engine: String,
    pub duration_ms: u64,
    pub segments: Vec<SegmentView>,
    pub trace: TranscriptTrace,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TranscriptTrace {
    /// Until the audio was here.
    pub received_ms: f64,
    pub total_ms: f64,
}

impl From<Segment> for SegmentView {
    fn from(segment: Segment) -> Self {
        let word = |word: Word| WordView {
            text: word.text,
            start_ms: word.start_ms,
            end_ms: word.end_ms,
            confidence: word.confidence,
        };
        Self {
            start_ms: segment.start_ms,
            end_ms: segment.end_ms,
            text: segment.text,
            words: segment.words.into_iter().map(word).collect(),
        }
    }
}

impl TranscriptView {
    pub(crate) fn new(transcript: Transcript, trace: TranscriptTrace) -> Self {
        Self {
            text: transcript.text,
            language: transcript.language,
            engine: transcript.engine,
            duration_ms: transcript.duration_ms,
            segments: transcript.segments.into_iter().map(SegmentView::from).collect(),
            trace,
        }
    }
}

//! Messages of a conversation by voice; docs/voice-protocol.md describes them.

use lectern_kernel::ConversationId;
use lectern_kernel::ports::Filter;
use serde::{Deserialize, Serialize};

use crate::stream::SoundFormat;

/// How it is known that somebody has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TalkMode {
    /// By a button.
    #[default]
    Push,
    /// By silence.
    HandsFree,
}

fn yes() -> bool {
    true
}

fn pcm() -> SoundFormat {
    SoundFormat::Pcm
}

fn sixteen() -> u32 {
    16_000
}

/// The first message.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct Start {
    #[serde(default)]
    pub mode: TalkMode,
    #[serde(default)]
    pub conversation: Option<ConversationId>,
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    pub voice: Option<String>,
    #[serde(default)]
    pub rate: Option<u32>,
    /// Answers are spoken.
    #[serde(default = "yes")]
    pub speak: bool,
    #[serde(default)]
    pub citations: Option<bool>,
    /// Of the sound that is sent.
    #[serde(default = "pcm")]
    pub format: SoundFormat,
    /// With a button: the transcript is asked without waiting for `ask`.
    #[serde(default)]
    pub auto_ask: bool,
    /// Of the sound that comes, 8,000–48,000.
    #[serde(default = "sixteen")]
    pub sample_rate: u32,
    /// Only these documents are asked.
    #[serde(default)]
    pub filter: Filter,
}

/// What a client says.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    Start(Box<Start>),
    /// An utterance begins.
    Listen,
    /// The button was let go.
    EndOfSpeech,
    /// A corrected transcript or a typed question.
    Ask {
        text: String,
        /// From now on other documents.
        #[serde(default)]
        filter: Option<Filter>,
    },
    /// Ends answer and sound.
    Stop,
    /// Forgets the utterance.
    Cancel,
    Ping,
}

/// When what happened, in milliseconds since the end of speech, or since `ask`.
#[allow(clippy::struct_field_names, reason = "the API names the unit in every field")]
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct TalkTrace {
    /// Always 0.
    pub speech_end_ms: f64,
    /// Silence that was waited for before the end of speech was sure; hands-free only.
    pub end_of_turn_ms: Option<f64>,
    pub transcript_ms: Option<f64>,
    /// How long the recogniser worked on it.
    pub transcribe_ms: Option<f64>,
    pub asked_ms: Option<f64>,
    pub retrieval_ms: Option<f64>,
    pub first_token_ms: Option<f64>,
    pub first_sentence_ms: Option<f64>,
    pub first_synthesis_ms: Option<f64>,
    /// The first sound was sent.
    pub first_audio_ms: Option<f64>,
    pub text_done_ms: Option<f64>,
    pub total_ms: f64,
}

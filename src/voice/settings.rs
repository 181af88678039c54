//! What the site has set for its voice, and the limits of this area.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use lectern_kernel::{Result, Scope};

/// The site's settings in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteVoice {
    /// None: by the language of the text.
    pub voice: Option<String>,
    /// Voices by ISO 639-1 code; they go before `voice`.
    pub voices: BTreeMap<String, String>,
    /// Words a minute.
    pub rate: u32,
    /// Say after a sentence where it stands.
    pub speak_citations: bool,
}

/// Tells the settings. Held by whoever keeps them.
#[async_trait]
pub trait VoiceSettings: Send + Sync {
    async fn current(&self, scope: &Scope) -> Result<SiteVoice>;
}

/// Limits, from the configuration file.
#[derive(Debug, Clone)]
pub struct VoiceLimits {
    /// Most bytes of spoken audio that are kept of a tenant.
    pub cache_bytes: u64,
    /// Audio that nobody asked for in this time is dropped.
    pub cache_time: Duration,
    /// Largest file for a transcription.
    pub upload_bytes: u64,
    /// Longest audio for a transcription.
    pub audio_time: Duration,
    /// Transcriptions and heard utterances at the same time.
    pub recognitions: usize,
    /// Conversations by voice at the same time.
    pub conversations: usize,
    /// A conversation in which nothing happens ends after this.
    pub idle: Duration,
    /// Longest utterance.
    pub utterance: Duration,
    /// Silence that ends an utterance in hands-free mode.
    pub end_of_turn: Duration,
    /// An unused recogniser is unloaded after this.
    pub unload: Duration,
}

impl Default for VoiceLimits {
    fn default() -> Self {
        Self {
            cache_bytes: 512_000_000,
            cache_time: Duration::from_secs(7 * 86_400),
            upload_bytes: 2_000_000_000,
            audio_time: Duration::from_secs(6 * 3600),
            recognitions: 1,
            conversations: 32,
            idle: Duration::from_secs(300),
            utterance: Duration::from_secs(60),
            end_of_turn: Duration::from_millis(500),
            unload: Duration::from_mins(10),
        }
    }
}

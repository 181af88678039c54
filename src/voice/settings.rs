//! What the site has set for its voice.

use async_trait::async_trait;
use lectern_kernel::{Result, Scope};

/// The settings in force for one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceChoice {
    /// None: by the language of the text.
    pub voice: Option<String>,
    /// Words a minute.
    pub rate: u32,
}

/// Tells the settings. Held by whoever keeps them.
#[async_trait]
pub trait VoiceSettings: Send + Sync {
    async fn current(&self, scope: &Scope) -> Result<VoiceChoice>;
}

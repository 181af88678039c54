//! Settings of `ops` in the words of the areas that use them; slices do not know each other.

use async_trait::async_trait;
use lectern_ask::{AskSettings, CurrentSettings};
use lectern_config::Config;
use lectern_inference::Endpoint;
use lectern_kernel::{Result, Scope};
use lectern_ops::{SafeHttp, Settings};
use lectern_voice::{VoiceChoice, VoiceSettings};

/// What `ask` needs: how many passages and sentences, and the model's server through the guarded client.
pub(crate) struct AskFromSettings {
    settings: Settings,
    http: SafeHttp,
    passages: usize,
}

impl AskFromSettings {
    pub fn new(settings: Settings, http: SafeHttp, config: &Config) -> Self {
        Self { settings, http, passages: config.answers.passages }
    }

    async fn endpoint(&self, scope: &Scope) -> Result<Option<Endpoint>> {
        let Some(ollama) = self.settings.ollama(scope).await? else { return Ok(None) };
        if ollama.model.is_empty() {
            return Ok(None);
        }
        let http = self.http.client_for(scope, Settings::OLLAMA, &ollama.url)?;
        Ok(Some(Endpoint {
            http,
            url: ollama.url,
            model: ollama.model,
            keep_alive: ollama.keep_alive,
            first_token: ollama.first_token_time,
            total: ollama.time,
        }))
    }
}

#[async_trait]
impl AskSettings for AskFromSettings {
    async fn current(&self, scope: &Scope) -> Result<CurrentSettings> {
        let answers = self.settings.answers(scope).await?;
        let ollama = self.endpoint(scope).await?;
        let language = Some(answers.language).filter(|l| l != "auto" && !l.is_empty());
        Ok(CurrentSettings { ollama, sentences: answers.sentences, passages: self.passages, language })
    }
}

/// What `voice` needs: voice and rate.
pub(crate) struct VoiceFromSettings(pub Settings);

#[async_trait]
impl VoiceSettings for VoiceFromSettings {
    async fn current(&self, scope: &Scope) -> Result<VoiceChoice> {
        let speech = self.0.speech(scope).await?;
        let voice = Some(speech.voice).filter(|v| v != "auto" && !v.is_empty());
        Ok(VoiceChoice { voice, rate: speech.rate })
    }
}

//! Settings of `ops` in the words of the areas that use them; slices do not know each other.

use async_trait::async_trait;
use lectern_ask::{AskSettings, CurrentSettings};
use lectern_config::Config;
use lectern_inference::Endpoint;
use lectern_kernel::{Result, Scope};
use lectern_ops::{SafeHttp, Settings};
use lectern_voice::{SiteVoice, VoiceLimits, VoiceSettings};

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

/// What `voice` needs: voices, rate, and whether citations are said.
pub(crate) struct VoiceFromSettings(pub Settings);

#[async_trait]
impl VoiceSettings for VoiceFromSettings {
    async fn current(&self, scope: &Scope) -> Result<SiteVoice> {
        let speech = self.0.speech(scope).await?;
        let set = |voice: &String| voice != "auto" && !voice.is_empty();
        Ok(SiteVoice {
            voice: Some(speech.voice).filter(set),
            voices: speech.voices.into_iter().filter(|(_, voice)| set(voice)).collect(),
            rate: speech.rate,
            speak_citations: speech.speak_citations,
        })
    }
}

/// The limits of `voice` in the configuration.
pub(crate) fn voice_limits(config: &Config) -> VoiceLimits {
    let (speech, hearing) = (&config.speech, &config.hearing);
    VoiceLimits {
        cache_bytes: speech.cache.0,
        cache_time: speech.cache_time.0,
        upload_bytes: hearing.max_size.0,
        audio_time: hearing.max_time.0,
        recognitions: hearing.recordings,
        conversations: hearing.conversations,
        idle: hearing.idle.0,
        utterance: hearing.utterance.0,
        end_of_turn: hearing.end_of_turn.0,
        unload: hearing.unload.0,
    }
}

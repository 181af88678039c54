//! Spoken answers over HTTP, and texts spoken into files.
//!
//! Owns the way from an answer to a stream of audio. Not for synthesis (lectern-speech), nor for answers (port
//! `Answers`).

mod error;
mod file;
mod routes;
mod settings;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Answers, Report, Speakable};
use lectern_kernel::{Permission, Result, Scope, TurnId, permission};
use lectern_speech::{SpeakOptions, Synthesizer, spoken_form};
use tokio::sync::Semaphore;

pub use file::speak_to_file;
pub use routes::feature;
pub use settings::{VoiceChoice, VoiceSettings};
pub use stream::Audio;

permission! {
    /// Hear one's own answers.
    VoiceRead = "voice.read";
}

pub(crate) const PERMISSIONS: &[&str] = &[VoiceRead::NAME];

/// Texts that are spoken at the same time; each holds a thread while it is.
const STREAMS: usize = 16;

/// The area's service; cheap to clone.
#[derive(Clone)]
pub struct Voice {
    answers: Arc<dyn Answers>,
    settings: Arc<dyn VoiceSettings>,
    synthesizer: Synthesizer,
    streams: Arc<Semaphore>,
}

impl Voice {
    pub fn new(
        answers: Arc<dyn Answers>,
        settings: Arc<dyn VoiceSettings>,
        synthesizer: Synthesizer,
    ) -> Self {
        Self { answers, settings, synthesizer, streams: Arc::new(Semaphore::new(STREAMS)) }
    }

    /// Unpacks the voice data and starts the engine, so that the first answer does not wait for it.
    pub async fn warm_up(&self) -> Result<()> {
        let synthesizer = self.synthesizer.clone();
        let work = tokio::task::spawn_blocking(move || synthesizer.voices().map(drop));
        work.await.map_err(lectern_kernel::Error::internal)?.map_err(error::told)
    }

    /// The answer of a turn as audio, made while it is read; dropping it stops the voice.
    pub async fn turn_audio(&self, scope: &Scope, turn: &TurnId) -> Result<Audio> {
        let speakable = self.answers.speakable(scope, turn).await?;
        self.audio(scope, speakable).await
    }

    /// A text as audio.
    pub async fn audio(&self, scope: &Scope, speakable: Speakable) -> Result<Audio> {
        let choice = self.settings.current(scope).await?;
        let language = speakable.language.unwrap_or_else(|| "en".to_owned());
        let text = spoken_form(&speakable.text, &language);
        let options = SpeakOptions {
            voice: choice.voice,
            language: Some(language),
            rate: choice.rate,
            ..SpeakOptions::default()
        };
        stream::start(self.synthesizer.clone(), text, options, Arc::clone(&self.streams)).await
    }
}

#[async_trait]
impl Report for Voice {
    fn name(&self) -> &'static str {
        "voice"
    }

    async fn report(&self, scope: &Scope) -> Result<serde_json::Value> {
        let choice = self.settings.current(scope).await?;
        let voice = choice.voice.unwrap_or_else(|| "by language".to_owned());
        Ok(serde_json::json!(format!("eSpeak NG ({voice}, {} words a minute)", choice.rate)))
    }
}

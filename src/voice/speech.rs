//! Texts and answers that are spoken: what is asked for, joined with what is set.

use std::sync::Arc;

use lectern_edge::Validate;
use lectern_kernel::{Error, Result, Scope, TurnId};
use lectern_speech::{MAX_TEXT_CHARS, SAMPLE_RATE, SsmlPart, parse_ssml};

use crate::choice::{Plan, Wanted};
use crate::error::told;
use crate::line::{self, Lines};
use crate::model::{Engine, NewLexiconEntry, NewSpeech, SoundQuery, VoiceView, check_sound};
use crate::speaking::Speaking;
use crate::{Voice, VoiceLimits};

impl Voice {
    /// Every voice that can be chosen now.
    pub async fn voices(&self) -> Result<Arc<Vec<VoiceView>>> {
        let synthesizer = self.synthesizer.clone();
        let work = tokio::task::spawn_blocking(move || {
            synthesizer.voices().map(|espeak| (espeak, synthesizer.bank_voices()))
        });
        let (espeak, piper) = work.await.map_err(Error::internal)?.map_err(told)?;
        let espeak = espeak.into_iter().map(|voice| VoiceView {
            id: voice.id,
            name: voice.name,
            engine: Engine::Espeak,
            languages: voice.languages,
            speakers: Vec::new(),
            sample_rate: SAMPLE_RATE,
            quality: None,
        });
        let piper = piper.into_iter().map(|voice| VoiceView {
            id: format!("piper/{}", voice.id),
            name: voice.name,
            engine: Engine::Piper,
            languages: voice.languages.iter().map(|tag| tag.to_lowercase().replace('_', "-")).collect(),
            speakers: voice.speakers,
            sample_rate: voice.sample_rate,
            quality: Some(voice.quality).filter(|quality| !quality.is_empty()),
        });
        Ok(Arc::new(piper.chain(espeak).collect()))
    }

    pub(crate) async fn plan(
        &self,
        scope: &Scope,
        wanted: Wanted,
        tried: &[NewLexiconEntry],
    ) -> Result<Plan> {
        Ok(Plan {
            wanted,
            own: self.own_voice(scope).await?,
            site: self.settings.current(scope).await?,
            lexicon: self.lexicon(scope, tried).await?,
            voices: self.voices().await?,
        })
    }

    /// Speaks a text or a marked text.
    pub(crate) async fn speech(&self, scope: &Scope, new: NewSpeech) -> Result<Speaking> {
        if let Some(wrong) = new.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        self.check_quota(scope).await?;
        let wanted = Wanted {
            voice: new.voice.filter(|voice| voice != "auto"),
            speaker: new.speaker,
            rate: new.rate,
            noise: new.noise,
            citations: None,
        };
        let plan = self.plan(scope, wanted, &new.lexicon).await?;
        let language = new.language.as_deref();
        let lines = match (&new.text, &new.ssml) {
            (Some(text), _) => line::of_text(text, language),
            (None, ssml) => marked(ssml.as_deref().unwrap_or_default(), language)?,
        };
        Ok(self.speak(scope, plan, lines, false))
    }

    /// Speaks the answer of a turn, also while it is still being written.
    pub(crate) async fn answer(&self, scope: &Scope, turn: &TurnId, query: &SoundQuery) -> Result<Speaking> {
        let mut wrong = Vec::new();
        check_sound(query.voice.as_deref(), None, query.rate, &mut wrong);
        if let Some(wrong) = wrong.into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        self.check_quota(scope).await?;
        let parts = self.answers.follow(scope, turn).await?;
        let plan = self.plan(scope, Wanted::from(query), &[]).await?;
        Ok(self.speak(scope, plan, line::of_answer(parts), true))
    }
}

impl From<&SoundQuery> for Wanted {
    fn from(query: &SoundQuery) -> Self {
        Self {
            voice: query.voice.clone().filter(|voice| voice != "auto"),
            rate: query.rate,
            citations: query.citations,
            ..Self::default()
        }
    }
}

fn marked(ssml: &str, language: Option<&str>) -> Result<Lines> {
    let parts = parse_ssml(ssml, language)
        .map_err(|error| Error::field("ssml", format!("{error}")).hint(error.hint()))?;
    let length = |part: &SsmlPart| match part {
        SsmlPart::Text { text, .. } => text.chars().count(),
        SsmlPart::Break(_) => 1,
    };
    if parts.iter().map(length).sum::<usize>() > MAX_TEXT_CHARS {
        return Err(Error::field("ssml", "may have 100,000 spoken characters at most"));
    }
    Ok(line::of_ssml(parts))
}

impl VoiceLimits {
    /// Seconds of audio, at least one.
    pub(crate) fn audio_seconds(&self) -> u64 {
        self.audio_time.as_secs().max(1)
    }
}

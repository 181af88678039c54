//! What people set for themselves over what the site has set.

use lectern_edge::Validate;
use lectern_kernel::{Error, Result, Scope};
use lectern_store::Tx;

use crate::choice::OwnVoice;
use crate::model::{InForce, PatchPreferences, PreferencesView};
use crate::settings::SiteVoice;
use crate::{Voice, store};

/// Whose preferences hold for the scope; the same rule as for conversations.
fn owner(scope: &Scope) -> String {
    scope.user().map(|user| user.as_str().to_owned()).unwrap_or_default()
}

impl Voice {
    pub(crate) async fn own_voice(&self, scope: &Scope) -> Result<OwnVoice> {
        let owner = owner(scope);
        Ok(self.db(scope)?.read(move |tx| store::own_voice(tx, &owner)).await?)
    }

    pub async fn preferences(&self, scope: &Scope) -> Result<PreferencesView> {
        let own = self.own_voice(scope).await?;
        Ok(view(own, self.settings.current(scope).await?))
    }

    pub async fn change_preferences(
        &self,
        scope: &Scope,
        patch: PatchPreferences,
    ) -> Result<PreferencesView> {
        if let Some(wrong) = patch.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        self.check_voices(patch.voices.values().flatten()).await?;
        let owner = owner(scope);
        let work = move |tx: &mut Tx<'_>| {
            let mut own = store::own_voice(tx, &owner)?;
            for (language, voice) in patch.voices {
                match voice {
                    Some(voice) => own.voices.insert(language, voice),
                    None => own.voices.remove(&language),
                };
            }
            own.rate = patch.rate.unwrap_or(own.rate);
            own.speak_citations = patch.speak_citations.unwrap_or(own.speak_citations);
            store::save_own_voice(tx, &owner, &own)?;
            Ok(own)
        };
        let own = self.db(scope)?.write(work).await?;
        Ok(view(own, self.settings.current(scope).await?))
    }

    /// Refuses voices that are not there.
    async fn check_voices<'v>(&self, wanted: impl Iterator<Item = &'v String>) -> Result<()> {
        let known = self.voices().await?;
        for voice in wanted {
            let plain = voice.split(['#', '+']).next().unwrap_or_default();
            if !known.iter().any(|known| known.id == plain || known.languages.iter().any(|l| l == plain)) {
                return Err(Error::field("voices", format!("there is no voice '{voice}'"))
                    .hint("Use an id of GET /api/v1/voices."));
            }
        }
        Ok(())
    }
}

fn view(own: OwnVoice, site: SiteVoice) -> PreferencesView {
    let mut voices = site.voices;
    voices.extend(own.voices.clone());
    PreferencesView {
        in_force: InForce {
            voice: site.voice,
            voices,
            rate: own.rate.unwrap_or(site.rate),
            speak_citations: own.speak_citations.unwrap_or(site.speak_citations),
        },
        voices: own.voices,
        rate: own.rate,
        speak_citations: own.speak_citations,
    }
}

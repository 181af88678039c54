//! What this area holds about people: how they want to hear; and sounds, which nothing ties to anybody.

use async_trait::async_trait;
use lectern_kernel::{Erased, Error, HeldFile, PersonPart, Result, Scope, UserId};
use serde_json::json;

use crate::{Voice, store};

#[async_trait]
impl PersonPart for Voice {
    fn name(&self) -> &'static str {
        "voice"
    }

    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let owner = user.as_str().to_owned();
        let own = self.db(scope)?.read(move |tx| store::own_voice(tx, &owner)).await?;
        if own.voices.is_empty() && own.rate.is_none() && own.speak_citations.is_none() {
            return Ok(Vec::new());
        }
        let rows = json!({ "voices": own.voices, "rate": own.rate, "speak_citations": own.speak_citations });
        Ok(vec![HeldFile::json("preferences.json", &rows)?])
    }

    /// Spoken answers lie in a cache under names that tell nothing, so all of the tenant's go: they can be made again.
    async fn erase(&self, scope: &Scope, user: &UserId, _: &[String]) -> Result<Vec<Erased>> {
        let owner = user.as_str().to_owned();
        let own = self.db(scope)?.write(move |tx| store::forget_own_voice(tx, &owner)).await?;
        let (cache, scope) = (self.cache.clone(), scope.clone());
        let sounds = tokio::task::spawn_blocking(move || Ok::<_, Error>(cache.shelf(&scope)?.clear()));
        let sounds = sounds.await.map_err(Error::internal)??;
        Ok(vec![Erased::new("voice_preferences", own), Erased::new("cached_sounds_of_everybody", sounds)])
    }
}

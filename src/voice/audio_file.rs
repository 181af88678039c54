//! Cached audio by its address; other formats than WAV are made when first asked for.

use std::path::PathBuf;

use lectern_kernel::{Error, Result, Scope};

use crate::Voice;
use crate::cache::NAME;
use crate::speaking::samples_of;
use crate::stream::{SoundFormat, encode};

impl Voice {
    /// The file behind `HASH.wav`, `HASH.opus` or `HASH.mp3`.
    pub(crate) async fn audio_file(&self, scope: &Scope, file: &str) -> Result<(PathBuf, SoundFormat)> {
        let absent = || {
            Error::not_found("audio")
                .hint("It is dropped when it was not used; ask for the answer's speech again.")
        };
        let (name, ending) = file.split_once('.').ok_or_else(absent)?;
        let format = SoundFormat::of_ending(ending).ok_or_else(absent)?;
        if name.len() != NAME || !name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(absent());
        }
        let (cache, scope, name) = (self.cache.clone(), scope.clone(), name.to_owned());
        let work = move || -> Result<Option<PathBuf>> {
            let shelf = cache.shelf(&scope)?;
            if let Some(path) = shelf.find(&name, format.ending()) {
                return Ok(Some(path));
            }
            let Some(path) = shelf.find(&name, SoundFormat::Wav.ending()) else { return Ok(None) };
            let bytes = std::fs::read(path).map_err(Error::internal)?;
            let Some(samples) = samples_of(&bytes) else { return Ok(None) };
            shelf.keep(&name, format.ending(), &encode(&samples, format)?).map(Some)
        };
        let found = tokio::task::spawn_blocking(work).await.map_err(Error::internal)??;
        Ok((found.ok_or_else(absent)?, format))
    }
}

//! Speaking and listening over HTTP: voices, texts and answers as sound, the cache of it, transcriptions,
//! conversations by voice, the lexicon, and what people prefer.
//!
//! Not for synthesis (lectern-speech), recognition (lectern-hearing), codecs (lectern-audio), nor for answers (port
//! `Answers`).

mod answer;
mod audio_file;
mod cache;
mod choice;
mod cited;
mod clauses;
mod csv;
mod error;
mod file;
mod hear;
mod hear_model;
mod lexicon;
mod line;
mod listening;
mod meter;
mod model;
mod outgoing;
mod pending;
mod person;
mod preferences;
mod routes;
mod routes_hear;
mod routes_lexicon;
mod routes_talk;
mod settings;
mod site_words;
mod socket_model;
mod speaking;
mod speech;
mod store;
mod stream;
mod talk;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_lexicon;
#[cfg(test)]
mod tests_talk;
mod utterance;
mod wyoming;
mod wyoming_frame;
mod wyoming_speech;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use lectern_hearing::Ears;
use lectern_kernel::ports::{Answers, Metered, Quota, Report, SiteText};
use lectern_kernel::{Permission, Result, Scope, TenantId, permission};
use lectern_speech::{Lexicon, Synthesizer};
use lectern_store::{Database, Migration, Stores};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use clauses::{ClauseEvent, ClauseKind, ClausesDone, SpeechTrace};
pub use file::speak_to_file;
pub use hear_model::{
    SegmentView, TranscriptFormat, TranscriptTrace, TranscriptView, TranscriptionQuery, WordView,
};
pub use model::{
    Engine, InForce, LexiconImport, LexiconKind, LexiconQuery, LexiconView, LineProblem, NewLexiconEntry,
    NewSpeech, PatchLexiconEntry, PatchPreferences, PreferencesView, SoundQuery, VoiceList, VoiceView,
};
pub use routes::feature;
pub use settings::{SiteVoice, VoiceLimits, VoiceSettings};
pub use speaking::PartTrace;
pub use stream::SoundFormat;
pub use wyoming::Network;

permission! {
    /// Hear answers and texts, speak with the appliance, set one's own voice.
    VoiceRead = "voice.read";
    /// Change how words are said for everybody.
    VoiceWrite = "voice.write";
}

pub(crate) const PERMISSIONS: &[&str] = &[VoiceRead::NAME, VoiceWrite::NAME];

/// Schema of the tenant's database.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "voice/0001_voice", sql: include_str!("migrations/0001_voice.sql") }];

const MINUTE: Duration = Duration::from_mins(1);

/// A tenant's lexicon as saved and as spoken.
type Saved = Arc<(Vec<NewLexiconEntry>, Arc<Lexicon>)>;

/// What the area works with.
pub struct Parts {
    pub stores: Stores,
    pub answers: Arc<dyn Answers>,
    pub settings: Arc<dyn VoiceSettings>,
    pub synthesizer: Synthesizer,
    pub ears: Arc<Ears>,
    /// Texts that the recogniser learns words from.
    pub texts: Option<Arc<dyn SiteText>>,
    pub limits: VoiceLimits,
    /// Ends conversations when the appliance stops.
    pub stop: CancellationToken,
}

/// The area's service; cheap to clone.
#[derive(Clone)]
pub struct Voice {
    pub(crate) stores: Stores,
    pub(crate) answers: Arc<dyn Answers>,
    pub(crate) settings: Arc<dyn VoiceSettings>,
    pub(crate) synthesizer: Synthesizer,
    pub(crate) limits: Arc<VoiceLimits>,
    pub(crate) cache: cache::AudioCache,
    pub(crate) lexicons: Arc<Mutex<HashMap<TenantId, Saved>>>,
    /// Clauses that are synthesised at the same time.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) ears: Arc<Ears>,
    pub(crate) words: site_words::SiteWords,
    /// Recordings that are heard at the same time.
    pub(crate) recognitions: Arc<Semaphore>,
    /// Conversations at the same time.
    pub(crate) conversations: Arc<Semaphore>,
    pub(crate) stop: CancellationToken,
    pub(crate) quota: Arc<OnceLock<Arc<dyn Quota>>>,
}

impl Voice {
    pub fn new(parts: Parts) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let limits = parts.limits;
        Self {
            cache: cache::AudioCache::new(parts.stores.clone(), limits.cache_bytes),
            words: site_words::SiteWords::new(parts.stores.clone(), Arc::clone(&parts.ears), parts.texts),
            stores: parts.stores,
            ears: parts.ears,
            recognitions: Arc::new(Semaphore::new(limits.recognitions.max(1))),
            conversations: Arc::new(Semaphore::new(limits.conversations.max(1))),
            stop: parts.stop,
            answers: parts.answers,
            settings: parts.settings,
            synthesizer: parts.synthesizer,
            limits: Arc::new(limits),
            lexicons: Arc::default(),
            turns: Arc::new(Semaphore::new(cores.max(2))),
            quota: Arc::default(),
        }
    }

    /// With the limits of plans; once.
    pub fn set_quota(&self, quota: Arc<dyn Quota>) {
        let _ = self.quota.set(quota);
    }

    /// Whether the tenant may still speak and be heard in this month.
    pub(crate) async fn check_quota(&self, scope: &Scope) -> Result<()> {
        match self.quota.get() {
            Some(quota) => quota.spend(scope, Metered::SpeechSeconds, 0).await,
            None => Ok(()),
        }
    }

    /// Unpacks the voice data and starts the engine, so that the first answer does not wait for it.
    pub async fn warm_up(&self) -> Result<()> {
        self.voices().await.map(drop)
    }

    /// Until the appliance stops: unloads recognisers and forgets audio that nobody used in a long time.
    pub async fn run(&self) {
        let mut minutes = 0_u32;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(MINUTE) => {}
            }
            minutes += 1;
            let (cache, ears, limits) =
                (self.cache.clone(), Arc::clone(&self.ears), Arc::clone(&self.limits));
            let work = tokio::task::spawn_blocking(move || {
                ears.release_idle(limits.unload);
                if minutes % 60 == 1 {
                    cache.sweep(limits.cache_time);
                }
            });
            // It fails only when the process ends.
            let _ = work.await;
        }
    }

    pub(crate) fn db(&self, scope: &Scope) -> Result<Database> {
        Ok(self.stores.tenant(scope)?.db)
    }
}

#[async_trait]
impl Report for Voice {
    fn name(&self) -> &'static str {
        "voice"
    }

    async fn report(&self, scope: &Scope) -> Result<serde_json::Value> {
        let site = self.settings.current(scope).await?;
        let voice = site.voice.unwrap_or_else(|| "by language".to_owned());
        let piper = self.voices().await?.iter().filter(|voice| voice.engine == Engine::Piper).count();
        let engine =
            if piper > 0 { format!("Piper ({piper}) and eSpeak NG") } else { "eSpeak NG".to_owned() };
        Ok(serde_json::json!(format!("{engine} ({voice}, {} words a minute)", site.rate)))
    }
}

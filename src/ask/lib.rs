//! Questions, conversations and cited answers.
//!
//! Owns the way from a question to a checked answer, the turns and conversations that are kept of it, and what people
//! think of an answer. Not for finding passages (port `Retrieve`), nor for reading answers aloud (port `Answers`).

mod ask;
mod conversation;
mod draft;
mod event;
mod evidence;
mod export;
mod extractive;
mod generate;
mod live;
mod model;
mod person;
mod phrase;
mod ports;
mod prompt;
mod rewrite;
mod routes;
mod script;
mod settings;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_follow;
#[cfg(test)]
mod tests_gone;
#[cfg(test)]
mod tests_ollama;
#[cfg(test)]
mod tests_person;
mod words;

use std::sync::{Arc, OnceLock};

use lectern_inference::{Health, Ollama};
use lectern_kernel::ports::{Quota, Retrieve};
use lectern_kernel::{Permission, Result, Scope, permission};
use lectern_store::{Migration, Stores};
use tokio::sync::Semaphore;

pub use event::{AskEvent, RetrievalEvent};
pub use export::Export;
pub use model::{
    CitationView, ConversationDetail, ConversationQuery, ConversationView, ExportFormat, ExportQuery, Mode,
    NearView, NewFeedback, NewQuestion, PatchConversation, Rating, SentenceView, Trace, TurnView,
};
pub use routes::feature;
pub use settings::{AskSettings, CurrentSettings};

permission! {
    /// Ask questions, rate answers, change one's own conversations.
    AskWrite = "ask.write";
    /// Read one's own conversations.
    AskRead = "ask.read";
}

pub(crate) const PERMISSIONS: &[&str] = &[AskWrite::NAME, AskRead::NAME];

/// Schema of the tenant's database.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "ask/0001_init", sql: include_str!("migrations/0001_init.sql") }];

/// Questions worked on at the same time; more wait.
const SLOTS: usize = 64;

/// The area's service; cheap to clone.
#[derive(Clone)]
pub struct Ask {
    pub(crate) stores: Stores,
    pub(crate) retrieve: Arc<dyn Retrieve>,
    pub(crate) settings: Arc<dyn AskSettings>,
    pub(crate) health: Health,
    pub(crate) live: live::Live,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) quota: Arc<OnceLock<Arc<dyn Quota>>>,
}

impl Ask {
    pub fn new(stores: Stores, retrieve: Arc<dyn Retrieve>, settings: Arc<dyn AskSettings>) -> Self {
        Self {
            stores,
            retrieve,
            settings,
            health: Health::default(),
            live: live::Live::default(),
            slots: Arc::new(Semaphore::new(SLOTS)),
            quota: Arc::default(),
        }
    }

    /// With the limits of plans; once.
    pub fn set_quota(&self, quota: Arc<dyn Quota>) {
        let _ = self.quota.set(quota);
    }

    /// Loads the model that is set, so that the first question does not wait for it. For the start and after a change
    /// of settings, in the background: it takes as long as Ollama needs.
    pub async fn warm_up(&self, scope: &Scope) -> Result<()> {
        if let Some(endpoint) = self.settings.current(scope).await?.ollama {
            let ollama = Ollama::new(endpoint)?;
            match ollama.load().await {
                Ok(()) => self.health.succeeded(&ollama),
                Err(error) => {
                    self.health.failed(&ollama, &error);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }
}

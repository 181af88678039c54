//! The settings of a tenant: saved ones over those of the configuration file.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lectern_config::Config;
use lectern_edge::Validate;
use lectern_kernel::{Error, Result, Scope, TenantId};
use lectern_store::audit::{self, Change as Entry};
use lectern_store::{Stores, outbox};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use crate::model::{AnswerSettings, OllamaSettings, PatchSettings, SettingsView, SpeechSettings};
use crate::patch::Change;
use crate::{SafeHttp, store};

/// The settings; clones share everything.
#[derive(Clone)]
pub struct Settings {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    http: SafeHttp,
    defaults: SettingsView,
    first_token_time: Duration,
    cache: Mutex<HashMap<TenantId, Arc<SettingsView>>>,
    /// One load or change at a time, so that the cache and the grants follow the database.
    turn: tokio::sync::Mutex<()>,
}

impl Settings {
    /// The purpose under which `SafeHttp` allows the saved Ollama address.
    pub const OLLAMA: &str = "ollama";

    pub fn new(stores: Stores, config: &Config, http: SafeHttp) -> Self {
        let inner = Inner {
            stores,
            http,
            defaults: SettingsView::defaults(config),
            first_token_time: config.ollama.first_token_time.0,
            cache: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn http(&self) -> &SafeHttp {
        &self.inner.http
    }

    /// All settings in force.
    pub async fn view(&self, scope: &Scope) -> Result<Arc<SettingsView>> {
        if let Some(view) = self.cached(scope) {
            return Ok(view);
        }
        let _turn = self.inner.turn.lock().await;
        match self.cached(scope) {
            Some(view) => Ok(view),
            None => self.load(scope).await,
        }
    }

    /// The language model to ask; none when it is off or has no address. Its address is allowed in `SafeHttp`.
    pub async fn ollama(&self, scope: &Scope) -> Result<Option<OllamaSettings>> {
        let view = self.view(scope).await?;
        let ollama = &view.ollama;
        if !ollama.enabled || ollama.url.is_empty() {
            return Ok(None);
        }
        let time = Duration::from_secs(ollama.timeout_seconds);
        Ok(Some(OllamaSettings {
            url: ollama.url.clone(),
            model: ollama.model.clone(),
            keep_alive: Duration::from_secs(ollama.keep_alive_seconds),
            first_token_time: self.inner.first_token_time.min(time),
            time,
        }))
    }

    pub async fn speech(&self, scope: &Scope) -> Result<SpeechSettings> {
        Ok(self.view(scope).await?.speech.clone())
    }

    pub async fn answers(&self, scope: &Scope) -> Result<AnswerSettings> {
        Ok(self.view(scope).await?.answers.clone())
    }

    /// Saves changes, all or none; the settings then in force.
    pub async fn patch(&self, scope: &Scope, patch: PatchSettings) -> Result<Arc<SettingsView>> {
        if let Some(wrong) = patch.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        let changes = changes(&patch)?;
        let _turn = self.inner.turn.lock().await;
        let (tenant, own) = (self.inner.stores.tenant(scope)?, scope.clone());
        tenant
            .db
            .write(move |tx| {
                let names: Vec<_> = changes.iter().map(|(name, _)| *name).collect();
                for (name, value) in &changes {
                    match value {
                        Some(value) => store::save_setting(tx, name, value)?,
                        None => store::forget_setting(tx, name)?,
                    }
                }
                if names.is_empty() {
                    return Ok(());
                }
                let after: serde_json::Map<String, serde_json::Value> =
                    changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
                let after = serde_json::Value::Object(after);
                audit::record(tx, &own, Entry::new("settings.changed", "settings").after(&after))?;
                outbox::push(tx, "settings.changed", "settings", &serde_json::json!({ "names": names }))
            })
            .await?;
        self.load(scope).await
    }

    fn cached(&self, scope: &Scope) -> Option<Arc<SettingsView>> {
        self.inner.cache.lock().get(scope.tenant()).cloned()
    }

    /// Reads what is saved, and makes the outbound permission follow it. The caller has the turn.
    async fn load(&self, scope: &Scope) -> Result<Arc<SettingsView>> {
        let tenant = self.inner.stores.tenant(scope)?;
        let saved = tenant.db.read(store::saved_settings).await?;
        let view = Arc::new(merge(&self.inner.defaults, saved));
        let ollama = &view.ollama;
        if !ollama.enabled || ollama.url.is_empty() {
            self.inner.http.withdraw(scope, Self::OLLAMA);
        } else {
            self.inner.http.allow(scope, Self::OLLAMA, &ollama.url).unwrap_or_else(|error| {
                // The address before must not stay allowed in its place.
                self.inner.http.withdraw(scope, Self::OLLAMA);
                tracing::warn!(%error, "the Ollama address of the settings is not usable");
            });
        }
        self.inner.cache.lock().insert(tenant.id, view.clone());
        Ok(view)
    }
}

/// The defaults with what was saved. A value that no longer fits, from another version, does not count.
fn merge(defaults: &SettingsView, saved: Vec<(String, Value)>) -> SettingsView {
    let mut view = defaults.clone();
    let enabled_is_saved = saved.iter().any(|(name, _)| name == "ollama.enabled");
    for (name, value) in saved {
        let mut tree = serde_json::to_value(&view).expect("invariant: settings are plain values");
        let place = name.split_once('.').and_then(|(group, field)| tree.get_mut(group)?.get_mut(field));
        let fits = place.map(|place| *place = value).and_then(|()| serde_json::from_value(tree).ok());
        match fits {
            Some(next) => view = next,
            None => {
                tracing::warn!(setting = name, "a saved setting does not fit this version and is ignored");
            }
        }
    }
    // Whoever gives an address means to use it, unless they said otherwise.
    if !enabled_is_saved {
        view.ollama.enabled = !view.ollama.url.is_empty();
    }
    view.limits = defaults.limits.clone();
    view
}

type Changes = Vec<(&'static str, Option<Value>)>;

fn changes(patch: &PatchSettings) -> Result<Changes> {
    let (ollama, answers, speech) = (&patch.ollama, &patch.answers, &patch.speech);
    let url = match &ollama.url {
        Change::Set(url) => Change::Set(url.trim().to_owned()),
        other => other.clone(),
    };
    let mut out = Vec::new();
    put(&mut out, "ollama.enabled", &ollama.enabled)?;
    put(&mut out, "ollama.url", &url)?;
    put(&mut out, "ollama.model", &ollama.model)?;
    put(&mut out, "ollama.keep_alive_seconds", &ollama.keep_alive_seconds)?;
    put(&mut out, "ollama.timeout_seconds", &ollama.timeout_seconds)?;
    put(&mut out, "answers.sentences", &answers.sentences)?;
    put(&mut out, "answers.language", &answers.language)?;
    put(&mut out, "speech.voice", &speech.voice)?;
    put(&mut out, "speech.rate", &speech.rate)?;
    put(&mut out, "speech.voices", &speech.voices)?;
    put(&mut out, "speech.speak_citations", &speech.speak_citations)?;
    Ok(out)
}

fn put<T: Serialize>(out: &mut Changes, name: &'static str, change: &Change<T>) -> Result<()> {
    match change {
        Change::Keep => {}
        Change::Reset => out.push((name, None)),
        Change::Set(value) => out.push((name, Some(serde_json::to_value(value).map_err(Error::internal)?))),
    }
    Ok(())
}

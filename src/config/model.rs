//! One type a section. Fields are described in `defaults.toml`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{ByteSize, ConfigError, Span};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub server: Server,
    pub log: Log,
    pub session: Session,
    pub oauth: Oauth,
    pub upload: Upload,
    pub extraction: Extraction,
    pub search: Search,
    pub answers: Answers,
    pub ollama: Ollama,
    pub speech: Speech,
    pub hearing: Hearing,
    pub wyoming: Wyoming,
    pub models: Models,
    pub encryption: Encryption,
    pub tenants: Tenants,
    pub plan_free: Plan,
    pub plan_team: Plan,
    pub plan_business: Plan,
    pub plan_enterprise: Plan,
    pub retention: Retention,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Oauth {
    pub issuer: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encryption {
    pub passphrase_file: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenants {
    pub most_open: usize,
    pub idle: Span,
    pub grace: Span,
    pub exports: Vec<String>,
    pub regions: Vec<String>,
    pub rate_factor: u32,
}

/// What a plan allows; 0 is no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub requests_per_minute: u64,
    pub requests_per_day: u64,
    pub documents: u64,
    pub storage: ByteSize,
    pub members: u64,
    pub monthly_active_users: u64,
    pub requests_per_month: u64,
    pub questions_per_month: u64,
    pub speech_seconds_per_month: u64,
    pub at_once: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Server {
    pub listen: SocketAddr,
    pub insecure_http: bool,
    pub tls_certificate: String,
    pub tls_key: String,
    pub tls_names: Vec<String>,
    pub workers: usize,
    pub shutdown_time: Span,
    pub max_connections: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub idle: Span,
    pub lifetime: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub max_size: ByteSize,
    pub keep_free: ByteSize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    pub workers: usize,
    pub time: Span,
    pub memory: ByteSize,
    pub text: ByteSize,
    pub unpacked: ByteSize,
    pub tesseract: String,
    pub tesseract_languages: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    pub writer_memory: ByteSize,
    pub commit_time: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    pub sentences: usize,
    pub passages: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ollama {
    pub url: String,
    pub model: String,
    pub keep_alive: Span,
    pub first_token_time: Span,
    pub time: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speech {
    pub voice: String,
    pub rate: u32,
    pub speak_citations: bool,
    pub cache: ByteSize,
    pub cache_time: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hearing {
    pub max_size: ByteSize,
    pub max_time: Span,
    pub recordings: usize,
    pub conversations: usize,
    pub idle: Span,
    pub utterance: Span,
    pub end_of_turn: Span,
    pub unload: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wyoming {
    pub listen: String,
    pub allow: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Models {
    pub memory: ByteSize,
    pub idle: Span,
    pub max_size: ByteSize,
    pub trial_time: Span,
    pub threads: usize,
    pub onnxruntime: String,
    pub cuda: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    pub audit: Span,
    pub events: Span,
}

pub(crate) fn from_table(table: toml::Table) -> Result<Config, ConfigError> {
    let config: Config = table
        .try_into()
        .map_err(|e: toml::de::Error| ConfigError::new("configuration", e.message().to_owned()))?;
    check(&config)?;
    Ok(config)
}

fn check(config: &Config) -> Result<(), ConfigError> {
    let range = |name: &str, value: u64, low: u64, high: u64| {
        if (low..=high).contains(&value) {
            Ok(())
        } else {
            Err(ConfigError::new(name, format!("{value} is outside {low}–{high}")))
        }
    };
    range("answers.sentences", config.answers.sentences as u64, 1, 5)?;
    range("answers.passages", config.answers.passages as u64, 1, 50)?;
    range("speech.rate", u64::from(config.speech.rate), 80, 450)?;
    range("server.max_connections", config.server.max_connections as u64, 1, 1_000_000)?;
    range("server.workers", config.server.workers as u64, 0, 1024)?;
    range("extraction.workers", config.extraction.workers as u64, 0, 256)?;
    range("search.writer_memory (bytes)", config.search.writer_memory.0, 15_000_000, 4_000_000_000)?;
    range("extraction.memory (bytes)", config.extraction.memory.0, 128_000_000, 1 << 40)?;
    range("speech.cache (bytes)", config.speech.cache.0, 1_000_000, 1 << 44)?;
    range("hearing.recordings", config.hearing.recordings as u64, 1, 64)?;
    range("hearing.conversations", config.hearing.conversations as u64, 1, 10_000)?;
    range("hearing.utterance (s)", config.hearing.utterance.0.as_secs(), 5, 600)?;
    range("hearing.end_of_turn (ms)", config.hearing.end_of_turn.0.as_millis() as u64, 200, 5_000)?;
    range("hearing.max_time (s)", config.hearing.max_time.0.as_secs(), 1, 24 * 3600)?;
    if !config.wyoming.listen.is_empty() && config.wyoming.listen.parse::<SocketAddr>().is_err() {
        let what = format!("'{}' is not an address with a port", config.wyoming.listen);
        return Err(ConfigError::new("wyoming.listen", what).hint("Write it as in \"0.0.0.0:10300\"."));
    }
    range("models.memory (bytes)", config.models.memory.0, 64_000_000, 1 << 42)?;
    range("models.trial_time (s)", config.models.trial_time.0.as_secs(), 5, 3600)?;
    range("models.threads", config.models.threads as u64, 0, 1024)?;
    if config.models.cuda && config.models.onnxruntime.is_empty() {
        return Err(ConfigError::new("models.cuda", "the built-in engine has no GPU")
            .hint("Name the library in models.onnxruntime, or set cuda to false."));
    }
    if config.server.tls_certificate.is_empty() != config.server.tls_key.is_empty() {
        return Err(ConfigError::new("server", "tls_certificate and tls_key go together")
            .hint("Give both PEM files, or neither to use the certificate that Lectern makes."));
    }
    Ok(())
}

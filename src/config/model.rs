//! One type a section. Fields are described in `defaults.toml`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{ByteSize, ConfigError, Span};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub server: Server,
    pub log: Log,
    pub session: Session,
    pub upload: Upload,
    pub extraction: Extraction,
    pub search: Search,
    pub answers: Answers,
    pub ollama: Ollama,
    pub speech: Speech,
    pub retention: Retention,
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
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retention {
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
    if config.server.tls_certificate.is_empty() != config.server.tls_key.is_empty() {
        return Err(ConfigError::new("server", "tls_certificate and tls_key go together")
            .hint("Give both PEM files, or neither to use the certificate that Lectern makes."));
    }
    Ok(())
}

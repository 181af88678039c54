//! Settings as they come in, go out, and are used.

use std::collections::BTreeMap;
use std::time::Duration;

use lectern_config::Config;
use lectern_edge::Validate;
use lectern_kernel::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::guard::parse_url;
use crate::patch::Change;

const LONGEST_MODEL: usize = 200;
const WEEK: u64 = 7 * 86_400;

/// How to reach the language model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OllamaSettings {
    /// An address that `SafeHttp` allows for the purpose [`crate::Settings::OLLAMA`].
    pub url: String,
    /// Empty: none is chosen yet.
    pub model: String,
    pub keep_alive: Duration,
    pub first_token_time: Duration,
    pub time: Duration,
}

/// How answers are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerSettings {
    /// Most sentences of an extractive answer, 1–5.
    pub sentences: usize,
    /// ISO 639-1 code, or `auto` for the question's language.
    pub language: String,
}

/// How answers are read aloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpeechSettings {
    /// Name of a voice, or `auto` for the text's language.
    pub voice: String,
    /// Words a minute, 80–450.
    pub rate: u32,
    /// Voices by ISO 639-1 code; they go before `voice`.
    #[serde(default)]
    pub voices: BTreeMap<String, String>,
    /// Say after each sentence where it stands.
    #[serde(default)]
    pub speak_citations: bool,
}

/// The language model's server, as it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OllamaView {
    pub enabled: bool,
    pub url: String,
    pub model: String,
    pub keep_alive_seconds: u64,
    pub timeout_seconds: u64,
}

/// Limits of the configuration file, to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitsView {
    pub max_upload_bytes: u64,
    pub extract_seconds: u64,
    pub extract_memory_bytes: u64,
    pub extract_workers: usize,
}

/// The settings in force: what was saved, over the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingsView {
    pub ollama: OllamaView,
    pub answers: AnswerSettings,
    pub speech: SpeechSettings,
    pub limits: LimitsView,
}

impl SettingsView {
    /// What the configuration file says.
    pub(crate) fn defaults(config: &Config) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = config.extraction.workers;
        Self {
            ollama: OllamaView {
                enabled: !config.ollama.url.is_empty(),
                url: config.ollama.url.clone(),
                model: config.ollama.model.clone(),
                keep_alive_seconds: config.ollama.keep_alive.0.as_secs(),
                timeout_seconds: config.ollama.time.0.as_secs(),
            },
            answers: AnswerSettings { sentences: config.answers.sentences, language: "auto".to_owned() },
            speech: SpeechSettings {
                voice: config.speech.voice.clone(),
                rate: config.speech.rate,
                voices: BTreeMap::new(),
                speak_citations: config.speech.speak_citations,
            },
            limits: LimitsView {
                max_upload_bytes: config.upload.max_size.0,
                extract_seconds: config.extraction.time.0.as_secs(),
                extract_memory_bytes: config.extraction.memory.0,
                extract_workers: if workers == 0 { cores } else { workers },
            },
        }
    }
}

/// Changes of settings: what is absent stays, null goes back to the configuration file.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchSettings {
    #[serde(default)]
    pub ollama: PatchOllama,
    #[serde(default)]
    pub answers: PatchAnswers,
    #[serde(default)]
    pub speech: PatchSpeech,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchOllama {
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub enabled: Change<bool>,
    /// `http://` or `https://`; empty for none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub url: Change<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub model: Change<String>,
    /// 0–604800.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub keep_alive_seconds: Change<u64>,
    /// 5–3600.
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub timeout_seconds: Change<u64>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchAnswers {
    /// 1–5.
    #[serde(default)]
    #[schema(value_type = Option<usize>)]
    pub sentences: Change<usize>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub language: Change<String>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchSpeech {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub voice: Change<String>,
    /// 80–450.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub rate: Change<u32>,
    /// Voices by ISO 639-1 code, all of them.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub voices: Change<BTreeMap<String, String>>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub speak_citations: Change<bool>,
}

fn range<T: PartialOrd + std::fmt::Display + Copy>(value: &T, low: T, high: T) -> Option<String> {
    (*value < low || *value > high).then(|| format!("must be between {low} and {high}"))
}

fn language(text: &str) -> Option<String> {
    let code = text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase());
    (text != "auto" && !code)
        .then(|| "must be \"auto\" or a two-letter language code, as in \"de\"".to_owned())
}

fn voice(text: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || "-_+./# ()".contains(c);
    let good = (1..=160).contains(&text.len()) && text.chars().all(plain) && !text.contains("..");
    (!good).then(|| "must be \"auto\" or the name of a voice, as in \"en-gb\"".to_owned())
}

fn voices(by_language: &BTreeMap<String, String>) -> Option<String> {
    if by_language.len() > 100 {
        return Some("may have 100 languages at most".to_owned());
    }
    let is_code = |code: &str| code != "auto" && language(code).is_none();
    if !by_language.keys().all(|code| is_code(code)) {
        return Some("are named by two-letter language codes, as in \"de\"".to_owned());
    }
    by_language.values().find_map(|name| voice(name))
}

fn model(text: &str) -> Option<String> {
    if text.len() > LONGEST_MODEL || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("must be the name of a model, as in \"llama3.2:3b\"".to_owned());
    }
    None
}

fn url(text: &str) -> Option<String> {
    if text.trim().is_empty() { None } else { parse_url(text).err().map(str::to_owned) }
}

impl Validate for PatchSettings {
    fn validate(&self) -> Vec<FieldError> {
        let (ollama, answers, speech) = (&self.ollama, &self.answers, &self.speech);
        let checks = [
            ("ollama.url", ollama.url.value().and_then(|t| url(t))),
            ("ollama.model", ollama.model.value().and_then(|t| model(t))),
            ("ollama.keep_alive_seconds", ollama.keep_alive_seconds.value().and_then(|n| range(n, 0, WEEK))),
            ("ollama.timeout_seconds", ollama.timeout_seconds.value().and_then(|n| range(n, 5, 3600))),
            ("answers.sentences", answers.sentences.value().and_then(|n| range(n, 1, 5))),
            ("answers.language", answers.language.value().and_then(|t| language(t))),
            ("speech.voice", speech.voice.value().and_then(|t| voice(t))),
            ("speech.voices", speech.voices.value().and_then(voices)),
            ("speech.rate", speech.rate.value().and_then(|n| range(n, 80, 450))),
        ];
        let wrong = |(field, message): (&str, Option<String>)| {
            message.map(|message| FieldError { field: field.to_owned(), message })
        };
        checks.into_iter().filter_map(wrong).collect()
    }
}

/// An address to be tried before it is saved.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OllamaTestRequest {
    pub url: String,
    #[serde(default)]
    pub model: Option<String>,
}

impl Validate for OllamaTestRequest {
    fn validate(&self) -> Vec<FieldError> {
        let wrong = parse_url(&self.url).err();
        wrong.map(|m| FieldError { field: "url".into(), message: m.into() }).into_iter().collect()
    }
}

/// What a test found wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OllamaProblem {
    pub message: String,
    pub hint: Option<String>,
}

/// What a test of an address found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OllamaTest {
    pub ok: bool,
    pub version: Option<String>,
    /// Names of the models that the server has.
    pub models: Vec<String>,
    pub latency_ms: Option<f64>,
    pub problem: Option<OllamaProblem>,
}

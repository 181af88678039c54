//! What an export says about itself: sizes, special tokens, languages, and rules for decoding.
//!
//! Ids come from generation_config.json, and where that is silent from the tokenizer by name; none is known by number.

use std::path::Path;

use serde_json::Value;

use crate::HearingError;
use crate::whisper_text::Text;

const JSON_BYTES: u64 = 16 << 20;
const MOST_TOKENS: usize = 1_000_000;
/// Two frames of features become one position.
const FRAMES_A_POSITION: usize = 2;

/// Sizes of the graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub vocabulary: usize,
    pub mels: usize,
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    /// Positions that the encoder gives for a window.
    pub sources: usize,
    /// Most tokens of a window, with those that are given.
    pub targets: usize,
}

impl Sizes {
    /// Frames of features in a window.
    pub(crate) fn frames(&self) -> usize {
        self.sources * FRAMES_A_POSITION
    }
}

/// Tokens with a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marks {
    pub end: u32,
    pub start: u32,
    pub transcribe: Option<u32>,
    pub no_timestamps: Option<u32>,
    pub previous: Option<u32>,
    pub no_speech: Option<u32>,
    /// The first of those that stand for a time; the others follow, 20 ms apart.
    pub first_time: Option<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub sizes: Sizes,
    pub marks: Marks,
    /// ISO 639 codes and their tokens; empty for a model of one language.
    pub languages: Vec<(String, u32)>,
    pub suppressed: Vec<u32>,
    pub suppressed_at_begin: Vec<u32>,
    /// Latest time at which the first segment may begin, in steps of 20 ms.
    pub latest_begin: Option<u32>,
    pub length_penalty: f32,
    /// Name of the model, when it has one.
    pub name: Option<String>,
}

/// A file of the export that does not fit.
pub(crate) fn misfit(file: &str, reason: impl Into<String>) -> HearingError {
    HearingError::Model { file: file.to_owned(), reason: reason.into() }
}

fn read(folder: &Path, file: &'static str) -> Result<Option<Value>, HearingError> {
    let path = folder.join(file);
    let Ok(metadata) = std::fs::metadata(&path) else { return Ok(None) };
    if metadata.len() > JSON_BYTES {
        return Err(misfit(file, "it is larger than 16 MiB"));
    }
    let bytes = std::fs::read(&path).map_err(|e| misfit(file, format!("it cannot be read ({e})")))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|e| misfit(file, format!("it is no valid JSON ({e})")))?;
    if !value.is_object() {
        return Err(misfit(file, "it holds no JSON object"));
    }
    Ok(Some(value))
}

impl Config {
    pub(crate) fn load(folder: &Path, text: &Text) -> Result<Self, HearingError> {
        let config = read(folder, "config.json")?.ok_or_else(|| misfit("config.json", "it is not there"))?;
        let generation = read(folder, "generation_config.json")?.unwrap_or(Value::Null);
        let sizes = Sizes::read(&config)?;
        if let Some(features) = read(folder, "preprocessor_config.json")? {
            check_features(&features, &sizes)?;
        }
        let given = Given { generation: &generation, config: &config, text, vocabulary: sizes.vocabulary };
        let marks = given.marks()?;
        let languages = given.languages(&marks)?;
        Ok(Self {
            suppressed: given.list("suppress_tokens")?,
            suppressed_at_begin: given.list("begin_suppress_tokens")?,
            latest_begin: given.number("max_initial_timestamp_index"),
            length_penalty: generation.get("length_penalty").and_then(Value::as_f64).unwrap_or(1.0) as f32,
            name: config.get("_name_or_path").and_then(Value::as_str).and_then(model_name),
            sizes,
            marks,
            languages,
        })
    }

    /// The code of a language token.
    pub(crate) fn language_of(&self, token: u32) -> Option<&str> {
        self.languages.iter().find(|(_, id)| *id == token).map(|(code, _)| code.as_str())
    }

    /// The token of a language: `en`, `en-GB`, `pt_BR`.
    pub(crate) fn language_token(&self, code: &str) -> Option<u32> {
        let base = code.split(['-', '_']).next().unwrap_or(code).to_ascii_lowercase();
        self.languages.iter().find(|(known, _)| *known == base).map(|(_, id)| *id)
    }
}

impl Sizes {
    fn read(config: &Value) -> Result<Self, HearingError> {
        let file = "config.json";
        if config.get("model_type").and_then(Value::as_str).is_some_and(|kind| kind != "whisper") {
            return Err(misfit(file, "it describes another model than Whisper"));
        }
        let number = |key: &str, range: std::ops::RangeInclusive<usize>| {
            let value = config.get(key).and_then(Value::as_u64).map(|v| v as usize);
            value.filter(|v| range.contains(v)).ok_or_else(|| {
                misfit(file, format!("{key} is missing or not within {} to {}", range.start(), range.end()))
            })
        };
        let sizes = Self {
            vocabulary: number("vocab_size", 2..=MOST_TOKENS)?,
            mels: number("num_mel_bins", 1..=256)?,
            width: number("d_model", 1..=16_384)?,
            layers: number("decoder_layers", 1..=256)?,
            heads: number("decoder_attention_heads", 1..=256)?,
            sources: number("max_source_positions", 1..=6_000)?,
            targets: number("max_target_positions", 8..=4_096)?,
        };
        if !sizes.width.is_multiple_of(sizes.heads) {
            return Err(misfit(file, "d_model is no multiple of decoder_attention_heads"));
        }
        Ok(sizes)
    }
}

/// The features are made here in one way; an export that wants another would hear noise.
fn check_features(features: &Value, sizes: &Sizes) -> Result<(), HearingError> {
    let wanted = [
        ("feature_size", sizes.mels as u64),
        ("sampling_rate", u64::from(crate::RATE)),
        ("n_fft", 400),
        ("hop_length", crate::mel::HOP as u64),
    ];
    for (key, value) in wanted {
        let found = features.get(key).and_then(Value::as_u64);
        if found.is_some_and(|found| found != value) {
            let reason = format!("{key} is {}, {value} is wanted", found.unwrap_or_default());
            return Err(misfit("preprocessor_config.json", reason));
        }
    }
    Ok(())
}

/// A short name out of what may be a path on somebody's machine.
fn model_name(path: &str) -> Option<String> {
    let name = path.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    (plain && (1..=60).contains(&name.len())).then(|| name.to_owned())
}

/// Where ids may come from.
struct Given<'a> {
    generation: &'a Value,
    config: &'a Value,
    text: &'a Text,
    vocabulary: usize,
}

impl Given<'_> {
    /// From generation_config.json, else from config.json; the first of a list.
    fn number(&self, key: &str) -> Option<u32> {
        let find = |value: &Value| {
            let found = value.get(key)?;
            found.as_u64().or_else(|| found.get(0)?.as_u64()).and_then(|v| u32::try_from(v).ok())
        };
        find(self.generation).or_else(|| find(self.config))
    }

    fn inside(&self, id: u32, what: &str) -> Result<u32, HearingError> {
        if (id as usize) < self.vocabulary {
            return Ok(id);
        }
        let reason = format!("{what} is token {id}, the vocabulary has {}", self.vocabulary);
        Err(misfit("generation_config.json", reason))
    }

    fn mark(&self, keys: &[&str], names: &[&str]) -> Result<Option<u32>, HearingError> {
        let by_number = keys.iter().find_map(|key| self.number(key));
        let found = by_number.or_else(|| names.iter().find_map(|name| self.text.id(name)));
        found.map(|id| self.inside(id, names[0])).transpose()
    }

    fn marks(&self) -> Result<Marks, HearingError> {
        let missing = |name: &str| misfit("tokenizer.json", format!("there is no {name}"));
        let end = self.mark(&["eos_token_id"], &["<|endoftext|>"])?;
        let start = self.mark(&["decoder_start_token_id"], &["<|startoftranscript|>"])?;
        let task = self.generation.pointer("/task_to_id/transcribe").and_then(Value::as_u64);
        let transcribe = match task.and_then(|id| u32::try_from(id).ok()) {
            Some(id) => Some(self.inside(id, "transcribe")?),
            None => self.mark(&[], &["<|transcribe|>"])?,
        };
        let no_timestamps = self.mark(&["no_timestamps_token_id"], &["<|notimestamps|>"])?;
        let no_speech = self.mark(&[], &["<|nospeech|>", "<|nocaptions|>"])?;
        let first_time = no_timestamps.map(|id| id + 1).filter(|id| (*id as usize) < self.vocabulary);
        let end = end.ok_or_else(|| missing("<|endoftext|>"))?;
        if first_time.is_some_and(|first| first <= end) {
            return Err(misfit("tokenizer.json", "the tokens for times stand among those for text"));
        }
        Ok(Marks {
            end,
            start: start.ok_or_else(|| missing("<|startoftranscript|>"))?,
            // A model of one language has the token but was never trained to see it.
            transcribe: transcribe.filter(|_| self.is_multilingual()),
            no_timestamps,
            previous: self.mark(&["prev_sot_token_id"], &["<|startofprev|>"])?,
            // It stands before the one that forbids times, in every vocabulary of Whisper.
            no_speech: no_speech.or_else(|| no_timestamps.and_then(|id| id.checked_sub(1))),
            first_time,
        })
    }

    fn is_multilingual(&self) -> bool {
        let said = self.generation.get("is_multilingual").and_then(Value::as_bool);
        // An export without that file is as old as the first models, which were for many languages.
        said.unwrap_or_else(|| self.generation.is_null() || self.generation.get("lang_to_id").is_some())
    }

    fn languages(&self, marks: &Marks) -> Result<Vec<(String, u32)>, HearingError> {
        if !self.is_multilingual() {
            return Ok(Vec::new());
        }
        let Some(listed) = self.generation.get("lang_to_id").and_then(Value::as_object) else {
            let last = marks.transcribe.unwrap_or(marks.start);
            return Ok(self.text.languages(marks.start..last));
        };
        let mut out = Vec::with_capacity(listed.len());
        for (name, id) in listed {
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or(u32::MAX);
            let code = name.trim_start_matches("<|").trim_end_matches("|>").to_owned();
            out.push((code, self.inside(id, name)?));
        }
        out.sort_by_key(|(_, id)| *id);
        Ok(out)
    }

    fn list(&self, key: &str) -> Result<Vec<u32>, HearingError> {
        let found = self.generation.get(key).or_else(|| self.config.get(key)).and_then(Value::as_array);
        let ids =
            found.into_iter().flatten().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok());
        ids.map(|id| self.inside(id, key)).collect()
    }
}

//! A Piper voice's configuration, and whether it belongs to the model beside it.

use std::path::Path;

use lectern_neural::{Dimension, ModelShape, Port};
use piper_rs::ModelConfig;
use serde::Serialize;
use serde_json::Value;

use crate::SpeechError;

const MAX_BYTES: u64 = 4 << 20;
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;
const MAX_SPEAKERS: u32 = 10_000;
/// No voice has more symbols; Piper's own have 256.
const MAX_PHONEME_ID: i64 = 4_096;

/// What a voice says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PiperInfo {
    /// eSpeak's name of the language that it speaks, `en-us`.
    pub espeak_voice: String,
    /// `en-US`, when the configuration says so; else as eSpeak's name.
    pub language: String,
    /// `low`, `medium`, `high`; empty when not said.
    pub quality: String,
    pub sample_rate: u32,
    /// Names with their numbers, in order of the numbers; none for a voice of one speaker.
    pub speakers: Vec<(String, i64)>,
}

pub(crate) struct Config {
    pub model: ModelConfig,
    pub info: PiperInfo,
}

pub(crate) fn read(path: &Path) -> Result<Config, SpeechError> {
    let unfit = |reason: String| SpeechError::Unfit { voice: path.to_owned(), reason };
    let size =
        path.metadata().map_err(|error| unfit(format!("its configuration cannot be read: {error}")))?.len();
    if size > MAX_BYTES {
        return Err(unfit(format!("its configuration has {size} bytes; {MAX_BYTES} are the limit")));
    }
    let text =
        std::fs::read(path).map_err(|error| unfit(format!("its configuration cannot be read: {error}")))?;
    let mut value: Value = serde_json::from_slice(&text)
        .map_err(|error| unfit(format!("its configuration is not JSON: {error}")))?;
    if let Some(kind) = value["phoneme_type"].as_str().filter(|kind| *kind != "espeak") {
        return Err(unfit(format!("it reads `{kind}`, and only eSpeak's phonemes are supported")));
    }
    if let Some(symbol) = long_symbol(&value) {
        return Err(unfit(format!("its phoneme `{symbol}` has several letters")));
    }
    // Older configurations leave out what a voice of one speaker does not need.
    if let Some(fields) = value.as_object_mut() {
        fields.entry("speaker_id_map").or_insert_with(|| Value::Object(serde_json::Map::new()));
        fields.entry("num_speakers").or_insert(1.into());
    }
    let info = describe(&value);
    let model: ModelConfig = serde_json::from_value(value)
        .map_err(|error| unfit(format!("its configuration is incomplete: {error}")))?;
    check(&model).map_err(unfit)?;
    Ok(Config { model, info })
}

fn long_symbol(value: &Value) -> Option<&str> {
    let map = value["phoneme_id_map"].as_object()?;
    map.keys().map(String::as_str).find(|symbol| symbol.chars().count() != 1)
}

fn describe(value: &Value) -> PiperInfo {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let espeak_voice = text(&value["espeak"]["voice"]);
    let code = text(&value["language"]["code"]).replace('_', "-");
    let mut speakers: Vec<(String, i64)> = value["speaker_id_map"]
        .as_object()
        .map(|map| map.iter().filter_map(|(name, id)| Some((name.clone(), id.as_i64()?))).collect())
        .unwrap_or_default();
    speakers.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
    PiperInfo {
        language: if code.is_empty() { espeak_voice.clone() } else { code },
        espeak_voice,
        quality: text(&value["audio"]["quality"]),
        sample_rate: value["audio"]["sample_rate"]
            .as_u64()
            .and_then(|rate| rate.try_into().ok())
            .unwrap_or(0),
        speakers,
    }
}

fn check(config: &ModelConfig) -> Result<(), String> {
    let rate = config.audio.sample_rate;
    if !RATES.contains(&rate) {
        return Err(format!("its sample rate is {rate}; {} to {} are possible", RATES.start(), RATES.end()));
    }
    if config.espeak.voice.is_empty() || config.espeak.voice.contains('\0') {
        return Err("it names no voice of eSpeak".into());
    }
    if config.num_speakers > MAX_SPEAKERS {
        return Err(format!("it has {} speakers; {MAX_SPEAKERS} are the limit", config.num_speakers));
    }
    let count = i64::from(config.num_speakers.max(1));
    if let Some((name, id)) = config.speaker_id_map.iter().find(|(_, id)| !(0..count).contains(*id)) {
        return Err(format!("its speaker `{name}` has the number {id}, and it has {count} speakers"));
    }
    for symbol in ['_', '^', '$'] {
        if config.phoneme_id_map.get(&symbol).is_none_or(Vec::is_empty) {
            return Err(format!("its phonemes lack the sign `{symbol}`"));
        }
    }
    let out_of_range =
        config.phoneme_id_map.iter().find(|(_, ids)| ids.iter().any(|id| !(0..=MAX_PHONEME_ID).contains(id)));
    if let Some((symbol, ids)) = out_of_range {
        return Err(format!("its phoneme `{symbol}` has the number {ids:?}"));
    }
    let scales = &config.inference;
    let sensible = |value: f32, low: f32, high: f32| (low..=high).contains(&value);
    if !sensible(scales.length_scale, 0.1, 10.0)
        || !sensible(scales.noise_scale, 0.0, 4.0)
        || !sensible(scales.noise_w, 0.0, 4.0)
    {
        return Err("its speed or noise is out of all bounds".into());
    }
    Ok(())
}

/// Whether the model takes and gives what a Piper voice with this configuration does.
pub(crate) fn fits(config: &ModelConfig, shape: &ModelShape) -> Result<(), String> {
    let mut wanted = vec![("input", "i64", 2), ("input_lengths", "i64", 1), ("scales", "f32", 1)];
    if config.num_speakers > 1 {
        wanted.push(("sid", "i64", 1));
    }
    for (name, element, rank) in &wanted {
        let port = shape.inputs.iter().find(|port| port.name == *name);
        let port = port.ok_or_else(|| match *name {
            "sid" => format!("it has {} speakers, but its model takes no speaker", config.num_speakers),
            name => format!("its model has no input `{name}`, as Piper's have"),
        })?;
        if port.element != *element || port.shape.as_ref().is_some_and(|shape| shape.len() != *rank) {
            return Err(format!("the input `{name}` of its model is {}", describe_port(port)));
        }
    }
    if let Some(extra) = shape.inputs.iter().find(|port| !wanted.iter().any(|(name, ..)| port.name == *name))
    {
        return Err(match extra.name.as_str() {
            "sid" => "its model takes a speaker, but it says that it has one only".to_owned(),
            name => format!("its model wants an input `{name}`, which Piper's have not"),
        });
    }
    let output = shape.outputs.first().ok_or("its model gives nothing")?;
    if output.element != "f32" {
        return Err(format!("the output of its model is {}", describe_port(output)));
    }
    // Some exporters write these into the model.
    let said =
        |key: &str| shape.metadata.iter().find(|(known, _)| known == key)?.1.trim().parse::<u32>().ok();
    match (said("sample_rate"), said("n_speakers")) {
        (Some(rate), _) if rate != config.audio.sample_rate => {
            Err(format!("its model has the sample rate {rate}, it says {}", config.audio.sample_rate))
        }
        (_, Some(count)) if count.max(1) != config.num_speakers.max(1) => {
            Err(format!("its model has {count} speakers, it says {}", config.num_speakers))
        }
        _ => Ok(()),
    }
}

fn describe_port(port: &Port) -> String {
    let size = |dimension: &Dimension| match dimension {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Any(_) => "?".to_owned(),
    };
    let shape = port.shape.as_ref().map(|shape| shape.iter().map(size).collect::<Vec<_>>().join(", "));
    format!("{}[{}]", port.element, shape.unwrap_or_else(|| "…".into()))
}

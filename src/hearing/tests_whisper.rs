//! Whisper against transformers: the small model of models/make-whisper-fixture.py says the same here as there.
//!
//! `tests/whisper.sh` makes the model; without it these tests say so and pass.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use crate::mel::{Features, HOP, Mel};
use crate::whisper::{Plan, Whisper};
use crate::whisper_net::{Heard, Net};
use crate::{HearOptions, HearingError, Recogniser, Segment};

static NEVER: AtomicBool = AtomicBool::new(false);

/// What transformers said; another model brings its own along.
fn expected() -> Value {
    let beside =
        env("LECTERN_WHISPER_FIXTURE").and_then(|f| std::fs::read_to_string(f.join("expected.json")).ok());
    let text = beside.as_deref().unwrap_or(include_str!("fixtures/whisper.json"));
    serde_json::from_str(text).expect("fixtures/whisper.json")
}

#[expect(clippy::disallowed_methods, reason = "tests are told where their data lies")]
fn env(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// The folder that tests/whisper.sh fills.
pub(crate) fn fixture() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/whisper-fixture");
    let folder = env("LECTERN_WHISPER_FIXTURE").unwrap_or(made);
    let there = folder.join("merged/encoder_model.onnx").is_file();
    if !there {
        println!("skipped: no model in {}; tests/whisper.sh makes it", folder.display());
    }
    there.then_some(folder)
}

/// Its exports: the three forms that the script makes, and whatever else was put beside them.
fn exports(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found.filter(|path| path.join("encoder_model.onnx").is_file()).collect();
    found.sort();
    assert!(found.len() >= 3, "{found:?}");
    found
}

fn tones() -> Vec<i16> {
    let sound = |at: i32| {
        let turn =
            |hertz: i32| (2.0 * std::f64::consts::PI * f64::from(hertz) * f64::from(at) / 16_000.0).sin();
        let step = at / 4_000;
        let click = if at % 1_600 < 20 { 4_000.0 } else { 0.0 };
        6_000.0 * turn(200 + 50 * (step % 7)) + 3_000.0 * turn(900 + 210 * (step % 5)) + click
    };
    (0..48_000).map(|at| (sound(at) + 0.5).floor() as i16).collect()
}

/// The samples of a WAV file of 16-bit mono.
fn wav(path: &Path) -> Option<Vec<i16>> {
    let bytes = std::fs::read(path).ok()?;
    let data = bytes.windows(4).position(|w| w == b"data")? + 8;
    let length = u32::from_le_bytes(bytes[data - 4..data].try_into().ok()?) as usize;
    let end = (data + length).min(bytes.len());
    Some(bytes[data..end].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

fn clip(entry: &Value) -> Option<Vec<f32>> {
    let shared = env("LECTERN_SHARED")
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"))
        .join("data/speech");
    let files = entry["files"].as_array()?;
    let samples: Option<Vec<Vec<i16>>> = files.iter().map(|f| wav(&shared.join(f.as_str()?))).collect();
    let samples = if files.is_empty() { tones() } else { samples?.concat() };
    Some(samples.into_iter().map(|s| f32::from(s) / 32_768.0).collect())
}

/// The clips that are there, with what transformers made of them.
fn clips(long: bool) -> Vec<(String, Value, Vec<f32>)> {
    let all = expected();
    let entries = all["clips"].as_object().expect("clips");
    let wanted = entries.iter().filter(|(_, entry)| entry.get("windows").is_some() == long);
    wanted
        .filter_map(|(name, entry)| {
            let sound = clip(entry);
            if sound.is_none() {
                println!("skipped: the clip {name} is not there");
            }
            Some((name.clone(), entry.clone(), sound?))
        })
        .collect()
}

fn tokens(value: &Value) -> Vec<u32> {
    value.as_array().expect("tokens").iter().map(|t| t.as_u64().expect("a token") as u32).collect()
}

#[track_caller]
fn same(what: &str, found: &[f32], wanted: &Value, most: f64) {
    let shape: u64 = wanted["shape"].as_array().expect("shape").iter().filter_map(Value::as_u64).product();
    assert_eq!(found.len() as u64, shape, "{what}");
    let pairs =
        wanted["places"].as_array().expect("places").iter().zip(wanted["values"].as_array().expect("values"));
    let mut worst = 0.0f64;
    for (place, value) in pairs {
        let place = place.as_u64().expect("a place") as usize;
        worst = worst.max((f64::from(found[place]) - value.as_f64().expect("a value")).abs());
    }
    assert!(worst <= most, "{what}: {worst} away, {most} allowed");
    let sum: f64 = found.iter().map(|v| f64::from(*v)).sum();
    let squares: f64 = found.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
    let count = found.len() as f64;
    assert!((sum - wanted["sum"].as_f64().expect("sum")).abs() / count <= most, "{what}: sum {sum}");
    let wanted = wanted["squares"].as_f64().expect("squares");
    assert!((squares - wanted).abs() / wanted <= most, "{what}: squares {squares} {wanted}");
    println!("{what}: {worst:.1e} away at most");
}

fn plan(timestamps: bool, beams: usize) -> Plan {
    let most = expected()["new_tokens"].as_u64().expect("new_tokens") as usize;
    Plan { timestamps, beams, temperatures: vec![0.0], most, prompt: Vec::new() }
}

fn english(model: &Whisper) -> Option<u32> {
    model.config.language_token("en")
}

fn window(model: &Whisper, sound: &[f32]) -> (Features, Heard) {
    let features = model.features(sound);
    let heard = model.encode(features.cut(0, 3_000)).expect("encoded");
    (features, heard)
}

#[test]
fn features_are_those_of_transformers() {
    for (name, entry, sound) in clips(false) {
        let features = Mel::new(80).features(&sound, 3_000 * HOP);
        same(&format!("{name}: features"), &features.values, &entry["features"], 1e-4);
    }
    let sound: Vec<f32> = tones().into_iter().map(|s| f32::from(s) / 32_768.0).collect();
    let features = Mel::new(128).features(&sound, 3_000 * HOP);
    same("128 bins", &features.values, &expected()["features_128"], 1e-4);
}

#[test]
fn encoder_logits_and_languages_are_those_of_transformers() {
    let Some(folder) = fixture() else { return };
    let model = Whisper::load(&folder.join("with-past")).expect("a model");
    for (name, entry, sound) in clips(false) {
        let (_, heard) = window(&model, &sound);
        same(&format!("{name}: encoded"), &Net::values(&heard), &entry["encoded"], 1e-3);
        let (given, _) = model.given(&plan(false, 1), english(&model), false);
        let logits = model.first_logits(&heard, &given);
        same(&format!("{name}: logits"), &logits, &entry["logits"], 1e-3);
        let scores = model.language_scores(&heard).expect("scores");
        for ((code, _), score) in model.config.languages.iter().zip(&scores) {
            let wanted = entry["languages"][code].as_f64().expect("a score");
            assert!((f64::from(*score) - wanted).abs() <= 1e-3, "{name}: {code} {score} {wanted}");
        }
        let heard = model.transcribe(&sound, &HearOptions::default(), &NEVER, &mut |_| {}).expect("heard");
        assert_eq!(heard.language.as_deref(), entry["language"].as_str(), "{name}");
    }
}

#[test]
fn tokens_are_those_of_transformers() {
    let Some(folder) = fixture() else { return };
    for export in exports(&folder) {
        let model = Whisper::load(&export).expect("a model");
        let export = export.file_name().unwrap_or_default().to_string_lossy();
        for (name, entry, sound) in clips(false) {
            let (_, heard) = window(&model, &sound);
            for (mode, beams, timestamps) in [
                ("greedy", 1, false),
                ("greedy_timestamps", 1, true),
                ("beam", 5, false),
                ("beam_timestamps", 5, true),
            ] {
                let plan = plan(timestamps, beams);
                let given = model.given(&plan, english(&model), false);
                let outcome = model.decode(&heard, &plan, given, &NEVER).expect("words");
                assert_eq!(outcome.found.tokens, tokens(&entry[mode]), "{export} {name} {mode}");
                let means = if timestamps { &entry["mean_timestamps"] } else { &entry["mean"] };
                if let (1, Some(mean)) = (beams, means["mean"].as_f64()) {
                    assert!(
                        (f64::from(outcome.found.mean) - mean).abs() < 1e-3,
                        "{name}: {outcome:?} {mean}"
                    );
                }
                let silent = means["no_speech"].as_f64().expect("no_speech");
                assert!((f64::from(outcome.no_speech) / silent - 1.0).abs() < 1e-2, "{name}: {outcome:?}");
            }
        }
        println!("{export}: the same tokens");
    }
}

#[test]
fn a_prompt_goes_in_front() {
    let Some(folder) = fixture() else { return };
    let model = Whisper::load(&folder.join("merged")).expect("a model");
    let text = expected()["prompt"].as_str().expect("prompt").to_owned();
    let options =
        HearOptions { prompt: Some(format!("{text}<|endoftext|><|0.00|>")), ..HearOptions::default() };
    let prompt = model.plan(&options).expect("a plan").prompt;
    for (name, entry, sound) in clips(false) {
        let (_, heard) = window(&model, &sound);
        let plan = Plan { prompt: prompt.clone(), ..plan(false, 1) };
        let given = model.given(&plan, english(&model), true);
        let outcome = model.decode(&heard, &plan, given, &NEVER).expect("words");
        assert_eq!(outcome.found.tokens, tokens(&entry["prompted"]), "{name}");
    }
}

#[test]
fn long_recordings_go_on_where_the_last_segment_ended() {
    let Some(folder) = fixture() else { return };
    let model = Whisper::load(&folder.join("merged")).expect("a model");
    let first_time = model.config.marks.first_time.expect("times");
    for (name, entry, sound) in clips(true) {
        let mut found = Vec::new();
        let made = model.windows(&sound, &plan(true, 1), Some("en"), &NEVER, &mut |piece, _| {
            found.push(piece.clone());
            Ok(())
        });
        made.expect("windows");
        let wanted = entry["windows"].as_array().expect("windows");
        assert_eq!(found.len(), wanted.len(), "{name}: {found:?}");
        for (piece, wanted) in found.iter().zip(wanted) {
            assert_eq!(piece.tokens, tokens(&wanted["tokens"]), "{name}");
            assert_eq!(piece.start as u64 * 10, wanted["start_ms"].as_u64().expect("start"), "{name}");
            if piece.tokens.last().is_some_and(|token| *token >= first_time) {
                assert_eq!(piece.end as u64 * 10, wanted["end_ms"].as_u64().expect("end"), "{name}");
            }
        }
    }
}

#[test]
fn segments_come_in_order_and_the_work_can_be_stopped() {
    let Some(folder) = fixture() else { return };
    let model = Whisper::load(&folder.join("with-past")).expect("a model");
    assert!(model.memory_bytes() > 1_000_000);
    assert!(model.languages().expect("languages").contains(&"de".to_owned()));
    let sound: Vec<f32> =
        tones().iter().cycle().take(16_000 * 70).map(|s| f32::from(*s) / 32_768.0).collect();
    let options = HearOptions { language: Some("pt-BR".into()), ..HearOptions::default() };
    let mut live: Vec<Segment> = Vec::new();
    let made = model.transcribe(&sound, &options, &NEVER, &mut |segment| live.push(segment)).expect("heard");
    assert_eq!((made.language.as_deref(), made.duration_ms), (Some("pt"), 70_000));
    assert_eq!(made.segments, live);
    assert!(!live.is_empty());
    for segment in &live {
        assert!(segment.start_ms <= segment.end_ms && segment.end_ms <= 70_000, "{segment:?}");
        assert!(segment.words.windows(2).all(|w| w[0].end_ms == w[1].start_ms), "{segment:?}");
    }
    let stop = AtomicBool::new(false);
    let result = model
        .transcribe(&sound, &options, &stop, &mut |_| stop.store(true, std::sync::atomic::Ordering::Relaxed));
    assert!(matches!(result, Err(HearingError::Stopped)), "{result:?}");
    let odd = HearOptions { language: Some("tlh".into()), ..HearOptions::default() };
    assert!(matches!(model.transcribe(&sound, &odd, &NEVER, &mut |_| {}), Err(HearingError::Language(_))));
    assert!(model.transcribe(&[], &options, &NEVER, &mut |_| {}).expect("nothing").is_empty());
    assert!(model.transcribe(&vec![f32::NAN; 16_000], &options, &NEVER, &mut |_| {}).is_ok());
}

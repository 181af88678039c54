//! Piper voices, with the models made for the project: the right shapes, no voice.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::piper_speak::phonemise;
use crate::{
    BankVoice, PiperVoice, SAMPLE_RATE, SpeakOptions, SpeechError, Synthesizer, VoiceBank, data, piper_ids,
};

#[allow(clippy::disallowed_methods, reason = "where the shared data lies is the machine's matter")]
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LECTERN_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn cache() -> &'static Path {
    static CACHE: OnceLock<tempfile::TempDir> = OnceLock::new();
    CACHE.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

struct Bank(Vec<(&'static str, Arc<PiperVoice>)>);

impl VoiceBank for Bank {
    fn list(&self) -> Vec<BankVoice> {
        let describe = |(id, voice): &(&'static str, Arc<PiperVoice>)| BankVoice {
            id: (*id).into(),
            name: (*id).into(),
            languages: vec![voice.info().language.clone()],
            speakers: voice.info().speakers.iter().map(|(name, _)| name.clone()).collect(),
            sample_rate: voice.info().sample_rate,
            quality: voice.info().quality.clone(),
        };
        self.0.iter().map(describe).collect()
    }

    fn open(&self, id: &str) -> Result<Arc<PiperVoice>, SpeechError> {
        let found = self.0.iter().find(|(known, _)| *known == id);
        found.map(|(_, voice)| Arc::clone(voice)).ok_or_else(|| SpeechError::UnknownVoice(id.into()))
    }
}

fn load(model: &str, config: &str) -> Option<PiperVoice> {
    let (model, config) = (shared(&format!("models/{model}"))?, shared(&format!("models/{config}"))?);
    Some(PiperVoice::load(&model, &config).unwrap())
}

fn synthesizer() -> Option<Synthesizer> {
    let one = load("vits-tiny.onnx", "vits.onnx.json")?;
    let four = load("vits-tiny-4speakers.onnx", "vits-4speakers.onnx.json")?;
    let bank = Bank(vec![("one", Arc::new(one)), ("four", Arc::new(four))]);
    Some(Synthesizer::new(cache()).with_bank(Arc::new(bank)))
}

fn piper(name: &str) -> SpeakOptions {
    SpeakOptions { voice: Some(format!("piper/{name}")), noise: Some(0.0), ..SpeakOptions::default() }
}

fn heard(synthesizer: &Synthesizer, text: &str, options: &SpeakOptions) -> Vec<i16> {
    let mut samples = Vec::new();
    let info = synthesizer
        .speak(text, options, &mut |piece| {
            samples.extend_from_slice(piece);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(info.complete && info.samples == samples.len() as u64 && info.sample_rate == SAMPLE_RATE);
    samples
}

#[test]
fn a_voice_speaks() {
    let Some(synthesizer) = synthesizer() else { return };
    assert_eq!(synthesizer.bank_voices().len(), 2);
    let text = "The pump is off. Close the valve!";
    let once = heard(&synthesizer, text, &piper("one"));
    assert!(once.len() > SAMPLE_RATE as usize / 4, "{}", once.len());
    assert!(once.iter().any(|sample| sample.unsigned_abs() > 100), "there is sound");
    assert_eq!(heard(&synthesizer, text, &piper("one")), once, "without noise the same every time");
    let varied = SpeakOptions { noise: Some(1.0), ..piper("one") };
    assert_ne!(heard(&synthesizer, text, &varied), once);
}

#[test]
fn rate_and_volume_change_the_sound() {
    let Some(synthesizer) = synthesizer() else { return };
    let text = "Numbers of the plant are kept for many years in this archive";
    // Weights by chance make most phonemes as short as can be already; so only the order is looked at.
    let length = |rate| heard(&synthesizer, text, &SpeakOptions { rate, ..piper("one") }).len();
    let lengths = [80, 170, 440].map(length);
    assert!(lengths[0] > lengths[1] && lengths[1] > lengths[2], "{lengths:?}");
    let silent = heard(&synthesizer, text, &SpeakOptions { volume: 0, ..piper("one") });
    assert!(silent.iter().all(|sample| *sample == 0));
}

#[test]
fn speakers_are_chosen_by_name_and_number() {
    let Some(synthesizer) = synthesizer() else { return };
    let text = "Who is it?";
    let named = heard(&synthesizer, text, &piper("four#c"));
    assert_eq!(named, heard(&synthesizer, text, &piper("four#2")));
    let option = SpeakOptions { speaker: Some("c".into()), ..piper("four") };
    assert_eq!(named, heard(&synthesizer, text, &option));
    assert_ne!(named, heard(&synthesizer, text, &piper("four#a")));
    for wrong in ["four#x", "four#4", "four#-1"] {
        let error = synthesizer.speak(text, &piper(wrong), &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(
            matches!(error, SpeechError::UnknownSpeaker(_)) && error.hint().is_some(),
            "{wrong}: {error}"
        );
    }
    let error = synthesizer.speak(text, &piper("none"), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, SpeechError::UnknownVoice(_)), "{error}");
    let without = Synthesizer::new(cache());
    assert!(matches!(
        without.speak(text, &piper("one"), &mut |_| ControlFlow::Continue(())),
        Err(SpeechError::UnknownVoice(_))
    ));
}

#[test]
fn other_rates_are_resampled() {
    let (Some(model), Some(config)) = (shared("models/vits-tiny.onnx"), shared("models/vits.onnx.json"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("slow.onnx.json");
    let mut value: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    value["audio"]["sample_rate"] = 16_000.into();
    std::fs::write(&changed, value.to_string()).unwrap();
    let bank = Bank(vec![
        ("own", Arc::new(PiperVoice::load(&model, &config).unwrap())),
        ("slow", Arc::new(PiperVoice::load(&model, &changed).unwrap())),
    ]);
    let synthesizer = Synthesizer::new(cache()).with_bank(Arc::new(bank));
    let text = "One two three four five six seven eight nine ten";
    // Without the silence at the end, which has its own length.
    let length = |name| (heard(&synthesizer, text, &piper(name)).len() - 4_410) as f64;
    let (own, slow) = (length("own"), length("slow"));
    assert!((slow / own - 22_050.0 / 16_000.0).abs() < 0.02, "{slow} of {own}");
}

#[test]
fn stopping_ends_a_clause_that_is_being_made() {
    let Some(voice) = load("vits-medium-random.onnx", "vits.onnx.json") else { return };
    let synthesizer = Synthesizer::new(cache()).with_bank(Arc::new(Bank(vec![("m", Arc::new(voice))])));
    // The engine's start is not what is looked at.
    heard(&synthesizer, "a", &piper("m"));
    let text = "word ".repeat(45);
    let stop = AtomicBool::new(false);
    let mut pieces = 0;
    let (complete, waited) = std::thread::scope(|scope| {
        let stopper = scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(150));
            stop.store(true, Ordering::Relaxed);
            Instant::now()
        });
        let info = synthesizer
            .speak_until(&text, &piper("m"), &stop, &mut |_| {
                pieces += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        let ended = Instant::now();
        (info.complete, ended.saturating_duration_since(stopper.join().unwrap()))
    });
    assert!(!complete);
    assert_eq!(pieces, 0, "stopped before the first clause was there");
    // Generous: this machine may be busy. The bench measures it.
    assert!(waited < Duration::from_secs(1), "{waited:?}");
}

/// The crate of Piper's users, as it is published, on the same engine.
#[test]
fn piper_rs_works_unchanged() {
    let (Some(model), Some(config)) =
        (shared("models/vits-tiny-4speakers.onnx"), shared("models/vits-4speakers.onnx.json"))
    else {
        return;
    };
    lectern_neural::runtime();
    let mut piper = piper_rs::Piper::new(&model, &config).unwrap();
    assert_eq!(piper.voices().unwrap().len(), 4);
    let mut create =
        |speaker| piper.create("həlˈoʊ.", true, Some(speaker), Some(1.0), Some(0.0), Some(0.0)).unwrap();
    let (samples, rate) = create(1);
    assert!(rate == 22_050 && samples.len() > 1_000 && samples.iter().all(|sample| sample.is_finite()));
    assert_eq!(create(1).0, samples);
    assert_ne!(create(2).0, samples);
    let error = piper.create("a", true, Some(9), None, None, None).unwrap_err();
    assert!(error.to_string().contains("Inference"), "{error}");
}

/// A voice whose configuration was changed is refused, and the reason names the change.
fn refused(model: &str, config: &str, change: impl FnOnce(&mut Value), reason: &str) {
    let (Some(model), Some(config)) =
        (shared(&format!("models/{model}")), shared(&format!("models/{config}")))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("voice.onnx.json");
    let mut value: Value = serde_json::from_slice(&std::fs::read(config).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(&file, value.to_string()).unwrap();
    let error = PiperVoice::load(&model, &file).unwrap_err();
    assert!(matches!(error, SpeechError::Unfit { .. }) && error.hint().is_some(), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn configurations_that_do_not_fit_are_refused() {
    let (one, four) =
        (("vits-tiny.onnx", "vits.onnx.json"), ("vits-tiny-4speakers.onnx", "vits-4speakers.onnx.json"));
    refused(one.0, four.1, |_| {}, "takes no speaker");
    refused(four.0, one.1, |_| {}, "takes a speaker");
    refused(four.0, four.1, |value| value["num_speakers"] = 9.into(), "what it promises");
    refused(
        four.0,
        four.1,
        |value| {
            value["num_speakers"] = 2.into();
            value["speaker_id_map"] = serde_json::json!({"a": 0, "b": 1});
        },
        "more than the 2 speakers",
    );
    refused(four.0, four.1, |value| value["speaker_id_map"]["a"] = 4.into(), "has the number 4");
    refused(
        one.0,
        one.1,
        |value| value["phoneme_id_map"]["a"] = serde_json::json!([4000]),
        "what it promises",
    );
    refused(
        one.0,
        one.1,
        |value| value["phoneme_id_map"]["a"] = serde_json::json!([-1]),
        "`a` has the number",
    );
    refused(one.0, one.1, |value| value["phoneme_id_map"]["ab"] = serde_json::json!([1]), "several letters");
    refused(
        one.0,
        one.1,
        |value| drop(value["phoneme_id_map"].as_object_mut().unwrap().remove("^")),
        "the sign `^`",
    );
    refused(one.0, one.1, |value| value["audio"]["sample_rate"] = 7.into(), "sample rate is 7");
    refused(one.0, one.1, |value| value["inference"]["length_scale"] = (1e9).into(), "speed or noise");
    refused(one.0, one.1, |value| value["espeak"]["voice"] = "".into(), "no voice of eSpeak");
    refused(one.0, one.1, |value| value["phoneme_type"] = "pinyin".into(), "pinyin");
    refused(one.0, one.1, |value| *value = 3.into(), "incomplete");
}

#[test]
fn another_model_is_no_voice() {
    let (Some(model), Some(config)) = (shared("models/minilm-int8.onnx"), shared("models/vits.onnx.json"))
    else {
        return;
    };
    let error = PiperVoice::load(&model, &config).unwrap_err();
    assert!(error.to_string().contains("no input `input`"), "{error}");
}

/// Every sentence that Piper's authors keep with its phonemes and their numbers.
fn kept_sentences() -> Vec<(String, Value)> {
    let Some(folder) = shared("data/voices/piper-test-sentences") else { return Vec::new() };
    let mut sentences = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(voice) = name.strip_prefix("test_").and_then(|name| name.strip_suffix(".jsonl")) else {
            continue;
        };
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            sentences.push((voice.to_owned(), serde_json::from_str(line).unwrap()));
        }
    }
    sentences
}

fn standard_map() -> Option<std::collections::HashMap<char, Vec<i64>>> {
    let path = shared("data/voices/piper-config/test_voice.onnx.json")?;
    let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut map: std::collections::HashMap<char, Vec<i64>> =
        serde_json::from_value(value["phoneme_id_map"].clone()).unwrap();
    // The kept sentences were made with a later map, which goes on with tones and marks.
    let later = "0123456789\u{327}\u{303}\u{32a}\u{32f}\u{329}ʰˤε↓#\"↑";
    map.extend(later.chars().zip(130..).map(|(symbol, id)| (symbol, vec![id])));
    Some(map)
}

#[test]
fn numbers_are_those_of_piper() {
    let Some(map) = standard_map() else { return };
    let sentences = kept_sentences();
    assert!(sentences.len() > 50);
    for (voice, sentence) in sentences {
        let phonemes: String =
            serde_json::from_value::<Vec<String>>(sentence["phonemes"].clone()).unwrap().concat();
        let wanted: Vec<i64> = serde_json::from_value(sentence["phoneme_ids"].clone()).unwrap();
        assert_eq!(piper_ids::ids(&map, &phonemes), wanted, "{voice}: {}", sentence["text"]);
    }
}

/// Piper had an older eSpeak; most phonemes are the same still.
#[test]
fn phonemes_are_those_of_piper() {
    let data = data::unpacked(cache()).unwrap();
    let mut by_voice = std::collections::BTreeMap::<String, (usize, usize, usize, usize)>::new();
    for (voice, sentence) in kept_sentences() {
        let wanted: String =
            serde_json::from_value::<Vec<String>>(sentence["phonemes"].clone()).unwrap().concat();
        let voice = if voice == "zh-cn" { "cmn".to_owned() } else { voice };
        let ours = phonemise(sentence["text"].as_str().unwrap(), &voice, &data).unwrap();
        let row = by_voice.entry(voice).or_default();
        row.0 += usize::from(ours == wanted);
        row.1 += 1;
        row.2 += distance(&ours, &wanted);
        row.3 += wanted.chars().count();
        if ours != wanted {
            println!("ours  {ours}\npiper {wanted}");
        }
    }
    for (voice, (same, all, apart, length)) in &by_voice {
        let share = *apart as f64 / *length as f64;
        println!("{voice}: {same} of {all} the same, {:.1} % of the phonemes differ", share * 100.0);
        assert!(share < 0.12, "{voice}: {share}");
    }
}

fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (place, b) in other.iter().enumerate() {
            let cost = (diagonal + usize::from(a != *b)).min(row[place] + 1).min(row[place + 1] + 1);
            diagonal = std::mem::replace(&mut row[place + 1], cost);
        }
    }
    row[other.len()]
}

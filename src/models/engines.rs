//! The engines, as models need them: which one runs, loading, and a first run of each kind of model.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use lectern_hearing::{HearOptions, RATE, Recogniser, Silero, Whisper};
use lectern_inference::{Embedder, Kind as Text, Reranker};
use lectern_kernel::{Code, Error, Result};
use lectern_neural::RuntimeChoice;
use lectern_speech::PiperVoice;

use crate::manifest::{Facts, Kind, refused};
use crate::model::RuntimeView;
use crate::shapes;

/// What a text model is tried with.
const QUESTION: &str = "When does the pump stop?";
const PASSAGES: [&str; 2] = ["The pump stops at 95 degrees.", "On Thursdays there is pea soup."];

/// Which engine the configuration wants.
pub(crate) fn choice(config: &lectern_config::Models) -> RuntimeChoice {
    let library = Some(&config.onnxruntime).filter(|path| !path.is_empty());
    RuntimeChoice { onnxruntime: library.map(Into::into), cuda: config.cuda, threads: config.threads }
}

/// Starts the engine. Once in a process: another choice later is an error.
pub(crate) fn start(choice: &RuntimeChoice) -> Result<()> {
    lectern_neural::init(choice).map(drop).map_err(|error| {
        let refusal = Error::new(Code::ModelRefused, sentence(&error.to_string()));
        match error.hint() {
            Some(hint) => refusal.hint(sentence(hint)),
            None => refusal,
        }
    })
}

pub(crate) fn runtime() -> RuntimeView {
    let info = lectern_neural::runtime();
    RuntimeView {
        name: info.name.to_owned(),
        version: info.version,
        device: info.device.to_owned(),
        threads: info.threads,
    }
}

/// Looks at the model in `folder`, loads it and runs a tiny input.
pub(crate) fn try_out(folder: &Path, kinds: &[Kind]) -> Result<(Kind, Facts)> {
    let kind = if kinds == [Kind::Recogniser] {
        Kind::Recogniser
    } else {
        let shape = lectern_neural::inspect(&folder.join("model.onnx"));
        shapes::check(&shape.map_err(|e| unfit(folder, &e, e.hint()))?, kinds)?
    };
    let facts = match kind {
        Kind::Vad => detector(folder)?,
        Kind::Embedding => embedding(folder)?,
        Kind::Reranker => reranker(folder)?,
        Kind::Voice => voice(folder)?,
        Kind::Recogniser => recogniser(folder)?,
    };
    Ok((kind, facts))
}

/// An engine's error in words for who brought the model: without the folder, which is ours.
pub(crate) fn unfit(folder: &Path, error: &dyn std::fmt::Display, hint: Option<&str>) -> Error {
    let inside = format!("{}/", folder.display());
    let text = error.to_string().replace(&inside, "").replace(&folder.display().to_string(), "the model");
    let refusal = refused(sentence(&text));
    match hint {
        Some(hint) => refusal.hint(sentence(hint)),
        None => refusal,
    }
}

/// With a capital letter and a full stop, which engines leave out.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// What a piece of work gave, and its milliseconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let value = work();
    (value, started.elapsed().as_secs_f64() * 1e3)
}

pub(crate) fn load_embedder(folder: &Path) -> Result<Embedder> {
    Embedder::load(folder).map_err(|e| unfit(folder, &e, Some(e.hint())))
}

pub(crate) fn load_reranker(folder: &Path) -> Result<Reranker> {
    Reranker::load(folder).map_err(|e| unfit(folder, &e, Some(e.hint())))
}

/// Refuses a configuration that does not fit its graph.
pub(crate) fn load_voice(folder: &Path) -> Result<PiperVoice> {
    PiperVoice::load(&folder.join("model.onnx"), &folder.join("model.onnx.json"))
        .map_err(|e| unfit(folder, &e, e.hint()))
}

pub(crate) fn load_recogniser(folder: &Path) -> Result<Whisper> {
    Whisper::load(folder).map_err(|e| unfit(folder, &e, e.hint()))
}

pub(crate) fn load_detector(folder: &Path) -> Result<Silero> {
    Silero::load(&folder.join("model.onnx")).map_err(|e| unfit(folder, &e, e.hint()))
}

/// Loading a detector makes it hear silence.
fn detector(folder: &Path) -> Result<Facts> {
    let (model, load_ms) = timed(|| load_detector(folder));
    model.map(|_| Facts { memory_bytes: Silero::MEMORY_BYTES, load_ms, ..Facts::default() })
}

/// Loading a voice makes it speak.
fn voice(folder: &Path) -> Result<Facts> {
    let (voice, load_ms) = timed(|| load_voice(folder));
    let voice = voice?;
    let info = voice.info();
    Ok(Facts {
        memory_bytes: voice.memory_bytes(),
        sample_rate: Some(info.sample_rate),
        speakers: Some(info.speakers.len().max(1) as u32),
        speaker_names: info.speakers.iter().map(|(name, _)| name.clone()).collect(),
        quality: Some(info.quality.clone()).filter(|quality| !quality.is_empty()),
        languages: vec![info.language.clone()],
        load_ms,
        ..Facts::default()
    })
}

/// Half a second of a quiet tone: whatever is heard in it, it must come to an end.
fn recogniser(folder: &Path) -> Result<Facts> {
    let (model, load_ms) = timed(|| load_recogniser(folder));
    let model = model?;
    let tone = |at: usize| 0.05 * (at as f32 * 440.0 * std::f32::consts::TAU / RATE as f32).sin();
    let audio: Vec<f32> = (0..RATE as usize / 2).map(tone).collect();
    let options = HearOptions { temperature: Some(0.0), ..HearOptions::default() };
    let (heard, run_ms) = timed(|| model.transcribe(&audio, &options, &AtomicBool::new(false), &mut |_| {}));
    heard.map_err(|e| unfit(folder, &e, e.hint()))?;
    let languages = model.languages().unwrap_or_default();
    Ok(Facts { memory_bytes: model.memory_bytes(), languages, load_ms, run_ms, ..Facts::default() })
}

fn embedding(folder: &Path) -> Result<Facts> {
    let (model, load_ms) = timed(|| load_embedder(folder));
    let model = model?;
    // Both ways in, so that what they take together is seen.
    let (vectors, run_ms) = timed(|| {
        model.embed(&[QUESTION], Text::Query)?;
        model.embed(&PASSAGES, Text::Passage)
    });
    let vectors = vectors.map_err(|e| unfit(folder, &e, Some(e.hint())))?;
    if vectors.iter().flatten().any(|x| !x.is_finite()) || vectors[0] == vectors[1] {
        return Err(refused("The model gives the same for different texts, or no numbers."));
    }
    let (memory_bytes, dimensions) = (model.memory_bytes(), Some(model.dimensions() as u32));
    Ok(Facts { memory_bytes, dimensions, load_ms, run_ms, ..Facts::default() })
}

fn reranker(folder: &Path) -> Result<Facts> {
    let (model, load_ms) = timed(|| load_reranker(folder));
    let model = model?;
    let (scores, run_ms) = timed(|| model.score(QUESTION, &PASSAGES));
    let scores = scores.map_err(|e| unfit(folder, &e, Some(e.hint())))?;
    if scores.iter().any(|x| !x.is_finite()) || scores.len() != PASSAGES.len() {
        return Err(refused("The model gives no scores."));
    }
    Ok(Facts { memory_bytes: model.memory_bytes(), load_ms, run_ms, ..Facts::default() })
}

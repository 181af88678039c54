//! First runs and banks with real graphs, when they are beside the repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lectern_inference::{Kind as Text, MeaningBank};
use lectern_kernel::{Clock, Code, Result, SystemClock, Timestamp};
use lectern_store::Stores;
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::import::Piece;
use crate::model::NewImport;
use crate::{CONTROL_MIGRATIONS, Facts, Kind, ModelView, Models, Trial, engines};

fn shared(path: &str) -> Option<PathBuf> {
    let base = lectern_config::variable("LECTERN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = base.join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: {} is not there", found.display());
    None
}

/// A folder as an import stages it.
fn staged(files: &[(&str, &str)]) -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in files {
        std::fs::copy(shared(from)?, folder.path().join(to)).unwrap();
    }
    Some(folder)
}

const MINILM: &[(&str, &str)] =
    &[("models/minilm-int8.onnx", "model.onnx"), ("models/minilm-tokenizer.json", "tokenizer.json")];

#[test]
fn an_embedding_model_is_recognised_and_runs() {
    let Some(folder) = staged(MINILM) else { return };
    let (kind, facts) = engines::try_out(folder.path(), &[Kind::Embedding, Kind::Reranker]).unwrap();
    assert_eq!((kind, facts.dimensions), (Kind::Embedding, Some(384)));
    assert!(facts.memory_bytes > 20_000_000, "{facts:?}");
    let error = engines::try_out(folder.path(), &[Kind::Vad]).unwrap_err();
    assert!(error.detail.contains("'embedding'") && error.detail.contains("input_ids"), "{error}");
}

#[test]
fn a_detector_of_speech_is_recognised_and_runs() {
    let Some(folder) = staged(&[("data/vad/silero_vad.onnx", "model.onnx")]) else { return };
    assert_eq!(engines::try_out(folder.path(), &[Kind::Vad]).unwrap().0, Kind::Vad);
}

#[test]
fn a_model_without_what_belongs_to_it_is_refused_by_name() {
    let Some(voice) = staged(&[("models/vits-tiny.onnx", "model.onnx")]) else { return };
    let error = engines::try_out(voice.path(), &[Kind::Vad]).unwrap_err();
    assert!(
        error.detail.contains("'voice'") && error.hint.as_deref().is_some_and(|h| h.contains("X.onnx.json"))
    );
    let Some(text) = staged(&MINILM[..1]) else { return };
    std::fs::write(text.path().join("tokenizer.json"), "{}").unwrap();
    let error = engines::try_out(text.path(), &[Kind::Embedding]).unwrap_err();
    assert!(error.detail.contains("tokenizer") && !error.detail.contains("/tmp"), "{error}");
}

#[test]
fn damaged_graphs_are_refused() {
    let Some(folder) = staged(MINILM) else { return };
    let path = folder.path().join("model.onnx");
    let whole = std::fs::read(&path).unwrap();
    let garbage = [vec![0x0a; 75], Vec::new(), whole[..whole.len() / 2].to_vec(), b"not a model".to_vec()];
    for bytes in garbage {
        std::fs::write(&path, &bytes).unwrap();
        let error = engines::try_out(folder.path(), &[Kind::Embedding]).unwrap_err();
        assert_eq!(error.code, Code::ModelRefused, "{error}");
        assert!(!error.detail.contains(&folder.path().display().to_string()), "{error}");
    }
}

/// Runs the trial in this process.
struct Here;

#[async_trait]
impl Trial for Here {
    async fn run(&self, folder: &Path, kinds: &[Kind], _: u64) -> Result<(Kind, Facts)> {
        engines::try_out(folder, kinds)
    }
}

struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

fn open(folder: &Path, clock: Arc<dyn Clock>) -> Models {
    let stores = Stores::open(folder, CONTROL_MIGRATIONS, Vec::new(), clock).unwrap();
    let config = lectern_config::Config::load(None, &[]).unwrap().models;
    Models::open(stores, &config, 0, Arc::new(Here)).unwrap()
}

async fn import(models: &Models, files: &[(&str, PathBuf)]) -> Result<ModelView> {
    let mut progress = models.begin_import(None);
    let intake = models.intake(None)?;
    for (name, path) in files {
        let data = Piece::Data(std::fs::read(path).unwrap().into());
        for piece in [Piece::File((*name).to_owned()), data, Piece::End] {
            // What is refused while it comes is told at the end.
            let _ = intake.pieces.send(piece).await;
        }
    }
    let _ = intake.pieces.send(Piece::Complete).await;
    let received = intake.finish().await?;
    models
        .install(&crate::tests::somebody(), received, NewImport::default(), &mut progress)
        .await
        .map(|(view, _)| view)
}

#[tokio::test]
async fn the_chosen_model_is_loaded_on_use_and_unloaded_when_idle() {
    let (Some(graph), Some(tokenizer)) =
        (shared("models/minilm-int8.onnx"), shared("models/minilm-tokenizer.json"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hand(Mutex::new(SystemClock.now())));
    let models = open(folder.path(), clock.clone());
    assert!(models.embedding_model().is_none() && models.embedder().unwrap().is_none());
    let files = [("minilm/model.onnx", graph), ("minilm/tokenizer.json", tokenizer)];
    let view = import(&models, &files).await.unwrap();
    assert_eq!((view.in_use, view.loaded), (Some(true), false));
    let name = models.embedding_model().unwrap();
    assert!(name.starts_with("minilm@"), "{name}");
    let embedder = models.embedder().unwrap().unwrap();
    assert_eq!(embedder.embed(&["a"], Text::Query).unwrap()[0].len(), 384);
    assert!(models.view().items[0].loaded);
    drop(embedder);
    *clock.0.lock() = clock.now().plus(Duration::from_secs(601));
    models.inner.residency.sweep();
    let item = models.view().items.remove(0);
    assert!(!item.loaded && item.memory_bytes == 0 && item.last_used_at.is_some());
    // A file that changed on the disk is found before it is loaded by a new process.
    drop(models);
    std::fs::write(folder.path().join("models/minilm/tokenizer.json"), "{}").unwrap();
    let models = open(folder.path(), clock);
    assert!(models.embedder().is_err());
    assert!(models.embedding_model().is_none(), "what has a problem is not used");
    assert!(models.view().items[0].problem.as_deref().is_some_and(|p| p.contains("tokenizer.json")));
}

#[tokio::test]
async fn the_known_detector_is_known_whatever_it_is_called() {
    let Some(silero) = shared("data/vad/silero_vad.onnx") else { return };
    let folder = tempfile::tempdir().unwrap();
    let models = open(folder.path(), Arc::new(SystemClock));
    let view = import(&models, &[("download (1).onnx", silero)]).await.unwrap();
    assert_eq!((view.name.as_str(), view.known, view.licence.as_str()), ("silero-vad", true, "MIT"));
    assert!(lectern_hearing::RecogniserBank::detector(&models).is_some());
    models.set_in_use(&crate::tests::somebody(), "silero-vad", false).await.unwrap();
    assert!(lectern_hearing::RecogniserBank::detector(&models).is_none());
    assert!(models.view().known.iter().all(|known| known.name != "silero-vad"));
}

//! Imports on a temporary folder with a trial run that is told what to say.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::{Code, Error, Result, Scope, SystemClock, TenantId};
use lectern_store::Stores;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::import::Piece;
use crate::manifest::refused;
use crate::model::{ImportState, NewImport};
use crate::stage::STAGING;
use crate::{CONTROL_MIGRATIONS, Facts, Kind, ModelView, Models, Trial};

pub(crate) fn somebody() -> Scope {
    Scope::system(TenantId::main())
}

struct Says(Option<Kind>);

#[async_trait]
impl Trial for Says {
    async fn run(&self, folder: &Path, kinds: &[Kind], _: u64) -> Result<(Kind, Facts)> {
        assert!(folder.join("model.onnx").exists());
        match self.0 {
            Some(kind) if kinds.contains(&kind) => {
                Ok((kind, Facts { memory_bytes: 1000, ..Facts::default() }))
            }
            _ => Err(refused("It does not work.")),
        }
    }
}

fn models_in(folder: &TempDir, trial: Says) -> Models {
    let stores = Stores::open(folder.path(), CONTROL_MIGRATIONS, Vec::new(), Arc::new(SystemClock)).unwrap();
    let config = lectern_config::Config::load(None, &[]).unwrap().models;
    Models::open(stores, &config, 0, Arc::new(trial)).unwrap()
}

fn models(kind: Option<Kind>) -> (TempDir, Models) {
    let folder = tempfile::tempdir().unwrap();
    let models = models_in(&folder, Says(kind));
    (folder, models)
}

async fn import(models: &Models, files: &[(&str, &[u8])], new: NewImport) -> Result<(ModelView, bool)> {
    let mut progress = models.begin_import(None);
    let intake = models.intake(None)?;
    for (name, bytes) in files {
        let _ = intake.pieces.send(Piece::File((*name).to_owned())).await;
        // In odd pieces, as the network has them.
        for piece in bytes.chunks(700) {
            let _ = intake.pieces.send(Piece::Data(bytes::Bytes::copy_from_slice(piece))).await;
        }
        let _ = intake.pieces.send(Piece::End).await;
    }
    let _ = intake.pieces.send(Piece::Complete).await;
    let received = intake.finish().await?;
    let done = models.install(&somebody(), received, new, &mut progress).await;
    progress.state(ImportState::Done);
    done
}

fn named(name: &str) -> NewImport {
    NewImport { name: Some(name.to_owned()), ..NewImport::default() }
}

/// What is in the models' folder, staging included.
fn left(folder: &TempDir) -> Vec<String> {
    let base = folder.path().join("models");
    let names = |path: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
    };
    let mut all: Vec<_> = names(&base).into_iter().filter(|n| n != STAGING).collect();
    all.extend(names(&base.join(STAGING)));
    all.sort();
    all
}

fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A ustar entry (POSIX.1-1988).
fn entry(name: &str, kind: u8, bytes: &[u8], says: u64) -> Vec<u8> {
    let mut head = vec![0_u8; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[100..107].copy_from_slice(b"0000644");
    head[124..135].copy_from_slice(format!("{says:011o}").as_bytes());
    head[156] = kind;
    head[257..263].copy_from_slice(b"ustar\0");
    head[148..156].fill(b' ');
    let sum: u64 = head.iter().map(|b| u64::from(*b)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    head.extend_from_slice(bytes);
    head.resize(head.len().next_multiple_of(512), 0);
    head
}

fn manifest(name: &str, files: &[(&str, &str, usize)]) -> String {
    let files: Vec<_> = files
        .iter()
        .map(|(name, sha256, bytes)| serde_json::json!({"name": name, "sha256": sha256, "bytes": bytes}))
        .collect();
    serde_json::json!({"format": 1, "name": name, "kind": "vad", "licence": "MIT", "files": files})
        .to_string()
}

fn bundle(manifest: &str, entries: &[Vec<u8>]) -> Vec<u8> {
    let mut all = entry("manifest.json", b'0', manifest.as_bytes(), manifest.len() as u64);
    for entry in entries {
        all.extend_from_slice(entry);
    }
    all.extend_from_slice(&[0; 1024]);
    all
}

fn good_bundle() -> Vec<u8> {
    let model = [7_u8; 1300];
    let text = manifest("a-vad", &[("model.onnx", &hex(&model), 1300), ("empty.json", &hex(b""), 0)]);
    bundle(&text, &[entry("model.onnx", b'0', &model, 1300), entry("empty.json", b'0', b"", 0)])
}

#[tokio::test]
async fn a_bundle_comes_in_is_chosen_and_survives_a_restart() {
    let (folder, models) = models(Some(Kind::Vad));
    let (view, created) =
        import(&models, &[("x.lectern-model", &good_bundle())], NewImport::default()).await.unwrap();
    assert!(created && view.in_use == Some(true) && !view.known, "{view:?}");
    assert_eq!(
        (view.name.as_str(), view.kind, view.bytes, view.facts.memory_bytes),
        ("a-vad", Kind::Vad, 1300, 1000)
    );
    assert_eq!(left(&folder), ["a-vad"]);
    let again = import(&models, &[("x.lectern-model", &good_bundle())], NewImport::default()).await.unwrap();
    assert!(!again.1, "the same model is there already");
    drop(models);
    let models = models_in(&folder, Says(Some(Kind::Vad)));
    assert_eq!(models.view().items[0].in_use, Some(true));
    assert!(models.verify("a-vad").await.unwrap().ok);
    models.remove(&somebody(), "a-vad").await.unwrap();
    assert_eq!((left(&folder).len(), models.view().items.len()), (0, 0));
}

#[tokio::test]
async fn hostile_bundles_are_refused_and_leave_nothing() {
    let model = [7_u8; 600];
    let hash = hex(&model);
    let plain = manifest("m", &[("model.onnx", &hash, 600)]);
    let whole = entry("model.onnx", b'0', &model, 600);
    let cut = bundle(&plain, std::slice::from_ref(&whole));
    let wrong = [("model.onnx", "0".repeat(64))];
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "not the one",
            bundle(&manifest("m", &[("model.onnx", &wrong[0].1, 600)]), std::slice::from_ref(&whole)),
        ),
        (
            "upwards",
            bundle(
                &manifest("m", &[("../model.onnx", &hash, 600)]),
                &[entry("../model.onnx", b'0', &model, 600)],
            ),
        ),
        (
            "name upwards",
            bundle(&manifest("../m", &[("model.onnx", &hash, 600)]), std::slice::from_ref(&whole)),
        ),
        ("not announced", bundle(&plain, &[entry("other.onnx", b'0', &model, 600)])),
        ("twice", bundle(&plain, &[whole.clone(), whole.clone()])),
        ("symbolic link", bundle(&plain, &[entry("model.onnx", b'2', &[], 0)])),
        ("hard link", bundle(&plain, &[entry("model.onnx", b'1', &[], 0)])),
        ("device", bundle(&plain, &[entry("model.onnx", b'3', &[], 0)])),
        ("larger than said", bundle(&plain, &[entry("model.onnx", b'0', &[7; 700], 700)])),
        ("bomb", bundle(&manifest("m", &[("model.onnx", &hash, usize::MAX)]), &[])),
        ("size of 2^33", bundle(&plain, &[entry("model.onnx", b'0', &[], 0o77_777_777_777)])),
        ("no file", bundle(&plain, &[])),
        ("cut", cut[..1200].to_vec()),
        ("large manifest", entry("manifest.json", b'0', &[b' '; 300 << 10], 300 << 10)),
        ("no manifest first", [whole.clone(), cut.clone()].concat()),
        ("manifest is no JSON", bundle("{", &[])),
        ("no archive", b"hello".to_vec()),
        ("empty", Vec::new()),
    ];
    let (folder, models) = models(Some(Kind::Vad));
    for (what, bytes) in cases {
        let error =
            import(&models, &[("x.lectern-model", &bytes)], NewImport::default()).await.expect_err(what);
        assert!(matches!(error.code, Code::ModelRefused | Code::TooLarge), "{what}: {error:?}");
        assert_eq!(left(&folder), Vec::<String>::new(), "{what}");
    }
    assert!(!folder.path().join("model.onnx").exists() && !folder.path().join("models/model.onnx").exists());
}

#[tokio::test]
async fn every_change_of_a_bundle_is_noticed_or_harmless() {
    let (folder, models) = models(Some(Kind::Vad));
    let good = good_bundle();
    for at in (0..good.len()).step_by(13) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x15;
        if let Ok((view, _)) = import(&models, &[("x.lectern-model", &bytes)], NewImport::default()).await {
            assert_eq!(view.files.iter().map(|f| f.bytes).sum::<u64>(), 1300, "at {at}");
            models.remove(&somebody(), &view.name).await.unwrap();
        }
        assert!(left(&folder).is_empty(), "at {at}");
    }
}

#[tokio::test]
async fn a_model_that_fails_its_trial_leaves_nothing() {
    let (folder, models) = models(None);
    let error = import(&models, &[("silero.onnx", b"x")], NewImport::default()).await.unwrap_err();
    assert_eq!((error.code, error.detail.as_str()), (Code::ModelRefused, "It does not work."));
    assert!(left(&folder).is_empty());
}

#[tokio::test]
async fn files_get_their_names_and_the_rest_goes() {
    let (folder, models) = models(Some(Kind::Embedding));
    let files: &[(&str, &[u8])] = &[
        ("export/onnx/model_quantized.onnx", b"graph"),
        ("export/tokenizer.json", b"{}"),
        ("export/README (1).md", b"read me"),
        ("export/.gitattributes", b"*"),
        ("export/config.json", br#"{"_name_or_path": "org/small-model"}"#),
        ("export/1_Pooling/config.json", b"{\"a\":1}"),
    ];
    let (view, _) = import(&models, files, NewImport::default()).await.unwrap();
    let names: Vec<_> = view.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["model.onnx", "tokenizer.json", "config.json", "pooling.json"]);
    assert_eq!((view.name.as_str(), view.kind), ("small-model", Kind::Embedding));
    let mut on_disk: Vec<_> =
        std::fs::read_dir(folder.path().join("models/small-model")).unwrap().flatten().collect();
    on_disk.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(on_disk.len(), 5, "the manifest and nothing else beside them");
    assert_eq!(std::fs::read(folder.path().join("models/small-model/model.onnx")).unwrap(), b"graph");
}

#[tokio::test]
async fn a_folder_names_what_its_files_do_not() {
    let (_folder, models) = models(Some(Kind::Embedding));
    let files: &[(&str, &[u8])] = &[("other-model/model.onnx", b"g"), ("other-model/tokenizer.json", b"{}")];
    assert_eq!(import(&models, files, NewImport::default()).await.unwrap().0.name, "other-model");
}

#[tokio::test]
async fn names_that_are_no_names_and_names_that_are_taken() {
    let (_folder, models) = models(Some(Kind::Vad));
    for bad in ["../x.onnx", ".x.onnx", "a b.onnx", "model.onnx"] {
        let outcome = import(&models, &[(bad, b"x")], NewImport::default()).await;
        // The last part of a path is a name, as far as it can be one; a bare model.onnx tells none.
        assert_eq!(outcome.is_ok(), bad != "model.onnx", "{bad}");
    }
    for bad in ["../up", "", "a/b", "."] {
        assert!(import(&models, &[("y.onnx", b"x")], named(bad)).await.is_err(), "{bad}");
    }
    let taken = import(&models, &[("x.onnx", b"something else")], NewImport::default()).await.unwrap_err();
    assert_eq!(taken.code, Code::Conflict);
    let known = import(&models, &[("x.onnx", b"y")], named("silero-vad")).await.unwrap_err();
    assert!(known.detail.contains("SHA-256"), "{known}");
    assert!(import(&models, &[("x.onnx", b"x"), ("x.onnx", b"y")], named("n")).await.is_err());
}

#[tokio::test]
async fn a_crash_before_the_rename_leaves_no_model() {
    let (folder, models) = models(Some(Kind::Vad));
    let half = folder.path().join("models").join(STAGING).join("req_1");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("model.onnx"), b"half").unwrap();
    std::fs::write(half.join("manifest.json"), b"{}").unwrap();
    drop(models);
    let models = models_in(&folder, Says(None));
    assert!(left(&folder).is_empty() && models.view().items.is_empty());
}

#[tokio::test]
async fn a_sender_that_goes_away_leaves_nothing() {
    let (folder, models) = models(Some(Kind::Vad));
    let intake = models.intake(None).unwrap();
    intake.pieces.send(Piece::File("m.onnx".into())).await.unwrap();
    intake.pieces.send(Piece::Data(vec![1; 4096].into())).await.unwrap();
    assert!(intake.finish().await.is_err());
    assert!(left(&folder).is_empty());
}

#[tokio::test]
async fn a_changed_file_is_found_and_the_model_is_no_longer_used() {
    let (folder, models) = models(Some(Kind::Vad));
    import(&models, &[("v.onnx", b"right")], NewImport::default()).await.unwrap();
    std::fs::write(folder.path().join("models/v/model.onnx"), b"wrong").unwrap();
    let verified = models.verify("v").await.unwrap();
    assert!(!verified.ok && verified.model.problem.as_deref().is_some_and(|p| p.contains("model.onnx")));
    assert_eq!(models.set_in_use(&somebody(), "v", true).await.unwrap_err().code, Code::Conflict);
    std::fs::write(folder.path().join("models/v/model.onnx"), b"right").unwrap();
    assert!(models.verify("v").await.unwrap().ok);
    assert_eq!(models.set_in_use(&somebody(), "v", true).await.unwrap().in_use, Some(true));
    assert_eq!(models.set_in_use(&somebody(), "v", false).await.unwrap().in_use, Some(false));
    let nothing: Error = models.verify("nothing").await.unwrap_err();
    assert_eq!(nothing.code, Code::NotFound);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_and_while_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let stores = Stores::open(folder.path(), CONTROL_MIGRATIONS, Vec::new(), Arc::new(SystemClock)).unwrap();
    let mut config = lectern_config::Config::load(None, &[]).unwrap().models;
    config.max_size = lectern_config::ByteSize(1000);
    let models = Models::open(stores.clone(), &config, 0, Arc::new(Says(Some(Kind::Vad)))).unwrap();
    assert_eq!(models.intake(Some(2000)).err().unwrap().code, Code::TooLarge);
    let error = import(&models, &[("m.onnx", &[0; 1001])], NewImport::default()).await.unwrap_err();
    assert_eq!(error.code, Code::TooLarge);
    let full = Models::open(stores, &config, u64::MAX, Arc::new(Says(Some(Kind::Vad)))).unwrap();
    assert_eq!(full.intake(Some(10)).err().unwrap().code, Code::StorageFull);
    assert!(left(&folder).is_empty());
}

#[tokio::test]
async fn what_is_done_with_models_is_in_the_appliances_record() {
    let (_folder, models) = models(Some(Kind::Vad));
    import(&models, &[("v.onnx", b"right")], NewImport::default()).await.unwrap();
    import(&models, &[("v.onnx", b"right")], NewImport::default()).await.unwrap();
    models.set_in_use(&somebody(), "v", false).await.unwrap();
    models.set_in_use(&somebody(), "v", true).await.unwrap();
    models.remove(&somebody(), "v").await.unwrap();
    let kept = models.inner.stores.control().read_now(|tx| lectern_store::audit::from(tx, 0, 100)).unwrap();
    let entries: Vec<serde_json::Value> =
        kept.iter().map(|kept| serde_json::from_str(kept.entry.as_deref().unwrap()).unwrap()).collect();
    let told: Vec<_> =
        entries.iter().map(|e| (e["action"].as_str().unwrap(), e["object"].as_str().unwrap())).collect();
    let actions = ["model.imported", "model.chosen", "model.released", "model.chosen", "model.removed"];
    assert_eq!(told, actions.map(|action| (action, "v")));
    assert_eq!((&entries[0]["after"]["kind"], &entries[0]["after"]["bytes"]), (&"vad".into(), &5.into()));
    assert_eq!(entries[1]["before"]["model"], serde_json::Value::Null);
}

//! `lectern models`, on the folder of a real export, with the server running and without.

use std::path::Path;

use lectern_testkit::TestApp;
use serde_json::Value;

use super::run;
use crate::{LECTERN, shared};

fn check_commands(data: &Path, folder: &Path) {
    let (code, out, err) = run(&["models", "import", "--json", folder.to_str().unwrap()], data);
    assert_eq!(code, 0, "{out}{err}");
    let told: Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!(
        (told["status"].as_str(), told["model"]["name"].as_str()),
        (Some("imported"), Some("small-minilm"))
    );
    assert_eq!(
        (told["model"]["kind"].as_str(), told["model"]["in_use"].as_bool()),
        (Some("embedding"), Some(true))
    );
    let (code, out, _) = run(&["models", "import", folder.to_str().unwrap()], data);
    assert!(code == 0 && out.contains("there already"), "{out}");
    let (code, out, _) = run(&["models", "list", "--known"], data);
    assert!(code == 0 && out.contains("small-minilm  embedding  23.") && out.contains("in use"), "{out}");
    assert!(out.contains("silero-vad"), "{out}");
    let (code, out, _) = run(&["models", "verify"], data);
    assert_eq!((code, out.trim()), (0, "small-minilm: whole, and works"));
    let (code, out, _) = run(&["models", "use", "small-minilm", "--off"], data);
    assert_eq!((code, out.trim()), (0, "no imported embedding is in use"));
    std::fs::write(data.join("models/small-minilm/tokenizer.json"), "{}").unwrap();
    let (code, out, _) = run(&["models", "verify", "small-minilm"], data);
    assert!(code == 1 && out.contains("tokenizer.json"), "{out}");
    let (code, _, err) = run(&["models", "use", "small-minilm"], data);
    assert!(code == 1 && err.contains("hint:"), "{err}");
    assert_eq!(run(&["models", "remove", "small-minilm"], data).0, 0);
    let (code, out, _) = run(&["models", "list"], data);
    assert!(code == 0 && out.contains("No model is installed"), "{out}");
}

fn export() -> Option<tempfile::TempDir> {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("small-minilm");
    std::fs::create_dir_all(folder.join("onnx")).unwrap();
    std::fs::copy(shared("models/minilm-int8.onnx")?, folder.join("onnx/model.onnx")).unwrap();
    std::fs::copy(shared("models/minilm-tokenizer.json")?, folder.join("tokenizer.json")).unwrap();
    std::fs::write(folder.join("README.md"), "# What is not needed").unwrap();
    Some(base)
}

#[test]
fn models_are_kept_by_the_running_appliance() {
    let Some(base) = export() else { return };
    let app = TestApp::start(LECTERN);
    check_commands(app.data(), &base.path().join("small-minilm"));
}

#[test]
fn models_are_kept_when_nothing_runs() {
    let Some(base) = export() else { return };
    let data = tempfile::tempdir().unwrap();
    check_commands(data.path(), &base.path().join("small-minilm"));
}

#[test]
fn a_data_folder_may_be_named_from_where_one_stands() {
    let Some(base) = export() else { return };
    let here = tempfile::tempdir().unwrap();
    let folder = base.path().join("small-minilm");
    let mut command = lectern_testkit::lectern(LECTERN);
    command.current_dir(here.path()).args(["models", "import", folder.to_str().unwrap(), "--data", "data"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(here.path().join("data/models/small-minilm/model.onnx").is_file());
}

#[test]
fn a_folder_without_a_model_is_told() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
    let (code, _, err) = run(&["models", "import", folder.path().to_str().unwrap()], data.path());
    assert!(code == 1 && err.contains("no ONNX file") && err.contains("hint:"), "{err}");
    let (code, _, err) = run(&["models", "import", "/nowhere.onnx"], data.path());
    assert!(code == 1 && err.contains("does not exist"), "{err}");
}

//! Exports of Whisper that do not fit are refused by file and reason; needs the model of tests/whisper.sh.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::HearingError;
use crate::tests_whisper::fixture;
use crate::whisper::Whisper;

/// A copy of an export that may be spoilt.
fn copy(export: &str) -> Option<TempDir> {
    let from = fixture()?.join(export);
    let folder = tempfile::tempdir().expect("a folder");
    for file in fs::read_dir(from).expect("an export").flatten() {
        fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
    }
    Some(folder)
}

fn change(folder: &Path, file: &str, key: &str, value: Value) {
    let path = folder.join(file);
    let mut json: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
    json[key] = value;
    fs::write(path, json.to_string()).expect("written");
}

#[track_caller]
fn refused(folder: &Path, file: &str, words: &str) {
    match Whisper::load(folder) {
        Err(HearingError::Model { file: found, reason }) => {
            assert_eq!(found, file, "{reason}");
            assert!(reason.contains(words), "{reason}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{file} was taken; {words}"),
    }
}

#[test]
fn whisper_with_another_configuration_is_refused() {
    for (export, key, value, file, words) in [
        ("merged", "vocab_size", json!(1_952), "tokenizer.json", "1953 tokens, the model 1952"),
        ("merged", "vocab_size", json!(1_954), "decoder_model_merged.onnx", "logits has a size of 1953"),
        ("plain", "d_model", json!(128), "encoder_model.onnx", "128"),
        ("plain", "num_mel_bins", json!(128), "preprocessor_config.json", "feature_size is 80"),
        ("merged", "decoder_layers", json!(3), "decoder_model_merged.onnx", "8 parts of a cache"),
        ("with-past", "decoder_layers", json!(1), "decoder_model.onnx", "1.decoder"),
        ("with-past", "decoder_attention_heads", json!(8), "decoder_with_past_model.onnx", "size of 4"),
        ("plain", "max_source_positions", json!(750), "encoder_model.onnx", "3000"),
        ("plain", "d_model", json!(0), "config.json", "d_model"),
        ("plain", "vocab_size", json!(1e300), "config.json", "vocab_size"),
        ("plain", "model_type", json!("bert"), "config.json", "another model"),
    ] {
        let Some(folder) = copy(export) else { return };
        change(folder.path(), "config.json", key, value);
        refused(folder.path(), file, words);
    }
}

#[test]
fn whisper_with_other_bins_is_refused_by_its_encoder() {
    let Some(folder) = copy("plain") else { return };
    change(folder.path(), "config.json", "num_mel_bins", json!(128));
    fs::remove_file(folder.path().join("preprocessor_config.json")).expect("removed");
    refused(folder.path(), "encoder_model.onnx", "size of 80");
}

#[test]
fn whisper_with_files_missing_or_broken_is_refused() {
    for file in ["encoder_model.onnx", "decoder_model.onnx", "tokenizer.json", "config.json"] {
        let Some(folder) = copy("with-past") else { return };
        let path = folder.path().join(file);
        fs::remove_file(&path).expect("removed");
        refused(folder.path(), file, if file.ends_with("onnx") { "no model" } else { "not there" });
        fs::write(&path, b"").expect("written");
        refused(folder.path(), file, "");
        fs::write(&path, b"\x08\x07\x12\x04oops").expect("written");
        refused(folder.path(), file, "");
    }
}

#[test]
fn whisper_with_the_parts_of_another_kind_is_refused() {
    let Some(folder) = copy("with-past") else { return };
    let at = |name: &str| folder.path().join(name);
    fs::copy(at("decoder_model.onnx"), at("decoder_with_past_model.onnx")).expect("copied");
    refused(folder.path(), "decoder_with_past_model.onnx", "wants 0 parts");
    fs::copy(at("encoder_model.onnx"), at("decoder_model.onnx")).expect("copied");
    refused(folder.path(), "decoder_model.onnx", "no input input_ids");
    let mut tokenizer: Value =
        serde_json::from_slice(&fs::read(at("tokenizer.json")).expect("read")).expect("JSON");
    tokenizer["added_tokens"][0]["id"] = json!(5_000);
    fs::write(at("tokenizer.json"), tokenizer.to_string()).expect("written");
    assert!(Whisper::load(folder.path()).is_err());
}

#[test]
fn whisper_without_a_generation_config_finds_its_tokens_by_name() {
    let Some(folder) = copy("merged") else { return };
    let whole = Whisper::load(folder.path()).expect("a model");
    fs::remove_file(folder.path().join("generation_config.json")).expect("removed");
    let bare = Whisper::load(folder.path()).expect("a model");
    assert_eq!(bare.config.marks, whole.config.marks);
    assert_eq!(bare.config.languages, whole.config.languages);
    change(folder.path(), "config.json", "_name_or_path", json!("/home/somebody/whisper-mini"));
    let named = Whisper::load(folder.path()).expect("a model");
    assert_eq!(crate::Recogniser::name(&named), "whisper-mini");
}

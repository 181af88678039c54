//! Embedding against the vectors that ONNX Runtime gave; configurations; broken folders.

use std::path::{Path, PathBuf};

use crate::{Embedder, Kind, Pooling, Reranker, TextConfig, TextModelError};

/// The folder with the shared models; none on machines without it.
#[allow(clippy::disallowed_methods, reason = "tests are told by the environment where shared material lies")]
fn shared() -> Option<PathBuf> {
    let folder = std::env::var("LECTERN_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let models = Path::new(&folder).join("models");
    if !models.join("minilm-int8.onnx").exists() {
        println!("skipped: there are no shared models");
        return None;
    }
    Some(models)
}

/// A folder as after an import.
fn minilm() -> Option<tempfile::TempDir> {
    let models = shared()?;
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(models.join("minilm-int8.onnx"), dir.path().join("model.onnx")).unwrap();
    std::fs::copy(models.join("minilm-tokenizer.json"), dir.path().join("tokenizer.json")).unwrap();
    Some(dir)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
    let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
    dot / (length(a) * length(b))
}

#[test]
fn vectors_equal_those_of_onnx_runtime() {
    let Some(dir) = minilm() else { return };
    let expected = std::fs::read(shared().unwrap().join("minilm.expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let cases: Vec<(String, Vec<f32>)> = expected["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["model"].as_str().unwrap().contains("int8"))
        .map(|case| {
            let vector = case["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32);
            (case["text"].as_str().unwrap().to_owned(), vector.collect())
        })
        .collect();
    assert!(cases.len() >= 3);
    let embedder = Embedder::load(dir.path()).unwrap();
    assert_eq!(embedder.dimensions(), 384);
    assert!((0.0..0.2).contains(&embedder.baseline()), "{}", embedder.baseline());
    let texts: Vec<&str> = cases.iter().map(|case| case.0.as_str()).collect();
    let mut alone = Vec::new();
    for kind in [Kind::Query, Kind::Passage] {
        for (vector, (text, wanted)) in embedder.embed(&texts, kind).unwrap().iter().zip(&cases) {
            alone.push(cosine(&embedder.embed(&[text], kind).unwrap()[0], wanted));
            // Dynamic int8 takes its scale from the whole batch, where texts of 2 and of 256 tokens stand together here.
            assert!(cosine(vector, wanted) >= 0.95, "{text}: {}", cosine(vector, wanted));
        }
    }
    // A number that falls on the other side of a step of int8 is seen in all that follows; see ort-rten's own test.
    let mean = alone.iter().sum::<f32>() / alone.len() as f32;
    assert!(mean >= 0.999 && alone.iter().all(|cosine| *cosine >= 0.995), "{alone:?}");
}

#[test]
fn any_text_gets_a_vector() {
    let Some(dir) = minilm() else { return };
    let embedder = Embedder::load(dir.path()).unwrap();
    let long = "word ".repeat(5000);
    let joined = "x".repeat(100_000);
    let texts = ["", " ", "\u{0}", "漢字", &long, &joined, "🦀\u{200d}🦀"];
    let vectors = embedder.embed(&texts, Kind::Query).unwrap();
    assert!(vectors.iter().all(|v| v.len() == 384 && v.iter().all(|x| x.is_finite())));
    assert!(embedder.embed(&[], Kind::Passage).unwrap().is_empty());
    let near = embedder
        .embed(
            &["How much oil does the pump hold?", "The pump takes 40 litres.", "Bees make honey."],
            Kind::Query,
        )
        .unwrap();
    assert!(cosine(&near[0], &near[1]) > cosine(&near[0], &near[2]) + 0.3);
}

#[test]
fn folders_tell_how_their_model_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let plain = TextConfig::read(dir.path());
    assert_eq!((plain.pooling, plain.max_tokens, plain.query_prefix.as_str()), (Pooling::Mean, 256, ""));
    write("manifest.json", r#"{"name":"multilingual-e5-small"}"#);
    let e5 = TextConfig::read(dir.path());
    assert_eq!((e5.query_prefix.as_str(), e5.passage_prefix.as_str()), ("query: ", "passage: "));
    write("manifest.json", r#"{"name":"bge-small-en-v1.5"}"#);
    write("config.json", r#"{"max_position_embeddings":512}"#);
    let bge = TextConfig::read(dir.path());
    assert_eq!((bge.pooling, bge.max_tokens, bge.passage_prefix.as_str()), (Pooling::Cls, 512, ""));
    write("1_Pooling/config.json", r#"{"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}"#);
    assert_eq!(TextConfig::read(dir.path()).pooling, Pooling::Mean);
    write("manifest.json", r#"{"name":"x","config":{"pooling":"cls","query_prefix":"q ","max_tokens":100}}"#);
    let own = TextConfig::read(dir.path());
    assert_eq!((own.pooling, own.query_prefix.as_str(), own.max_tokens), (Pooling::Cls, "q ", 100));
    write("manifest.json", "{broken");
    assert_eq!(TextConfig::read(dir.path()).pooling, Pooling::Mean);
}

#[test]
fn what_is_no_text_model_is_refused_by_name() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Embedder::load(empty.path()), Err(TextModelError::Neural(_))));
    let Some(dir) = minilm() else { return };
    std::fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
    assert!(matches!(Embedder::load(dir.path()), Err(TextModelError::Tokenizer { .. })));
    std::fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    assert!(matches!(Embedder::load(dir.path()), Err(TextModelError::File { .. })));
    let Some(models) = shared() else { return };
    std::fs::copy(models.join("vits-tiny.onnx"), dir.path().join("model.onnx")).unwrap();
    assert!(matches!(Embedder::load(dir.path()), Err(TextModelError::Shape(_))));
}

#[test]
fn an_embedding_model_is_no_reranker() {
    let Some(dir) = minilm() else { return };
    assert!(matches!(Reranker::load(dir.path()), Err(TextModelError::Shape(_))));
}

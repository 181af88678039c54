//! The engine as the rest of Lectern sees it.

use std::path::PathBuf;

use crate::{NeuralError, RuntimeChoice, SessionOptions, init, inspect, runtime, session};

#[allow(clippy::disallowed_methods, reason = "where the shared data lies is the machine's matter")]
fn shared(name: &str) -> Option<PathBuf> {
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

#[test]
fn the_built_in_runtime_starts_by_itself() {
    let info = runtime();
    assert_eq!((info.name, info.device), ("RTen", "CPU"));
    assert!(info.threads >= 1 && info.version.starts_with("0."));
    assert_eq!(init(&RuntimeChoice::default()).unwrap(), info);
}

#[test]
fn another_runtime_cannot_be_chosen_later() {
    runtime();
    let other = RuntimeChoice { threads: 7, ..RuntimeChoice::default() };
    assert!(matches!(init(&other), Err(NeuralError::AlreadyRunning { .. })));
}

#[test]
#[cfg(not(feature = "onnxruntime"))]
fn a_library_is_refused_where_none_can_be_loaded() {
    let choice = RuntimeChoice { onnxruntime: Some("libonnxruntime.so".into()), ..RuntimeChoice::default() };
    let error = init(&choice).unwrap_err();
    assert!(matches!(error, NeuralError::NoOnnxRuntime | NeuralError::AlreadyRunning { .. }), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn shapes_are_read_without_loading() {
    let Some(path) = shared("models/vits-tiny-4speakers.onnx") else { return };
    let shape = inspect(&path).unwrap();
    let inputs: Vec<_> = shape.inputs.iter().map(|port| (port.name.as_str(), port.element)).collect();
    assert_eq!(inputs, [("input", "i64"), ("input_lengths", "i64"), ("scales", "f32"), ("sid", "i64")]);
    assert_eq!(shape.bytes, path.metadata().unwrap().len());
    assert!(shape.operators.contains(&"Conv".to_owned()) && shape.nodes > 100);
}

#[test]
fn models_load_under_limits() {
    let Some(path) = shared("models/vits-tiny.onnx") else { return };
    assert_eq!(session(&path, &SessionOptions::default()).unwrap().inputs().len(), 3);
    let small = SessionOptions { max_bytes: 1000, ..SessionOptions::default() };
    assert!(matches!(session(&path, &small), Err(NeuralError::TooLarge { limit: 1000, .. })));
}

#[test]
fn what_is_no_model_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.onnx");
    std::fs::write(&file, b"not a model at all").unwrap();
    let error = session(&file, &SessionOptions::default()).unwrap_err();
    assert!(matches!(error, NeuralError::Refused { .. }), "{error}");
    assert!(error.hint().is_some());
    let error = session(&folder.path().join("none.onnx"), &SessionOptions::default()).unwrap_err();
    assert!(matches!(error, NeuralError::Missing(_)), "{error}");
}

#[test]
fn threads_share_a_session() {
    use ort::session::RunOptions;
    use ort::value::Tensor;
    let Some(path) = shared("models/vits-tiny.onnx") else { return };
    let shared = crate::SharedSession::new(session(&path, &SessionOptions::default()).unwrap()).unwrap();
    let speak = || {
        let ids: Vec<i64> = [1, 0, 20, 0, 31, 0, 14, 0, 2].to_vec();
        let len = ids.len();
        let ids = Tensor::from_array(([1, len], ids)).unwrap().into_dyn();
        let lengths = Tensor::from_array(([1], vec![len as i64])).unwrap().into_dyn();
        let scales = Tensor::from_array(([3], vec![0f32, 1.0, 0.0])).unwrap().into_dyn();
        let inputs = [("input", &ids), ("input_lengths", &lengths), ("scales", &scales)];
        let outputs = shared.run(&inputs, Some(&RunOptions::new().unwrap())).unwrap();
        outputs[0].try_extract_tensor::<f32>().unwrap().1.to_vec()
    };
    let alone = speak();
    assert!(alone.len() > 256);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(speak)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
    let stopped = RunOptions::new().unwrap();
    stopped.terminate().unwrap();
    assert!(shared.run(&[], Some(&stopped)).is_err());
}

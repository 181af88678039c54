//! The models that stand for what Lectern runs give what ONNX Runtime gave.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(clippy::disallowed_methods, reason = "where the shared data lies is the machine's matter")]

use std::path::PathBuf;

use ort::session::{RunOptions, Session};
use ort::value::Tensor;
use serde_json::Value;

fn shared(name: &str) -> Option<PathBuf> {
    lectern_ort_rten::install();
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

fn open(name: &str) -> Option<(Session, Value)> {
    let model = shared(&format!("models/{name}"))?;
    let expected = std::fs::read(format!("{}.expected.json", model.display())).unwrap();
    let session = Session::builder().unwrap().commit_from_file(model).unwrap();
    Some((session, serde_json::from_slice(&expected).unwrap()))
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn ids(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

/// All the samples for one case of a voice.
fn speak(session: &mut Session, case: &Value) -> (Vec<i64>, Vec<f32>) {
    let ids = ids(&case["ids"]);
    let len = ids.len();
    let mut inputs = ort::inputs![
        "input" => Tensor::from_array(([1, len], ids)).unwrap(),
        "input_lengths" => Tensor::from_array(([1], vec![len as i64])).unwrap(),
        "scales" => Tensor::from_array(([3], floats(&case["scales"]))).unwrap(),
    ];
    if let Some(speaker) = case["sid"].as_i64() {
        inputs.push(("sid".into(), Tensor::from_array(([1], vec![speaker])).unwrap().into()));
    }
    let outputs = session.run(inputs).unwrap();
    let (shape, samples) = outputs[0].try_extract_tensor::<f32>().unwrap();
    (shape.to_vec(), samples.to_vec())
}

fn voice_agrees(name: &str) {
    let Some((mut session, expected)) = open(name) else { return };
    for case in expected["cases"].as_array().unwrap() {
        let (shape, samples) = speak(&mut session, case);
        assert_eq!(shape, ids(&case["shape"]), "{name}");
        let wanted = floats(&case["samples"]);
        let worst = samples.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-4, "{name}: {worst} apart");
        let count = samples.len() as f64;
        let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
        let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / count;
        assert!((mean - case["mean"].as_f64().unwrap()).abs() <= 1e-5, "{name}: mean {mean}");
        assert!((power.sqrt() - case["rms"].as_f64().unwrap()).abs() <= 1e-5, "{name}: power {power}");
    }
}

#[test]
fn a_small_voice_agrees() {
    voice_agrees("vits-tiny.onnx");
}

#[test]
fn a_voice_with_speakers_agrees() {
    voice_agrees("vits-tiny-4speakers.onnx");
}

#[test]
fn a_voice_of_medium_size_agrees() {
    voice_agrees("vits-medium-random.onnx");
}

/// A run that can be stopped goes in pieces; that changes nothing. And it does stop.
#[test]
fn runs_in_pieces_agree_and_stop() {
    let Some((mut session, expected)) = open("vits-medium-random.onnx") else { return };
    let ids: Vec<i64> = ids(&expected["cases"][0]["ids"]).into_iter().cycle().take(400).collect();
    let inputs = || {
        ort::inputs![
            "input" => Tensor::from_array(([1, ids.len()], ids.clone())).unwrap(),
            "input_lengths" => Tensor::from_array(([1], vec![ids.len() as i64])).unwrap(),
            "scales" => Tensor::from_array(([3], vec![0f32, 1.0, 0.0])).unwrap(),
        ]
    };
    let whole = session.run(inputs()).unwrap()[0].try_extract_tensor::<f32>().unwrap().1.to_vec();
    let options = RunOptions::new().unwrap();
    let pieces = session.run_with_options(inputs(), &options).unwrap();
    let worst = pieces[0].try_extract_tensor::<f32>().unwrap().1.iter().zip(&whole);
    let worst = worst.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(pieces[0].shape()[3] as usize == whole.len() && worst <= 1e-5, "{worst}");
    drop(pieces);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            options.terminate().unwrap();
        });
        let error = session.run_with_options(inputs(), &options).unwrap_err();
        assert!(error.message().contains("terminate flag"), "{error}");
    });
}

/// Real speech, 32 ms at a time, each with the end of the one before: graphs inside graphs, and a state that goes on.
#[test]
fn the_voice_detector_agrees() {
    let (Some(model), Some(speech)) =
        (shared("data/vad/silero_vad.onnx"), shared("data/speech/en/librivox_austen-0880.wav"))
    else {
        return;
    };
    let mut session = Session::builder().unwrap().commit_from_file(model).unwrap();
    let wave = std::fs::read(speech).unwrap();
    let samples: Vec<f32> = wave[44..]
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let mut state = vec![0f32; 256];
    let mut heard = Vec::new();
    let padded = [vec![0f32; 64], samples].concat();
    for window in padded.windows(576).step_by(512).take(93) {
        let outputs = session
            .run(ort::inputs![
                "input" => Tensor::from_array(([1, 576], window.to_vec())).unwrap(),
                "state" => Tensor::from_array(([2, 1, 128], state.clone())).unwrap(),
                "sr" => Tensor::from_array(([0usize; 0], vec![16_000i64])).unwrap(),
            ])
            .unwrap();
        heard.push(outputs["output"].try_extract_tensor::<f32>().unwrap().1[0]);
        state = outputs["stateN"].try_extract_tensor::<f32>().unwrap().1.to_vec();
    }
    // What ONNX Runtime 1.31.1 gives.
    let wanted = [(10, 0.98376f32), (32, 0.8557), (33, 0.38663), (34, 0.13946), (35, 0.22308), (38, 0.69963)];
    for (index, value) in wanted {
        assert!((heard[index] - value).abs() <= 1e-4, "{index}: {} for {value}", heard[index]);
    }
    let sum: f32 = heard.iter().sum();
    assert!((sum - 77.532_26).abs() <= 1e-3, "{sum}");
}

#[test]
fn speakers_differ() {
    let Some((mut session, expected)) = open("vits-tiny-4speakers.onnx") else { return };
    let mut case = expected["cases"][0].clone();
    case["sid"] = 0.into();
    let one = speak(&mut session, &case).1;
    case["sid"] = 3.into();
    assert_ne!(one, speak(&mut session, &case).1);
}

#[test]
fn inputs_and_outputs_are_as_declared() {
    let Some((session, _)) = open("vits-tiny-4speakers.onnx") else { return };
    let describe = |outlets: &[ort::value::Outlet]| {
        outlets.iter().map(|outlet| format!("{}: {}", outlet.name(), outlet.dtype())).collect::<Vec<_>>()
    };
    assert_eq!(
        describe(session.inputs()),
        [
            "input: Tensor<i64>(batch_size, phonemes)",
            "input_lengths: Tensor<i64>(batch_size)",
            "scales: Tensor<f32>(3)",
            "sid: Tensor<i64>(1)"
        ]
    );
    assert_eq!(session.outputs().len(), 1);
    assert_eq!(session.metadata().unwrap().producer().as_deref(), Some("pytorch"));
}

#[test]
fn sentence_vectors_agree() {
    let Some(model) = shared("models/minilm-int8.onnx") else { return };
    let expected = std::fs::read(model.with_file_name("minilm.expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut session = Session::builder().unwrap().commit_from_file(model).unwrap();
    let names: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
    let mut cosines = Vec::new();
    for case in expected["cases"].as_array().unwrap() {
        if case["model"] != "minilm-int8.onnx" {
            continue;
        }
        let mut tokens = ids(&case["tokens"]);
        // Of the long text only the first tokens are kept; it is one word over and over, cut at 256.
        if case["text"].as_str().unwrap().len() > 200 {
            tokens = [vec![tokens[0]], vec![tokens[1]; 254], vec![102]].concat();
        }
        let len = tokens.len();
        let inputs: Vec<_> = names
            .iter()
            .map(|name| {
                let row = match name.as_str() {
                    "input_ids" => tokens.clone(),
                    "attention_mask" => vec![1; len],
                    _ => vec![0; len],
                };
                (name.as_str(), Tensor::from_array(([1, len], row)).unwrap())
            })
            .collect();
        let options = RunOptions::new().unwrap();
        let outputs = session.run_with_options(inputs, &options).unwrap();
        let (shape, hidden) = outputs[0].try_extract_tensor::<f32>().unwrap();
        assert_eq!(shape[1] as usize, len);
        let width = shape[2] as usize;
        let mut mean = vec![0f32; width];
        for row in hidden.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let wanted = floats(&case["embedding"]);
        let dot: f32 = mean.iter().zip(&wanted).map(|(a, b)| a * b).sum();
        let norm = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
        let cosine = dot / (norm(&mean) * norm(&wanted));
        println!("{}: {cosine}", case["text"]);
        cosines.push(cosine);
    }
    // Where a number lies between two steps of the 8-bit scale, the last bit of a sum decides, and the difference
    // grows from layer to layer. ONNX Runtime differs as much from itself with its optimisations off (0.9968 at worst on
    // 150 texts), so the mean is held to the bound and each text to a lower one.
    let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
    assert!(mean >= 0.999, "{mean}");
    assert!(cosines.iter().all(|cosine| *cosine >= 0.995), "{cosines:?}");
}

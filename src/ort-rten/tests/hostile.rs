//! Broken and hostile models: an error within the deadline, never a hang or a crash.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(clippy::disallowed_methods, reason = "where the shared data lies is the machine's matter")]

mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ort::session::Session;
use support::*;

/// So long may a load take here; the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(20);

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

fn load(model: &[u8]) -> ort::Result<Session> {
    lectern_ort_rten::install();
    let mut builder = Session::builder()?
        .with_config_entry(lectern_ort_rten::LOAD_DEADLINE, DEADLINE.as_millis().to_string())?;
    let start = Instant::now();
    let session = builder.commit_from_memory(model);
    if let Err(error) = &session {
        assert!(!error.message().contains("was not loaded within"), "hung: {error}");
    }
    assert!(start.elapsed() < DEADLINE);
    session
}

fn refused(model: &[u8], reason: &str) {
    let error = load(model).expect_err(reason);
    assert!(error.message().contains(reason), "`{reason}` is not in `{}`", error.message());
    assert!(!error.message().contains("panicked"), "{}", error.message());
}

#[test]
fn rows_of_ones_do_not_hang() {
    // RTen reads such a number without end.
    let garbage = [&b"\x08\x07\x12\x07pytorch"[..], &[0xff; 63]].concat();
    refused(&garbage, "more than 64 bits");
    refused(&[0xff; 4096], "more than 64 bits");
    refused(b"", "not an ONNX model");
    refused(b"\x08\x08", "has no graph");
}

#[test]
fn lengths_lie() {
    // A skipped field of almost 2^64 bytes would lead backwards.
    refused(&[vec![0x08, 0x08, 0x7a], varint(u64::MAX - 3)].concat(), "longer than the message");
    refused(&[vec![0x08, 0x08, 0x3a], varint(1 << 40)].concat(), "longer than the message");
    refused(&[0x08, 0x08, 0x3b], "unknown kind");
    let packed = [number(1, 1), number(2, FLOAT), text(8, "w"), bytes(4, &[0; 7])].concat();
    let graph = Graph { nodes: vec![], inputs: vec![], outputs: vec![], weights: vec![packed] };
    refused(&graph.model(), "do not fill their field");
    let open = [number(1, 1), number(2, INT64), text(8, "w"), bytes(7, &[1, 0x80])].concat();
    let graph = Graph { nodes: vec![], inputs: vec![], outputs: vec![], weights: vec![open] };
    refused(&graph.model(), "in the middle of a field");
}

fn with_constant(op: &str, constants: &[(&str, Vec<i64>)]) -> Vec<u8> {
    let names: Vec<&str> = constants.iter().map(|(name, _)| *name).collect();
    let scalar = op == "Range";
    let weights = constants.iter().map(|(name, values)| {
        let dims: Vec<u64> = if scalar { vec![] } else { vec![values.len() as u64] };
        tensor(name, INT64, &dims, &int64s(values))
    });
    Graph {
        nodes: vec![node(op, &names, &["y"], &[])],
        inputs: vec![],
        outputs: vec![port("y", FLOAT, &[None])],
        weights: weights.collect(),
    }
    .model()
}

#[test]
fn small_constants_do_not_ask_for_all_the_memory() {
    refused(&with_constant("ConstantOfShape", &[("shape", vec![1 << 20, 1 << 20])]), "too large");
    refused(&with_constant("ConstantOfShape", &[("shape", vec![i64::MAX, 2])]), "too large");
    refused(&with_constant("Expand", &[("x", vec![1]), ("shape", vec![1 << 40])]), "too large");
    refused(&with_constant("Tile", &[("x", vec![1]), ("repeats", vec![1 << 40])]), "too large");
    refused(&with_constant("Range", &[("a", vec![0]), ("b", vec![1 << 45]), ("c", vec![1])]), "too far");
    assert!(load(&with_constant("ConstantOfShape", &[("shape", vec![4, 4])])).is_ok());
}

#[test]
fn declared_shapes_must_have_their_weights() {
    for dims in [vec![1 << 40], vec![1 << 31, 1 << 31, 1 << 31], vec![u64::MAX], vec![3]] {
        let graph = Graph {
            nodes: vec![node("Identity", &["w"], &["y"], &[])],
            inputs: vec![],
            outputs: vec![port("y", FLOAT, &[None])],
            weights: vec![tensor("w", FLOAT, &dims, &[0; 8])],
        };
        refused(&graph.model(), "the weights `w`");
    }
}

#[test]
fn graphs_must_make_sense() {
    let graph = |nodes: Vec<Vec<u8>>| {
        let inputs = vec![port("x", FLOAT, &[None])];
        Graph { nodes, inputs, outputs: vec![port("y", FLOAT, &[None])], weights: vec![] }.model()
    };
    let cycle = vec![node("Add", &["x", "b"], &["a"], &[]), node("Identity", &["a"], &["b"], &[])];
    refused(&graph(cycle), "before anything makes it");
    refused(
        &graph(vec![node("Relu", &["x"], &["y"], &[]), node("Abs", &["x"], &["y"], &[])]),
        "two nodes make",
    );
    refused(&graph(vec![node("Relu", &["x"], &["z"], &[])]), "nothing makes the output");
    refused(&graph(vec![node("NoSuchThing", &["x"], &["y"], &[])]), "NoSuchThing");
    let chain: Vec<Vec<u8>> = (0..50_000)
        .map(|index| {
            let (from, to) = (format!("v{index}"), format!("v{}", index + 1));
            let from = if index == 0 { "x" } else { &from };
            node("Relu", &[from], &[if index == 49_999 { "y" } else { &to }], &[])
        })
        .collect();
    refused(&graph(chain), "nodes deep");
    let mut inner = Graph { nodes: vec![], inputs: vec![], outputs: vec![], weights: vec![] }.bytes();
    for _ in 0..2_000 {
        let node = node("If", &["x"], &["z"], &[graph_attribute("then_branch", &inner)]);
        inner = Graph { nodes: vec![node], inputs: vec![], outputs: vec![], weights: vec![] }.bytes();
    }
    refused(&model(&inner), "too deeply");
}

/// As deep as is allowed: the plan is made by recursion, on whatever thread runs the model.
#[test]
fn the_deepest_model_runs_on_a_small_stack() {
    let nodes: Vec<Vec<u8>> = (0..5_990)
        .map(|index| {
            let (from, to) = (format!("v{index}"), format!("v{}", index + 1));
            // Two kinds in turn, so that no optimisation joins them.
            let op = if index % 2 == 0 { "Neg" } else { "Abs" };
            node(op, &[if index == 0 { "x" } else { &from }], &[if index == 5_989 { "y" } else { &to }], &[])
        })
        .collect();
    let graph = Graph {
        nodes,
        inputs: vec![port("x", FLOAT, &[None])],
        outputs: vec![port("y", FLOAT, &[None])],
        weights: vec![],
    };
    let mut session = load(&graph.model()).unwrap();
    let run = move || {
        let input = ort::value::Tensor::from_array(([2], vec![1.5f32, -2.0])).unwrap();
        let outputs = session.run(ort::inputs![input]).unwrap();
        assert_eq!(outputs[0].try_extract_tensor::<f32>().unwrap().1, [1.5, 2.0]);
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn external_weights_stay_in_the_folder() {
    for file in ["../secret", "/etc/passwd", "a/b", "..", ""] {
        let location = [text(1, "location"), text(2, file)].concat();
        let weights =
            [number(1, 1), number(2, FLOAT), text(8, "w"), bytes(13, &location), number(14, 1)].concat();
        let graph = Graph {
            nodes: vec![node("Identity", &["w"], &["y"], &[])],
            inputs: vec![],
            outputs: vec![port("y", FLOAT, &[None])],
            weights: vec![weights],
        };
        refused(&graph.model(), "outside of the model's folder");
    }
}

#[test]
fn kept_broken_models_are_refused() {
    for name in
        ["data/hostile/generated/model-garbage.onnx", "data/hostile/models/pyannote-seg3-crlf-damaged.onnx"]
    {
        let Some(path) = shared(name) else { continue };
        lectern_ort_rten::install();
        let error = Session::builder().unwrap().commit_from_file(&path).unwrap_err();
        println!("{name}: {error}");
        assert!(error.message().contains("broken"), "{error}");
    }
}

/// Changes a model in one of the ways in which files break or are made to.
fn mutate(model: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = model.to_vec();
    match dice.throw(6) {
        0 => out.truncate(dice.throw(model.len())),
        1 => {
            for _ in 0..=dice.throw(8) {
                let at = dice.throw(out.len());
                out[at] = dice.throw(256) as u8;
            }
        }
        2 => {
            // Structure is dense at the start and at the end.
            let span = out.len().min(4_000);
            let start = if dice.throw(2) == 0 { 0 } else { out.len() - span };
            for _ in 0..=dice.throw(4) {
                out[start + dice.throw(span)] ^= 1 << dice.throw(8);
            }
        }
        3 => {
            let (at, len) = (dice.throw(out.len()), dice.throw(200));
            let end = (at + len).min(out.len());
            out[at..end].fill(0xff);
        }
        4 => {
            let (at, len) = (dice.throw(out.len()), dice.throw(500));
            let end = (at + len).min(out.len());
            drop(out.drain(at..end));
        }
        _ => {
            let (from, to, len) = (dice.throw(out.len()), dice.throw(out.len()), dice.throw(300));
            let piece = out[from..(from + len).min(out.len())].to_vec();
            drop(out.splice(to..to, piece));
        }
    }
    out
}

fn survives(name: &str, rounds: usize, seed: u64) {
    let Some(path) = shared(name) else { return };
    let model = std::fs::read(path).unwrap();
    let mut dice = Dice(seed);
    let (mut refused, mut panicked) = (0, 0);
    for _ in 0..rounds {
        if let Err(error) = load(&mutate(&model, &mut dice)) {
            refused += 1;
            panicked += usize::from(error.message().contains("panicked"));
        }
    }
    println!("{name}: {refused} of {rounds} refused, {panicked} of them by a caught panic");
    assert!(refused > rounds / 4);
}

#[test]
fn broken_voices_do_no_harm() {
    survives("models/vits-tiny-4speakers.onnx", 250, 11);
}

#[test]
fn broken_sentence_models_do_no_harm() {
    survives("models/minilm-int8.onnx", 40, 12);
}

#[test]
fn broken_vad_models_do_no_harm() {
    survives("data/vad/silero_vad.onnx", 120, 13);
}

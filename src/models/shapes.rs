//! What a graph is for, told by the names and types of its inputs and outputs.

use lectern_kernel::Result;
use lectern_neural::{Dimension, ModelShape, Port};

use crate::manifest::{Kind, refused};

/// The kind of a graph that stands for a whole model: a voice, a text model, a voice activity detector.
pub(crate) fn kind_of(shape: &ModelShape) -> Option<Kind> {
    let input = |name: &str| shape.inputs.iter().any(|port| port.name == name);
    if input("input") && input("input_lengths") && input("scales") {
        return Some(Kind::Voice);
    }
    if input("input") && input("sr") && (input("state") || (input("h") && input("c"))) {
        return Some(Kind::Vad);
    }
    if !input("input_ids") || !input("attention_mask") {
        return None;
    }
    let output = shape.outputs.first()?;
    // None: the graph leaves it open.
    let dimensions = output.shape.as_ref().map(Vec::len);
    if output.name == "logits" {
        // One score, or one for "no" and one for "yes".
        let scores = matches!(last(output), None | Some(1 | 2)) && dimensions.is_none_or(|n| n <= 2);
        return scores.then_some(Kind::Reranker);
    }
    // Vectors of tokens, or of the whole text.
    matches!(dimensions, None | Some(2 | 3)).then_some(Kind::Embedding)
}

fn last(port: &Port) -> Option<u64> {
    match port.shape.as_ref()?.last()? {
        Dimension::Fixed(size) => Some(*size),
        Dimension::Any(_) => None,
    }
}

/// The kind that a graph is, when it is one of those it may be.
pub(crate) fn check(shape: &ModelShape, wanted: &[Kind]) -> Result<Kind> {
    let found = kind_of(shape);
    if let Some(kind) = found
        && wanted.contains(&kind)
    {
        return Ok(kind);
    }
    let wanted: Vec<_> = wanted.iter().map(|kind| kind.as_str()).collect();
    let inputs: Vec<_> = shape.inputs.iter().take(8).map(|p| p.name.escape_debug().to_string()).collect();
    let is =
        found.map_or_else(|| "none that Lectern runs".to_owned(), |kind| format!("a model for '{kind}'"));
    Err(refused(format!(
        "model.onnx is {is}, and its files make it one for '{}'; its inputs are {}.",
        wanted.join("' or '"),
        if inputs.is_empty() { "none".to_owned() } else { inputs.join(", ") }
    ))
    .hint(hint(found)))
}

fn hint(found: Option<Kind>) -> &'static str {
    match found {
        Some(Kind::Voice) => "A voice needs its configuration beside it: X.onnx and X.onnx.json.",
        Some(Kind::Embedding | Kind::Reranker) => "A text model needs its tokenizer.json beside it.",
        _ => {
            "Voices are Piper's, recognisers Whisper's, text models exported with input_ids and attention_mask."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(inputs: &[&str], output: (&str, &[Dimension])) -> ModelShape {
        let port = |name: &str, shape: &[Dimension]| Port {
            name: name.to_owned(),
            element: "f32",
            shape: Some(shape.to_vec()),
        };
        ModelShape {
            producer: String::new(),
            inputs: inputs.iter().map(|name| port(name, &[])).collect(),
            outputs: vec![port(output.0, output.1)],
            metadata: Vec::new(),
            nodes: 1,
            operators: Vec::new(),
            external: Vec::new(),
            bytes: 1,
        }
    }

    #[test]
    fn graphs_are_told_by_their_ports() {
        let any = Dimension::Any("batch".into());
        let voice = shape(&["input", "input_lengths", "scales"], ("output", &[]));
        let vad = shape(&["input", "state", "sr"], ("output", &[]));
        let tokens = [any.clone(), any.clone(), Dimension::Fixed(384)];
        let embedding = shape(&["input_ids", "attention_mask"], ("last_hidden_state", &tokens));
        let reranker =
            shape(&["input_ids", "attention_mask"], ("logits", &[any.clone(), Dimension::Fixed(1)]));
        let writer = shape(
            &["input_ids", "attention_mask"],
            ("logits", &[any.clone(), any, Dimension::Fixed(50_000)]),
        );
        let other = shape(&["pixels"], ("output", &[]));
        let kinds = [&voice, &vad, &embedding, &reranker, &writer, &other].map(kind_of);
        let (v, a, e, r) = (Kind::Voice, Kind::Vad, Kind::Embedding, Kind::Reranker);
        assert_eq!(kinds, [Some(v), Some(a), Some(e), Some(r), None, None]);
        let error = check(&voice, &[Kind::Vad]).unwrap_err();
        assert!(error.detail.contains("'voice'") && error.hint.unwrap().contains("X.onnx.json"));
        assert!(check(&other, &[Kind::Vad]).unwrap_err().detail.contains("pixels"));
    }
}

//! `ort` copies tensors by running a model of one `Identity`, which it carries in ONNX Runtime's own format. That
//! model is recognised, and other files of the format are refused by name.

use crate::check::Checked;
use crate::element::Element;
use crate::outline::{Outline, Signature};
use crate::status::Failure;

const MAGIC: &[u8] = b"ORTM";
/// The size of `ort`'s model, and where it writes the element type of the input and of the output.
const LEN: usize = 1032;
const TYPES: [usize; 2] = [544, 604];

/// None: the bytes are in another format.
pub(crate) fn recognise(model: &[u8]) -> Option<Result<(Outline, Checked), Failure>> {
    if model.get(4..8) != Some(MAGIC) {
        return None;
    }
    let has = |text: &[u8]| model.windows(text.len()).any(|window| window == text);
    let [one, other] = TYPES.map(|place| model.get(place).copied().unwrap_or_default());
    if model.len() != LEN || one != other || ![&b"Identity"[..], b"input", b"output"].into_iter().all(has) {
        return Some(Err(Failure::unsupported("ONNX Runtime's own format; use the .onnx file")));
    }
    let port = |name: &str| {
        let element = Element::from_code(i64::from(one), "the tensor")?;
        Ok(Signature { name: name.to_owned(), element, dims: Vec::new(), has_shape: false })
    };
    Some(port("input").and_then(|input| {
        let checked = Checked {
            inputs: vec![input],
            outputs: vec![port("output")?],
            external: Vec::new(),
            identity: true,
        };
        Ok((Outline::default(), checked))
    }))
}

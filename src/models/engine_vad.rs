//! A first run of a detector of speech: Silero's graph, versions 4 and 5.

use std::path::Path;
use std::time::Instant;

use lectern_kernel::{Error, Result};
use lectern_neural::SessionOptions;
use lectern_neural::ort::value::{DynValue, Tensor};

use crate::engines::{LOAD, unfit};
use crate::manifest::{Facts, refused};

/// Samples of a window with what version 5 keeps of the one before.
const WINDOW: usize = 576;
const RATE: i64 = 16_000;

/// A window of silence must come out as no speech.
pub(crate) fn try_out(folder: &Path) -> Result<Facts> {
    let options = SessionOptions { threads: 1, deadline: LOAD, ..SessionOptions::default() };
    let started = Instant::now();
    let session = lectern_neural::session(&folder.join("model.onnx"), &options);
    let mut session = session.map_err(|e| unfit(folder, &e, e.hint()))?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let started = Instant::now();
    let names: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        let value = silence(&name)?;
        values.push((name, value));
    }
    let outputs = session.run(values).map_err(failed)?;
    let first = outputs.values().next().ok_or_else(|| refused("The model gives nothing."))?;
    let (_, speech) = first.try_extract_tensor::<f32>().map_err(failed)?;
    match speech.first() {
        Some(speech) if (0.0..0.5).contains(speech) => {}
        Some(speech) => return Err(refused(format!("The model hears speech in silence ({speech})."))),
        None => return Err(refused("The model gives nothing.")),
    }
    let run_ms = started.elapsed().as_secs_f64() * 1e3;
    Ok(Facts { load_ms, run_ms, ..Facts::default() })
}

fn silence(input: &str) -> Result<DynValue> {
    let zeros = |shape: [usize; 3]| Tensor::from_array((shape, vec![0_f32; shape.iter().product()]));
    let value = match input {
        "input" => Tensor::from_array(([1, WINDOW], vec![0_f32; WINDOW])).map(Tensor::into_dyn),
        "sr" => Tensor::from_array(([0_usize; 0], vec![RATE])).map(Tensor::into_dyn),
        "state" => zeros([2, 1, 128]).map(Tensor::into_dyn),
        "h" | "c" => zeros([2, 1, 64]).map(Tensor::into_dyn),
        other => {
            let other = other.escape_debug();
            return Err(refused(format!("The model wants '{other}', which no detector of speech needs.")));
        }
    };
    value.map_err(failed)
}

fn failed(error: lectern_neural::ort::Error) -> Error {
    refused(format!("The model loads, but its trial run failed: {}.", error.message().trim_end_matches('.')))
        .hint("Use another export of the model.")
}

//! Runs the models that stand for what Lectern runs, on RTen or on ONNX Runtime, and compares the two.
//! `side_by_side SHARED OUT` writes what RTen gives; `side_by_side SHARED OUT LIBRARY` runs the library and prints both.
//! See tests/onnxruntime.sh.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lectern_neural::ort::session::Session;
use lectern_neural::ort::value::{DynValue, Tensor};
use lectern_neural::{RuntimeChoice, SessionOptions, init, session};
use serde_json::Value;

const RUNS: usize = 5;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A model with the inputs of one run.
struct Case {
    model: &'static str,
    /// For each run.
    inputs: Vec<Vec<(String, DynValue)>>,
    /// What counts: the largest difference, or for vectors of sentences the mean cosine.
    by_cosine: bool,
}

struct Measured {
    load: Duration,
    run: Duration,
    output: Vec<f32>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (Some(shared), Some(out)) = (arguments.first(), arguments.get(1)) else {
        return Err("give the folder of the models and one for the results".into());
    };
    let library = arguments.get(2).cloned();
    let second = library.is_some();
    let info = init(&RuntimeChoice { onnxruntime: library, ..RuntimeChoice::default() })?;
    if second {
        println!(
            "| model | RTen load | load | RTen run | run of {} {} | ratio | agreement |",
            info.name, info.version
        );
        println!("| --- | --- | --- | --- | --- | --- | --- |");
    }
    let mut agrees = true;
    for case in cases(shared)? {
        let measured = measure(shared, &case)?;
        let file = out.join(case.model.replace('/', "-"));
        if second {
            agrees &= compare(&case, &file, &measured)?;
        } else {
            store(&file, &measured)?;
        }
    }
    if agrees { Ok(()) } else { Err("the two runtimes do not agree".into()) }
}

fn cases(shared: &Path) -> Outcome<Vec<Case>> {
    let mut cases = Vec::new();
    for model in
        ["models/vits-tiny.onnx", "models/vits-tiny-4speakers.onnx", "models/vits-medium-random.onnx"]
    {
        let expected = std::fs::read(shared.join(format!("{model}.expected.json")))?;
        let expected: Value = serde_json::from_slice(&expected)?;
        let case = expected["cases"].as_array().and_then(|cases| cases.last()).ok_or("no case")?;
        let ids: Vec<i64> = serde_json::from_value(case["ids"].clone())?;
        // Long enough to measure: the same phonemes over and over.
        let ids: Vec<i64> = ids.iter().copied().cycle().take(ids.len().max(120)).collect();
        let len = ids.len();
        let mut inputs = vec![
            ("input".to_owned(), tensor(&[1, len], ids)?),
            ("input_lengths".to_owned(), tensor(&[1], vec![len as i64])?),
            ("scales".to_owned(), tensor(&[3], vec![0f32, 1.0, 0.0])?),
        ];
        if let Some(speaker) = case["sid"].as_i64() {
            inputs.push(("sid".to_owned(), tensor(&[1], vec![speaker])?));
        }
        cases.push(Case { model, inputs: vec![inputs], by_cosine: false });
    }
    cases.push(Case { model: "models/minilm-int8.onnx", inputs: sentences(shared)?, by_cosine: true });
    let wave: Vec<f32> = (0..512).map(|index| (index as f32 * 0.13).sin() * 0.4).collect();
    let inputs = vec![
        ("input".to_owned(), tensor(&[1, 512], wave)?),
        ("state".to_owned(), tensor(&[2, 1, 128], vec![0f32; 256])?),
        ("sr".to_owned(), tensor(&[], vec![16_000i64])?),
    ];
    cases.push(Case { model: "data/vad/silero_vad.onnx", inputs: vec![inputs], by_cosine: false });
    Ok(cases)
}

/// The tokens of every kept sentence.
fn sentences(shared: &Path) -> Outcome<Vec<Vec<(String, DynValue)>>> {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(shared.join("models/minilm.expected.json"))?)?;
    let mut all = Vec::new();
    for case in expected["cases"].as_array().ok_or("no cases")? {
        let tokens: Vec<i64> = serde_json::from_value(case["tokens"].clone())?;
        let len = tokens.len();
        let rows =
            [("input_ids", tokens), ("attention_mask", vec![1; len]), ("token_type_ids", vec![0; len])];
        let inputs = rows.into_iter().map(|(name, row)| Ok((name.to_owned(), tensor(&[1, len], row)?)));
        all.push(inputs.collect::<Outcome<_>>()?);
    }
    Ok(all)
}

fn tensor<T>(shape: &[usize], data: Vec<T>) -> Outcome<DynValue>
where
    T: lectern_neural::ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    Ok(Tensor::from_array((shape.to_vec(), data))?.into_dyn())
}

fn measure(shared: &Path, case: &Case) -> Outcome<Measured> {
    let path = shared.join(case.model);
    let mut loads = Vec::new();
    let mut loaded = None;
    for _ in 0..3 {
        let start = Instant::now();
        loaded = Some(session(&path, &SessionOptions::default())?);
        loads.push(start.elapsed());
    }
    let mut session = loaded.ok_or("not loaded")?;
    let mut output = run(&mut session, case)?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        output = run(&mut session, case)?;
        runs.push(start.elapsed());
    }
    loads.sort();
    runs.sort();
    Ok(Measured { load: loads[1], run: runs[RUNS / 2], output })
}

fn run(session: &mut Session, case: &Case) -> Outcome<Vec<f32>> {
    let mut all = Vec::new();
    for inputs in &case.inputs {
        let inputs: Vec<(&str, &DynValue)> =
            inputs.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let outputs = session.run(inputs)?;
        let (shape, values) = outputs[0].try_extract_tensor::<f32>()?;
        if case.by_cosine {
            all.extend(pooled(values, shape[2] as usize));
        } else {
            all.extend(values);
        }
    }
    Ok(all)
}

/// The mean of the rows, one long. So the cosine of several such after each other is the mean of their cosines.
fn pooled(values: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0f32; width];
    for row in values.chunks_exact(width) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    sum.iter().map(|value| value / length).collect()
}

fn store(file: &Path, measured: &Measured) -> Outcome<()> {
    let mut text = format!("{} {}\n", measured.load.as_nanos(), measured.run.as_nanos());
    for value in &measured.output {
        writeln!(text, "{value}")?;
    }
    Ok(std::fs::write(file, text)?)
}

fn compare(case: &Case, file: &Path, other: &Measured) -> Outcome<bool> {
    let text = std::fs::read_to_string(file)?;
    let mut lines = text.lines();
    let times: Vec<f64> =
        lines.next().unwrap_or_default().split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let ours: Vec<f32> = lines.map(str::parse).collect::<Result<_, _>>()?;
    let same_length = ours.len() == other.output.len();
    let worst = ours.iter().zip(&other.output).map(|(one, two)| (one - two).abs()).fold(0.0, f32::max);
    let dot = |one: &[f32], two: &[f32]| {
        one.iter().zip(two).map(|(one, two)| f64::from(*one) * f64::from(*two)).sum::<f64>()
    };
    let cosine = dot(&ours, &other.output) / (dot(&ours, &ours) * dot(&other.output, &other.output)).sqrt();
    let agrees = same_length && if case.by_cosine { cosine >= 0.999 } else { worst <= 1e-4 };
    let agreement = if case.by_cosine { format!("cosine {cosine:.5}") } else { format!("{worst:.1e} apart") };
    println!(
        "| {} | {:.0} ms | {:.0} ms | {:.1} ms | {:.1} ms | {:.2} | {agreement}{} |",
        case.model,
        times[0] / 1e6,
        other.load.as_secs_f64() * 1e3,
        times[1] / 1e6,
        other.run.as_secs_f64() * 1e3,
        times[1] / 1e9 / other.run.as_secs_f64(),
        if agrees { "" } else { " — NO" }
    );
    Ok(agrees)
}

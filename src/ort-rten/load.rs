//! From a file or memory to a model that runs: walked through, checked, then given to RTen, all on a thread of
//! its own that is left behind when the deadline passes.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use ort_sys::OrtErrorCode;
use rten::{Model, ModelOptions};

use crate::check::{Checked, check};
use crate::cuts::{self, Cut};
use crate::identity;
use crate::outline::Outline;
use crate::scan::Scanner;
use crate::status::Failure;

const MAX_FILE: u64 = 4 << 30;
/// RTen reads and improves graphs by recursion.
const STACK: usize = 64 << 20;
const TICK: Duration = Duration::from_millis(20);

pub(crate) enum Source {
    File(PathBuf),
    Memory(Vec<u8>),
}

pub(crate) struct LoadOptions {
    pub optimize: bool,
    pub prepack: bool,
    pub deadline: Duration,
    pub cancel: Arc<AtomicBool>,
}

pub(crate) struct Loaded {
    pub outline: Outline,
    pub checked: Checked,
    /// None for the model that only hands its input on.
    pub model: Option<Model>,
    pub cuts: Vec<Cut>,
}

pub(crate) fn load(source: Source, options: &LoadOptions) -> Result<Loaded, Failure> {
    let (tx, rx) = mpsc::sync_channel(1);
    let (optimize, prepack) = (options.optimize, options.prepack);
    let work = move || {
        let result = catch_unwind(AssertUnwindSafe(|| read(source, optimize, prepack)));
        let result = result.unwrap_or_else(|payload| Err(Failure::panicked(&*payload)));
        // Nobody waits any more when the deadline has passed.
        let _ = tx.send(result);
    };
    std::thread::Builder::new()
        .name("model-load".into())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| Failure::failed(format!("no thread to load the model: {error}")))?;
    let start = Instant::now();
    loop {
        match rx.recv_timeout(TICK) {
            Ok(result) => return result,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Failure::failed("the thread that loads the model ended"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if options.cancel.load(Ordering::Relaxed) {
            return Err(Failure::failed("loading the model was cancelled"));
        }
        if start.elapsed() >= options.deadline {
            let seconds = options.deadline.as_secs_f32();
            let message = format!("the model was not loaded within {seconds:.1} seconds");
            return Err(Failure::new(OrtErrorCode::ORT_ENGINE_ERROR, message));
        }
    }
}

/// What a file declares, without loading it.
pub(crate) fn inspect(path: &Path) -> Result<(Outline, Checked), Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let len = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    if len > MAX_FILE {
        return Err(Failure::protobuf(format!("the model has {len} bytes; {MAX_FILE} are the limit")));
    }
    let outline = Scanner::new(BufReader::with_capacity(64 << 10, file)).model(len)?;
    let checked = check(&outline)?;
    Ok((outline, checked))
}

fn read(source: Source, optimize: bool, prepack: bool) -> Result<Loaded, Failure> {
    let mut options = ModelOptions::with_all_ops();
    options.enable_optimization(optimize).prepack_weights(prepack);
    let (outline, checked) = match &source {
        Source::File(path) => inspect(path)?,
        Source::Memory(bytes) => {
            if let Some(known) = identity::recognise(bytes) {
                known?
            } else {
                let outline = Scanner::new(Cursor::new(bytes)).model(bytes.len() as u64)?;
                let checked = check(&outline)?;
                (outline, checked)
            }
        }
    };
    if checked.identity {
        return Ok(Loaded { outline, checked, model: None, cuts: Vec::new() });
    }
    let model = match source {
        // RTen tells formats by the extension, and reads such a file without a copy in memory.
        Source::File(path) if has_extension(&path) => options.load_file(&path),
        Source::File(path) => {
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            for name in &checked.external {
                let beside = path.with_file_name(name);
                let data = std::fs::read(&beside).map_err(|error| unreadable(&beside, &error))?;
                options.external_data(name, data);
            }
            options.load(bytes)
        }
        Source::Memory(bytes) => options.load(bytes),
    };
    let model = model.map_err(|error| Failure::graph(error.to_string()))?;
    let cuts = outline.graph.as_ref().map(|graph| cuts::find(graph, &model)).unwrap_or_default();
    Ok(Loaded { outline, checked, model: Some(model), cuts })
}

fn has_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("the file {} could not be read: {error}", path.display());
    Failure::new(OrtErrorCode::ORT_NO_SUCHFILE, message)
}

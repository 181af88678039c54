//! Loading a model: looked at first, then loaded within a time.

use std::path::Path;
use std::time::Duration;

use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use crate::{NeuralError, runtime, shape};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    /// At most so many threads for a run; 0: as the runtime was set up. Runs beside each other share the cores.
    pub threads: usize,
    /// Loading is given up after this time.
    pub deadline: Duration,
    /// A larger model is refused, with the files of its weights.
    pub max_bytes: u64,
    /// Packs the weights once, while loading, for more memory: worth it for models of eight bits and short inputs,
    /// whose weights would be packed again at every run. The built-in engine only.
    pub prepack: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { threads: 0, deadline: Duration::from_secs(30), max_bytes: 3 << 30, prepack: false }
    }
}

/// Where a model's bytes are.
#[derive(Clone, Copy)]
enum Source<'a> {
    File(&'a Path),
    /// A part of the file's model.
    Memory(&'a Path, &'a [u8]),
}

impl<'a> Source<'a> {
    fn path(self) -> &'a Path {
        match self {
            Self::File(path) | Self::Memory(path, _) => path,
        }
    }
}

/// Loads a model. Whoever has its hash from a manifest checks that before.
pub fn session(path: &Path, options: &SessionOptions) -> Result<Session, NeuralError> {
    let shape = shape::inspect(path)?;
    if shape.bytes > options.max_bytes {
        let (bytes, limit) = (shape.bytes, options.max_bytes);
        return Err(NeuralError::TooLarge { path: path.to_owned(), bytes, limit });
    }
    load(Source::File(path), options)
}

/// Loads a model from memory that was made of the one in the file `path`.
pub fn session_of(path: &Path, model: &[u8], options: &SessionOptions) -> Result<Session, NeuralError> {
    load(Source::Memory(path, model), options)
}

fn load(source: Source<'_>, options: &SessionOptions) -> Result<Session, NeuralError> {
    let info = runtime();
    let threads = if options.threads == 0 { info.threads } else { options.threads };
    let builder = builder(threads, options).map_err(|error| NeuralError::Engine(error.to_string()))?;
    commit(builder, source, options.deadline, info.device)
}

fn builder(threads: usize, options: &SessionOptions) -> ort::Result<SessionBuilder> {
    let millis = options.deadline.as_millis().to_string();
    let prepack = if options.prepack { "1" } else { "0" };
    Ok(Session::builder()?
        .with_intra_threads(threads)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_config_entry(lectern_ort_rten::PREPACK, prepack)?
        .with_config_entry(lectern_ort_rten::LOAD_DEADLINE, millis)?)
}

#[cfg(not(feature = "onnxruntime"))]
fn commit(
    mut builder: SessionBuilder,
    source: Source<'_>,
    deadline: Duration,
    _: &str,
) -> Result<Session, NeuralError> {
    let committed = match source {
        Source::File(path) => builder.commit_from_file(path),
        Source::Memory(_, model) => builder.commit_from_memory(model),
    };
    committed.map_err(|error| failed(source.path(), deadline, &error))
}

/// The real library has no deadline of its own: it loads on a thread that may be left behind.
#[cfg(feature = "onnxruntime")]
fn commit(
    builder: SessionBuilder,
    source: Source<'_>,
    deadline: Duration,
    device: &str,
) -> Result<Session, NeuralError> {
    use std::sync::mpsc;
    let mut builder = builder;
    if device == "CUDA" {
        let cuda = ort::ep::CUDA::default().build().error_on_failure();
        let with_cuda = builder.with_execution_providers([cuda]);
        builder = with_cuda.map_err(|error| NeuralError::Engine(error.to_string()))?;
    }
    let (tx, rx) = mpsc::sync_channel(1);
    let path = source.path();
    let (file, model) = match source {
        Source::File(_) => (path.to_owned(), None),
        Source::Memory(_, model) => (path.to_owned(), Some(model.to_vec())),
    };
    let mut builder = crate::dynamic::Sendable(builder);
    std::thread::Builder::new()
        .name("model-load".into())
        .spawn(move || {
            // Nobody waits any more when the deadline has passed.
            let _ = tx.send(builder.commit(&file, model.as_deref()));
        })
        .map_err(|error| NeuralError::Engine(format!("no thread to load the model: {error}")))?;
    match rx.recv_timeout(deadline) {
        Ok(result) => result.map_err(|error| failed(path, deadline, &error)),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(NeuralError::Deadline { path: path.to_owned(), deadline })
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(NeuralError::Engine("the thread that loads the model ended".into()))
        }
    }
}

fn failed(path: &Path, deadline: Duration, error: &ort::Error) -> NeuralError {
    if error.code() == ort::ErrorCode::EngineError {
        return NeuralError::Deadline { path: path.to_owned(), deadline };
    }
    NeuralError::Load { path: path.to_owned(), reason: error.message().to_owned() }
}

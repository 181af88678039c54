//! The choice of a runtime, made once in a process.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

use crate::NeuralError;

/// What the settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeChoice {
    /// The library of ONNX Runtime; none: RTen, which is built in.
    pub onnxruntime: Option<PathBuf>,
    /// Ask ONNX Runtime for the GPU.
    pub cuda: bool,
    /// Threads of a run; 0 stands for one a core.
    pub threads: usize,
}

/// What runs, for `lectern status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// `RTen` or `ONNX Runtime`.
    pub name: &'static str,
    pub version: String,
    /// `CPU` or `CUDA`.
    pub device: &'static str,
    pub threads: usize,
}

struct Running {
    choice: RuntimeChoice,
    info: RuntimeInfo,
}

static RUNNING: OnceLock<Running> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// Starts the runtime. Once in a process: asking again for the same is fine, for another an error.
pub fn init(choice: &RuntimeChoice) -> Result<RuntimeInfo, NeuralError> {
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = RUNNING.get() {
        if running.choice == *choice {
            return Ok(running.info.clone());
        }
        return Err(NeuralError::AlreadyRunning { running: running.info.name.into() });
    }
    let info = start(choice)?;
    tracing::info!(runtime = info.name, version = info.version, device = info.device, "inference engine");
    let _ = RUNNING.set(Running { choice: choice.clone(), info: info.clone() });
    Ok(info)
}

/// What runs; starts RTen when nothing was chosen yet.
pub fn runtime() -> RuntimeInfo {
    if let Some(running) = RUNNING.get() {
        return running.info.clone();
    }
    // RTen cannot fail to start, and another choice made meanwhile is what runs.
    let _ = init(&RuntimeChoice::default());
    let info = RUNNING.get().map(|running| running.info.clone());
    info.unwrap_or_else(|| rten_info(&RuntimeChoice::default()))
}

fn start(choice: &RuntimeChoice) -> Result<RuntimeInfo, NeuralError> {
    let info = if let Some(path) = &choice.onnxruntime {
        library(path, choice)?
    } else if lectern_ort_rten::install() {
        rten_info(choice)
    } else {
        return Err(NeuralError::AlreadyRunning { running: "another backend of ort".into() });
    };
    ort::init().with_name("lectern").with_telemetry(false).commit();
    Ok(info)
}

fn rten_info(choice: &RuntimeChoice) -> RuntimeInfo {
    RuntimeInfo {
        name: "RTen",
        version: lectern_ort_rten::RTEN_VERSION.to_owned(),
        device: "CPU",
        threads: threads(choice),
    }
}

#[cfg(feature = "onnxruntime")]
fn library(path: &std::path::Path, choice: &RuntimeChoice) -> Result<RuntimeInfo, NeuralError> {
    let version = crate::dynamic::install(path)?;
    let device = if choice.cuda { "CUDA" } else { "CPU" };
    Ok(RuntimeInfo { name: "ONNX Runtime", version, device, threads: threads(choice) })
}

#[cfg(not(feature = "onnxruntime"))]
fn library(_: &std::path::Path, _: &RuntimeChoice) -> Result<RuntimeInfo, NeuralError> {
    Err(NeuralError::NoOnnxRuntime)
}

fn threads(choice: &RuntimeChoice) -> usize {
    if choice.threads > 0 {
        choice.threads
    } else {
        available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

//! The real ONNX Runtime, from its shared library.
#![allow(unsafe_code, reason = "loads a C library")]

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::path::Path;

use libloading::Library;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::sys::{ORT_API_VERSION, OrtApiBase};

use crate::NeuralError;

/// Loads the library, hands its functions to `ort`, and returns its version.
pub(crate) fn install(path: &Path) -> Result<String, NeuralError> {
    let refuse = |reason: String| NeuralError::Library { path: path.to_owned(), reason };
    // SAFETY: loading runs the library's initialisers; the path is the administrator's choice.
    let library = unsafe { Library::new(path) }.map_err(|error| refuse(error.to_string()))?;
    // Never unloaded: `ort` keeps pointers into it.
    let library = ManuallyDrop::new(library);
    // SAFETY: the type of this function is fixed by ONNX Runtime's C interface.
    let base = unsafe { library.get::<unsafe extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase\0") };
    let base = base.map_err(|_| refuse("it is not ONNX Runtime".into()))?;
    // SAFETY: the function takes nothing and returns a static table, or null.
    let base = unsafe { base().as_ref() }.ok_or_else(|| refuse("it gives no interface".into()))?;
    // SAFETY: gives a static, zero-terminated text.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) }.to_string_lossy().into_owned();
    // SAFETY: gives a static table, or null when it does not know this version of the interface.
    let api = unsafe { (base.GetApi)(ORT_API_VERSION).as_ref() };
    let api = api.ok_or_else(|| refuse(format!("version {version} is older than 1.{ORT_API_VERSION}")))?;
    // SAFETY: a table of plain functions; it is at least as long as the struct of this version.
    let table = unsafe { std::ptr::read(api) };
    if !ort::set_api(table) {
        return Err(NeuralError::AlreadyRunning { running: "another backend of ort".into() });
    }
    Ok(version)
}

/// A builder on its way to another thread.
pub(crate) struct Sendable(pub SessionBuilder);

// SAFETY: session options of ONNX Runtime belong to no thread; the builder is moved, not shared.
unsafe impl Send for Sendable {}

impl Sendable {
    /// From memory where a model is given, else from the file.
    pub(crate) fn commit(&mut self, path: &Path, model: Option<&[u8]>) -> ort::Result<Session> {
        match model {
            Some(model) => self.0.commit_from_memory(model),
            None => self.0.commit_from_file(path),
        }
    }
}

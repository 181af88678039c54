//! The entries for the environment, for sessions and for running them.
#![allow(unsafe_code, reason = "entries of a C interface")]

use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ort_sys::{
    OrtAllocator, OrtEnv, OrtLoggingFunction, OrtLoggingLevel, OrtPrepackedWeightsContainer, OrtRunOptions,
    OrtSession, OrtSessionOptions, OrtStatusPtr, OrtThreadingOptions, OrtTypeInfo, OrtValue,
    RunAsyncCallbackFn, os_char,
};

use crate::info::TypeInfo;
use crate::load::Source;
use crate::memory::{free_block, list_block, text_block};
use crate::options::{SessionSettings, run_settings, session_settings};
use crate::outline::Signature;
use crate::session::Session;
use crate::status::{Failure, handle, object, put, release, slice, status, text};
use crate::tensor::Tensor;

/// Nothing is kept between sessions.
struct Environment;

pub(crate) unsafe extern "system" fn create_env(
    _: OrtLoggingLevel,
    _: *const c_char,
    out: *mut *mut OrtEnv,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(Environment)) })
}

pub(crate) unsafe extern "system" fn create_env_with_logger(
    _: OrtLoggingFunction,
    _: *mut c_void,
    _: OrtLoggingLevel,
    _: *const c_char,
    out: *mut *mut OrtEnv,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(Environment)) })
}

pub(crate) unsafe extern "system" fn release_env(env: *mut OrtEnv) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Environment, _>(env) };
}

/// There is no telemetry to switch.
pub(crate) unsafe extern "system" fn telemetry(_: *const OrtEnv) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn log_level(_: *mut OrtEnv, _: OrtLoggingLevel) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn create_threading(out: *mut *mut OrtThreadingOptions) -> OrtStatusPtr {
    // `ort` panics when this fails; that pools cannot be shared is said by what sets them.
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(Environment)) })
}

pub(crate) unsafe extern "system" fn release_threading(options: *mut OrtThreadingOptions) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Environment, _>(options) };
}

pub(crate) unsafe extern "system" fn no_threading_number(
    _: *mut OrtThreadingOptions,
    _: c_int,
) -> OrtStatusPtr {
    Failure::unsupported("thread pools of the environment; set the threads of a session").into_status()
}

pub(crate) unsafe extern "system" fn no_env_with_pools(
    _: OrtLoggingLevel,
    _: *const c_char,
    _: *const OrtThreadingOptions,
    _: *mut *mut OrtEnv,
) -> OrtStatusPtr {
    Failure::unsupported("thread pools of the environment; set the threads of a session").into_status()
}

pub(crate) unsafe extern "system" fn no_env_with_logger_and_pools(
    _: OrtLoggingFunction,
    _: *mut c_void,
    _: OrtLoggingLevel,
    _: *const c_char,
    _: *const OrtThreadingOptions,
    _: *mut *mut OrtEnv,
) -> OrtStatusPtr {
    Failure::unsupported("thread pools of the environment; set the threads of a session").into_status()
}

pub(crate) unsafe extern "system" fn create_session(
    _: *const OrtEnv,
    path: *const os_char,
    options: *const OrtSessionOptions,
    out: *mut *mut OrtSession,
) -> OrtStatusPtr {
    status(|| {
        if path.is_null() {
            return Err(Failure::argument("the path of the model is null"));
        }
        // SAFETY: a zero-terminated name.
        let path = unsafe { std::ffi::CStr::from_ptr(path) };
        let path = PathBuf::from(OsStr::from_bytes(path.to_bytes()));
        // SAFETY: a live handle or null; `out` is writable.
        unsafe { open(Source::File(path), options, out) }
    })
}

pub(crate) unsafe extern "system" fn create_session_from_array(
    _: *const OrtEnv,
    data: *const c_void,
    len: usize,
    options: *const OrtSessionOptions,
    out: *mut *mut OrtSession,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: `len` bytes. They are copied, for a load that was given up may go on behind.
        let data = unsafe { slice(data.cast::<u8>(), len) }?.to_vec();
        // SAFETY: a live handle or null; `out` is writable.
        unsafe { open(Source::Memory(data), options, out) }
    })
}

unsafe fn open(
    source: Source,
    options: *const OrtSessionOptions,
    out: *mut *mut OrtSession,
) -> Result<(), Failure> {
    let default = SessionSettings::default();
    // SAFETY: by the callers' contract.
    let settings = if options.is_null() { &default } else { unsafe { session_settings(options) }? };
    let session = Session::open(source, settings)?;
    // SAFETY: by the callers' contract.
    unsafe { put(out, handle(session)) }
}

// Weights are packed, if at all, a session at a time: a shared container is an object without content.

pub(crate) unsafe extern "system" fn create_container(
    out: *mut *mut OrtPrepackedWeightsContainer,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(Environment)) })
}

pub(crate) unsafe extern "system" fn release_container(container: *mut OrtPrepackedWeightsContainer) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Environment, _>(container) };
}

pub(crate) unsafe extern "system" fn create_session_with_container(
    env: *const OrtEnv,
    path: *const os_char,
    options: *const OrtSessionOptions,
    _: *mut OrtPrepackedWeightsContainer,
    out: *mut *mut OrtSession,
) -> OrtStatusPtr {
    // SAFETY: the same contract.
    unsafe { create_session(env, path, options, out) }
}

pub(crate) unsafe extern "system" fn create_session_from_array_with_container(
    env: *const OrtEnv,
    data: *const c_void,
    len: usize,
    options: *const OrtSessionOptions,
    _: *mut OrtPrepackedWeightsContainer,
    out: *mut *mut OrtSession,
) -> OrtStatusPtr {
    // SAFETY: the same contract.
    unsafe { create_session_from_array(env, data, len, options, out) }
}

pub(crate) unsafe extern "system" fn release_session(session: *mut OrtSession) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Session, _>(session) };
}

macro_rules! ports {
    ($field:ident, $count:ident, $name:ident, $type_info:ident) => {
        pub(crate) unsafe extern "system" fn $count(
            session: *const OrtSession,
            out: *mut usize,
        ) -> OrtStatusPtr {
            // SAFETY: a live handle of this type; `out` is writable.
            status(|| unsafe { put(out, object::<Session, _>(session)?.$field.len()) })
        }

        pub(crate) unsafe extern "system" fn $name(
            session: *const OrtSession,
            index: usize,
            _: *mut OrtAllocator,
            out: *mut *mut c_char,
        ) -> OrtStatusPtr {
            status(|| {
                // SAFETY: a live handle of this type; `out` is writable.
                unsafe { put(out, text_block(&port(&object::<Session, _>(session)?.$field, index)?.name)?) }
            })
        }

        pub(crate) unsafe extern "system" fn $type_info(
            session: *const OrtSession,
            index: usize,
            out: *mut *mut OrtTypeInfo,
        ) -> OrtStatusPtr {
            status(|| {
                // SAFETY: a live handle of this type; `out` is writable.
                unsafe {
                    let port = port(&object::<Session, _>(session)?.$field, index)?;
                    put(out, TypeInfo::of_port(port).into_handle())
                }
            })
        }
    };
}
ports!(inputs, input_count, input_name, input_type);
ports!(outputs, output_count, output_name, output_type);

fn port(ports: &[Signature], index: usize) -> Result<&Signature, Failure> {
    ports.get(index).ok_or_else(|| Failure::argument(format!("there is no input or output {index}")))
}

/// Inputs with a default are taken as fixed, as RTen does.
pub(crate) unsafe extern "system" fn overridable_count(
    _: *const OrtSession,
    out: *mut usize,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, 0) })
}

/// The arguments of a run, as they come through the interface.
struct Call {
    session: *const OrtSession,
    options: *const OrtRunOptions,
    input_names: *const *const c_char,
    inputs: *const *const OrtValue,
    input_count: usize,
    output_names: *const *const c_char,
    output_count: usize,
    outputs: *mut *mut OrtValue,
}

impl Call {
    /// # Safety
    /// The handles live; the lists have their lengths.
    unsafe fn run(&self) -> Result<(), Failure> {
        // SAFETY: by the contract above.
        unsafe {
            let session = object::<Session, _>(self.session)?;
            let names = slice(self.input_names, self.input_count)?;
            let values = slice(self.inputs, self.input_count)?;
            let mut inputs = Vec::with_capacity(names.len());
            for (name, value) in names.iter().zip(values) {
                inputs.push((text(*name)?, object::<Tensor, _>(*value)?));
            }
            let names: Result<Vec<&str>, _> =
                slice(self.output_names, self.output_count)?.iter().map(|name| text(*name)).collect();
            let names = names?;
            let targets = slice(self.outputs.cast_const(), self.output_count)?.to_vec();
            let results = session.run(run_settings(self.options), &inputs, &names)?;
            for (result, (target, name)) in results.iter().zip(targets.iter().zip(&names)) {
                if !target.is_null() {
                    object::<Tensor, _>(*target)?.copy_from(result, name)?;
                }
            }
            // Only now, when nothing can fail: else the values made so far would be lost.
            for (index, (result, target)) in results.into_iter().zip(targets).enumerate() {
                if target.is_null() {
                    put(self.outputs.add(index), handle(result))?;
                }
            }
        }
        Ok(())
    }
}

pub(crate) unsafe extern "system" fn run(
    session: *mut OrtSession,
    options: *const OrtRunOptions,
    input_names: *const *const c_char,
    inputs: *const *const OrtValue,
    input_count: usize,
    output_names: *const *const c_char,
    output_count: usize,
    outputs: *mut *mut OrtValue,
) -> OrtStatusPtr {
    let call =
        Call { session, options, input_names, inputs, input_count, output_names, output_count, outputs };
    // SAFETY: what the caller gave.
    status(|| unsafe { call.run() })
}

/// A call that another thread makes, with what it tells at the end.
struct Errand {
    call: Call,
    done: unsafe extern "system" fn(*mut c_void, *mut *mut OrtValue, usize, OrtStatusPtr),
    data: *mut c_void,
}

// SAFETY: the caller of `run_async` keeps everything alive until the callback, and touches nothing before.
unsafe impl Send for Errand {}

impl Errand {
    fn carry_out(self) {
        // SAFETY: see above.
        let outcome = status(|| unsafe { self.call.run() });
        // SAFETY: the callback takes over the status and the outputs.
        unsafe { (self.done)(self.data, self.call.outputs, self.call.output_count, outcome) };
    }
}

pub(crate) unsafe extern "system" fn run_async(
    session: *mut OrtSession,
    options: *const OrtRunOptions,
    input_names: *const *const c_char,
    inputs: *const *const OrtValue,
    input_count: usize,
    output_names: *const *const c_char,
    output_count: usize,
    outputs: *mut *mut OrtValue,
    callback: RunAsyncCallbackFn,
    data: *mut c_void,
) -> OrtStatusPtr {
    let call =
        Call { session, options, input_names, inputs, input_count, output_names, output_count, outputs };
    status(|| {
        let done = callback.ok_or_else(|| Failure::argument("there is no callback"))?;
        let errand = Errand { call, done, data };
        std::thread::Builder::new()
            .name("model-run".into())
            .spawn(move || errand.carry_out())
            .map(drop)
            .map_err(|error| Failure::failed(format!("no thread to run the model: {error}")))
    })
}

pub(crate) unsafe extern "system" fn providers(
    out: *mut *mut *mut c_char,
    count: *mut c_int,
) -> OrtStatusPtr {
    status(|| {
        let list = list_block::<*mut c_char>(1);
        // SAFETY: both are writable; the list has room for one text (or is null, which `put` refuses).
        unsafe {
            put(list, text_block("CPUExecutionProvider")?)?;
            put(out, list)?;
            put(count, 1)
        }
    })
}

pub(crate) unsafe extern "system" fn release_providers(list: *mut *mut c_char, count: c_int) -> OrtStatusPtr {
    status(|| {
        // SAFETY: the list that `providers` made, given back once.
        unsafe {
            for text in slice(list.cast_const(), usize::try_from(count).unwrap_or(0))? {
                free_block(text.cast());
            }
            free_block(list.cast());
        }
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn build_info() -> *const c_char {
    static INFO: std::sync::OnceLock<CString> = std::sync::OnceLock::new();
    let text = || format!("RTen {} behind {}", crate::RTEN_VERSION, env!("CARGO_PKG_NAME"));
    INFO.get_or_init(|| CString::new(text()).unwrap_or_default()).as_ptr()
}

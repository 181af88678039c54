//! What callers set for sessions and runs. All behind shared references: another thread may cancel a load or
//! stop a run at any time.
#![allow(unsafe_code, reason = "entries of a C interface")]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ort_sys::{
    ExecutionMode, GraphOptimizationLevel, OrtExecutionProviderDevicePolicy, OrtLoggingFunction,
    OrtRunOptions, OrtSessionOptions, OrtStatusPtr, os_char,
};

use crate::status::{Failure, handle, object, put, release, status, text};

/// Session configuration entry: milliseconds after which loading is given up.
pub const LOAD_DEADLINE: &str = "rten.load_deadline_ms";
/// Session configuration entry: `1` packs weights while loading, for more memory.
pub const PREPACK: &str = "rten.prepack_weights";
const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);
const MAX_ENTRIES: usize = 256;

#[derive(Default)]
pub(crate) struct SessionSettings {
    threads: AtomicUsize,
    unoptimised: AtomicBool,
    cancel: Arc<AtomicBool>,
    entries: Mutex<HashMap<String, String>>,
}

impl SessionSettings {
    pub(crate) fn threads(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    pub(crate) fn optimize(&self) -> bool {
        !self.unoptimised.load(Ordering::Relaxed)
    }

    pub(crate) fn cancel(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }

    pub(crate) fn prepack(&self) -> bool {
        self.entry(PREPACK).is_some_and(|value| value == "1")
    }

    pub(crate) fn load_deadline(&self) -> Duration {
        let entry = self.entry(LOAD_DEADLINE).and_then(|value| value.parse().ok());
        entry.map_or(DEFAULT_DEADLINE, Duration::from_millis)
    }

    fn entry(&self, key: &str) -> Option<String> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn copy(&self) -> Self {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            threads: AtomicUsize::new(self.threads()),
            unoptimised: AtomicBool::new(!self.optimize()),
            cancel: Arc::default(),
            entries: Mutex::new(entries),
        }
    }
}

#[derive(Default)]
pub(crate) struct RunSettings {
    terminate: AtomicBool,
    severity: AtomicI32,
    verbosity: AtomicI32,
    tag: Mutex<CString>,
}

impl RunSettings {
    pub(crate) fn terminated(&self) -> bool {
        self.terminate.load(Ordering::Relaxed)
    }
}

pub(crate) unsafe extern "system" fn create_session_options(
    out: *mut *mut OrtSessionOptions,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(SessionSettings::default())) })
}

pub(crate) unsafe extern "system" fn clone_session_options(
    options: *const OrtSessionOptions,
    out: *mut *mut OrtSessionOptions,
) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, handle(object::<SessionSettings, _>(options)?.copy())) })
}

pub(crate) unsafe extern "system" fn release_session_options(options: *mut OrtSessionOptions) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<SessionSettings, _>(options) };
}

/// The settings behind a handle.
///
/// # Safety
/// `options` is null or a live handle.
pub(crate) unsafe fn session_settings<'a>(
    options: *const OrtSessionOptions,
) -> Result<&'a SessionSettings, Failure> {
    // SAFETY: by the contract above.
    unsafe { object::<SessionSettings, _>(options) }
}

pub(crate) unsafe extern "system" fn set_intra_threads(
    options: *mut OrtSessionOptions,
    threads: c_int,
) -> OrtStatusPtr {
    status(|| {
        let threads = usize::try_from(threads)
            .map_err(|_| Failure::argument(format!("there cannot be {threads} threads")))?;
        // SAFETY: a live handle of this type.
        unsafe { session_settings(options) }?.threads.store(threads, Ordering::Relaxed);
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn set_optimization(
    options: *mut OrtSessionOptions,
    level: GraphOptimizationLevel,
) -> OrtStatusPtr {
    status(|| {
        let off = level == GraphOptimizationLevel::ORT_DISABLE_ALL;
        // SAFETY: a live handle of this type.
        unsafe { session_settings(options) }?.unoptimised.store(off, Ordering::Relaxed);
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn set_load_cancellation(
    options: *mut OrtSessionOptions,
    cancel: bool,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type.
        unsafe { session_settings(options) }?.cancel.store(cancel, Ordering::Relaxed);
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn add_session_entry(
    options: *mut OrtSessionOptions,
    key: *const c_char,
    value: *const c_char,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type, zero-terminated texts.
        let (settings, key, value) = unsafe { (session_settings(options)?, text(key)?, text(value)?) };
        let mut entries = settings.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            return Err(Failure::argument("the session has too many configuration entries"));
        }
        entries.insert(key.to_owned(), value.to_owned());
        Ok(())
    })
}

// Settings that RTen has no use for, and that change no result: taken and forgotten.

pub(crate) unsafe extern "system" fn take_options(_: *mut OrtSessionOptions) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn take_number(_: *mut OrtSessionOptions, _: c_int) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn take_text(_: *mut OrtSessionOptions, _: *const c_char) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn take_flag(_: *mut OrtSessionOptions, _: bool) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn take_mode(_: *mut OrtSessionOptions, _: ExecutionMode) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn take_policy(
    _: *mut OrtSessionOptions,
    _: OrtExecutionProviderDevicePolicy,
) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn take_logger(
    _: *mut OrtSessionOptions,
    _: OrtLoggingFunction,
    _: *mut c_void,
) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

// Settings that would change what is computed or written: refused by name.

pub(crate) unsafe extern "system" fn no_optimised_file(
    _: *mut OrtSessionOptions,
    _: *const os_char,
) -> OrtStatusPtr {
    Failure::unsupported("writing the optimised model to a file").into_status()
}

pub(crate) unsafe extern "system" fn no_profile(
    _: *mut OrtSessionOptions,
    _: *const os_char,
) -> OrtStatusPtr {
    Failure::unsupported("profiles").into_status()
}

pub(crate) unsafe extern "system" fn no_custom_ops(_: *mut OrtSessionOptions) -> OrtStatusPtr {
    Failure::unsupported("custom operators").into_status()
}

pub(crate) unsafe extern "system" fn create_run_options(out: *mut *mut OrtRunOptions) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(RunSettings::default())) })
}

pub(crate) unsafe extern "system" fn release_run_options(options: *mut OrtRunOptions) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<RunSettings, _>(options) };
}

/// # Safety
/// `options` is null or a live handle.
pub(crate) unsafe fn run_settings<'a>(options: *const OrtRunOptions) -> Option<&'a RunSettings> {
    // SAFETY: by the contract above; null stands for no settings.
    unsafe { options.cast::<RunSettings>().as_ref() }
}

pub(crate) unsafe extern "system" fn set_terminate(options: *mut OrtRunOptions) -> OrtStatusPtr {
    // SAFETY: a live handle of this type.
    status(|| unsafe { terminate(options, true) })
}

pub(crate) unsafe extern "system" fn unset_terminate(options: *mut OrtRunOptions) -> OrtStatusPtr {
    // SAFETY: a live handle of this type.
    status(|| unsafe { terminate(options, false) })
}

unsafe fn terminate(options: *mut OrtRunOptions, on: bool) -> Result<(), Failure> {
    // SAFETY: by the callers' contract.
    unsafe { object::<RunSettings, _>(options) }?.terminate.store(on, Ordering::Relaxed);
    Ok(())
}

pub(crate) unsafe extern "system" fn set_run_tag(
    options: *mut OrtRunOptions,
    tag: *const c_char,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type, a zero-terminated text.
        let (settings, tag) = unsafe { (object::<RunSettings, _>(options)?, text(tag)?) };
        let tag = CString::new(tag).map_err(|_| Failure::argument("a zero in the tag"))?;
        *settings.tag.lock().unwrap_or_else(PoisonError::into_inner) = tag;
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn run_tag(
    options: *const OrtRunOptions,
    out: *mut *const c_char,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` is writable.
        let settings = unsafe { object::<RunSettings, _>(options) }?;
        // The pointer is good until the tag is set again, as in ONNX Runtime.
        let tag: *const CStr = settings.tag.lock().unwrap_or_else(PoisonError::into_inner).as_c_str();
        // SAFETY: `out` is writable.
        unsafe { put(out, tag.cast::<c_char>()) }
    })
}

macro_rules! run_level {
    ($set:ident, $get:ident, $field:ident) => {
        pub(crate) unsafe extern "system" fn $set(options: *mut OrtRunOptions, level: c_int) -> OrtStatusPtr {
            status(|| {
                // SAFETY: a live handle of this type.
                unsafe { object::<RunSettings, _>(options) }?.$field.store(level, Ordering::Relaxed);
                Ok(())
            })
        }

        pub(crate) unsafe extern "system" fn $get(
            options: *const OrtRunOptions,
            out: *mut c_int,
        ) -> OrtStatusPtr {
            status(|| {
                // SAFETY: a live handle of this type; `out` is writable.
                unsafe { put(out, object::<RunSettings, _>(options)?.$field.load(Ordering::Relaxed)) }
            })
        }
    };
}
run_level!(set_run_severity, run_severity, severity);
run_level!(set_run_verbosity, run_verbosity, verbosity);

pub(crate) unsafe extern "system" fn add_run_entry(
    _: *mut OrtRunOptions,
    key: *const c_char,
    value: *const c_char,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: zero-terminated texts.
        unsafe { (text(key)?, text(value)?) };
        Ok(())
    })
}

//! Errors on their way through the C interface, and the wall that no panic passes.
#![allow(unsafe_code, reason = "pointers of a C interface")]

use std::any::Any;
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ort_sys::stub::Error as Status;
use ort_sys::{OrtErrorCode, OrtStatus, OrtStatusPtr};

/// Becomes an `OrtStatus`. The layout is that of `ort_sys::stub`, because its functions make some of them.
#[derive(Debug)]
pub(crate) struct Failure {
    pub code: OrtErrorCode,
    pub message: String,
}

impl Failure {
    pub(crate) fn new(code: OrtErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(OrtErrorCode::ORT_INVALID_ARGUMENT, message)
    }

    pub(crate) fn protobuf(message: impl Into<String>) -> Self {
        Self::new(OrtErrorCode::ORT_INVALID_PROTOBUF, message)
    }

    pub(crate) fn graph(message: impl Into<String>) -> Self {
        Self::new(OrtErrorCode::ORT_INVALID_GRAPH, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(OrtErrorCode::ORT_FAIL, message)
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new(OrtErrorCode::ORT_NOT_IMPLEMENTED, format!("the RTen backend does not support {what}"))
    }

    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no message".to_owned());
        Self::new(OrtErrorCode::ORT_RUNTIME_EXCEPTION, format!("the RTen backend panicked: {text}"))
    }

    pub(crate) fn into_status(self) -> OrtStatusPtr {
        Status::new_sys(self.code, self.message.replace('\0', "\u{fffd}"))
    }
}

/// Runs the body of an entry of the table: errors and panics become a status.
pub(crate) fn status(body: impl FnOnce() -> Result<(), Failure>) -> OrtStatusPtr {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => OrtStatusPtr::default(),
        Ok(Err(failure)) => failure.into_status(),
        Err(payload) => Failure::panicked(&*payload).into_status(),
    }
}

/// Like `status`, for entries that return nothing: `Release…`, `Clear…`.
pub(crate) fn quietly(body: impl FnOnce()) {
    // The caller can be told nothing, and a panic must not cross the border.
    let _ = catch_unwind(AssertUnwindSafe(body));
}

/// The object behind a handle.
///
/// # Safety
/// `handle` is null or was made by `Box::into_raw` for a `T` that lives through `'a`.
pub(crate) unsafe fn object<'a, T, H>(handle: *const H) -> Result<&'a T, Failure> {
    // SAFETY: by the contract above.
    unsafe { handle.cast::<T>().as_ref() }.ok_or_else(|| Failure::argument("a handle is null"))
}

/// # Safety
/// `out` is null or may be written.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::argument("the place for the result is null"));
    }
    // SAFETY: not null, and writable by the contract above.
    unsafe { out.write(value) };
    Ok(())
}

/// # Safety
/// `text` is null or zero-terminated and lives through `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(Failure::argument("a text is null"));
    }
    // SAFETY: zero-terminated by the contract above.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Failure::argument("a text is not UTF-8"))
}

/// # Safety
/// `data` is null (then the result is empty if `len` is 0, else an error) or has `len` elements through `'a`.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::argument("a list is null"));
    }
    // SAFETY: by the contract above.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Hands an object over to C.
pub(crate) fn handle<T, H>(value: T) -> *mut H {
    Box::into_raw(Box::new(value)).cast()
}

/// Takes an object back and drops it.
///
/// # Safety
/// `handle` is null or comes from `handle::<T, _>` and is not used again.
pub(crate) unsafe fn release<T, H>(handle: *mut H) {
    if !handle.is_null() {
        // SAFETY: by the contract above.
        quietly(|| drop(unsafe { Box::from_raw(handle.cast::<T>()) }));
    }
}

pub(crate) unsafe extern "system" fn create_status(
    code: OrtErrorCode,
    message: *const c_char,
) -> OrtStatusPtr {
    // SAFETY: null or zero-terminated; the text stays the caller's (`ort` frees it itself).
    let message = unsafe { text(message) }.unwrap_or("unknown error").to_owned();
    Failure { code, message }.into_status()
}

pub(crate) unsafe extern "system" fn error_code(status: *const OrtStatus) -> OrtErrorCode {
    if status.is_null() {
        return OrtErrorCode::ORT_OK;
    }
    // SAFETY: a status that this table made.
    unsafe { Status::cast_from_sys(status) }.code
}

pub(crate) unsafe extern "system" fn error_message(status: *const OrtStatus) -> *const c_char {
    if status.is_null() {
        return c"".as_ptr();
    }
    // SAFETY: a status that this table made.
    unsafe { Status::cast_from_sys(status) }.message_ptr()
}

pub(crate) unsafe extern "system" fn release_status(status: *mut OrtStatus) {
    // SAFETY: a status that this table made, given back once.
    unsafe { release::<Status, _>(status) };
}

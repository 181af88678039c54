//! A session that many threads run at once. `ort` wants a session exclusively for a run; the interface below it allows
//! runs beside each other, and one copy of the weights serves them all.
#![allow(unsafe_code, reason = "calls the interface below ort")]

use std::ffi::CString;
use std::ptr::{self, NonNull};

use ort::AsPointer;
use ort::session::{NoSelectedOutputs, RunOptions, Session};
use ort::value::{DynValue, Value};

/// Outputs of a model come in the order in which it declares them.
pub struct SharedSession {
    session: Session,
    outputs: Vec<CString>,
}

impl std::fmt::Debug for SharedSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SharedSession").field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

impl SharedSession {
    pub fn new(session: Session) -> ort::Result<Self> {
        let outputs =
            session.outputs().iter().map(|output| name(output.name())).collect::<ort::Result<_>>()?;
        Ok(Self { session, outputs })
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// One run; `options.terminate()` from another thread ends it with an error. Without options it cannot be ended, and
    /// the built-in engine need not look for it on the way: for runs that are short.
    pub fn run(
        &self,
        inputs: &[(&str, &DynValue)],
        options: Option<&RunOptions<NoSelectedOutputs>>,
    ) -> ort::Result<Vec<DynValue>> {
        let names = inputs.iter().map(|(text, _)| name(text)).collect::<ort::Result<Vec<CString>>>()?;
        let name_pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let values: Vec<_> = inputs.iter().map(|(_, value)| value.ptr()).collect();
        let output_names: Vec<_> = self.outputs.iter().map(|name| name.as_ptr()).collect();
        let mut results = vec![ptr::null_mut(); output_names.len()];
        // SAFETY: the session, the options and the values live through the call; the lists have the lengths given.
        // `Run` may be called on a session from any number of threads.
        let status = unsafe {
            (ort::api().Run)(
                self.session.ptr().cast_mut(),
                options.map_or(ptr::null(), AsPointer::ptr),
                name_pointers.as_ptr(),
                values.as_ptr(),
                values.len(),
                output_names.as_ptr(),
                output_names.len(),
                results.as_mut_ptr(),
            )
        };
        // SAFETY: a status that the interface just gave.
        unsafe { ort::Error::result_from_status(status) }?;
        // SAFETY: after success every place holds a value that is now ours.
        let take = |value| unsafe { Value::from_ptr(value, Some(self.session.inner())) };
        let missing = || ort::Error::new("the model gave no value for an output");
        results.into_iter().map(|value| NonNull::new(value).map(take).ok_or_else(missing)).collect()
    }
}

fn name(text: &str) -> ort::Result<CString> {
    CString::new(text).map_err(|_| ort::Error::new("a name has a zero byte"))
}

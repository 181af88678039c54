//! `OrtIoBinding`: inputs and outputs fixed beforehand, for runs without arguments.
#![allow(unsafe_code, reason = "entries of a C interface")]

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ort_sys::{OrtAllocator, OrtIoBinding, OrtMemoryInfo, OrtRunOptions, OrtSession, OrtStatusPtr, OrtValue};

use crate::memory::list_block;
use crate::options::run_settings;
use crate::session::Session;
use crate::status::{Failure, handle, object, put, quietly, release, status, text};
use crate::tensor::Tensor;

#[derive(Default)]
struct Bound {
    /// The tensors share the memory of the caller's, who keeps it.
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<Output>,
}

struct Output {
    name: String,
    /// Where the result is to be written; none: wherever.
    target: Option<Tensor>,
    result: Option<Tensor>,
}

type Binding = Mutex<Bound>;

/// # Safety
/// `binding` is null or a live handle.
unsafe fn bound<'a>(binding: *const OrtIoBinding) -> Result<MutexGuard<'a, Bound>, Failure> {
    // SAFETY: by the contract above.
    let binding = unsafe { object::<Binding, _>(binding) }?;
    Ok(binding.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(crate) unsafe extern "system" fn create(_: *mut OrtSession, out: *mut *mut OrtIoBinding) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(Binding::default())) })
}

pub(crate) unsafe extern "system" fn release_binding(binding: *mut OrtIoBinding) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Binding, _>(binding) };
}

pub(crate) unsafe extern "system" fn bind_input(
    binding: *mut OrtIoBinding,
    name: *const c_char,
    value: *const OrtValue,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: live handles, a zero-terminated text.
        let (mut bound, name, value) = unsafe { (bound(binding)?, text(name)?, object::<Tensor, _>(value)?) };
        bound.inputs.retain(|(known, _)| known != name);
        bound.inputs.push((name.to_owned(), value.clone()));
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn bind_output(
    binding: *mut OrtIoBinding,
    name: *const c_char,
    value: *const OrtValue,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: live handles, a zero-terminated text.
        let (mut bound, name, value) = unsafe { (bound(binding)?, text(name)?, object::<Tensor, _>(value)?) };
        bound.set_output(name, Some(value.clone()));
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn bind_output_to_device(
    binding: *mut OrtIoBinding,
    name: *const c_char,
    _: *const OrtMemoryInfo,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle, a zero-terminated text.
        let (mut bound, name) = unsafe { (bound(binding)?, text(name)?) };
        bound.set_output(name, None);
        Ok(())
    })
}

impl Bound {
    fn set_output(&mut self, name: &str, target: Option<Tensor>) {
        self.outputs.retain(|output| output.name != name);
        self.outputs.push(Output { name: name.to_owned(), target, result: None });
    }
}

pub(crate) unsafe extern "system" fn clear_inputs(binding: *mut OrtIoBinding) {
    // SAFETY: a live handle.
    quietly(|| unsafe { bound(binding) }.map(|mut bound| bound.inputs.clear()).unwrap_or_default());
}

pub(crate) unsafe extern "system" fn clear_outputs(binding: *mut OrtIoBinding) {
    // SAFETY: a live handle.
    quietly(|| unsafe { bound(binding) }.map(|mut bound| bound.outputs.clear()).unwrap_or_default());
}

/// Everything is in the memory of the CPU already.
pub(crate) unsafe extern "system" fn synchronize(_: *mut OrtIoBinding) -> OrtStatusPtr {
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn run_with_binding(
    session: *mut OrtSession,
    options: *const OrtRunOptions,
    binding: *const OrtIoBinding,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: live handles.
        let (session, settings, mut bound) =
            unsafe { (object::<Session, _>(session)?, run_settings(options), bound(binding)?) };
        let Bound { inputs, outputs } = &mut *bound;
        let inputs: Vec<(&str, &Tensor)> =
            inputs.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        let results = session.run(settings, &inputs, &names)?;
        for (output, result) in outputs.iter_mut().zip(results) {
            output.result = Some(match &output.target {
                Some(target) => {
                    target.copy_from(&result, &output.name)?;
                    target.clone()
                }
                None => result,
            });
        }
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn bound_values(
    binding: *const OrtIoBinding,
    _: *mut OrtAllocator,
    out: *mut *mut *mut OrtValue,
    count: *mut usize,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle.
        let bound = unsafe { bound(binding) }?;
        let results: Option<Vec<&Tensor>> =
            bound.outputs.iter().map(|output| output.result.as_ref()).collect();
        let results = results.ok_or_else(|| Failure::failed("the outputs are bound, but nothing ran yet"))?;
        let list = list_block::<*mut OrtValue>(results.len());
        // SAFETY: both are writable; the list has room for all results (or is null, which `put` refuses).
        unsafe {
            put(count, results.len())?;
            put(out, list)?;
            for (index, result) in results.into_iter().enumerate() {
                put(if list.is_null() { list } else { list.add(index) }, handle(result.clone()))?;
            }
        }
        Ok(())
    })
}

//! The entries for `OrtValue`: making tensors, looking at them.
#![allow(unsafe_code, reason = "entries of a C interface")]

use std::ffi::{c_char, c_int, c_void};

use ort_sys::{
    ONNXTensorElementDataType, ONNXType, OrtAllocator, OrtMemoryInfo, OrtStatusPtr,
    OrtTensorTypeAndShapeInfo, OrtTypeInfo, OrtValue,
};

use crate::element::Element;
use crate::info::TypeInfo;
use crate::memory::cpu;
use crate::status::{Failure, handle, object, put, release, slice, status};
use crate::tensor::{Tensor, shape_from};

pub(crate) unsafe extern "system" fn create_tensor(
    _: *mut OrtAllocator,
    shape: *const i64,
    rank: usize,
    element: ONNXTensorElementDataType,
    out: *mut *mut OrtValue,
) -> OrtStatusPtr {
    status(|| {
        let element = Element::from_sys(element)?;
        // SAFETY: a list of `rank` sizes.
        let shape = shape_from(unsafe { slice(shape, rank) }?)?;
        // SAFETY: `out` is writable.
        unsafe { put(out, handle(Tensor::zeros(element, shape)?)) }
    })
}

pub(crate) unsafe extern "system" fn create_tensor_with_data(
    _: *const OrtMemoryInfo,
    data: *mut c_void,
    bytes: usize,
    shape: *const i64,
    rank: usize,
    element: ONNXTensorElementDataType,
    out: *mut *mut OrtValue,
) -> OrtStatusPtr {
    status(|| {
        let element = Element::from_sys(element)?;
        // SAFETY: a list of `rank` sizes.
        let shape = shape_from(unsafe { slice(shape, rank) }?)?;
        // SAFETY: the caller keeps the data as long as the value.
        let tensor = unsafe { Tensor::view(element, shape, data.cast(), bytes) }?;
        // SAFETY: `out` is writable.
        unsafe { put(out, handle(tensor)) }
    })
}

pub(crate) unsafe extern "system" fn release_value(value: *mut OrtValue) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Tensor, _>(value) };
}

pub(crate) unsafe extern "system" fn is_tensor(_: *const OrtValue, out: *mut c_int) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, 1) })
}

pub(crate) unsafe extern "system" fn is_sparse(_: *const OrtValue, out: *mut c_int) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, 0) })
}

pub(crate) unsafe extern "system" fn has_value(_: *const OrtValue, out: *mut c_int) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, 1) })
}

pub(crate) unsafe extern "system" fn kind(_: *const OrtValue, out: *mut ONNXType) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, ONNXType::ONNX_TYPE_TENSOR) })
}

pub(crate) unsafe extern "system" fn data_mut(value: *mut OrtValue, out: *mut *mut c_void) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<Tensor, _>(value)?.data().cast()) })
}

pub(crate) unsafe extern "system" fn data(value: *const OrtValue, out: *mut *const c_void) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<Tensor, _>(value)?.data().cast_const().cast()) })
}

pub(crate) unsafe extern "system" fn size_in_bytes(value: *const OrtValue, out: *mut usize) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<Tensor, _>(value)?.bytes().len()) })
}

pub(crate) unsafe extern "system" fn at(
    value: *mut OrtValue,
    index: *const i64,
    count: usize,
    out: *mut *mut c_void,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type and a list of `count` numbers.
        let (tensor, index) = unsafe { (object::<Tensor, _>(value)?, slice(index, count)?) };
        let outside = || Failure::argument(format!("{index:?} is outside of a tensor {:?}", tensor.shape));
        if index.len() != tensor.shape.len() {
            return Err(outside());
        }
        let mut offset = 0;
        for (place, size) in index.iter().zip(&tensor.shape) {
            let place = usize::try_from(*place).ok().filter(|place| place < size).ok_or_else(outside)?;
            offset = offset * size + place;
        }
        let element = tensor.data().wrapping_add(offset * tensor.element.size());
        // SAFETY: `out` is writable.
        unsafe { put(out, element.cast()) }
    })
}

pub(crate) unsafe extern "system" fn type_info(
    value: *const OrtValue,
    out: *mut *mut OrtTypeInfo,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` is writable.
        unsafe { put(out, TypeInfo::of_tensor(object::<Tensor, _>(value)?).into_handle()) }
    })
}

pub(crate) unsafe extern "system" fn tensor_info(
    value: *const OrtValue,
    out: *mut *mut OrtTensorTypeAndShapeInfo,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` is writable.
        unsafe { put(out, TypeInfo::of_tensor(object::<Tensor, _>(value)?).into_handle()) }
    })
}

pub(crate) unsafe extern "system" fn memory_info(
    _: *const OrtValue,
    out: *mut *const OrtMemoryInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, cpu()) })
}

// No value holds texts, other values or a length of those.

pub(crate) unsafe extern "system" fn no_texts(
    _: *mut OrtValue,
    _: *const *const c_char,
    _: usize,
) -> OrtStatusPtr {
    Failure::unsupported("texts in tensors").into_status()
}

pub(crate) unsafe extern "system" fn no_text_length(_: *const OrtValue, _: *mut usize) -> OrtStatusPtr {
    Failure::unsupported("texts in tensors").into_status()
}

pub(crate) unsafe extern "system" fn no_composite(
    _: *const *const OrtValue,
    _: usize,
    _: ONNXType,
    _: *mut *mut OrtValue,
) -> OrtStatusPtr {
    Failure::unsupported("sequences and maps").into_status()
}

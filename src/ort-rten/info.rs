//! `OrtTypeInfo` and `OrtTensorTypeAndShapeInfo`: types and shapes as callers ask for them.
#![allow(unsafe_code, reason = "entries of a C interface")]

use std::ffi::{CString, c_char};

use ort_sys::{
    ONNXTensorElementDataType, ONNXType, OrtMapTypeInfo, OrtOptionalTypeInfo, OrtSequenceTypeInfo,
    OrtStatusPtr, OrtTensorTypeAndShapeInfo, OrtTypeInfo,
};

use crate::element::Element;
use crate::outline::{Dim, Signature};
use crate::status::{Failure, handle, object, put, release, slice, status, text};
use crate::tensor::Tensor;

/// One object for both handles: every value here is a tensor.
pub(crate) struct TypeInfo {
    /// Kept in the C form, for `ort` makes some of types that this backend cannot compute with.
    element: ONNXTensorElementDataType,
    dims: Vec<i64>,
    symbols: Vec<CString>,
    has_shape: bool,
}

impl TypeInfo {
    pub(crate) fn of_port(signature: &Signature) -> Self {
        let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size } else { -1 };
        let symbol = |dim: &Dim| match dim {
            Dim::Fixed(_) => CString::default(),
            // The reader refuses texts with a zero byte.
            Dim::Symbol(name) => CString::new(name.as_str()).unwrap_or_default(),
        };
        Self {
            element: signature.element.sys(),
            dims: signature.dims.iter().map(size).collect(),
            symbols: signature.dims.iter().map(symbol).collect(),
            has_shape: signature.has_shape,
        }
    }

    pub(crate) fn of_tensor(tensor: &Tensor) -> Self {
        Self {
            element: tensor.element.sys(),
            dims: tensor.shape.iter().map(|size| *size as i64).collect(),
            symbols: vec![CString::default(); tensor.shape.len()],
            has_shape: true,
        }
    }

    pub(crate) fn into_handle<H>(self) -> *mut H {
        handle(self)
    }
}

pub(crate) unsafe extern "system" fn create_tensor_info(
    out: *mut *mut OrtTensorTypeAndShapeInfo,
) -> OrtStatusPtr {
    let empty =
        TypeInfo { element: Element::F32.sys(), dims: Vec::new(), symbols: Vec::new(), has_shape: true };
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(empty)) })
}

/// # Safety
/// `info` is null or a live handle that nobody else uses meanwhile.
unsafe fn own<'a>(info: *mut OrtTensorTypeAndShapeInfo) -> Result<&'a mut TypeInfo, Failure> {
    // SAFETY: by the contract above.
    unsafe { info.cast::<TypeInfo>().as_mut() }.ok_or_else(|| Failure::argument("a handle is null"))
}

pub(crate) unsafe extern "system" fn set_element(
    info: *mut OrtTensorTypeAndShapeInfo,
    element: ONNXTensorElementDataType,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type.
        unsafe { own(info) }?.element = element;
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn set_dims(
    info: *mut OrtTensorTypeAndShapeInfo,
    dims: *const i64,
    count: usize,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type and a list of `count` sizes.
        let (info, dims) = unsafe { (own(info)?, slice(dims, count)?) };
        info.dims = dims.to_vec();
        info.symbols = vec![CString::default(); count];
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn set_symbols(
    info: *mut OrtTensorTypeAndShapeInfo,
    names: *mut *const c_char,
    count: usize,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type and a list of `count` texts.
        let (info, names) = unsafe { (own(info)?, slice(names.cast_const(), count)?) };
        if count > info.dims.len() {
            return Err(Failure::argument("more names than dimensions"));
        }
        for (symbol, name) in info.symbols.iter_mut().zip(names) {
            // SAFETY: a zero-terminated text.
            *symbol = CString::new(unsafe { text(*name) }?).unwrap_or_default();
        }
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn element(
    info: *const OrtTensorTypeAndShapeInfo,
    out: *mut ONNXTensorElementDataType,
) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<TypeInfo, _>(info)?.element) })
}

pub(crate) unsafe extern "system" fn dims_count(
    info: *const OrtTensorTypeAndShapeInfo,
    out: *mut usize,
) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<TypeInfo, _>(info)?.dims.len()) })
}

pub(crate) unsafe extern "system" fn dims(
    info: *const OrtTensorTypeAndShapeInfo,
    out: *mut i64,
    count: usize,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` has room for `count` sizes.
        let info = unsafe { object::<TypeInfo, _>(info) }?;
        for (index, size) in info.dims.iter().take(count).enumerate() {
            // SAFETY: as above.
            unsafe { put(out.wrapping_add(index), *size) }?;
        }
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn symbols(
    info: *const OrtTensorTypeAndShapeInfo,
    out: *mut *const c_char,
    count: usize,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` has room for `count` pointers.
        let info = unsafe { object::<TypeInfo, _>(info) }?;
        for (index, symbol) in info.symbols.iter().take(count).enumerate() {
            // SAFETY: as above; the text lives as long as the handle.
            unsafe { put(out.wrapping_add(index), symbol.as_ptr()) }?;
        }
        Ok(())
    })
}

pub(crate) unsafe extern "system" fn element_count(
    info: *const OrtTensorTypeAndShapeInfo,
    out: *mut usize,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` is writable.
        let info = unsafe { object::<TypeInfo, _>(info) }?;
        let sizes = info.dims.iter().map(|size| usize::try_from(*size).unwrap_or(0));
        // SAFETY: as above.
        unsafe { put(out, sizes.fold(1, usize::saturating_mul)) }
    })
}

pub(crate) unsafe extern "system" fn has_shape(info: *const OrtTensorTypeAndShapeInfo) -> bool {
    // SAFETY: null or a live handle of this type.
    unsafe { object::<TypeInfo, _>(info) }.is_ok_and(|info| info.has_shape)
}

pub(crate) unsafe extern "system" fn release_tensor_info(info: *mut OrtTensorTypeAndShapeInfo) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<TypeInfo, _>(info) };
}

pub(crate) unsafe extern "system" fn release_type_info(info: *mut OrtTypeInfo) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<TypeInfo, _>(info) };
}

pub(crate) unsafe extern "system" fn kind(_: *const OrtTypeInfo, out: *mut ONNXType) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, ONNXType::ONNX_TYPE_TENSOR) })
}

pub(crate) unsafe extern "system" fn as_tensor(
    info: *const OrtTypeInfo,
    out: *mut *const OrtTensorTypeAndShapeInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable; both handles stand for the same object.
    status(|| unsafe { put(out, info.cast()) })
}

// A tensor is no map, sequence or optional; ONNX Runtime answers null.

pub(crate) unsafe extern "system" fn as_map(
    _: *const OrtTypeInfo,
    out: *mut *const OrtMapTypeInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, std::ptr::null()) })
}

pub(crate) unsafe extern "system" fn as_sequence(
    _: *const OrtTypeInfo,
    out: *mut *const OrtSequenceTypeInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, std::ptr::null()) })
}

pub(crate) unsafe extern "system" fn as_optional(
    _: *const OrtTypeInfo,
    out: *mut *const OrtOptionalTypeInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, std::ptr::null()) })
}

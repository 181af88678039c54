//! Types of tensor elements: the codes of ONNX, their sizes, and which of them RTen can compute with.

use ort_sys::ONNXTensorElementDataType as Sys;

use crate::status::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F32,
    U8,
    I8,
    U16,
    I16,
    I32,
    I64,
    Bool,
    F16,
    F64,
    U32,
    U64,
    Bf16,
}

/// Everything that a tensor can hold: code in ONNX files, type of the C interface, size, name.
const TABLE: [(Element, i64, Sys, usize, &str); 13] = [
    (Element::F32, 1, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, 4, "f32"),
    (Element::U8, 2, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, 1, "u8"),
    (Element::I8, 3, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, 1, "i8"),
    (Element::U16, 4, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, 2, "u16"),
    (Element::I16, 5, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, 2, "i16"),
    (Element::I32, 6, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, 4, "i32"),
    (Element::I64, 7, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, 8, "i64"),
    (Element::Bool, 9, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, 1, "bool"),
    (Element::F16, 10, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, 2, "f16"),
    (Element::F64, 11, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 8, "f64"),
    (Element::U32, 12, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, 4, "u32"),
    (Element::U64, 13, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, 8, "u64"),
    (Element::Bf16, 16, Sys::ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, 2, "bf16"),
];
const STRING: i64 = 8;

impl Element {
    /// By the code of `TensorProto.DataType`; `what` names the value in the message.
    pub(crate) fn from_code(code: i64, what: &str) -> Result<Self, Failure> {
        if code == STRING {
            return Err(Failure::unsupported(&format!("texts, and {what} holds texts")));
        }
        let found = TABLE.iter().find(|row| row.1 == code);
        let unknown = || Failure::unsupported(&format!("the element type {code} of {what}"));
        found.map(|row| row.0).ok_or_else(unknown)
    }

    pub(crate) fn from_sys(sys: Sys) -> Result<Self, Failure> {
        Self::from_code(i64::from(sys as i32), "the tensor")
    }

    fn row(self) -> &'static (Self, i64, Sys, usize, &'static str) {
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0])
    }

    pub(crate) fn sys(self) -> Sys {
        self.row().2
    }

    pub(crate) fn size(self) -> usize {
        self.row().3
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().4
    }
}

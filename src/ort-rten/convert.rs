//! Between tensors as ONNX declares them and the four types that RTen computes with: i64 and bool travel as
//! i32, f16 and f64 as f32.

use half::f16;
use half::slice::HalfFloatSliceExt;
use rten::{Value, ValueOrView, ValueView};
use rten_tensor::{Layout, Tensor as Data, TensorView};

use crate::element::Element;
use crate::status::Failure;
use crate::tensor::{Plain, Tensor};

/// RTen's view of an input; without a copy where the types are the same.
pub(crate) fn to_rten<'a>(tensor: &'a Tensor, name: &str) -> Result<ValueOrView<'a>, Failure> {
    match tensor.element {
        Element::F32 => view::<f32>(tensor),
        Element::I32 => view::<i32>(tensor),
        Element::I8 => view::<i8>(tensor),
        Element::U8 => view::<u8>(tensor),
        Element::I64 => narrow(tensor, name),
        Element::Bool => owned(tensor, tensor.bytes().iter().map(|byte| i32::from(*byte != 0)).collect()),
        Element::F16 => {
            let mut data = vec![0f32; tensor.len()];
            tensor.elements::<f16>().convert_to_f32_slice(&mut data);
            owned(tensor, data)
        }
        Element::F64 => owned(tensor, tensor.elements::<f64>().iter().map(|value| *value as f32).collect()),
        element => Err(unsupported(element, name)),
    }
}

/// What RTen gave, in the type that the model declares.
pub(crate) fn from_rten(value: Value, element: Element, name: &str) -> Result<Tensor, Failure> {
    let shape = value.shape().to_vec();
    let wrong = |value: &Value| {
        let message =
            format!("the output `{name}` should be {} and came as {}", element.name(), value.dtype());
        Err(Failure::failed(message))
    };
    Ok(match (element, value) {
        (Element::F32, Value::FloatTensor(data)) => Tensor::from_vec(element, shape, data.into_data()),
        (Element::I32, Value::Int32Tensor(data)) => Tensor::from_vec(element, shape, data.into_data()),
        (Element::I8, Value::Int8Tensor(data)) => Tensor::from_vec(element, shape, data.into_data()),
        (Element::U8, Value::UInt8Tensor(data)) => Tensor::from_vec(element, shape, data.into_data()),
        (Element::I64, Value::Int32Tensor(data)) => map(element, shape, data, i64::from),
        (Element::Bool, Value::Int32Tensor(data)) => map(element, shape, data, |value| u8::from(value != 0)),
        (Element::F64, Value::FloatTensor(data)) => map(element, shape, data, f64::from),
        (Element::F16, Value::FloatTensor(data)) => {
            let data = data.into_data();
            let mut halves = vec![f16::ZERO; data.len()];
            halves.convert_from_f32_slice(&data);
            Tensor::from_vec(element, shape, halves)
        }
        (_, value) => return wrong(&value),
    })
}

pub(crate) fn unsupported(element: Element, name: &str) -> Failure {
    Failure::unsupported(&format!("computing with {}, the type of `{name}`", element.name()))
}

/// Whether values of this type can go in and out of RTen.
pub(crate) fn computes_with(element: Element) -> bool {
    !matches!(element, Element::U16 | Element::I16 | Element::U32 | Element::U64 | Element::Bf16)
}

fn map<A, B: Copy>(element: Element, shape: Vec<usize>, data: Data<A>, each: impl Fn(A) -> B) -> Tensor
where
    A: Clone,
{
    Tensor::from_vec(element, shape, data.into_data().into_iter().map(each).collect())
}

fn view<'a, T: Plain + 'static>(tensor: &'a Tensor) -> Result<ValueOrView<'a>, Failure>
where
    ValueView<'a>: From<TensorView<'a, T>>,
{
    let view = ValueView::from_shape(&tensor.shape, tensor.elements::<T>());
    view.map(ValueOrView::View).map_err(|error| Failure::argument(error.to_string()))
}

fn owned<T: 'static>(tensor: &Tensor, data: Vec<T>) -> Result<ValueOrView<'static>, Failure>
where
    Value: From<Data<T>>,
{
    let data = Data::try_from_data(&tensor.shape, data);
    let data = data.map_err(|error| Failure::argument(error.to_string()))?;
    Ok(ValueOrView::Value(data.into()))
}

fn narrow(tensor: &Tensor, name: &str) -> Result<ValueOrView<'static>, Failure> {
    let values = tensor.elements::<i64>();
    let narrow: Result<Vec<i32>, _> = values.iter().map(|value| i32::try_from(*value)).collect();
    let Ok(data) = narrow else {
        let value = values.iter().find(|value| i32::try_from(**value).is_err()).copied().unwrap_or_default();
        let message =
            format!("the input `{name}` has the value {value}; RTen computes integers with 32 bits");
        return Err(Failure::argument(message));
    };
    owned(tensor, data)
}

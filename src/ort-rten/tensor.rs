//! Tensors behind `OrtValue`: owned by this crate, or a view of memory that the caller keeps alive.
#![allow(unsafe_code, reason = "memory that is shared with a C interface")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::element::Element;
use crate::status::Failure;

/// Memory for elements of one type.
pub(crate) struct Storage {
    data: NonNull<u8>,
    bytes: usize,
    /// How to give the memory back, if it is ours: the capacity and the function for its type.
    owner: Option<(usize, Release)>,
}

/// Takes the start and the capacity of a former `Vec`.
type Release = unsafe fn(*mut u8, usize);

// SAFETY: plain memory; who writes to a tensor while another thread reads it breaks `ort`'s contract already.
unsafe impl Send for Storage {}
// SAFETY: as above.
unsafe impl Sync for Storage {}

impl Storage {
    pub(crate) fn owned<T: Copy>(data: Vec<T>) -> Self {
        unsafe fn release<T>(data: *mut u8, capacity: usize) {
            // SAFETY: the parts of the Vec below; the elements need no drop.
            drop(unsafe { Vec::from_raw_parts(data.cast::<T>(), 0, capacity) });
        }
        let mut data = ManuallyDrop::new(data);
        let bytes = size_of::<T>() * data.len();
        let start = NonNull::new(data.as_mut_ptr().cast::<u8>()).unwrap_or(NonNull::dangling());
        Self { data: start, bytes, owner: Some((data.capacity(), release::<T>)) }
    }

    /// # Safety
    /// `data` has `bytes` bytes as long as the storage lives.
    unsafe fn borrowed(data: NonNull<u8>, bytes: usize) -> Self {
        Self { data, bytes, owner: None }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some((capacity, release)) = self.owner {
            // SAFETY: made by `owned` with this capacity and type, dropped once.
            unsafe { release(self.data.as_ptr(), capacity) };
        }
    }
}

/// What an `OrtValue` points to.
#[derive(Clone)]
pub(crate) struct Tensor {
    pub element: Element,
    pub shape: Vec<usize>,
    storage: Arc<Storage>,
}

impl Tensor {
    pub(crate) fn from_vec<T: Copy>(element: Element, shape: Vec<usize>, data: Vec<T>) -> Self {
        Self { element, shape, storage: Arc::new(Storage::owned(data)) }
    }

    pub(crate) fn zeros(element: Element, shape: Vec<usize>) -> Result<Self, Failure> {
        let len = element_count(&shape)?;
        let storage = match element.size() {
            1 => Storage::owned(zeros::<u8>(len)?),
            2 => Storage::owned(zeros::<u16>(len)?),
            4 => Storage::owned(zeros::<u32>(len)?),
            _ => Storage::owned(zeros::<u64>(len)?),
        };
        Ok(Self { element, shape, storage: Arc::new(storage) })
    }

    /// # Safety
    /// `data` has `bytes` bytes as long as the tensor and its clones live.
    pub(crate) unsafe fn view(
        element: Element,
        shape: Vec<usize>,
        data: *mut u8,
        bytes: usize,
    ) -> Result<Self, Failure> {
        let needed = element_count(&shape)?.saturating_mul(element.size());
        if needed > bytes {
            let name = element.name();
            let message = format!("a tensor {name}{shape:?} needs {needed} bytes, the data has {bytes}");
            return Err(Failure::argument(message));
        }
        let start = match NonNull::new(data) {
            Some(start) => start,
            // `ort` gives null for tensors without elements.
            None if needed == 0 => NonNull::<u64>::dangling().cast(),
            None => return Err(Failure::argument("the data of a tensor is null")),
        };
        if !(start.as_ptr() as usize).is_multiple_of(element.size()) {
            return Err(Failure::argument("the data of a tensor is not aligned"));
        }
        // SAFETY: by the contract above.
        let storage = unsafe { Storage::borrowed(start, needed) };
        Ok(Self { element, shape, storage: Arc::new(storage) })
    }

    pub(crate) fn len(&self) -> usize {
        self.storage.bytes / self.element.size()
    }

    pub(crate) fn data(&self) -> *mut u8 {
        self.storage.data.as_ptr()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the storage has this many initialised bytes.
        unsafe { std::slice::from_raw_parts(self.data(), self.storage.bytes) }
    }

    /// The elements as `T`, which has the size of the element type and no forbidden bits.
    pub(crate) fn elements<T: Plain>(&self) -> &[T] {
        assert_eq!(size_of::<T>(), self.element.size(), "elements are read in their own size");
        // SAFETY: initialised, aligned (checked in `view`, by type in `owned`), and any bits are a `T`.
        unsafe { std::slice::from_raw_parts(self.data().cast::<T>(), self.len()) }
    }

    /// Overwrites the content, for outputs that the caller has allocated.
    pub(crate) fn copy_from(&self, other: &Self, name: &str) -> Result<(), Failure> {
        if self.element != other.element || self.shape != other.shape {
            let message = format!(
                "the output `{name}` is {}{:?}, the tensor prepared for it is {}{:?}",
                other.element.name(),
                other.shape,
                self.element.name(),
                self.shape
            );
            return Err(Failure::argument(message));
        }
        // SAFETY: both have the same length (same type and shape); `copy` allows overlap.
        unsafe { std::ptr::copy(other.data(), self.data(), self.storage.bytes) };
        Ok(())
    }

    pub(crate) fn deep_copy(&self) -> Result<Self, Failure> {
        let copy = Self::zeros(self.element, self.shape.clone())?;
        copy.copy_from(self, "copy")?;
        Ok(copy)
    }
}

/// Types without forbidden bits.
pub(crate) trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for i8 {}
impl Plain for u16 {}
impl Plain for i32 {}
impl Plain for i64 {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for half::f16 {}

/// Sizes from C: none negative, the product in range.
pub(crate) fn shape_from(dims: &[i64]) -> Result<Vec<usize>, Failure> {
    let bad = |dim: &i64| Failure::argument(format!("a tensor cannot have the size {dim}"));
    let shape: Result<Vec<usize>, _> =
        dims.iter().map(|dim| usize::try_from(*dim).map_err(|_| bad(dim))).collect();
    let shape = shape?;
    element_count(&shape)?;
    Ok(shape)
}

fn element_count(shape: &[usize]) -> Result<usize, Failure> {
    // The largest element has 8 bytes, and no allocation may pass isize::MAX.
    let product = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    product
        .filter(|count| *count <= isize::MAX as usize / 8)
        .ok_or_else(|| Failure::argument(format!("a tensor of the shape {shape:?} is too large")))
}

fn zeros<T: Default + Copy>(len: usize) -> Result<Vec<T>, Failure> {
    let mut data = Vec::new();
    data.try_reserve_exact(len)
        .map_err(|_| Failure::failed(format!("no memory for a tensor of {len} elements")))?;
    data.resize(len, T::default());
    Ok(data)
}

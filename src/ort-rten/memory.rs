//! The one kind of memory there is (the CPU's) and the allocator that `ort` frees texts with.
#![allow(unsafe_code, reason = "an allocator behind a C interface")]
#![allow(clippy::cast_ptr_alignment, reason = "blocks are aligned to sixteen bytes")]

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use ort_sys::{
    ORT_API_VERSION, OrtAllocator, OrtAllocatorType, OrtDeviceMemoryType, OrtMemType, OrtMemoryInfo,
    OrtMemoryInfoDeviceType, OrtSession, OrtStatusPtr,
};

use crate::status::{Failure, handle, object, put, release, status, text};

const CPU: &CStr = c"Cpu";
/// In front of every block: its size. Sixteen bytes keep the block aligned for any type.
const HEADER: usize = 16;

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct MemoryInfo {
    id: c_int,
    kind: OrtAllocatorType,
    memory: OrtMemType,
}

static DEFAULT_INFO: MemoryInfo =
    MemoryInfo { id: 0, kind: OrtAllocatorType::OrtDeviceAllocator, memory: OrtMemType::OrtMemTypeDefault };

pub(crate) fn cpu() -> *const OrtMemoryInfo {
    (&raw const DEFAULT_INFO).cast()
}

#[repr(C)]
struct Allocator {
    table: OrtAllocator,
}

static ALLOCATOR: Allocator = Allocator::new();

impl Allocator {
    const fn new() -> Self {
        Self {
            table: OrtAllocator {
                version: ORT_API_VERSION,
                Alloc: Some(allocate),
                Free: Some(free),
                Info: Some(info),
                Reserve: Some(reserve),
            },
        }
    }
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// Null when there is no memory.
pub(crate) fn block(size: usize) -> *mut u8 {
    let Some(layout) = layout(size) else { return ptr::null_mut() };
    // SAFETY: the size is not zero; the header fits in front of the block.
    unsafe {
        let start = alloc(layout);
        if start.is_null() {
            return start;
        }
        start.cast::<usize>().write(size);
        start.add(HEADER)
    }
}

/// A block for a list of `len` elements; null when there is no memory.
pub(crate) fn list_block<T>(len: usize) -> *mut T {
    const { assert!(align_of::<T>() <= HEADER) };
    len.checked_mul(size_of::<T>()).map_or(ptr::null_mut(), |size| block(size).cast())
}

/// A text that the caller frees with the allocator.
pub(crate) fn text_block(text: &str) -> Result<*mut c_char, Failure> {
    let data = block(text.len() + 1);
    if data.is_null() {
        return Err(Failure::failed("no memory for a text"));
    }
    // SAFETY: the block has room for the text and its end.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), data, text.len());
        data.add(text.len()).write(0);
    }
    Ok(data.cast())
}

/// # Safety
/// `data` is null or comes from `block` and is not used again.
pub(crate) unsafe fn free_block(data: *mut u8) {
    if data.is_null() {
        return;
    }
    // SAFETY: `block` wrote the size in front.
    unsafe {
        let start = data.sub(HEADER);
        if let Some(layout) = layout(start.cast::<usize>().read()) {
            dealloc(start, layout);
        }
    }
}

unsafe extern "system" fn allocate(_: *mut OrtAllocator, size: usize) -> *mut c_void {
    block(size).cast()
}

unsafe extern "system" fn reserve(_: *const OrtAllocator, size: usize) -> *mut c_void {
    block(size).cast()
}

unsafe extern "system" fn free(_: *mut OrtAllocator, data: *mut c_void) {
    // SAFETY: memory of this allocator, given back once.
    unsafe { free_block(data.cast()) };
}

unsafe extern "system" fn info(_: *const OrtAllocator) -> *const OrtMemoryInfo {
    cpu()
}

pub(crate) unsafe extern "system" fn default_allocator(out: *mut *mut OrtAllocator) -> OrtStatusPtr {
    // SAFETY: `out` is writable. Nobody writes to the table.
    status(|| unsafe { put(out, (&raw const ALLOCATOR).cast_mut().cast()) })
}

pub(crate) unsafe extern "system" fn create_allocator(
    _: *const OrtSession,
    _: *const OrtMemoryInfo,
    out: *mut *mut OrtAllocator,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(Allocator::new())) })
}

pub(crate) unsafe extern "system" fn release_allocator(allocator: *mut OrtAllocator) {
    if ptr::eq(allocator.cast_const().cast(), &raw const ALLOCATOR) {
        return;
    }
    // SAFETY: from `create_allocator`, given back once.
    unsafe { release::<Allocator, _>(allocator) };
}

pub(crate) unsafe extern "system" fn allocator_alloc(
    _: *mut OrtAllocator,
    size: usize,
    out: *mut *mut c_void,
) -> OrtStatusPtr {
    status(|| {
        let data = block(size);
        if data.is_null() {
            return Err(Failure::failed(format!("no memory for {size} bytes")));
        }
        // SAFETY: `out` is writable.
        unsafe { put(out, data.cast()) }
    })
}

pub(crate) unsafe extern "system" fn allocator_free(_: *mut OrtAllocator, data: *mut c_void) -> OrtStatusPtr {
    // SAFETY: memory of this allocator, given back once.
    unsafe { free_block(data.cast()) };
    OrtStatusPtr::default()
}

pub(crate) unsafe extern "system" fn allocator_info(
    _: *const OrtAllocator,
    out: *mut *const OrtMemoryInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, cpu()) })
}

pub(crate) unsafe extern "system" fn create_memory_info(
    name: *const c_char,
    kind: OrtAllocatorType,
    id: c_int,
    memory: OrtMemType,
    out: *mut *mut OrtMemoryInfo,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a zero-terminated text; `out` is writable.
        unsafe {
            let name = text(name)?;
            if !name.eq_ignore_ascii_case("cpu") {
                return Err(Failure::unsupported(&format!("the device `{name}`")));
            }
            put(out, handle(MemoryInfo { id, kind, memory }))
        }
    })
}

pub(crate) unsafe extern "system" fn create_cpu_memory_info(
    kind: OrtAllocatorType,
    memory: OrtMemType,
    out: *mut *mut OrtMemoryInfo,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable.
    status(|| unsafe { put(out, handle(MemoryInfo { id: 0, kind, memory })) })
}

pub(crate) unsafe extern "system" fn release_memory_info(info: *mut OrtMemoryInfo) {
    // SAFETY: made by `create_memory_info` or `create_cpu_memory_info`, given back once.
    unsafe { release::<MemoryInfo, _>(info) };
}

pub(crate) unsafe extern "system" fn compare_memory_info(
    one: *const OrtMemoryInfo,
    other: *const OrtMemoryInfo,
    out: *mut c_int,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: live handles of this type; `out` is writable.
        unsafe { put(out, c_int::from(object::<MemoryInfo, _>(one)? != object::<MemoryInfo, _>(other)?)) }
    })
}

pub(crate) unsafe extern "system" fn memory_info_name(
    _: *const OrtMemoryInfo,
    out: *mut *const c_char,
) -> OrtStatusPtr {
    // SAFETY: `out` is writable; the name is static, which `ort` relies on.
    status(|| unsafe { put(out, CPU.as_ptr()) })
}

pub(crate) unsafe extern "system" fn memory_info_id(
    info: *const OrtMemoryInfo,
    out: *mut c_int,
) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<MemoryInfo, _>(info)?.id) })
}

pub(crate) unsafe extern "system" fn memory_info_memory(
    info: *const OrtMemoryInfo,
    out: *mut OrtMemType,
) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<MemoryInfo, _>(info)?.memory) })
}

pub(crate) unsafe extern "system" fn memory_info_kind(
    info: *const OrtMemoryInfo,
    out: *mut OrtAllocatorType,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type; `out` is writable. `ort` panics on the invalid kind.
        let kind = unsafe { object::<MemoryInfo, _>(info) }?.kind;
        let kind = if kind == OrtAllocatorType::OrtInvalidAllocator { DEFAULT_INFO.kind } else { kind };
        // SAFETY: as above.
        unsafe { put(out, kind) }
    })
}

pub(crate) unsafe extern "system" fn memory_info_device(
    _: *const OrtMemoryInfo,
    out: *mut OrtMemoryInfoDeviceType,
) {
    // SAFETY: null or writable.
    unsafe { put(out, OrtMemoryInfoDeviceType::OrtMemoryInfoDeviceType_CPU) }.ok();
}

pub(crate) unsafe extern "system" fn memory_info_access(_: *const OrtMemoryInfo) -> OrtDeviceMemoryType {
    OrtDeviceMemoryType::OrtDeviceMemoryType_DEFAULT
}

//! The entries for a model's metadata.
#![allow(unsafe_code, reason = "entries of a C interface")]

use std::ffi::c_char;

use ort_sys::{OrtAllocator, OrtModelMetadata, OrtSession, OrtStatusPtr};

use crate::memory::{free_block, list_block, text_block};
use crate::session::Session;
use crate::status::{Failure, handle, object, put, release, status, text};

struct Metadata {
    producer: String,
    graph: String,
    domain: String,
    description: String,
    graph_description: String,
    version: i64,
    custom: Vec<(String, String)>,
}

pub(crate) unsafe extern "system" fn create(
    session: *const OrtSession,
    out: *mut *mut OrtModelMetadata,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type.
        let outline = &unsafe { object::<Session, _>(session) }?.outline;
        let graph = outline.graph.as_ref();
        let metadata = Metadata {
            producer: outline.producer.clone(),
            graph: graph.map(|graph| graph.name.clone()).unwrap_or_default(),
            domain: outline.domain.clone(),
            description: outline.description.clone(),
            graph_description: graph.map(|graph| graph.description.clone()).unwrap_or_default(),
            version: outline.version,
            custom: outline.metadata.clone(),
        };
        // SAFETY: `out` is writable.
        unsafe { put(out, handle(metadata)) }
    })
}

pub(crate) unsafe extern "system" fn release_metadata(metadata: *mut OrtModelMetadata) {
    // SAFETY: a handle of this type, given back once.
    unsafe { release::<Metadata, _>(metadata) };
}

macro_rules! texts {
    ($($field:ident),*) => {$(
        pub(crate) unsafe extern "system" fn $field(
            metadata: *const OrtModelMetadata,
            _: *mut OrtAllocator,
            out: *mut *mut c_char,
        ) -> OrtStatusPtr {
            // SAFETY: a live handle of this type; `out` is writable.
            status(|| unsafe { put(out, text_block(&object::<Metadata, _>(metadata)?.$field)?) })
        }
    )*};
}
texts!(producer, graph, domain, description, graph_description);

pub(crate) unsafe extern "system" fn version(
    metadata: *const OrtModelMetadata,
    out: *mut i64,
) -> OrtStatusPtr {
    // SAFETY: a live handle of this type; `out` is writable.
    status(|| unsafe { put(out, object::<Metadata, _>(metadata)?.version) })
}

/// Null when there is no such entry, which `ort` would read as an empty text: so an error instead.
pub(crate) unsafe extern "system" fn lookup(
    metadata: *const OrtModelMetadata,
    _: *mut OrtAllocator,
    key: *const c_char,
    out: *mut *mut c_char,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type, a zero-terminated text.
        let (metadata, key) = unsafe { (object::<Metadata, _>(metadata)?, text(key)?) };
        let entry = metadata.custom.iter().find(|(known, _)| known == key);
        let (_, value) = entry.ok_or_else(|| Failure::argument(format!("no metadata `{key}`")))?;
        // SAFETY: `out` is writable.
        unsafe { put(out, text_block(value)?) }
    })
}

pub(crate) unsafe extern "system" fn keys(
    metadata: *const OrtModelMetadata,
    _: *mut OrtAllocator,
    out: *mut *mut *mut c_char,
    count: *mut i64,
) -> OrtStatusPtr {
    status(|| {
        // SAFETY: a live handle of this type.
        let custom = &unsafe { object::<Metadata, _>(metadata) }?.custom;
        let list = list_block::<*mut c_char>(custom.len());
        if list.is_null() {
            return Err(Failure::failed("no memory for the metadata"));
        }
        // SAFETY: both are writable; the list has room for all keys.
        unsafe {
            for (index, (key, _)) in custom.iter().enumerate() {
                put(list.add(index), text_block(key)?)?;
            }
            put(out, if custom.is_empty() { std::ptr::null_mut() } else { list })?;
            if custom.is_empty() {
                free_block(list.cast());
            }
            put(count, custom.len() as i64)
        }
    })
}

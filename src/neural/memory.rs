//! Gives memory back to the machine after a model was unloaded: the allocators keep what was freed for later otherwise, in
//! each thread.
#![allow(unsafe_code, reason = "calls the allocators")]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Threads of runs end within the first, idle threads of the server within the second.
const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(15)];

/// Rises when something was unloaded.
static UNLOADED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Up to where this thread has given back.
    static SEEN: Cell<u64> = const { Cell::new(0) };
}

/// Lets idle threads of runs end, and returns what the allocators keep. Takes a moment, on a thread of its own.
pub fn give_back() {
    UNLOADED.fetch_add(1, Ordering::Relaxed);
    lectern_ort_rten::release_threads();
    let trim = || {
        for wait in WAITS {
            std::thread::sleep(wait);
            collect();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("memory".into()).spawn(trim) {
        tracing::warn!(%error, "freed memory is kept for later");
    }
}

/// For threads that live long, to be called now and then: returns what this one keeps, when something was unloaded since
/// its last call.
pub fn collect_if_unloaded() {
    let unloaded = UNLOADED.load(Ordering::Relaxed);
    if SEEN.replace(unloaded) != unloaded {
        collect();
    }
}

fn collect() {
    // SAFETY: collects what this thread and ended ones freed; no pointer is involved.
    unsafe { libmimalloc_sys::mi_collect(true) };
    #[cfg(target_env = "gnu")]
    // SAFETY: returns free memory of the C library's own allocator, which C libraries use; no pointer is involved.
    unsafe {
        libc::malloc_trim(0);
    }
}

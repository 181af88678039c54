//! Gives memory back to the machine after a model was unloaded: the allocators keep what was freed for later otherwise, in
//! each thread.
#![allow(unsafe_code, reason = "calls the allocators")]

use std::time::Duration;

/// The threads of runs that were let go of end within this.
const THREADS_END: Duration = Duration::from_millis(200);

/// Lets idle threads of runs end, and returns what the allocators keep. Takes a moment, on a thread of its own.
pub fn give_back() {
    lectern_ort_rten::release_threads();
    let trim = || {
        std::thread::sleep(THREADS_END);
        // SAFETY: collects what this thread and ended ones freed; no pointer is involved.
        unsafe { libmimalloc_sys::mi_collect(true) };
        #[cfg(target_env = "gnu")]
        // SAFETY: returns free memory of the C library's own allocator, which C libraries use; no pointer is involved.
        unsafe {
            libc::malloc_trim(0);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("memory".into()).spawn(trim) {
        tracing::warn!(%error, "freed memory is kept for later");
    }
}

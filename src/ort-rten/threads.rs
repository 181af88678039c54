//! Threads for runs. Every run has a pool of its own while it lasts, so that no run waits inside another's work;
//! together the pools have about as many threads as were asked for: a run that is alone gets all of them, runs
//! beside each other get a share.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::available_parallelism;

use rten::ThreadPool;

/// Runs at a time, in the whole process; more wait in the order in which they came.
const MAX_RUNS: usize = 32;
/// Pools of one size that are kept for the next runs.
const MAX_KEPT: usize = 8;

static STATE: Mutex<Option<State>> = Mutex::new(None);
static FREED: Condvar = Condvar::new();

#[derive(Default)]
struct State {
    running: usize,
    next_ticket: u64,
    serving: u64,
    idle: HashMap<usize, Vec<Arc<ThreadPool>>>,
}

/// A pool for one run; dropping it gives it back.
pub(crate) struct Lease {
    pool: Option<Arc<ThreadPool>>,
    threads: usize,
}

pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Lease {
    /// `threads`: at most; 0 stands for one a core.
    pub(crate) fn take(threads: usize) -> Self {
        let wanted = if threads == 0 { cores() } else { threads };
        let mut guard = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let state = guard.get_or_insert_default();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let waits = |state: &mut Option<State>| {
            state.as_ref().is_some_and(|state| state.serving != ticket || state.running >= MAX_RUNS)
        };
        let mut guard = FREED.wait_while(guard, waits).unwrap_or_else(PoisonError::into_inner);
        let state = guard.get_or_insert_default();
        state.serving += 1;
        state.running += 1;
        let threads = wanted.min(cores().div_ceil(state.running)).max(1);
        let idle = state.idle.get_mut(&threads).and_then(Vec::pop);
        drop(guard);
        FREED.notify_all();
        let pool = idle.unwrap_or_else(|| Arc::new(ThreadPool::with_num_threads(threads)));
        Self { pool: Some(pool), threads }
    }

    pub(crate) fn pool(&self) -> Option<Arc<ThreadPool>> {
        self.pool.clone()
    }
}

/// Lets threads end that wait for the next run; it starts new ones.
pub fn release_threads() {
    let mut guard = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let idle = guard.as_mut().map(|state| std::mem::take(&mut state.idle));
    drop(guard);
    drop(idle);
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut guard = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let state = guard.get_or_insert_default();
        state.running = state.running.saturating_sub(1);
        let kept = state.idle.entry(self.threads).or_default();
        // Dropping a pool waits for nothing: its threads have no work.
        let surplus = if kept.len() < MAX_KEPT {
            kept.extend(self.pool.take());
            None
        } else {
            self.pool.take()
        };
        drop(guard);
        drop(surplus);
        FREED.notify_all();
    }
}

//! Work that waits in line for one of a few threads: first come, first served. What a crowd asks for neither gets a thread
//! each nor is overtaken, and a thread goes from one piece to the next without sleeping in between.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::StoreError;

type Work = Box<dyn FnOnce() + Send>;

/// A line and the threads that serve it, borrowed from the runtime while there is something to do.
pub(crate) struct Line {
    state: Mutex<State>,
    /// As many threads at most.
    most: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    serving: usize,
}

/// One thread's place.
struct Server {
    line: Arc<Line>,
    left: bool,
}

impl Line {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), most })
    }

    /// Runs `work` in its turn. It is left out when nobody waits for it any more.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let work = move || {
            if !tell.is_closed() {
                // Whoever asked may have left in between.
                let _ = tell.send(work());
            }
        };
        if let Some(server) = self.push(Box::new(work)) {
            tokio::task::spawn_blocking(move || server.serve());
        }
        told.await.map_err(|_| StoreError::Cancelled)
    }

    /// Puts work at the end; a place for one more thread, when there is one.
    fn push(self: &Arc<Self>, work: Work) -> Option<Server> {
        let mut state = self.state.lock();
        state.waiting.push_back(work);
        let free = state.serving < self.most;
        state.serving += usize::from(free);
        drop(state);
        free.then(|| Server { line: self.clone(), left: false })
    }
}

impl Server {
    fn serve(mut self) {
        while let Some(work) = self.next() {
            // Who waits hears of a panic: what would have told them the result is dropped by it.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// The first one in line. Nobody can come between finding the line empty and leaving.
    fn next(&mut self) -> Option<Work> {
        let mut state = self.line.state.lock();
        let work = state.waiting.pop_front();
        if work.is_none() {
            state.serving -= 1;
            self.left = true;
        }
        work
    }
}

impl Drop for Server {
    /// A runtime that ends drops what did not begin; others may still wait.
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let line = self.line.clone();
        std::thread::spawn(move || Self { line, left: false }.serve());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Work that is counted while it runs; gives the most that ran at a time.
    async fn crowd(line: &Arc<Line>, size: usize) -> usize {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let pieces = (0..size).map(|number| {
            let (line, now, most) = (line.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    now.fetch_sub(1, Ordering::SeqCst);
                    number
                };
                line.run(work).await.unwrap()
            })
        });
        let pieces: Vec<_> = pieces.collect();
        for (number, piece) in pieces.into_iter().enumerate() {
            assert_eq!(piece.await.unwrap(), number);
        }
        most.load(Ordering::SeqCst)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn all_are_served_by_few() {
        let line = Line::new(3);
        assert!((1..=3).contains(&crowd(&line, 200).await));
        assert_eq!(line.state.lock().serving, 0);
    }

    #[tokio::test]
    async fn the_first_goes_first() {
        let (line, order) = (Line::new(1), Arc::new(Mutex::new(Vec::new())));
        let pieces = (0..50).map(|number| {
            let order = order.clone();
            line.run(move || order.lock().push(number))
        });
        futures_util::future::join_all(pieces).await;
        assert_eq!(*order.lock(), (0..50).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_panic_is_told_and_harms_nobody_else() {
        let line = Line::new(1);
        let bad = line.run(|| panic!("on purpose"));
        assert!(matches!(bad.await, Err(StoreError::Cancelled)));
        assert_eq!(line.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_left_out() {
        let (line, (open, gate)) = (Line::new(1), std::sync::mpsc::channel::<()>());
        let (first, ran) = (line.clone(), Arc::new(AtomicUsize::new(0)));
        let first = tokio::spawn(async move { first.run(move || gate.recv()).await });
        tokio::task::yield_now().await;
        let counted = ran.clone();
        let second = line.run(move || counted.fetch_add(1, Ordering::SeqCst));
        assert!(tokio::time::timeout(Duration::from_millis(20), second).await.is_err());
        open.send(()).unwrap();
        first.await.unwrap().unwrap().unwrap();
        line.run(|| ()).await.unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn the_end_of_a_runtime_strands_nobody() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .max_blocking_threads(1)
                .build()
                .unwrap()
        };
        let (line, ending) = (Line::new(1), runtime());
        let (open, gate) = std::sync::mpsc::channel::<()>();
        // Its only thread is busy, so that serving the line cannot begin.
        ending.block_on(async {
            tokio::task::spawn_blocking(move || gate.recv());
            let work = line.run(|| ());
            assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
        });
        let (other, served) = (line.clone(), runtime());
        let waiting = std::thread::spawn(move || served.block_on(other.run(|| 7)).unwrap());
        while line.state.lock().waiting.len() < 2 {
            std::thread::yield_now();
        }
        ending.shutdown_background();
        open.send(()).unwrap();
        assert_eq!(waiting.join().unwrap(), 7);
    }
}

//! Whether an Ollama server is worth waiting for: after an outage it is not tried until a probe found it again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::{Ollama, OllamaError};

/// Time between probes of a server that is away.
const PAUSE: Duration = Duration::from_secs(10);
/// Probing ends when nobody wanted the server for this long; the next question begins it again.
const INTEREST: Duration = Duration::from_mins(5);
/// A finding older than this is looked at again for the status page.
const FRESH: Duration = Duration::from_secs(30);

/// What is known of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Unknown,
    Up,
    Down,
}

/// Cheap to clone; all clones know the same.
#[derive(Clone, Default)]
pub struct Health {
    state: Arc<Mutex<State>>,
    /// Other than [`PAUSE`] only in tests.
    pause: Option<Duration>,
}

#[derive(Default)]
struct State {
    /// What is known is of this address and model.
    server: (String, String),
    reach: Option<(Reach, Instant)>,
    wanted: Option<Instant>,
    probe: Option<AbortOnDropHandle<()>>,
}

impl Health {
    /// With another time between probes.
    pub fn with_pause(pause: Duration) -> Self {
        Self { state: Arc::default(), pause: Some(pause) }
    }

    /// Whether a question may wait for the server. Never waits itself.
    pub fn allows(&self, ollama: &Ollama) -> bool {
        let mut state = self.of(ollama);
        state.wanted = Some(Instant::now());
        if state.reach.is_some_and(|(reach, _)| reach == Reach::Down) {
            self.probe(&mut state, ollama, self.pause.unwrap_or(PAUSE));
            return false;
        }
        true
    }

    /// What is known now; an old finding is looked at again in the background.
    pub fn reach(&self, ollama: &Ollama) -> Reach {
        let mut state = self.of(ollama);
        if state.reach.is_none_or(|(_, at)| at.elapsed() > FRESH) {
            self.probe(&mut state, ollama, Duration::ZERO);
        }
        state.reach.map_or(Reach::Unknown, |(reach, _)| reach)
    }

    /// The server answered.
    pub fn succeeded(&self, ollama: &Ollama) {
        self.of(ollama).reach = Some((Reach::Up, Instant::now()));
    }

    /// The server failed; after an outage it is probed in the background until it is back.
    pub fn failed(&self, ollama: &Ollama, error: &OllamaError) {
        tracing::warn!(%error, "Ollama failed");
        if error.is_outage() {
            let mut state = self.of(ollama);
            state.reach = Some((Reach::Down, Instant::now()));
            state.wanted = Some(Instant::now());
            self.probe(&mut state, ollama, self.pause.unwrap_or(PAUSE));
        }
    }

    /// The state, emptied when it was of another server.
    fn of(&self, ollama: &Ollama) -> parking_lot::MutexGuard<'_, State> {
        let endpoint = ollama.endpoint();
        let mut state = self.state.lock();
        if state.server.0 != endpoint.url || state.server.1 != endpoint.model {
            *state = State { server: (endpoint.url.clone(), endpoint.model.clone()), ..State::default() };
        }
        state
    }

    fn probe(&self, state: &mut State, ollama: &Ollama, wait: Duration) {
        if state.probe.as_ref().is_some_and(|probe| !probe.is_finished()) {
            return;
        }
        let pause = self.pause.unwrap_or(PAUSE);
        let work = watch(Arc::downgrade(&self.state), ollama.clone(), wait, pause);
        // Ends with the state that holds its handle.
        state.probe = Some(AbortOnDropHandle::new(tokio::spawn(work)));
    }
}

/// Probes until the server is found, or nobody wants it any more.
async fn watch(state: Weak<Mutex<State>>, ollama: Ollama, wait: Duration, pause: Duration) {
    tokio::time::sleep(wait).await;
    loop {
        let found = ollama.version().await;
        let Some(state) = state.upgrade() else { return };
        {
            let mut state = state.lock();
            let reach = if found.is_ok() { Reach::Up } else { Reach::Down };
            state.reach = Some((reach, Instant::now()));
            let wanted = state.wanted.is_some_and(|at| at.elapsed() < INTEREST);
            if reach == Reach::Up || !wanted {
                return;
            }
        }
        drop(state);
        tokio::time::sleep(pause).await;
    }
}

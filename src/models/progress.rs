//! Imports that run, and the last that ended, for those who look on.

use std::collections::VecDeque;
use std::sync::Arc;

use lectern_kernel::{Clock, Error, RequestId};
use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::model::{ImportProblem, ImportState, ImportView};

const KEPT: usize = 20;
const BUFFER: usize = 256;
/// Listeners hear of an arriving file at most so often.
const STEP: u64 = 1 << 20;
const LONGEST_WORD: usize = 64;

/// What listeners hear.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Import(Box<ImportView>),
    /// The list of models is another one.
    Changed,
}

pub(crate) struct Imports {
    clock: Arc<dyn Clock>,
    list: Mutex<VecDeque<ImportView>>,
    events: broadcast::Sender<Told>,
}

impl Imports {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let (events, _) = broadcast::channel(BUFFER);
        Arc::new(Self { clock, list: Mutex::default(), events })
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.events.subscribe()
    }

    pub fn changed(&self) {
        // Nobody listening is fine.
        let _ = self.events.send(Told::Changed);
    }

    /// Newest first.
    pub fn list(&self) -> Vec<ImportView> {
        self.list.lock().iter().rev().cloned().collect()
    }

    pub fn begin(self: &Arc<Self>, total_bytes: Option<u64>) -> Progress {
        let view = ImportView {
            id: RequestId::generate().as_str().to_owned(),
            name: String::new(),
            state: ImportState::Receiving,
            received_bytes: 0,
            total_bytes,
            started_at: self.clock.now(),
            problem: None,
        };
        let key = view.id.clone();
        Progress { imports: self.clone(), view, key, told: 0, over: false }
    }

    fn put(&self, key: &str, view: &ImportView) {
        let mut list = self.list.lock();
        match list.iter_mut().find(|v| v.id == key || v.id == view.id) {
            Some(old) => *old = view.clone(),
            None => list.push_back(view.clone()),
        }
        while list.len() > KEPT {
            list.pop_front();
        }
        drop(list);
        let _ = self.events.send(Told::Import(Box::new(view.clone())));
    }
}

/// One import; told as failed when it is dropped before its end.
pub(crate) struct Progress {
    imports: Arc<Imports>,
    view: ImportView,
    key: String,
    told: u64,
    over: bool,
}

impl Progress {
    /// The sender's own word for it.
    pub fn called(&mut self, id: Option<&str>) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.view.id = id.chars().filter(|c| !c.is_control()).take(LONGEST_WORD).collect();
        }
    }

    pub fn named(&mut self, name: &str) {
        self.view.name = name.chars().filter(|c| !c.is_control()).take(LONGEST_WORD * 2).collect();
        self.tell();
    }

    pub fn received(&mut self, bytes: u64) {
        self.view.received_bytes += bytes;
        if self.view.received_bytes - self.told >= STEP {
            self.told = self.view.received_bytes;
            self.tell();
        }
    }

    pub fn state(&mut self, state: ImportState) {
        self.view.state = state;
        self.over = matches!(state, ImportState::Done | ImportState::Failed);
        self.tell();
    }

    pub fn failed(&mut self, error: &Error) {
        let (code, message) = (error.code.as_str().to_owned(), error.detail.clone());
        self.view.problem = Some(ImportProblem { code, message, hint: error.hint.clone() });
        self.state(ImportState::Failed);
    }

    fn tell(&self) {
        self.imports.put(&self.key, &self.view);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.over {
            let broken = Error::new(lectern_kernel::Code::InvalidRequest, "The import was broken off.");
            self.failed(&broken);
        }
    }
}

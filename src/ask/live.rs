//! Turns whose answer is still being written, so that whoever wants it can wait for its end.

use std::collections::HashMap;
use std::sync::Arc;

use lectern_kernel::{Scope, TenantId, TurnId};
use parking_lot::Mutex;
use tokio::sync::watch;

type Key = (TenantId, TurnId);
type Turns = Arc<Mutex<HashMap<Key, watch::Receiver<()>>>>;

#[derive(Clone, Default)]
pub(crate) struct Live(Turns);

/// The turn is being written as long as this is held.
pub(crate) struct Writing {
    turns: Turns,
    key: Key,
    _end: watch::Sender<()>,
}

impl Live {
    pub(crate) fn begin(&self, scope: &Scope, turn: &TurnId) -> Writing {
        let (end, receiver) = watch::channel(());
        let key = (scope.tenant().clone(), turn.clone());
        self.0.lock().insert(key.clone(), receiver);
        Writing { turns: Arc::clone(&self.0), key, _end: end }
    }

    /// Returns when the turn is not being written, or no more.
    pub(crate) async fn ended(&self, scope: &Scope, turn: &TurnId) {
        let receiver = self.0.lock().get(&(scope.tenant().clone(), turn.clone())).cloned();
        if let Some(mut receiver) = receiver {
            // Nothing is ever sent: it ends when the sender is gone.
            let _ = receiver.changed().await;
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.key);
    }
}

//! Live changes for the page: the tenant's events, put together so that a mass import does not flood it.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::Stream;
use lectern_edge::sse;
use lectern_kernel::{Event, Result, Scope};
use lectern_store::{StoreError, Tx};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::model::ListParameters;
use crate::{Documents, Status, store_list};

type Bytes = actix_web::web::Bytes;

/// Changes of one document within this time are told once.
const TOGETHER: Duration = Duration::from_millis(250);
const BUFFER: usize = 16;

/// How many documents are at which step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct QueueView {
    pub queued: u64,
    pub running: u64,
    pub failed: u64,
    pub ready: u64,
}

pub(crate) fn queue_view(tx: &Tx<'_>) -> Result<QueueView, StoreError> {
    let count =
        |status| store_list::count(tx, &ListParameters { status: Some(status), ..ListParameters::default() });
    Ok(QueueView {
        queued: count(Status::Queued)?,
        running: count(Status::Extracting)? + count(Status::Indexing)?,
        failed: count(Status::Failed)?,
        ready: count(Status::Ready)?,
    })
}

impl Documents {
    /// Events from now on, as server-sent events; ends when the client goes.
    pub(crate) fn live(&self, scope: &Scope) -> Result<impl Stream<Item = Bytes> + use<>> {
        let tenant = self.tenant(scope)?;
        let events = tenant.store.db.subscribe();
        let (sender, receiver) = mpsc::channel(BUFFER);
        let stop = self.inner.stop.clone();
        tokio::spawn(async move {
            // An error means that the client went away.
            let _ = stop.run_until_cancelled(forward(events, &sender, &tenant.store.db)).await;
        });
        Ok(ReceiverStream::new(receiver))
    }
}

async fn forward(
    mut events: Receiver<Event>,
    sender: &mpsc::Sender<Bytes>,
    db: &lectern_store::Database,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    let mut shown = None;
    loop {
        let mut waiting: HashMap<String, Event> = HashMap::new();
        let queue = db.read(queue_view).await.ok();
        if queue != shown {
            sender.send(sse::event("queue", &queue)).await?;
            shown = queue;
        }
        tokio::select! {
            first = events.recv() => match first {
                Ok(event) => { remember(&mut waiting, event); }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
            () = sender.closed() => return Ok(()),
        }
        let until = tokio::time::Instant::now() + TOGETHER;
        while let Ok(next) = tokio::time::timeout_at(until, events.recv()).await {
            match next {
                Ok(event) => remember(&mut waiting, event),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
        for event in waiting.into_values() {
            let name = if event.kind == "document.deleted" { "document_deleted" } else { "document" };
            sender.send(sse::event(name, &event.payload)).await?;
        }
    }
}

/// The newest event of a document is the one that counts.
fn remember(waiting: &mut HashMap<String, Event>, event: Event) {
    if event.kind.starts_with("document.") && !event.payload.is_null() {
        waiting.insert(event.subject.clone(), event);
    }
}

//! Live changes for the page: the tenant's events, put together so that a mass import does not flood it.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::Stream;
use lectern_edge::sse;
use lectern_kernel::{DocumentId, Event, Result, Scope, Sight};
use lectern_store::{StoreError, Tx};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::model::ListParameters;
use crate::{Documents, May, Status, store_access, store_list};

type Bytes = actix_web::web::Bytes;

/// Changes of one document within this time are told once.
const TOGETHER: Duration = Duration::from_millis(250);
const BUFFER: usize = 16;

/// How many of the documents that one sees are at which step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct QueueView {
    pub queued: u64,
    pub running: u64,
    pub failed: u64,
    pub ready: u64,
}

pub(crate) fn queue_view(tx: &Tx<'_>, sight: &Sight) -> Result<QueueView, StoreError> {
    let count = |status| {
        store_list::count(tx, sight, &ListParameters { status: Some(status), ..ListParameters::default() })
    };
    Ok(QueueView {
        queued: count(Status::Queued)?,
        running: count(Status::Extracting)? + count(Status::Indexing)?,
        failed: count(Status::Failed)?,
        ready: count(Status::Ready)?,
    })
}

impl Documents {
    /// Events from now on of what one sees, as server-sent events; ends when the client goes.
    pub(crate) fn live(&self, scope: &Scope) -> Result<impl Stream<Item = Bytes> + use<>> {
        let tenant = self.tenant(scope)?;
        let events = tenant.store.db.subscribe();
        let (sender, receiver) = mpsc::channel(BUFFER);
        let (stop, sight, stores) =
            (self.inner.stop.clone(), scope.sight().clone(), self.inner.stores.clone());
        tokio::spawn(async move {
            let open = stores.until_closed(&tenant.store.id);
            tokio::select! {
                // An error means that the client went away.
                _ = stop.run_until_cancelled(forward(events, &sender, (&tenant.store.db, &sight))) => {}
                () = open => {}
            }
        });
        Ok(ReceiverStream::new(receiver))
    }
}

async fn forward(
    mut events: Receiver<Event>,
    sender: &mpsc::Sender<Bytes>,
    (db, sight): (&lectern_store::Database, &Sight),
) -> Result<(), mpsc::error::SendError<Bytes>> {
    let mut shown = None;
    loop {
        let mut waiting: HashMap<String, Event> = HashMap::new();
        let eyes = sight.clone();
        let queue = db.read(move |tx| queue_view(tx, &eyes)).await.ok();
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
        let (events, eyes) = (waiting.into_values().collect(), sight.clone());
        // When it cannot be read who sees them, nobody is told.
        let told = db.read(move |tx| told(tx, &eyes, events)).await.unwrap_or_default();
        for (name, payload) in told {
            sender.send(sse::event(name, &payload)).await?;
        }
    }
}

/// What of the events somebody is told.
fn told(
    tx: &Tx<'_>,
    sight: &Sight,
    events: Vec<Event>,
) -> Result<Vec<(&'static str, serde_json::Value)>, StoreError> {
    let mut told = Vec::with_capacity(events.len());
    for event in events {
        if event.kind == "document.deleted" {
            if was_seen(sight, &event.payload["audience"]) {
                told.push(("document_deleted", serde_json::json!({ "id": event.subject })));
            }
            continue;
        }
        let Ok(id) = event.subject.parse::<DocumentId>() else { continue };
        if event.kind == "document.access_changed" {
            // Those who see it now get it as it is; the list is for those who share it.
            if let Some(view) = store_access::by_id(tx, sight, &id)? {
                told.push(("document", serde_json::to_value(view)?));
            }
        } else if *sight == Sight::All || store_access::may(tx, sight, May::Read, &id)? {
            told.push(("document", event.payload));
        }
    }
    Ok(told)
}

/// Whether somebody saw a document that is gone; `null` is everybody.
fn was_seen(sight: &Sight, audience: &serde_json::Value) -> bool {
    match (sight, audience.as_array()) {
        (Sight::All, _) => true,
        (_, None) => audience.is_null(),
        (Sight::Of(ids), Some(audience)) => {
            audience.iter().any(|subject| ids.iter().any(|id| subject.as_str() == Some(id.as_str())))
        }
    }
}

/// The newest event of a document is the one that counts.
fn remember(waiting: &mut HashMap<String, Event>, event: Event) {
    if event.kind.starts_with("document.") && !event.payload.is_null() {
        waiting.insert(event.subject.clone(), event);
    }
}

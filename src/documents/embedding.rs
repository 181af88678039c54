//! Makes the vectors of ready documents in the background: on one thread of low priority, standing back while
//! questions run, a few passages at a time, each batch on the disk before the next. A process that was killed goes on
//! with the passage after the last batch; search by words never waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lectern_inference::{Embedder, MeaningBank};
use lectern_kernel::{Error, Result};
use lectern_search::Passage;

use crate::meaning::vector_error;
use crate::store;
use crate::tenant::{Tenant, search_error};
use crate::understanding::{self, Space};

/// How often it is looked whether another model was chosen.
const LOOK: Duration = Duration::from_secs(2);
/// Waking up is due even when nobody rang: after so many looks.
const LOOKS: u32 = 150;
/// Passages of a batch.
const BATCH: usize = 16;
/// How much less important this thread is than those that answer.
const NICE: i32 = 10;

/// Runs until `stop`.
pub(crate) fn run(tenant: &Tenant, bank: &dyn MeaningBank, stop: &AtomicBool) {
    // It works without, only less politely.
    let _ = rustix::process::setpriority_process(None, NICE);
    // Of the last round; none before the first.
    let mut model: Option<Option<String>> = None;
    let mut looks = 0;
    while !stop.load(Ordering::Relaxed) {
        lectern_inference::collect_if_unloaded();
        let chosen = bank.embedding_model();
        let changed = model.as_ref() != Some(&chosen);
        looks += 1;
        if tenant.meaning.sleep(if changed { Duration::ZERO } else { LOOK }) || changed || looks >= LOOKS {
            looks = 0;
            if let Err(error) = (Worker { tenant, bank, stop }).round(chosen.as_deref()) {
                tracing::error!(%error, cause = ?error.cause, "passages cannot be embedded");
                tenant.meaning.sleep(LOOK);
            } else {
                model = Some(chosen);
            }
        }
    }
}

struct Worker<'a> {
    tenant: &'a Tenant,
    bank: &'a dyn MeaningBank,
    stop: &'a AtomicBool,
}

impl Worker<'_> {
    /// Brings the vectors of the chosen model in step with the documents.
    fn round(&self, chosen: Option<&str>) -> Result<()> {
        let meaning = &self.tenant.meaning;
        meaning.choose(chosen, &|| self.embedder())?;
        let slots = meaning.slots();
        let Some(space) = slots.building.clone().or(slots.serving) else { return Ok(()) };
        loop {
            let listed = self.tenant.store.db.read_now(store::embeddable)?;
            drop_gone(&space, &listed)?;
            let total =
                listed.iter().filter(|document| document.ready).map(|document| document.passages).sum();
            let mut left = false;
            for document in listed.iter().filter(|document| document.ready) {
                let known = space.store.document(&document.id);
                if known.is_some_and(|known| known.complete && known.stamp == document.indexed_at) {
                    continue;
                }
                left = true;
                meaning.progress(space.store.stats().passages as u64, total);
                let Some(embedder) = self.embedder() else { return Ok(()) };
                if !self.document(&space, &embedder, document)? {
                    return Ok(());
                }
            }
            meaning.progress(space.store.stats().passages as u64, total);
            if !left {
                break;
            }
        }
        if slots.building.is_some() {
            meaning.swap()?;
        }
        space.store.maintain(self.stop).map_err(vector_error)
    }

    /// Loaded by the bank, which may have unloaded it since the last document.
    fn embedder(&self) -> Option<Arc<Embedder>> {
        let loaded = self.bank.embedder();
        loaded
            .inspect_err(|error| tracing::warn!(%error, "the embedding model cannot be loaded"))
            .ok()
            .flatten()
    }

    /// Embeds what is missing of a document; false when it was told to stop or another model was chosen.
    fn document(&self, space: &Space, embedder: &Embedder, document: &store::Embeddable) -> Result<bool> {
        let (id, stamp) = (document.id.as_str(), document.indexed_at);
        let passages = self.tenant.index().passages(id).map_err(search_error)?;
        let fingerprint = understanding::fingerprint(&passages);
        let known = space.store.document(id).filter(|known| known.fingerprint == fingerprint);
        if known.is_some_and(|known| known.complete) {
            space.store.restamp(id, stamp).map_err(vector_error)?;
            return Ok(true);
        }
        let mut first = known.map_or(0, |known| known.passages).min(passages.len());
        let mut texts = HashMap::new();
        loop {
            let end = passages.len().min(first + BATCH);
            let Some(vectors) = self.batch(space, embedder, &passages[first..end], &mut texts)? else {
                return Ok(false);
            };
            let complete = end == passages.len();
            space.store.put(id, (stamp, fingerprint), &vectors, complete).map_err(vector_error)?;
            first = end;
            if complete {
                return Ok(true);
            }
        }
    }

    fn batch(
        &self,
        space: &Space,
        embedder: &Embedder,
        passages: &[Passage],
        texts: &mut HashMap<String, Vec<f32>>,
    ) -> Result<Option<Vec<Vec<Vec<f32>>>>> {
        let mut wait = || {
            self.tenant.meaning.activity.wait();
            !self.stop.load(Ordering::Relaxed) && self.bank.embedding_model().as_deref() == Some(&space.model)
        };
        understanding::embed(embedder, passages, texts, &mut wait)
            .map_err(|error| Error::internal(error.to_string()).hint(error.hint()))
    }
}

/// Vectors of documents that are not there any more.
fn drop_gone(space: &Space, listed: &[store::Embeddable]) -> Result<()> {
    let there: std::collections::HashSet<&str> = listed.iter().map(|document| document.id.as_str()).collect();
    for (id, _) in space.store.documents() {
        if !there.contains(id.as_str()) {
            space.store.remove(&id).map_err(vector_error)?;
        }
    }
    Ok(())
}

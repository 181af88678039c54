//! The work behind an upload: take a job, extract in a child process, keep the text, index, commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lectern_extract::{BlockKind, ExtractError, Extracted, Format, Source};
use lectern_kernel::{DocumentId, Error, Result, Scope};
use lectern_search::{BlockRef, Shape, detect_language, split_passages};
use lectern_store::{Job, Tx, outbox, queue};
use tokio_util::sync::CancellationToken;

use crate::change::meta;
use crate::create::blob_path;
use crate::tenant::{Tenant, Uncommitted};
use crate::{DocumentView, Documents, Status, embedding, store, store_life, store_text};

/// A job that fails for reasons of ours is tried this often.
const ATTEMPTS: u32 = 3;
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Waiting workers look for jobs that became due.
const LOOK: Duration = Duration::from_secs(2);
/// … and without such jobs, for those of another process.
const REST: Duration = Duration::from_mins(1);
/// The language is told from this much text.
const LANGUAGE_SAMPLE: usize = 20_000;
/// Passages that wait for a commit until more documents have to wait.
const MAX_WAITING: usize = 2_000;

impl Documents {
    /// Works on the tenant's jobs until `stop`; then what runs is put back and the index is closed.
    pub(crate) async fn work_until(&self, tenant: &Arc<Tenant>, stop: &CancellationToken) -> Result<()> {
        if tenant.store.db.read_only().is_some() {
            stop.cancelled().await;
            return Ok(());
        }
        tenant.store.db.write(store::recover).await?;
        tenant.settle_left().await?;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.inner.limits.workers.max(1) {
            let (this, tenant, stop) = (self.clone(), tenant.clone(), stop.clone());
            tasks.spawn(async move { this.work(&tenant, &stop).await });
        }
        let (this, own, end) = (self.clone(), tenant.clone(), stop.clone());
        let committer = tokio::spawn(async move { this.commit_loop(&own, &end).await });
        let embedding = self.embed_in_background(tenant, stop);
        while tasks.join_next().await.is_some() {}
        let _ = committer.await;
        if let Some(embedding) = embedding {
            let _ = tokio::task::spawn_blocking(move || embedding.join()).await;
        }
        self.commit(tenant).await?;
        tenant.on_index(lectern_search::SearchIndex::release_writer).await
    }

    /// Starts the thread that makes vectors, when there may be models.
    fn embed_in_background(
        &self,
        tenant: &Arc<Tenant>,
        stop: &CancellationToken,
    ) -> Option<std::thread::JoinHandle<()>> {
        let bank = self.inner.bank.clone()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, flag, own) = (stop.clone(), stopped.clone(), tenant.clone());
        tokio::spawn(async move {
            stop.cancelled().await;
            flag.store(true, Ordering::Relaxed);
            own.meaning.wake();
        });
        let tenant = tenant.clone();
        let work = move || embedding::run(&tenant, bank.as_ref(), &stopped);
        let spawned = std::thread::Builder::new().name("embedding".to_owned()).spawn(work);
        spawned.inspect_err(|error| tracing::error!(%error, "passages are not embedded")).ok()
    }

    async fn work(&self, tenant: &Arc<Tenant>, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let job = match tenant.store.db.write(queue::take).await {
                Ok(Some(job)) => job,
                Ok(None) => {
                    let waiting = tenant.store.db.read(store_life::waiting).await.unwrap_or(1);
                    tokio::select! {
                        () = tenant.work.notified() => {}
                        () = tokio::time::sleep(if waiting > 0 { LOOK } else { REST }) => {}
                        () = stop.cancelled() => {}
                    }
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "the job queue cannot be read");
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            };
            // One job may have woken one worker while more wait.
            tenant.work.notify_one();
            let done = tokio::select! {
                done = self.perform(tenant, &job) => done,
                () = stop.cancelled() => self.put_back(tenant, &job).await,
            };
            if let Err(error) = done {
                self.give_up_or_retry(tenant, &job, &error).await;
            }
        }
    }

    async fn put_back(&self, tenant: &Arc<Tenant>, job: &Job) -> Result<()> {
        let id = job.id.clone();
        Ok(tenant.store.db.write(move |tx| queue::retry(tx, &id, Duration::ZERO, "")).await?)
    }

    async fn perform(&self, tenant: &Arc<Tenant>, job: &Job) -> Result<()> {
        if job.kind == store::REMOVE_JOB {
            return self.finish_removal(tenant, job).await;
        }
        let Ok(id) = job.subject.parse::<DocumentId>() else {
            return Err(Error::internal(format!("job {} has no document", job.id)));
        };
        let wanted = id.clone();
        let known = tenant
            .store
            .db
            .read(move |tx| {
                let view = store::by_id(tx, &wanted)?;
                let text = match &view {
                    Some(view) if view.status == Status::Indexing => store_text::whole(tx, &wanted)?,
                    _ => None,
                };
                Ok(view.map(|view| (view, text)))
            })
            .await?;
        match known {
            None => self.finish(tenant, job).await,
            // Extracted before the process ended, or the index is made anew.
            Some((view, Some(window))) => {
                let extracted =
                    Extracted { text: window.text, blocks: window.blocks, ..Extracted::default() };
                self.index(tenant, job, view, extracted).await
            }
            Some((view, None)) => self.extract(tenant, job, view).await,
        }
    }

    async fn finish(&self, tenant: &Arc<Tenant>, job: &Job) -> Result<()> {
        let id = job.id.clone();
        Ok(tenant.store.db.write(move |tx| queue::finish(tx, &id)).await?)
    }

    async fn extract(&self, tenant: &Arc<Tenant>, job: &Job, mut view: DocumentView) -> Result<()> {
        let id = view.id.clone();
        tenant.store.db.write(move |tx| store::set_status(tx, &id, Status::Extracting)).await?;
        view.status = Status::Extracting;
        view.problem = None;
        tenant.announce("document.progress", &view);
        let source = Source {
            name: view.file_name.clone(),
            password: self.inner.passwords.lock().get(&view.id).cloned(),
        };
        let outcome = {
            let _cleared = ProgressGuard { tenant, id: &view.id };
            let mut shown = view.clone();
            let progress = |percent: u8| {
                tenant.progress.lock().insert(shown.id.clone(), percent);
                if percent >= shown.percent.saturating_add(5) {
                    shown.percent = percent;
                    tenant.announce("document.progress", &shown);
                }
            };
            self.inner.extractor.run(&blob_path(&tenant.store, &view.sha256), &source, progress).await
        };
        match outcome {
            Ok((format, extracted)) => {
                self.inner.passwords.lock().remove(&view.id);
                self.keep_text(tenant, job, &view, format, extracted).await
            }
            Err(error) => self.fail(tenant, job, &view, &error).await,
        }
    }

    async fn fail(
        &self,
        tenant: &Arc<Tenant>,
        job: &Job,
        view: &DocumentView,
        error: &ExtractError,
    ) -> Result<()> {
        self.inner.passwords.lock().remove(&view.id);
        let (id, job, message) = (view.id.clone(), job.id.clone(), error.message.clone());
        let code = crate::report::code_name(error.code);
        tracing::warn!(document = %view.id, code, "{message}");
        if view.indexed_at.is_some() {
            // It was readable before and was tried again: what it said then must not be found any more.
            let gone = id.clone();
            let _gate = tenant.gate.lock().await;
            tenant.on_index(move |index| index.delete(gone.as_str()).and_then(|()| index.commit())).await?;
        }
        tenant
            .store
            .db
            .write(move |tx| {
                queue::finish(tx, &job)?;
                if store::set_failed(tx, &id, &code, &message)? {
                    let view = store::by_id(tx, &id)?;
                    outbox::push(tx, "document.failed", id.as_str(), &view)?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    async fn keep_text(
        &self,
        tenant: &Arc<Tenant>,
        job: &Job,
        view: &DocumentView,
        format: Format,
        extracted: Extracted,
    ) -> Result<()> {
        let id = view.id.clone();
        let (kept, extracted) = tenant
            .store
            .db
            .write(move |tx| {
                let sample = lectern_kernel::text::slice(&extracted.text, 0, LANGUAGE_SAMPLE);
                let kind = crate::report::format_name(format);
                let found = store::Found {
                    kind: &kind,
                    title: extracted
                        .title
                        .as_deref()
                        .map(str::trim)
                        .filter(|t| !t.is_empty() && t.len() <= 500),
                    language: detect_language(sample),
                    pages: extracted.pages,
                    characters: extracted.text.chars().count() as u64,
                    image_pages: &extracted.needs_ocr,
                };
                if store::set_extracted(tx, &id, &found)? {
                    store_text::put(tx, &id, &extracted)?;
                }
                Ok((store::by_id(tx, &id)?, extracted))
            })
            .await?;
        match kept {
            Some(view) => {
                tenant.announce("document.progress", &view);
                self.index(tenant, job, view, extracted).await
            }
            // Deleted while it was read.
            None => self.finish(tenant, job).await,
        }
    }

    async fn index(
        &self,
        tenant: &Arc<Tenant>,
        job: &Job,
        view: DocumentView,
        extracted: Extracted,
    ) -> Result<()> {
        let shaped = tokio::task::spawn_blocking(move || {
            let blocks: Vec<BlockRef<'_>> = extracted.blocks.iter().map(block_ref).collect();
            split_passages(&extracted.text, &blocks, Shape::default())
        });
        let passages = shaped.await.map_err(|e| Error::internal(e.to_string()))?;
        let gate = tenant.gate.lock().await;
        let wanted = view.id.clone();
        // Its title, tags or readers may have changed, or it may be gone, while it was read.
        let current = move |tx: &Tx<'_>| {
            let view = store::by_id(tx, &wanted)?;
            view.map(|view| meta(tx, &view)).transpose()
        };
        let Some(meta) = tenant.store.db.read(current).await? else {
            return self.finish(tenant, job).await;
        };
        let count = passages.len() as u64;
        tenant.on_index(move |index| index.add(&meta, &passages)).await?;
        let waiting = {
            let mut uncommitted = tenant.uncommitted.lock();
            uncommitted.push(Uncommitted { document: view.id, job: job.id.clone(), passages: count });
            uncommitted.len()
        };
        drop(gate);
        tenant.dirty.notify_one();
        if waiting >= MAX_WAITING {
            self.commit(tenant).await?;
        }
        Ok(())
    }

    async fn commit_loop(&self, tenant: &Arc<Tenant>, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = tenant.dirty.notified() => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.inner.limits.commit_time) => {}
                () = stop.cancelled() => {}
            }
            if let Err(error) = self.commit(tenant).await {
                tracing::error!(error = %error, cause = ?error.cause, "the search index cannot be committed");
                tenant.dirty.notify_one();
                tokio::time::sleep(LOOK).await;
            }
            let resting = tokio::select! {
                () = tenant.dirty.notified() => { tenant.dirty.notify_one(); Ok(()) }
                () = stop.cancelled() => Ok(()),
                rested = tenant.rest() => rested,
            };
            if let Err(error) = resting {
                tracing::warn!(%error, "the index writer cannot be released");
            }
        }
    }

    /// Makes what is in the index findable, then says so in the database.
    pub(crate) async fn commit(&self, tenant: &Arc<Tenant>) -> Result<()> {
        let batch = {
            // Without the gate a document could be added between the list and the commit.
            let _gate = tenant.gate.lock().await;
            let batch = std::mem::take(&mut *tenant.uncommitted.lock());
            if let Err(error) = tenant.on_index(lectern_search::SearchIndex::commit).await {
                tenant.uncommitted.lock().extend(batch);
                return Err(error);
            }
            batch
        };
        if batch.is_empty() {
            return Ok(());
        }
        tenant
            .store
            .db
            .write(move |tx| {
                for done in &batch {
                    if store::set_ready(tx, &done.document, &done.job, done.passages)? {
                        let view = store::by_id(tx, &done.document)?;
                        outbox::push(tx, "document.ready", done.document.as_str(), &view)?;
                    }
                }
                Ok(())
            })
            .await?;
        tenant.meaning.wake();
        Ok(())
    }

    /// A failure of ours: tried again, then shown as the document's problem.
    async fn give_up_or_retry(&self, tenant: &Arc<Tenant>, job: &Job, error: &Error) {
        tracing::error!(job = %job.id, kind = job.kind, attempt = job.attempts, cause = ?error.cause, "{error}");
        let job = job.clone();
        let text = error.cause.as_ref().map_or_else(|| error.detail.clone(), ToString::to_string);
        let kept = tenant
            .store
            .db
            .write(move |tx| {
                if job.attempts < ATTEMPTS {
                    return queue::retry(tx, &job.id, RETRY_AFTER, &text);
                }
                queue::fail(tx, &job.id, &text)?;
                if let Ok(id) = job.subject.parse::<DocumentId>() {
                    store::set_failed(tx, &id, "internal", "The appliance could not read this document.")?;
                    let view = store::by_id(tx, &id)?;
                    outbox::push(tx, "document.failed", id.as_str(), &view)?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = kept {
            tracing::error!(%error, "the failure of a job cannot be written down");
        }
    }

    /// Waits until no document of the tenant is on its way; for the command line.
    pub async fn wait_until_idle(&self, scope: &Scope) -> Result<()> {
        let tenant = self.tenant(scope)?;
        loop {
            let open = tenant.store.db.read(store_life::pending).await?;
            if open == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Takes the percentage back however the extraction ends.
struct ProgressGuard<'a> {
    tenant: &'a Tenant,
    id: &'a DocumentId,
}

impl Drop for ProgressGuard<'_> {
    fn drop(&mut self) {
        self.tenant.progress.lock().remove(self.id);
    }
}

fn block_ref(block: &lectern_extract::Block) -> BlockRef<'_> {
    BlockRef {
        kind: block_kind(block.kind),
        level: block.level,
        start: block.start,
        end: block.end,
        page: block.page,
        label: block.label.as_deref(),
    }
}

fn block_kind(kind: BlockKind) -> lectern_search::BlockKind {
    use lectern_search::BlockKind as Index;
    match kind {
        BlockKind::Heading => Index::Heading,
        BlockKind::Paragraph => Index::Paragraph,
        BlockKind::ListItem => Index::ListItem,
        BlockKind::TableRow => Index::TableRow,
        BlockKind::Code => Index::Code,
        BlockKind::Note => Index::Note,
        BlockKind::Caption => Index::Caption,
    }
}

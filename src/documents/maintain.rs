//! Lists, facets, and keeping disk, index and database in step.

use std::collections::HashSet;
use std::path::PathBuf;

use lectern_kernel::{Code, Error, Page, PageRequest, Result, Scope};
use lectern_search::SearchIndex;
use serde::Serialize;

use crate::model::{DocumentFacets, ListParameters};
use crate::store_list::Sort;
use crate::{DocumentView, Documents, access, store, store_list};

/// What `lectern index check` found.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct IndexReport {
    pub documents: u64,
    pub passages: u64,
    pub segments: usize,
    pub bytes: u64,
    /// Files of the index folder that no segment uses.
    pub orphan_files: Vec<String>,
    /// Documents that are ready but not, or not wholly, in the index.
    pub missing: Vec<String>,
    /// Documents in the index that the database does not have.
    pub extra: Vec<String>,
    /// Originals that no document has.
    pub orphan_originals: u64,
    /// Nothing was found.
    pub clean: bool,
    /// Whether what was found was mended.
    pub mended: bool,
}

impl Documents {
    pub async fn list(&self, scope: &Scope, parameters: ListParameters) -> Result<Page<DocumentView>> {
        let sort = Sort::parse(parameters.sort.as_deref())
            .ok_or_else(|| Error::field("sort", "must be -created_at, created_at, title or -size_bytes"))?;
        let request = PageRequest { limit: parameters.limit, cursor: parameters.cursor.clone() };
        let (limit, after) = (request.limit(), request.position()?);
        let (tenant, sight) = (self.tenant(scope)?, scope.sight().clone());
        let (mut items, total) = tenant
            .store
            .db
            .read(move |tx| {
                let total = store_list::count(tx, &sight, &parameters)?;
                Ok((store_list::list(tx, &sight, &parameters, (sort, after.as_ref(), limit + 1))?, total))
            })
            .await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        for view in &mut items {
            view.percent = tenant.percent(&view.id).unwrap_or(view.percent);
        }
        let next_cursor = items.last().filter(|_| more).map(|view| sort.cursor(view).encode());
        Ok(Page { items, next_cursor, total })
    }

    pub async fn facets(&self, scope: &Scope) -> Result<DocumentFacets> {
        let sight = scope.sight().clone();
        Ok(self.tenant(scope)?.store.db.read(move |tx| store_list::facets(tx, &sight)).await?)
    }

    /// Where uploads of the tenant are written first.
    pub(crate) fn incoming(&self, scope: &Scope) -> Result<PathBuf> {
        Ok(self.tenant(scope)?.store.incoming())
    }

    /// Compares disk, index and database; `mend` removes what is too much and queues what is missing.
    pub async fn check_index(&self, scope: &Scope, mend: bool) -> Result<IndexReport> {
        access::needs_all(scope)?;
        let tenant = self.tenant(scope)?;
        let _gate = tenant.gate.lock().await;
        let expected = tenant.store.db.read(store::indexed).await?;
        let documents = expected.len() as u64;
        let found = tenant.on_index(move |index| index.check(&mut expected.into_iter())).await?;
        let orphans = self.orphan_originals(scope).await?;
        let mut report = IndexReport {
            documents,
            passages: tenant.index().count(),
            segments: found.segments,
            bytes: found.bytes,
            orphan_files: found.orphan_files,
            missing: found.missing_documents,
            extra: found.extra_documents,
            orphan_originals: orphans.len() as u64,
            clean: false,
            mended: false,
        };
        report.clean = report.orphan_files.is_empty()
            && report.missing.is_empty()
            && report.extra.is_empty()
            && report.orphan_originals == 0;
        if mend && !report.clean {
            for orphan in &orphans {
                std::fs::remove_file(orphan).map_err(Error::internal)?;
            }
            let extra = report.extra.clone();
            tenant
                .on_index(move |index| {
                    extra.iter().try_for_each(|id| index.delete(id))?;
                    index.commit()?;
                    index.release_writer()?;
                    index.remove_orphans()
                })
                .await?;
            let missing = report.missing.clone();
            tenant.store.db.write(move |tx| store::index_again(tx, &missing)).await?;
            self.wake(&tenant);
            report.mended = true;
        }
        Ok(report)
    }

    /// Throws the index away and makes it again from the texts in the database. Returns how many documents are queued.
    pub async fn rebuild_index(&self, scope: &Scope) -> Result<u64> {
        access::needs_all(scope)?;
        let tenant = self.tenant(scope)?;
        let _gate = tenant.gate.lock().await;
        let open = tenant.uncommitted.lock().len();
        if open > 0 {
            return Err(
                Error::new(Code::Busy, "Documents are being indexed.").hint("Try again in a few seconds.")
            );
        }
        tenant.on_index(SearchIndex::release_writer).await?;
        let again = tenant.clone();
        tokio::task::spawn_blocking(move || again.recreate_index())
            .await
            .map_err(|e| Error::internal(e.to_string()))??;
        let queued = tenant.store.db.write(store::index_all_again).await?;
        self.wake(&tenant);
        Ok(queued)
    }

    async fn orphan_originals(&self, scope: &Scope) -> Result<Vec<PathBuf>> {
        let tenant = self.tenant(scope)?;
        let known: HashSet<String> = tenant.store.db.read(store::hashes).await?.into_iter().collect();
        let mut orphans = Vec::new();
        for folder in std::fs::read_dir(tenant.store.blobs()).map_err(Error::internal)?.flatten() {
            for file in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
                if !known.contains(file.file_name().to_string_lossy().as_ref()) {
                    orphans.push(file.path());
                }
            }
        }
        Ok(orphans)
    }
}

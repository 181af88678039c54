//! What the data folder takes, counted at most twice a minute.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use lectern_kernel::{Error, Result, Scope, TenantId, Timestamp};
use lectern_store::{Stores, TenantStore};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use walkdir::WalkDir;

const KEPT: Duration = Duration::from_secs(30);

/// Bytes on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "the unit belongs in the names that leave")]
pub struct DiskView {
    /// The tenant's folder as a whole.
    pub data_bytes: u64,
    /// The originals.
    pub blobs_bytes: u64,
    pub index_bytes: u64,
    /// The database with its write-ahead log.
    pub database_bytes: u64,
    /// Free for this program on the disk that holds the data folder.
    pub free_bytes: u64,
}

#[derive(Default)]
pub(crate) struct DiskMeter {
    /// Held while counting: many who ask at once wait for one count.
    known: tokio::sync::Mutex<HashMap<TenantId, (Timestamp, DiskView)>>,
}

impl DiskMeter {
    pub async fn measure(&self, stores: &Stores, scope: &Scope) -> Result<DiskView> {
        let now = stores.clock().now();
        let mut known = self.known.lock().await;
        if let Some((at, view)) = known.get(scope.tenant())
            && now < at.plus(KEPT)
        {
            return Ok(*view);
        }
        let tenant = stores.tenant(scope)?;
        let view = tokio::task::spawn_blocking(move || count(&tenant)).await.map_err(Error::internal)?;
        known.insert(scope.tenant().clone(), (now, view));
        Ok(view)
    }
}

fn count(tenant: &TenantStore) -> DiskView {
    let database = tenant.db.path().to_string_lossy().into_owned();
    let database_bytes =
        ["", "-wal", "-shm"].iter().map(|end| file_size(Path::new(&format!("{database}{end}")))).sum();
    DiskView {
        data_bytes: folder_size(&tenant.folder),
        blobs_bytes: folder_size(&tenant.blobs()),
        index_bytes: folder_size(&tenant.index()),
        database_bytes,
        free_bytes: free(&tenant.folder),
    }
}

fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// Files come and go meanwhile: what cannot be read does not count.
fn folder_size(path: &Path) -> u64 {
    let files = WalkDir::new(path).follow_links(false).into_iter().flatten();
    files.filter(|e| e.file_type().is_file()).filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
}

fn free(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |s| s.f_bavail.saturating_mul(s.f_frsize))
}

/// Memory of this process that is in RAM, as Linux tells it.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

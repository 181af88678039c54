//! The status: asks every area for its report, and adds what the process and the disk tell.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lectern_kernel::ports::Report;
use lectern_kernel::{Result, Scope, Timestamp};
use lectern_store::Stores;
use serde_json::Value;

use crate::disk::{DiskMeter, resident_bytes};
use crate::report::{MemoryView, StatusView, compose};
use crate::{ErrorRing, SafeHttp};

/// A status page must come even when an area hangs.
const REPORT_TIME: Duration = Duration::from_secs(2);

/// The status; clones share everything.
#[derive(Clone)]
pub struct Status {
    inner: Arc<Inner>,
}

struct Inner {
    stores: Stores,
    reports: Vec<Arc<dyn Report>>,
    http: SafeHttp,
    errors: ErrorRing,
    disk: DiskMeter,
    started_at: Timestamp,
}

impl Status {
    /// To be made at the start: that is what the uptime counts from.
    pub fn new(stores: Stores, reports: Vec<Arc<dyn Report>>, http: SafeHttp, errors: ErrorRing) -> Self {
        let started_at = stores.clock().now();
        let inner = Inner { stores, reports, http, errors, disk: DiskMeter::default(), started_at };
        Self { inner: Arc::new(inner) }
    }

    pub async fn view(&self, scope: &Scope) -> Result<StatusView> {
        let inner = &self.inner;
        let (reports, disk) = tokio::join!(self.reports(scope), inner.disk.measure(&inner.stores, scope));
        let reported = compose(reports);
        let up = inner.stores.clock().now().0.saturating_sub(inner.started_at.0).max(0);
        Ok(StatusView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: Some(format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)),
            started_at: inner.started_at,
            uptime_seconds: up as u64 / 1000,
            in_use: reported.in_use,
            documents: reported.documents,
            queue: reported.queue,
            models: reported.models,
            disk: disk?,
            memory: MemoryView { resident_bytes: resident_bytes() },
            recent_errors: inner.errors.recent(scope.tenant()),
            egress: inner.http.recent(scope),
        })
    }

    /// All reports at once; one that fails or hangs is missing, and the log says so.
    async fn reports(&self, scope: &Scope) -> Vec<(String, Value)> {
        let ask = |report: &Arc<dyn Report>| {
            let (report, scope) = (report.clone(), scope.clone());
            async move {
                match tokio::time::timeout(REPORT_TIME, report.report(&scope)).await {
                    Ok(Ok(value)) => Some((report.name().to_owned(), value)),
                    Ok(Err(error)) => {
                        tracing::warn!(report = report.name(), %error, "a part of the status failed");
                        None
                    }
                    Err(_) => {
                        tracing::warn!(report = report.name(), "a part of the status took too long");
                        None
                    }
                }
            }
        };
        join_all(self.inner.reports.iter().map(ask)).await.into_iter().flatten().collect()
    }
}

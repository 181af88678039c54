//! The recent errors and warnings of the log, for the status page.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::Arc;

use lectern_kernel::{Clock, SystemClock, TenantId, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use utoipa::ToSchema;

const KEPT: usize = 100;
const LONGEST: usize = 500;
/// Warnings of libraries are for the log; ours are written for people.
const OURS: &str = "lectern";

/// Something that went wrong lately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecentError {
    pub at: Timestamp,
    /// The problem's code, else `error` or `warning`.
    pub code: String,
    pub message: String,
    /// The document it is about, when it is about one.
    pub document: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) tenant: Option<String>,
}

/// A layer for `tracing_subscriber` that keeps errors; clones share them.
#[derive(Clone)]
pub struct ErrorRing {
    recent: Arc<Mutex<VecDeque<RecentError>>>,
    clock: Arc<dyn Clock>,
}

impl Default for ErrorRing {
    fn default() -> Self {
        Self { recent: Arc::default(), clock: Arc::new(SystemClock) }
    }
}

impl ErrorRing {
    /// The latest, newest first: those of the tenant, and those that name none.
    pub fn recent(&self, tenant: &TenantId) -> Vec<RecentError> {
        let shown = |e: &&RecentError| e.tenant.as_deref().is_none_or(|t| t == tenant.as_str());
        self.recent.lock().iter().rev().filter(shown).cloned().collect()
    }
}

impl<S: Subscriber> Layer<S> for ErrorRing {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        if level > Level::WARN || (level == Level::WARN && !target.starts_with(OURS)) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let plain = if level == Level::ERROR { "error" } else { "warning" };
        let mut message = fields.message;
        if !fields.cause.is_empty() {
            let _ = write!(message, ": {}", fields.cause);
        }
        let entry = RecentError {
            at: self.clock.now(),
            code: fields.code.unwrap_or_else(|| plain.to_owned()),
            message: cut(&message),
            document: fields.document,
            tenant: fields.tenant,
        };
        let mut recent = self.recent.lock();
        if recent.len() >= KEPT {
            recent.pop_front();
        }
        recent.push_back(entry);
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[derive(Default)]
struct Fields {
    message: String,
    /// Of the fields `cause` and `error`.
    cause: String,
    code: Option<String>,
    document: Option<String>,
    tenant: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "cause" | "error" => value.clone_into(&mut self.cause),
            "code" => self.code = Some(cut(value)),
            "document" => self.document = Some(cut(value)),
            "tenant" => self.tenant = Some(cut(value)),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn errors_are_kept_with_code_and_document_and_the_oldest_goes() {
        let ring = ErrorRing::default();
        let subscriber = tracing_subscriber::registry().with(ring.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("not this");
            tracing::warn!(target: "hyper", "nor this");
            tracing::error!(code = "damaged", document = %"doc_1", cause = "bad xref", "extraction failed");
            tracing::warn!(tenant = "other", "not for main");
        });
        let recent = ring.recent(&TenantId::main());
        assert_eq!(recent.len(), 1);
        assert_eq!((recent[0].code.as_str(), recent[0].document.as_deref()), ("damaged", Some("doc_1")));
        assert_eq!(recent[0].message, "extraction failed: bad xref");
        let subscriber = tracing_subscriber::registry().with(ring.clone());
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..300 {
                tracing::error!("{n} {}", "x".repeat(5000));
            }
        });
        let recent = ring.recent(&TenantId::main());
        assert_eq!(recent.len(), KEPT);
        assert!(recent[0].message.starts_with("299 ") && recent[0].message.len() == LONGEST);
        assert_eq!(recent[0].code, "error");
    }
}

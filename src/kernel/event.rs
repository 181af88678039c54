//! What happened, for others to react to.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An entry of the outbox, or a passing notice with `sequence` 0 that is only sent to who listens now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Rises by one within a tenant; 0 for a notice that is not kept.
    pub sequence: i64,
    /// `document.created`, `document.ready` …
    pub kind: String,
    /// Id of the thing it is about.
    pub subject: String,
    pub payload: serde_json::Value,
    pub at: Timestamp,
}

//! What goes out of the record.

use lectern_kernel::{Error, Result, Timestamp};
use lectern_store::audit::{Kept, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entries are listed, the newest first.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditParameters {
    /// Id of a person.
    pub actor: Option<String>,
    /// An action such as `key.created`, or an area with a dot behind it, `key.`.
    pub action: Option<String>,
    /// Id of the thing.
    pub object: Option<String>,
    /// A piece of an entry's text.
    pub q: Option<String>,
    /// Only on or after this day, `2026-01-31`.
    pub from: Option<String>,
    /// Only on or before this day.
    pub to: Option<String>,
    /// `json` for a page, `csv` or `jsonl` for all that fit.
    pub format: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

const DAY: i64 = 86_400_000;

impl AuditParameters {
    pub(crate) fn wanted(&self) -> Result<Wanted> {
        let text = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
        let day = |field: &str, value: &Option<String>| {
            text(value)
                .map(|text| {
                    Timestamp::of_day(&text).ok_or_else(|| Error::field(field, "write a day as 2026-01-31"))
                })
                .transpose()
        };
        Ok(Wanted {
            before: None,
            actor: text(&self.actor),
            action: text(&self.action),
            object: text(&self.object),
            from: day("from", &self.from)?,
            to: day("to", &self.to)?.map(|start| Timestamp(start.0 + DAY - 1)),
            text: text(&self.q),
        })
    }
}

/// An entry of the record.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    pub sequence: u64,
    pub at: Timestamp,
    /// Person; none for programs, the command line and the appliance itself.
    pub actor: Option<String>,
    /// Session, key or command line.
    pub by: Option<String>,
    pub address: Option<String>,
    pub request: Option<String>,
    pub action: String,
    pub object: String,
    #[serde(default)]
    pub before: Option<serde_json::Value>,
    #[serde(default)]
    pub after: Option<serde_json::Value>,
    /// What it said had to be forgotten; its proof is still there.
    #[serde(default)]
    pub forgotten: bool,
}

impl AuditEntry {
    pub(crate) fn of(kept: Kept) -> Self {
        let read = kept.entry.as_deref().and_then(|text| serde_json::from_str(text).ok());
        read.unwrap_or(Self {
            sequence: kept.sequence,
            at: kept.at,
            actor: None,
            by: None,
            address: None,
            request: None,
            action: String::new(),
            object: String::new(),
            before: None,
            after: None,
            forgotten: true,
        })
    }
}

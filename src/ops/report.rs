//! The status page's shape, and how the areas' own reports come into it.

use lectern_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::disk::DiskView;
use crate::egress::EgressEntry;
use crate::ring::RecentError;

/// How the appliance is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    pub version: String,
    /// What it was built as: architecture and system.
    pub build: Option<String>,
    pub started_at: Timestamp,
    pub uptime_seconds: u64,
    pub in_use: InUse,
    pub documents: DocumentCounts,
    pub queue: QueueCounts,
    pub models: ModelsInUse,
    pub disk: DiskView,
    pub memory: MemoryView,
    /// Newest first.
    pub recent_errors: Vec<RecentError>,
    /// Every attempt to connect to somewhere, newest first.
    pub egress: Vec<EgressEntry>,
}

/// What answers, finds, speaks, hears and reads at this moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct InUse {
    pub answers: AnswersInUse,
    pub search: String,
    pub voice: Option<String>,
    pub recogniser: Option<String>,
    pub ocr: Option<String>,
}

/// How answers are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AnswersInUse {
    /// `extractive` or `ollama`.
    pub mode: String,
    pub model: Option<String>,
    /// Whether the model's server answers; null without one.
    pub reachable: Option<bool>,
}

impl Default for AnswersInUse {
    fn default() -> Self {
        Self { mode: "extractive".to_owned(), model: None, reachable: None }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DocumentCounts {
    pub total: u64,
    pub ready: u64,
    pub failed: u64,
    pub queued: u64,
    pub extracting: u64,
    pub indexing: u64,
    pub passages: u64,
    pub characters: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct QueueCounts {
    pub queued: u64,
    pub running: u64,
    pub failed: u64,
}

/// Imported models: which there are, which are loaded, and what runs them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelsInUse {
    pub runtime: RuntimeInUse,
    /// Memory that loaded models may take, and take.
    pub budget_bytes: u64,
    pub used_bytes: u64,
    pub items: Vec<ModelInUse>,
}

/// The engine that runs models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RuntimeInUse {
    pub name: String,
    pub version: String,
    /// `CPU` or `CUDA`.
    pub device: String,
    pub threads: usize,
}

/// An imported model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelInUse {
    pub name: String,
    pub kind: String,
    /// Null: a voice, which is chosen a sentence at a time.
    pub in_use: Option<bool>,
    pub loaded: bool,
    pub memory_bytes: u64,
    pub last_used_at: Option<Timestamp>,
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemoryView {
    pub resident_bytes: u64,
}

/// What the areas report, put where it belongs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reported {
    pub in_use: InUse,
    pub documents: DocumentCounts,
    pub queue: QueueCounts,
    pub models: ModelsInUse,
}

const SECTIONS: &[&str] =
    &["answers", "search", "voice", "recogniser", "ocr", "documents", "queue", "models"];

/// Merges reports by name. A report is the section of its name; an object may also carry other sections by
/// their names, as `documents` does with `queue` and `search`. What does not fit is left out, with a warning.
pub fn compose(reports: impl IntoIterator<Item = (String, Value)>) -> Reported {
    let mut sections = Map::new();
    for (name, report) in reports {
        place(&mut sections, &name, report);
    }
    let (documents, queue) = (take(&mut sections, "documents"), take(&mut sections, "queue"));
    let in_use = InUse {
        answers: take(&mut sections, "answers"),
        search: named(sections.remove("search")).unwrap_or_default(),
        voice: named(sections.remove("voice")),
        recogniser: named(sections.remove("recogniser")),
        ocr: named(sections.remove("ocr")),
    };
    Reported { in_use, documents, queue, models: take(&mut sections, "models") }
}

fn place(sections: &mut Map<String, Value>, name: &str, mut report: Value) {
    if let Some(object) = report.as_object_mut() {
        let mut own = None;
        for section in SECTIONS {
            match object.remove(*section) {
                Some(value) if *section == name => own = Some(value),
                Some(value) => {
                    sections.insert((*section).to_owned(), value);
                }
                None => {}
            }
        }
        if let Some(own) = own {
            report = own;
        }
    }
    if SECTIONS.contains(&name) {
        sections.insert(name.to_owned(), report);
    }
}

fn take<T: Default + serde::de::DeserializeOwned>(sections: &mut Map<String, Value>, name: &str) -> T {
    let Some(value) = sections.remove(name).filter(|v| !v.is_null()) else { return T::default() };
    serde_json::from_value(value).unwrap_or_else(|error| {
        tracing::warn!(section = name, %error, "a report does not fit the status and is left out");
        T::default()
    })
}

/// A name: a text, or an object that has one.
fn named(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Object(object) => ["name", "engine", "voice", "mode"]
            .iter()
            .find_map(|key| Some(object.get(*key)?.as_str()?.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reports_come_to_their_places() {
        let reports = [
            ("answers", json!({"mode": "ollama", "model": "m", "reachable": true})),
            ("voice", json!({"voice": "eSpeak NG", "rate": 170})),
            (
                "documents",
                json!({"total": 3, "ready": 2, "queue": {"queued": 1}, "search": "BM25", "ocr": null}),
            ),
            ("unheard-of", json!({"x": 1})),
        ];
        let reported = compose(reports.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(reported.in_use.answers.reachable, Some(true));
        assert_eq!(reported.in_use.voice.as_deref(), Some("eSpeak NG"));
        assert_eq!((reported.documents.total, reported.queue.queued), (3, 1));
        assert_eq!((reported.in_use.search.as_str(), reported.in_use.ocr), ("BM25", None));
    }

    #[test]
    fn a_report_that_does_not_fit_is_left_out() {
        let reported =
            compose([("documents".to_owned(), json!({"total": "many"})), ("queue".to_owned(), json!(7))]);
        assert_eq!(reported, Reported::default());
    }
}

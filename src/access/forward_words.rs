//! An entry of the record as an event that servers elsewhere are told.

use lectern_store::audit::Kept;
use lectern_syslog::{Event, Field, Severity, shorten};
use serde_json::{Value, json};

use crate::audit::Log;

/// Entries that had to be forgotten before they were sent.
pub(crate) const GAP: &str = "audit.gap";
/// Only a test.
const TEST: &str = "audit.test";

/// Of whom entries tell, and which machine tells it.
pub(crate) struct Teller<'a> {
    pub log: &'a Log,
    pub host: &'a str,
}

/// What is told of a run of entries: each, and once of those that follow each other and were forgotten.
pub(crate) fn events(teller: &Teller<'_>, kept: &[Kept]) -> Vec<Event> {
    let mut events = Vec::with_capacity(kept.len());
    for run in kept.chunk_by(|a, b| a.entry.is_none() && b.entry.is_none()) {
        match (&run[0], &run[run.len() - 1]) {
            (first @ Kept { entry: Some(text), .. }, _) => events.push(event(teller, first, text)),
            (first, last) => {
                let after = json!({ "first": first.sequence, "last": last.sequence });
                events.push(made_up(teller, first, GAP, &after));
            }
        }
    }
    events
}

/// A message that says nothing but that it came.
pub(crate) fn test(teller: &Teller<'_>, at: lectern_kernel::Timestamp) -> Event {
    let kept = Kept { sequence: 0, at, entry: None, leaf: String::new() };
    made_up(teller, &kept, TEST, &json!({ "message": "This is a test of Lectern." }))
}

/// An event that is no entry, in the shape of one.
fn made_up(teller: &Teller<'_>, kept: &Kept, action: &str, after: &Value) -> Event {
    let tenant = match teller.log {
        Log::Tenant(scope) => scope.tenant().to_string(),
        Log::Appliance => lectern_kernel::TenantId::main().to_string(),
    };
    let entry = json!({
        "sequence": kept.sequence, "at": kept.at, "tenant": tenant, "actor": null, "by": null, "address": null,
        "request": null, "action": action, "object": "", "after": after,
    });
    event(teller, kept, &entry.to_string())
}

fn event(teller: &Teller<'_>, kept: &Kept, text: &str) -> Event {
    let entry: Value = serde_json::from_str(text).unwrap_or_default();
    let value = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let (action, log) = (value("action"), teller.log.origin());
    let mut fields = vec![
        field("", "rt", kept.at.0.to_string()),
        field("", "cat", "audit".to_owned()),
        field("", "act", action.clone()),
        labelled("log", "cs1", log.clone()),
        field("sequence", "externalId", kept.sequence.to_string()),
        labelled("tenant", "cs2", value("tenant")),
        field("actor", "suid", value("actor")),
        labelled("by", "cs3", value("by")),
        address(value("address")),
        labelled("request", "cs4", value("request")),
        labelled("object", "cs5", value("object")),
        change(&entry),
    ];
    if severity(&action) == Severity::Warning && action != GAP {
        fields.push(field("", "outcome", "failure".to_owned()));
    }
    Event {
        severity: severity(&action),
        at: kept.at.to_string(),
        host: teller.host.to_owned(),
        body: body(&log, text),
        short_body: short_body(&log, kept, &entry),
        id: action,
        fields,
    }
}

/// The entry's text as the tree has it, behind the name of the record that it is of.
fn body(log: &str, text: &str) -> String {
    format!("{{\"log\":{},{}", json!(log), text.strip_prefix('{').unwrap_or("}"))
}

fn short_body(log: &str, kept: &Kept, entry: &Value) -> String {
    let mut short = json!({ "log": log, "sequence": kept.sequence, "at": kept.at, "truncated": true });
    for name in ["tenant", "actor", "by", "address", "request", "action", "object"] {
        short[name] = entry[name].as_str().map_or(Value::Null, |text| json!(shorten(text)));
    }
    short.to_string()
}

fn field(name: &'static str, key: &'static str, value: String) -> Field {
    Field { name, key, label: None, value, long: false }
}

fn labelled(name: &'static str, key: &'static str, value: String) -> Field {
    Field { label: Some(name), ..field(name, key, value) }
}

/// CEF has a key for each kind of address.
fn address(value: String) -> Field {
    if value.contains(':') {
        return Field { label: Some("Source IPv6 Address"), ..field("address", "c6a2", value) };
    }
    field("address", "src", value)
}

fn change(entry: &Value) -> Field {
    let mut change = serde_json::Map::new();
    for name in ["before", "after"] {
        if let Some(value) = entry.get(name) {
            change.insert(name.to_owned(), value.clone());
        }
    }
    let value = if change.is_empty() { String::new() } else { Value::Object(change).to_string() };
    Field { label: Some("change"), long: true, ..field("", "cs6", value) }
}

/// Failures are warnings, coming and going is information, every change is a notice.
fn severity(action: &str) -> Severity {
    if action == GAP || action.ends_with(".failed") {
        Severity::Warning
    } else if action == TEST || action.starts_with("session.") {
        Severity::Informational
    } else {
        Severity::Notice
    }
}

//! Syslog messages (RFC 5424), of the facility for the record of who did what.

use std::fmt::Write as _;

use crate::event::{APP, Event};
use crate::text::{one_line, printable};

/// `log audit`, section 6.2.1.
const FACILITY: u8 = 13;
/// Lectern has no number of its own among private enterprises; this one is for examples (RFC 5612), and nobody's.
const SD_ID: &str = "lectern@32473";
/// What begins a body in UTF-8 (section 6.4).
const BOM: char = '\u{feff}';

/// The message with structured data and the JSON body.
pub(crate) fn write(event: &Event, short: bool) -> String {
    let mut out = header(event);
    let _ = write!(out, " [{SD_ID}");
    for field in event.fields.iter().filter(|f| !f.name.is_empty() && !f.long && !f.value.is_empty()) {
        let _ = write!(out, " {}=\"{}\"", field.name, parameter(&field.value));
    }
    if short {
        out.push_str(" truncated=\"yes\"");
    }
    let body = if short { &event.short_body } else { &event.body };
    let _ = write!(out, "] {BOM}{body}");
    out
}

/// All that comes before the structured data.
pub(crate) fn header(event: &Event) -> String {
    let priority = FACILITY * 8 + event.severity.number();
    let (host, id) = (printable(&event.host, 255), printable(&event.id, 32));
    format!("<{priority}>1 {} {host} {APP} {} {id}", event.at, std::process::id())
}

/// A value of structured data: quotes, backslashes and closing brackets are escaped (section 6.3.3).
fn parameter(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in one_line(value).chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

//! The Common Event Format (ArcSight, version 0) as the body of a syslog message.
//!
//! The body has no byte order mark, since collectors look for `CEF:` at its beginning: to RFC 5424 it is `MSG-ANY`.

use std::fmt::Write as _;

use crate::event::Event;
use crate::rfc5424;
use crate::text::one_line;

const VENDOR: &str = "Lectern";
const PRODUCT: &str = "Lectern";
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn write(event: &Event, short: bool) -> String {
    let mut out = rfc5424::header(event);
    let name = event.id.replace(['.', '_'], " ");
    let (id, name, severity) = (prefix(&event.id), prefix(&name), event.severity.of_ten());
    let _ = write!(out, " - CEF:0|{VENDOR}|{PRODUCT}|{VERSION}|{id}|{name}|{severity}|");
    let mut first = true;
    let mut add = |key: &str, value: &str| {
        let _ = write!(out, "{}{key}={}", if first { "" } else { " " }, extension(value));
        first = false;
    };
    for field in event.fields.iter().filter(|f| !f.key.is_empty() && !f.value.is_empty()) {
        add(field.key, &field.value);
        if let Some(label) = field.label {
            add(&format!("{}Label", field.key), label);
        }
    }
    if short {
        add("reason", "truncated");
    }
    out
}

/// A field of the prefix: bars and backslashes are escaped, and it has one line.
fn prefix(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// A value of the extension: equals signs and backslashes are escaped, ends of lines are written as such. Other control
/// characters mean nothing there.
fn extension(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '=' => out.push_str("\\="),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

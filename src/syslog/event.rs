//! What is told, and the bytes of it in each format.

use crate::text::{cut, one_line};
use crate::{cef, rfc5424};

/// The program that tells, as it stands in messages.
pub(crate) const APP: &str = "lectern";
/// Bytes of a value in a message that had to be shortened.
const SHORT_VALUE: usize = 64;

/// How much it matters (RFC 5424, section 6.2.1); only those that a record needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Warning,
    Notice,
    Informational,
}

impl Severity {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Warning => 4,
            Self::Notice => 5,
            Self::Informational => 6,
        }
    }

    /// CEF counts from 0, the least, to 10.
    pub(crate) fn of_ten(self) -> u8 {
        match self {
            Self::Warning => 7,
            Self::Notice => 5,
            Self::Informational => 3,
        }
    }
}

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A syslog message with structured data; the body is the event's JSON.
    Rfc5424,
    /// A syslog message whose body is in the Common Event Format.
    Cef,
    /// The event's JSON alone.
    Json,
}

/// One fact of an event under its names.
#[derive(Debug, Clone)]
pub struct Field {
    /// In the structured data; empty: not there.
    pub name: &'static str,
    /// In CEF; empty: not there.
    pub key: &'static str,
    /// What a CEF key that means nothing by itself stands for.
    pub label: Option<&'static str>,
    pub value: String,
    /// Left out first when the message must be shorter.
    pub long: bool,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    pub severity: Severity,
    /// RFC 3339, in UTC, with at most six digits of a second.
    pub at: String,
    /// The machine that tells it.
    pub host: String,
    /// What kind of event it is: `session.opened`.
    pub id: String,
    pub fields: Vec<Field>,
    /// A JSON object on one line.
    pub body: String,
    /// The same with the least that tells what happened.
    pub short_body: String,
}

/// The bytes of an event, without a frame, at most `limit` of them, which is 2048 at least. What does not fit is told
/// short, and the message says so.
pub fn encode(event: &Event, format: Format, limit: usize) -> Vec<u8> {
    let write = |event: &Event, short: bool| match format {
        Format::Rfc5424 => rfc5424::write(event, short),
        Format::Cef => cef::write(event, short),
        Format::Json if short => event.short_body.clone(),
        Format::Json => event.body.clone(),
    };
    let whole = write(event, false);
    if whole.len() <= limit {
        return whole.into_bytes();
    }
    cut(&write(&shortened(event), true), limit).as_bytes().to_vec()
}

fn shortened(event: &Event) -> Event {
    let kept = event.fields.iter().filter(|field| !field.long).cloned();
    let fields = kept.map(|field| Field { value: shorten(&field.value), ..field });
    Event { fields: fields.collect(), ..event.clone() }
}

/// A value as a message that had to be shortened has it: 64 bytes at most, on one line.
pub fn shorten(text: &str) -> String {
    one_line(cut(text, SHORT_VALUE))
}

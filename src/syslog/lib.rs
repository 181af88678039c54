//! Entries of a record as messages for syslog servers and those that collect them (RFC 5424, CEF, lines of JSON), and their
//! way there: datagrams (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425).
//!
//! What is sent and when is the caller's matter; so is whether a connection may be opened at all ([`Dial`]).

mod address;
mod cef;
mod event;
mod frame;
mod rfc5424;
mod send;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_rsyslog;
#[cfg(test)]
mod tests_wire;
mod text;
mod tls;

pub use address::Address;
pub use event::{Event, Field, Format, Severity, encode, shorten};
pub use frame::{Framing, UDP_LIMIT, frame};
pub use send::{Dial, DialError, SendError, Sender, Step, Transport};
pub use tls::check_authorities;

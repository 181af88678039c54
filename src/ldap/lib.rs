//! LDAP and Active Directory as a source of sign-ins and groups (RFC 4511 to 4519, MS-ADTS).
//!
//! People are found by a service account and proven by a bind with their own password. What they may do here, and what
//! is kept of them, is the caller's matter; so is whether a connection may be opened at all ([`Dial`]). The server is
//! not trusted further than its answers go: they are bounded in size, depth, number and time.

mod address;
mod ber;
mod config;
mod connection;
mod directory;
mod escape;
mod nested;
mod person;
mod refusal;
mod report;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_groups;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_slapd;
mod tls;
mod validate;
mod wire;

pub use config::{Attributes, DirectoryConfig, Groups, Kind, Limits};
pub use directory::Directory;
pub use person::{Group, Person};
pub use refusal::{Closed, Refusal, Result};
pub use report::{Report, Step, StepKind};
pub use wire::{Dial, DialError};

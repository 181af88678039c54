//! What comes in and goes out about the servers that entries of a record are sent to.

use lectern_edge::Validate;
use lectern_kernel::{FieldError, TargetId, Timestamp};
use lectern_syslog::{Address, Format, Framing, Transport};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const LONGEST_ADDRESS: usize = 1000;
const LONGEST_SECRET: usize = 4096;

/// How entries travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Datagrams; nothing tells whether they arrive.
    Udp,
    Tcp,
    /// TCP with TLS.
    Tls,
    /// Requests to a collector.
    Https,
}

impl TargetKind {
    pub(crate) const ALL: [Self; 4] = [Self::Udp, Self::Tcp, Self::Tls, Self::Https];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
        }
    }

    /// None for requests.
    pub(crate) fn transport(self) -> Option<Transport> {
        match self {
            Self::Udp => Some(Transport::Udp),
            Self::Tcp => Some(Transport::Tcp),
            Self::Tls => Some(Transport::Tls),
            Self::Https => None,
        }
    }
}

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetFormat {
    /// Syslog messages with structured data; the body is the entry's JSON.
    Rfc5424,
    /// Syslog messages in the Common Event Format.
    Cef,
    /// One JSON object a line.
    Json,
    /// One JSON array a request; only for `https`.
    JsonArray,
}

impl TargetFormat {
    pub(crate) const ALL: [Self; 4] = [Self::Rfc5424, Self::Cef, Self::Json, Self::JsonArray];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rfc5424 => "rfc5424",
            Self::Cef => "cef",
            Self::Json => "json",
            Self::JsonArray => "json_array",
        }
    }

    pub(crate) fn of_engine(self) -> Format {
        match self {
            Self::Rfc5424 => Format::Rfc5424,
            Self::Cef => Format::Cef,
            Self::Json | Self::JsonArray => Format::Json,
        }
    }

    pub(crate) fn framing(self) -> Framing {
        match self {
            Self::Rfc5424 | Self::Cef => Framing::Counted,
            Self::Json | Self::JsonArray => Framing::Lines,
        }
    }

    fn goes_by(self, kind: TargetKind) -> bool {
        match self {
            Self::Rfc5424 | Self::Cef => kind != TargetKind::Https,
            Self::Json => true,
            Self::JsonArray => kind == TargetKind::Https,
        }
    }
}

/// A server to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    pub name: String,
    pub kind: TargetKind,
    /// `host:port` (without a port 514 for udp, 601 for tcp, 6514 for tls), or the address of a collector, which begins
    /// with `https://`.
    pub address: String,
    pub format: TargetFormat,
    /// Certificates of the authorities that are trusted there in place of the machine's, as PEM text.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// Header of requests that carries the secret. Default `Authorization`.
    #[serde(default)]
    pub header: Option<String>,
    /// Value of that header; sealed, and never shown.
    #[serde(default)]
    pub secret: Option<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Begin with the oldest entry that is there and not with the next one.
    #[serde(default)]
    pub from_beginning: bool,
}

fn yes() -> bool {
    true
}

/// Changes a server; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchTarget {
    pub name: Option<String>,
    pub kind: Option<TargetKind>,
    pub address: Option<String>,
    pub format: Option<TargetFormat>,
    /// Empty: those of the machine are trusted.
    pub ca_pem: Option<String>,
    pub header: Option<String>,
    /// Empty: there is none any more. To be sent again when kind, address or header change.
    pub secret: Option<String>,
    pub enabled: Option<bool>,
}

/// A server that entries are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetView {
    pub id: TargetId,
    pub name: String,
    pub kind: TargetKind,
    pub address: String,
    pub format: TargetFormat,
    pub ca_pem: Option<String>,
    pub header: String,
    pub has_secret: bool,
    pub enabled: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A server, and how far sending has come.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TargetStateView {
    #[serde(flatten)]
    pub target: TargetView,
    /// Entries that are not there yet.
    pub waiting: u64,
    /// When entries were last sent, and the server did not refuse them.
    pub last_sent_at: Option<Timestamp>,
    /// Why the last try failed; none after a good one.
    pub last_error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    pub next_try_at: Option<Timestamp>,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetStep {
    /// `allowed`, `resolved`, `connected`, `tls` or `sent`.
    pub step: String,
    pub ok: bool,
    pub message: String,
    /// What to do, when it failed.
    pub hint: Option<String>,
}

/// What happened to one test message; steps after one that failed are absent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TargetTest {
    pub works: bool,
    pub steps: Vec<TargetStep>,
}

impl Validate for NewTarget {}
impl Validate for PatchTarget {
    fn validate(&self) -> Vec<FieldError> {
        self.secret.as_deref().map(check_secret).into_iter().flatten().collect()
    }
}

fn wrong(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), message: message.into() }
}

/// A value of a header, and not the end of it.
pub(crate) fn check_secret(secret: &str) -> Option<FieldError> {
    let good = secret.len() <= LONGEST_SECRET && secret.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    (!good).then(|| wrong("secret", "must be at most 4096 visible ASCII characters, as in Bearer abc"))
}

/// The first thing that is wrong with a server.
pub(crate) fn check(view: &TargetView) -> Result<(), FieldError> {
    let length = view.name.trim().chars().count();
    if !(1..=100).contains(&length) || view.name.chars().any(char::is_control) {
        return Err(wrong("name", "must have 1–100 characters on one line"));
    }
    if !view.format.goes_by(view.kind) {
        let fitting = TargetFormat::ALL.into_iter().filter(|f| f.goes_by(view.kind));
        let names: Vec<_> = fitting.map(TargetFormat::as_str).collect();
        return Err(wrong("format", format!("must be {} for {}", names.join(" or "), view.kind.as_str())));
    }
    if view.address.len() > LONGEST_ADDRESS {
        return Err(wrong("address", "is too long"));
    }
    match view.kind.transport() {
        Some(transport) => {
            Address::parse(&view.address, transport.usual_port()).map_err(|why| wrong("address", why))?;
        }
        None => check_url(&view.address).map_err(|why| wrong("address", why))?,
    }
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if view.header.is_empty() || view.header.len() > 100 || !view.header.bytes().all(token) {
        return Err(wrong("header", "must be the name of a header, as in Authorization"));
    }
    let framed = ["host", "content-length", "content-type", "transfer-encoding", "connection"];
    if framed.contains(&view.header.to_ascii_lowercase().as_str()) {
        return Err(wrong("header", "must not be one that makes up the request"));
    }
    match &view.ca_pem {
        Some(pem) => lectern_syslog::check_authorities(pem).map_err(|why| wrong("ca_pem", why)),
        None => Ok(()),
    }
}

/// Entries and the secret go unencrypted to programs of this machine only.
fn check_url(address: &str) -> Result<(), &'static str> {
    const EXAMPLE: &str =
        "must begin with https://, as in https://siem.example.org:8088/services/collector/raw";
    let (scheme, rest) = address.split_once("://").ok_or(EXAMPLE)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') || address.contains(['#', ' ']) {
        return Err("must not contain a user name, a space or #");
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let here = ["localhost", "127.0.0.1", "::1"].contains(&host);
    match scheme {
        "https" => Ok(()),
        "http" if here => Ok(()),
        "http" => Err("must begin with https://; http:// is for programs of this machine only"),
        _ => Err(EXAMPLE),
    }
}

/// Host and port of a collector's address that was checked.
pub(crate) fn host_and_port(address: &str) -> (String, u16) {
    let usual = if address.starts_with("http://") { 80 } else { 443 };
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Address::parse(authority, usual).map_or_else(|_| (authority.to_owned(), usual), |a| (a.host, a.port))
}

//! Some events on their way to one server: the messages, the connection, and what went wrong in words.

use lectern_kernel::ports::Vault;
use lectern_kernel::{Error, Result, Scope, TargetId, TenantId};
use lectern_syslog::{Address, Event, Sender, Step, Transport, UDP_LIMIT, encode};
use zeroize::Zeroizing;

use crate::Access;
use crate::audit::Log;
use crate::forward_network::{Post, PostError, TargetPlace};
use crate::model_forward::TargetFormat;
use crate::store_forward::TargetRow;

/// Bytes of a message in a stream, and in a request.
const STREAM_LIMIT: usize = 64 << 10;
const REQUEST_LIMIT: usize = 256 << 10;
const CHECK: &str = "Save the target again, with an address of one machine.";

/// Why events are not at a server; the steps before this one succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub step: Step,
    pub message: String,
    pub hint: String,
}

impl Failure {
    fn new(step: Step, message: impl Into<String>, hint: &str) -> Self {
        Self { step, message: message.into(), hint: hint.to_owned() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { step: Step::Allowed, message: error.detail, hint: error.hint.unwrap_or_default() }
    }
}

/// The steps to a server in their order.
pub(crate) fn steps(row: &TargetRow) -> &'static [Step] {
    // A request to a program of this machine has no encryption, and its test shows none.
    let plain = row.view.address.starts_with("http://");
    let like = if plain { Transport::Tcp } else { Transport::Tls };
    row.view.kind.transport().unwrap_or(like).steps()
}

impl Log {
    /// Under whom connections are allowed and noted.
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::Tenant(scope) => Scope::system(scope.tenant().clone()),
            Self::Appliance => Scope::system(TenantId::main()),
        }
    }
}

pub(crate) fn place(row: &TargetRow) -> TargetPlace {
    let view = &row.view;
    let address = match view.kind.transport() {
        Some(transport) => Address::parse(&view.address, transport.usual_port())
            .map_or_else(|_| view.address.clone(), |address| address.to_string()),
        None => view.address.clone(),
    };
    TargetPlace { target: view.id.to_string(), address, authorities: view.ca_pem.clone() }
}

/// Where a server's secret is sealed for.
fn place_of_secret(id: &TargetId) -> String {
    format!("{id}/secret")
}

impl Access {
    /// Sends events in their order, all or with a failure.
    pub(crate) async fn deliver(&self, log: &Log, row: &TargetRow, events: &[Event]) -> Result<(), Failure> {
        let (scope, place) = (log.scope(), place(row));
        let Some(transport) = row.view.kind.transport() else {
            return self.post(log, row, &place, events).await;
        };
        let limit = if transport == Transport::Udp { UDP_LIMIT } else { STREAM_LIMIT };
        let messages: Vec<_> =
            events.iter().map(|event| encode(event, row.view.format.of_engine(), limit)).collect();
        let address = Address::parse(&place.address, transport.usual_port());
        let sender = Sender {
            address: address
                .map_err(|why| Failure::new(Step::Allowed, format!("the address {why}"), CHECK))?,
            transport,
            framing: row.view.format.framing(),
            authorities: place.authorities.clone(),
            dial: self.inner.network.dial(&scope, &place)?,
        };
        sender.send(&messages).await.map_err(|error| Failure::new(error.step, error.message, error.hint))
    }

    async fn post(
        &self,
        log: &Log,
        row: &TargetRow,
        place: &TargetPlace,
        events: &[Event],
    ) -> Result<(), Failure> {
        let header = self.open_secret(log, row)?.map(|secret| (row.view.header.clone(), secret));
        let (content_type, body) = body(row.view.format, events);
        let post = Post { content_type, header, body };
        match self.inner.network.post(&log.scope(), place, post).await {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(answered(status)),
            Err(PostError::Denied(why)) => Err(Failure::new(Step::Allowed, why, CHECK)),
            Err(PostError::NoConnection(why)) => Err(Failure::new(
                Step::Tls,
                why,
                "Check address and port, that the collector runs, and its certificate's authority and names.",
            )),
            Err(PostError::NoAnswer(why)) => {
                Err(Failure::new(Step::Sent, why, "Look into the log of the collector."))
            }
        }
    }

    pub(crate) fn seal_secret(
        &self,
        log: &Log,
        id: &TargetId,
        secret: Option<&str>,
    ) -> Result<Option<String>> {
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return Ok(None) };
        let (keyring, place) = (&self.inner.keyring, place_of_secret(id));
        match log {
            Log::Tenant(scope) => keyring.seal(scope.tenant(), &place, secret.as_bytes()),
            Log::Appliance => keyring.seal_own(&place, secret.as_bytes()),
        }
        .map(Some)
    }

    fn open_secret(&self, log: &Log, row: &TargetRow) -> Result<Option<Zeroizing<String>>> {
        let Some(sealed) = &row.secret else { return Ok(None) };
        let (keyring, place) = (&self.inner.keyring, place_of_secret(&row.view.id));
        let opened = match log {
            Log::Tenant(scope) => keyring.open(scope.tenant(), &place, sealed)?,
            Log::Appliance => keyring.open_own(&place, sealed)?.to_vec(),
        };
        Ok(Some(Zeroizing::new(String::from_utf8(opened).map_err(Error::internal)?)))
    }
}

/// Lines, or an array.
fn body(format: TargetFormat, events: &[Event]) -> (&'static str, Vec<u8>) {
    let array = format == TargetFormat::JsonArray;
    let pieces: Vec<_> =
        events.iter().map(|event| encode(event, format.of_engine(), REQUEST_LIMIT)).collect();
    if array {
        let inside = pieces.join(&b","[..]);
        return ("application/json", [&b"["[..], &inside, b"]"].concat());
    }
    let mut lines = pieces.join(&b"\n"[..]);
    lines.push(b'\n');
    ("application/x-ndjson", lines)
}

fn answered(status: u16) -> Failure {
    let hint = match status {
        401 | 403 => "Check the secret and the name of its header.",
        404 | 405 => "Check the path of the address.",
        300..=399 => "Redirects are not followed; save the address where it leads to.",
        413 => "Let the collector take requests of a few megabytes.",
        429 => "The collector takes no more at the moment; it is tried again.",
        _ => "Look into the log of the collector.",
    };
    Failure::new(Step::Sent, format!("the collector answered with the status {status}"), hint)
}

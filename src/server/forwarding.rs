//! The way to servers that entries of a record are sent to, by the guard of outbound connections: each target has a purpose
//! of its own, one origin, and every attempt is in the log.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lectern_access::{Dial, DialError, ForwardNetwork, Post, PostError, TargetPlace};
use lectern_kernel::{Error, Result, Scope};
use lectern_ops::{SafeHttp, makes_sense};
use tokio::net::{TcpStream, UdpSocket, lookup_host};

use crate::network::host_name;
use crate::wiring::Origin;

/// For the whole of a request.
const POST_TIME: Duration = Duration::from_secs(30);

/// What `access` needs of the network.
pub(crate) struct ForwardFromHttp(pub SafeHttp);

fn purpose(target: &str) -> String {
    format!("audit {target}")
}

/// Origins of servers that speak no HTTP are written as if they did, since the guard knows no other.
fn origin(address: &str) -> Option<Origin> {
    if address.contains("://") { Origin::of(address) } else { Origin::of(&format!("http://{address}")) }
}

impl ForwardFromHttp {
    /// Allows the origin of a place, in place of the one before.
    fn open(&self, scope: &Scope, place: &TargetPlace) -> Result<Origin> {
        let origin = origin(&place.address).ok_or_else(|| Error::field("address", "is no address"))?;
        // Servers that speak no HTTP are asked for their certificate by the engine, which knows the authorities.
        let authorities = place.authorities.as_deref().filter(|_| origin.is_https());
        self.0.allow_trusting(scope, &purpose(&place.target), &origin.url(), authorities)?;
        Ok(origin)
    }
}

#[async_trait]
impl ForwardNetwork for ForwardFromHttp {
    fn check(&self, address: &str) -> Result<(), String> {
        let origin = origin(address).ok_or("is not an address")?;
        match origin.host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(literal) if !makes_sense(literal) => Err("is not the address of one machine".to_owned()),
            _ => self.0.check_address(&origin.url()).map_err(str::to_owned),
        }
    }

    fn host(&self) -> String {
        host_name().unwrap_or_default()
    }

    fn dial(&self, scope: &Scope, place: &TargetPlace) -> Result<Arc<dyn Dial>> {
        let origin = self.open(scope, place)?;
        let purpose = purpose(&place.target);
        Ok(Arc::new(Reach { http: self.0.clone(), scope: scope.clone(), origin, purpose }))
    }

    async fn post(&self, scope: &Scope, place: &TargetPlace, post: Post) -> Result<u16, PostError> {
        let denied = |error: Error| PostError::Denied(error.detail);
        self.open(scope, place).map_err(denied)?;
        let client = self.0.client_for(scope, &purpose(&place.target), &place.address).map_err(denied)?;
        let mut request = client.post(&place.address).header("content-type", post.content_type);
        if let Some((name, value)) = &post.header {
            request = request.header(name, value.as_str());
        }
        let answer = request.timeout(POST_TIME).body(post.body).send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| {
            let why = innermost(&error);
            if error.is_connect() { PostError::NoConnection(why) } else { PostError::NoAnswer(why) }
        })
    }

    fn withdraw(&self, scope: &Scope, target: &str) {
        self.0.withdraw(scope, &purpose(target));
    }
}

/// What lies under an error of a request: those above it only say that there was one, and may name the address with what
/// is secret in it.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", POST_TIME.as_secs());
    }
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut text = None;
    while let Some(inner) = source {
        text = Some(inner.to_string());
        source = inner.source();
    }
    text.unwrap_or_else(|| "the request failed".to_owned())
}

/// Where one target may be reached.
struct Reach {
    http: SafeHttp,
    scope: Scope,
    origin: Origin,
    purpose: String,
}

impl Reach {
    /// Addresses of the host, once it is checked and noted that there may be a connection.
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let host_text = if host.contains(':') { format!("[{host}]") } else { host.to_lowercase() };
        if (&host_text, port) != (&self.origin.host, self.origin.port) {
            return Err(DialError::Denied("this is not the address that was saved".to_owned()));
        }
        let allowed = self.http.admit(&self.scope, &self.purpose, &self.origin.url());
        allowed.map_err(|error| DialError::Denied(error.detail))?;
        let unknown = |_| DialError::Unresolved(format!("the name '{host}' is not known here"));
        let found = lookup_host((host, port)).await.map_err(unknown)?;
        let usable: Vec<SocketAddr> = found.filter(|address| makes_sense(address.ip())).collect();
        if usable.is_empty() {
            let why = format!("'{host}' leads to an address that must not be connected to");
            return Err(DialError::Unresolved(why));
        }
        Ok(usable)
    }
}

#[async_trait]
impl Dial for Reach {
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        Ok(TcpStream::connect(self.resolve(host, port).await?.as_slice()).await?)
    }

    async fn datagrams(&self, host: &str, port: u16) -> Result<UdpSocket, DialError> {
        let found = self.resolve(host, port).await?;
        let own: SocketAddr = if found[0].is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(own).await?;
        socket.connect(found[0]).await?;
        Ok(socket)
    }
}

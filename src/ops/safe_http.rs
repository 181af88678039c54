//! The one outbound HTTP client: denies by default, logs every attempt, goes nowhere but where it was allowed to.
//!
//! No proxy of the environment, no redirects, no other host than the allowed one, at connection level too.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use lectern_kernel::{Code, Error, Result, Scope, TenantId};
use lectern_store::Stores;
use parking_lot::Mutex;
use reqwest::{Certificate, Client, Proxy, Url, redirect};
use tokio::net::TcpStream;

use crate::egress::{EgressEntry, EgressLog};
use crate::guard::{Grants, OneHost, Origin, literal, makes_sense, parse_url};

const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Longest silence on a connection; callers have shorter limits of their own.
const SILENCE: Duration = Duration::from_mins(15);
const IDLE_CONNECTION: Duration = Duration::from_secs(30);
/// How long attempts are kept in the database.
const KEPT: Duration = Duration::from_hours(90 * 24);
const MOST_CLIENTS: usize = 64;
/// A name that the resolver refuses: where connections to other places than the allowed one end.
const NOWHERE: &str = "http://denied.invalid";
/// Where Debian, Red Hat, SUSE and Alpine keep the authorities that the machine trusts, the site's own among them.
const AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What one client is for.
type ClientKey = (TenantId, String, Origin);

/// Opens outbound connections, if anybody may; clones share everything.
#[derive(Clone)]
pub struct SafeHttp {
    inner: Arc<Inner>,
}

struct Inner {
    grants: Arc<Grants>,
    log: EgressLog,
    clients: Mutex<HashMap<ClientKey, Client>>,
}

/// An answer that was read whole.
#[derive(Debug)]
pub struct Fetched {
    pub status: u16,
    pub body: Bytes,
    /// Time to the end of the body.
    pub latency: Duration,
}

/// Why a request that was allowed gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Refused(Error),
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error(transparent)]
    Denied(Error),
    #[error(transparent)]
    Failed(std::io::Error),
}

impl SafeHttp {
    pub fn new(stores: &Stores) -> Self {
        let log = EgressLog::new(stores.control().clone());
        Self { inner: Arc::new(Inner { grants: Arc::default(), log, clients: Mutex::default() }) }
    }

    /// Lets the tenant connect to the origin of `url` for this purpose, in place of the one before. To be called
    /// only with what an administrator saved.
    pub fn allow(&self, scope: &Scope, purpose: &str, url: &str) -> Result<()> {
        self.allow_trusting(scope, purpose, url, None)
    }

    /// The same, for a server whose certificate one of these authorities (PEM) signed; for this purpose only, and in
    /// place of all that are trusted otherwise.
    pub fn allow_trusting(
        &self,
        scope: &Scope,
        purpose: &str,
        url: &str,
        authorities: Option<&str>,
    ) -> Result<()> {
        let url = parse_url(url).map_err(|why| Error::field("url", why))?;
        let origin = Origin::of(&url).ok_or_else(|| Error::field("url", "has no host"))?;
        if let Some(pem) = authorities {
            authorities_of(pem)?;
        }
        if self.inner.grants.allow(scope.tenant(), purpose, origin, authorities) {
            self.forget_clients(scope.tenant(), purpose);
        }
        Ok(())
    }

    /// Checks and logs a connection that is opened elsewhere; `url` tells where it goes.
    pub fn admit(&self, scope: &Scope, purpose: &str, url: &str) -> Result<()> {
        self.attempt(scope, purpose, "CONNECT", url).map(drop)
    }

    /// What is wrong with an address, before it is allowed.
    pub fn check_address(&self, url: &str) -> Result<(), &'static str> {
        parse_url(url).map(|_| ())
    }

    fn forget_clients(&self, tenant: &TenantId, purpose: &str) {
        self.inner.clients.lock().retain(|(of, p, _), _| of != tenant || p != purpose);
    }

    /// A plain connection, for protocols that are not HTTP, to an origin that was allowed as `http://HOST:PORT`.
    pub async fn dial(
        &self,
        scope: &Scope,
        purpose: &str,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, DialError> {
        let shown = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let url = format!("http://{shown}:{port}");
        self.attempt(scope, purpose, "CONNECT", &url).map_err(DialError::Denied)?;
        let found = tokio::net::lookup_host((host, port)).await.map_err(DialError::Failed)?;
        let usable: Vec<SocketAddr> = found.filter(|address| makes_sense(address.ip())).collect();
        if usable.is_empty() {
            let detail = "The name leads to no address of one machine.";
            return Err(DialError::Denied(Error::new(Code::EgressDenied, detail)));
        }
        let connecting = TcpStream::connect(usable.as_slice());
        match tokio::time::timeout(CONNECT_TIME, connecting).await {
            Ok(connected) => connected.map_err(DialError::Failed),
            Err(_) => Err(DialError::Failed(std::io::ErrorKind::TimedOut.into())),
        }
    }

    /// Takes the permission back; open connections end when they fall idle, new ones are refused.
    pub fn withdraw(&self, scope: &Scope, purpose: &str) {
        self.inner.grants.withdraw(scope.tenant(), purpose);
        self.forget_clients(scope.tenant(), purpose);
    }

    /// A client that reaches the origin of `url` and nothing else. To be asked for before each call: that is what
    /// checks and logs it.
    pub fn client_for(&self, scope: &Scope, purpose: &str, url: &str) -> Result<Client> {
        let (_, client) = self.begin(scope, purpose, "CONNECT", url)?;
        Ok(client)
    }

    /// One bounded GET.
    pub(crate) async fn get(
        &self,
        scope: &Scope,
        purpose: &str,
        url: &str,
        (time, size): (Duration, usize),
    ) -> Result<Fetched, FetchError> {
        let (entry, client) = self.begin(scope, purpose, "GET", url).map_err(FetchError::Refused)?;
        let work = self.read(&client, url, &entry, size);
        tokio::time::timeout(time, work).await.map_err(|_| FetchError::Timeout(time))?
    }

    async fn read(
        &self,
        client: &Client,
        url: &str,
        entry: &EgressEntry,
        size: usize,
    ) -> Result<Fetched, FetchError> {
        let started = Instant::now();
        let response = client.get(url).send().await?;
        let status = response.status().as_u16();
        self.inner.log.finish(entry, status);
        let (mut stream, mut body) = (response.bytes_stream(), BytesMut::new());
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            if body.len() + chunk.len() > size {
                return Err(FetchError::TooLarge(size));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { status, body: body.freeze(), latency: started.elapsed() })
    }

    /// Checks and logs one attempt.
    fn begin(&self, scope: &Scope, purpose: &str, method: &str, url: &str) -> Result<(EgressEntry, Client)> {
        let (entry, origin) = self.attempt(scope, purpose, method, url)?;
        Ok((entry, self.client(scope, purpose, origin)?))
    }

    fn attempt(
        &self,
        scope: &Scope,
        purpose: &str,
        method: &str,
        url: &str,
    ) -> Result<(EgressEntry, Origin)> {
        let mut entry = self.inner.log.entry(scope.tenant(), purpose, method, &shown(url));
        let origin = self.check(scope, purpose, url).inspect_err(|_| self.inner.log.note(entry.clone()))?;
        entry.allowed = true;
        self.inner.log.note(entry.clone());
        Ok((entry, origin))
    }

    fn check(&self, scope: &Scope, purpose: &str, url: &str) -> Result<Origin> {
        let parsed = Url::parse(url).ok().filter(|u| literal(u).is_none_or(makes_sense));
        parsed
            .and_then(|u| Origin::of(&u))
            .filter(|origin| self.inner.grants.holds(scope.tenant(), purpose, origin))
            .ok_or_else(|| {
                Error::new(Code::EgressDenied, "No administrator allowed a connection to this address.")
                    .hint("Save the address on the settings page first.")
            })
    }

    fn client(&self, scope: &Scope, purpose: &str, origin: Origin) -> Result<Client> {
        let key = (scope.tenant().clone(), purpose.to_owned(), origin);
        let mut clients = self.inner.clients.lock();
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        let client = self.build(&key)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place that makes HTTP clients")]
    fn build(&self, key: &ClientKey) -> Result<Client> {
        let (tenant, purpose, origin) = key;
        let mut builder = Client::builder()
            .no_proxy()
            .proxy(self.gate(key))
            .redirect(redirect::Policy::none())
            .referer(false)
            .dns_resolver(Arc::new(OneHost(origin.host().into())))
            .connect_timeout(CONNECT_TIME)
            .read_timeout(SILENCE)
            .pool_idle_timeout(IDLE_CONNECTION)
            .user_agent(concat!("Lectern/", env!("CARGO_PKG_VERSION")));
        if origin.is_https() {
            let own = self.inner.grants.authorities(tenant, purpose);
            builder = builder.tls_built_in_root_certs(own.is_none());
            let trusted = own.map_or_else(|| Ok(machine_authorities()), |pem| authorities_of(&pem))?;
            for authority in trusted {
                builder = builder.add_root_certificate(authority);
            }
        }
        builder.build().map_err(Error::internal)
    }

    /// Asked before every new connection of a client: what is not, or no longer, allowed goes nowhere.
    fn gate(&self, (tenant, purpose, origin): &ClientKey) -> Proxy {
        let (tenant, purpose, origin) = (tenant.clone(), purpose.clone(), origin.clone());
        let (grants, log) = (self.inner.grants.clone(), self.inner.log.clone());
        Proxy::custom(move |url| {
            if Origin::of(url).as_ref() == Some(&origin) && grants.holds(&tenant, &purpose, &origin) {
                return None;
            }
            log.note(log.entry(&tenant, &purpose, "CONNECT", &shown(url.as_str())));
            Some(NOWHERE)
        })
    }

    /// The tenant's latest attempts, newest first.
    pub fn recent(&self, scope: &Scope) -> Vec<EgressEntry> {
        self.inner.log.recent(scope.tenant())
    }

    /// Brings the log back into memory; to be called once at start.
    pub async fn load_log(&self) -> Result<()> {
        Ok(self.inner.log.load().await?)
    }

    /// Forgets old entries of the log; to be called once a day or oftener.
    pub async fn sweep(&self, now: lectern_kernel::Timestamp) -> Result<usize> {
        Ok(self.inner.log.trim(now.minus(KEPT)).await?)
    }
}

/// The address without what may be secret in it.
fn shown(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return "(not an address)".to_owned() };
    // Both fail only for addresses that cannot have them.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.into()
}

/// Authorities that an administrator saved.
fn authorities_of(pem: &str) -> Result<Vec<Certificate>> {
    let found = Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
    if found.is_empty() {
        return Err(Error::field("ca_pem", "holds no certificate in PEM"));
    }
    Ok(found)
}

/// What the machine trusts, beside the public authorities built in.
fn machine_authorities() -> Vec<Certificate> {
    let pem = AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
    Certificate::from_pem_bundle(&pem).unwrap_or_else(|error| {
        tracing::warn!(%error, "the machine's certificate authorities cannot be read");
        Vec::new()
    })
}

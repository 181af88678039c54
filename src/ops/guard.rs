//! What may be connected to: exact origins that an administrator named, at addresses that make sense.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use lectern_kernel::TenantId;
use parking_lot::RwLock;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

const LONGEST_URL: usize = 2000;

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    pub fn of(url: &Url) -> Option<Self> {
        let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        Some(Self { scheme: url.scheme().to_owned(), host, port })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }
}

/// Reads an address that somebody typed; the error is what is wrong with it.
pub(crate) fn parse_url(text: &str) -> Result<Url, &'static str> {
    const EXAMPLE: &str = "must begin with http:// or https://, as in http://127.0.0.1:11434";
    if text.len() > LONGEST_URL {
        return Err("is too long");
    }
    let url = Url::parse(text.trim()).map_err(|_| EXAMPLE)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(EXAMPLE);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not contain ? or #");
    }
    match literal(&url) {
        Some(address) if !makes_sense(address) => Err("is not the address of one machine"),
        _ => Ok(url),
    }
}

/// The address of a URL that has no name.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Not for connecting: nobody's address, groups, and link-local ones, where clouds keep their secrets. Private
/// and loopback addresses are the normal case of a site.
pub fn makes_sense(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(address.is_unspecified() || address.is_multicast() || link_local)
}

type Holder = (TenantId, String);

/// Where a purpose may go, and whom alone it trusts there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    origin: Origin,
    /// PEM.
    authorities: Option<Arc<str>>,
}

/// One origin a tenant and purpose.
#[derive(Default)]
pub(crate) struct Grants(RwLock<HashMap<Holder, Grant>>);

impl Grants {
    /// Whether it is another one than before.
    pub fn allow(&self, tenant: &TenantId, purpose: &str, origin: Origin, authorities: Option<&str>) -> bool {
        let grant = Grant { origin, authorities: authorities.map(Arc::from) };
        let before = self.0.write().insert((tenant.clone(), purpose.to_owned()), grant.clone());
        before.is_none_or(|before| before != grant)
    }

    pub fn withdraw(&self, tenant: &TenantId, purpose: &str) {
        self.0.write().remove(&(tenant.clone(), purpose.to_owned()));
    }

    pub fn holds(&self, tenant: &TenantId, purpose: &str, origin: &Origin) -> bool {
        let grants = self.0.read();
        grants.get(&(tenant.clone(), purpose.to_owned())).is_some_and(|grant| grant.origin == *origin)
    }

    pub fn authorities(&self, tenant: &TenantId, purpose: &str) -> Option<Arc<str>> {
        self.0.read().get(&(tenant.clone(), purpose.to_owned()))?.authorities.clone()
    }
}

/// Why a name was not resolved; found again in the error of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("the name '{0}' is not known here")]
    Unknown(String),
    #[error("'{0}' is not the host that was allowed")]
    Denied(String),
    #[error("'{0}' leads to an address that must not be connected to")]
    Address(String),
}

/// Resolves one host and no other.
pub(crate) struct OneHost(pub Arc<str>);

impl Resolve for OneHost {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, allowed) = (name.as_str().to_owned(), self.0.clone());
        Box::pin(async move {
            if !name.eq_ignore_ascii_case(&allowed) {
                return Err(ResolveError::Denied(name).into());
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.map_err(|_| ResolveError::Unknown(name.clone()))?.collect();
            if found.is_empty() {
                return Err(ResolveError::Unknown(name).into());
            }
            let usable: Vec<SocketAddr> = found.into_iter().filter(|a| makes_sense(a.ip())).collect();
            if usable.is_empty() {
                return Err(ResolveError::Address(name).into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        for good in
            ["http://127.0.0.1:11434", "https://ollama.site/base/", "http://[::1]:1", "http://10.0.0.8"]
        {
            parse_url(good).expect(good);
        }
        let bad = [
            "",
            "localhost:11434",
            "ftp://a",
            "file:///etc/passwd",
            "http://",
            "http://u:p@a",
            "http://a/?q",
            "http://a/#f",
            "http://0.0.0.0",
            "http://169.254.169.254/latest",
            "http://[fe80::1]",
            "http://[::]",
            "http://224.0.0.1",
            "http://[::ffff:169.254.1.1]",
            "http://0x7f000001.:99999",
            "http://2852039166/",
        ];
        for bad in bad {
            assert!(parse_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_grant_is_for_one_tenant_purpose_and_origin() {
        let (grants, main) = (Grants::default(), TenantId::main());
        let origin = |text: &str| Origin::of(&parse_url(text).expect("url")).expect("origin");
        grants.allow(&main, "ollama", origin("http://a:80"), None);
        assert!(grants.holds(&main, "ollama", &origin("http://a/api")));
        for other in ["http://a:81", "https://a", "http://b"] {
            assert!(!grants.holds(&main, "ollama", &origin(other)), "{other}");
        }
        assert!(!grants.holds(&main, "webhook", &origin("http://a")));
        assert!(!grants.holds(&"other".parse().expect("tenant"), "ollama", &origin("http://a")));
        grants.withdraw(&main, "ollama");
        assert!(!grants.holds(&main, "ollama", &origin("http://a")));
    }
}

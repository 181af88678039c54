//! Which addresses may be asked at all. What a provider's metadata says is foreign text: without these rules it could
//! send this server's requests anywhere.

use std::net::{Ipv4Addr, Ipv6Addr};

use openidconnect::url::{Host, Url};

/// An absolute https address; http only to this machine and only when allowed. The error ends the sentence "the
/// address …".
pub(crate) fn checked(address: &str, allow_http: bool) -> Result<Url, &'static str> {
    let url = Url::parse(address).map_err(|_| "is not a web address")?;
    let host = url.host().ok_or("names no host")?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http && is_this_machine(&host) => {}
        _ => return Err("does not begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries a user name");
    }
    if url.fragment().is_some() {
        return Err("has a part after '#'");
    }
    if is_no_server(&host) {
        return Err("is one that no sign-in service has");
    }
    Ok(url)
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// Link-local addresses carry a cloud's machine credentials (169.254.169.254); the rest are no single host.
fn is_no_server(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(ip) => is_no_server_v4(*ip),
        Host::Ipv6(ip) => is_no_server_v6(*ip),
    }
}

fn is_no_server_v4(ip: Ipv4Addr) -> bool {
    ip.is_link_local() || ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast()
}

fn is_no_server_v6(ip: Ipv6Addr) -> bool {
    let mapped = ip.to_ipv4_mapped().is_some_and(is_no_server_v4);
    mapped || ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local()
}

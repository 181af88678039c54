//! Names and addresses the server can be reached by.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use lectern_config::Server;

/// Names for the made certificate: localhost, the machine's name and address, and those of the configuration.
pub fn names(server: &Server) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Some(host) = host_name() {
        names.push(host);
    }
    if !server.listen.ip().is_unspecified() {
        names.push(server.listen.ip().to_string());
    } else if let Some(address) = own_address() {
        names.push(address.to_string());
    }
    names.extend(server.tls_names.iter().cloned());
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

pub(crate) fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_ascii_lowercase();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}

/// The address a packet to elsewhere would carry; connecting a UDP socket sends nothing.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

/// The address to type into a browser.
pub fn url(bound: SocketAddr, insecure: bool) -> String {
    let scheme = if insecure { "http" } else { "https" };
    let host = match bound.ip() {
        ip if ip.is_unspecified() => own_address().unwrap_or(IpAddr::from([127, 0, 0, 1])),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(host, bound.port()))
}

/// The address for programs on the same machine.
pub fn local_url(bound: SocketAddr, insecure: bool) -> String {
    let scheme = if insecure { "http" } else { "https" };
    let host = if bound.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { bound.ip() };
    format!("{scheme}://{}", SocketAddr::new(host, bound.port()))
}

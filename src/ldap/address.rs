//! Addresses of directory servers: the part of LDAP URLs (RFC 4516) that says where to connect.

use std::fmt;
use std::net::Ipv6Addr;

/// A server's host, port and whether TLS begins with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Address {
    /// Reads `ldap://host[:port][/]` and `ldaps://…`; anything else of an LDAP URL has its own setting.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("an address begins with ldap:// or ldaps://")?;
        let (tls, usual) = match scheme.to_ascii_lowercase().as_str() {
            "ldap" => (false, 389),
            "ldaps" => (true, 636),
            _ => return Err("an address begins with ldap:// or ldaps://"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest)?;
        let port = match port {
            None => usual,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => return Err("a port is a number from 1 to 65535"),
                Ok(port) => port,
            },
        };
        Ok(Self { host, port, tls })
    }
}

/// The host, an IPv6 address without its brackets, and the text after the colon.
fn split_port(text: &str) -> Result<(String, Option<&str>), &'static str> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or("an IPv6 address ends with ']'")?;
        let host: Ipv6Addr = host.parse().map_err(|_| "this is not an IPv6 address")?;
        return match port {
            "" => Ok((host.to_string(), None)),
            _ => {
                Ok((host.to_string(), Some(port.strip_prefix(':').ok_or("after ']' comes ':' and a port")?)))
            }
        };
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
        return Err("an address is only ldap:// or ldaps://, a host name and, if needed, ':' and a port");
    }
    Ok((host.to_owned(), port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "ldaps" } else { "ldap" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

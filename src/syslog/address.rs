//! Where a server listens: a host, and a port that the way there has a usual one for.

use std::fmt;
use std::net::Ipv6Addr;

const SHAPE: &str = "must be a host and a port, as in syslog.example.org:6514 or [2001:db8::1]:6514";

/// A server's host, an IPv6 address without its brackets, and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Reads `host[:port]`; `usual` stands for a port that is not there.
    pub fn parse(text: &str, usual: u16) -> Result<Self, &'static str> {
        let (host, port) = split(text.trim())?;
        let port = match port {
            None => usual,
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => match text.parse() {
                Ok(0) | Err(_) => return Err("has no port from 1 to 65535"),
                Ok(port) => port,
            },
            Some(_) => return Err(SHAPE),
        };
        Ok(Self { host, port })
    }
}

fn split(text: &str) -> Result<(String, Option<&str>), &'static str> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or(SHAPE)?;
        let host: Ipv6Addr = host.parse().map_err(|_| "has no IPv6 address between its brackets")?;
        return match port {
            "" => Ok((host.to_string(), None)),
            _ => Ok((host.to_string(), Some(port.strip_prefix(':').ok_or(SHAPE)?))),
        };
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
        return Err(SHAPE);
    }
    Ok((host.to_ascii_lowercase(), port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}", self.host, self.port)
    }
}

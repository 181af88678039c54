//! The site that passkeys are bound to: its host name and the origins that its pages come from.

use std::net::IpAddr;

use webauthn_rs::WebauthnBuilder;
use webauthn_rs::prelude::{Url, Webauthn};

use crate::error::{FactorError, Result};

/// How long a person may take, from the options to the answer, in milliseconds. WebAuthn level 3, section 15.1,
/// recommends five minutes.
pub(crate) const TIME: i64 = 5 * 60 * 1000;

/// Registers passkeys and checks them, for one host name. Cheap to make; holds no state of a person.
pub struct Passkeys {
    pub(crate) webauthn: Webauthn,
}

impl Passkeys {
    /// `rp_id` is the host name that passkeys are bound to for good: when it changes, all of them are lost. `rp_name` is
    /// shown by authenticators. `origins` are those of the pages, such as `https://lectern.example.org:8443`: on the
    /// host itself or below it, HTTPS (plain HTTP only on localhost).
    pub fn new<S: AsRef<str>>(rp_id: &str, rp_name: &str, origins: &[S]) -> Result<Self> {
        let rp_id = host_name(rp_id)?;
        let origins = origins.iter().map(|o| origin(o.as_ref(), &rp_id)).collect::<Result<Vec<_>>>()?;
        let first = origins.first().ok_or_else(|| FactorError::Origin {
            origin: rp_id.clone(),
            reason: "no page's address is given",
        })?;
        let name = if rp_name.trim().is_empty() { rp_id.as_str() } else { rp_name.trim() };
        let mut builder = WebauthnBuilder::new(&rp_id, first)?.rp_name(name);
        for origin in &origins[1..] {
            builder = builder.append_allowed_origin(origin);
        }
        Ok(Self { webauthn: builder.build()? })
    }
}

/// Whether a state made at `created_at` is still good.
pub(crate) fn in_time(created_at: i64, now: i64) -> Result<()> {
    match now.checked_sub(created_at) {
        Some(0..=TIME) => Ok(()),
        _ => Err(FactorError::Expired),
    }
}

fn host_name(given: &str) -> Result<String> {
    let name = given.trim().to_lowercase();
    if name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(FactorError::IpAddress(name));
    }
    // The parser also knows addresses that are written in other ways, such as 127.1 or 0x7f000001.
    let url = Url::parse(&format!("https://{name}/")).map_err(|_| FactorError::HostName(name.clone()))?;
    match url.domain() {
        None if url.host_str().is_some_and(|h| h.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()) => {
            Err(FactorError::IpAddress(name))
        }
        Some(domain) if domain == name && url.path() == "/" => Ok(name),
        _ => Err(FactorError::HostName(name)),
    }
}

fn origin(given: &str, rp_id: &str) -> Result<Url> {
    let wrong = |reason| FactorError::Origin { origin: given.to_owned(), reason };
    let url = Url::parse(given.trim()).map_err(|_| wrong("this is not an address"))?;
    let Some(domain) = url.domain() else {
        return Err(url
            .host_str()
            .map_or_else(|| wrong("it has no host name"), |host| FactorError::IpAddress(host.to_owned())));
    };
    let local = domain == "localhost" || domain.ends_with(".localhost");
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err(wrong("browsers give passkeys to HTTPS only"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("only scheme, host and port belong in it"));
    }
    let below = domain.strip_suffix(rp_id).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if below { Ok(url) } else { Err(wrong("it is not on the host that passkeys are bound to")) }
}

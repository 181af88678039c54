//! The name of this authorization server: the beginning of all its addresses, and `iss` in its answers (RFC 9207).
//!
//! A client sends codes and secrets to the addresses that this name begins. So it must not follow from what a request
//! says of itself alone: a forged `Host` would be repeated by a cache in front to everybody, and would make `iss`
//! worthless against mix-up. Either the name is configured, or the host is one of those that the appliance knows as
//! its own; `X-Forwarded-Host` and `X-Forwarded-Proto` are not looked at, because anybody can send them.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use lectern_kernel::{Code, Error, Result};
use url::Url;

/// How the name is found.
#[derive(Debug, Clone)]
pub enum Issuer {
    /// Configured, as in `https://lectern.example.org`.
    Fixed(String),
    /// The host that a request was sent to, if it is one of these names or addresses; any port.
    Own { https: bool, names: Vec<String> },
}

impl Issuer {
    /// From the configuration: `https`, a host, perhaps a port, and nothing behind it.
    pub fn configured(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be as https://lectern.example.org, without a path";
        let url = Url::parse(text).map_err(|_| WRONG)?;
        let origin = url.origin().ascii_serialization();
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        if scheme && (text == origin || text == format!("{origin}/")) {
            return Ok(Self::Fixed(origin));
        }
        Err(WRONG)
    }

    /// The name for this request.
    pub(crate) fn of(&self, request: &HttpRequest) -> Result<String> {
        match self {
            Self::Fixed(name) => Ok(name.clone()),
            Self::Own { https, names } => {
                let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
                let host = host
                    .or_else(|| request.uri().authority().map(actix_web::http::uri::Authority::as_str))
                    .unwrap_or_default();
                origin(*https, host, names).ok_or_else(unknown)
            }
        }
    }
}

/// Scheme, host and port as browsers write them, when the host is one of our names.
fn origin(https: bool, host: &str, names: &[String]) -> Option<String> {
    let scheme = if https { "https" } else { "http" };
    let url = Url::parse(&format!("{scheme}://{host}/")).ok()?;
    let found = url.host_str()?;
    let same = |name: &String| {
        name.eq_ignore_ascii_case(found) || (name.contains(':') && found == format!("[{name}]"))
    };
    let plain = url.path() == "/" && url.username().is_empty() && url.password().is_none();
    let plain = plain && url.query().is_none() && url.fragment().is_none() && !host.contains('/');
    (plain && names.iter().any(same)).then(|| url.origin().ascii_serialization())
}

fn unknown() -> Error {
    Error::new(Code::InvalidRequest, "The appliance does not know the name that it was called by.")
        .hint("An operator can set `oauth.issuer`, or add the name to `server.tls_names`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_host_gives_no_name() {
        let names = ["lectern.site".to_owned(), "10.0.0.5".to_owned(), "::1".to_owned()];
        let found = |host: &str| origin(true, host, &names);
        assert_eq!(found("lectern.site").as_deref(), Some("https://lectern.site"));
        assert_eq!(found("Lectern.Site:8443").as_deref(), Some("https://lectern.site:8443"));
        assert_eq!(found("lectern.site:443").as_deref(), Some("https://lectern.site"));
        assert_eq!(found("[::1]:8443").as_deref(), Some("https://[::1]:8443"));
        assert_eq!(origin(false, "10.0.0.5:80", &names).as_deref(), Some("http://10.0.0.5"));
        for bad in [
            "",
            "evil.example",
            "lectern.site.evil.example",
            "lectern.site@evil.example",
            "evil.example@lectern.site",
            "evil.example/lectern.site",
            "lectern.site/x",
            "lectern.site?x",
            "lectern.site#x",
            "lectern.site.",
            "lectern.site:x",
            "lectern.site\\@evil.example",
        ] {
            assert_eq!(found(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_configured_name_is_an_origin() {
        for good in ["https://lectern.example.org", "https://lectern.example.org:8443/", "http://127.0.0.1:1"]
        {
            assert!(Issuer::configured(good).is_ok(), "{good}");
        }
        for bad in
            ["", "lectern", "http://lectern.example.org", "https://a.b/x", "https://u@a.b", "https://a.b?x"]
        {
            assert!(Issuer::configured(bad).is_err(), "{bad}");
        }
    }
}

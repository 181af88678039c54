//! Where a browser may be sent back to: which addresses can be registered, which one fits, and what is added to it.
//!
//! Compared letter by letter (OAuth 2.1, section 2.3.1); only the port of a loopback address is free (RFC 8252,
//! section 7.3). What is registered is in the form that browsers give it, so that no two readings of it differ.

use url::Url;

const LONGEST: usize = 1000;

/// What is wrong with an address that is to be registered.
pub(crate) fn complaint(uri: &str) -> Option<String> {
    if uri.len() > LONGEST {
        return Some("must have at most 1,000 characters".to_owned());
    }
    let Ok(url) = Url::parse(uri) else {
        return Some("must be a whole address, as in https://app.example.org/back".to_owned());
    };
    if url.as_str() != uri {
        return Some(format!("must be written as '{url}'"));
    }
    if url.fragment().is_some() {
        return Some("must have no part behind '#'".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || uri.contains('*') {
        return Some("must have neither a user's name nor '*'".to_owned());
    }
    match url.scheme() {
        "https" => url
            .host_str()
            .is_some_and(|host| host.ends_with('.'))
            .then(|| "must have a host without a dot at its end".to_owned()),
        "http" => (!is_loopback(&url)).then(|| {
            "must be https; http only as http://127.0.0.1/… or http://[::1]/…, on any port".to_owned()
        }),
        scheme if scheme.contains('.') => None,
        _ => Some("must be https, or a scheme with a dot as in org.example.app:/back".to_owned()),
    }
}

/// Names are left out: `localhost` can be made to point elsewhere (RFC 8252, section 8.3).
fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]"))
}

/// Whether the address that is asked for is the registered one.
pub(crate) fn fits(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    match (without_port(registered), without_port(asked)) {
        (Some(registered), Some(asked)) => registered == asked,
        _ => false,
    }
}

/// A loopback address without its port; none for all others, and for one that browsers would write in another way.
fn without_port(uri: &str) -> Option<Url> {
    let mut url = Url::parse(uri).ok().filter(|url| url.as_str() == uri)?;
    let plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
    if !plain || !is_loopback(&url) || url.fragment().is_some() {
        return None;
    }
    url.set_port(None).ok()?;
    Some(url)
}

/// Whether another program on the person's machine could answer at the address too, as it is no site of anybody's:
/// then a person is asked each time (RFC 8252, section 8.6).
pub(crate) fn is_shared(uri: &str) -> bool {
    !uri.starts_with("https://")
}

/// The address with these parameters behind those it has.
pub(crate) fn with(uri: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let Ok(mut url) = Url::parse(uri) else { return uri.to_owned() };
    let given = parameters.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    url.query_pairs_mut().extend_pairs(given);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_registered() {
        for good in [
            "https://app.example.org/back",
            "https://app.example.org/back?tenant=1",
            "https://app.example.org:8443/",
            "http://127.0.0.1/back",
            "http://127.0.0.1:8080/back",
            "http://[::1]/back",
            "org.example.app:/back",
            "org.example.app://back/x",
        ] {
            assert_eq!(complaint(good), None, "{good}");
        }
        for bad in [
            "",
            "/back",
            "https://app.example.org",
            "https://APP.example.org/",
            "https://app.example.org:443/",
            "https://app.example.org/a/../b",
            "https://app.example.org/#x",
            "https://app.example.org/#",
            "https://user@app.example.org/",
            "https://user:x@app.example.org/",
            "https://app.example.org./",
            "https://*.example.org/",
            "http://app.example.org/",
            "http://localhost/back",
            "http://127.0.0.2/",
            "http://127.1/",
            "http://2130706433/",
            "javascript:alert(1)",
            "data:text/html,x",
            "app:/back",
            "file:///etc/passwd",
            "https://app.example.org/\n",
            " https://app.example.org/",
        ] {
            assert!(complaint(bad).is_some(), "{bad}");
        }
        assert!(complaint(&format!("https://a.example/{}", "x".repeat(1000))).is_some());
    }

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        let fixed = "https://app.example.org/back";
        assert!(fits(fixed, fixed));
        for bad in [
            "https://app.example.org:8443/back",
            "https://app.example.org:443/back",
            "https://app.example.org/back/",
            "https://app.example.org/back/../x",
            "https://app.example.org/back?x=1",
            "https://app.example.org/back#x",
            "https://app.example.org/Back",
            "https://app.example.org/%62ack",
            "https://app.example.org./back",
            "https://app.example.org.evil.example/back",
            "https://app.example.org@evil.example/back",
            "https://evil.example/app.example.org/back",
            "http://app.example.org/back",
            "HTTPS://app.example.org/back",
        ] {
            assert!(!fits(fixed, bad), "{bad}");
        }
        let local = "http://127.0.0.1/back";
        assert!(fits(local, "http://127.0.0.1:49152/back"));
        assert!(fits("http://127.0.0.1:1/back", "http://127.0.0.1:2/back"));
        assert!(fits("http://[::1]/back", "http://[::1]:5/back"));
        for bad in [
            "http://[::1]:5/back",
            "https://127.0.0.1:5/back",
            "http://127.0.0.1:5/back/",
            "http://127.0.0.1:5/back?x",
            "http://127.0.0.1:5/back#",
            "http://x@127.0.0.1:5/back",
            "http://127.0.0.1:5@evil.example/back",
            "http://127.0.0.1.evil.example/back",
            "http://127.0.0.1:5/x/../back",
            "http://0x7f.1:5/back",
            "http://127.0.0.1:99999/back",
        ] {
            assert!(!fits(local, bad), "{bad}");
        }
    }

    #[test]
    fn parameters_are_encoded_and_go_behind_others() {
        let parameters = [("code", Some("a&b=c#d")), ("state", None), ("iss", Some("https://h"))];
        assert_eq!(
            with("https://a.example/?t=1", &parameters),
            "https://a.example/?t=1&code=a%26b%3Dc%23d&iss=https%3A%2F%2Fh"
        );
        assert_eq!(with("org.example:/b", &[("state", Some("x y"))]), "org.example:/b?state=x+y");
    }
}

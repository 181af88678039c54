//! For which addresses passkeys can be made.

use crate::{FactorError, Passkeys};

fn made(rp_id: &str, origins: &[&str]) -> Result<(), FactorError> {
    Passkeys::new(rp_id, "Lectern", origins).map(|_| ())
}

#[test]
fn a_host_and_what_is_below_it() {
    assert_eq!(made("lectern.example.org", &["https://lectern.example.org"]), Ok(()));
    assert_eq!(made("Lectern.Example.org", &["https://lectern.example.org:8443/"]), Ok(()));
    assert_eq!(made("example.org", &["https://example.org", "https://a.b.example.org"]), Ok(()));
    assert_eq!(made("lectern", &["https://lectern"]), Ok(()));
    assert_eq!(made("localhost", &["http://localhost:8080", "https://localhost"]), Ok(()));
}

#[test]
fn an_address_is_told_apart() {
    for address in ["192.168.1.10", "127.1", "0x7f000001", "::1", "[fe80::1]", "2001:db8::7"] {
        let error = made(address, &["https://lectern.example.org"]).expect_err(address);
        assert!(matches!(error, FactorError::IpAddress(_)), "{address}: {error}");
        assert!(error.hint().contains("host name") && error.hint().contains("localhost"));
    }
    let error =
        made("lectern.local", &["https://lectern.local", "https://10.0.0.7"]).expect_err("an address");
    assert_eq!(error.to_string(), "passkeys do not work on the IP address 10.0.0.7");
}

#[test]
fn what_is_no_host_name() {
    for name in ["", "https://a.org", "a.org:8443", "a.org/x", "a b", "user@a.org", "a.org?x", "a..%"] {
        assert!(matches!(made(name, &["https://a.org"]), Err(FactorError::HostName(_))), "{name}");
    }
}

#[test]
fn origins_that_browsers_refuse() {
    let cases = [
        "http://lectern.example.org",
        "https://example.org",
        "https://evil-lectern.example.org.attacker.net",
        "https://evillectern.example.org",
        "https://lectern.example.org/console",
        "https://lectern.example.org/?a=b",
        "https://user@lectern.example.org",
        "ftp://lectern.example.org",
        "mailto:a@lectern.example.org",
        "lectern.example.org",
        "",
    ];
    for origin in cases {
        let error = made("lectern.example.org", &[origin]).expect_err(origin);
        assert!(matches!(error, FactorError::Origin { .. }), "{origin}: {error}");
    }
    assert!(matches!(made("lectern.example.org", &[]), Err(FactorError::Origin { .. })));
}

//! Metadata and keys: what is refused, and when they are asked for again.

use serde_json::json;

use crate::tests_fake::{CLIENT, Fake, ISSUER, NOW, Signer, begin, sign_in};
use crate::{MAX_BODY, OidcError, ProviderConfig};

const METADATA: &str = "/.well-known/openid-configuration";
const HOUR: i64 = 3_600_000;

async fn refusal(fake: &std::sync::Arc<Fake>) -> OidcError {
    fake.provider().await.err().expect("must be refused")
}

#[tokio::test]
async fn another_issuer_is_refused_exactly() {
    for issuer in
        ["https://evil.example.org", "https://login.example.org/realm/", "HTTPS://login.example.org/realm"]
    {
        let fake = Fake::new();
        fake.set("issuer", json!(issuer));
        let error = refusal(&fake).await;
        assert!(matches!(error, OidcError::Misconfigured { field: "issuer", .. }), "{error:?}");
        assert!(error.hint().contains(issuer), "{}", error.hint());
        assert_eq!(fake.count("/keys"), 0);
    }
}

#[tokio::test]
async fn addresses_that_lead_elsewhere_are_never_asked() {
    let evil = [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
        "http://login.example.org/keys",
        "http://127.0.0.1/keys",
        "file:///etc/passwd",
        "gopher://login.example.org/",
        "https://user:password@login.example.org/",
    ];
    let fields =
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"];
    for (field, address) in fields.iter().flat_map(|f| evil.iter().map(move |e| (*f, *e))) {
        let fake = Fake::new();
        fake.set(field, json!(address));
        let error = refusal(&fake).await;
        assert!(error.hint().contains(field), "{field} {address}: {}", error.hint());
        assert_eq!(fake.0.lock().asked, [METADATA], "{field} {address}");
    }
}

#[tokio::test]
async fn broken_metadata_is_told() {
    let cases: [(u16, Vec<u8>, &str); 7] = [
        (200, b"{\"issuer\":".to_vec(), "cannot be read"),
        (200, b"{}".to_vec(), "missing field"),
        (200, b"<html>".to_vec(), "cannot be read"),
        (200, vec![b' '; MAX_BODY + 1], "larger"),
        (302, Vec::new(), "redirect"),
        (404, Vec::new(), "nothing at"),
        (503, Vec::new(), "status 503"),
    ];
    for (status, body, words) in cases {
        let fake = Fake::new();
        fake.answer(METADATA, status, body);
        let error = refusal(&fake).await;
        assert!(error.hint().contains(words), "{status}: {}", error.hint());
    }
    let fake = Fake::new();
    fake.0.lock().answers.insert(METADATA, Err("connection refused".to_owned()));
    let error = refusal(&fake).await;
    assert!(matches!(error, OidcError::ProviderUnavailable { .. }));
    assert!(error.hint().contains("connection refused"));
}

#[tokio::test]
async fn broken_keys_are_told() {
    let secret = Signer::Hs256(b"shared".to_vec()).jwk("one");
    let weak = Signer::rsa(1024, "RS256").jwk("one");
    let cases = [
        "{\"keys\":".to_owned(),
        "[]".to_owned(),
        json!({"keys": []}).to_string(),
        json!({"keys": [secret]}).to_string(),
        json!({"keys": [weak]}).to_string(),
        json!({"keys": [{"kty": "EC", "crv": 5}, "x"]}).to_string(),
    ];
    for body in cases {
        let fake = Fake::new();
        fake.answer("/keys", 200, body.clone());
        let found = fake.provider().await;
        let usable = match found {
            Err(error) => {
                assert!(error.hint().contains("keys"), "{body}: {}", error.hint());
                false
            }
            // Half a key may be kept, but it verifies nothing.
            Ok(provider) => sign_in(&fake, &provider).await.is_ok(),
        };
        assert!(!usable, "{body}");
    }
}

#[tokio::test]
async fn shared_secrets_and_no_signature_are_no_algorithms() {
    let fake = Fake::new();
    fake.set("id_token_signing_alg_values_supported", json!(["HS256", "HS512", "none", "XX1"]));
    assert!(refusal(&fake).await.hint().contains("algorithm"));
    let fake = Fake::new();
    fake.set("token_endpoint", json!(null));
    assert!(refusal(&fake).await.hint().contains("token_endpoint"));
}

#[tokio::test]
async fn wrong_settings_are_told_before_anything_is_asked() {
    let fake = Fake::new();
    let error =
        fake.provider_with(ProviderConfig::new("http://login.example.org", CLIENT)).await.err().unwrap();
    assert!(matches!(error, OidcError::Misconfigured { field: "issuer", .. }));
    assert!(fake.0.lock().asked.is_empty());
}

#[tokio::test]
async fn they_are_asked_for_again_after_an_hour() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    for (later, asked) in [(HOUR - 1, 1), (HOUR, 2), (HOUR + 60_000, 2), (3 * HOUR, 3)] {
        provider.current(NOW + later).await.unwrap();
        assert_eq!((fake.count(METADATA), fake.count("/keys")), (asked, asked), "{later}");
    }
}

#[tokio::test]
async fn a_silent_provider_is_given_a_day() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    fake.0.lock().answers.insert(METADATA, Err("no route".to_owned()));
    provider.current(NOW + 2 * HOUR).await.unwrap();
    provider.current(NOW + 2 * HOUR + 1).await.unwrap();
    assert_eq!(fake.count(METADATA), 2, "at most once a minute");
    let first = provider.current(NOW + 25 * HOUR).await.err().unwrap();
    assert!(first.hint().contains("no route"), "{}", first.hint());
    let second = provider.current(NOW + 25 * HOUR + 1).await.err().unwrap();
    assert!(matches!(second, OidcError::ProviderUnavailable { .. }));
    fake.0.lock().answers.clear();
    provider.current(NOW + 26 * HOUR).await.unwrap();
}

#[tokio::test]
async fn a_changed_key_is_found_at_once_and_a_forged_name_asks_once_a_minute() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let newer = Signer::es256();
    {
        let mut inner = fake.0.lock();
        inner.keys = vec![newer.jwk("two")];
        inner.signer = newer;
        inner.header = json!({"kid": "two"});
    }
    sign_in(&fake, &provider).await.unwrap();
    assert_eq!(fake.count("/keys"), 2);

    fake.0.lock().header = json!({"kid": "three"});
    for (later, asked) in [(0, 2), (30_000, 2), (60_000, 3)] {
        let (pending, callback) = begin(&fake, &provider);
        let found =
            provider.finish(pending, callback, Some(crate::tests_fake::SECRET), NOW + 5_000 + later).await;
        assert!(matches!(found, Err(OidcError::InvalidToken { .. })), "{found:?}");
        assert_eq!(fake.count("/keys"), asked, "{later}");
    }
}

#[tokio::test]
async fn many_who_miss_a_key_ask_once() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let seen = provider.known();
    for _ in 0..5 {
        assert!(provider.ask_again(&seen, NOW).await.unwrap().is_some());
    }
    assert_eq!(fake.count("/keys"), 2);
    assert_eq!(provider.config().issuer, ISSUER);
}

//! Logout addresses and back-channel tokens.

use serde_json::{Value, json};

use crate::tests_fake::{CLIENT, Fake, ISSUER, NOW, SECRET, Signer, over};
use crate::{LogoutToken, OidcError, Result};

const SECONDS: i64 = NOW / 1000;

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "iat": SECONDS, "exp": SECONDS + 120, "jti": "j-1", "sub": "u-1",
        "sid": "session-1", "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    })
}

async fn verify(header: Value, patch: Value) -> Result<LogoutToken> {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let token = {
        let inner = fake.0.lock();
        let base = json!({"alg": "ES256", "typ": "logout+jwt", "kid": "one"});
        inner.signer.token(&over(base, &header), &over(claims(), &patch))
    };
    provider.verify_logout_token(&token, NOW).await
}

#[tokio::test]
async fn the_address_carries_hint_and_way_back() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let url = provider.logout_url(Some("a.b.c"), Some("https://lectern.example.org/bye?x=1")).unwrap();
    let want = format!(
        "{ISSUER}/logout?tenant=1&client_id={CLIENT}&id_token_hint=a.b.c\
         &post_logout_redirect_uri=https%3A%2F%2Flectern.example.org%2Fbye%3Fx%3D1"
    );
    assert_eq!(url, want);
    assert_eq!(
        provider.logout_url(None, None).unwrap(),
        format!("{ISSUER}/logout?tenant=1&client_id={CLIENT}")
    );
    fake.0.lock().metadata.as_object_mut().unwrap().remove("end_session_endpoint");
    assert_eq!(fake.provider().await.unwrap().logout_url(None, None), None);
}

#[tokio::test]
async fn a_logout_token_names_whose_sessions_end() {
    let token = verify(json!({}), json!({})).await.unwrap();
    let want = LogoutToken {
        subject: Some("u-1".to_owned()),
        sid: Some("session-1".to_owned()),
        jti: "j-1".to_owned(),
        expires_at: NOW + 180_000,
    };
    assert_eq!(token, want);
    for (header, patch) in [
        (json!({"typ": null}), json!({"sid": null})),
        (json!({"typ": "JWT"}), json!({"sub": null})),
        (json!({"typ": "application/logout+jwt", "kid": null}), json!({"aud": ["other", CLIENT]})),
    ] {
        verify(header.clone(), patch.clone()).await.unwrap_or_else(|e| panic!("{header} {patch}: {e:?}"));
    }
}

#[tokio::test]
async fn anything_else_is_refused() {
    let none = json!({});
    for patch in [
        json!({"iss": "https://evil.example.org"}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"exp": SECONDS - 60}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"iat": SECONDS + 61}),
        json!({"iat": null}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"sub": null, "sid": null}),
        json!({"events": null}),
        json!({"events": {}}),
        json!({"events": {"http://schemas.openid.net/event/backchannel-logout": true}}),
        json!({"nonce": "n"}),
    ] {
        let found = verify(none.clone(), patch.clone()).await;
        assert!(matches!(found, Err(OidcError::InvalidToken { .. })), "{patch}: {found:?}");
    }
    for header in [
        json!({"typ": "at+jwt"}),
        json!({"crit": ["b64"]}),
        json!({"alg": "none"}),
        json!({"alg": "HS256"}),
        json!({"alg": "RS256"}),
        json!({"alg": null}),
        json!({"kid": "other"}),
    ] {
        let found = verify(header.clone(), none.clone()).await;
        assert!(matches!(found, Err(OidcError::InvalidToken { .. })), "{header}: {found:?}");
    }
}

#[tokio::test]
async fn forged_ones_are_refused_and_new_keys_found() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let header = |kid: &str, alg: &str| json!({"alg": alg, "kid": kid});
    let shared = Signer::Hs256(SECRET.as_bytes().to_vec());
    let other = Signer::es256();
    for token in [
        other.token(&header("one", "ES256"), &claims()),
        shared.token(&header("one", "HS256"), &claims()),
        Signer::None.token(&header("one", "none"), &claims()),
        String::new(),
        "..".to_owned(),
        "a.b".to_owned(),
        "x".repeat(100_000),
    ] {
        assert!(provider.verify_logout_token(&token, NOW).await.is_err());
    }
    assert_eq!(fake.count("/keys"), 1);
    fake.0.lock().keys.push(other.jwk("two"));
    provider.verify_logout_token(&other.token(&header("two", "ES256"), &claims()), NOW).await.unwrap();
    assert_eq!(fake.count("/keys"), 2);
}

#[tokio::test]
async fn an_id_token_is_no_logout_token() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let person = crate::tests_fake::sign_in(&fake, &provider).await.unwrap();
    assert!(provider.verify_logout_token(&person.id_token, NOW).await.is_err());
}

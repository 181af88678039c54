//! Id tokens: which are believed, and every way in which one is not.

use serde_json::{Value, json};

use crate::tests_fake::{CLIENT, Fake, ISSUER, NOW, SECRET, Signer, sign_in};
use crate::{OidcError, ProviderConfig};

const SECONDS: i64 = NOW / 1000;

async fn refusal(change: impl Fn(&Fake)) -> String {
    let fake = Fake::new();
    change(&fake);
    let provider = fake.provider().await.unwrap();
    match sign_in(&fake, &provider).await {
        Err(OidcError::InvalidToken { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

async fn refused(claims: Value, words: &str) {
    let reason = refusal(|fake| fake.0.lock().claims = claims.clone()).await;
    assert!(reason.contains(words), "{claims}: {reason}");
}

#[tokio::test]
async fn each_accepted_algorithm_works() {
    let signers = [Signer::es256(), Signer::eddsa(), Signer::rsa(2048, "RS256"), Signer::rsa(2048, "PS256")];
    for signer in signers {
        let fake = Fake::new();
        let alg = signer.alg();
        {
            let mut inner = fake.0.lock();
            inner.keys = vec![signer.jwk("one"), Signer::es256().jwk("another")];
            inner.signer = signer;
        }
        let provider = fake.provider().await.unwrap();
        sign_in(&fake, &provider).await.unwrap_or_else(|e| panic!("{alg}: {e:?}"));
    }
}

#[tokio::test]
async fn no_signature_and_shared_secrets_are_refused() {
    let reason = refusal(|fake| fake.0.lock().signer = Signer::None).await;
    assert!(reason.to_lowercase().contains("signature"), "{reason}");
    // The secret, and the public key as it is published, in place of a key.
    let public = Fake::new().0.lock().keys[0].to_string();
    for key in [SECRET.as_bytes().to_vec(), public.into_bytes()] {
        let reason = refusal(|fake| fake.0.lock().signer = Signer::Hs256(key.clone())).await;
        assert!(reason.contains("HS256"), "{reason}");
        // Even when the provider publishes it as one.
        let with_jwk = |fake: &Fake| {
            let signer = Signer::Hs256(key.clone());
            let mut inner = fake.0.lock();
            inner.keys.push(signer.jwk("shared"));
            inner.header = json!({"kid": "shared"});
            inner.signer = signer;
        };
        assert!(refusal(with_jwk).await.contains("HS256"));
    }
}

#[tokio::test]
async fn an_algorithm_that_the_provider_does_not_name_is_refused() {
    let change = |fake: &Fake| fake.set("id_token_signing_alg_values_supported", json!(["RS256"]));
    assert!(refusal(change).await.contains("ES256"));
}

#[tokio::test]
async fn another_key_is_refused() {
    let reason = refusal(|fake| fake.0.lock().signer = Signer::es256()).await;
    assert!(reason.contains("Signature") || reason.contains("signature"), "{reason}");
    let reason = refusal(|fake| fake.0.lock().header = json!({"kid": "other"})).await;
    assert!(reason.contains("No matching key"), "{reason}");
    // Claims another kind of key.
    let reason = refusal(|fake| fake.0.lock().header = json!({"alg": "RS256"})).await;
    assert!(reason.contains("No matching key"), "{reason}");
}

#[tokio::test]
async fn a_header_that_asks_for_more_is_refused() {
    for header in [
        json!({"crit": ["exp"], "exp": 1}),
        json!({"typ": "logout+jwt"}),
        json!({"typ": "at+jwt"}),
        json!({"cty": "JWT"}),
    ] {
        let reason = refusal(|fake| fake.0.lock().header = header.clone()).await;
        assert!(reason.contains("nsupported") || reason.contains("supported"), "{header}: {reason}");
    }
}

#[tokio::test]
async fn wrong_claims_are_refused() {
    refused(json!({"iss": "https://evil.example.org"}), "issuer").await;
    refused(json!({"iss": format!("{ISSUER}/")}), "issuer").await;
    refused(json!({"aud": "other"}), "audience").await;
    refused(json!({"aud": []}), "audience").await;
    refused(json!({"aud": null}), "audience").await;
    refused(json!({"aud": [CLIENT, "other"]}), "azp").await;
    refused(json!({"aud": [CLIENT, "other"], "azp": "other"}), "azp").await;
    refused(json!({"azp": "other"}), "azp").await;
    refused(json!({"nonce": null}), "nonce").await;
    refused(json!({"nonce": "other"}), "nonce").await;
    refused(json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "at_hash").await;
    refused(json!({"exp": SECONDS - 56}), "xpired").await;
    refused(json!({"iat": SECONDS + 70}), "issued").await;
    refused(json!({"iat": SECONDS - 62}), "issued").await;
    refused(json!({"nbf": SECONDS + 70}), "nbf").await;
    refused(json!({"nbf": "soon"}), "nbf").await;
    refused(json!({"sub": ""}), "subject").await;
    for gone in ["iss", "sub", "exp", "iat"] {
        refused(json!({gone: null}), "cannot be read").await;
    }
}

#[tokio::test]
async fn what_the_clocks_allow_and_more_audiences_are_fine() {
    for claims in [
        json!({"exp": SECONDS - 54}),
        json!({"iat": SECONDS + 60}),
        json!({"iat": SECONDS - 60}),
        json!({"nbf": SECONDS + 60}),
        json!({"at_hash": null}),
        json!({"aud": [CLIENT]}),
        json!({"aud": [CLIENT, "other"], "azp": CLIENT}),
        json!({"updated_at": "2026-01-01T00:00:00Z", "email_verified": "true"}),
    ] {
        let fake = Fake::new();
        fake.0.lock().claims = claims.clone();
        let provider = fake.provider().await.unwrap();
        sign_in(&fake, &provider).await.unwrap_or_else(|e| panic!("{claims}: {e:?}"));
    }
}

#[tokio::test]
async fn a_way_to_sign_in_that_is_asked_for_must_be_shown() {
    let mut config = ProviderConfig::new(ISSUER, CLIENT);
    config.acr_values = vec!["mfa".to_owned(), "hardware".to_owned()];
    for (acr, good) in
        [(json!("mfa"), true), (json!("hardware"), true), (json!("password"), false), (json!(null), false)]
    {
        let fake = Fake::new();
        fake.0.lock().claims = json!({"acr": acr});
        let provider = fake.provider_with(config.clone()).await.unwrap();
        let found = sign_in(&fake, &provider).await;
        assert_eq!(found.is_ok(), good, "{acr}: {found:?}");
    }
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let person = sign_in(&fake, &provider).await.unwrap();
    let parts: Vec<&str> = person.id_token.split('.').collect();
    let other = crate::tests_fake::b64(br#"{"sub":"admin"}"#);
    for token in [
        format!("{}.{other}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}x", person.id_token),
    ] {
        let body = json!({"access_token": "a", "token_type": "Bearer", "id_token": token});
        fake.answer("/token", 200, body.to_string());
        let found = sign_in(&fake, &provider).await;
        assert!(matches!(found, Err(OidcError::InvalidToken { .. })), "{found:?}");
    }
}

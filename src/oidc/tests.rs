//! Whole sign-ins, and answers that belong to no question.

use openidconnect::url::Url;
use serde_json::json;

use crate::tests_fake::{CLIENT, Fake, ISSUER, NOW, REDIRECT, SECRET, begin, response, sign_in};
use crate::{Callback, OidcError, Pending, ProviderConfig};

fn refused(callback: Callback, fake_change: impl Fn(&Fake)) -> OidcError {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let fake = Fake::new();
        fake_change(&fake);
        let provider = fake.provider().await.unwrap();
        let (pending, good) = begin(&fake, &provider);
        let pick = |changed: Option<String>, good: Option<String>| match changed.as_deref() {
            None => good,
            Some("") => None,
            Some(_) => changed,
        };
        let callback = Callback {
            code: pick(callback.code, good.code),
            state: pick(callback.state, good.state),
            iss: pick(callback.iss, good.iss),
            ..callback
        };
        let error = provider.finish(pending, callback, Some(SECRET), NOW).await.unwrap_err();
        assert_eq!(fake.count("/token"), 0, "the code must not be redeemed");
        error
    })
}

fn with(change: impl Fn(&mut Callback)) -> OidcError {
    let mut callback = Callback::default();
    change(&mut callback);
    refused(callback, |_| ())
}

#[tokio::test]
async fn a_person_signs_in() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let person = sign_in(&fake, &provider).await.unwrap();
    assert_eq!((person.issuer.as_str(), person.subject.as_str()), (ISSUER, "u-1"));
    assert_eq!(person.email.as_deref(), Some("ada@example.org"));
    assert!(person.email_verified);
    assert_eq!((person.name.as_deref(), person.user_name.as_deref()), (Some("Ada"), Some("ada")));
    assert_eq!(person.groups, ["staff", "editors"]);
    assert_eq!(person.id_token_sid.as_deref(), Some("session-1"));
    assert_eq!(person.id_token.split('.').count(), 3);
    assert_eq!(fake.count("/userinfo"), 0, "the token said everything");
    assert_eq!(fake.count("/keys"), 1);
}

#[tokio::test]
async fn the_secret_goes_as_the_provider_takes_it() {
    let fake = Fake::new();
    fake.set("token_endpoint_auth_methods_supported", json!(["private_key_jwt", "client_secret_post"]));
    sign_in(&fake, &fake.provider().await.unwrap()).await.unwrap();

    fake.set("token_endpoint_auth_methods_supported", json!(["private_key_jwt"]));
    let error = sign_in(&fake, &fake.provider().await.unwrap()).await.unwrap_err();
    assert!(matches!(error, OidcError::Misconfigured { field: "client_secret", .. }), "{error:?}");

    fake.0.lock().secret = None;
    let provider = fake.provider().await.unwrap();
    let (pending, callback) = begin(&fake, &provider);
    provider.finish(pending, callback, None, NOW).await.unwrap();

    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let (pending, callback) = begin(&fake, &provider);
    let error = provider.finish(pending, callback, Some("wrong"), NOW).await.unwrap_err();
    assert!(matches!(error, OidcError::Misconfigured { field: "client_secret", .. }), "{error:?}");
}

#[tokio::test]
async fn the_address_asks_for_what_is_set() {
    let mut config = ProviderConfig::new(ISSUER, CLIENT);
    config.prompt = Some("login create".to_owned());
    config.acr_values = vec!["mfa".to_owned()];
    let provider = Fake::new().provider_with(config).await.unwrap();
    let begun = provider.begin(REDIRECT, Some("ada@example.org"), NOW).unwrap();
    let url = Url::parse(&begun.authorization_url).unwrap();
    let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    assert!(begun.authorization_url.starts_with(&format!("{ISSUER}/authorize?")));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
        ("prompt", "login create"),
        ("acr_values", "mfa"),
        ("login_hint", "ada@example.org"),
    ] {
        assert_eq!(get(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(get("state").as_deref(), Some(begun.pending.state()));
    assert!(get("nonce").unwrap().len() >= 16 && get("code_challenge").unwrap().len() == 43);

    let other = provider.begin(REDIRECT, Some("two\nlines"), NOW).unwrap();
    assert!(!other.authorization_url.contains("login_hint"));
    assert_ne!(other.pending.state(), begun.pending.state());
    assert!(matches!(
        provider.begin("/callback", None, NOW),
        Err(OidcError::Misconfigured { field: "redirect_uri", .. })
    ));
}

#[tokio::test]
async fn what_is_kept_survives_being_stored_and_shows_no_secret() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let (pending, callback) = begin(&fake, &provider);
    assert_eq!((pending.issuer(), pending.created_at()), (ISSUER, NOW));
    assert_eq!(pending.expires_at(), NOW + 600_000);
    let stored = serde_json::to_string(&pending).unwrap();
    let back: Pending = serde_json::from_str(&stored).unwrap();
    assert_eq!(back, pending);
    let shown = format!("{pending:?} {callback:?}");
    assert!(!shown.contains(pending.state()), "{shown}");
    let person = provider.finish(back, callback, Some(SECRET), NOW).await.unwrap();
    assert!(!format!("{person:?}").contains(&person.id_token));
    let answer = response(200, "tokens");
    assert!(!format!("{answer:?}").contains("tokens"));
}

#[test]
fn another_browser_s_state_is_refused() {
    assert_eq!(with(|c| c.state = Some("other".to_owned())), OidcError::StateMismatch);
    assert_eq!(with(|c| c.state = Some(String::new())), OidcError::StateMismatch);
    // Before anything else: a forged link must not even learn what the provider said.
    let forged = |c: &mut Callback| {
        c.state = Some("other".to_owned());
        c.error = Some("access_denied".to_owned());
    };
    assert_eq!(with(forged), OidcError::StateMismatch);
}

#[test]
fn an_answer_of_another_provider_is_refused() {
    let evil = "https://evil.example.org";
    let error = with(|c| c.iss = Some(evil.to_owned()));
    assert_eq!(error, OidcError::OtherIssuer { found: Some(evil.to_owned()) });
    assert!(error.hint().contains(evil));
    // Missing though promised, and wrong though not promised.
    assert_eq!(with(|c| c.iss = Some(String::new())), OidcError::OtherIssuer { found: None });
    let callback = Callback { iss: Some(format!("{ISSUER}/")), ..Callback::default() };
    let silent = |fake: &Fake| fake.set("authorization_response_iss_parameter_supported", json!(false));
    assert!(matches!(refused(callback, silent), OidcError::OtherIssuer { found: Some(_) }));
}

#[tokio::test]
async fn a_provider_that_promises_no_issuer_need_not_send_it() {
    let fake = Fake::new();
    fake.0.lock().metadata.as_object_mut().unwrap().remove("authorization_response_iss_parameter_supported");
    let provider = fake.provider().await.unwrap();
    let (pending, mut callback) = begin(&fake, &provider);
    callback.iss = None;
    provider.finish(pending, callback, Some(SECRET), NOW).await.unwrap();
}

#[tokio::test]
async fn a_question_to_another_provider_or_client_is_not_answered_here() {
    for (field, value) in [("issuer", "https://evil.example.org"), ("client_id", "other")] {
        let fake = Fake::new();
        let provider = fake.provider().await.unwrap();
        let (pending, callback) = begin(&fake, &provider);
        let mut stored = serde_json::to_value(&pending).unwrap();
        stored[field] = json!(value);
        let pending = serde_json::from_value(stored).unwrap();
        let error = provider.finish(pending, callback, Some(SECRET), NOW).await.unwrap_err();
        assert!(matches!(error, OidcError::OtherIssuer { .. }), "{field}: {error:?}");
    }
}

#[tokio::test]
async fn a_sign_in_has_ten_minutes() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    for (later, good) in [(599_999, true), (600_000, false), (-61_000, false)] {
        fake.0.lock().claims = json!({"exp": (NOW + 900_000) / 1000});
        let (pending, callback) = begin(&fake, &provider);
        let found = provider.finish(pending, callback, Some(SECRET), NOW + later).await;
        assert_eq!(found.is_ok(), good, "{later}: {found:?}");
        assert!(good || found == Err(OidcError::Expired));
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_with_its_verifier_only() {
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    let (pending, callback) = begin(&fake, &provider);
    provider.finish(pending.clone(), callback.clone(), Some(SECRET), NOW).await.unwrap();
    let again = provider.finish(pending, callback, Some(SECRET), NOW).await;
    assert_eq!(again, Err(OidcError::Replayed));

    // A stolen code, brought with the thief's own state.
    let (_, victim) = begin(&fake, &provider);
    let (pending, mut thief) = begin(&fake, &provider);
    thief.code = victim.code;
    let stolen = provider.finish(pending, thief, Some(SECRET), NOW).await;
    assert_eq!(stolen, Err(OidcError::Replayed));
}

#[test]
fn errors_of_the_provider_are_told_apart() {
    let said = |error: &str| {
        with(|c| {
            c.error = Some(error.to_owned());
            c.error_description = Some("because\nof <b>this</b>".to_owned());
        })
    };
    let denied = said("access_denied");
    assert_eq!(denied, OidcError::Denied { reason: "access_denied: because of <b>this</b>".to_owned() });
    assert!(denied.hint().contains("because of"));
    assert!(!denied.to_string().contains("because"), "the provider's words are not for the page");
    assert!(matches!(said("login_required"), OidcError::Denied { .. }));
    assert!(matches!(said("server_error"), OidcError::ProviderUnavailable { .. }));
    assert!(matches!(said("invalid_scope"), OidcError::Misconfigured { field: "scopes", .. }));
    assert!(matches!(said("unauthorized_client"), OidcError::Misconfigured { field: "client_id", .. }));
    assert!(matches!(with(|c| c.code = Some(String::new())), OidcError::InvalidToken { .. }));
    let long = said(&"x".repeat(10_000));
    assert!(long.hint().len() < 1000);
}

#[tokio::test]
async fn a_broken_token_endpoint_gives_no_one() {
    let secret = "very-secret-token";
    let odd = format!(r#"{{"access_token": 5, "id_token": "{secret}"}}"#);
    let cases = [
        (200, odd.as_str(), "InvalidToken"),
        (200, r#"{"access_token": "a", "token_type": "Bearer"}"#, "InvalidToken"),
        (200, r#"{"access_token": "a", "token_type": "Bearer", "id_token": "x.y"}"#, "InvalidToken"),
        (200, "", "ProviderUnavailable"),
        (302, "", "ProviderUnavailable"),
        (502, "", "ProviderUnavailable"),
        (400, r#"{"error": "invalid_scope"}"#, "Misconfigured"),
        (400, r#"{"error": "unauthorized_client"}"#, "Misconfigured"),
        (400, "<html>", "InvalidToken"),
    ];
    for (status, body, kind) in cases {
        let fake = Fake::new();
        let provider = fake.provider().await.unwrap();
        fake.answer("/token", status, body);
        let error = sign_in(&fake, &provider).await.unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.starts_with(kind) && !shown.contains(secret), "{status} {body}: {shown}");
    }
    let fake = Fake::new();
    let provider = fake.provider().await.unwrap();
    fake.answer("/token", 200, vec![b' '; crate::MAX_BODY + 1]);
    assert!(sign_in(&fake, &provider).await.unwrap_err().hint().contains("larger"));
}

#[test]
fn the_futures_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fake = Fake::new();
    let provider = runtime.block_on(fake.provider()).unwrap();
    let (pending, callback) = begin(&fake, &provider);
    is_send(provider.finish(pending, callback, None, NOW));
    is_send(provider.verify_logout_token("", NOW));
    is_send(fake.provider());
}

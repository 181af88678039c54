//! Who signed in: claims by path, userinfo, addresses and domains.

use serde_json::{Value, json};

use crate::claims::{find, text, texts};
use crate::tests_fake::{CLIENT, Fake, ISSUER, NOW, SECRET, begin, response, sign_in};
use crate::{OidcError, Person, ProviderConfig, Result};

async fn person(claims: Value, userinfo: Value, change: impl Fn(&mut ProviderConfig)) -> Result<Person> {
    let fake = Fake::new();
    let asked = !userinfo.is_null();
    {
        let mut inner = fake.0.lock();
        inner.claims = claims;
        inner.userinfo = userinfo;
    }
    let mut config = ProviderConfig::new(ISSUER, CLIENT);
    change(&mut config);
    let provider = fake.provider_with(config).await.unwrap();
    let found = sign_in(&fake, &provider).await;
    assert_eq!(fake.count("/userinfo"), usize::from(asked), "{found:?}");
    found
}

#[test]
fn claims_are_found_by_name_and_by_path() {
    let claims = json!({
        "a": {"b": {"c": ["x", 5, "y", "x", ""]}, "n": null, "d.c": "inner"},
        "https://example.org/groups": "one",
        "blank": "  ",
        "number": 7,
    });
    let map = claims.as_object().unwrap();
    assert_eq!(texts(map, "a.b.c").unwrap(), ["x", "y"]);
    assert_eq!(texts(map, "https://example.org/groups").unwrap(), ["one"]);
    assert_eq!(texts(map, "a.d.c").unwrap(), ["inner"]);
    assert_eq!(texts(map, "number"), None);
    assert_eq!(text(map, "blank"), None);
    for gone in ["", ".", "a.", "a.n", "a.b.c.d", "b", "a..b", "number.x"] {
        assert_eq!(find(map, gone), None, "{gone}");
    }
    assert!(find(map, "a.b").unwrap().is_object());
}

#[tokio::test]
async fn groups_come_from_where_they_are() {
    let nested = json!({"realm_access": {"roles": ["admin", "user"]}});
    let found =
        person(nested, Value::Null, |c| c.group_claim = "realm_access.roles".to_owned()).await.unwrap();
    assert_eq!(found.groups, ["admin", "user"]);
    let named = json!({"https://example.org/groups": ["a"]});
    let found = person(named, Value::Null, |c| c.group_claim = "https://example.org/groups".to_owned()).await;
    assert_eq!(found.unwrap().groups, ["a"]);
    // No one says anything.
    let found = person(json!({"groups": null}), json!({"sub": "u-1"}), |_| ()).await.unwrap();
    assert!(found.groups.is_empty());
}

#[tokio::test]
async fn userinfo_fills_what_the_token_leaves_out() {
    let bare = json!({"groups": null, "name": null, "email": null, "email_verified": null});
    let more = json!({"sub": "u-1", "groups": ["late"], "name": "Ada L.", "preferred_username": "not-this",
                      "email": "ada@example.org", "email_verified": true});
    let found = person(bare.clone(), more, |_| ()).await.unwrap();
    assert_eq!((found.groups, found.name.as_deref()), (vec!["late".to_owned()], Some("Ada L.")));
    assert_eq!((found.user_name.as_deref(), found.email_verified), (Some("ada"), true));

    let other = json!({"sub": "u-2", "email": "ada@example.org", "email_verified": true});
    let error = person(bare, other, |_| ()).await.unwrap_err();
    assert!(error.hint().contains("another person"), "{}", error.hint());
    let error = person(json!({"groups": null}), json!({"groups": ["x"]}), |_| ()).await.unwrap_err();
    assert!(matches!(error, OidcError::InvalidToken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_broken_userinfo_gives_no_one() {
    let cases = [(500, "{}"), (302, ""), (200, "{"), (200, "[]"), (401, "{}")];
    for (status, body) in cases {
        let fake = Fake::new();
        fake.0.lock().claims = json!({"groups": null});
        fake.answer("/userinfo", status, body);
        let provider = fake.provider().await.unwrap();
        assert!(sign_in(&fake, &provider).await.is_err(), "{status} {body}");
    }
    // A signed answer that no one signed.
    let fake = Fake::new();
    fake.0.lock().claims = json!({"groups": null});
    let mut answer = response(200, "e30.e30.");
    answer.content_type = Some("application/jwt".to_owned());
    fake.0.lock().answers.insert("/userinfo", Ok(answer));
    let provider = fake.provider().await.unwrap();
    assert!(sign_in(&fake, &provider).await.is_err());
}

#[tokio::test]
async fn a_token_that_fits_no_header_is_refused() {
    let fake = Fake::new();
    fake.0.lock().claims = json!({"groups": null, "at_hash": null});
    let provider = fake.provider().await.unwrap();
    let (pending, callback) = begin(&fake, &provider);
    let stored = serde_json::to_value(&pending).unwrap();
    let token = fake.0.lock().id_token(stored["nonce"].as_str().unwrap());
    let body = json!({"access_token": "line\r\nbreak", "token_type": "Bearer", "id_token": token});
    fake.answer("/token", 200, body.to_string());
    let found = provider.finish(pending, callback, Some(SECRET), NOW).await;
    assert!(found.unwrap_err().hint().contains("access token"));
}

#[tokio::test]
async fn an_address_must_be_vouched_for() {
    let unverified = json!({"email_verified": false});
    assert_eq!(person(unverified.clone(), Value::Null, |_| ()).await, Err(OidcError::EmailNotVerified));
    let found = person(unverified, Value::Null, |c| c.require_verified_email = false).await.unwrap();
    assert_eq!((found.email.as_deref(), found.email_verified), (Some("ada@example.org"), false));

    // Silent in the token: userinfo may vouch, but only for the same address.
    let silent = json!({"email_verified": null});
    let same = json!({"sub": "u-1", "email": "Ada@example.org", "email_verified": true});
    assert!(person(silent.clone(), same, |_| ()).await.unwrap().email_verified);
    let other = json!({"sub": "u-1", "email": "eve@example.org", "email_verified": true});
    assert_eq!(person(silent.clone(), other, |_| ()).await, Err(OidcError::EmailNotVerified));
    assert_eq!(person(silent, json!({"sub": "u-1"}), |_| ()).await, Err(OidcError::EmailNotVerified));

    // Another claim than the one that email_verified speaks of.
    let split = json!({"upn": "boss@example.org"});
    let found = person(split, json!({"sub": "u-1"}), |c| c.email_claim = "upn".to_owned()).await;
    assert_eq!(found, Err(OidcError::EmailNotVerified));
}

#[tokio::test]
async fn only_allowed_domains_sign_in() {
    let within = |domains: &'static [&'static str]| {
        move |c: &mut ProviderConfig| c.allowed_domains = domains.iter().map(|d| (*d).to_owned()).collect()
    };
    person(json!({}), Value::Null, within(&["other.org", "EXAMPLE.org"])).await.unwrap();
    for domains in [&["other.org"] as &'static [_], &["ample.org"], &["mail.example.org"]] {
        let found = person(json!({}), Value::Null, within(domains)).await;
        assert_eq!(
            found,
            Err(OidcError::DomainNotAllowed { domain: "example.org".to_owned() }),
            "{domains:?}"
        );
    }
    // Not an address, or one that looks like two.
    for email in [
        "eve@evil.org@example.org",
        "@example.org",
        "example.org",
        "eve @example.org",
        "eve@example.org\n.evil",
    ] {
        let found = person(json!({"email": email}), Value::Null, within(&["example.org"])).await;
        assert!(found.is_err(), "{email:?}: {found:?}");
    }
}

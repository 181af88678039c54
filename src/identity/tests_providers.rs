//! OpenID Connect and directories over HTTP, against a small provider in memory and slapd.

use lectern_kernel::Scope;
use lectern_kernel::TenantId;
use serde_json::{Value, json};

use crate::testing::{EMAIL, PASSWORD, Site};
use crate::testing_fakes::{CLIENT_SECRET, FakeProvider, ISSUER};

/// A provider's body with something changed.
pub(crate) fn oidc(change: Value) -> Value {
    let mut body = json!({
        "kind": "oidc", "name": "Site login", "secret": CLIENT_SECRET,
        "config": {"issuer": ISSUER, "client_id": "lectern"},
    });
    for (name, value) in change.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

/// An appliance with a provider, which vouches for these claims; the provider's id.
async fn with_oidc(change: Value, claims: Value) -> (Site, String) {
    let mut site = Site::signed_in().await;
    site.origin = Some("https://lectern.example.org");
    *site.net.provider.lock() = Some(FakeProvider::new(claims));
    let made = site.post("/sign-in/providers", oidc(change)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().expect("id").to_owned();
    (site, id)
}

/// Sends a browser away; where it comes back to.
async fn away(browser: &mut Site, id: &str, body: Value) -> String {
    let begun = browser.post(&format!("/session/oidc/{id}/begin"), body).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    browser.away.clone_from(&begun.away);
    let provider = browser.net.provider.lock().clone().expect("a provider");
    provider.agree(begun.body["authorization_url"].as_str().expect("text"))
}

/// A whole sign-in of a browser: where it ends.
async fn come_in(browser: &mut Site, id: &str) -> String {
    let back = away(browser, id, json!({})).await;
    let answer = browser.get(&back).await;
    assert_eq!((answer.status, answer.away.as_deref()), (302, Some("")), "the cookie goes");
    if answer.cookie.is_some() {
        browser.cookie.clone_from(&answer.cookie);
        browser.csrf = browser.get("/session").await.body["csrf_token"].as_str().map(str::to_owned);
    }
    answer.location.expect("a place")
}

#[actix_web::test]
async fn somebody_new_comes_in_by_a_provider() {
    let groups = site_groups();
    let (site, id) =
        with_oidc(json!({"create_people": true, "groups": groups}), json!({"groups": ["staff"]})).await;
    let options = site.stranger().get("/sign-in/options?tenant=main").await.body;
    let shown = json!([{"id": id, "kind": "oidc", "name": "Site login"}]);
    assert_eq!(options, json!({"password": true, "providers": shown}));
    for nowhere in ["/sign-in/options?tenant=nowhere", "/sign-in/options?tenant=..%2F"] {
        assert_eq!(site.stranger().get(nowhere).await.body, json!({"password": true, "providers": []}));
    }
    let mut browser = site.stranger();
    browser.cookie = Some("main.fixed-by-somebody-else".to_owned());
    let back = away(&mut browser, &id, json!({"tenant": "main", "return_to": "/documents?a=b"})).await;
    let answer = browser.get(&back).await;
    assert_eq!((answer.status, answer.location.as_deref()), (302, Some("/documents?a=b")));
    assert!(answer.cookie.as_ref().is_some_and(|cookie| cookie != "main.fixed-by-somebody-else"));
    browser.cookie.clone_from(&answer.cookie);
    let session = browser.get("/session").await.body;
    assert_eq!(
        (&session["user"]["email"], &session["user"]["role"]),
        (&json!("mia@example.org"), &json!("editor"))
    );
    let people = site.get("/people?q=mia").await.body;
    assert_eq!((&people["total"], &people["items"][0]["has_password"]), (&json!(1), &json!(false)));

    // The same account is the same person, whose role follows the groups there.
    let provider = site.net.provider.lock().clone().expect("a provider");
    *provider.claims.lock() = json!({"groups": ["bosses", "staff"], "email": "other@example.org"});
    assert_eq!(come_in(&mut browser, &id).await, "/");
    let session = browser.get("/session").await.body;
    assert_eq!(
        (&session["user"]["email"], &session["user"]["role"]),
        (&json!("mia@example.org"), &json!("admin"))
    );
    *provider.claims.lock() = json!({"groups": ["Bosses"]});
    come_in(&mut browser, &id).await;
    assert_eq!(
        browser.get("/session").await.body["user"]["role"],
        "member",
        "names differ by case; the default"
    );
}

fn site_groups() -> Value {
    json!([{"external": "staff", "role": "editor"}, {"external": "bosses", "role": "admin"}])
}

#[actix_web::test]
async fn groups_there_give_and_take_groups_here() {
    let (site, id) = with_oidc(json!({"create_people": true}), json!({"groups": ["night"]})).await;
    let group = |name: &str| json!({ "name": name });
    let mapped = site.post("/groups", group("Night")).await.body["id"].clone();
    let own = site.post("/groups", group("Choir")).await.body["id"].clone();
    let path = format!("/sign-in/providers/{id}");
    let wrong = json!({"groups": [{"external": "x", "group": "grp_00000000000000000000000000"}]});
    assert_eq!(site.patch(&path, wrong).await.body["errors"][0]["field"], "groups");
    let changed = site.patch(&path, json!({"groups": [{"external": "night", "group": mapped}]})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let mut browser = site.stranger();
    come_in(&mut browser, &id).await;
    let mia = browser.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    site.patch(&format!("/people/{mia}"), json!({"groups": [mapped, own], "role": "viewer"})).await;
    *site.net.provider.lock().clone().expect("one").claims.lock() = json!({"groups": []});
    come_in(&mut browser, &id).await;
    let person = site.get(&format!("/people/{mia}")).await.body;
    assert_eq!(
        (&person["groups"], &person["role"]),
        (&json!([own]), &json!("viewer")),
        "the rest is by hand"
    );
}

#[actix_web::test]
async fn an_answer_counts_once_and_only_in_the_browser_that_asked() {
    let (site, id) = with_oidc(json!({"create_people": true}), json!({})).await;
    let lost = |answer: &crate::testing::Answer, code: &str| {
        assert_eq!((answer.status, &answer.cookie), (302, &None), "{code}");
        assert_eq!(answer.location.as_deref(), Some(format!("/?sign_in_error={code}").as_str()));
    };
    let mut browser = site.stranger();
    let back = away(&mut browser, &id, json!({})).await;
    let mut other = site.stranger();
    lost(&other.get(&back).await, "not_started_here");
    let theirs = away(&mut other, &id, json!({})).await;
    lost(&other.get(&back).await, "not_started_here");
    lost(&other.get(&theirs.replace(ISSUER, "https://evil.example")).await, "other_provider");
    let kept = browser.away.clone();
    assert_eq!(browser.get(&back).await.location.as_deref(), Some("/"));
    browser.away.clone_from(&kept);
    lost(&browser.get(&back).await, "used_already");
    browser.away = Some(format!("{}x", kept.expect("a cookie")));
    lost(&browser.get(&back).await, "not_started_here");
    let mut late = site.stranger();
    let back = away(&mut late, &id, json!({})).await;
    site.wait(601);
    lost(&late.get(&back).await, "took_too_long");
    let mut denied = site.stranger();
    let back = away(&mut denied, &id, json!({})).await;
    let state = back.split('&').nth(1).expect("state").to_owned();
    lost(
        &denied.get(&format!("/session/oidc/callback?{state}&iss={ISSUER}&error=access_denied")).await,
        "denied",
    );
}

#[actix_web::test]
async fn nobody_is_sent_to_another_site() {
    let (site, id) = with_oidc(json!({}), json!({})).await;
    for bad in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/\t/evil.example",
        "\\\\evil",
        "",
    ] {
        let begun =
            site.stranger().post(&format!("/session/oidc/{id}/begin"), json!({"return_to": bad})).await;
        assert_eq!((begun.status, &begun.away), (422, &None), "{bad}");
    }
    let mut foreign = site.stranger();
    foreign.origin = None;
    assert_eq!(
        foreign.post(&format!("/session/oidc/{id}/begin"), json!({})).await.status,
        400,
        "no page of ours"
    );
    for unknown in ["idp_00000000000000000000000000", "nonsense"] {
        let begun = site.stranger().post(&format!("/session/oidc/{unknown}/begin"), json!({})).await;
        assert_eq!(begun.code(), (404, "not_found"));
    }
    let begun =
        site.stranger().post(&format!("/session/oidc/{id}/begin"), json!({"tenant": "nowhere"})).await;
    assert_eq!(begun.code(), (404, "not_found"));
}

#[actix_web::test]
async fn who_is_not_invited_linked_or_verified_stays_outside() {
    let (site, id) = with_oidc(json!({}), json!({})).await;
    let path = format!("/sign-in/providers/{id}");
    let mut browser = site.stranger();
    assert_eq!(come_in(&mut browser, &id).await, "/?sign_in_error=not_invited");
    site.joined("mia@example.org", "member").await;
    assert_eq!(come_in(&mut browser, &id).await, "/?sign_in_error=not_linked");
    assert_eq!(site.patch(&path, json!({"link_people": true, "create_people": true})).await.status, 200);
    let provider = site.net.provider.lock().clone().expect("a provider");
    *provider.claims.lock() = json!({"email_verified": false});
    assert_eq!(come_in(&mut browser, &id).await, "/?sign_in_error=email_not_verified");
    let config = json!({"issuer": ISSUER, "client_id": "lectern", "require_verified_email": false});
    assert_eq!(site.patch(&path, json!({"config": config})).await.status, 200);
    assert_eq!(
        come_in(&mut browser, &id).await,
        "/?sign_in_error=not_linked",
        "an unverified e-mail links nobody"
    );
    *provider.claims.lock() = json!({});
    assert_eq!(come_in(&mut browser, &id).await, "/");
    assert_eq!(browser.get("/session").await.body["user"]["email"], "mia@example.org");
    let mia = browser.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    site.patch(&format!("/people/{mia}"), json!({"state": "disabled"})).await;
    assert_eq!(come_in(&mut browser, &id).await, "/?sign_in_error=person_disabled");
    let mut waiting = site.stranger();
    let back = away(&mut waiting, &id, json!({})).await;
    assert_eq!(site.patch(&path, json!({"enabled": false})).await.status, 200);
    assert_eq!(waiting.get(&back).await.location.as_deref(), Some("/?sign_in_error=provider_disabled"));
    assert!(site.net.withdrawn.lock().contains(&id), "its addresses are not reached any more");
}

/// An administrator could point a provider at a server of their own.
#[actix_web::test]
async fn a_provider_makes_nobody_more_than_who_saved_it() {
    let (site, id) = with_oidc(json!({"link_people": true}), json!({"email": EMAIL})).await;
    let path = format!("/sign-in/providers/{id}");
    let admin = site.joined("adam@example.org", "admin").await;
    assert_eq!(admin.patch(&path, json!({"name": "Mine"})).await.body["owners"], false);
    let mut browser = site.stranger();
    assert_eq!(come_in(&mut browser, &id).await, "/?sign_in_error=owner_needs_password");
    assert_eq!(site.patch(&path, json!({"name": "Ours"})).await.body["owners"], true);
    assert_eq!(come_in(&mut browser, &id).await, "/");
    assert_eq!(admin.patch(&path, json!({"name": "Mine"})).await.status, 200);
    assert_eq!(
        come_in(&mut browser, &id).await,
        "/?sign_in_error=owner_needs_password",
        "nor one who was linked"
    );
    for gift in [json!({"default_role": "owner"}), json!({"groups": [{"external": "x", "role": "owner"}]})] {
        assert_eq!(site.patch(&path, gift).await.status, 422);
    }
    let help = json!({"name": "help-desk", "title": "Help", "permissions": ["session.use", "signin.manage"]});
    assert_eq!(site.post("/roles", help).await.status, 201);
    let helper = site.joined("hal@example.org", "help-desk").await;
    assert_eq!(helper.get("/sign-in/providers").await.status, 200);
    assert_eq!(helper.post("/sign-in/providers", oidc(json!({}))).await.code(), (403, "forbidden"));
    assert_eq!(helper.patch(&path, json!({"enabled": false})).await.code(), (403, "forbidden"));
}

#[actix_web::test]
async fn settings_are_checked_and_secrets_stay_inside() {
    let (site, id) = with_oidc(json!({"create_people": true}), json!({})).await;
    let path = format!("/sign-in/providers/{id}");
    let bad = [
        (json!({"config": {"issuer": "http://login.example.org", "client_id": "x"}}), "config.issuer"),
        (json!({"config": {"issuer": ISSUER, "client_id": "x", "client_secret": "x"}}), "config"),
        (json!({"config": {"issuer": "https://169.254.169.254", "client_id": "x"}}), "config.issuer"),
        (json!({"addresses": ["https://169.254.169.254/latest"]}), "addresses"),
        (json!({"default_role": "nobody-has-it"}), "role"),
        (json!({"name": " "}), "name"),
    ];
    for (change, field) in bad {
        let answer = site.post("/sign-in/providers", oidc(change)).await;
        assert_eq!((answer.status, answer.body["errors"][0]["field"].as_str()), (422, Some(field)));
    }
    assert_eq!(
        site.post("/sign-in/providers", oidc(json!({"owners": true}))).await.status,
        422,
        "unknown field"
    );
    assert_eq!(site.patch(&path, json!({"secret_sha": "x"})).await.status, 422);
    let moved = json!({"config": {"issuer": "https://evil.example", "client_id": "lectern"}});
    assert_eq!(
        site.patch(&path, moved).await.body["errors"][0]["field"],
        "secret",
        "it does not go elsewhere"
    );

    let tested = site.post(&format!("{path}/test"), json!({})).await.body;
    assert_eq!((&tested["works"], &tested["steps"][0]["ok"]), (&json!(true), &json!(true)));
    come_in(&mut site.stranger(), &id).await;
    let shown = site.get("/sign-in/providers").await.body;
    assert_eq!((&shown[0]["has_secret"], shown[0].get("secret")), (&json!(true), None));
    let secret = crate::tests_factors::with_totp(&site).await;
    site.stores.close().expect("checkpoints");
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    let bytes = std::fs::read(store.db.path()).expect("reads");
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
    assert!(holds(ISSUER.as_bytes()));
    assert!(!holds(CLIENT_SECRET.as_bytes()) && !holds(secret.as_bytes()));
    let raw = lectern_factors::TotpSecret::from_base32(&secret).expect("a secret");
    assert!(!holds(raw.as_bytes()));
}

#[actix_web::test]
async fn a_broken_provider_leaves_the_password_working() {
    let (site, id) = with_oidc(json!({}), json!({})).await;
    *site.net.provider.lock() = None;
    let begun = site.stranger().post(&format!("/session/oidc/{id}/begin"), json!({})).await;
    assert_eq!(begun.code(), (502, "upstream_unavailable"));
    assert!(begun.body["hint"].is_string());
    for _ in 0..7 {
        assert_eq!(site.stranger().post(&format!("/session/oidc/{id}/begin"), json!({})).await.status, 502);
    }
    let tested = site.post(&format!("/sign-in/providers/{id}/test"), json!({})).await.body;
    assert_eq!(tested["works"], false);
    let ldap = ldap("ldap://127.0.0.1:9");
    let made = site.post("/sign-in/providers", ldap).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let stranger = site.stranger();
    for _ in 0..7 {
        let answer = stranger.enter(json!({"provider": made.body["id"], "email": "alice"})).await;
        assert_eq!(answer.code(), (502, "upstream_unavailable"), "which counts as no try");
        assert!(answer.body["hint"].is_string() && !answer.body.to_string().contains("127.0.0.1"));
    }
    assert_eq!(stranger.enter(json!({})).await.status, 201);
    let oidc_by_password = stranger.enter(json!({"provider": id})).await;
    assert_eq!(oidc_by_password.code(), (404, "not_found"));
}

pub(crate) fn ldap(url: &str) -> Value {
    json!({
        "kind": "ldap", "name": "Directory", "secret": "the secret of the service", "create_people": true,
        "config": {"kind": "open_ldap", "urls": [url], "allow_plain": true,
            "bind_dn": "cn=service,dc=example,dc=org", "user_base": "ou=people,dc=example,dc=org",
            "groups": {"base": "ou=groups,dc=example,dc=org"}},
        "groups": [{"external": "TEAM", "role": "editor"}],
    })
}

#[actix_web::test]
async fn an_unused_password_is_never_asked_of_a_directory() {
    let site = Site::signed_in().await;
    assert_eq!(site.stranger().enter(json!({"password": PASSWORD})).await.status, 201);
    let unknown = json!({"provider": "idp_00000000000000000000000000"});
    assert_eq!(site.stranger().enter(unknown).await.code(), (404, "not_found"));
    assert_eq!(site.stranger().enter(json!({"provider": "idp"})).await.status, 422);
}

//! What is tried against sign-in and rights, through the whole appliance. Mix-up and forged tokens of providers are tried
//! in src/oidc, injection into directories in src/ldap, codes and tokens of apps in src/oauth, other tenants' ids in
//! `isolation`.

use lectern_testkit::{EMAIL, PASSWORD, TestApp};
use serde_json::{Value, json};

use crate::LECTERN;
use crate::api::tenants::tenant;

#[test]
fn passwords_are_not_guessed() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let (thief, mut answers) = (app.anonymous(), Vec::new());
    let unknown =
        thief.post("/session", &json!({ "email": "nobody@example.org", "password": "guess number 0" }));
    for n in 0..12 {
        let guess = json!({ "email": EMAIL, "password": format!("guess number {n}") });
        answers.push(thief.post("/session", &guess));
    }
    let waits = answers.iter().filter(|answer| answer.status == 429).count();
    assert!(waits >= 6, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().filter(|a| a.status == 429).all(|a| a.headers.contains_key("retry-after")));
    let right = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(thief.post("/session", &right).status, 429, "the right one waits, too: it tells nothing");
    admin.get("/session").expect(200);
    // Who is not there is answered alike.
    let known = answers.swap_remove(0);
    let told = |answer: lectern_testkit::Answer| {
        let body = answer.expect(401);
        (body["code"].clone(), body["detail"].clone(), body["hint"].clone())
    };
    assert_eq!(told(unknown), told(known));
}

#[test]
fn a_session_that_ended_or_was_made_up_opens_nothing() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let cookie = |answer: &lectern_testkit::Answer| {
        let header = answer.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
        header.split(';').next().unwrap().to_owned()
    };
    let with = |cookie: &str| {
        let client = app.anonymous();
        client.send(client.request("GET", "/session").header("Cookie", cookie.to_owned()))
    };
    // Fixation: a value that somebody else chose is never the session's.
    let chosen = format!("lectern_session=main.{}", "0".repeat(64));
    let client = app.anonymous();
    let signed_in =
        client.send(client.request("POST", "/session").header("Cookie", chosen.clone()).json(&body));
    assert_eq!(signed_in.status, 201, "{}", signed_in.text());
    assert_ne!(cookie(&signed_in), chosen);
    assert_eq!(with(&chosen).problem(401), "unauthenticated");
    // Replay: after signing out its value is nothing.
    let own = cookie(&signed_in);
    assert_eq!(with(&own).status, 200);
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let out = client.request("DELETE", "/session").header("Cookie", own.clone()).header("X-CSRF-Token", csrf);
    assert_eq!(client.send(out).status, 204);
    assert_eq!(with(&own).problem(401), "unauthenticated");
    // Every sign-in has its own.
    let again = app.anonymous().post("/session", &body);
    assert_ne!(cookie(&again), own);
    for made_up in ["main.", "main.x", "nobody.0000", "../../etc.00", &format!("main.{}", "f".repeat(9000))] {
        assert_eq!(with(&format!("lectern_session={made_up}")).status, 401, "{made_up:.40}");
    }
    admin.get("/session").expect(200);
}

#[test]
fn another_site_cannot_act_in_somebodys_browser() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let answer = app.anonymous().post("/session", &json!({ "email": EMAIL, "password": PASSWORD }));
    let cookie = answer.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
    assert!(cookie.contains("SameSite=Strict") && cookie.contains("HttpOnly"), "{cookie}");
    let value = cookie.split(';').next().unwrap().to_owned();
    // Forms of other sites send these types, and no header of their own.
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
    ] {
        let client = app.anonymous();
        let request =
            client.request("POST", "/keys").header("Cookie", value.clone()).header("Content-Type", kind);
        let refused = client.send(request.header("Origin", "https://evil.example").body(r#"{"name":"x"}"#));
        let fits = if kind == "application/json" {
            refused.status == 403
        } else {
            [403, 415].contains(&refused.status)
        };
        assert!(fits, "{kind}: {}", refused.text());
    }
    assert_eq!(admin.get("/keys").expect(200)["total"], 0);
    // Nobody else's page reads an answer.
    let client = app.anonymous();
    let foreign =
        client.request("GET", "/session").header("Cookie", value).header("Origin", "https://evil.example");
    let headers = client.send(foreign).headers;
    assert!(!headers.contains_key("access-control-allow-origin"));
}

#[test]
fn fields_that_are_not_asked_for_give_nobody_more() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let owner = tenant(&app, &admin, "acme");
    let made =
        owner.post("/invitations", &json!({ "email": "eve@acme.example", "role": "member" })).expect(201);
    let eve = app.anonymous();
    let accept = json!({ "token": made["token"], "name": "Eve", "password": "another horse at the battery" });
    for extra in [json!({ "role": "owner" }), json!({ "tenant": "main" }), json!({ "rights": ["*"] })] {
        let mut body = accept.clone();
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(eve.post("/invitations/accept", &body).status, 422, "{extra}");
    }
    let session = eve.post("/invitations/accept", &accept).expect(201);
    let eve = eve.with_csrf(session["csrf_token"].as_str().unwrap());
    let id = session["user"]["id"].as_str().unwrap();
    let attempts: [(&str, String, Value); 7] = [
        ("PATCH", "/me".into(), json!({ "name": "Eve", "role": "owner" })),
        ("PATCH", "/me".into(), json!({ "email": "owner@acme.example" })),
        ("PATCH", format!("/people/{id}"), json!({ "role": "owner" })),
        ("POST", "/keys".into(), json!({ "name": "x", "scopes": ["*", "appliance.tenants"] })),
        ("POST", "/roles".into(), json!({ "name": "all", "title": "All", "permissions": ["people.manage"] })),
        (
            "POST",
            "/apps".into(),
            json!({ "name": "x", "kind": "confidential", "scopes": ["people.manage"], "grants": ["client_credentials"] }),
        ),
        ("PUT", format!("/operators/{id}"), json!({})),
    ];
    for (method, path, body) in attempts {
        let answer = eve.send(eve.request(method, &path).json(&body));
        assert!([403, 422].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
    }
    assert_eq!(eve.get("/session").expect(200)["user"]["role"], "member");
    // Not even an owner gives what belongs to the appliance.
    let key = owner.post("/keys", &json!({ "name": "x", "scopes": ["appliance.tenants"] }));
    assert!([403, 422].contains(&key.status), "{}", key.text());
}

#[test]
fn no_address_of_a_provider_makes_the_appliance_ask_what_it_must_not() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    for issuer in [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254",
        "https://[fe80::1]/realm",
        "https://[::ffff:169.254.169.254]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/",
        "https://user:password@login.example.org/",
        "http://login.example.org/",
    ] {
        let provider = json!({ "kind": "oidc", "name": "Evil", "config": { "issuer": issuer, "client_id": "x" }, "secret": "y" });
        let answer = admin.post("/sign-in/providers", &provider);
        assert_eq!(answer.problem(422), "invalid_field", "{issuer}");
    }
    for url in ["ldap://169.254.169.254", "ldaps://[fe80::1]", "ldapi:///var/run/slapd", "http://127.0.0.1/"]
    {
        let config =
            json!({ "urls": [url], "bind_dn": "cn=x", "search_base": "dc=x", "user_filter": "(uid={name})" });
        let provider = json!({ "kind": "ldap", "name": "Evil", "config": config, "secret": "y" });
        assert_eq!(admin.post("/sign-in/providers", &provider).problem(422), "invalid_field", "{url}");
    }
    let log = admin.get("/status").expect(200).to_string();
    assert!(!log.contains("169.254"), "nothing was even tried");
}

#[test]
fn nobody_is_led_to_another_site() {
    let app = TestApp::start(LECTERN);
    // A return from a provider that nobody was sent to leads to this site's own page.
    let client_without = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    for query in [
        "?state=x&code=y",
        "?error=access_denied&return_to=https://evil.example",
        "?iss=https://evil.example",
    ] {
        let answer =
            client_without.get(format!("{}/api/v1/session/oidc/callback{query}", app.url)).send().unwrap();
        let to = answer.headers().get("location").unwrap().to_str().unwrap();
        assert!(to.starts_with('/') && !to.starts_with("//") && !to.contains("evil"), "{query}: {to}");
    }
    for path in ["//evil.example/", "/%2f%2fevil.example", "/oauth/authorize/..//evil.example"] {
        let answer = client_without.get(format!("{}{path}", app.url)).send().unwrap();
        assert!(!answer.status().is_redirection(), "{path}: {}", answer.status());
    }
}

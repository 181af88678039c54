//! An operator in the place of a person: with the tenant's consent, for a while, seen by both.

use lectern_testkit::{Client, TestApp, fixture};
use serde_json::{Value, json};

use crate::LECTERN;
use crate::api::tenants::tenant;

const REASON: &str = "Ticket 4711: no answers";

fn enter(operator: &Client, email: &str) -> lectern_testkit::Answer {
    operator.post("/tenants/acme/support-session", &json!({ "email": email, "reason": REASON }))
}

/// The operator in the place of acme's owner.
fn inside(operator: &Client, session: &Value) -> Client {
    operator.clone().with_csrf(session["csrf_token"].as_str().unwrap())
}

fn actions(client: &Client, of: &str) -> Vec<String> {
    let entries = client.get(&format!("{of}?limit=100")).expect(200);
    let items = entries["items"].as_array().unwrap();
    items.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn without_consent_nobody_comes_in_and_when_it_ends_they_are_out() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let owner = tenant(&app, &admin, "acme");
    let email = "owner@acme.example";
    assert_eq!(enter(&admin, email).problem(403), "forbidden");
    let consent = json!({ "hours": 2, "note": "4711" });
    owner.send(owner.request("PUT", "/support-access").json(&consent)).expect(200);
    assert_eq!(enter(&admin, "nobody@acme.example").problem(404), "not_found");
    let session = enter(&admin, email).expect(201);
    assert_eq!(session["tenant"]["id"], "acme");
    assert_eq!(session["support"]["operator"], "ada@example.org (main)");
    let guest = inside(&admin, &session);
    assert_eq!(guest.get("/session").expect(200)["user"]["email"], email);
    // The owner sees them.
    let open = owner.get("/me/sessions").expect(200);
    assert!(open.as_array().unwrap().iter().any(|one| one["operator"] == "ada@example.org (main)"), "{open}");
    owner.delete("/support-access").expect(204);
    assert_eq!(guest.get("/session").status, 401);
    for wanted in ["support.consented", "support.session_opened", "support.ended"] {
        assert!(actions(&owner, "/audit").contains(&wanted.to_owned()), "{wanted}");
    }
}

#[test]
fn they_look_and_change_only_what_the_consent_says_and_never_what_is_personal() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let owner = tenant(&app, &admin, "acme");
    let document = owner.add("pump.md", fixture::PUMP.as_bytes());
    let put = |body: &Value| owner.send(owner.request("PUT", "/support-access").json(body)).expect(200);
    put(&json!({ "hours": 1 }));
    let session = enter(&admin, "owner@acme.example").expect(201);
    let guest = inside(&admin, &session);
    assert_eq!(guest.get("/documents").expect(200)["total"], 1, "looking is what it is for");
    let rename = format!("/documents/{}", document["id"].as_str().unwrap());
    assert_eq!(guest.patch(&rename, &json!({ "title": "x" })).problem(403), "forbidden");
    // Back to the operator's own session, without signing in again.
    guest.delete("/session").expect(204);
    assert_eq!(admin.get("/session").expect(200)["tenant"]["id"], "main");
    put(&json!({ "hours": 1, "may_change": true }));
    let session = enter(&admin, "owner@acme.example").expect(201);
    let guest = inside(&admin, &session);
    guest.patch(&rename, &json!({ "title": "Pump" })).expect(200);
    let changed = owner.get("/audit?action=document.changed").expect(200);
    let by = changed["items"][0].to_string();
    assert!(by.contains("ada@example.org (main)"), "{by}");
    let personal = [
        ("POST", "/session/password", json!({ "current": "x", "new": "a quite different horse" })),
        ("POST", "/me/factors/totp", json!({ "password": "x", "name": "x" })),
        ("PATCH", "/me", json!({ "name": "x" })),
        ("DELETE", "/me/sessions", json!({})),
        ("POST", "/keys", json!({ "name": "x" })),
        ("PUT", "/support-access", json!({ "hours": 100 })),
        ("POST", "/invitations", json!({ "email": "x@example.org", "role": "owner" })),
        ("POST", "/tenants/main/support-session", json!({ "email": "ada@example.org", "reason": REASON })),
    ];
    for (method, path, body) in personal {
        let answer = guest.send(guest.request(method, path).json(&body));
        assert_eq!(answer.problem(403), "forbidden", "{method} {path}");
    }
}

#[test]
fn only_operators_and_not_for_longer_than_a_week() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let owner = tenant(&app, &admin, "acme");
    for hours in [0, 169] {
        let answer = owner.send(owner.request("PUT", "/support-access").json(&json!({ "hours": hours })));
        assert_eq!(answer.problem(422), "invalid_field");
    }
    owner.send(owner.request("PUT", "/support-access").json(&json!({ "hours": 1 }))).expect(200);
    assert_eq!(enter(&owner, "owner@acme.example").problem(403), "forbidden");
    let short = json!({ "email": "owner@acme.example", "reason": " x " });
    assert_eq!(admin.post("/tenants/acme/support-session", &short).problem(422), "invalid_field");
    enter(&admin, "owner@acme.example").expect(201);
    // In the main tenant again: a fresh client, as the cookie of the first one is the person's now.
    let again = app.admin();
    assert!(actions(&again, "/appliance/audit").contains(&"support.session_opened".to_owned()));
}

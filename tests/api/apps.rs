//! Apps of third parties, as a client library of others sees the whole appliance.

use std::process::Command;

use lectern_testkit::{TestApp, fixture};
use serde_json::json;

use crate::LECTERN;

#[test]
fn a_client_library_walks_every_flow() {
    let python = std::env::var("OAUTH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let known = Command::new(&python).args(["-c", "import authlib, requests"]).output();
    if !known.is_ok_and(|output| output.status.success()) {
        println!("skipped: the Python packages authlib and requests are not there");
        return;
    }
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    admin.add("pump.md", fixture::PUMP.as_bytes());
    let session = admin.get("/session").expect(200);
    let cookie = session_cookie(&app);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oauth_client_check.py");
    let output = Command::new(python).args([script, &app.url, &cookie.0, &cookie.1]).output().expect("runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(session["permissions"].as_array().unwrap().contains(&json!("apps.manage")));
}

/// Value of a new session's cookie, and its CSRF token.
fn session_cookie(app: &TestApp) -> (String, String) {
    let client = app.anonymous();
    let body = json!({ "email": lectern_testkit::EMAIL, "password": lectern_testkit::PASSWORD });
    let answer = client.post("/session", &body);
    let cookie = answer.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
    let value = cookie.split(';').next().unwrap().trim_start_matches("lectern_session=").to_owned();
    (value, answer.expect(201)["csrf_token"].as_str().unwrap().to_owned())
}

#[test]
fn what_somebody_may_no_more_their_apps_may_no_more() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let new = json!({ "name": "Board", "kind": "confidential", "scopes": ["documents.read", "documents.write"],
        "grants": ["client_credentials"] });
    let board = admin.post("/apps", &new).expect(201);
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "documents.read"),
        ("client_id", board["client_id"].as_str().unwrap()),
        ("client_secret", board["client_secret"].as_str().unwrap()),
    ];
    let token =
        |client: &lectern_testkit::Client| client.send(client.request("POST", "/oauth/token").form(&form));
    let issued = token(&app.anonymous()).expect(200);
    let robot = app.anonymous().with_bearer(issued["access_token"].as_str().unwrap());
    robot.get("/documents").expect(200);
    assert_eq!(robot.post("/keys", &json!({ "name": "x" })).problem(403), "forbidden");
    assert_eq!(robot.get("/session").status, 403, "a token is no session");
    let id = board["id"].as_str().unwrap();
    admin.patch(&format!("/apps/{id}"), &json!({ "scopes": ["documents.write"] })).expect(200);
    assert_eq!(robot.get("/documents").problem(403), "forbidden", "what the app lost, its token lost");
    admin.delete(&format!("/apps/{id}")).expect(204);
    assert_eq!(robot.get("/documents").problem(401), "unauthenticated");
    assert_eq!(token(&app.anonymous()).status, 401);
}

#[test]
fn the_pages_of_consent_stand_in_no_frame_and_send_nobody_elsewhere() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    for page in ["/oauth/authorize?client_id=x", "/oauth/device", "/"] {
        let answer = reqwest::blocking::get(format!("{}{page}", app.url)).unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{page}");
        assert_eq!(answer.headers().get("x-frame-options").unwrap(), "DENY", "{page}");
        let policy = answer.headers().get("content-security-policy").unwrap().to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{page}: {policy}");
    }
    // An address that the app did not register is never led to: the refusal is for the person alone.
    let new = json!({ "name": "Board", "kind": "public", "redirect_uris": ["https://board.example/back"],
        "scopes": ["documents.read"], "grants": ["authorization_code"] });
    let board = admin.post("/apps", &new).expect(201);
    let client = board["client_id"].as_str().unwrap();
    for elsewhere in
        ["https://evil.example/", "https://board.example/back/x", "https://board.example.evil.example/back"]
    {
        let query = format!(
            "/oauth/authorize?response_type=code&client_id={client}&redirect_uri={elsewhere}&scope=documents.read\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        );
        let answer = admin.get(&query);
        assert_eq!(answer.status, 400, "{elsewhere}: {}", answer.text());
        assert!(!answer.text().contains("redirect_to"), "{elsewhere}");
    }
}

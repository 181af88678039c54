//! Start, set-up, sign-in, keys, stop.

use std::os::unix::fs::PermissionsExt;

use lectern_testkit::{Options, TestApp, lectern};
use serde_json::json;

use crate::LECTERN;

#[test]
fn the_first_start_ends_with_an_administrator() {
    let app = TestApp::start(LECTERN);
    let nobody = app.anonymous();
    assert_eq!(nobody.get("/healthz").status, 200);
    assert_eq!(nobody.get("/setup").expect(200)["needed"], true);
    assert_eq!(nobody.get("/documents").problem(401), "unauthenticated");
    let new = json!({ "code": "AAAA-AAAA-AAAA", "name": "Eve", "email": "eve@example.org", "password": "long enough password" });
    assert!([401, 403, 422].contains(&nobody.post("/setup", &new).status));
    let admin = app.admin();
    assert_eq!(admin.get("/session").expect(200)["user"]["name"], "Ada");
    assert_eq!(nobody.get("/setup").expect(200)["needed"], false);
    assert_eq!(nobody.post("/setup", &new).problem(409), "already_set_up");
}

#[test]
fn a_session_needs_its_csrf_token_and_ends() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let bare = app.anonymous();
    bare.post("/session", &json!({ "email": "ada@example.org", "password": "wrong password here" }))
        .problem(401);
    bare.post("/session", &json!({ "email": "ada@example.org", "password": "correct horse battery staple" }))
        .expect(201);
    assert_eq!(bare.get("/session").status, 200);
    assert_eq!(bare.post("/keys", &json!({ "name": "x" })).problem(403), "csrf_missing");
    assert_eq!(admin.delete("/session").status, 204);
    assert_eq!(admin.get("/session").problem(401), "unauthenticated");
}

#[test]
fn a_key_works_until_it_is_revoked() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let key = admin.post("/keys", &json!({ "name": "robot" })).expect(201);
    let robot = app.anonymous().with_bearer(key["secret"].as_str().unwrap());
    assert_eq!(robot.get("/documents").status, 200);
    let listed = admin.get("/keys").expect(200);
    assert!(!listed.to_string().contains(key["secret"].as_str().unwrap()), "a secret is shown once");
    assert_eq!(admin.delete(&format!("/keys/{}", key["id"].as_str().unwrap())).status, 204);
    assert_eq!(robot.get("/documents").problem(401), "unauthenticated");
}

#[test]
fn https_is_the_default_with_a_certificate_of_its_own_authority() {
    let app = TestApp::start_with(LECTERN, Options { https: true, ..Options::default() });
    assert!(app.url.starts_with("https://127.0.0.1:"), "{}", app.url);
    let pem = std::fs::read(app.data().join("tls/authority.pem")).unwrap();
    let trusting = reqwest_client(Some(&pem));
    assert_eq!(trusting.get(format!("{}/healthz", app.url)).send().unwrap().status(), 200);
    assert!(reqwest_client(None).get(format!("{}/healthz", app.url)).send().is_err());
    let mode = std::fs::metadata(app.data().join("tls/server.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "the key is its owner's");
}

fn reqwest_client(authority: Option<&[u8]>) -> reqwest::blocking::Client {
    let mut builder = reqwest::blocking::Client::builder().no_proxy();
    if let Some(pem) = authority {
        builder = builder.add_root_certificate(reqwest::Certificate::from_pem(pem).unwrap());
    }
    builder.build().unwrap()
}

#[test]
fn a_second_process_is_told_who_holds_the_folder() {
    let app = TestApp::start(LECTERN);
    let output = lectern(LECTERN)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(app.data())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(told.contains("in use by process") && told.contains(&app.process().to_string()), "{told}");
}

#[test]
fn a_wrong_configuration_stops_the_start_with_file_line_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lectern.toml");
    std::fs::write(&file, "[upload]\nmax_sise = \"1 GB\"\n").unwrap();
    let output = lectern(LECTERN).args(["serve", "--data"]).arg(folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(told.contains("lectern.toml:2: there is no setting 'upload.max_sise'"), "{told}");
    assert!(told.contains("Did you mean 'max_size'?"), "{told}");
}

#[test]
fn sigterm_ends_in_order_and_the_next_start_has_everything() {
    let mut app = TestApp::start(LECTERN);
    let admin = app.admin();
    let added = admin.add("pump.md", lectern_testkit::fixture::PUMP.as_bytes());
    assert_eq!(added["status"], "ready", "{added}");
    assert!(app.terminate(), "exit code 0 after SIGTERM");
    assert!(!app.data().join("serving.json").exists());
    app.start_again();
    assert_eq!(app.setup_code, None);
    let found = app.admin().get("/search?q=P-117").expect(200);
    assert_eq!(found["hits"][0]["document"], added["id"]);
}

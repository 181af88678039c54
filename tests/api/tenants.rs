//! Tenants on the running appliance: documents in each, closed when idle, out when suspended, moved with all they hold.

use std::io::Read;
use std::time::{Duration, Instant};

use lectern_testkit::{Client, Options, TestApp, fixture, lectern};
use serde_json::{Value, json};

use crate::LECTERN;

const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a tenant; its owner has joined.
pub(crate) fn tenant(app: &TestApp, admin: &Client, id: &str) -> Client {
    let new = json!({ "id": id, "name": id, "owner_email": format!("owner@{id}.example") });
    let made = admin.post("/tenants", &new).expect(201);
    let owner = app.anonymous();
    let accept =
        json!({ "token": made["invitation"], "name": "Owner", "password": "another horse at the battery" });
    let session = owner.post("/invitations/accept", &accept).expect(201);
    owner.with_csrf(session["csrf_token"].as_str().unwrap())
}

pub(crate) fn operator_key(app: &TestApp, admin: &Client) -> Client {
    let key = json!({ "name": "operator", "scopes": ["*", "appliance.tenants"] });
    let key = admin.post("/keys", &key).expect(201);
    app.anonymous().with_bearer(key["secret"].as_str().unwrap())
}

fn wait_for(mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "it does not happen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_suspended_tenants_streams_end_and_it_can_be_erased_at_once() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let operator = operator_key(&app, &admin);
    let owner = tenant(&app, &admin, "acme");
    owner.add("pump.md", fixture::PUMP.as_bytes());
    assert_eq!(owner.ask("When was the feed pump P-117 installed?")["answered"], true);
    let mut stream = owner.request("GET", "/events").send().unwrap();
    assert_eq!(stream.status(), 200);
    operator.post("/tenants/acme/suspend", &json!({ "reason": "unpaid" })).expect(200);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(owner.get("/documents").status, 401, "the session is over");
    let key = operator.send(
        operator.request("DELETE", "/tenants/acme").json(&json!({ "confirm": "acme", "grace_hours": 0 })),
    );
    assert_eq!(key.status, 204, "{}", key.text());
    assert!(!app.data().join("tenants/acme").exists());
    assert_eq!(operator.get("/tenants/erasures").expect(200)[0]["tenant"], "acme");
}

#[test]
fn an_idle_tenant_is_closed_and_answers_again() {
    let config = "[tenants]\nidle = \"1 s\"\n".to_owned();
    let app = TestApp::start_with(LECTERN, Options { config, ..Options::default() });
    let admin = app.admin();
    let operator = operator_key(&app, &admin);
    let owner = tenant(&app, &admin, "acme");
    owner.add("pump.md", fixture::PUMP.as_bytes());
    let open = |id: &str| {
        let list = operator.get("/tenants").expect(200);
        list.as_array().unwrap().iter().any(|t: &Value| t["id"] == id && t["open"] == true)
    };
    let started = Instant::now();
    while open("acme") {
        assert!(started.elapsed() < Duration::from_secs(120), "it is not closed");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(!app.data().join("tenants/acme/data.db-wal").exists(), "its log of writes is folded in");
    assert_eq!(owner.ask("When was the feed pump P-117 installed?")["answered"], true);
    owner.add("canteen.md", fixture::CANTEEN.as_bytes());
    assert_eq!(owner.get("/documents").expect(200)["total"], 2);
}

#[test]
fn a_tenant_moves_with_its_documents_people_and_record() {
    let (here, there) = (TestApp::start(LECTERN), TestApp::start(LECTERN));
    let (admin, other) = (here.admin(), there.admin());
    let owner = tenant(&here, &admin, "acme");
    owner.add("pump.md", fixture::PUMP.as_bytes());
    let key = owner.post("/keys", &json!({ "name": "k" })).expect(201);
    let there_key =
        other.post("/keys", &json!({ "name": "o", "scopes": ["*", "appliance.tenants"] })).expect(201);
    let output = lectern(LECTERN)
        .args([
            "tenant",
            "move",
            "acme",
            "--to",
            &there.url,
            "--to-key",
            there_key["secret"].as_str().unwrap(),
        ])
        .arg("--data")
        .arg(here.data())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let moved = there.anonymous().with_bearer(key["secret"].as_str().unwrap());
    assert_eq!(moved.get("/documents").expect(200)["total"], 1, "its keys work there");
    wait_for(|| moved.get("/search?q=lubrication").expect(200)["total"] == 1);
    assert!(moved.get("/audit?action=key.created").expect(200)["total"].as_u64().unwrap() >= 1);
    let gone = here.anonymous().with_bearer(key["secret"].as_str().unwrap());
    assert_eq!(gone.get("/documents").problem(403), "tenant_suspended");
    let export = there.data().join("record.jsonl");
    let run = |args: &[&str]| lectern(LECTERN).args(args).output().unwrap();
    let data = there.data().to_str().unwrap();
    let export = export.to_str().unwrap();
    let written = run(&["audit", "export", "-o", export, "--tenant", "acme", "--data", data]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    assert!(run(&["audit", "verify", export]).status.success());
    let text = std::fs::read_to_string(export).unwrap().replace("owner@acme", "other@acme");
    std::fs::write(export, text).unwrap();
    assert!(!run(&["audit", "verify", export]).status.success(), "a change is seen");
}

#[test]
fn the_command_line_works_in_a_tenant_of_a_stopped_appliance() {
    let mut app = TestApp::start(LECTERN);
    let admin = app.admin();
    tenant(&app, &admin, "acme");
    assert!(app.terminate());
    let data = app.data().to_str().unwrap().to_owned();
    let file = app.data().join("note.md");
    std::fs::write(&file, fixture::CANTEEN).unwrap();
    let run = |args: &[&str]| lectern(LECTERN).args(args).args(["--data", &data]).output().unwrap();
    let ingested = run(&["ingest", file.to_str().unwrap(), "--wait", "--tenant", "acme"]);
    assert!(ingested.status.success(), "{}", String::from_utf8_lossy(&ingested.stderr));
    let list =
        |tenant: &str| String::from_utf8(run(&["document", "list", "--tenant", tenant]).stdout).unwrap();
    assert!(list("acme").contains("Canteen") && !list("main").contains("Canteen"));
    let nowhere = run(&["document", "list", "--tenant", "nowhere"]);
    assert!(!nowhere.status.success());
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("There is no tenant 'nowhere'"));
    let tenants = String::from_utf8(run(&["tenant", "list"]).stdout).unwrap();
    assert!(tenants.contains("acme") && tenants.contains("main"), "{tenants}");
}

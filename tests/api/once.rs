//! Requests that are sent again: with an `Idempotency-Key` they are done once, whoever asks and whatever breaks.

use std::time::Duration;

use lectern_testkit::{Answer, Client, TestApp, fixture};
use serde_json::{Value, json};

use crate::LECTERN;
use crate::api::tenants::tenant;

fn send(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    client.send(client.request("POST", path).header("Idempotency-Key", key).json(body))
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

fn groups(client: &Client) -> usize {
    let groups = client.get("/groups").expect(200);
    groups.as_array().or_else(|| groups["items"].as_array()).unwrap().len()
}

#[test]
fn a_key_is_made_once_and_its_secret_is_told_again() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let new = json!({ "name": "robot" });
    let first = send(&admin, "/keys", "\"one\"", &new);
    assert!(!replayed(&first));
    let again = send(&admin, "/keys", "one", &new);
    assert!(replayed(&again));
    assert_eq!(again.headers.get("content-type"), first.headers.get("content-type"));
    let (first, again) = (first.expect(201), again.expect(201));
    assert_eq!(first, again, "with the secret that is shown once");
    assert_eq!(admin.get("/keys").expect(200)["total"], 1);
    // The kept answer is sealed.
    let secret = first["secret"].as_str().unwrap().as_bytes().to_vec();
    for file in ["data.db", "data.db-wal"] {
        let bytes = std::fs::read(app.data().join("tenants/main").join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{file}");
    }
}

#[test]
fn another_request_or_another_person_is_not_answered_with_it() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    send(&admin, "/groups", "g", &json!({ "name": "Shift A" })).expect(201);
    let other = send(&admin, "/groups", "g", &json!({ "name": "Shift B" }));
    assert_eq!(other.problem(422), "invalid_field");
    let owner = tenant(&app, &admin, "acme");
    let own = send(&owner, "/groups", "g", &json!({ "name": "Shift A" }));
    assert!(!replayed(&own), "another tenant's keys are its own");
    own.expect(201);
    assert_eq!(send(&admin, "/groups", "", &json!({ "name": "C" })).problem(400), "invalid_request");
    let long = "x".repeat(256);
    assert_eq!(send(&admin, "/groups", &long, &json!({ "name": "C" })).problem(400), "invalid_request");
    let nobody = send(&app.anonymous(), "/groups", "g", &json!({ "name": "Shift A" }));
    assert_eq!(nobody.problem(401), "unauthenticated");
}

#[test]
fn what_failed_can_be_sent_again_with_the_same_key() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    assert_eq!(send(&admin, "/groups", "g", &json!({ "name": "" })).problem(422), "invalid_field");
    send(&admin, "/groups", "g", &json!({ "name": "Shift A" })).expect(201);
    assert_eq!(groups(&admin), 1);
}

#[test]
fn a_file_is_added_once_and_a_streamed_answer_is_not_made_twice() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let upload = |key: &str| {
        let part = reqwest::blocking::multipart::Part::bytes(fixture::PUMP.as_bytes().to_vec());
        let form = reqwest::blocking::multipart::Form::new().part("file", part.file_name("pump.md"));
        admin.send(admin.request("POST", "/documents").header("Idempotency-Key", key).multipart(form))
    };
    let first = upload("u");
    let again = upload("u");
    assert!(replayed(&again), "{}", again.text());
    assert_eq!(first.json()["id"], again.json()["id"]);
    admin.wait(first.json()["id"].as_str().unwrap());
    let question = json!({ "question": "When was the feed pump P-117 installed?" });
    let ask = || {
        admin.send(
            admin
                .request("POST", "/ask")
                .header("Idempotency-Key", "q")
                .header("Accept", "text/event-stream")
                .json(&question),
        )
    };
    let told = ask();
    assert_eq!(told.status, 200, "{}", told.text());
    assert!(told.text().contains("event: done"), "{}", told.text());
    assert_eq!(ask().problem(409), "conflict");
    assert_eq!(admin.get("/conversations").expect(200)["total"], 1);
}

#[test]
fn a_client_that_goes_away_gets_its_answer_later_and_a_crash_is_told() {
    let mut app = TestApp::start(LECTERN);
    let admin = app.admin();
    let hasty =
        reqwest::blocking::Client::builder().no_proxy().timeout(Duration::from_millis(3)).build().unwrap();
    let key = admin.post("/keys", &json!({ "name": "robot" })).expect(201);
    let secret = key["secret"].as_str().unwrap().to_owned();
    let robot = app.anonymous().with_bearer(&secret);
    for n in 0..20 {
        let (name, body) = (format!("k{n}"), json!({ "name": format!("Shift {n}") }));
        let url = format!("{}/api/v1/groups", app.url);
        // Mostly too short to hear the answer.
        let _ = hasty.post(url).bearer_auth(&secret).header("Idempotency-Key", &name).json(&body).send();
        let mut answer = send(&robot, "/groups", &name, &body);
        while answer.status == 409 {
            std::thread::sleep(Duration::from_millis(20));
            answer = send(&robot, "/groups", &name, &body);
        }
        answer.expect(201);
    }
    assert_eq!(groups(&robot), 20, "each once");
    app.kill();
    app.start_again();
    let robot = app.anonymous().with_bearer(&secret);
    assert!(replayed(&send(&robot, "/groups", "k3", &json!({ "name": "Shift 3" }))), "also after a crash");
}

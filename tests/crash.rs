//! kill -9 while documents are read and tenants are made: after the next start nothing is lost, double or half.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lectern_testkit::{Client, TestApp, fixture};
use serde_json::json;

use crate::LECTERN;

const DOCUMENTS: usize = 120;
const KILLS: u64 = 4;

fn body(n: usize) -> String {
    let filler = "The quick brown fox jumps over the lazy dog while the band plays on. ".repeat(40);
    format!("# Report {n}\n\nThe marker of this report is marker{n}x.\n\n{filler}\n")
}

fn settle(client: &Client) -> serde_json::Value {
    let started = Instant::now();
    loop {
        let facets = client.get("/documents/facets").expect(200);
        let open = ["queued", "extracting", "indexing"];
        let busy = facets["statuses"]
            .as_array()
            .unwrap()
            .iter()
            .any(|s| open.contains(&s["value"].as_str().unwrap()));
        if !busy {
            return facets;
        }
        assert!(started.elapsed() < Duration::from_secs(180), "{facets}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn documents_survive_kills_at_any_point() {
    let mut app = TestApp::start(LECTERN);
    let mut sent = BTreeSet::new();
    app.admin();
    for round in 0..KILLS {
        let client = app.admin();
        let from = round as usize * DOCUMENTS / KILLS as usize;
        for n in from..from + DOCUMENTS / KILLS as usize {
            let view = client.upload(&format!("report{n}.md"), body(n).as_bytes(), &[]);
            sent.insert(view.json()["id"].as_str().unwrap().to_owned());
        }
        // A different moment each time: right after the last upload, or in the middle of the work.
        std::thread::sleep(Duration::from_millis(round * 70));
        app.kill();
        app.start_again();
    }
    let client = app.admin();
    settle(&client);
    let page = client.get("/documents?limit=500").expect(200);
    let items = page["items"].as_array().unwrap();
    let kept: BTreeSet<_> = items.iter().map(|d| d["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((items.len(), &kept), (DOCUMENTS, &sent));
    assert!(items.iter().all(|d| d["status"] == "ready"), "{page}");
    for n in (0..DOCUMENTS).step_by(7) {
        let found = client.get(&format!("/search?q=marker{n}x")).expect(200);
        assert_eq!(found["total"], 1, "report {n}: {found}");
    }
    let report = client.post("/index/check", &serde_json::json!({ "mend": true })).expect(200);
    let right =
        report["missing"].as_array().unwrap().is_empty() && report["extra"].as_array().unwrap().is_empty();
    assert!(right, "{report}");
}

#[test]
fn tenants_are_made_whole_or_not_at_all() {
    let mut app = TestApp::start(LECTERN);
    let key =
        app.admin().post("/keys", &json!({ "name": "o", "scopes": ["*", "appliance.tenants"] })).expect(201);
    let secret = key["secret"].as_str().unwrap().to_owned();
    let new = |n: u64| json!({ "id": format!("site-{n}"), "name": "Site", "owner_email": format!("o{n}@example.org") });
    let rounds = 10;
    for n in 0..rounds {
        let (url, secret, body) = (app.url.clone(), secret.clone(), new(n));
        let asking = std::thread::spawn(move || {
            let http = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
            // It may be cut off.
            let _ = http.post(format!("{url}/api/v1/tenants")).bearer_auth(secret).json(&body).send();
        });
        // Somewhere in the folder, the key, the database, the index, the invitation.
        std::thread::sleep(Duration::from_millis(4 * n));
        app.kill();
        asking.join().unwrap();
        app.start_again();
    }
    let operator = app.anonymous().with_bearer(&secret);
    for n in 0..rounds {
        // The same call again finds it made, or makes it; the owner can join in both cases.
        let made = operator.post("/tenants", &new(n));
        assert!(made.status == 200 || made.status == 201, "site-{n}: {} {}", made.status, made.text());
        let made = made.json();
        assert_eq!(made["state"], "active", "{made}");
        let owner = app.anonymous();
        let accept =
            json!({ "token": made["invitation"], "name": "O", "password": "another horse at the battery" });
        let session = owner.post("/invitations/accept", &accept).expect(201);
        let owner = owner.with_csrf(session["csrf_token"].as_str().unwrap());
        assert_eq!(owner.add("pump.md", fixture::PUMP.as_bytes())["status"], "ready");
        assert_eq!(owner.ask("When was the feed pump P-117 installed?")["answered"], true);
    }
    let folders = std::fs::read_dir(app.data().join("tenants")).unwrap().count();
    assert_eq!(folders as u64, rounds + 1, "nothing half is left");
}

//! What is held about people: handed out whole, erased everywhere, and not kept for longer than the tenant says.

use std::io::Read;
use std::path::Path;

use lectern_testkit::{Client, TestApp, fixture};
use serde_json::{Value, json};

use crate::LECTERN;

const EMAIL: &str = "grace.hopper@example.org";
const QUESTION: &str = "When was the feed pump P-117 installed for Kassandra?";

/// A member who has asked, heard, shared and allowed something.
fn member(app: &TestApp, admin: &Client) -> (String, Client) {
    let invitation = json!({ "email": EMAIL, "role": "editor", "name": "Grace" });
    let made = admin.post("/invitations", &invitation).expect(201);
    let client = app.anonymous();
    let accept =
        json!({ "token": made["token"], "name": "Grace", "password": "another horse at the battery" });
    let session = client.post("/invitations/accept", &accept).expect(201);
    let client = client.with_csrf(session["csrf_token"].as_str().unwrap());
    (session["user"]["id"].as_str().unwrap().to_owned(), client)
}

fn zip(answer: lectern_testkit::Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers.get("content-type").unwrap(), "application/zip");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(answer.bytes)).unwrap();
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let name = file.name().unwrap().into_owned();
        files.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    files
}

/// Whether any file of the folder has these bytes.
fn holds(folder: &Path, words: &str) -> Option<String> {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = holds(&path, words) {
                return Some(found);
            }
        } else if std::fs::read(&path)
            .unwrap_or_default()
            .windows(words.len())
            .any(|part| part.eq_ignore_ascii_case(words.as_bytes()))
        {
            return Some(path.display().to_string());
        }
    }
    None
}

#[test]
fn a_person_gets_all_that_is_held_about_them() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let (id, grace) = member(&app, &admin);
    let document = grace.add("pump.md", fixture::PUMP.as_bytes());
    grace.ask(QUESTION);
    grace.patch("/voice-preferences", &json!({ "rate": 180 })).expect(200);
    let text = json!({ "name": "voice", "title": "Voice", "body": "We listen." });
    admin.post("/consent-texts", &text).expect(201);
    grace.post("/me/consents/voice", &json!({ "version": 1 })).expect(204);
    let own = zip(grace.post("/me/export", &json!({})));
    let theirs = zip(admin.post(&format!("/people/{id}/export"), &json!({})));
    let names = |files: &[(String, String)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&own), names(&theirs));
    let find =
        |start: &str| own.iter().find(|(name, _)| name.starts_with(start)).map(|(_, text)| text.as_str());
    assert!(find("account/account.json").unwrap().contains(EMAIL));
    assert!(find("conversations/").unwrap().contains(QUESTION));
    assert!(find("documents/originals/").unwrap().contains("P-117"));
    assert!(find("documents/added.json").unwrap().contains(document["id"].as_str().unwrap()));
    assert!(find("voice/preferences.json").unwrap().contains("180"));
    assert!(find("consents/consents.json").unwrap().contains("given_at"));
    assert!(find("record/entries.jsonl").unwrap().contains("document.created"));
    let all: String = own.iter().map(|(_, text)| text.as_str()).collect();
    assert!(
        !all.contains("$argon2id") && !all.contains("token_sha256") && !all.contains("secret_sha256"),
        "no secret is in it"
    );
    assert_eq!(grace.post(&format!("/people/{id}/export"), &json!({})).problem(403), "forbidden");
    let nobody = "/people/usr_01jb0000000000000000000000/export";
    assert_eq!(admin.post(nobody, &json!({})).problem(404), "not_found");
}

#[test]
fn nothing_of_an_erased_person_is_left_on_the_disk() {
    let mut app = TestApp::start(LECTERN);
    let admin = app.admin();
    let (id, grace) = member(&app, &admin);
    let document = grace.add("pump.md", fixture::PUMP.as_bytes());
    let turn = grace.ask(QUESTION);
    assert_eq!(grace.get(&format!("/ask/{}/audio", turn["turn"].as_str().unwrap())).status, 200);
    let list = json!({ "entries": [{ "subject": id, "may": "write" }] });
    let access = format!("/documents/{}/access", document["id"].as_str().unwrap());
    admin.send(admin.request("PUT", &access).json(&list)).expect(200);
    let app_made = json!({ "name": "Board", "kind": "public", "redirect_uris": ["https://board.example/back"],
        "scopes": ["documents.read"], "grants": ["authorization_code"] });
    admin.post("/apps", &app_made).expect(201);
    // As an upgrade leaves it.
    let folder = app.data().join("tenants/main");
    std::fs::copy(folder.join("data.db"), folder.join("data.db.before-1800000000000")).unwrap();
    let erase = format!("/people/{id}/erase");
    assert_eq!(admin.post(&erase, &json!({ "confirm": "ada@example.org" })).problem(422), "invalid_field");
    assert_eq!(grace.post(&erase, &json!({ "confirm": EMAIL })).problem(403), "forbidden");
    let erased = admin.post(&erase, &json!({ "confirm": EMAIL.to_uppercase() })).expect(200);
    let count = |what: &str| -> u64 {
        let areas = erased["areas"].as_array().unwrap().iter();
        let all = areas.flat_map(|area| area["erased"].as_array().unwrap());
        all.filter(|one| one["what"] == what).map(|one| one["count"].as_u64().unwrap()).sum()
    };
    assert_eq!(
        (count("accounts"), count("conversations"), count("documents_made_nobodys")),
        (1, 1, 1),
        "{erased}"
    );
    assert_eq!(count("entries_of_access_lists"), 1, "{erased}");
    assert!(count("cached_sounds_of_everybody") >= 1, "{erased}");
    assert_eq!(count("copies_from_before_upgrades"), 1, "{erased}");
    assert_eq!(grace.get("/session").status, 401);
    admin.get(&format!("/documents/{}", document["id"].as_str().unwrap())).expect(200);
    assert_eq!(admin.get(&format!("/people/{id}")).problem(404), "not_found");
    // Again is no error, by the id now.
    admin.post(&erase, &json!({ "confirm": id })).expect(200);
    assert!(app.terminate());
    for words in [EMAIL, "Kassandra"] {
        assert_eq!(holds(app.data(), words), None, "{words}");
    }
    // What is left of the record still proves itself.
    app.start_again();
    let admin = app.admin();
    let file = app.data().join("record.jsonl");
    std::fs::write(&file, admin.get("/audit/export").bytes).unwrap();
    let verified = lectern_testkit::lectern(LECTERN).args(["audit", "verify"]).arg(&file).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn nobody_erases_the_last_owner_those_who_hold_more_or_themselves() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let ada = admin.get("/session").expect(200)["user"]["id"].as_str().unwrap().to_owned();
    let confirm = json!({ "confirm": "ada@example.org" });
    assert_eq!(admin.post(&format!("/people/{ada}/erase"), &confirm).problem(409), "conflict");
    let key = json!({ "name": "privacy", "scopes": ["privacy.manage", "people.read"] });
    let key = admin.post("/keys", &key).expect(201);
    let robot = app.anonymous().with_bearer(key["secret"].as_str().unwrap());
    assert_eq!(robot.post(&format!("/people/{ada}/erase"), &confirm).problem(403), "forbidden");
    let (id, _) = member(&app, &admin);
    assert_eq!(
        robot.post(&format!("/people/{id}/erase"), &json!({ "confirm": EMAIL })).problem(403),
        "forbidden"
    );
}

#[test]
fn rules_say_what_they_would_remove() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    admin.add("pump.md", fixture::PUMP.as_bytes());
    admin.ask(QUESTION);
    let rules = json!({ "conversations": 30, "uncollected": 365, "collections": { "Manuals": 90 } });
    let overdue = admin.post("/retention/preview", &rules).expect(200);
    assert!(overdue["overdue"].as_array().unwrap().iter().all(|one| one["count"] == 0), "{overdue}");
    let put = |body: &Value| admin.send(admin.request("PUT", "/retention").json(body));
    put(&rules).expect(200);
    assert_eq!(admin.get("/retention").expect(200), rules);
    for wrong in
        [json!({ "conversations": 0 }), json!({ "collections": { "": 3 } }), json!({ "uncollected": 99_999 })]
    {
        assert_eq!(put(&wrong).problem(422), "invalid_field");
    }
    assert_eq!(put(&json!({ "everything": 1 })).status, 422);
    assert_eq!(admin.get("/retention").expect(200), rules, "and nothing changed");
}

#[test]
fn what_is_required_is_agreed_to_before_anything_else() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let (_, grace) = member(&app, &admin);
    let text = json!({ "name": "rules", "title": "House rules", "body": "Be kind.", "required": true });
    admin.post("/consent-texts", &text).expect(201);
    assert_eq!(grace.get("/documents").problem(403), "forbidden");
    let asked = grace.get("/me/consents").expect(200);
    assert_eq!(asked[0]["body"], "Be kind.");
    assert_eq!(grace.post("/me/consents/rules", &json!({ "version": 7 })).problem(409), "conflict");
    grace.post("/me/consents/rules", &json!({ "version": 1 })).expect(204);
    grace.get("/documents").expect(200);
    // A new version asks again; the one who wrote it, too.
    admin.post("/me/consents/rules", &json!({ "version": 1 })).expect(204);
    let next = json!({ "name": "rules", "title": "House rules", "body": "Be very kind.", "required": true });
    admin.post("/consent-texts", &next).expect(201);
    assert_eq!(grace.get("/documents").problem(403), "forbidden");
    assert_eq!(admin.get("/consent-texts").problem(403), "forbidden");
    admin.post("/me/consents/rules", &json!({ "version": 2 })).expect(204);
    let texts = admin.get("/consent-texts").expect(200);
    assert_eq!((&texts[0]["given"], &texts[1]["given"]), (&json!(1), &json!(2)), "{texts}");
    admin.delete("/me/consents/rules").expect(204);
    assert_eq!(admin.get("/documents").problem(403), "forbidden", "taken back is not given");
    admin.post("/me/consents/rules", &json!({ "version": 2 })).expect(204);
    admin.delete("/consent-texts/rules").expect(204);
    grace.get("/documents").expect(200);
}

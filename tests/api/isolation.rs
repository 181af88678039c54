//! No tenant sees another's things: every route of the API's description, asked by every role of a second tenant, answers
//! about a thing of the first one as about a thing that is not there.

use std::collections::{BTreeMap, BTreeSet};

use lectern_testkit::{Answer, Client, TestApp, fixture};
use serde_json::{Value, json};

use crate::LECTERN;

const OTHER_PASSWORD: &str = "another horse at the battery";
/// Would end what the walk needs, or all of a tenant's things; other tests look at them.
const LEFT_OUT: [(&str, &str); 4] = [
    ("DELETE", "/session"),
    ("DELETE", "/me/sessions"),
    ("DELETE", "/conversations"),
    ("POST", "/session/password"),
];

/// What they name belongs to the appliance or to the standard, or is tried in a test of its own.
const OF_NOBODY: [&str; 7] = [
    "/audio/{file}",
    "/me/factors/{id}",
    "/models/{name}",
    "/models/{name}/use",
    "/models/{name}/verify",
    "/scim/v2/ResourceTypes/{id}",
    "/scim/v2/Schemas/{id}",
];

/// Ids of the first tenant's things, by the beginning of the address that takes them.
struct Things(BTreeMap<&'static str, String>);

impl Things {
    fn make(admin: &Client) -> Self {
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let document = admin.add("pump-secret-name.md", fixture::PUMP.as_bytes());
        let turn = admin.ask("When was the feed pump P-117 installed?");
        let key = admin.post("/keys", &json!({ "name": "secret-key-name" })).expect(201);
        let group = admin.post("/groups", &json!({ "name": "secret-group-name" })).expect(201);
        let invitation = admin
            .post("/invitations", &json!({ "email": "secret@example.org", "role": "viewer" }))
            .expect(201);
        let word = json!({ "word": "Halvorsen", "kind": "respelling", "value": "hal vor sen" });
        let lexicon = admin.post("/lexicon", &word).expect(201);
        let session = admin.get("/me/sessions").expect(200)[0].clone();
        let person = admin.get("/session").expect(200)["user"].clone();
        admin.post("/collections", &json!({ "name": "secret-collection", "access": "everyone" })).expect(201);
        admin
            .post("/roles", &json!({ "name": "secret-role", "title": "T", "permissions": ["session.use"] }))
            .expect(201);
        let forward = json!({ "name": "secret-target", "kind": "udp", "address": "127.0.0.1:9", "format": "json",
            "enabled": false });
        let target = admin.post("/audit/targets", &forward).expect(201);
        let app = json!({ "name": "secret-app", "kind": "public", "redirect_uris": ["https://app.example/back"],
            "scopes": ["documents.read"], "grants": ["authorization_code"] });
        let app = admin.post("/apps", &app).expect(201);
        let text_of_consent =
            json!({ "name": "secret-text", "title": "secret-title", "body": "secret-body" });
        admin.post("/consent-texts", &text_of_consent).expect(201);
        let config = json!({ "issuer": "https://login.example.org", "client_id": "x" });
        let provider = json!({ "kind": "oidc", "name": "secret-provider", "enabled": false, "config": config,
            "secret": "y" });
        let provider = admin.post("/sign-in/providers", &provider).expect(201);
        let sound = admin.get(&format!("/ask/{}/audio", text(&turn, "turn")));
        assert_eq!(sound.status, 200);
        Self(BTreeMap::from([
            ("/documents", text(&document, "id")),
            ("/ask", text(&turn, "turn")),
            ("/conversations", text(&turn, "conversation")),
            ("/keys", text(&key, "id")),
            ("/groups", text(&group, "id")),
            ("/invitations", text(&invitation, "id")),
            ("/lexicon", text(&lexicon, "id")),
            ("/me/sessions", text(&session, "id")),
            ("/people", text(&person, "id")),
            ("/collections", "secret-collection".to_owned()),
            ("/sign-in/providers", text(&provider, "id")),
            ("/apps", text(&app, "id")),
            ("/me/apps", text(&app, "id")),
            ("/consent-texts", "secret-text".to_owned()),
            ("/me/consents", "secret-text".to_owned()),
            ("/roles", "secret-role".to_owned()),
            ("/tenants", "main".to_owned()),
            ("/operators", text(&person, "id")),
            ("/audit/targets", text(&target, "id")),
            ("/appliance/audit/targets", text(&target, "id")),
            ("/scim/v2/Users", text(&person, "id")),
            ("/scim/v2/Groups", text(&group, "id")),
        ]))
    }

    /// The thing of an address, and one of the same kind that is nowhere.
    fn pair(&self, path: &str) -> Option<(String, String)> {
        let (_, id) = self.0.iter().rev().find(|(start, _)| path.starts_with(&format!("{start}/{{")))?;
        let nowhere = match id.rsplit_once('_') {
            Some((kind, body)) if body.len() == 26 => format!("{kind}_01jb0000000000000000000000"),
            _ => "not-there-at-all".to_owned(),
        };
        Some((id.clone(), nowhere))
    }

    /// What must not stand in any answer to the second tenant.
    fn secrets(&self) -> Vec<&str> {
        let words = ["secret-", "Halvorsen", "ada@example.org", "P-117"];
        self.0.values().map(String::as_str).filter(|id| id.contains('_')).chain(words).collect()
    }
}

/// A body that gets past the checks of the route, as far as one can be made from its description.
fn body(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("PATCH", "/documents/{id}" | "/conversations/{id}" | "/roles/{name}") => json!({ "title": "x" }),
        ("PUT", "/documents/{id}/access") => json!({ "entries": [] }),
        ("PUT", "/collections/{name}/access") => json!({ "access": "everyone", "entries": [] }),
        ("PATCH", "/people/{id}" | "/groups/{id}" | "/audit/targets/{id}" | "/apps/{id}") => {
            json!({ "name": "x" })
        }
        ("PATCH", "/lexicon/{id}") => json!({ "value": "x" }),
        ("POST", "/ask/{id}/feedback") => json!({ "rating": "up" }),
        ("POST", "/people/{id}/erase") => json!({ "confirm": "ada@example.org" }),
        ("POST", "/tenants/{id}/support-session") => {
            json!({ "email": "ada@example.org", "reason": "a look" })
        }
        ("POST", "/me/consents/{name}") => json!({ "version": 1 }),
        ("DELETE", "/tenants/{id}") => json!({ "confirm": "main" }),
        ("POST", "/tenants/{id}/suspend") => json!({ "reason": "x" }),
        ("POST", "/ask") => json!({ "question": "When was the feed pump installed?" }),
        ("PUT", "/scim/v2/Users/{id}") => json!({ "userName": "x@example.org" }),
        ("PUT", "/scim/v2/Groups/{id}") => json!({ "displayName": "x" }),
        ("PATCH", "/scim/v2/Users/{id}" | "/scim/v2/Groups/{id}") => {
            json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "x" }] })
        }
        ("POST" | "PUT" | "PATCH", _) => json!({}),
        _ => return None,
    })
}

fn send(client: &Client, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = client.request(method, path);
    client.send(match body {
        Some(body) => request.json(body),
        None => request,
    })
}

/// A body without what differs from request to request.
fn plain(answer: &Answer, id: &str) -> String {
    let mut text = answer.text().replace(id, "ID");
    if let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(&text) {
        fields.remove("request_id");
        text = Value::Object(fields).to_string();
    }
    text
}

fn person(app: &TestApp, owner: &Client, role: &str) -> Client {
    let email = format!("{role}@acme.example");
    let invited = owner.post("/invitations", &json!({ "email": email, "role": role })).expect(201);
    join(app, invited["token"].as_str().unwrap())
}

fn join(app: &TestApp, token: &str) -> Client {
    let client = app.anonymous();
    let accept = json!({ "token": token, "name": "Somebody", "password": OTHER_PASSWORD });
    let session = client.post("/invitations/accept", &accept).expect(201);
    client.with_csrf(session["csrf_token"].as_str().unwrap())
}

#[test]
fn no_role_of_a_second_tenant_learns_anything_of_the_first() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let things = Things::make(&admin);
    let new = json!({ "id": "acme", "name": "Acme", "owner_email": "zoe@acme.example" });
    let made = admin.post("/tenants", &new).expect(201);
    let owner = join(&app, made["invitation"].as_str().unwrap());
    let mut people = vec![("owner", owner.clone())];
    for role in ["admin", "editor", "member", "viewer", "auditor"] {
        people.push((role, person(&app, &owner, role)));
    }
    let key = owner.post("/keys", &json!({ "name": "all" })).expect(201);
    people.push(("key", app.anonymous().with_bearer(key["secret"].as_str().unwrap())));

    let description = admin.get("/openapi.json").expect(200);
    let (mut pairs, mut unpaired) = (0, BTreeSet::new());
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().map(|name| name.to_uppercase()) {
            if LEFT_OUT.contains(&(method.as_str(), path.as_str()))
                || path.ends_with("/events")
                || path == "/voice"
                || path.starts_with("/session/oidc")
            {
                continue;
            }
            for (role, client) in &people {
                let body = body(&method, path);
                if path.contains('{') {
                    let Some((theirs, nowhere)) = things.pair(path) else {
                        unpaired.insert(path.clone());
                        continue;
                    };
                    let fill = |id: &str| {
                        path.split('{').next().unwrap().to_owned() + id + path.split('}').nth(1).unwrap()
                    };
                    let there = send(client, &method, &fill(&theirs), body.as_ref());
                    let none = send(client, &method, &fill(&nowhere), body.as_ref());
                    let same =
                        (there.status, plain(&there, &theirs)) == (none.status, plain(&none, &nowhere));
                    assert!(
                        same,
                        "{role} {method} {path}: {} {} / {} {}",
                        there.status,
                        there.text(),
                        none.status,
                        none.text()
                    );
                    assert!(
                        [401, 403, 404, 409, 422].contains(&there.status) || there.bytes.is_empty(),
                        "{role} {method} {path}: {}",
                        there.text()
                    );
                    assert!(there.status >= 400, "{role} {method} {path}: {}", there.status);
                    pairs += 1;
                } else if method == "GET" || path == "/ask" || path == "/search" || path.ends_with("/.search")
                {
                    let query = if path == "/search" { "/search?q=pump" } else { path };
                    let text = send(client, &method, query, body.as_ref()).text();
                    let told: Vec<_> =
                        things.secrets().into_iter().filter(|word| text.contains(word)).collect();
                    assert!(told.is_empty(), "{role} {method} {path} tells {told:?}");
                }
            }
        }
    }
    assert!(pairs > 7 * 25, "{pairs} pairs were compared");
    assert_eq!(
        unpaired.iter().map(String::as_str).collect::<Vec<_>>(),
        OF_NOBODY,
        "routes without a thing of the first"
    );
    // The first tenant's things are all there still.
    assert_eq!(admin.get("/documents").expect(200)["total"], 1);
    assert_eq!(admin.get("/session").expect(200)["user"]["role"], "owner");
}

/// Names of the sounds that a tenant keeps, which lie in folders by their beginnings.
fn sounds(folder: &std::path::Path) -> Vec<String> {
    let inside = |folder: &std::path::Path| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>()
    };
    let files = inside(folder).into_iter().flat_map(|part| inside(&part.path()));
    files.filter_map(|file| file.file_name().into_string().ok()).collect()
}

#[test]
fn cursors_cookies_sounds_streams_and_conversations_do_not_cross() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    for n in 0..3 {
        admin.add(&format!("note-{n}.md"), format!("# Note {n}\n\nThe pump number {n} is red.\n").as_bytes());
    }
    let turn = admin.ask("Which colour has pump number 1?");
    let made = admin
        .post("/tenants", &json!({ "id": "acme", "name": "Acme", "owner_email": "zoe@acme.example" }))
        .expect(201);
    let owner = join(&app, made["invitation"].as_str().unwrap());
    let page = admin.get("/documents?limit=1").expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let theirs = owner.get(&format!("/documents?limit=1&cursor={cursor}")).expect(200);
    assert_eq!((&theirs["items"], &theirs["total"]), (&json!([]), &json!(0)));
    let ask = json!({ "question": "And number 2?", "conversation": turn["conversation"] });
    assert_eq!(owner.post("/ask", &ask).problem(404), "not_found");
    let filter = json!({ "question": "Which colour?", "filter": { "document": page["items"][0]["id"] } });
    let answer = owner.post("/ask", &filter);
    assert!(!answer.text().contains("is red"), "{}", answer.text());
    // What is spoken is cached by its content: the name of a sound opens it in its own tenant only.
    let first = admin.get(&format!("/ask/{}/audio", turn["turn"].as_str().unwrap()));
    assert_eq!(first.status, 200);
    let sounds = sounds(&app.data().join("tenants/main/audio"));
    assert!(!sounds.is_empty(), "the answer's sound is kept");
    for file in sounds {
        assert_eq!(admin.get(&format!("/audio/{file}")).status, 200, "{file}");
        assert_eq!(owner.get(&format!("/audio/{file}")).status, 404, "{file}");
    }
    // A stream of the second tenant hears nothing of the first.
    let stream = owner.request("GET", "/events").timeout(std::time::Duration::from_secs(4));
    let mut response = stream.send().unwrap();
    admin.add("later.md", b"# Later\n\nA secret-later document.\n");
    let mut heard = Vec::new();
    let _ = std::io::Read::read_to_end(&mut response, &mut heard);
    assert!(!String::from_utf8_lossy(&heard).contains("later"), "{}", String::from_utf8_lossy(&heard));
}

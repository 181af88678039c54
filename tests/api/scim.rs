//! People and groups that an identity service provisions, on the running appliance.

use lectern_testkit::{Answer, Client, TestApp, fixture};
use serde_json::{Value, json};

use crate::LECTERN;

const PASSWORD: &str = "another horse at the battery";
const SERVICE: [&str; 3] = ["people.read", "people.manage", "people.provision"];

/// A key of the tenant with these scopes.
fn key(app: &TestApp, owner: &Client, scopes: &[&str]) -> Client {
    let made = owner.post("/keys", &json!({ "name": "identity service", "scopes": scopes })).expect(201);
    app.anonymous().with_bearer(made["secret"].as_str().unwrap())
}

fn join(app: &TestApp, token: &Value) -> Client {
    let client = app.anonymous();
    let accept = json!({ "token": token, "name": "Somebody", "password": PASSWORD });
    let session = client.post("/invitations/accept", &accept).expect(201);
    client.with_csrf(session["csrf_token"].as_str().unwrap())
}

fn tenant(app: &TestApp, admin: &Client, limits: Value) -> Client {
    let new = json!({ "id": "acme", "name": "Acme", "owner_email": "zoe@acme.example", "limits": limits });
    let made = admin.post("/tenants", &new).expect(201);
    join(app, &made["invitation"])
}

/// A refusal in the form of RFC 7644; its `scimType`.
#[track_caller]
fn refusal(answer: Answer, status: u16) -> String {
    assert_eq!(answer.headers["content-type"], "application/scim+json", "{}", answer.text());
    let body = answer.expect(status);
    assert_eq!(body["status"], status.to_string());
    body["scimType"].as_str().unwrap_or_default().to_owned()
}

fn patch(client: &Client, path: &str, operations: Value) -> Answer {
    client.patch(path, &json!({ "Operations": operations }))
}

#[test]
fn who_is_provisioned_signs_in_by_a_link_and_is_out_when_not_active() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let service = key(&app, &admin, &SERVICE);
    let new = json!({
        "userName": "mia", "externalId": "m-1", "displayName": "Mia", "emails": [{ "value": "mia@example.org" }],
    });
    let made = service.post("/scim/v2/Users", &new);
    assert_eq!(made.headers["content-type"], "application/scim+json");
    let location = made.headers["location"].to_str().unwrap().to_owned();
    let mia = made.expect(201);
    assert_eq!(location, format!("{}/api/v1/scim/v2/Users/{}", app.url, mia["id"].as_str().unwrap()));
    assert_eq!(refusal(service.post("/scim/v2/Users", &new), 409), "uniqueness");
    let path = format!("/people/{}", mia["id"].as_str().unwrap());
    let seen = admin.get(&path).expect(200);
    assert_eq!(
        (&seen["email"], &seen["role"], &seen["has_password"]),
        (&json!("mia@example.org"), &json!("member"), &json!(false))
    );
    let link = admin.post(&format!("{path}/password-link"), &json!({})).expect(201);
    let person = join(&app, &link["token"]);
    assert_eq!(person.get("/session").expect(200)["user"]["name"], "Mia");
    assert_eq!(refusal(person.get("/scim/v2/Users"), 403), "", "a member sees nobody");
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    assert_eq!(patch(&service, &users(&mia), off).expect(200)["active"], false);
    assert_eq!(person.get("/session").status, 401);
    let sign_in = json!({ "email": "mia@example.org", "password": PASSWORD });
    assert_eq!(app.anonymous().post("/session", &sign_in).status, 401);
    let record = admin.get("/audit?action=user.changed").expect(200);
    assert_eq!(record["items"][0]["object"], mia["id"], "{record}");
    assert_eq!(service.delete(&users(&mia)).status, 204);
    assert_eq!(admin.get(&path).problem(404), "not_found");
}

/// The address of a person as a resource.
fn users(person: &Value) -> String {
    format!("/scim/v2/Users/{}", person["id"].as_str().unwrap())
}

#[test]
fn groups_of_the_service_open_collections() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let service = key(&app, &admin, &SERVICE);
    let mia = service.post("/scim/v2/Users", &json!({ "userName": "mia@example.org" })).expect(201);
    let link = admin.post(&format!("/people/{}/password-link", mia["id"].as_str().unwrap()), &json!({}));
    let person = join(&app, &link.expect(201)["token"]);
    let group = json!({ "displayName": "Pump crew", "externalId": "g-1" });
    let group = service.post("/scim/v2/Groups", &group).expect(201);
    let document = admin.add("pump.md", fixture::PUMP.as_bytes());
    let access = format!("/documents/{}/access", document["id"].as_str().unwrap());
    let list = json!({ "entries": [{ "subject": group["id"], "may": "read" }] });
    let put = admin.send(admin.request("PUT", &access).json(&list));
    assert_eq!(put.status, 200, "{}", put.text());
    let sees = || person.get("/documents").expect(200)["total"] == 1;
    assert!(!sees());
    let path = format!("/scim/v2/Groups/{}", group["id"].as_str().unwrap());
    let member = json!([{ "value": mia["id"] }]);
    patch(&service, &path, json!([{ "op": "Add", "path": "members", "value": member }])).expect(200);
    assert!(sees());
    patch(&service, &path, json!([{ "op": "Remove", "path": "members", "value": member }])).expect(200);
    assert!(!sees());
    patch(&service, &path, json!([{ "op": "add", "path": "members", "value": member }])).expect(200);
    assert!(sees());
    assert_eq!(service.delete(&path).status, 204);
    assert!(!sees(), "a list that names nobody opens to nobody");
}

#[test]
fn keys_do_what_they_may_in_their_tenant_only() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let owner = tenant(&app, &admin, json!({ "members": 2 }));
    let (service, ours) = (key(&app, &owner, &SERVICE), key(&app, &admin, &["*"]));
    let ada = admin.get("/session").expect(200)["user"].clone();
    let group = ours.post("/scim/v2/Groups", &json!({ "displayName": "Ours" })).expect(201);
    let foreign = [
        format!("/scim/v2/Users/{}", ada["id"].as_str().unwrap()),
        format!("/scim/v2/Groups/{}", group["id"].as_str().unwrap()),
    ];
    for path in &foreign {
        let replace = json!([{ "op": "replace", "path": "displayName", "value": "x" }]);
        assert_eq!(refusal(service.get(path), 404), "");
        assert_eq!(refusal(patch(&service, path, replace), 404), "");
        assert_eq!(refusal(service.delete(path), 404), "");
    }
    let theirs = json!({ "displayName": "Theirs", "members": [{ "value": ada["id"] }] });
    assert_eq!(refusal(service.post("/scim/v2/Groups", &theirs), 400), "invalidValue");
    assert_eq!(service.get("/scim/v2/Users").expect(200)["totalResults"], 1);
    // The plan of the tenant has room for one more.
    service.post("/scim/v2/Users", &json!({ "userName": "one@acme.example" })).expect(201);
    assert_eq!(refusal(service.post("/scim/v2/Users", &json!({ "userName": "two@acme.example" })), 403), "");
    // Owners are above the key; the last one stays for any.
    let zoe = owner.get("/session").expect(200)["user"].clone();
    assert_eq!(refusal(service.delete(&users(&zoe)), 403), "");
    let all = key(&app, &owner, &["*"]);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(refusal(patch(&all, &users(&zoe), off), 409), "");
    // A key without the permission, and none at all.
    let reader = key(&app, &owner, &["documents.read"]);
    assert_eq!(refusal(reader.get("/scim/v2/Users"), 403), "");
    assert_eq!(refusal(app.anonymous().get("/scim/v2/Users"), 401), "");
}

#[test]
fn too_many_requests_are_refused_in_the_form_of_the_protocol() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let owner = tenant(&app, &admin, json!({ "requests_per_minute": 8 }));
    let service = key(&app, &owner, &SERVICE);
    let refused = (0..20).map(|_| service.get("/scim/v2/Users?count=0")).find(|answer| answer.status != 200);
    let refused = refused.expect("one is too many");
    assert!(refused.headers.contains_key("retry-after") && refused.headers.contains_key("ratelimit"));
    assert_eq!(refusal(refused, 429), "");
}

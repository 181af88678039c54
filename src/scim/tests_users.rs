//! People by SCIM: made, changed, removed, and the rules of `identity` that hold for it.

use actix_web::http::Method;
use lectern_identity::PersonView;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Rights, Scope, TenantId};
use lectern_store::params;
use serde_json::{Value, json};

use crate::testing::{OWNER, SERVICE, Site, id};
use crate::types::ENTERPRISE;

fn babs() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "701984",
        "userName": "bjensen",
        "name": { "formatted": "Ms. Barbara J Jensen III", "familyName": "Jensen", "givenName": "Barbara" },
        "displayName": "Babs Jensen",
        "title": "Tour Guide",
        "preferredLanguage": "en-US",
        "emails": [
            { "value": "Babs@Example.org", "type": "work", "primary": true },
            { "value": "babs@jensen.example", "type": "home" },
        ],
        "phoneNumbers": [{ "value": "tel:+1-201-555-0123", "type": "work" }],
        "password": "never kept",
        ENTERPRISE: { "employeeNumber": "701984", "department": "Tours", "costCenter": "4130" },
    })
}

/// A person as signing in knows them.
async fn known(site: &Site, user: &Value) -> PersonView {
    let id = id(user).parse().expect("an id");
    site.identity.person(&Scope::system(TenantId::main()), &id).await.expect("is there")
}

/// What a query of a single text finds in the tenant's database.
async fn scalar(site: &Site, sql: &'static str) -> Option<String> {
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    store.db.read(move |tx| tx.scalar(sql, params![])).await.expect("reads")
}

#[actix_web::test]
async fn a_person_is_made_with_all_that_is_given() {
    let site = Site::new().await;
    let made = site.post("/Users", babs()).await;
    assert_eq!((made.status, made.header("content-type")), (201, "application/scim+json"));
    let location = format!("http://lectern.example/api/v1/scim/v2/Users/{}", id(&made.body));
    assert_eq!(
        (made.header("location"), &made.body["meta"]["location"]),
        (location.as_str(), &json!(location))
    );
    assert_eq!(made.header("etag"), made.body["meta"]["version"].as_str().expect("a version"));
    let mut expected = babs();
    for (name, value) in expected.as_object_mut().expect("fields") {
        if name == "password" {
            assert_eq!(made.body.get(name), None);
        } else {
            assert_eq!(&made.body[name], value, "{name}");
        }
    }
    assert_eq!((&made.body["active"], made.body.get("roles")), (&json!(true), None));
    assert_eq!(site.get(&format!("/Users/{}", id(&made.body))).await.expect(200), made.body);
    let person = known(&site, &made.body).await;
    assert_eq!((person.name.as_str(), person.email.as_str()), ("Babs Jensen", "Babs@Example.org"));
    assert_eq!((person.role.as_str(), person.has_password), ("member", false));
    assert_eq!(person.language.as_deref(), Some("en"));
    let record = site.audit().await;
    assert!(record[0].contains("user.created") && record[0].contains("key_"), "{}", record[0]);
    let told = scalar(&site, "SELECT kind FROM outbox ORDER BY sequence DESC LIMIT 1").await;
    assert_eq!(told.as_deref(), Some("user.created"));
}

#[actix_web::test]
async fn little_is_needed_and_nothing_is_there_twice() {
    let site = Site::new().await;
    let made = site.post("/Users", json!({ "userName": "cleo@example.org" })).await.expect(201);
    assert_eq!(made["emails"], json!([{ "value": "cleo@example.org", "type": "work", "primary": true }]));
    assert_eq!(made.get("displayName"), None);
    let again = [
        json!({ "userName": "CLEO@example.org", "emails": [{ "value": "c2@example.org" }] }),
        json!({ "userName": "c2", "emails": [{ "value": "Cleo@Example.org" }] }),
        json!({ "userName": OWNER, "emails": [{ "value": "c2@example.org" }] }),
    ];
    for body in again {
        assert_eq!(site.post("/Users", body.clone()).await.refusal(), (409, "uniqueness"), "{body}");
    }
    let wrong = [
        json!({}),
        json!({ "userName": "no-mail" }),
        json!({ "emails": [{ "value": "x@example.org" }] }),
        json!({ "userName": "x", "emails": [{ "value": "not one" }] }),
        json!({ "userName": "x@example.org", "roles": ["No Role"] }),
        json!({ "userName": "x@example.org", "roles": ["nosuch"] }),
        json!({ "userName": "x@example.org", "active": "perhaps" }),
    ];
    for body in wrong {
        assert_eq!(site.post("/Users", body.clone()).await.refusal(), (400, "invalidValue"), "{body}");
    }
    assert_eq!(site.get("/Users").await.body["totalResults"], 2, "nothing was left of the refused");
    let kept = scalar(&site, "SELECT CAST(count(*) AS TEXT) FROM scim_users").await;
    assert_eq!(kept.as_deref(), Some("1"));
}

#[actix_web::test]
async fn whoever_was_here_before_is_seen_and_can_be_taken_over() {
    let site = Site::new().await;
    let found = site.find("Users", &format!("userName eq \"{}\"", OWNER.to_uppercase())).await.expect(200);
    let anna = &found["Resources"][0];
    assert_eq!((&found["totalResults"], &anna["displayName"]), (&json!(1), &json!("Anna")));
    assert_eq!(anna["roles"], json!([{ "value": "owner", "primary": true }]));
    let path = format!("/Users/{}", id(anna));
    let change = json!([{ "op": "replace", "path": "title", "value": "Chief" }]);
    assert_eq!(site.patch(&path, change.clone()).await.refusal().0, 403, "an owner holds more than the key");
    let all = site.with(&["*"]).await;
    let external = json!([{ "op": "add", "path": "externalId", "value": "e-1" }]);
    assert_eq!(all.patch(&path, external).await.expect(200)["externalId"], "e-1");
    let after = all.patch(&path, change).await.expect(200);
    assert_eq!(
        (&after["title"], &after["userName"], &after["roles"][0]["value"]),
        (&json!("Chief"), &json!(OWNER), &json!("owner"))
    );
    for gone in [
        json!([{ "op": "replace", "path": "active", "value": false }]),
        json!([{ "op": "replace", "path": "roles", "value": ["member"] }]),
    ] {
        let refused = all.patch(&path, gone).await;
        assert_eq!(refused.refusal(), (409, ""), "the last owner stays");
        assert!(refused.body["detail"].as_str().expect("a text").contains("last owner"));
    }
    assert_eq!(all.delete(&path).await.refusal(), (409, ""));
    let service = all.with(&SERVICE).await;
    assert_eq!(service.delete(&path).await.refusal(), (403, ""));
}

#[actix_web::test]
async fn nobody_gives_a_role_that_they_do_not_hold() {
    let site = Site::new().await;
    let new = |role: &str| json!({ "userName": format!("{role}@example.org"), "roles": [{ "value": role }] });
    for (role, status) in [("owner", 403), ("admin", 403), ("editor", 403), ("member", 201), ("viewer", 201)]
    {
        assert_eq!(site.post("/Users", new(role)).await.status, status, "{role}");
    }
    let plain = site.with(&["people.read", "people.manage"]).await;
    let refused = plain.post("/Users", json!({ "userName": "x@example.org" })).await;
    assert_eq!(refused.refusal(), (403, ""), "the key may not what members may");
    let reader = plain.with(&["people.read"]).await;
    assert_eq!(reader.get("/Users").await.status, 200);
    assert_eq!(reader.post("/Users", new("viewer")).await.refusal(), (403, ""));
    let wide = reader.with(&["*"]).await;
    let made = wide.post("/Users", new("editor")).await.expect(201);
    assert_eq!(made["roles"], json!([{ "value": "editor" }]));
    let path = format!("/Users/{}", id(&made));
    let two = json!([{ "op": "add", "path": "roles", "value": [{ "value": "viewer", "primary": true }] }]);
    assert_eq!(wide.patch(&path, two).await.expect(200)["roles"][1]["value"], "viewer");
    let none = wide.patch(&path, json!([{ "op": "remove", "path": "roles" }])).await.expect(200);
    assert_eq!(none.get("roles"), None);
    assert_eq!(known(&wide, &made).await.role.as_str(), "member");
}

#[actix_web::test]
async fn the_plan_says_how_many_there_may_be() {
    let site = Site::new().await;
    site.limit(2);
    site.person("one").await;
    let refused = site.post("/Users", json!({ "userName": "two@example.org" })).await;
    assert_eq!(refused.refusal(), (403, ""));
    assert!(refused.body["detail"].as_str().expect("a text").contains("room"));
}

#[actix_web::test]
async fn who_is_not_active_is_out_at_once() {
    let site = Site::new().await;
    let made = site.person("mia").await;
    let (path, scope) = (format!("/Users/{}", id(&made)), Scope::system(TenantId::main()));
    let (user, caller) = (id(&made).parse().expect("an id"), lectern_identity::Caller::default());
    let link = site.identity.reset_link(&scope, &Rights::everything(), &user).await.expect("a link");
    let accept = json!({ "token": link.token, "password": "a lamp beside the lectern" });
    let accept = serde_json::from_value(accept).expect("fits");
    let signed = site.identity.accept(accept, &caller).await.map_err(|refused| refused.error);
    let session = signed.expect("signs in").token;
    let come = || Credentials { session: Some(session.clone()), ..Credentials::default() };
    assert!(site.identity.authenticate(come()).await.is_ok());
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    assert_eq!(site.patch(&path, off).await.expect(200)["active"], false);
    assert!(site.identity.authenticate(come()).await.is_err(), "the session is over");
    let put = json!({ "userName": "mia@example.org", "displayName": "Mia" });
    let put = site.put(&path, put).await.expect(200);
    assert_eq!(
        (&put["active"], &put["displayName"]),
        (&json!(false), &json!("Mia")),
        "not named, not changed"
    );
    let on = json!([{ "op": "replace", "value": { "active": true } }]);
    assert_eq!(site.patch(&path, on).await.expect(200)["active"], true);
    assert!(site.identity.authenticate(come()).await.is_err(), "and stays over");
    let unsaid = site.patch(&path, json!([{ "op": "remove", "path": "active" }])).await.expect(200);
    assert_eq!(unsaid.get("active"), None);
}

#[actix_web::test]
async fn an_e_mail_changes_with_the_names_of_signing_in() {
    let site = Site::new().await;
    let made = site.post("/Users", babs()).await.expect(201);
    let path = format!("/Users/{}", id(&made));
    let other = site.person("other").await;
    let taken =
        json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "OTHER@example.org" }]);
    assert_eq!(site.patch(&path, taken).await.refusal(), (409, "uniqueness"));
    let new = json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "barbara@example.org" }]);
    let after = site.patch(&path, new).await.expect(200);
    assert_eq!(after["emails"][0]["value"], "barbara@example.org");
    assert_ne!(after["meta"]["version"], made["meta"]["version"]);
    let names = || async {
        let control = site.stores.control().clone();
        let count = control.read(|tx| tx.scalar::<u64>("SELECT count(*) FROM sign_in_names", params![]));
        count.await.expect("reads")
    };
    assert_eq!(names().await, Some(3), "one for each of the three people");
    site.delete(&format!("/Users/{}", id(&other))).await.expect(204);
    assert_eq!(names().await, Some(2));
    let found = site.find("Users", "emails.value eq \"barbara@example.org\"").await.expect(200);
    assert_eq!(found["totalResults"], 1);
}

#[actix_web::test]
async fn what_is_changed_in_the_console_is_seen_here() {
    let site = Site::new().await;
    let made = site.post("/Users", babs()).await.expect(201);
    let (user, scope) = (id(&made).parse().expect("an id"), Scope::system(TenantId::main()));
    let patch = serde_json::from_value(json!({ "name": "Barbara Jensen", "role": "viewer" })).expect("fits");
    site.identity.change_person(&scope, &Rights::everything(), &user, patch).await.expect("changes");
    let path = format!("/Users/{user}");
    let seen = site.get(&path).await.expect(200);
    assert_eq!(
        (&seen["displayName"], &seen["roles"][0]["value"]),
        (&json!("Barbara Jensen"), &json!("viewer"))
    );
    let title = json!([{ "op": "replace", "path": "title", "value": "Guide" }]);
    let after = site.patch(&path, title).await.expect(200);
    assert_eq!(
        (&after["displayName"], &after["roles"][0]["value"]),
        (&json!("Barbara Jensen"), &json!("viewer"))
    );
    let put = site.put(&path, babs()).await.expect(200);
    assert_eq!((&put["displayName"], &put["roles"][0]["value"]), (&json!("Babs Jensen"), &json!("viewer")));
}

#[actix_web::test]
async fn who_is_removed_leaves_nothing_behind() {
    let site = Site::new().await;
    let made = site.post("/Users", babs()).await.expect(201);
    let path = format!("/Users/{}", id(&made));
    assert_eq!(site.delete(&path).await.status, 204);
    for sent in [site.get(&path).await, site.delete(&path).await, site.put(&path, babs()).await] {
        assert_eq!(sent.refusal(), (404, ""));
    }
    for sql in
        ["SELECT CAST(count(*) AS TEXT) FROM scim_users", "SELECT CAST(count(*) AS TEXT) FROM scim_emails"]
    {
        assert_eq!(scalar(&site, sql).await.as_deref(), Some("0"), "{sql}");
    }
    site.post("/Users", babs()).await.expect(201);
    let again = site.find("Users", "externalId eq \"701984\"").await.expect(200);
    let user = id(&again["Resources"][0]).parse().expect("an id");
    let scope = Scope::system(TenantId::main());
    site.identity.remove_person(&scope, &Rights::everything(), &user).await.expect("removes");
    assert_eq!(scalar(&site, "SELECT CAST(count(*) AS TEXT) FROM scim_users").await.as_deref(), Some("0"));
}

#[actix_web::test]
async fn what_changes_nothing_leaves_no_trace() {
    let site = Site::new().await;
    let made = site.post("/Users", babs()).await.expect(201);
    let group = json!({ "displayName": "G", "members": [{ "value": made["id"] }] });
    let group = site.post("/Groups", group).await.expect(201);
    let path = format!("/Users/{}", id(&made));
    let (before, entries) = (site.get(&path).await.expect(200), site.audit().await.len());
    site.wait(60);
    assert_eq!(site.put(&path, before.clone()).await.expect(200), before);
    let title = json!([{ "op": "add", "path": "title", "value": "Tour Guide" }]);
    assert_eq!(site.patch(&path, title).await.expect(200), before);
    let path = format!("/Groups/{}", id(&group));
    let member = json!([{ "op": "add", "path": "members", "value": [{ "value": made["id"] }] }]);
    assert_eq!(site.patch(&path, member).await.expect(200), group);
    assert_eq!(site.audit().await.len(), entries);
}

#[actix_web::test]
async fn managers_are_people_or_words() {
    let site = Site::new().await;
    let (boss, mia) = (site.person("boss").await, site.person("mia").await);
    let path = format!("/Users/{}", id(&mia));
    let set = |value: &str| json!([{ "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": value }]);
    let after = site.patch(&path, set(id(&boss))).await.expect(200);
    assert_eq!(
        after[ENTERPRISE]["manager"],
        json!({ "value": boss["id"], "$ref": boss["meta"]["location"] })
    );
    let asked = format!("{path}?attributes={ENTERPRISE}:manager.displayName,userName");
    let asked = site.get(&asked).await.expect(200);
    assert_eq!(asked[ENTERPRISE], json!({ "manager": { "displayName": "boss" } }));
    let word = site.patch(&path, set("26118915")).await.expect(200);
    assert_eq!(word[ENTERPRISE]["manager"], json!({ "value": "26118915" }));
}

#[actix_web::test]
async fn only_who_knows_the_newest_version_changes_it() {
    let site = Site::new().await;
    let made = site.person("mia").await;
    let (path, old) = (format!("/Users/{}", id(&made)), made["meta"]["version"].as_str().expect("a version"));
    let same = site.send(Method::GET, &path, &[("if-none-match", old)], None).await;
    assert_eq!((same.status, same.header("etag"), &same.body), (304, old, &Value::Null));
    let body = json!({ "userName": "mia@example.org", "title": "Guide" });
    let known = [("if-match", old)];
    site.wait(1);
    let changed = site.send(Method::PUT, &path, &known, Some(&body)).await;
    assert_eq!(changed.status, 200);
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(site.send(method, &path, &known, Some(&body)).await.refusal(), (412, ""));
    }
    assert_eq!(site.send(Method::GET, &path, &[("if-none-match", old)], None).await.status, 200);
    let any = site.send(Method::DELETE, &path, &[("if-match", "*")], None).await;
    assert_eq!(any.status, 204);
}

//! The life of tenants over HTTP: made once and whole, suspended, moved, erased.

use std::sync::atomic::Ordering;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use lectern_kernel::ports::Vault;
use lectern_kernel::{Role, Scope, TenantId};
use lectern_store::TenantState;
use serde_json::{Value, json};

use crate::testing::{Site, Somebody};
use crate::{Keyring, Opening};

fn acme() -> Value {
    json!({"id": "acme", "name": "Acme", "plan": "team", "owner_email": "zoe@acme.example", "owner_name": "Zoe"})
}

fn id(name: &str) -> TenantId {
    name.parse().expect("a name")
}

/// Makes `acme`; its owner has joined.
async fn with_acme(site: &Site, operator: &Somebody) -> Somebody {
    let made = site.post(operator, "/tenants", acme()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let accept = json!({"token": made.body["invitation"], "password": crate::testing::PASSWORD});
    let joined = site.post(operator, "/invitations/accept", accept).await;
    assert_eq!(joined.status, 201, "{}", joined.body);
    site.sign_in(&id("acme"), "zoe@acme.example").await
}

#[actix_web::test]
async fn one_call_makes_a_tenant_and_the_same_again_finds_it() {
    let site = Site::new("");
    let operator = site.operator().await;
    let made = site.post(&operator, "/tenants", acme()).await;
    assert_eq!((made.status, &made.body["state"]), (201, &json!("active")));
    assert!(made.body["invitation"].as_str().is_some_and(|token| token.starts_with("inv_acme_")));
    let again = site.post(&operator, "/tenants", acme()).await;
    assert_eq!(again.status, 200);
    assert_ne!(again.body["invitation"], made.body["invitation"], "the owner has not joined yet: a new link");
    let mut other = acme();
    other["plan"] = json!("free");
    assert_eq!(site.post(&operator, "/tenants", other).await.code(), (409, "conflict"));
    for (field, value) in [
        ("id", json!("import")),
        ("plan", json!("gold")),
        ("owner_email", json!("x")),
        ("region", json!("mars")),
    ] {
        let mut wrong = acme();
        wrong[field] = value;
        wrong["name"] = json!("New");
        assert_eq!(site.post(&operator, "/tenants", wrong).await.code(), (422, "invalid_field"), "{field}");
    }
    let extra = json!({"id": "b", "name": "B", "owner_email": "a@b.c", "state": "active"});
    assert_eq!(site.post(&operator, "/tenants", extra).await.status, 422, "no field comes in unasked");
    let list = site.get(&operator, "/tenants").await.body;
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert_eq!((&list[0]["id"], &list[0]["limits"]["members"]), (&json!("acme"), &json!(50)));
    let accept = json!({"token": again.body["invitation"], "password": crate::testing::PASSWORD});
    assert_eq!(site.post(&operator, "/invitations/accept", accept).await.status, 201);
    assert_eq!(site.post(&operator, "/tenants", acme()).await.body["invitation"], Value::Null);
}

#[actix_web::test]
async fn a_step_that_fails_leaves_nothing() {
    let site = Site::new("");
    let operator = site.operator().await;
    site.part.fails.store(true, Ordering::SeqCst);
    assert_eq!(site.post(&operator, "/tenants", acme()).await.code(), (507, "storage_full"));
    assert_eq!(site.get(&operator, "/tenants/acme").await.code(), (404, "not_found"));
    assert!(!site.folder.path().join("tenants/acme").exists());
    site.part.fails.store(false, Ordering::SeqCst);
    assert_eq!(site.post(&operator, "/tenants", acme()).await.status, 201);
}

#[actix_web::test]
async fn what_a_killed_process_was_making_is_taken_away_at_start() {
    let site = Site::new("");
    let mut half = (*site.stores.record(&TenantId::main()).expect("is there")).clone();
    (half.id, half.state) = (id("half"), TenantState::Provisioning);
    site.stores.register(&half).expect("registers");
    site.stores.tenant(&Scope::system(id("half"))).expect("opens");
    site.access.recover().await.expect("recovers");
    assert!(site.stores.record(&id("half")).is_none());
    assert!(!site.folder.path().join("tenants/half").exists());
}

#[actix_web::test]
async fn only_operators_see_tenants() {
    let site = Site::new("");
    let operator = site.operator().await;
    let zoe = with_acme(&site, &operator).await;
    for (method, path) in [
        (Method::GET, "/tenants"),
        (Method::POST, "/tenants"),
        (Method::GET, "/tenants/main"),
        (Method::PATCH, "/tenants/acme"),
        (Method::DELETE, "/tenants/acme"),
        (Method::GET, "/tenants/none"),
        (Method::POST, "/tenants/acme/suspend"),
        (Method::POST, "/tenants/acme/resume"),
        (Method::POST, "/tenants/acme/restore"),
        (Method::POST, "/tenants/acme/export"),
        (Method::POST, "/tenants/import"),
        (Method::GET, "/tenants/erasures"),
        (Method::GET, "/tenants/acme/usage"),
        (Method::GET, "/appliance/audit"),
        (Method::GET, "/appliance/audit/export"),
    ] {
        let answer = site.send(&zoe, method.clone(), path, Some(json!({}))).await;
        assert_eq!(answer.code(), (403, "forbidden"), "{method} {path}");
    }
}

#[actix_web::test]
async fn a_suspended_tenant_keeps_its_data_and_its_people_are_out() {
    let site = Site::new("");
    let operator = site.operator().await;
    let zoe = with_acme(&site, &operator).await;
    assert_eq!(site.get(&zoe, "/session").await.status, 200);
    assert_eq!(site.post(&operator, "/tenants/acme/suspend", json!({"reason": " "})).await.status, 422);
    let answer = site.post(&operator, "/tenants/acme/suspend", json!({"reason": "unpaid"})).await;
    assert_eq!((answer.status, &answer.body["reason"]), (200, &json!("unpaid")));
    let out = site.get(&zoe, "/session").await;
    assert!(out.status == 401 || out.status == 403, "{}", out.body);
    let again = json!({"email": "zoe@acme.example", "password": crate::testing::PASSWORD});
    let refused = site.post(&operator, "/session", again.clone()).await;
    assert_eq!(refused.code(), (403, "tenant_suspended"));
    assert!(refused.body["detail"].as_str().is_some_and(|text| text.contains("unpaid")));
    assert_eq!(site.post(&operator, "/tenants/acme/resume", json!({})).await.status, 200);
    assert_eq!(site.post(&operator, "/session", again).await.status, 201);
    assert_eq!(
        site.post(&operator, "/tenants/main/suspend", json!({"reason": "x"})).await.code(),
        (409, "conflict")
    );
}

#[actix_web::test]
async fn deletion_needs_the_name_waits_and_is_proven() {
    let site = Site::new("");
    let operator = site.operator().await;
    with_acme(&site, &operator).await;
    let delete = |body: Value| site.send(&operator, Method::DELETE, "/tenants/acme", Some(body));
    assert_eq!(delete(json!({"confirm": "acm"})).await.code(), (422, "invalid_field"));
    let marked = delete(json!({"confirm": "acme", "grace_hours": 2})).await;
    assert_eq!((marked.status, &marked.body["state"]), (200, &json!("deleting")));
    assert_eq!(site.access.erase_due().await.expect("looks"), 0);
    assert_eq!(site.post(&operator, "/tenants/acme/restore", json!({})).await.body["state"], "suspended");
    assert_eq!(delete(json!({"confirm": "acme", "grace_hours": 2})).await.status, 200);
    site.wait(7_201);
    assert_eq!(site.access.erase_due().await.expect("erases"), 1);
    assert!(!site.folder.path().join("tenants/acme").exists());
    assert_eq!(site.get(&operator, "/tenants/acme").await.status, 404);
    let proof = site.get(&operator, "/tenants/erasures").await.body;
    let statement = proof[0]["statement"].as_str().expect("text");
    assert!(
        statement.contains("tenant acme\n") && statement.contains("\u{2014} lectern.audit "),
        "{statement}"
    );
    let again = json!({"email": "zoe@acme.example", "password": crate::testing::PASSWORD});
    assert_eq!(site.post(&operator, "/session", again).await.code(), (401, "wrong_credentials"));
    let main = site.send(&operator, Method::DELETE, "/tenants/main", Some(json!({"confirm": "main"}))).await;
    assert_eq!(main.code(), (409, "conflict"));
}

async fn import(
    site: &Site,
    who: &Somebody,
    file: Vec<u8>,
    passphrase: Option<&str>,
    query: &str,
) -> crate::testing::Answer {
    let mut request = TestRequest::post()
        .uri(&format!("/api/v1/tenants/import{query}"))
        .insert_header(("content-type", "application/octet-stream"))
        .set_payload(file);
    if let Some(text) = passphrase {
        request = request.insert_header(("x-lectern-passphrase", text.replace(' ', "%20")));
    }
    site.call(who, request).await
}

#[actix_web::test]
async fn a_tenant_moves_to_another_appliance_as_one_file() {
    let (here, there) = (Site::new(""), Site::new(""));
    let operator = here.operator().await;
    with_acme(&here, &operator).await;
    let blob = here.folder.path().join("tenants/acme/blobs/ab");
    std::fs::create_dir_all(&blob).expect("folder");
    std::fs::write(blob.join("original"), b"what the tenant keeps").expect("writes");
    let sealed = here.access.inner.keyring.seal(&id("acme"), "test/field", b"secret").expect("seals");
    let short = here.post(&operator, "/tenants/acme/export", json!({"passphrase": "short"})).await;
    assert_eq!(short.code(), (422, "invalid_field"));
    let file = here.post(&operator, "/tenants/acme/export", json!({"passphrase": "carry me over"})).await;
    assert_eq!(file.status, 200);
    let holds = |text: &[u8]| file.bytes.windows(text.len()).any(|w| w == text);
    assert!(!holds(b"what the tenant keeps") && !holds(b"zoe@acme.example"));

    let other = there.operator().await;
    let refused = import(&there, &other, file.bytes.clone(), None, "").await;
    assert_eq!(refused.code(), (422, "invalid_field"));
    let wrong = import(&there, &other, file.bytes.clone(), Some("carry me home"), "").await;
    assert_eq!(wrong.code(), (400, "invalid_request"));
    let mut cut = file.bytes.clone();
    cut.truncate(cut.len() - 10);
    assert_eq!(import(&there, &other, cut, Some("carry me over"), "").await.status, 400);
    assert!(!there.folder.path().join("tenants/acme").exists(), "nothing is left of what failed");
    assert_eq!(there.get(&other, "/tenants/acme").await.status, 404);
    let came = import(&there, &other, file.bytes.clone(), Some("carry me over"), "").await;
    assert_eq!((came.status, &came.body["plan"]), (201, &json!("team")), "{}", came.body);
    let kept = std::fs::read(there.folder.path().join("tenants/acme/blobs/ab/original")).expect("is there");
    assert_eq!(kept, b"what the tenant keeps");
    let opened =
        there.access.inner.keyring.open(&id("acme"), "test/field", &sealed).expect("its key came along");
    assert_eq!(opened, b"secret");
    there.sign_in(&id("acme"), "zoe@acme.example").await;
    let twice = import(&there, &other, file.bytes, Some("carry me over"), "").await;
    assert_eq!(twice.code(), (409, "conflict"));
}

#[actix_web::test]
async fn a_kept_file_takes_its_place_again_and_dies_with_the_key() {
    let site = Site::new("");
    let operator = site.operator().await;
    let zoe = with_acme(&site, &operator).await;
    let file = site.post(&operator, "/tenants/acme/export", json!({})).await.bytes;
    assert_eq!(site.post(&zoe, "/groups", json!({"name": "After"})).await.status, 201);
    assert_eq!(import(&site, &operator, file.clone(), None, "?replace=true").await.code(), (409, "conflict"));
    assert_eq!(site.post(&operator, "/tenants/acme/suspend", json!({"reason": "restore"})).await.status, 200);
    let mut broken = file.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    assert_eq!(import(&site, &operator, broken, None, "?replace=true").await.status, 400);
    assert_eq!(site.get(&operator, "/tenants/acme").await.body["state"], "suspended", "as it was");
    let back = import(&site, &operator, file.clone(), None, "?replace=true").await;
    assert_eq!((back.status, &back.body["state"]), (201, &json!("active")), "{}", back.body);
    let zoe = site.sign_in(&id("acme"), "zoe@acme.example").await;
    assert_eq!(site.get(&zoe, "/groups").await.body, json!([]), "as the file has it");
    let erase = json!({"confirm": "acme", "grace_hours": 0});
    assert_eq!(site.send(&operator, Method::DELETE, "/tenants/acme", Some(erase)).await.status, 204);
    assert_eq!(import(&site, &operator, file, None, "").await.code(), (410, "gone"));
}

#[actix_web::test]
async fn a_region_is_not_left() {
    let (far, out) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let settings = format!(
        "[tenants]\nregions = [\"eu={}\"]\nexports = [\"{}\"]\n",
        far.path().display(),
        out.path().display()
    );
    let site = Site::new(&settings);
    let operator = site.operator().await;
    let mut new = acme();
    new["region"] = json!("eu");
    assert_eq!(site.post(&operator, "/tenants", new).await.status, 201);
    assert!(far.path().join("acme/data.db").exists());
    assert_eq!(site.post(&operator, "/tenants/acme/export", json!({})).await.code(), (403, "forbidden"));
    let to = |folder: &std::path::Path| json!({"file": folder.join("acme.export").display().to_string()});
    let elsewhere = site.post(&operator, "/tenants/acme/export", to(out.path())).await;
    assert_eq!(elsewhere.code(), (403, "forbidden"));
    let tricky = far.path().join("..").join(out.path().file_name().expect("a name"));
    assert_eq!(site.post(&operator, "/tenants/acme/export", to(&tricky)).await.code(), (403, "forbidden"));
    assert_eq!(site.post(&operator, "/tenants/acme/export", to(far.path())).await.status, 201);
    assert!(far.path().join("acme.export").exists());
    assert_eq!(
        site.post(&operator, "/tenants/acme/export", to(far.path())).await.code(),
        (422, "invalid_field")
    );
    assert_eq!(site.post(&operator, "/tenants/main/export", to(out.path())).await.status, 201);
}

#[actix_web::test]
async fn another_appliances_key_or_a_wrong_passphrase_opens_nothing() {
    let site = Site::new("");
    site.person("main", "anna@example.org", Role::OWNER).await;
    let sealed = site.access.inner.keyring.seal(&TenantId::main(), "a/b", b"x").expect("seals");
    assert!(site.access.inner.keyring.open(&TenantId::main(), "a/c", &sealed).is_err(), "another field");
    let other = tempfile::tempdir().expect("folder");
    let keyring = Keyring::open(other.path(), &Opening::File, site.stores.clone()).expect("another key");
    assert!(keyring.open(&TenantId::main(), "a/b", &sealed).is_err());
    let passphrase = |text: &str| Opening::Passphrase(zeroize::Zeroizing::new(text.to_owned()));
    Keyring::open(other.path(), &passphrase("first passphrase"), site.stores.clone()).expect("is made");
    assert!(Keyring::open(other.path(), &passphrase("another one"), site.stores.clone()).is_err());
}

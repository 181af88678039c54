//! The record over HTTP: searched, exported, verified elsewhere, and tampering is seen.

use lectern_kernel::{Role, Scope, TenantId};
use lectern_store::params;
use serde_json::json;

use crate::testing::Site;
use crate::verify::{VerifyError, verify};

#[actix_web::test]
async fn an_export_is_verified_without_the_appliance_and_a_change_is_seen() {
    let site = Site::new("");
    let operator = site.operator().await;
    for name in ["First", "Second", "Third"] {
        assert_eq!(site.post(&operator, "/groups", json!({"name": name})).await.status, 201);
    }
    let first = site.get(&operator, "/audit/checkpoint").await.body;
    assert_eq!(site.post(&operator, "/groups", json!({"name": "Fourth"})).await.status, 201);
    let export = site.get(&operator, "/audit/export").await.bytes;
    let key = first["key"].as_str().expect("a key");
    let verified = verify(&export[..], Some(key)).expect("is what was signed");
    let text = String::from_utf8(export.clone()).expect("text");
    assert_eq!(verified.checkpoint.size() as usize, text.lines().count() - 1);
    assert!(matches!(verify(&export[..], Some("other+00000000+AAAA")), Err(VerifyError::OtherKey)));
    for (from, to) in [("\"Second\"", "\"Zecond\""), ("10.0.0.1", "10.0.0.2")] {
        let forged = text.replacen(from, to, 1);
        assert!(verify(forged.as_bytes(), Some(key)).is_err(), "{from}");
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(2);
    assert!(verify(lines.join("\n").as_bytes(), Some(key)).is_err(), "one is missing");
    lines = text.lines().collect();
    lines.swap(2, 3);
    assert!(verify(lines.join("\n").as_bytes(), Some(key)).is_err(), "another order");
    lines = text.lines().collect();
    lines.push(lines[1]);
    assert!(verify(lines.join("\n").as_bytes(), Some(key)).is_err(), "one too many");
}

#[actix_web::test]
async fn what_is_changed_in_the_database_does_not_fit_what_was_signed_before() {
    let site = Site::new("");
    let operator = site.operator().await;
    assert_eq!(site.post(&operator, "/groups", json!({"name": "First"})).await.status, 201);
    let key = site.get(&operator, "/audit/checkpoint").await.body["key"].as_str().expect("a key").to_owned();
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    store
        .db
        .write_now(|tx| {
            tx.execute("UPDATE audit_log SET entry = replace(entry, 'First', 'Other')", params![])
        })
        .expect("tampers");
    let export = site.get(&operator, "/audit/export").await.bytes;
    assert!(verify(&export[..], Some(&key)).is_err());
}

#[actix_web::test]
async fn what_was_forgotten_is_still_proven() {
    let site = Site::new("[retention]\naudit = \"10 d\"\n");
    let operator = site.operator().await;
    assert_eq!(site.post(&operator, "/groups", json!({"name": "Old"})).await.status, 201);
    site.wait(11 * 86_400);
    let operator = site.sign_in(&TenantId::main(), "anna@example.org").await;
    assert!(site.access.trim_record(Some(&TenantId::main())).await.expect("forgets") > 0);
    let export = site.get(&operator, "/audit/export").await.bytes;
    let verified = verify(&export[..], None).expect("is what was signed");
    assert!(verified.forgotten > 0);
    assert!(!String::from_utf8_lossy(&export).contains("\"Old\""));
    let page = site.get(&operator, "/audit?limit=500").await.body;
    assert!(page["items"].as_array().expect("a list").iter().any(|entry| entry["forgotten"] == true));
}

#[actix_web::test]
async fn the_record_is_searched_paged_and_given_out_as_a_table() {
    let site = Site::new("");
    let operator = site.operator().await;
    for n in 0..5 {
        assert_eq!(site.post(&operator, "/groups", json!({"name": format!("=Group {n}")})).await.status, 201);
    }
    let page = site.get(&operator, "/audit?action=group.&limit=2").await.body;
    assert_eq!((&page["total"], page["items"].as_array().map(Vec::len)), (&json!(5), Some(2)));
    let cursor = page["next_cursor"].as_str().expect("more");
    let next = site.get(&operator, &format!("/audit?action=group.&limit=2&cursor={cursor}")).await.body;
    assert_eq!(next["items"][0]["after"]["name"], "=Group 2");
    assert_eq!(site.get(&operator, "/audit?q=group%203").await.body["total"], 1);
    let table = site.get(&operator, "/audit?action=group.created&format=csv").await;
    assert_eq!((table.status, table.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(String::from_utf8(table.bytes).expect("text").lines().count(), 6);
    let lines = site.get(&operator, "/audit?action=group.created&format=jsonl").await;
    assert_eq!(String::from_utf8(lines.bytes).expect("text").lines().count(), 5);
    assert_eq!(site.get(&operator, "/audit?format=xml").await.code(), (422, "invalid_field"));
    assert_eq!(site.get(&operator, "/audit?from=yesterday").await.code(), (422, "invalid_field"));
    let viewer = site.person("main", "vera@example.org", Role::VIEWER).await;
    assert_eq!(site.get(&viewer, "/audit").await.code(), (403, "forbidden"));
    let auditor = site.person("main", "otto@example.org", Role::AUDITOR).await;
    assert_eq!(site.get(&auditor, "/audit").await.status, 200);
}

#[actix_web::test]
async fn a_tenants_record_is_not_the_appliances() {
    let site = Site::new("");
    let operator = site.operator().await;
    let new = json!({"id": "acme", "name": "Acme", "owner_email": "zoe@acme.example"});
    assert_eq!(site.post(&operator, "/tenants", new).await.status, 201);
    assert_eq!(site.get(&operator, "/audit?action=tenant.").await.body["total"], 0);
    let own = site.get(&operator, "/appliance/audit?action=tenant.created").await.body;
    assert_eq!((&own["total"], &own["items"][0]["object"]), (&json!(1), &json!("acme")));
    let export = site.get(&operator, "/appliance/audit/export").await.bytes;
    verify(&export[..], None).expect("is what was signed");
    assert!(!String::from_utf8_lossy(&export).contains("wrapped"), "no key is in it");
}

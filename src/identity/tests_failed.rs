//! Failed sign-ins in the record: whose, why, how many, and no more than one entry a minute.

use lectern_kernel::{Scope, TenantId};
use lectern_store::audit;
use serde_json::{Value, json};

use crate::testing::{EMAIL, PASSWORD, Site};
use crate::tests_factors::with_totp;

/// Failed sign-ins of a record, the oldest first; the appliance's without a tenant.
fn failed(site: &Site, tenant: Option<&TenantId>) -> Vec<Value> {
    let db = match tenant {
        Some(id) => site.stores.tenant(&Scope::system(id.clone())).expect("opens").db,
        None => site.stores.control().clone(),
    };
    let kept = db.read_now(|tx| audit::from(tx, 0, 10_000)).expect("reads");
    let entries = kept.into_iter().filter_map(|kept| kept.entry);
    let all = entries.map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
    all.filter(|entry| entry["action"] == "session.failed").collect()
}

#[actix_web::test]
async fn wrong_passwords_are_counted_and_written_once_a_minute() {
    let site = Site::signed_in().await;
    let (main, nobody) = (TenantId::main(), site.stranger());
    let user = site.get("/session").await.body["user"]["id"].clone();
    for _ in 0..3 {
        assert_eq!(nobody.sign_in("not the right one").await.status, 401);
    }
    assert!(failed(&site, Some(&main)).is_empty(), "the request itself writes nothing");
    site.identity.write_failures(false).await;
    let first = failed(&site, Some(&main));
    assert_eq!(first.len(), 1);
    assert_eq!((&first[0]["object"], &first[0]["actor"]), (&user, &Value::Null));
    assert_eq!(first[0]["after"], json!({ "count": 3, "why": ["wrong password"] }));
    assert_eq!(first[0]["address"], "10.0.0.1");
    for n in 0..40 {
        // Each from elsewhere, since one address alone is stopped before.
        let mut nobody = site.stranger();
        nobody.address = Box::leak(format!("10.0.{n}.1:99").into_boxed_str());
        nobody.sign_in("not the right one").await;
        site.identity.write_failures(false).await;
        site.wait(1);
    }
    assert_eq!(failed(&site, Some(&main)).len(), 1, "guessing fills no disk");
    site.wait(60);
    site.identity.write_failures(false).await;
    let both = failed(&site, Some(&main));
    assert_eq!(both[1]["after"], json!({ "count": 40, "why": ["locked", "wrong password"] }));
    let text = json!(both).to_string();
    assert!(!text.contains("not the right one") && !text.contains(EMAIL), "{text}");
    site.wait(600);
    site.identity.write_failures(false).await;
    assert_eq!(failed(&site, Some(&main)).len(), 2);
}

#[actix_web::test]
async fn a_try_at_nobody_is_in_the_appliances_record_and_one_in_a_tenant_in_its_own() {
    let site = Site::signed_in().await;
    let acme = site.with_tenant("acme");
    let nobody = site.stranger();
    assert_eq!(nobody.enter(json!({"email": "nobody@example.org"})).await.status, 401);
    assert_eq!(nobody.enter(json!({"tenant": "acme"})).await.status, 401);
    assert_eq!(nobody.enter(json!({"tenant": "not-there"})).await.status, 401);
    site.identity.write_failures(true).await;
    let own = failed(&site, None);
    assert_eq!((own.len(), &own[0]["object"], &own[0]["after"]["count"]), (1, &json!("unknown"), &json!(2)));
    let theirs = failed(&site, Some(&acme));
    assert_eq!((theirs.len(), &theirs[0]["object"]), (1, &json!("unknown")));
    assert!(failed(&site, Some(&TenantId::main())).is_empty());
}

#[actix_web::test]
async fn an_address_that_is_stopped_is_in_the_appliances_record() {
    let site = Site::signed_in().await;
    for _ in 0..20 {
        site.stranger().sign_in("not the right one").await;
    }
    site.identity.write_failures(true).await;
    let (own, theirs) = (failed(&site, None), failed(&site, Some(&TenantId::main())));
    let count = |entries: &[Value]| entries[0]["after"]["count"].as_u64().expect("a number");
    assert_eq!(
        (own[0]["after"]["why"][0].as_str(), &own[0]["address"]),
        (Some("locked"), &json!("10.0.0.1"))
    );
    assert_eq!(count(&own) + count(&theirs), 20);
}

#[actix_web::test]
async fn a_password_that_opens_one_tenant_is_no_failure_in_another() {
    let site = Site::signed_in().await;
    let acme = site.with_tenant("acme");
    let new =
        crate::NewUser { name: "A".into(), email: EMAIL.into(), password: "quite another password".into() };
    site.identity.create_user(acme.clone(), lectern_kernel::Role::OWNER, new).await.expect("makes");
    assert_eq!(site.stranger().sign_in(PASSWORD).await.status, 201);
    site.identity.write_failures(true).await;
    assert!(failed(&site, Some(&acme)).is_empty() && failed(&site, None).is_empty());
    assert_eq!(site.stranger().sign_in("neither of both").await.status, 401);
    site.identity.write_failures(true).await;
    assert_eq!((failed(&site, Some(&acme)).len(), failed(&site, Some(&TenantId::main())).len()), (1, 1));
}

#[actix_web::test]
async fn a_wrong_code_is_a_failure_and_a_missing_one_is_none() {
    let site = Site::signed_in().await;
    with_totp(&site).await;
    let nobody = site.stranger();
    assert_eq!(nobody.sign_in(PASSWORD).await.code(), (401, "second_factor_required"));
    site.identity.write_failures(true).await;
    assert!(failed(&site, Some(&TenantId::main())).is_empty());
    assert_eq!(nobody.enter(json!({"code": "000000"})).await.status, 401);
    site.identity.write_failures(true).await;
    let found = failed(&site, Some(&TenantId::main()));
    assert_eq!(found[0]["after"], json!({ "count": 1, "why": ["wrong code"] }));
}

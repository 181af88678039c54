//! Registration of apps over HTTP.

use actix_web::http::Method;
use lectern_kernel::{Scope, TenantId};
use lectern_store::params;
use serde_json::json;

use crate::testing::{BACK, Site, new_app};

#[actix_web::test]
async fn an_app_is_registered_changed_and_removed() {
    let site = Site::new();
    let made = site.post("anna", "/apps", new_app("confidential")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, secret) = (made.text("id"), made.text("client_secret"));
    assert_eq!(made.text("client_id"), format!("main.{id}"));
    assert!(
        secret.starts_with("lcs_main_")
            && secret.starts_with(made.body["secrets"][0]["prefix"].as_str().expect("text"))
    );
    assert_eq!(made.body["created_by"], json!(site.anna));

    let path = format!("/apps/{id}");
    let patch = json!({ "name": "Other", "homepage": "", "scopes": ["ask.write"] });
    let changed = site.browser("anna", Method::PATCH, &path, Some(patch)).await;
    assert_eq!((changed.status, changed.text("name").as_str()), (200, "Other"), "{}", changed.body);
    assert_eq!((&changed.body["homepage"], &changed.body["scopes"]), (&json!(null), &json!(["ask.write"])));
    assert_eq!(site.get("anna", &path).await.body, changed.body);
    let listed = site.get("anna", "/apps").await;
    assert_eq!((listed.body["total"].as_u64(), &listed.body["items"][0]), (Some(1), &changed.body));

    assert_eq!(site.browser("anna", Method::DELETE, &path, None).await.status, 204);
    assert_eq!(site.get("anna", &path).await.status, 404);
    let record = site.recorded().join("\n");
    for action in ["app.created", "app.changed", "app.deleted"] {
        assert!(record.contains(action), "{action}");
    }
    assert!(!record.contains(&secret));
}

#[actix_web::test]
async fn no_secret_lies_in_the_file() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let (access, refresh) = site.tokens(&app).await;
    let code = site.code(&app).await;
    let device = site.call(&app, "device_authorization", &[]).await;
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    store.db.checkpoint().expect("folds");
    let file = std::fs::read(store.db.path()).expect("reads");
    let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("app.token_issued"));
    let secrets = [
        app.secret.expect("a secret"),
        access,
        refresh,
        code,
        device.text("device_code"),
        device.text("user_code"),
    ];
    for secret in secrets {
        assert!(!holds(&secret) && !holds(&secret.replace('-', "")), "{}", &secret[..4]);
    }
}

#[actix_web::test]
async fn wrong_apps_are_refused_field_by_field() {
    let site = Site::new();
    let cases = [
        ("name", json!(" "), "name"),
        ("name", json!("x\u{202e}y"), "name"),
        ("homepage", json!("javascript:alert(1)"), "homepage"),
        ("redirect_uris", json!(["http://app.example.org/"]), "redirect_uris[0]"),
        ("redirect_uris", json!([]), "redirect_uris"),
        ("scopes", json!([]), "scopes"),
        ("scopes", json!(["appliance.tenants"]), "scopes"),
        ("scopes", json!(["session.use"]), "scopes"),
        ("scopes", json!(["nothing.at_all"]), "scopes"),
        ("scopes", json!(["*"]), "scopes"),
        ("grants", json!([]), "grants"),
        ("grants", json!(["refresh_token"]), "grants"),
    ];
    for (field, value, told) in cases {
        let mut body = new_app("confidential");
        body[field] = value.clone();
        let answer = site.post("anna", "/apps", body).await;
        assert_eq!(answer.error(), (422, "invalid_field"), "{field} {value}");
        assert_eq!(answer.body["errors"][0]["field"], told, "{field} {value}");
    }
    let mut body = new_app("public");
    body["grants"] = json!(["client_credentials"]);
    assert_eq!(site.post("anna", "/apps", body).await.body["errors"][0]["field"], "grants");
    let mut body = new_app("public");
    body["grants"] = json!(["password"]);
    assert_eq!(site.post("anna", "/apps", body).await.status, 422);
}

#[actix_web::test]
async fn only_those_who_may_register_apps_and_none_above_themselves() {
    let site = Site::new();
    assert_eq!(site.post("ben", "/apps", new_app("public")).await.error(), (403, "forbidden"));
    assert_eq!(site.post("nobody", "/apps", new_app("public")).await.status, 401);
    site.holds("ben", Some(&["apps.manage", "documents.read"]));
    assert_eq!(site.post("ben", "/apps", new_app("confidential")).await.error(), (403, "forbidden"));
    // Without client_credentials an app never has more than the person who allows it.
    let app = site.register("ben", new_app("public")).await;
    let path = format!("/apps/{}", app.id);
    let patch = json!({ "redirect_uris": [BACK, "http://127.0.0.1/x"] });
    assert_eq!(site.browser("ben", Method::PATCH, &path, Some(patch)).await.status, 200);
    // Who sees a new secret is the app.
    let strong = site.app("confidential").await;
    let rotate = site.post("ben", &format!("/apps/{}/secret", strong.id), json!({})).await;
    assert_eq!(rotate.error(), (403, "forbidden"));
    let patch = json!({ "name": "Mine" });
    let change = site.browser("ben", Method::PATCH, &format!("/apps/{}", strong.id), Some(patch)).await;
    assert_eq!(change.error(), (403, "forbidden"));
}

#[actix_web::test]
async fn a_secret_is_replaced_with_an_overlap() {
    let site = Site::new();
    let old = site.app("confidential").await;
    let itself = [("grant_type", "client_credentials")];
    let rotated = site.post("anna", &format!("/apps/{}/secret", old.id), json!({ "overlap_hours": 1 })).await;
    assert_eq!(rotated.status, 201, "{}", rotated.body);
    let mut new = old.clone();
    new.secret = Some(rotated.text("client_secret"));
    assert_ne!(new.secret, old.secret);
    assert_eq!(site.token(&old, &itself).await.status, 200);
    assert_eq!(site.token(&new, &itself).await.status, 200);
    site.wait(3601);
    assert_eq!(site.token(&old, &itself).await.error(), (401, "invalid_client"));
    assert_eq!(site.token(&new, &itself).await.status, 200);
    let at_once = site.post("anna", &format!("/apps/{}/secret", old.id), json!({ "overlap_hours": 0 })).await;
    assert_eq!(site.token(&new, &itself).await.error(), (401, "invalid_client"));
    assert_eq!(at_once.body["secrets"].as_array().map(Vec::len), Some(1));
    let long = site.post("anna", &format!("/apps/{}/secret", old.id), json!({ "overlap_hours": 721 })).await;
    assert_eq!(long.status, 422);
    let public = site.app("public").await;
    let none = site.post("anna", &format!("/apps/{}/secret", public.id), json!({})).await;
    assert_eq!(none.error(), (409, "conflict"));
}

#[actix_web::test]
async fn apps_of_another_tenant_are_not_there() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let path = format!("/apps/{}", app.id);
    assert_eq!(site.get("carl", &path).await.status, 404);
    assert_eq!(site.browser("carl", Method::PATCH, &path, Some(json!({}))).await.status, 404);
    assert_eq!(site.browser("carl", Method::DELETE, &path, None).await.status, 404);
    assert_eq!(site.post("carl", &format!("{path}/secret"), json!({})).await.status, 404);
    assert_eq!(site.get("carl", "/apps").await.body["total"], 0);
    assert_eq!(site.browser("carl", Method::DELETE, &format!("/me{path}"), None).await.status, 404);
}

#[actix_web::test]
async fn there_are_two_hundred_apps_at_most_and_lists_have_pages() {
    let site = Site::new();
    for _ in 0..200 {
        site.app("public").await;
    }
    assert_eq!(site.post("anna", "/apps", new_app("public")).await.error(), (409, "conflict"));
    let first = site.get("anna", "/apps?limit=150").await;
    let rest = site.get("anna", &format!("/apps?limit=150&cursor={}", first.text("next_cursor"))).await;
    assert_eq!(rest.body["items"].as_array().map(Vec::len), Some(50));
    assert_eq!(rest.body["next_cursor"], json!(null));
}

#[actix_web::test]
async fn a_persons_consents_are_listed_and_taken_back() {
    let site = Site::new();
    let app = site.app("public").await;
    let (access, refresh) = site.tokens(&app).await;
    let listed = site.get("anna", "/me/apps").await;
    assert_eq!(listed.body[0]["client_id"], json!(app.client_id), "{}", listed.body);
    assert_eq!(listed.body[0]["scopes"], json!(["ask.write", "documents.read"]));
    assert!(listed.body[0]["last_used_at"].is_string());
    assert_eq!(site.get("ben", "/me/apps").await.body, json!([]));
    assert_eq!(site.with(&access).await.status, 200);
    let path = format!("/me/apps/{}", app.id);
    assert_eq!(site.browser("ben", Method::DELETE, &path, None).await.status, 404);
    assert_eq!(site.browser("anna", Method::DELETE, &path, None).await.status, 204);
    assert_eq!(site.with(&access).await.status, 401);
    assert_eq!(site.refresh(&app, &refresh).await.error(), (400, "invalid_grant"));
    assert_eq!(site.get("anna", "/me/apps").await.body, json!([]));
    assert_eq!(site.browser("anna", Method::DELETE, &path, None).await.status, 404);
}

#[actix_web::test]
async fn all_that_is_over_is_swept_away() {
    let site = Site::new();
    let app = site.app("confidential").await;
    site.tokens(&app).await;
    site.code(&app).await;
    site.token(&app, &[("grant_type", "client_credentials")]).await;
    site.call(&app, "device_authorization", &[]).await;
    let main = TenantId::main();
    assert_eq!(site.oauth.sweep(&main).await.expect("sweeps"), 0);
    site.wait(91 * 24 * 3600);
    assert!(site.oauth.sweep(&main).await.expect("sweeps") >= 4);
    let store = site.stores.tenant(&Scope::system(main)).expect("opens");
    for table in [
        "families",
        "family_scopes",
        "codes",
        "access_tokens",
        "access_token_scopes",
        "refresh_tokens",
        "devices",
        "device_scopes",
    ] {
        let sql = format!("SELECT count(*) FROM oauth_{table}");
        let left = store.db.read_now(|tx| tx.scalar::<i64>(&sql, params![])).expect("reads");
        assert_eq!(left, Some(0), "{table}");
    }
}

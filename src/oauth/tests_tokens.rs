//! Refreshing, apps for themselves, introspection, revocation and what a token may, over HTTP.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use lectern_kernel::{Scope, TenantId};
use serde_json::json;

use crate::testing::{ISSUER, Site, form, new_app};

#[actix_web::test]
async fn a_refresh_token_works_once_and_gives_the_next() {
    let site = Site::new();
    for kind in ["confidential", "public"] {
        let app = site.app(kind).await;
        let (_, mut refresh) = site.tokens(&app).await;
        for _ in 0..4 {
            site.wait(3600);
            let answer = site.refresh(&app, &refresh).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(site.with(&answer.text("access_token")).await.status, 200);
            assert_ne!(answer.text("refresh_token"), refresh);
            refresh = answer.text("refresh_token");
        }
    }
}

#[actix_web::test]
async fn a_refresh_token_idles_for_thirty_days_and_a_family_lives_for_ninety() {
    let site = Site::new();
    let app = site.app("public").await;
    let day = 24 * 3600;
    let (_, idle) = site.tokens(&app).await;
    site.wait(30 * day);
    assert_eq!(site.refresh(&app, &idle).await.error(), (400, "invalid_grant"));
    let (_, mut refresh) = site.tokens(&app).await;
    for _ in 0..3 {
        site.wait(29 * day);
        refresh = site.refresh(&app, &refresh).await.text("refresh_token");
        site.oauth.sweep(&TenantId::main()).await.expect("sweeps");
    }
    site.wait(3 * day - 60);
    let last = site.refresh(&app, &refresh).await;
    assert_eq!(last.body["expires_in"], 60, "{}", last.body);
    site.wait(60);
    let over = site.refresh(&app, &last.text("refresh_token")).await;
    assert_eq!(over.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn a_refresh_may_narrow_one_access_token() {
    let site = Site::new();
    let app = site.app("public").await;
    let (_, refresh) = site.tokens(&app).await;
    let fields = |token, scope| [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
    let narrow = site.token(&app, &fields(&refresh, "ask.write")).await;
    assert_eq!(narrow.body["scope"], "ask.write");
    assert_eq!(site.with(&narrow.text("access_token")).await.error(), (403, "forbidden"));
    let whole = site.refresh(&app, &narrow.text("refresh_token")).await;
    assert_eq!(whole.body["scope"], "ask.write documents.read");
}

#[actix_web::test]
async fn an_app_acts_for_itself() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let all = site.token(&app, &[("grant_type", "client_credentials")]).await;
    assert_eq!(all.body["scope"], "ask.write documents.read documents.write", "{}", all.body);
    assert_eq!(all.body.get("refresh_token"), None);
    let seen = site.with(&all.text("access_token")).await;
    assert_eq!((seen.status, &seen.body["user"], &seen.body["role"]), (200, &json!(null), &json!("admin")));
    let fields = [("grant_type", "client_credentials"), ("scope", "ask.write")];
    let one = site.token(&app, &fields).await;
    assert_eq!(site.with(&one.text("access_token")).await.error(), (403, "forbidden"));
    let fields = [("grant_type", "client_credentials"), ("scope", "people.manage")];
    assert_eq!(site.token(&app, &fields).await.error(), (400, "invalid_scope"));
}

#[actix_web::test]
async fn an_app_proves_itself_in_one_of_two_ways() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let secret = app.secret.clone().expect("a secret");
    let post = |fields: &[(&str, &str)], header: Option<String>| {
        let request = TestRequest::post()
            .uri("/api/v1/oauth/token")
            .insert_header(("content-type", "application/x-www-form-urlencoded; charset=UTF-8"))
            .set_payload(form(fields));
        match header {
            Some(header) => request.insert_header(("authorization", header)),
            None => request,
        }
    };
    let (kind, id) = (("grant_type", "client_credentials"), ("client_id", app.client_id.as_str()));
    let word = ("client_secret", secret.as_str());
    assert_eq!(site.send(post(&[kind, id, word], None)).await.status, 200);
    assert_eq!(site.send(post(&[kind, id], Some(app.basic()))).await.status, 200);
    let both = site.send(post(&[kind, id, word], Some(app.basic()))).await;
    assert_eq!(both.error(), (400, "invalid_request"));
    let other = ("client_id", "main.app_x");
    assert_eq!(site.send(post(&[kind, other], Some(app.basic()))).await.error(), (400, "invalid_request"));
    assert_eq!(site.send(post(&[kind, id], None)).await.error(), (401, "invalid_client"));
    assert_eq!(site.send(post(&[kind], None)).await.error(), (401, "invalid_client"));
    for wrong in ["Basic !", "Basic eA==", "Bearer x", "Digest x"] {
        let answer = site.send(post(&[kind], Some(wrong.to_owned()))).await;
        assert_eq!(answer.error(), (401, "invalid_client"), "{wrong}");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
    let public = site.app("public").await;
    let secretive = [("grant_type", "refresh_token"), ("client_id", &public.client_id), word];
    assert_eq!(site.send(post(&secretive, None)).await.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn what_is_no_such_request_is_told_in_the_protocols_words() {
    let site = Site::new();
    let app = site.app("confidential").await;
    for kind in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "refresh"] {
        let answer = site.token(&app, &[("grant_type", kind), ("username", "a"), ("password", "b")]).await;
        assert_eq!(answer.error(), (400, "unsupported_grant_type"), "{kind}");
        assert!(answer.body["error_description"].is_string());
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        assert_eq!(answer.header("content-type"), "application/json");
    }
    assert_eq!(site.token(&app, &[]).await.error(), (400, "invalid_request"));
    let twice = [("grant_type", "client_credentials"), ("scope", "ask.write"), ("scope", "documents.read")];
    assert_eq!(site.token(&app, &twice).await.error(), (400, "invalid_request"));
    let elsewhere = [("grant_type", "client_credentials"), ("resource", "https://elsewhere.example")];
    assert_eq!(site.token(&app, &elsewhere).await.error(), (400, "invalid_target"));
    let here = [
        ("grant_type", "client_credentials"),
        ("resource", ISSUER),
        ("resource", "https://lectern.test/api/v1"),
    ];
    assert_eq!(site.token(&app, &here).await.status, 200);
    let json = TestRequest::post().uri("/api/v1/oauth/token").set_json(json!({ "grant_type": "x" }));
    assert_eq!(site.send(json).await.error(), (400, "invalid_request"));
    let long = "x".repeat(17 << 10);
    assert_eq!(site.token(&app, &[("grant_type", &long)]).await.error(), (400, "invalid_request"));
    for (kind, field) in [("authorization_code", "code"), ("refresh_token", "refresh_token")] {
        let answer = site.token(&app, &[("grant_type", kind), (field, "")]).await;
        assert_eq!(answer.error(), (400, "invalid_request"));
    }
}

#[actix_web::test]
async fn a_token_is_described_to_its_own_app() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let (access, refresh) = site.tokens(&app).await;
    let told = site.call(&app, "introspect", &[("token", &access)]).await;
    assert_eq!(told.body["active"], true, "{}", told.body);
    assert_eq!(told.body["scope"], "ask.write documents.read");
    assert_eq!(told.body["client_id"], json!(app.client_id));
    assert_eq!(told.body["sub"], json!(site.anna));
    assert_eq!((told.text("iss").as_str(), told.text("aud").as_str()), (ISSUER, ISSUER));
    assert_eq!(told.body["exp"].as_i64().zip(told.body["iat"].as_i64()).map(|(e, i)| e - i), Some(3600));
    assert!(told.text("jti").starts_with("key_"));
    let told = site.call(&app, "introspect", &[("token", &refresh)]).await;
    assert_eq!((&told.body["active"], told.body.get("token_type")), (&json!(true), None));
    site.holds("anna", Some(&["documents.read"]));
    let told = site.call(&app, "introspect", &[("token", &access)]).await;
    assert_eq!(told.body["scope"], "documents.read");
    site.holds("anna", None);
    let told = site.call(&app, "introspect", &[("token", &access)]).await;
    assert_eq!(told.body, json!({ "active": false }));
    for other in ["", "x", "lat_main_x", &app.secret.clone().expect("a secret")] {
        let told = site.call(&app, "introspect", &[("token", other)]).await;
        let wanted = if other.is_empty() { json!("invalid_request") } else { json!(null) };
        assert_eq!(told.body["error"], wanted);
    }
}

#[actix_web::test]
async fn an_app_ends_its_tokens() {
    let site = Site::new();
    for kind in ["confidential", "public"] {
        let app = site.app(kind).await;
        let (access, refresh) = site.tokens(&app).await;
        assert_eq!(site.with(&access).await.status, 200);
        let ended =
            site.call(&app, "revoke", &[("token", &access), ("token_type_hint", "refresh_token")]).await;
        assert_eq!(ended.status, 200);
        assert_eq!(site.with(&access).await.status, 401);
        let again = site.refresh(&app, &refresh).await;
        assert_eq!(again.status, 200);
        assert_eq!(site.call(&app, "revoke", &[("token", &again.text("refresh_token"))]).await.status, 200);
        assert_eq!(site.with(&again.text("access_token")).await.status, 401);
        assert_eq!(site.refresh(&app, &again.text("refresh_token")).await.error(), (400, "invalid_grant"));
        assert_eq!(site.call(&app, "revoke", &[("token", "unknown")]).await.status, 200);
    }
}

#[actix_web::test]
async fn a_token_is_worth_what_its_person_holds_now() {
    let site = Site::new();
    let app = site.app("public").await;
    let (access, refresh) = site.tokens(&app).await;
    assert_eq!(site.with(&access).await.status, 200);
    site.holds("anna", Some(&["ask.write"]));
    assert_eq!(site.with(&access).await.error(), (403, "forbidden"));
    site.holds("anna", Some(&["documents.read", "people.manage"]));
    assert_eq!(site.with(&access).await.body["rights"], json!(["documents.read"]));
    let again = site.refresh(&app, &refresh).await;
    assert_eq!(again.body["scope"], "documents.read");
    site.holds("anna", None);
    assert_eq!(site.with(&access).await.error(), (401, "unauthenticated"));
    let gone = site.refresh(&app, &again.text("refresh_token")).await;
    assert_eq!(gone.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn all_of_a_person_is_ended_for_good() {
    let site = Site::new();
    let app = site.app("public").await;
    let (access, refresh) = site.tokens(&app).await;
    assert_eq!(site.with(&access).await.status, 200);
    let scope = Scope::system(TenantId::main());
    assert!(site.oauth.end_person(&scope, &site.anna).await.expect("ends") > 0);
    assert_eq!(site.with(&access).await.status, 401);
    assert_eq!(site.refresh(&app, &refresh).await.error(), (400, "invalid_grant"));
    assert_eq!(site.oauth.end_person(&scope, &site.anna).await.expect("ends"), 0);
}

#[actix_web::test]
async fn a_suspended_tenant_gives_and_takes_no_tokens() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let (access, refresh) = site.tokens(&app).await;
    let itself = site.token(&app, &[("grant_type", "client_credentials")]).await.text("access_token");
    assert_eq!(site.with(&itself).await.status, 200);
    site.people.suspended.lock().push(TenantId::main());
    assert_eq!(site.with(&access).await.error(), (403, "tenant_suspended"));
    assert_eq!(site.with(&itself).await.error(), (403, "tenant_suspended"));
    assert_eq!(site.refresh(&app, &refresh).await.error(), (400, "unauthorized_client"));
    let wrong = crate::testing::Known { secret: Some("x".to_owned()), ..app };
    assert_eq!(site.refresh(&wrong, &refresh).await.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn what_an_app_loses_its_tokens_lose() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let (access, refresh) = site.tokens(&app).await;
    assert_eq!(site.with(&access).await.status, 200);
    let path = format!("/apps/{}", app.id);
    let patch = json!({ "scopes": ["ask.write"] });
    assert_eq!(site.browser("anna", Method::PATCH, &path, Some(patch)).await.status, 200);
    assert_eq!(site.with(&access).await.error(), (403, "forbidden"));
    let again = site.refresh(&app, &refresh).await;
    assert_eq!(again.body["scope"], "ask.write");
    let patch = json!({ "grants": ["authorization_code"] });
    assert_eq!(site.browser("anna", Method::PATCH, &path, Some(patch)).await.status, 200);
    let refused = site.refresh(&app, &again.text("refresh_token")).await;
    assert_eq!(refused.error(), (400, "unauthorized_client"));
    assert_eq!(site.browser("anna", Method::DELETE, &path, None).await.status, 204);
    assert_eq!(site.with(&access).await.status, 401);
    assert_eq!(site.refresh(&app, &refresh).await.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn the_oldest_tokens_end_when_there_are_too_many() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let (first, _) = site.tokens(&app).await;
    assert_eq!(site.with(&first).await.status, 200);
    let mut last = String::new();
    for _ in 0..20 {
        last = site.tokens(&app).await.0;
    }
    assert_eq!((site.with(&first).await.status, site.with(&last).await.status), (401, 200));
    let (first, mut refresh) = site.tokens(&app).await;
    for _ in 0..5 {
        let answer = site.refresh(&app, &refresh).await;
        (refresh, last) = (answer.text("refresh_token"), answer.text("access_token"));
    }
    assert_eq!((site.with(&first).await.status, site.with(&last).await.status), (401, 200));
    let itself = [("grant_type", "client_credentials")];
    let first = site.token(&app, &itself).await.text("access_token");
    for _ in 0..100 {
        last = site.token(&app, &itself).await.text("access_token");
    }
    assert_eq!((site.with(&first).await.status, site.with(&last).await.status), (401, 200));
}

#[actix_web::test]
async fn sessions_and_keys_are_known_as_before() {
    let site = Site::new();
    assert_eq!(site.get("anna", "/documents").await.status, 200);
    assert_eq!(site.with("key").await.status, 200);
    assert_eq!(site.with("lec_main_x").await.status, 401);
    let app = site.register("anna", new_app("confidential")).await;
    let (access, _) = site.tokens(&app).await;
    let both = TestRequest::get()
        .uri("/api/v1/documents")
        .insert_header(("cookie", "lectern_session=ben"))
        .insert_header(("authorization", format!("Bearer {access}")));
    assert_eq!(site.send(both).await.body["user"], json!(site.anna));
}

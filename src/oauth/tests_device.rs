//! The flow of devices over HTTP.

use serde_json::json;

use crate::testing::{Answer, ISSUER, Known, Site};

const KIND: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin(site: &Site, app: &Known) -> (String, String) {
    let answer = site.call(app, "device_authorization", &[("scope", "documents.read")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (answer.text("device_code"), answer.text("user_code"))
}

async fn poll(site: &Site, app: &Known, code: &str) -> Answer {
    site.token(app, &[("grant_type", KIND), ("device_code", code)]).await
}

async fn decide(site: &Site, who: &str, code: &str, allow: bool) -> Answer {
    site.post(who, "/oauth/device", json!({ "user_code": code, "allow": allow })).await
}

#[actix_web::test]
async fn a_device_is_let_in_by_a_person_elsewhere() {
    let site = Site::new();
    for kind in ["public", "confidential"] {
        let app = site.app(kind).await;
        let told = site.call(&app, "device_authorization", &[("scope", "documents.read")]).await;
        assert_eq!((&told.body["expires_in"], &told.body["interval"]), (&json!(600), &json!(5)));
        let page = format!("{ISSUER}/oauth/device");
        assert_eq!(told.text("verification_uri"), page);
        let user = told.text("user_code");
        assert_eq!(told.text("verification_uri_complete"), format!("{page}?user_code={user}"));
        let code = told.text("device_code");
        assert_eq!(poll(&site, &app, &code).await.error(), (400, "authorization_pending"));

        let typed = user.to_lowercase().replace('-', "%20");
        let asked = site.get("anna", &format!("/oauth/device?user_code={typed}")).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        assert_eq!(asked.body["app"]["client_id"], json!(app.client_id));
        assert_eq!(asked.body["scopes"], json!([{ "name": "documents.read", "held": true }]));
        assert_eq!(asked.body["remembered"], false);
        assert_eq!(decide(&site, "anna", &user, true).await.status, 204);
        assert_eq!(decide(&site, "ben", &user, true).await.status, 404);
        site.wait(5);
        let answer = poll(&site, &app, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let seen = site.with(&answer.text("access_token")).await;
        assert_eq!((&seen.body["user"], seen.status), (&json!(site.anna), 200));
        assert_eq!(site.refresh(&app, &answer.text("refresh_token")).await.status, 200);
        assert_eq!(poll(&site, &app, &code).await.error(), (400, "invalid_grant"));
        assert_eq!(site.get("anna", "/me/apps").await.body[0]["id"].as_str().map(str::len), Some(30));
    }
}

#[actix_web::test]
async fn who_asks_too_often_waits_longer() {
    let site = Site::new();
    let app = site.app("public").await;
    let (code, _) = begin(&site, &app).await;
    assert_eq!(poll(&site, &app, &code).await.error(), (400, "authorization_pending"));
    site.wait(1);
    assert_eq!(poll(&site, &app, &code).await.error(), (400, "slow_down"));
    site.wait(6);
    assert_eq!(poll(&site, &app, &code).await.error(), (400, "slow_down"));
    site.wait(15);
    assert_eq!(poll(&site, &app, &code).await.error(), (400, "authorization_pending"));
}

#[actix_web::test]
async fn a_device_that_is_denied_or_late_is_told() {
    let site = Site::new();
    let app = site.app("public").await;
    let (code, user) = begin(&site, &app).await;
    assert_eq!(decide(&site, "anna", &user, false).await.status, 204);
    assert_eq!(poll(&site, &app, &code).await.error(), (400, "access_denied"));
    assert_eq!(decide(&site, "anna", &user, true).await.status, 404);
    let (late, user) = begin(&site, &app).await;
    site.wait(600);
    assert_eq!(decide(&site, "anna", &user, true).await.status, 404);
    assert_eq!(poll(&site, &app, &late).await.error(), (400, "expired_token"));
    assert_eq!(site.get("anna", "/me/apps").await.body, json!([]));
}

#[actix_web::test]
async fn a_device_gets_what_the_person_holds_and_leaves() {
    let site = Site::new();
    let app = site.app("public").await;
    let told = site.call(&app, "device_authorization", &[]).await;
    let asked = site.get("ben", &format!("/oauth/device?user_code={}", told.text("user_code"))).await;
    let held = asked.body["scopes"].as_array().expect("scopes").iter().filter(|s| s["held"] == true).count();
    assert_eq!(held, 1);
    assert_eq!(decide(&site, "ben", &told.text("user_code"), true).await.status, 204);
    let answer = poll(&site, &app, &told.text("device_code")).await;
    assert_eq!(answer.body["scope"], "documents.read");
    let told = site.call(&app, "device_authorization", &[("scope", "documents.write")]).await;
    assert_eq!(decide(&site, "ben", &told.text("user_code"), true).await.error(), (403, "forbidden"));
    let over = site.call(&app, "device_authorization", &[("scope", "people.manage")]).await;
    assert_eq!(over.error(), (400, "invalid_scope"));
}

#[actix_web::test]
async fn guessed_user_codes_are_slowed_down() {
    let site = Site::new();
    let app = site.app("public").await;
    let (_, user) = begin(&site, &app).await;
    for guess in ["BBBB-BBBB", "not a code", "CCCC-CCCC", "", "DDDD-DDDD"] {
        assert_eq!(decide(&site, "anna", guess, true).await.error(), (404, "not_found"), "{guess}");
    }
    let blocked = decide(&site, "anna", &user, true).await;
    assert_eq!((blocked.error(), blocked.header("retry-after")), ((429, "too_many_requests"), "5"));
    let asked = site.get("anna", &format!("/oauth/device?user_code={user}")).await;
    assert_eq!(asked.error(), (429, "too_many_requests"));
    // Others are not held up, and a right code does not wipe the slate clean.
    assert_eq!(site.get("ben", &format!("/oauth/device?user_code={user}")).await.status, 200);
    site.wait(5);
    assert_eq!(site.get("anna", &format!("/oauth/device?user_code={user}")).await.status, 200);
    assert_eq!(decide(&site, "anna", "FFFF-FFFF", true).await.status, 404);
    assert_eq!(decide(&site, "anna", &user, true).await.status, 429);
}

#[actix_web::test]
async fn a_devices_code_is_its_apps_own() {
    let site = Site::new();
    let (app, other) = (site.app("public").await, site.app("public").await);
    let (code, user) = begin(&site, &app).await;
    assert_eq!(decide(&site, "anna", &user, true).await.status, 204);
    assert_eq!(poll(&site, &other, &code).await.error(), (400, "invalid_grant"));
    assert_eq!(poll(&site, &app, &user).await.error(), (400, "invalid_grant"));
    assert_eq!(poll(&site, &app, &code).await.status, 200);
    let (_, user) = begin(&site, &app).await;
    assert_eq!(decide(&site, "carl", &user, true).await.status, 404);
}

#[actix_web::test]
async fn only_so_many_devices_wait() {
    let site = Site::new();
    let app = site.app("public").await;
    for _ in 0..500 {
        begin(&site, &app).await;
    }
    let full = site.call(&app, "device_authorization", &[]).await;
    assert_eq!(full.error(), (503, "temporarily_unavailable"));
    site.wait(600);
    begin(&site, &app).await;
}

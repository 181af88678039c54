//! Known passwords, one-time codes and recovery codes over HTTP.

use lectern_factors::{Totp, TotpSecret};
use serde_json::{Value, json};

use crate::testing::{EMAIL, PASSWORD, Site, setup_body};

pub(crate) fn code_at(site: &Site, secret: &str) -> String {
    use lectern_kernel::Clock;
    let secret = TotpSecret::from_base32(secret).expect("a secret");
    Totp::APPS.code(&secret, Totp::APPS.step_at(site.clock.now().0)).to_string()
}

/// Sets up an app; gives its secret. A step later, so that its next code is fresh.
pub(crate) async fn with_totp(site: &Site) -> String {
    let begun = site.post("/me/factors/totp", json!({"name": "Phone", "password": PASSWORD})).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let secret = begun.body["secret"].as_str().expect("secret").to_owned();
    let confirm = json!({"id": begun.body["id"], "code": code_at(site, &secret)});
    let made = site.post("/me/factors/totp/confirm", confirm).await;
    assert_eq!(made.status, 201, "{}", made.body);
    site.wait(30);
    secret
}

#[actix_web::test]
async fn passwords_that_are_guessed_first_are_refused_with_reasons() {
    let site = Site::new();
    let code = site.identity.setup_code().await.expect("runs").expect("a code");
    for weak in ["Password123!", "anna@example.org1", "qwertyuiop12", "aaaaaaaaaaaa", "AnnaMain2024"] {
        let mut body = setup_body(&code);
        body["password"] = json!(weak);
        let answer = site.post("/setup", body).await;
        assert_eq!(answer.code(), (422, "invalid_field"), "{weak}");
        assert_eq!(answer.body["errors"][0]["field"], "password");
        assert!(
            answer.body["hint"].is_string() && !answer.body.to_string().contains(weak),
            "{}",
            answer.body
        );
    }
    let site = Site::signed_in().await;
    let change = json!({"current": PASSWORD, "new": "Password123!"});
    assert_eq!(site.post("/session/password", change).await.body["errors"][0]["field"], "new");
    let invited = site.post("/invitations", json!({"email": "ben@example.org", "role": "viewer"})).await;
    let accept = json!({"token": invited.body["token"], "name": "Ben", "password": "letmein12345"});
    assert_eq!(site.stranger().post("/invitations/accept", accept).await.status, 422);
    let main = lectern_kernel::TenantId::main();
    assert!(site.identity.set_password(&main, EMAIL, "Password123!".into()).await.is_err(), "command line");
}

#[actix_web::test]
async fn a_code_is_asked_for_after_the_password_and_counts_once() {
    let site = Site::signed_in().await;
    let secret = with_totp(&site).await;
    let list = site.get("/me/factors").await.body;
    assert_eq!((&list["factors"][0]["kind"], &list["factors"][0]["name"]), (&json!("totp"), &json!("Phone")));
    assert!(!list.to_string().contains(&secret), "the secret is not shown again");

    let browser = site.stranger();
    assert_eq!(browser.enter(json!({"password": "wrong password"})).await.code(), (401, "wrong_credentials"));
    let asked = browser.enter(json!({})).await;
    assert_eq!(asked.code(), (401, "second_factor_required"));
    assert_eq!((&asked.body["errors"][0]["message"], asked.cookie), (&json!("totp"), None));
    let code = code_at(&site, &secret);
    let entered = browser.enter(json!({"code": code})).await;
    assert_eq!(entered.status, 201, "{}", entered.body);
    let again = browser.enter(json!({"code": code})).await;
    assert_eq!(again.code(), (401, "second_factor_required"), "a code counts once");
    assert!(again.body["detail"].as_str().expect("text").contains("used before"));
    site.wait(60);
    assert_eq!(browser.enter(json!({"code": code_at(&site, &secret)})).await.status, 201);
    let sessions = site.get("/me/sessions").await.body;
    assert!(sessions.to_string().contains("password+totp"), "{sessions}");
}

#[actix_web::test]
async fn one_code_in_parallel_opens_one_session() {
    let site = Site::signed_in().await;
    let secret = with_totp(&site).await;
    let (a, b) = (site.stranger(), site.stranger());
    let body = json!({"code": code_at(&site, &secret)});
    let (a, b) = tokio::join!(a.enter(body.clone()), b.enter(body));
    let mut found = [a.status, b.status];
    found.sort_unstable();
    assert_eq!(found, [201, 401]);
}

#[actix_web::test]
async fn codes_cannot_be_guessed_by_who_has_the_password() {
    let site = Site::signed_in().await;
    let secret = with_totp(&site).await;
    let mut browser = site.stranger();
    let addresses =
        ["10.3.0.1:1", "10.3.0.2:1", "10.3.0.3:1", "10.3.0.4:1", "10.3.0.5:1", "10.3.0.6:1", "10.3.0.7:1"];
    for (n, address) in addresses.into_iter().enumerate() {
        browser.address = address;
        // Asking without a code in between does not make them free again.
        let body = if n == 2 { json!({}) } else { json!({"code": format!("00000{n}")}) };
        let expected = if n < 5 { 401 } else { 429 };
        assert_eq!(browser.enter(body).await.status, expected, "{n}");
    }
    browser.address = "10.3.0.8:1";
    let right = json!({"code": code_at(&site, &secret)});
    let answer = browser.enter(right).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (429, Some("5")), "not even the right one");
    site.wait(6);
    assert_eq!(browser.enter(json!({"code": code_at(&site, &secret)})).await.status, 201);
}

/// Somebody with an account of the same e-mail in a tenant of their own must not make tries free again.
#[actix_web::test]
async fn success_in_one_tenant_frees_nothing_in_another() {
    let site = Site::signed_in().await;
    let other = site.with_tenant("other");
    let own =
        crate::NewUser { name: "E".into(), email: EMAIL.into(), password: "violet anchors drift".into() };
    site.identity.create_user(other, lectern_kernel::Role::OWNER, own).await.expect("makes");
    let mut browser = site.stranger();
    let places = ["10.4.0.1:1", "10.4.0.2:1", "10.4.0.3:1", "10.4.0.4:1", "10.4.0.5:1", "10.4.0.6:1"];
    for (n, address) in places.into_iter().enumerate() {
        browser.address = address;
        let guess = browser.enter(json!({"tenant": "main", "password": "wrong password"})).await;
        assert_eq!(guess.status, if n < 5 { 401 } else { 429 }, "{n}");
        let opened = browser.enter(json!({"tenant": "other", "password": "violet anchors drift"})).await;
        assert_eq!(opened.status, 201);
    }
}

#[actix_web::test]
async fn a_recovery_code_counts_once_and_stands_for_any_factor() {
    let site = Site::signed_in().await;
    let wanted = json!({"password": PASSWORD});
    assert_eq!(
        site.post("/me/factors/recovery-codes", wanted.clone()).await.status,
        409,
        "nothing to recover"
    );
    with_totp(&site).await;
    let first = site.post("/me/factors/recovery-codes", wanted.clone()).await;
    assert_eq!((first.status, first.body["codes"].as_array().map(Vec::len)), (201, Some(10)));
    let codes = site.post("/me/factors/recovery-codes", wanted).await.body["codes"].clone();
    let browser = site.stranger();
    assert_eq!(browser.enter(json!({"code": first.body["codes"][0]})).await.status, 401, "replaced");
    let typed = codes[3].as_str().expect("code").to_lowercase().replace('-', " ");
    assert_eq!(browser.enter(json!({"code": typed})).await.status, 201);
    assert_eq!(browser.enter(json!({"code": codes[3]})).await.status, 401, "used");
    assert_eq!(site.get("/me/factors").await.body["recovery_codes_left"], 9);
    let (a, b) = (site.stranger(), site.stranger());
    let body = json!({"code": codes[4]});
    let (a, b) = tokio::join!(a.enter(body.clone()), b.enter(body));
    assert_eq!(usize::from(a.status == 201) + usize::from(b.status == 201), 1);
}

#[actix_web::test]
async fn changes_ask_for_the_password_and_are_slowed_down() {
    let site = Site::signed_in().await;
    with_totp(&site).await;
    let factors = site.get("/me/factors").await.body;
    let path = format!("/me/factors/{}", factors["factors"][0]["id"].as_str().expect("id"));
    for n in 0..5 {
        let answer = site.delete_with(&path, &format!("wrong password {n}")).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!("password")));
    }
    assert_eq!(site.delete_with(&path, PASSWORD).await.status, 429);
    let begin = json!({"name": "x", "password": PASSWORD});
    assert_eq!(site.post("/me/factors/totp", begin).await.status, 429);
    site.wait(6);
    assert_eq!(site.delete_with(&path, PASSWORD).await.status, 204);
    assert_eq!(site.stranger().enter(json!({})).await.status, 201, "no second factor any more");
    assert_eq!(
        site.post("/me/factors/totp", json!({"name": "x", "password": PASSWORD, "kind": "x"})).await.status,
        422
    );
}

#[actix_web::test]
async fn a_secret_waits_for_its_own_session_for_five_tries_and_minutes() {
    let site = Site::signed_in().await;
    let ben = site.joined("ben@example.org", "member").await;
    let begin = json!({"name": "x", "password": PASSWORD});
    let begun = site.post("/me/factors/totp", begin.clone()).await.body;
    assert!(begun["uri"].as_str().expect("text").starts_with("otpauth://totp/"));
    assert!(begun["qr_svg"].as_str().expect("text").starts_with("<svg"));
    let secret = begun["secret"].as_str().expect("text");
    let right = |begun: &Value| json!({"id": begun["id"], "code": code_at(&site, secret)});
    assert_eq!(ben.post("/me/factors/totp/confirm", right(&begun)).await.code(), (410, "gone"));
    assert_eq!(
        site.post("/me/factors/totp/confirm", right(&begun)).await.status,
        410,
        "taken away by the try"
    );
    let begun = site.post("/me/factors/totp", begin.clone()).await.body;
    for n in 0..6 {
        let wrong = json!({"id": begun["id"], "code": "000000"});
        let expected = if n < 5 { 422 } else { 410 };
        assert_eq!(site.post("/me/factors/totp/confirm", wrong).await.status, expected, "{n}");
    }
    let begun = site.post("/me/factors/totp", begin).await.body;
    site.wait(300);
    assert_eq!(
        site.post("/me/factors/totp/confirm", json!({"id": begun["id"], "code": "1"})).await.status,
        410
    );
}

#[actix_web::test]
async fn a_link_for_a_new_password_asks_for_the_second_factor() {
    let site = Site::signed_in().await;
    let ben = site.joined("ben@example.org", "member").await;
    let secret = with_totp(&ben).await;
    let id = ben.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    let link = site.post(&format!("/people/{id}/password-link"), json!({})).await.body;
    let stranger = site.stranger();
    let accept =
        |code: Value| json!({"token": link["token"], "password": "violet anchors drift", "code": code});
    assert_eq!(
        stranger.post("/invitations/accept", accept(json!(null))).await.code(),
        (401, "second_factor_required")
    );
    assert_eq!(stranger.post("/invitations/accept", accept(json!("000000"))).await.status, 401);
    assert_eq!(
        stranger.enter(json!({"email": "ben@example.org"})).await.code(),
        (401, "second_factor_required")
    );
    let right = accept(json!(code_at(&site, &secret)));
    assert_eq!(stranger.post("/invitations/accept", right).await.status, 201);
    // Those who lost everything ask an administrator.
    assert_eq!(ben.delete(&format!("/people/{id}/factors")).await.status, 401, "that session ended");
    assert_eq!(site.delete(&format!("/people/{id}/factors")).await.status, 204);
    let entered = json!({"email": "ben@example.org", "password": "violet anchors drift"});
    assert_eq!(stranger.enter(entered).await.status, 201);
}

#[actix_web::test]
async fn the_command_line_lets_in_who_lost_everything() {
    let site = Site::signed_in().await;
    with_totp(&site).await;
    let main = lectern_kernel::TenantId::main();
    assert_eq!(site.identity.unlock(&main, EMAIL, false).await.expect("runs"), 0);
    assert_eq!(site.stranger().enter(json!({})).await.status, 401);
    assert_eq!(site.identity.unlock(&main, " Anna@Example.org", true).await.expect("runs"), 1);
    assert_eq!(site.get("/session").await.status, 401, "sessions end");
    assert_eq!(site.stranger().enter(json!({})).await.status, 201);
    assert!(site.identity.unlock(&main, "nobody@example.org", true).await.is_err());
}

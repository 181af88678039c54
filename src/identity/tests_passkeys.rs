//! Passkeys over HTTP, with the authenticator in software of the factors engine.

use serde_json::{Value, json};

use crate::soft::{Soft, UP, UV};
use crate::testing::{EMAIL, PASSWORD, Site};

pub(crate) const ORIGIN: &str = "https://lectern.example.org";

async fn site() -> Site {
    let mut site = Site::signed_in().await;
    site.origin = Some(ORIGIN);
    site
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

pub(crate) async fn register(site: &Site, soft: &mut Soft, more: Value) -> crate::testing::Answer {
    let mut body = json!({"name": "Laptop", "password": PASSWORD});
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    let begun = site.post("/me/factors/passkey/options", body).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let response = parsed(&soft.create(&begun.body["options"]));
    site.post("/me/factors/passkey", json!({"id": begun.body["id"], "response": response})).await
}

/// Asks for a passkey and lets it answer; the body to send.
pub(crate) async fn answered(browser: &Site, soft: &Soft, ask: Value) -> Value {
    let asked = browser.post("/session/passkey/options", ask).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    json!({"id": asked.body["id"], "response": parsed(&soft.get(&asked.body["options"]))})
}

#[actix_web::test]
async fn a_passkey_signs_in_without_a_name_once() {
    let site = site().await;
    let mut soft = Soft::new(1);
    let made = register(&site, &mut soft, json!({})).await;
    assert_eq!((made.status, &made.body["kind"]), (201, &json!("passkey")), "{}", made.body);
    let browser = site.stranger();
    let answer = answered(&browser, &soft, json!({})).await;
    let entered = browser.post("/session/passkey", answer.clone()).await;
    assert_eq!((entered.status, &entered.body["user"]["email"]), (201, &json!(EMAIL)), "{}", entered.body);
    assert_eq!(browser.post("/session/passkey", answer).await.code(), (410, "gone"), "once");
    let sessions = site.get("/me/sessions").await.body.to_string();
    assert!(sessions.contains("\"passkey\""), "{sessions}");

    assert_eq!(
        browser.enter(json!({})).await.code(),
        (401, "second_factor_required"),
        "the password is half"
    );
    let second = answered(&browser, &soft, json!({"email": EMAIL, "password": PASSWORD})).await;
    assert_eq!(browser.post("/session/passkey", second).await.status, 201);
    let wrong = json!({"email": EMAIL, "password": "wrong password"});
    assert_eq!(browser.post("/session/passkey/options", wrong).await.code(), (401, "wrong_credentials"));
    assert_eq!(browser.post("/session/passkey/options", json!({"email": EMAIL})).await.status, 422);

    let twice = register(&site, &mut soft, json!({})).await;
    assert!(matches!(twice.status, 409 | 422), "{}", twice.body);
    let path = format!("/me/factors/{}", made.body["id"].as_str().expect("id"));
    let late = answered(&browser, &soft, json!({})).await;
    assert_eq!(site.delete_with(&path, PASSWORD).await.status, 204);
    assert_eq!(browser.post("/session/passkey", late).await.code(), (401, "second_factor_required"));
}

#[actix_web::test]
async fn another_site_state_or_person_is_refused() {
    let site = site().await;
    let ben = {
        let mut ben = site.joined("ben@example.org", "member").await;
        ben.origin = Some(ORIGIN);
        ben
    };
    let (mut annas, mut bens) = (Soft::new(1), Soft::new(2));
    assert_eq!(register(&site, &mut annas, json!({})).await.status, 201);
    assert_eq!(register(&ben, &mut bens, json!({})).await.status, 201);
    let mut browser = site.stranger();
    browser.address = "10.5.0.1:1";
    let second = json!({"email": EMAIL, "password": PASSWORD});
    let answer = answered(&browser, &bens, second).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 401, "another person's");
    annas.origin = "https://evil.example".to_owned();
    let answer = answered(&browser, &annas, json!({})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 401, "another site");
    annas.origin = ORIGIN.to_owned();
    annas.break_signature = true;
    let answer = answered(&browser, &annas, json!({})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 401, "a wrong signature");
    annas.break_signature = false;
    let answer = answered(&browser, &annas, json!({})).await;
    site.wait(300);
    assert_eq!(browser.post("/session/passkey", answer).await.status, 410, "too late");
    browser.address = "10.5.0.2:1";
    let begun =
        site.post("/me/factors/passkey/options", json!({"name": "x", "password": PASSWORD})).await.body;
    let response = parsed(&Soft::new(3).create(&begun["options"]));
    let foreign = ben.post("/me/factors/passkey", json!({"id": begun["id"], "response": response})).await;
    assert_eq!(foreign.code(), (410, "gone"), "begun in another session");
    annas.counter = 7;
    let answer = answered(&browser, &annas, json!({})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 201);
    annas.counter = 7;
    let answer = answered(&browser, &annas, json!({})).await;
    let copied = browser.post("/session/passkey", answer).await;
    assert!(copied.body["detail"].as_str().expect("text").contains("copied"), "{}", copied.body);
}

#[actix_web::test]
async fn a_key_that_only_wants_to_be_touched_stands_beside_the_password() {
    let site = site().await;
    let mut soft = Soft::new(4);
    soft.flags = UP;
    let refused = register(&site, &mut soft, json!({})).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(register(&site, &mut soft, json!({"second_only": true})).await.status, 201);
    let browser = site.stranger();
    let answer = answered(&browser, &soft, json!({})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 401, "not alone");
    let answer = answered(&browser, &soft, json!({"email": EMAIL, "password": PASSWORD})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 201);
    soft.flags = UP | UV;
}

#[actix_web::test]
async fn the_page_has_to_be_of_this_server_and_have_a_name() {
    let mut site = site().await;
    let body = json!({"name": "x", "password": PASSWORD});
    site.origin = Some("https://10.0.0.7:8443");
    let answer = site.post("/me/factors/passkey/options", body.clone()).await;
    assert_eq!(answer.code(), (409, "conflict"));
    assert!(answer.body["detail"].as_str().expect("text").contains("IP address"), "{}", answer.body);
    assert_eq!(site.stranger().post("/session/passkey/options", json!({})).await.status, 409);
    site.origin = None;
    assert_eq!(site.post("/me/factors/passkey/options", body).await.code(), (400, "invalid_request"));
}

/// The map of passkeys to tenants follows a tenant that came as a file.
#[actix_web::test]
async fn passkeys_are_found_again_after_a_move() {
    let site = site().await;
    let mut soft = Soft::new(5);
    assert_eq!(register(&site, &mut soft, json!({})).await.status, 201);
    let main = lectern_kernel::TenantId::main();
    site.identity.forget_tenant(&main).await.expect("forgets");
    let browser = site.stranger();
    let answer = answered(&browser, &soft, json!({})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 401);
    site.identity.note_all_names(&main).await.expect("notes");
    let answer = answered(&browser, &soft, json!({})).await;
    assert_eq!(browser.post("/session/passkey", answer).await.status, 201);
}

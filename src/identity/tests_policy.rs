//! The tenant's rules of signing in, over HTTP.

use serde_json::{Value, json};

use crate::testing::{EMAIL, PASSWORD, Site};
use crate::tests_factors::{code_at, with_totp};
use crate::tests_providers::oidc;

fn permissions(answer: &Value) -> Vec<&str> {
    answer["permissions"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[actix_web::test]
async fn who_lacks_a_demanded_factor_is_only_in_to_set_one_up() {
    let site = Site::signed_in().await;
    let member = site.joined("mia@example.org", "member").await;
    let demand = |who: &str| json!({ "second_factor": who });
    assert_eq!(member.put("/sign-in/policy", demand("nobody")).await.code(), (403, "forbidden"));
    assert_eq!(site.put("/sign-in/policy", demand("administrators")).await.status, 200);
    assert_eq!(member.get("/session").await.body["second_factor_needed"], false);
    assert!(permissions(&member.get("/session").await.body).len() > 1, "no administrator");

    let own = site.get("/session").await.body;
    assert_eq!((&own["second_factor_needed"], permissions(&own)), (&json!(true), vec!["session.use"]));
    for path in ["/people", "/keys", "/sign-in/policy", "/sign-in/providers"] {
        assert_eq!(site.get(path).await.code(), (403, "forbidden"), "{path}");
    }
    assert_eq!(site.post("/keys", json!({"name": "k"})).await.status, 403);
    assert_eq!(site.put("/sign-in/policy", demand("nobody")).await.status, 403, "nor lift the rule");
    let mut again = site.stranger();
    let entered = again.enter(json!({})).await;
    assert_eq!((entered.status, permissions(&entered.body)), (201, vec!["session.use"]));

    let secret = with_totp(&site).await;
    let own = site.get("/session").await.body;
    assert_eq!((&own["second_factor_needed"], site.get("/people").await.status), (&json!(false), 200));
    again.take(&entered);
    assert_eq!(again.get("/people").await.status, 403, "the other session has not proven it");
    let entered = again.enter(json!({"code": code_at(&site, &secret)})).await;
    again.take(&entered);
    assert_eq!(again.get("/people").await.status, 200);

    let id = site.get("/me/factors").await.body["factors"][0]["id"].as_str().expect("id").to_owned();
    assert_eq!(site.delete_with(&format!("/me/factors/{id}"), PASSWORD).await.code(), (409, "conflict"));
    assert_eq!(site.put("/sign-in/policy", demand("everybody")).await.status, 200);
    assert_eq!(permissions(&member.get("/session").await.body), ["session.use"], "at once");
}

#[actix_web::test]
async fn limits_are_the_tenants_where_they_are_shorter() {
    let site = Site::signed_in().await;
    let policy = |field: &str, value: Value| {
        let mut body = json!({});
        body[field] = value;
        body
    };
    for (field, value) in [
        ("idle_minutes", json!(60 * 12 + 1)),
        ("lifetime_minutes", json!(60 * 24 * 14 + 1)),
        ("idle_minutes", json!(1)),
        ("password_length", json!(9)),
        ("domains", json!(["@example.org"])),
        ("password_sign_in", json!(false)),
    ] {
        let answer = site.put("/sign-in/policy", policy(field, value)).await;
        assert_eq!((answer.status, answer.body["errors"][0]["field"].as_str()), (422, Some(field)));
    }
    assert_eq!(site.put("/sign-in/policy", json!({"owner": true})).await.status, 422, "unknown field");
    let body = json!({"idle_minutes": 10, "lifetime_minutes": 30, "password_length": 14, "domains": ["Example.org"]});
    let kept = site.put("/sign-in/policy", body).await;
    assert_eq!((kept.status, &kept.body["domains"]), (200, &json!(["example.org"])));
    for _ in 0..3 {
        site.wait(9 * 60);
        assert_eq!(site.get("/session").await.status, 200);
    }
    site.wait(5 * 60);
    assert_eq!(site.get("/session").await.status, 401, "lifetime");
    let mut site = site;
    let entered = site.stranger().enter(json!({})).await;
    site.take(&entered);
    site.wait(10 * 60);
    assert_eq!(site.get("/session").await.status, 401, "idle");

    let entered = site.stranger().enter(json!({})).await;
    site.take(&entered);
    let short = json!({"current": PASSWORD, "new": "kite vox jam9"});
    assert!(
        site.post("/session/password", short).await.body["detail"].as_str().expect("text").contains("14")
    );
    let invite = |email: &str| json!({"email": email, "role": "viewer"});
    let foreign = site.post("/invitations", invite("a@elsewhere.org")).await;
    assert_eq!((foreign.status, &foreign.body["errors"][0]["field"]), (422, &json!("email")));
    assert_eq!(site.post("/invitations", invite("a@sub.example.org")).await.status, 422);
    assert_eq!(site.post("/invitations", invite("a@EXAMPLE.org")).await.status, 201);
}

#[actix_web::test]
async fn owners_come_in_when_passwords_are_off() {
    let site = Site::signed_in().await;
    site.joined("mia@example.org", "admin").await;
    let made = site.post("/sign-in/providers", oidc(json!({}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(site.put("/sign-in/policy", json!({"password_sign_in": false})).await.status, 200);
    let stranger = site.stranger();
    assert_eq!(stranger.enter(json!({"email": "mia@example.org"})).await.code(), (403, "forbidden"));
    assert_eq!(
        stranger.enter(json!({"email": "mia@example.org", "password": "wrong password"})).await.status,
        401,
        "who does not know the password is told nothing"
    );
    assert_eq!(stranger.enter(json!({"email": EMAIL})).await.status, 201, "break the glass");
    let options = stranger.get("/sign-in/options").await.body;
    assert_eq!((&options["password"], &options["providers"][0]["kind"]), (&json!(false), &json!("oidc")));
    let path = format!("/sign-in/providers/{}", made.body["id"].as_str().expect("id"));
    assert_eq!(site.delete(&path).await.code(), (409, "conflict"), "the last other way stays");
    assert_eq!(site.patch(&path, json!({"enabled": false})).await.code(), (409, "conflict"));
}

//! What the service says of itself, who may ask, and that every refusal has the form of the protocol.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::testing::Site;
use crate::types::{SCHEMAS, TYPES};

#[actix_web::test]
async fn the_service_describes_itself() {
    let site = Site::new().await;
    let config = site.get("/ServiceProviderConfig").await;
    assert_eq!(config.header("content-type"), "application/scim+json");
    assert_eq!(
        (&config.body["patch"]["supported"], &config.body["bulk"]["supported"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        config.body["meta"]["location"],
        "http://lectern.example/api/v1/scim/v2/ServiceProviderConfig"
    );
    for (path, count) in [("/Schemas", SCHEMAS.len()), ("/ResourceTypes", TYPES.len())] {
        let list = site.get(path).await.expect(200);
        assert_eq!(list["totalResults"], count);
        for item in list["Resources"].as_array().expect("a list") {
            let one = format!("{path}/{}", item["id"].as_str().expect("an id"));
            assert_eq!(&site.get(&one).await.expect(200), item);
            let location = item["meta"]["location"].as_str().expect("an address");
            assert!(location.ends_with(&one), "{location}");
        }
        assert_eq!(site.get(&format!("{path}/nosuch")).await.refusal(), (404, ""));
        assert_eq!(site.get(&format!("{path}?filter=id%20pr")).await.refusal(), (403, ""));
    }
    let user = site.get("/ResourceTypes/User").await.expect(200);
    assert_eq!(user["schemaExtensions"][0]["required"], false);
}

#[actix_web::test]
async fn what_is_not_offered_says_so() {
    let site = Site::new().await;
    assert_eq!(site.get("/Me").await.refusal(), (501, ""));
    assert_eq!(site.post("/Bulk", json!({})).await.refusal(), (501, ""));
    assert_eq!(site.get("/nosuch").await.refusal(), (404, ""));
    assert_eq!(site.get("").await.refusal(), (404, ""));
    for (method, path) in [
        (Method::DELETE, "/Users"),
        (Method::POST, "/Schemas"),
        (Method::PUT, "/ResourceTypes"),
        (Method::PATCH, "/ServiceProviderConfig"),
        (Method::POST, "/Users/usr_1"),
    ] {
        assert_eq!(site.send(method, path, &[], None).await.refusal(), (405, ""), "{path}");
    }
}

#[actix_web::test]
async fn who_is_not_known_is_asked_for_a_key() {
    let mut stranger = Site::new().await;
    stranger.key.clear();
    for path in ["/Users", "/Groups", "/Schemas", "/ServiceProviderConfig", "/Me", "/Users/usr_x"] {
        let refused = stranger.get(path).await;
        assert_eq!(refused.refusal(), (401, ""), "{path}");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        assert!(refused.header("x-request-id").starts_with("req_"));
    }
    let raw = stranger.send_raw(Method::POST, "/Users", &[], "no json".to_owned()).await;
    assert_eq!(raw.refusal(), (401, ""), "nothing is read of strangers");
    let mut other = stranger.with(&["documents.read"]).await;
    assert_eq!(other.get("/Users").await.refusal(), (403, ""));
    other.key = "lec_main_nonsense".to_owned();
    assert_eq!(other.get("/Users").await.refusal(), (401, ""));
}

#[actix_web::test]
async fn bodies_are_objects_of_either_media_type() {
    let site = Site::new().await;
    let send = |kind: &'static str, body: String| {
        let site = &site;
        async move { site.send_raw(Method::POST, "/Users", &[("content-type", kind)], body).await }
    };
    let body = |n: u8| json!({ "userName": format!("p{n}@example.org") }).to_string();
    assert_eq!(send("application/scim+json; charset=utf-8", body(1)).await.status, 201);
    assert_eq!(send("application/json", body(2)).await.status, 201);
    assert_eq!(send("text/plain", body(3)).await.refusal(), (415, ""));
    for wrong in ["", "{", "[]", "5", "\"x\""] {
        assert_eq!(
            send("application/scim+json", wrong.to_owned()).await.refusal(),
            (400, "invalidSyntax"),
            "{wrong}"
        );
    }
    let large = Value::String("x".repeat(1 << 20)).to_string();
    assert_eq!(send("application/scim+json", large).await.refusal(), (413, ""));
}

#[actix_web::test]
async fn ids_that_are_none_are_like_those_that_are_nowhere() {
    let site = Site::new().await;
    for kind in ["Users", "Groups"] {
        for id in ["x", "usr_01jb0000000000000000000000", "grp_01jb0000000000000000000000", "..%2Fx", "%00"] {
            let path = format!("/{kind}/{id}");
            assert_eq!(site.get(&path).await.refusal(), (404, ""), "{path}");
            assert_eq!(site.delete(&path).await.refusal(), (404, ""), "{path}");
            let patch = json!([{ "op": "replace", "path": "externalId", "value": "x" }]);
            assert_eq!(site.patch(&path, patch).await.refusal(), (404, ""), "{path}");
        }
    }
}

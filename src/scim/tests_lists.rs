//! Lists: filters, order, pages, and which attributes are shown.

use serde_json::{Value, json};

use crate::testing::{START, Site, id};
use crate::types::ENTERPRISE;

fn names(list: &Value) -> Vec<&str> {
    let all = list["Resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|one| one["displayName"].as_str()).collect()
}

/// Anna, and five people with titles.
async fn some() -> Site {
    let site = Site::new().await;
    for (name, title) in
        [("Eva", "Guide"), ("Ben", "Guide"), ("Cleo", "Porter"), ("Dan", "Guide"), ("Ute", "")]
    {
        site.wait(60);
        let mut body = json!({
            "userName": name.to_lowercase(), "displayName": name, "externalId": format!("x-{name}"),
            "emails": [{ "value": format!("{name}@example.org"), "type": "work" }, { "value": format!("{name}@home.example"), "type": "home" }],
        });
        if !title.is_empty() {
            body["title"] = json!(title);
        }
        site.post("/Users", body).await.expect(201);
    }
    site
}

#[actix_web::test]
async fn filters_find_by_index_and_by_looking() {
    let site = some().await;
    let cases: [(&str, &[&str]); 16] = [
        ("userName eq \"EVA\"", &["Eva"]),
        ("externalId eq \"x-Ben\"", &["Ben"]),
        ("emails.value eq \"cleo@home.example\"", &["Cleo"]),
        ("emails[type eq \"home\" and value eq \"cleo@home.example\"]", &["Cleo"]),
        ("emails[type eq \"work\" and value eq \"cleo@home.example\"]", &[]),
        ("displayName eq \"dan\"", &["Dan"]),
        ("title eq \"guide\"", &["Eva", "Ben", "Dan"]),
        ("title eq \"guide\" and displayName eq \"Ben\"", &["Ben"]),
        ("title eq \"guide\" and not (userName eq \"ben\")", &["Eva", "Dan"]),
        ("title pr or userName eq \"ute\"", &["Eva", "Ben", "Cleo", "Dan", "Ute"]),
        ("not (title pr)", &["Anna", "Ute"]),
        ("meta.created gt \"2027-01-15T08:03:00Z\"", &["Dan", "Ute"]),
        ("roles eq \"owner\"", &["Anna"]),
        ("groups pr", &[]),
        ("userName eq \"anna@example.org\"", &["Anna"]),
        ("id eq \"nothing\"", &[]),
    ];
    assert_eq!(START, 1_800_000_000_000, "that is 2027-01-15T08:00:00Z");
    for (filter, expected) in cases {
        let found = site.find("Users", filter).await.expect(200);
        assert_eq!(names(&found), expected, "{filter}");
        assert_eq!(found["totalResults"], expected.len(), "{filter}");
    }
    assert_eq!(site.find("Users", "title is 5").await.refusal(), (400, "invalidFilter"));
    assert_eq!(site.find("Users", "nosuch pr").await.refusal(), (400, "invalidFilter"));
}

#[actix_web::test]
async fn lists_are_read_a_page_at_a_time() {
    let site = some().await;
    let page = |start: i64, count: i64| format!("/Users?startIndex={start}&count={count}");
    let first = site.get(&page(1, 2)).await.expect(200);
    assert_eq!(first["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    assert_eq!(
        (&first["totalResults"], &first["startIndex"], &first["itemsPerPage"]),
        (&json!(6), &json!(1), &json!(2))
    );
    assert_eq!(names(&first), ["Anna", "Eva"]);
    assert_eq!(names(&site.get(&page(5, 10)).await.body), ["Dan", "Ute"]);
    assert_eq!(site.get(&page(7, 10)).await.body["Resources"], json!([]));
    let none = site.get(&page(-3, -1)).await.expect(200);
    assert_eq!(
        (&none["startIndex"], &none["totalResults"], &none["Resources"]),
        (&json!(1), &json!(6), &json!([]))
    );
    let found = site.get(&format!("{}&filter=title%20pr", page(2, 2))).await.expect(200);
    assert_eq!((names(&found), &found["totalResults"]), (vec!["Ben", "Cleo"], &json!(4)));
    assert_eq!(site.get(&page(1, 100_000)).await.body["itemsPerPage"], 6);
    assert_eq!(site.get("/Users?count=many").await.refusal(), (400, "invalidSyntax"));
}

#[actix_web::test]
async fn lists_are_sorted() {
    let site = some().await;
    let sorted = async |rest: &str| site.get(&format!("/Users?sortBy={rest}")).await.expect(200);
    assert_eq!(names(&sorted("displayName").await), ["Anna", "Ben", "Cleo", "Dan", "Eva", "Ute"]);
    assert_eq!(names(&sorted("USERNAME&sortOrder=descending&count=2").await), ["Ute", "Eva"]);
    assert_eq!(names(&sorted("title").await)[..1], ["Eva"]);
    assert_eq!(names(&sorted("title").await)[4..], ["Anna", "Ute"], "what has none stands last");
    assert_eq!(names(&sorted("emails.value&startIndex=2&count=1").await), ["Ben"]);
    assert_eq!(names(&sorted("meta.created&sortOrder=descending&count=1").await), ["Ute"]);
    assert_eq!(site.get("/Users?sortBy=nosuch").await.refusal(), (400, "invalidPath"));
}

#[actix_web::test]
async fn what_is_asked_for_is_shown() {
    let site = some().await;
    let keys = |list: Value| {
        let one = list["Resources"][1].as_object().expect("a person").clone();
        let mut names: Vec<_> = one.keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    let all = keys(site.get("/Users").await.expect(200));
    assert_eq!(all, "active displayName emails externalId id meta schemas title userName");
    assert_eq!(keys(site.get("/Users?attributes=USERNAME").await.expect(200)), "id schemas userName");
    let parts = site.get("/Users?attributes=emails.value,meta.resourceType").await.expect(200);
    assert_eq!(
        parts["Resources"][1]["emails"],
        json!([{ "value": "Eva@example.org" }, { "value": "Eva@home.example" }])
    );
    assert_eq!(keys(parts), "emails id meta schemas");
    let without = site.get("/Users?excludedAttributes=emails,id,meta.created,nosuch").await.expect(200);
    assert_eq!(without["Resources"][1]["meta"].get("created"), None);
    assert_eq!(keys(without), "active displayName externalId id meta schemas title userName");
    let urn = format!("/Users?attributes={ENTERPRISE},urn:ietf:params:scim:schemas:core:2.0:User:title");
    assert_eq!(keys(site.get(&urn).await.expect(200)), "id schemas title");
}

#[actix_web::test]
async fn searches_come_in_a_body_too() {
    let site = some().await;
    let schema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
    let body = json!({
        "schemas": [schema], "filter": "title eq \"Guide\"", "sortBy": "displayName", "sortOrder": "descending",
        "attributes": ["displayName"], "startIndex": 1, "count": 2,
    });
    let found = site.post("/Users/.search", body).await.expect(200);
    assert_eq!((names(&found), &found["totalResults"]), (vec!["Eva", "Dan"], &json!(3)));
    site.post("/Groups", json!({ "displayName": "Guides" })).await.expect(201);
    let both = json!({ "filter": "displayName sw \"Gui\" or title eq \"Porter\"" });
    assert_eq!(names(&site.post("/.search", both.clone()).await.expect(200)), ["Cleo", "Guides"]);
    assert_eq!(names(&site.post("/Groups/.search", json!({})).await.expect(200)), ["Guides"]);
    let sorted = json!({ "sortBy": "displayName", "sortOrder": "descending", "count": 3 });
    assert_eq!(names(&site.post("/.search", sorted).await.expect(200)), ["Ute", "Guides", "Eva"]);
    assert_eq!(
        site.post("/Groups/.search", both).await.refusal(),
        (400, "invalidFilter"),
        "groups have no title"
    );
}

#[actix_web::test]
async fn versions_are_left_out_where_members_are() {
    let site = some().await;
    let anna = site.find("Users", "userName eq \"eva\"").await.body["Resources"][0].clone();
    let new = json!({ "displayName": "G", "members": [{ "value": id(&anna) }] });
    let made = site.post("/Groups", new).await.expect(201);
    let list = site.get("/Groups").await.expect(200);
    assert_eq!(list["Resources"][0], made);
    let short = site.get("/Groups?excludedAttributes=members").await.expect(200);
    assert_eq!(short["Resources"][0]["meta"].get("version"), None);
    let members = format!("members eq \"{}\"", id(&anna));
    assert_eq!(names(&site.find("Groups", &members).await.expect(200)), ["G"]);
    assert_eq!(names(&site.find("Users", "groups.display eq \"g\"").await.expect(200)), ["Eva"]);
}

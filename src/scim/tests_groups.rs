//! Groups by SCIM, and who is in them.

use lectern_kernel::{Scope, TenantId};
use serde_json::{Value, json};

use crate::testing::{Site, id};

fn values(group: &Value) -> Vec<&str> {
    let members = group["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    members.iter().filter_map(|member| member["value"].as_str()).collect()
}

#[actix_web::test]
async fn groups_are_made_with_people_and_changed() {
    let site = Site::new().await;
    let (mia, ben) = (site.person("mia").await, site.person("ben").await);
    let body =
        json!({ "displayName": "Night shift", "externalId": "g-1", "members": [{ "value": mia["id"] }] });
    let made = site.post("/Groups", body.clone()).await.expect(201);
    assert_eq!(made["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]));
    let member = json!({ "value": mia["id"], "$ref": mia["meta"]["location"], "type": "User" });
    assert_eq!((&made["members"], &made["externalId"]), (&json!([member]), &json!("g-1")));
    let seen = site.get(&format!("/Users/{}", id(&mia))).await.expect(200);
    let group = json!({ "value": made["id"], "$ref": made["meta"]["location"], "display": "Night shift", "type": "direct" });
    assert_eq!(seen["groups"], json!([group]));
    assert_ne!(seen["meta"]["version"], mia["meta"]["version"], "one's groups are a part of one");
    assert_eq!(site.post("/Groups", body).await.refusal(), (409, "uniqueness"));
    let path = format!("/Groups/{}", id(&made));
    let add = json!([{ "op": "Add", "path": "members", "value": [{ "value": ben["id"] }, { "value": mia["id"] }] }]);
    assert_eq!(values(&site.patch(&path, add).await.expect(200)), [id(&mia), id(&ben)]);
    let remove = json!([{ "op": "Remove", "path": "members", "value": [{ "value": mia["id"] }] }]);
    assert_eq!(values(&site.patch(&path, remove).await.expect(200)), [id(&ben)]);
    let put = json!({ "displayName": "Day shift", "members": [{ "value": mia["id"], "type": "User" }] });
    let put = site.put(&path, put).await.expect(200);
    assert_eq!(
        (&put["displayName"], values(&put), put.get("externalId")),
        (&json!("Day shift"), vec![id(&mia)], None)
    );
    let shown = site.get(&format!("{path}?attributes=members.display,members.value")).await.expect(200);
    assert_eq!(shown["members"], json!([{ "value": mia["id"], "display": "mia" }]));
    assert!(site.audit().await[0].contains("group.changed"));
    assert_eq!(site.delete(&path).await.status, 204);
    assert_eq!(site.get(&path).await.refusal(), (404, ""));
    assert_eq!(site.get(&format!("/Users/{}", id(&mia))).await.body.get("groups"), None);
}

#[actix_web::test]
async fn members_are_people_of_the_tenant() {
    let site = Site::new().await;
    let made = site.post("/Groups", json!({ "displayName": "One" })).await.expect(201);
    let nobody = "usr_01jb0000000000000000000000";
    let wrong = [
        json!({ "displayName": "Two", "members": [{ "value": nobody }] }),
        json!({ "displayName": "Two", "members": [{ "value": made["id"] }] }),
        json!({ "displayName": "Two", "members": [{ "value": nobody, "type": "Group" }] }),
        json!({ "displayName": "Two", "members": [{ "type": "User" }] }),
        json!({ "displayName": " " }),
        json!({}),
    ];
    for body in wrong {
        assert_eq!(site.post("/Groups", body.clone()).await.refusal(), (400, "invalidValue"), "{body}");
    }
    let path = format!("/Groups/{}", id(&made));
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": nobody }] }]);
    assert_eq!(site.patch(&path, add).await.refusal(), (400, "invalidValue"));
    let gone = json!([{ "op": "remove", "path": format!("members[value eq \"{nobody}\"]") }]);
    assert_eq!(site.patch(&path, gone).await.status, 200);
    assert_eq!(
        site.patch(&path, json!([{ "op": "remove", "path": "displayName" }])).await.refusal(),
        (400, "mutability")
    );
    assert_eq!(site.get("/Groups").await.body["totalResults"], 1);
}

#[actix_web::test]
async fn groups_of_the_console_are_seen() {
    let site = Site::new().await;
    let new = serde_json::from_value(json!({ "name": "Library", "kind": "workspace" })).expect("fits");
    let group = site.identity.create_group(&Scope::system(TenantId::main()), new).await.expect("makes");
    for filter in
        ["displayName eq \"LIBRARY\"", "displayName sw \"lib\"", "members eq null", "externalId eq null"]
    {
        let found = site.find("Groups", filter).await.expect(200);
        assert_eq!(found["Resources"][0]["id"], json!(group.id), "{filter}");
    }
    let external = json!([{ "op": "add", "path": "externalId", "value": "x-9" }]);
    let after = site.patch(&format!("/Groups/{}", group.id), external).await.expect(200);
    assert_eq!(after["displayName"], "Library");
    assert_eq!(site.find("Groups", "externalId eq \"x-9\"").await.body["totalResults"], 1);
    assert_eq!(site.find("Groups", "externalId eq \"X-9\"").await.body["totalResults"], 0, "case counts");
}

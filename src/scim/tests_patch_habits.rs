//! Changes as identity services that are in use write them: Entra ID, Okta, OneLogin, Keycloak's plug-ins.

use serde_json::{Value, json};

use crate::patch::{apply, read};
use crate::path::Fields;
use crate::schema::{ResourceType, object};
use crate::types::{ENTERPRISE, GROUP, USER};
use crate::values::read_resource;

fn user() -> Fields {
    object(
        json!({ "userName": "b", "emails": [{ "value": "b@example.com", "type": "work" }], "active": true }),
    )
}

fn changed(kind: &ResourceType, mut resource: Fields, operations: Value) -> Value {
    let body = object(json!({ "schemas": [], "operations": operations }));
    let operations = read(&body).expect("reads");
    apply(kind, &mut resource, &operations).expect("changes");
    Value::Object(resource)
}

#[test]
fn entra_writes_names_with_capitals_and_truths_as_text() {
    let after = changed(
        &USER,
        user(),
        json!([
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "new@example.com" },
            { "op": "Add", "path": "addresses[type eq \"work\"].formatted", "value": "A street" },
            { "op": "Replace", "path": "displayName", "value": [{ "$ref": null, "value": "Barbara" }] },
            { "op": "Add", "path": "roles", "value": [{ "primary": "True", "value": "editor", "type": "WindowsAzureActiveDirectoryRole" }] },
        ]),
    );
    assert_eq!((&after["active"], &after["displayName"]), (&json!(false), &json!("Barbara")));
    assert_eq!(after["emails"], json!([{ "value": "new@example.com", "type": "work" }]));
    assert_eq!(after["addresses"], json!([{ "type": "work", "formatted": "A street" }]));
    assert_eq!(after["roles"][0]["primary"], true);
}

#[test]
fn entra_writes_paths_as_names_of_fields() {
    let after = changed(
        &USER,
        user(),
        json!([{ "op": "replace", "value": {
        "name.givenName": "Barbara",
        "emails[type eq \"work\"].value": "c@example.com",
        format!("{ENTERPRISE}:department"): "Tours",
        format!("{ENTERPRISE}:manager"): "usr_m",
        "id": "usr_other", "groups": [], "nosuch": 1, "schemas": ["x"],
    } }]),
    );
    assert_eq!(after["name"], json!({ "givenName": "Barbara" }));
    assert_eq!(after["emails"][0]["value"], "c@example.com");
    assert_eq!(after[ENTERPRISE], json!({ "department": "Tours", "manager": { "value": "usr_m" } }));
    assert_eq!((after.get("id"), after.get("nosuch"), after.get("groups")), (None, None, None));
}

#[test]
fn members_are_removed_by_a_list_of_values() {
    let group = || {
        object(json!({ "displayName": "G", "members": [
        { "value": "usr_a", "type": "User" }, { "value": "usr_b", "type": "User" }, { "value": "usr_c", "type": "User" },
    ] }))
    };
    let after = changed(
        &GROUP,
        group(),
        json!([
            { "op": "Remove", "path": "members", "value": [{ "value": "usr_a" }, { "value": "usr_c" }] },
        ]),
    );
    assert_eq!(after["members"], json!([{ "value": "usr_b", "type": "User" }]));
    let okta = changed(
        &GROUP,
        group(),
        json!([
            { "op": "replace", "value": { "id": "grp_1", "displayName": "New name" } },
            { "op": "remove", "path": "members[value eq \"usr_b\"]" },
        ]),
    );
    assert_eq!(
        (&okta["displayName"], okta["members"].as_array().map(Vec::len)),
        (&json!("New name"), Some(2))
    );
}

#[test]
fn whole_resources_are_read_whatever_the_case_of_names() {
    let body = object(json!({
        "SCHEMAS": ["x"], "username": "b", "Active": "TRUE", "id": "mine", "password": "secret", "meta": {},
        "emails": { "Value": "b@example.com" }, "roles": ["editor"], "phoneNumbers": [], "title": null,
        "employeeNumber": "no", ENTERPRISE.to_uppercase(): { "EMPLOYEENUMBER": 701_984, "manager": "" },
    }));
    let read = Value::Object(read_resource(&USER, &body).expect("reads"));
    let expected = json!({
        "userName": "b", "active": true, "emails": [{ "value": "b@example.com" }], "roles": [{ "value": "editor" }],
        ENTERPRISE: { "employeeNumber": "701984" },
    });
    assert_eq!(read, expected);
    let long = object(json!({ "title": "x".repeat(2_001) }));
    assert!(read_resource(&USER, &long).is_err());
}

//! Changes as RFC 7644, sections 3.5.2.1 to 3.5.2.3, describes them.

use serde_json::{Value, json};

use crate::patch::{apply, read};
use crate::path::Fields;
use crate::refusal::{Kind, Result};
use crate::schema::{ResourceType, object};
use crate::types::{ENTERPRISE, GROUP, USER};

fn babs() -> Fields {
    object(json!({
        "userName": "bjensen",
        "name": { "familyName": "Jensen", "givenName": "Barbara" },
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" },
        ],
        "addresses": [
            { "type": "work", "streetAddress": "100 Universal City Plaza", "country": "US" },
            { "type": "home", "streetAddress": "456 Hollywood Blvd" },
        ],
    }))
}

fn staff() -> Fields {
    object(
        json!({ "displayName": "Staff", "members": [{ "value": "usr_a", "type": "User" }, { "value": "usr_b", "type": "User" }] }),
    )
}

fn changed(kind: &ResourceType, mut resource: Fields, operations: Value) -> Result<Value> {
    let body = object(
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations }),
    );
    apply(kind, &mut resource, &read(&body)?)?;
    Ok(Value::Object(resource))
}

fn person(operations: Value) -> Value {
    changed(&USER, babs(), operations).expect("changes")
}

fn group(operations: Value) -> Value {
    changed(&GROUP, staff(), operations).expect("changes")
}

fn refused(operations: Value) -> Option<Kind> {
    changed(&USER, babs(), operations).expect_err("refused").kind
}

#[test]
fn add_puts_values_beside_those_that_are_there() {
    let more =
        json!([{ "op": "add", "path": "members", "value": [{ "display": "Babs", "value": "usr_c" }] }]);
    assert_eq!(group(more)["members"].as_array().map(Vec::len), Some(3));
    let again = json!([{ "op": "add", "path": "members", "value": [{ "value": "usr_a", "type": "User" }] }]);
    assert_eq!(group(again)["members"], staff()["members"], "nobody is there twice");
    let without_path = json!([{ "op": "add", "value": {
        "emails": [{ "value": "third@example.com", "type": "other" }], "nickName": "Babs",
    } }]);
    let after = person(without_path);
    assert_eq!((&after["nickName"], after["emails"].as_array().map(Vec::len)), (&json!("Babs"), Some(3)));
    let title = person(json!([{ "op": "add", "path": "title", "value": "Guide" }]));
    assert_eq!(title["title"], "Guide");
    let name = person(json!([{ "op": "add", "path": "name", "value": { "middleName": "Jane" } }]));
    assert_eq!(name["name"], json!({ "familyName": "Jensen", "givenName": "Barbara", "middleName": "Jane" }));
}

#[test]
fn a_new_primary_value_takes_it_from_the_old_one() {
    let new = json!([{ "op": "add", "path": "emails", "value": [{ "value": "c@d.org", "primary": true }] }]);
    let after = person(new);
    let primary = |at: usize| &after["emails"][at]["primary"];
    assert_eq!((primary(0), primary(2)), (&json!(false), &json!(true)));
    let home = json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }]);
    let after = person(home);
    assert_eq!(
        (&after["emails"][0]["primary"], &after["emails"][1]["primary"]),
        (&json!(false), &json!(true))
    );
    let two = json!([{ "op": "replace", "path": "emails", "value": [
        { "value": "a@b.org", "primary": true }, { "value": "c@d.org", "primary": true },
    ] }]);
    assert_eq!(refused(two), Some(Kind::InvalidValue));
}

#[test]
fn add_makes_a_value_that_the_filter_asks_for() {
    let fax = json!([{ "op": "add", "path": "phoneNumbers[type eq \"fax\"].value", "value": "555" }]);
    assert_eq!(person(fax)["phoneNumbers"], json!([{ "type": "fax", "value": "555" }]));
    let there =
        json!([{ "op": "add", "path": "emails[type eq \"work\"].value", "value": "new@example.com" }]);
    let after = person(there);
    assert_eq!(after["emails"][0], json!({ "value": "new@example.com", "type": "work", "primary": true }));
    assert_eq!(after["emails"].as_array().map(Vec::len), Some(2));
}

#[test]
fn remove_takes_values_away() {
    let one = json!([{ "op": "remove", "path": "members[value eq \"usr_a\"]" }]);
    assert_eq!(group(one)["members"], json!([{ "value": "usr_b", "type": "User" }]));
    assert_eq!(group(json!([{ "op": "remove", "path": "members" }])).get("members"), None);
    let home =
        person(json!([{ "op": "remove", "path": "emails[type eq \"home\" and value ew \"jensen.org\"]" }]));
    assert_eq!(home["emails"].as_array().map(Vec::len), Some(1));
    let both = json!([
        { "op": "remove", "path": "members[value eq \"usr_a\"]" },
        { "op": "add", "path": "members", "value": [{ "value": "usr_d" }] },
    ]);
    assert_eq!(group(both)["members"], json!([{ "value": "usr_b", "type": "User" }, { "value": "usr_d" }]));
    let part = person(json!([{ "op": "remove", "path": "addresses[type eq \"work\"].country" }]));
    assert_eq!(part["addresses"][0].get("country"), None);
    assert_eq!(
        person(json!([{ "op": "remove", "path": "name.givenName" }]))["name"],
        json!({ "familyName": "Jensen" })
    );
    assert_eq!(person(json!([{ "op": "remove", "path": "name" }])).get("name"), None);
    let nobody = json!([{ "op": "remove", "path": "members[value eq \"usr_x\"]" }]);
    assert_eq!(group(nobody)["members"], staff()["members"], "gone is gone");
}

#[test]
fn replace_puts_values_in_place() {
    let all = json!([{ "op": "replace", "path": "members", "value": [{ "value": "usr_x" }] }]);
    assert_eq!(group(all)["members"], json!([{ "value": "usr_x" }]));
    let work = json!([{ "op": "replace", "path": "addresses[type eq \"work\"]", "value": {
        "type": "work", "streetAddress": "911 Universal City Plaza", "primary": true,
    } }]);
    let expected = json!({ "type": "work", "streetAddress": "911 Universal City Plaza", "primary": true });
    assert_eq!(person(work)["addresses"][0], expected);
    let street = json!([{ "op": "replace", "path": "addresses[type eq \"work\"].streetAddress", "value": "1010 Broadway" }]);
    let after = person(street);
    assert_eq!(
        (&after["addresses"][0]["streetAddress"], &after["addresses"][0]["country"]),
        (&json!("1010 Broadway"), &json!("US"))
    );
    let whole = json!([{ "op": "replace", "value": {
        "emails": [{ "value": "only@example.com" }], "nickName": "Babs",
    } }]);
    assert_eq!(person(whole)["emails"], json!([{ "value": "only@example.com" }]));
    let name = person(json!([{ "op": "replace", "path": "name", "value": { "givenName": "Babs" } }]));
    assert_eq!(name["name"], json!({ "familyName": "Jensen", "givenName": "Babs" }), "the rest of it stays");
    assert_eq!(
        person(json!([{ "op": "replace", "path": "addresses", "value": null }])).get("addresses"),
        None
    );
}

#[test]
fn mistakes_have_their_names() {
    let cases = [
        (json!([{ "op": "remove" }]), Kind::NoTarget),
        (json!([{ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x" }]), Kind::NoTarget),
        (
            json!([{ "op": "replace", "path": "emails[type eq \"fax\"]", "value": { "value": "x" } }]),
            Kind::NoTarget,
        ),
        (
            json!([{ "op": "add", "path": "emails[type ne \"work\" and type ne \"home\"].value", "value": "x" }]),
            Kind::NoTarget,
        ),
        (json!([{ "op": "add", "path": "nosuch", "value": 1 }]), Kind::InvalidPath),
        (json!([{ "op": "add", "path": "name.nosuch", "value": "x" }]), Kind::InvalidPath),
        (
            json!([{ "op": "add", "path": "emails[type eq \"work\"].nosuch", "value": "x" }]),
            Kind::InvalidPath,
        ),
        (json!([{ "op": "add", "path": "name[givenName eq \"x\"]", "value": {} }]), Kind::InvalidPath),
        (json!([{ "op": "add", "path": "emails[type eq", "value": {} }]), Kind::InvalidPath),
        (json!([{ "op": "add", "path": "emails[nosuch eq \"x\"]", "value": {} }]), Kind::InvalidFilter),
        (json!([{ "op": "add", "path": 5, "value": {} }]), Kind::InvalidPath),
        (json!([{ "op": "replace", "path": "id", "value": "x" }]), Kind::Mutability),
        (json!([{ "op": "replace", "path": "meta.created", "value": "x" }]), Kind::Mutability),
        (json!([{ "op": "remove", "path": "groups" }]), Kind::Mutability),
        (json!([{ "op": "remove", "path": "userName" }]), Kind::Mutability),
        (json!([{ "op": "remove", "path": "emails" }]), Kind::Mutability),
        (json!([{ "op": "add", "path": "title" }]), Kind::InvalidValue),
        (json!([{ "op": "add", "path": "title", "value": true }]), Kind::InvalidValue),
        (json!([{ "op": "add", "path": "active", "value": "perhaps" }]), Kind::InvalidValue),
        (json!([{ "op": "add", "path": "name", "value": "Barbara" }]), Kind::InvalidValue),
        (json!([{ "op": "add", "value": "x" }]), Kind::InvalidValue),
        (json!([{ "op": "move", "path": "title", "value": "x" }]), Kind::InvalidSyntax),
        (json!([]), Kind::InvalidSyntax),
        (json!("x"), Kind::InvalidSyntax),
        (json!(["x"]), Kind::InvalidSyntax),
    ];
    for (operations, kind) in cases {
        assert_eq!(refused(operations.clone()), Some(kind), "{operations}");
    }
}

#[test]
fn extensions_are_changed_by_their_urn() {
    let path = |name: &str| format!("{ENTERPRISE}{name}");
    let after = person(json!([
        { "op": "add", "path": path(":department"), "value": "Tours" },
        { "op": "add", "path": path(":manager"), "value": { "value": "usr_m", "$ref": "../Users/usr_m" } },
        { "op": "replace", "path": path(":manager.value"), "value": "usr_n" },
    ]));
    assert_eq!(after[ENTERPRISE], json!({ "department": "Tours", "manager": { "value": "usr_n" } }));
    let whole =
        person(json!([{ "op": "add", "path": ENTERPRISE, "value": { "Division": "West", "odd": 1 } }]));
    assert_eq!(whole[ENTERPRISE], json!({ "division": "West" }));
    let gone = person(json!([
        { "op": "add", "value": { ENTERPRISE: { "division": "West" } } },
        { "op": "remove", "path": ENTERPRISE },
    ]));
    assert_eq!(gone.get(ENTERPRISE), None);
}

//! Filters: every kind of RFC 7644, section 3.4.2.2, on a person like that of RFC 7643, section 8.2.

use lectern_store::StoreError;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::filter::{Filter, Operator, parse, parse_path};
use crate::fits::{Condition, Hint};
use crate::path::Fields;
use crate::refusal::{Kind, Refusal, Result};
use crate::schema::object;
use crate::types::{ENTERPRISE, USER};

fn barbara() -> Fields {
    object(json!({
        "id": "usr_1",
        "userName": "bjensen@example.com",
        "externalId": "bJensen",
        "name": { "familyName": "O'Malley", "givenName": "Barbara" },
        "displayName": "Babs Jensen",
        "title": "Tour Guide",
        "userType": "Employee",
        "active": true,
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" },
        ],
        "phoneNumbers": [{ "value": "555-555-8377", "type": "work" }],
        ENTERPRISE: { "department": "Tours", "manager": { "value": "26118915" } },
        "meta": { "resourceType": "User", "lastModified": "2011-05-13T04:42:34.000Z" },
    }))
}

fn fits(filter: &str) -> Result<bool> {
    Ok(Condition::new(&USER, &parse(filter)?, false)?.fits(&barbara()))
}

#[test]
fn every_operator_and_combination_is_understood() {
    let yes = [
        "userName eq \"bjensen@example.com\"",
        "USERNAME Eq \"BJENSEN@example.com\"",
        "name.familyName co \"O'Malley\"",
        "userName sw \"B\"",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"b\"",
        "userName ew \".COM\"",
        "title pr",
        "meta.lastModified gt \"2011-05-13T04:42:33Z\"",
        "meta.lastModified ge \"2011-05-13T06:42:34+02:00\"",
        "meta.lastModified lt \"2011-05-13T04:42:35Z\"",
        "meta.lastModified le \"2011-05-13T04:42:34Z\"",
        "title pr and userType eq \"Employee\"",
        "title pr or userType eq \"Intern\"",
        "userType eq \"Employee\" and (emails co \"example.com\" or emails.value co \"example.org\")",
        "userType ne \"Intern\" and not (emails co \"example.net\" or emails.value co \"example.net\")",
        "userType eq \"Employee\" and (emails.type eq \"work\")",
        "userType eq \"Employee\" and emails[type eq \"work\" and value co \"@example.com\"]",
        "emails[type eq \"work\" and value co \"@example.com\"] or phoneNumbers[type eq \"fax\"]",
        "emails[type eq \"home\"].value eq \"babs@jensen.org\"",
        "emails[not (type eq \"work\")]",
        "active eq true",
        "active eq \"True\"",
        "not(active eq false)",
        "nickName eq null and title ne null",
        "nickName ne \"Bob\"",
        "displayName gt \"Ab\" and displayName lt \"C\"",
        "schemas eq null",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"tours\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"26118915\"",
        "  ( ( title pr ) )  ",
        "title pr or title pr and nickName pr",
    ];
    for filter in yes {
        assert!(matches!(fits(filter), Ok(true)), "{filter}: {:?}", fits(filter));
    }
    let no = [
        "userName eq \"bjensen\"",
        "externalId eq \"bjensen\"",
        "emails[type eq \"work\" and value co \"@jensen.org\"]",
        "(title pr or title pr) and nickName pr",
        "not (title pr)",
        "nickName pr",
        "emails ne \"babs@jensen.org\"",
        "meta.lastModified gt \"2011-05-13T04:42:34Z\"",
        "active ne true",
    ];
    for filter in no {
        assert!(matches!(fits(filter), Ok(false)), "{filter}");
    }
}

#[test]
fn and_binds_more_than_or() {
    let Filter::Or(terms) = parse("a pr or b pr and c pr and d pr").expect("parses") else { panic!("no or") };
    assert!(matches!(&terms[..], [Filter::Present(_), Filter::And(rest)] if rest.len() == 3));
    let text = parse("a eq \"q\\\"u\\u00e4\\\\\"").expect("parses");
    assert_eq!(text, Filter::Compare("a".into(), Operator::Equal, json!("q\"u\u{e4}\\")));
    assert_eq!(
        parse("a eq -1.5e3").expect("parses"),
        Filter::Compare("a".into(), Operator::Equal, json!(-1.5e3))
    );
}

#[test]
fn what_is_no_filter_is_told_apart_and_where() {
    let bad = [
        "",
        "userName",
        "userName eq",
        "userName eq bjensen",
        "userName eq \"open",
        "userName is \"x\"",
        "userName eq \"x\" and",
        "(userName pr",
        "userName pr)",
        "emails[type eq \"work\"",
        "emails[] pr",
        "not userName pr",
        "eq \"x\"",
        "userName eq \"x\" userName pr",
        "nosuch eq \"x\"",
        "emails[nosuch eq \"x\"]",
        "userName[type eq \"x\"]",
        "active gt true",
        "active co \"tr\"",
        "userName eq 5",
        "userName gt null",
        "name eq \"x\"",
        "meta.created gt \"yesterday\"",
        "userName eq \"\\x\"",
    ];
    for filter in bad {
        let refused = fits(filter).expect_err(filter);
        assert_eq!((refused.status, refused.kind), (400, Some(Kind::InvalidFilter)), "{filter}");
    }
    assert!(fits("userName xx \"a\"").expect_err("refused").to_string().contains("character 10"));
}

#[test]
fn there_are_limits() {
    let deep = format!("{}title pr{}", "(".repeat(24), ")".repeat(24));
    assert!(matches!(fits(&deep), Ok(true)));
    let deeper = format!("{}title pr{}", "not (".repeat(25), ")".repeat(25));
    assert!(fits(&deeper).expect_err("refused").to_string().contains("24"));
    let long = format!("title eq \"{}\"", "x".repeat(4_090));
    assert_eq!(fits(&long).expect_err("refused").kind, Some(Kind::InvalidFilter));
}

#[test]
fn unknown_names_fit_nothing_where_types_are_mixed() {
    let condition =
        |filter: &str| Condition::new(&USER, &parse(filter).expect("parses"), true).expect("binds");
    assert!(!condition("members eq \"x\"").fits(&barbara()));
    assert!(condition("not (members pr) and userName pr").fits(&barbara()));
}

#[test]
fn an_index_is_asked_only_where_all_that_fits_is_in_it() {
    let hint =
        |filter: &str| Condition::new(&USER, &parse(filter).expect("parses"), false).expect("binds").hint();
    let some = |attribute, value: &str| Some(Hint { attribute, value: value.to_owned() });
    assert_eq!(hint("userName eq \"A@b\""), some("userName", "a@b"));
    assert_eq!(hint("active eq true and externalId eq \"X1\""), some("externalId", "X1"));
    assert_eq!(hint("emails eq \"A@b\""), some("emails.value", "a@b"));
    assert_eq!(hint("emails[type eq \"work\" and value eq \"a@b\"]"), some("emails.value", "a@b"));
    assert_eq!(hint("emails[type eq \"work\"].value eq \"a@b\""), some("emails.value", "a@b"));
    for filter in [
        "userName eq \"a\" or title pr",
        "not (userName eq \"a\")",
        "userName sw \"a\"",
        "title eq \"a\"",
        "emails.type eq \"work\"",
        "userName ne \"a\"",
    ] {
        assert_eq!(hint(filter), None, "{filter}");
    }
}

#[test]
fn paths_of_changes_are_read() {
    let path = parse_path("addresses[type eq \"work\"].streetAddress").expect("parses");
    assert_eq!((path.attribute.as_str(), path.sub.as_deref()), ("addresses", Some("streetAddress")));
    assert_eq!(path.filter, Some(parse("type eq \"work\"").expect("parses")));
    let path = parse_path(&format!("{ENTERPRISE}:manager.value")).expect("parses");
    assert_eq!((path.attribute, path.filter), (format!("{ENTERPRISE}:manager.value"), None));
    for bad in [
        "",
        "a b",
        "emails[",
        "emails[type eq \"x\"",
        "emails[type eq \"x\"]x",
        "[type pr]",
        "emails[type eq \"x\"].",
    ] {
        assert_eq!(parse_path(bad).expect_err(bad).kind, Some(Kind::InvalidPath), "{bad}");
    }
}

#[test]
fn a_refusal_goes_through_the_store() {
    let refusal = parse("x").expect_err("refused");
    assert_eq!(Refusal::from(StoreError::from(refusal)).kind, Some(Kind::InvalidFilter));
}

/// Pieces that filters are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "userName",
        "emails",
        "[",
        "]",
        "(",
        ")",
        "not",
        "and",
        "or",
        "eq",
        "pr",
        "co",
        "\"x\"",
        "\"",
        "\\",
        ".value",
        "type",
        "true",
        "null",
        "5",
        "-",
        "e",
        " ",
        "ä",
        "$ref",
        "urn:ietf:params:scim:schemas:core:2.0:User:",
        "\u{0}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(text in ".{0,200}", built in pieces()) {
        for text in [text, built] {
            if let Ok(filter) = parse(&text) {
                if let Ok(condition) = Condition::new(&USER, &filter, false) {
                    let _ = (condition.fits(&barbara()), condition.hint());
                }
                let lenient = Condition::new(&USER, &filter, true);
                prop_assert!(lenient.is_ok() || Condition::new(&USER, &filter, false).is_err());
            }
            let _ = parse_path(&text);
        }
    }

    #[test]
    fn a_comparison_finds_the_text_it_was_written_with(text in "\\PC{0,30}") {
        let filter = format!("title eq {}", Value::String(text.clone()));
        let person = object(json!({ "title": text }));
        let condition = Condition::new(&USER, &parse(&filter)?, false)?;
        prop_assert!(condition.fits(&person));
    }
}

//! Configurations, addresses, templates, escaping, refusals and entries, without a server.

use std::collections::HashMap;

use ldap3::SearchEntry;

use crate::address::Address;
use crate::directory::member_filter;
use crate::escape::{dn_value, equals, fill, filter_value, first_value};
use crate::person::{self, Person};
use crate::refusal::{Closed, Refusal, from_data_code};
use crate::{DirectoryConfig, Group, Groups, Kind, tls};

/// What people type to be somebody else.
pub(crate) const INJECTIONS: &[&str] = &[
    "*",
    "a*",
    ")(uid=*",
    "admin)(&)",
    "*)(objectClass=*",
    "alice)(|(uid=*))",
    "\\00",
    "\\2a",
    "alice\0",
    "\0",
    "(",
    ")",
    "\\",
    "{user}",
    "uid=alice,ou=people,dc=example,dc=org",
    "ali\u{441}e",
    "\u{ff0a}",
    "alice\u{200b}",
];

pub(crate) fn config(kind: Kind, url: &str) -> DirectoryConfig {
    let kind = serde_json::to_value(kind).unwrap();
    let json = serde_json::json!({"kind": kind, "urls": [url], "user_base": "ou=people,dc=example,dc=org",
        "bind_dn": "cn=service,dc=example,dc=org"});
    serde_json::from_value(json).unwrap()
}

fn fields(config: &DirectoryConfig) -> Vec<&'static str> {
    config.validate().into_iter().map(|(field, _)| field).collect()
}

#[test]
fn a_short_configuration_is_enough() {
    for kind in [Kind::ActiveDirectory, Kind::OpenLdap] {
        let config = config(kind, "ldaps://ldap.example.org");
        assert_eq!(config.validate(), []);
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<DirectoryConfig>(&text).unwrap(), config);
    }
    let unknown = r#"{"kind":"open_ldap","urls":[],"user_base":"dc=a","bind_password":"x"}"#;
    assert!(
        serde_json::from_str::<DirectoryConfig>(unknown).unwrap_err().to_string().contains("bind_password")
    );
}

#[test]
fn passwords_go_unencrypted_only_where_somebody_said_so() {
    let mut plain = config(Kind::OpenLdap, "ldap://ldap.example.org");
    assert_eq!(fields(&plain), ["urls"]);
    assert!(plain.validate()[0].1.contains("ldap://ldap.example.org:389 would get passwords unencrypted"));
    plain.starttls = true;
    assert_eq!(fields(&plain), [""; 0]);
    (plain.starttls, plain.allow_plain) = (false, true);
    assert_eq!(fields(&plain), [""; 0]);
    plain.allow_plain = false;
    plain.urls = vec!["ldaps://a".to_owned(), "ldap://b".to_owned()];
    assert_eq!(fields(&plain), ["urls"]);
}

#[test]
fn every_wrong_setting_is_named() {
    let good = config(Kind::OpenLdap, "ldaps://ldap.example.org");
    let check = |change: &dyn Fn(&mut DirectoryConfig), field: &str| {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(fields(&changed), [field], "{changed:?}");
    };
    check(&|c| c.urls.clear(), "urls");
    check(&|c| c.urls = vec!["ldaps://a".to_owned(); 9], "urls");
    check(&|c| c.urls = vec!["https://a".to_owned()], "urls");
    check(&|c| c.authorities = Some("nothing".to_owned()), "authorities");
    check(&|c| c.authorities = Some("-----BEGIN PRIVATE KEY-----".to_owned()), "authorities");
    check(&|c| c.bind_dn = "cn=a\n".to_owned(), "bind_dn");
    check(&|c| c.user_base = String::new(), "user_base");
    check(&|c| c.user_base = "people".to_owned(), "user_base");
    check(&|c| c.user_filter = Some("(uid=admin)".to_owned()), "user_filter");
    check(&|c| c.user_filter = Some("(uid={user}".to_owned()), "user_filter");
    check(&|c| c.user_filter = Some("uid={user}".to_owned()), "user_filter");
    check(&|c| c.user_filter = Some("({user}=admin)".to_owned()), "user_filter");
    check(&|c| c.user_filter = Some(format!("(|{}(uid={{user}}))", "(a=b)".repeat(500))), "user_filter");
    let deep = format!("{}(uid={{user}}){}", "(!".repeat(16), ")".repeat(16));
    check(&|c| c.user_filter = Some(deep.clone()), "user_filter");
    check(&|c| c.groups.filter = Some("objectClass".to_owned()), "groups.filter");
    check(&|c| c.groups.base = Some("a b c".to_owned()), "groups.base");
    check(&|c| c.groups.nested = true, "groups.base");
    check(&|c| c.attributes.id = Some("entry UUID".to_owned()), "attributes.id");
    check(&|c| c.attributes.email = Some(String::new()), "attributes.email");
    check(&|c| c.groups.member = "member)".to_owned(), "groups.member");
    check(&|c| c.groups.max_depth = 0, "groups.max_depth");
    check(&|c| c.groups.max_groups = 10_001, "groups.max_groups");
    check(&|c| c.limits.connect_seconds = 0, "limits.connect_seconds");
    check(&|c| c.limits.operation_seconds = 121, "limits.operation_seconds");
    check(&|c| c.limits.count_users = 0, "limits.count_users");
    let nested = Groups { base: Some("ou=g".to_owned()), nested: true, ..good.groups.clone() };
    let names = Groups { member: "memberUid".to_owned(), ..nested.clone() };
    check(&|c| c.groups = names.clone(), "groups.nested");
    let mut other = config(Kind::ActiveDirectory, "ldaps://a");
    other.groups = Groups { member: "uniqueMember".to_owned(), ..nested };
    assert_eq!(fields(&other), ["groups.member"]);
}

#[test]
fn addresses_are_read_strictly() {
    for (url, shown) in [
        ("ldap://a", "ldap://a:389"),
        ("LDAPS://dc1.corp.example/", "ldaps://dc1.corp.example:636"),
        ("ldaps://10.0.0.1:3269", "ldaps://10.0.0.1:3269"),
        ("ldaps://[2001:DB8::1]", "ldaps://[2001:db8::1]:636"),
        ("ldap://[::1]:10389/", "ldap://[::1]:10389"),
    ] {
        assert_eq!(Address::parse(url).unwrap().to_string(), shown);
    }
    for url in [
        "",
        "a",
        "ldap:a",
        "ldap://",
        "ldapi://a",
        "ldap://a:0",
        "ldap://a:65536",
        "ldap://a:",
        "ldap://a:b",
        "ldap://a//",
        "ldap://u@a",
        "ldap://a/dc=org",
        "ldap://a?x",
        "ldap://a#x",
        "ldap://[::1",
        "ldap://[a]",
        "ldap://[::1]x",
        "ldap://a b",
        "ldap://a:1:2",
        "ldap://\u{e4}",
    ] {
        assert!(Address::parse(url).is_err(), "{url}");
    }
}

#[test]
fn a_user_name_is_never_more_than_a_value() {
    for kind in [Kind::ActiveDirectory, Kind::OpenLdap] {
        let config = config(kind, "ldaps://a");
        let harmless = fill(config.user_filter(), "harmless");
        let shape = |filter: &str| format!("{:?}", ldap3::parse_filter(filter).unwrap());
        for text in INJECTIONS {
            let filter = fill(config.user_filter(), text);
            // The same tree as for a plain name, with the exact text as value.
            let bytes = |text: &str| format!("{:?}", text.as_bytes());
            assert_eq!(
                shape(&filter).replace(&bytes(text), "?"),
                shape(&harmless).replace(&bytes("harmless"), "?")
            );
        }
    }
    assert_eq!(filter_value("a*(b)\\\0\u{e4}"), "a\\2a\\28b\\29\\5c\\00\u{e4}");
    assert_eq!(equals("cn", ")(&"), "(cn=\\29\\28&)");
    assert_eq!(fill("(|(a={user})(b={user}))", "{user}"), "(|(a={user})(b={user}))");
}

#[test]
fn a_text_is_never_more_than_one_part_of_a_name() {
    for (text, escaped) in [
        ("a,ou=admins", "a\\2cou\\3dadmins"),
        ("a+uid=b", "a\\2buid\\3db"),
        (" #\"<>;\\ ", "\\20#\\22\\3c\\3e\\3b\\5c\\20"),
        ("#04", "\\2304"),
        ("\0", "\\00"),
        ("J\u{fc}rgen", "J\u{fc}rgen"),
    ] {
        assert_eq!(dn_value(text), escaped);
    }
    for text in INJECTIONS {
        let dn = format!("cn={},ou=people", dn_value(text));
        assert_eq!(first_value(&dn).as_deref(), Some(*text));
    }
}

#[test]
fn the_first_part_of_a_name_is_read() {
    for (dn, value) in [
        ("cn=Domain Admins,cn=Users,dc=corp", "Domain Admins"),
        ("CN=Doe\\, Jane (Ops),OU=x", "Doe, Jane (Ops)"),
        ("cn = a b  , ou=x", "a b"),
        ("cn=a\\ ,ou=x", "a "),
        ("cn=J\\c3\\bcrgen", "J\u{fc}rgen"),
        ("cn=a+uid=b,ou=x", "a"),
        ("2.5.4.3=a", "a"),
    ] {
        assert_eq!(first_value(dn).as_deref(), Some(value), "{dn}");
    }
    for dn in ["", "cn", "=a", "c n=a", "cn=#0401", "cn=a\\", "cn=a\\f", "cn=\\ff"] {
        assert_eq!(first_value(dn), None, "{dn}");
    }
}

#[test]
fn groups_are_asked_for_by_member() {
    let member = ["cn=Doe\\, Jane (Ops),ou=x".to_owned()];
    let mut config = config(Kind::ActiveDirectory, "ldaps://a");
    let direct = "(&(objectClass=group)(|(member=cn=Doe\\5c, Jane \\28Ops\\29,ou=x)))";
    assert_eq!(member_filter(&config, &member), direct);
    config.groups.nested = true;
    let filter = member_filter(&config, &member);
    assert_eq!(filter, direct.replace("member=", "member:1.2.840.113556.1.4.1941:="));
    assert!(ldap3::parse_filter(filter).is_ok());
    config.kind = Kind::OpenLdap;
    let two = member_filter(&config, &["cn=a".to_owned(), "cn=b".to_owned()]);
    assert_eq!(two, "(&(objectClass=groupOfNames)(|(member=cn=a)(member=cn=b)))");
}

#[test]
fn what_active_directory_says_of_an_account_is_understood() {
    let text = |data: &str| {
        format!(
            "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v2580\0"
        )
    };
    let closed = Refusal::AccountDisabled;
    for (data, refusal) in [
        ("525", Refusal::NotFound),
        ("52e", Refusal::WrongCredentials),
        ("52E", Refusal::WrongCredentials),
        ("530", closed(Closed::Hours)),
        ("531", closed(Closed::Workstation)),
        ("532", Refusal::PasswordExpired),
        ("533", closed(Closed::Disabled)),
        ("701", closed(Closed::Expired)),
        ("773", Refusal::PasswordExpired),
        ("775", closed(Closed::Locked)),
    ] {
        assert_eq!(from_data_code(&text(data)), Some(refusal), "{data}");
    }
    for other in ["", "0", "52f", "5 25", "xyz", "fffffffff"] {
        assert_eq!(from_data_code(&text(other)), None, "{other}");
    }
    assert_eq!(from_data_code("Invalid Credentials"), None);
    assert_eq!(from_data_code("data 525"), None);
}

#[test]
fn outsiders_do_not_learn_who_exists() {
    let (wrong, unknown) = (Refusal::WrongCredentials, Refusal::NotFound);
    assert_eq!((wrong.to_string(), wrong.hint()), (unknown.to_string(), unknown.hint()));
    assert!(wrong.is_persons() && unknown.is_persons() && Refusal::PasswordExpired.is_persons());
    assert!(!Refusal::unavailable("x", "y").is_persons());
}

#[test]
fn what_is_wrong_with_a_certificate_is_told() {
    use rustls::CertificateError::{self, BadEncoding, Expired, NotValidForName, NotValidYet, UnknownIssuer};
    let refusal = |reason: CertificateError| {
        let error = std::io::Error::other(rustls::Error::InvalidCertificate(reason));
        tls::refusal("ldaps://a:636", &error)
    };
    for (reason, field, message) in [
        (UnknownIssuer, "authorities", "not trusted here"),
        (NotValidForName, "urls", "for other names"),
        (Expired, "urls", "has expired"),
        (NotValidYet, "urls", "not valid yet"),
        (BadEncoding, "urls", "cannot be accepted"),
    ] {
        let found = refusal(reason);
        assert!(matches!(&found, Refusal::Misconfigured { field: f, .. } if *f == field), "{found:?}");
        assert!(found.to_string().contains(message), "{found}");
    }
    let other = tls::refusal("ldaps://a:636", &std::io::Error::other("x"));
    assert!(matches!(other, Refusal::Unavailable { .. }));
}

pub(crate) fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> SearchEntry {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let attrs = attributes.iter().map(|(name, values)| ((*name).to_owned(), list(values))).collect();
    SearchEntry { dn: dn.to_owned(), attrs, bin_attrs: HashMap::new() }
}

#[test]
fn a_person_is_read_whatever_the_case_of_names() {
    let config = config(Kind::OpenLdap, "ldaps://a");
    let found = entry(
        "uid=jane,ou=people",
        &[
            ("ENTRYUUID", &["F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"]),
            ("UID", &["jane", "jdoe"]),
            ("memberof", &["cn=Doe\\, Jane,ou=x", "cn=staff,ou=x"]),
        ],
    );
    let read = person::read(&config, &found).unwrap();
    let id = "f81d4fae7dec11d0a76500a0c91e6bf6".to_owned();
    let (dn, user_name, name) = (found.dn.clone(), "jane".to_owned(), "jane".to_owned());
    assert_eq!(read.person, Person { dn, id, user_name, email: None, name, groups: vec![] });
    let group = |dn: &str, name: &str| Group { dn: dn.to_owned(), name: name.to_owned() };
    assert_eq!(read.member_of, [group("cn=Doe\\, Jane,ou=x", "Doe, Jane"), group("cn=staff,ou=x", "staff")]);
}

#[test]
fn a_guid_is_bytes_even_when_they_look_like_text() {
    let config = config(Kind::ActiveDirectory, "ldaps://a");
    let mut found = entry("CN=Jane", &[("objectGUID", &["0123456789abcdef"]), ("sAMAccountName", &["jane"])]);
    assert_eq!(person::read(&config, &found).unwrap().person.id, "30313233343536373839616263646566");
    found.attrs.remove("objectGUID");
    found.bin_attrs.insert("objectGUID".to_owned(), vec![vec![0xff; 16]]);
    found.attrs.insert("userAccountControl".to_owned(), vec!["514".to_owned()]);
    let read = person::read(&config, &found).unwrap();
    assert_eq!(read.person.id, "ff".repeat(16));
    assert_eq!(read.enabled().err(), Some(Refusal::AccountDisabled(Closed::Disabled)));
}

#[test]
fn an_entry_that_cannot_be_a_person_names_the_setting() {
    let config = config(Kind::ActiveDirectory, "ldaps://a");
    let field = |found: &SearchEntry| match person::read(&config, found).err() {
        Some(Refusal::Misconfigured { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let name: (&str, &[&str]) = ("sAMAccountName", &["jane"]);
    let id: (&str, &[&str]) = ("objectGUID", &["0123456789abcdef"]);
    assert_eq!(field(&entry("", &[id, name])), "user_filter");
    assert_eq!(field(&entry("CN=Jane", &[name])), "attributes.id");
    assert_eq!(field(&entry("CN=Jane", &[id])), "attributes.user_name");
    let cut: (&str, &[&str]) = ("memberOf;range=0-1499", &["CN=a"]);
    assert_eq!(field(&entry("CN=Jane", &[id, name, cut])), "groups.max_groups");
}

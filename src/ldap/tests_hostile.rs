//! Servers that mean no good, or are broken: each costs one refusal.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream as StdStream};
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::ber::{LARGEST_MESSAGE, check, element};
use crate::tests::config;
use crate::wire::start_tls_answer;
use crate::{Dial, DialError, Directory, DirectoryConfig, Kind, Refusal};

/// Lets every connection through.
pub(crate) struct Open;

#[async_trait]
impl Dial for Open {
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        Ok(TcpStream::connect((host, port)).await?)
    }
}

/// Lets no connection through.
struct Closed;

#[async_trait]
impl Dial for Closed {
    async fn dial(&self, _host: &str, _port: u16) -> Result<TcpStream, DialError> {
        Err(DialError::Denied("outbound connections are off".to_owned()))
    }
}

/// One element with a length of three bytes at most.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u32;
    let mut bytes = vec![tag];
    match length {
        0..=0x7f => bytes.push(length as u8),
        _ => bytes.extend([&[0x84], &length.to_be_bytes()[..]].concat()),
    }
    bytes.extend(content);
    bytes
}

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(2, &[id])[..], operation].concat())
}

fn result(tag: u8, code: u8, text: &str) -> Vec<u8> {
    tlv(tag, &[tlv(0x0a, &[code]), tlv(4, b""), tlv(4, text.as_bytes())].concat())
}

/// A server that answers each request on a connection with the next of these, then closes or stays silent.
fn server(answers: Vec<Vec<u8>>, stays: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap(), &answers, stays);
        }
    });
    format!("ldap://{address}")
}

fn serve(mut stream: StdStream, answers: &[Vec<u8>], stays: bool) {
    let mut request = [0; 4096];
    for answer in answers {
        if !matches!(stream.read(&mut request), Ok(1..)) || stream.write_all(answer).is_err() {
            return;
        }
    }
    while stays && matches!(stream.read(&mut request), Ok(1..)) {}
}

fn directory(url: &str, change: impl FnOnce(&mut DirectoryConfig)) -> Directory {
    let mut config = config(Kind::OpenLdap, url);
    config.allow_plain = true;
    config.limits.operation_seconds = 1;
    change(&mut config);
    Directory::new(config, Zeroizing::new("secret".to_owned()), Arc::new(Open)).unwrap()
}

/// What comes of answers to the service account's bind and to the search after it.
async fn refused(answers: Vec<Vec<u8>>, stays: bool) -> String {
    let directory = directory(&server(answers, stays), |_| {});
    match directory.sign_in("jane", "password").await.unwrap_err() {
        refusal @ (Refusal::Unavailable { .. } | Refusal::Misconfigured { .. }) => refusal.to_string(),
        other => panic!("{other:?}"),
    }
}

fn bound() -> Vec<u8> {
    message(1, &result(0x61, 0, ""))
}

#[tokio::test]
async fn messages_that_would_end_the_program_end_the_connection() {
    let mut deep = Vec::new();
    while deep.len() < 100_000 {
        deep = [&[0x30, 0x84][..], &(deep.len() as u32).to_be_bytes(), &deep].concat();
    }
    for (answer, reason) in [
        (message(1, &deep), "too many parts"),
        (tlv(0x30, &[5, 0].repeat(100_001)), "too many parts"),
        ([&[0x30, 0x84][..], &(LARGEST_MESSAGE as u32 + 1).to_be_bytes()].concat(), "too large"),
        (vec![0x30, 0x80, 0, 0], "length that LDAP does not allow"),
        (vec![0x30, 0x3f, 0x1f, 0], "within a message"),
        (message(1, &[0x3f, 1, 0]), "tag that LDAP does not know"),
        (message(1, &[0x61, 9, 1]), "ends too early"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "not LDAP"),
    ] {
        let text = refused(vec![answer], false).await;
        assert!(text.contains(reason), "{text}: {reason}");
    }
}

#[tokio::test]
async fn answers_that_are_no_ldap_cost_one_refusal() {
    for answer in [
        message(1, &tlv(0x61, b"")),
        message(1, &tlv(0x61, &[tlv(4, b"x"), tlv(4, b""), tlv(4, b"")].concat())),
        message(1, &tlv(0x61, &[tlv(0x0a, &[0]), tlv(4, b"\xff"), tlv(4, b"")].concat())),
        message(1, &tlv(0x41, b"")),
        tlv(0x30, &[]),
        tlv(0x30, &tlv(2, &[1])),
        tlv(0x30, &[tlv(2, &[1]), result(0x61, 0, ""), tlv(0xa0, &tlv(4, b"x"))].concat()),
    ] {
        refused(vec![answer], false).await;
    }
    for answer in [
        message(2, &tlv(0x64, b"")),
        message(2, &tlv(0x64, &[tlv(4, b"\xff"), tlv(0x30, b"")].concat())),
        message(2, &result(0x61, 0, "")),
        message(2, &tlv(0x73, &tlv(4, b"\xff"))),
    ] {
        refused(vec![bound(), answer], false).await;
    }
}

#[tokio::test]
async fn silence_and_endless_answers_end() {
    assert!(refused(vec![], true).await.contains("no answer within 1 seconds"));
    assert!(refused(vec![bound()], true).await.contains("no answer within 1 seconds"));
    for answers in [vec![], vec![bound()]] {
        let text = refused(answers, false).await;
        assert!(text.contains("onnection"), "{text}");
    }
    let entry = message(2, &tlv(0x64, &[tlv(4, b"uid=a,dc=b"), tlv(0x30, b"")].concat()));
    assert!(refused(vec![bound(), entry.repeat(1000)], true).await.contains("more than one entry"));
    let elsewhere = message(2, &tlv(0x73, &tlv(4, b"ldap://elsewhere/dc=b")));
    assert!(refused(vec![bound(), elsewhere.repeat(1000)], true).await.contains("no answer"));
}

#[tokio::test]
async fn an_entry_without_a_name_is_nobody_to_sign_in_as() {
    let attribute = |name: &str, value: &str| {
        tlv(0x30, &[tlv(4, name.as_bytes()), tlv(0x31, &tlv(4, value.as_bytes()))].concat())
    };
    let attributes = [attribute("entryUUID", "1"), attribute("uid", "jane")].concat();
    let entry = message(2, &tlv(0x64, &[tlv(4, b""), tlv(0x30, &attributes)].concat()));
    let done = message(2, &result(0x65, 0, ""));
    let text = refused(vec![bound(), [entry, done].concat()], false).await;
    assert!(text.contains("no name"), "{text}");
}

#[tokio::test]
async fn a_referral_is_told_and_not_followed() {
    let text = refused(vec![bound(), message(2, &result(0x65, 10, ""))], false).await;
    assert!(text.contains("user_base") && text.contains("refers to another server"), "{text}");
}

#[tokio::test]
async fn an_account_that_active_directory_closed_is_told() {
    let text = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 775, v2580";
    let text = refused(vec![message(1, &result(0x61, 49, text))], false).await;
    assert!(text.contains("service account") && text.contains("locked"), "{text}");
}

#[tokio::test]
async fn nothing_is_asked_with_an_empty_password_or_name() {
    // Nobody listens there, so any connection would be told as unavailable.
    let directory = directory("ldap://127.0.0.1:9", |_| {});
    assert_eq!(directory.sign_in("jane", "").await, Err(Refusal::WrongCredentials));
    assert_eq!(directory.sign_in("jane", &"x".repeat(1025)).await, Err(Refusal::WrongCredentials));
    for user in ["", " ", &"x".repeat(257)] {
        assert_eq!(directory.sign_in(user, "password").await, Err(Refusal::NotFound));
        assert_eq!(directory.lookup(user).await, Err(Refusal::NotFound));
    }
    let config = directory.config.clone();
    let none = Directory::new(config, Zeroizing::new(String::new()), Arc::new(Open)).unwrap_err();
    assert!(matches!(none, Refusal::Misconfigured { field: "bind_password", .. }), "{none:?}");
}

#[tokio::test]
async fn the_policy_is_asked_before_anything_is_opened() {
    let config = config(Kind::OpenLdap, "ldaps://ldap.example.org");
    let directory = Directory::new(config, Zeroizing::new("secret".to_owned()), Arc::new(Closed));
    // Machines without a list of authorities refuse even earlier.
    let Ok(directory) = directory else { return };
    let refusal = directory.sign_in("jane", "password").await.unwrap_err();
    assert!(refusal.to_string().contains("not allowed here: outbound connections are off"), "{refusal}");
    assert!(!format!("{directory:?}").contains("secret"));
}

#[tokio::test]
async fn the_next_server_is_asked_only_for_a_servers_own_trouble() {
    let wrong = server(vec![message(1, &result(0x61, 49, ""))], false);
    let busy = server(vec![message(1, &result(0x61, 51, ""))], false);
    let urls = |urls: &[&str]| {
        let urls = urls.iter().map(|url| (*url).to_owned()).collect();
        directory("ldap://a", |config| config.urls = urls)
    };
    let refused = |refusal| matches!(refusal, Err(Refusal::Misconfigured { field: "bind_dn", .. }));
    assert!(refused(urls(&[&busy, &wrong]).lookup("jane").await));
    assert!(refused(urls(&["ldap://127.0.0.1:9", &wrong]).lookup("jane").await));
    assert!(refused(urls(&[&wrong, &busy]).lookup("jane").await));
    let away = urls(&[&busy, "ldap://127.0.0.1:9"]).lookup("jane").await.unwrap_err();
    assert!(away.to_string().contains("is busy"), "{away}");
}

#[tokio::test]
async fn starttls_is_refused_by_a_plain_answer() {
    let plain = server(vec![message(1, &result(0x78, 2, "unsupported extended operation"))], false);
    let authority = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap().cert.pem();
    let directory = directory(&plain, |config| {
        (config.starttls, config.allow_plain, config.authorities) = (true, false, Some(authority));
    });
    let refusal = directory.lookup("jane").await.unwrap_err();
    assert!(matches!(refusal, Refusal::Misconfigured { field: "starttls", .. }), "{refusal:?}");
    assert_eq!(start_tls_answer(&message(1, &result(0x78, 0, ""))).unwrap(), (0, String::new()));
    for answer in [
        message(0, &result(0x78, 0, "")),
        message(1, &result(0x61, 0, "")),
        message(1, b""),
        message(1, &tlv(0x78, &tlv(0x0a, b""))),
    ] {
        assert!(start_tls_answer(&answer).is_err());
    }
}

#[test]
fn elements_are_read_as_ldap_restricts_them() {
    let read = element(b"\x04\x81\x02abc").unwrap();
    assert_eq!((read.tag, read.content, read.rest), (4, &b"ab"[..], &b"c"[..]));
    for bad in
        [&b""[..], b"\x04", b"\x04\x02a", b"\x04\x80", b"\x04\x85\0\0\0\0\0", b"\x04\x82\x01", b"\x1f\x01a"]
    {
        assert!(element(bad).is_err(), "{bad:?}");
        assert!(bad.is_empty() || check(bad).is_err(), "{bad:?}");
    }
}

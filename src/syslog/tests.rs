//! Messages and addresses, without a server.

use proptest::prelude::*;

use crate::event::{Event, Field, Format, Severity, encode};
use crate::frame::{Framing, UDP_LIMIT, frame};
use crate::{Address, check_authorities};

pub(crate) fn field(name: &'static str, key: &'static str, value: &str) -> Field {
    Field { name, key, label: None, value: value.to_owned(), long: false }
}

pub(crate) fn event(body: &str) -> Event {
    Event {
        severity: Severity::Notice,
        at: "2026-11-27T09:30:00.123Z".to_owned(),
        host: "desk.example.org".to_owned(),
        id: "key.created".to_owned(),
        fields: vec![
            field("sequence", "externalId", "7"),
            field("actor", "suid", "usr_1"),
            Field { label: Some("object"), ..field("object", "cs5", "a\"b\\c]d=e|f\ng") },
            Field { long: true, label: Some("change"), ..field("", "cs6", "{\"after\":1}") },
            field("by", "", ""),
        ],
        body: body.to_owned(),
        short_body: r#"{"sequence":7,"truncated":true}"#.to_owned(),
    }
}

fn text(event: &Event, format: Format, limit: usize) -> String {
    String::from_utf8(encode(event, format, limit)).unwrap()
}

#[test]
fn a_syslog_message_has_header_data_mark_and_body() {
    let told = text(&event(r#"{"n":"é"}"#), Format::Rfc5424, 4096);
    let process = std::process::id();
    let head = format!("<109>1 2026-11-27T09:30:00.123Z desk.example.org lectern {process} key.created ");
    let data = r#"[lectern@32473 sequence="7" actor="usr_1" object="a\"b\\c\]d=e|f g"] "#;
    assert_eq!(told, format!("{head}{data}\u{feff}{{\"n\":\"é\"}}"));
    let odd =
        Event {
            severity: Severity::Warning, host: "a host\n".to_owned(), id: "ä".repeat(40), ..event("{}")
        };
    let told = text(&odd, Format::Rfc5424, 4096);
    assert!(told.starts_with("<108>1 2026-11-27T09:30:00.123Z a_host_ lectern "), "{told}");
    assert!(told.contains(&format!(" {} [", "_".repeat(32))), "{told}");
    let nobody = Event { host: String::new(), severity: Severity::Informational, ..event("{}") };
    assert!(text(&nobody, Format::Rfc5424, 4096).starts_with("<110>1 2026-11-27T09:30:00.123Z - lectern "));
}

#[test]
fn cef_escapes_what_has_a_meaning_there() {
    let mut odd = event("{}");
    odd.id = "a|b\\c.d".to_owned();
    let told = text(&odd, Format::Cef, 4096);
    let (_, cef) = told.split_once(" - CEF:").unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        cef,
        format!(
            "0|Lectern|Lectern|{version}|a\\|b\\\\c.d|a\\|b\\\\c d|5|externalId=7 suid=usr_1 \
             cs5=a\"b\\\\c]d\\=e|f\\ng cs5Label=object cs6={{\"after\":1}} cs6Label=change"
        )
    );
    assert!(!told.contains('\u{feff}') && !told.contains('\n'));
}

#[test]
fn what_is_too_long_is_told_short_and_says_so() {
    let long = event(&format!(r#"{{"after":"{}"}}"#, "x".repeat(5000)));
    let told = text(&long, Format::Rfc5424, UDP_LIMIT);
    assert!(told.contains(" truncated=\"yes\"] \u{feff}{\"sequence\":7,\"truncated\":true}"), "{told}");
    let mut long = long;
    long.fields[3].value = "y".repeat(5000);
    let told = text(&long, Format::Cef, UDP_LIMIT);
    assert!(told.ends_with(" reason=truncated") && !told.contains("cs6"), "{told}");
    assert_eq!(text(&long, Format::Json, UDP_LIMIT), long.short_body);
    assert_eq!(text(&long, Format::Json, 1 << 20), long.body);
}

#[test]
fn addresses_are_read_strictly() {
    let read = |text: &str| Address::parse(text, 514).map(|address| address.to_string());
    assert_eq!(read("Syslog.example.org").as_deref(), Ok("syslog.example.org:514"));
    assert_eq!(read("10.0.0.1:6514").as_deref(), Ok("10.0.0.1:6514"));
    assert_eq!(read("[2001:db8::1]:601").as_deref(), Ok("[2001:db8::1]:601"));
    assert_eq!(read("[::1]").as_deref(), Ok("[::1]:514"));
    for bad in [
        "", ":514", "a:0", "a:70000", "a:+1", "::1", "[::1", "[x]:1", "[::1]1", "a b", "udp://a", "a/b",
        "a:1:2",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn authorities_are_certificates_and_nothing_else() {
    for bad in ["", "nothing", "-----BEGIN PRIVATE KEY-----", &"x".repeat(300_000)] {
        assert!(check_authorities(bad).is_err());
    }
    check_authorities(&crate::tests_wire::certificates().authority).unwrap();
}

/// The parts of a message, read as RFC 5424 has them: priority, header fields, parameters of the data, body.
fn read(message: &str) -> (u32, Vec<&str>, Vec<(String, String)>, &str) {
    let (priority, rest) = message.strip_prefix('<').unwrap().split_once('>').unwrap();
    let mut parts = rest.splitn(7, ' ');
    let header: Vec<_> = parts.by_ref().take(6).collect();
    let mut rest = parts.next().unwrap().strip_prefix("[lectern@32473").unwrap();
    let mut parameters = Vec::new();
    while let Some(parameter) = rest.strip_prefix(' ') {
        let (name, value) = parameter.split_once("=\"").unwrap();
        let (mut shown, mut end, mut characters) = (String::new(), 0, value.char_indices());
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => {
                    let (_, escaped) = characters.next().unwrap();
                    assert!("\"\\]".contains(escaped), "{value}");
                    shown.push(escaped);
                }
                '"' => {
                    end = at;
                    break;
                }
                c => {
                    assert!(c != ']' && !c.is_control(), "{value}");
                    shown.push(c);
                }
            }
        }
        parameters.push((name.to_owned(), shown));
        rest = &value[end + 1..];
    }
    (priority.parse().unwrap(), header, parameters, rest.strip_prefix("] ").unwrap())
}

fn any_event() -> impl Strategy<Value = Event> {
    let value = || "\\PC{0,90}|.{0,40}|[\\]\"\\\\|=\n\r\0]{0,200}";
    (value(), value(), value(), 0..40_000usize).prop_map(|(host, id, object, length)| {
        let long = "z".repeat(length);
        Event {
            host,
            id,
            fields: vec![
                Field { label: Some("object"), ..field("object", "cs5", &object) },
                Field { long: true, ..field("", "cs6", &long) },
            ],
            body: serde_json::json!({ "object": object, "after": long }).to_string(),
            short_body: serde_json::json!({ "object": crate::shorten(&object), "truncated": true })
                .to_string(),
            ..event("")
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_fits_and_can_be_read(event in any_event(), limit in UDP_LIMIT..60_000) {
        let told = text(&event, Format::Rfc5424, limit);
        prop_assert!(told.len() <= limit);
        let (priority, header, parameters, body) = read(&told);
        prop_assert_eq!(priority, 109);
        prop_assert_eq!((header.len(), header[0], header[3]), (6, "1", "lectern"));
        prop_assert!(header.iter().all(|part| part.bytes().all(|b| b.is_ascii_graphic())));
        let whole = !parameters.iter().any(|(name, _)| name == "truncated");
        let body: serde_json::Value = serde_json::from_str(body.strip_prefix('\u{feff}').unwrap()).unwrap();
        prop_assert_eq!(body.get("after").is_some(), whole);
    }

    #[test]
    fn any_json_stays_json_on_one_line(event in any_event(), limit in UDP_LIMIT..60_000) {
        let told = text(&event, Format::Json, limit);
        prop_assert!(told.len() <= limit && !told.contains('\n'));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&told).is_ok());
    }

    #[test]
    fn any_cef_has_seven_bars_and_one_line(event in any_event(), limit in UDP_LIMIT..60_000) {
        let told = text(&event, Format::Cef, limit);
        prop_assert!(told.len() <= limit && !told.contains(['\n', '\r']));
        let cef = told.split_once(" - CEF:").unwrap().1;
        let mut bars = 0;
        let mut characters = cef.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => { prop_assert!(characters.next().is_some_and(|c| "\\|=nr".contains(c))); }
                '|' if bars < 7 => bars += 1,
                _ => {}
            }
        }
        prop_assert_eq!(bars, 7);
    }

    #[test]
    fn counted_messages_are_told_apart_again(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20)) {
        let mut stream = Vec::new();
        for message in &messages {
            frame(&mut stream, message, Framing::Counted);
        }
        let (mut rest, mut found) = (&stream[..], Vec::new());
        while !rest.is_empty() {
            let space = rest.iter().position(|b| *b == b' ').unwrap();
            let length: usize = std::str::from_utf8(&rest[..space]).unwrap().parse().unwrap();
            found.push(rest[space + 1..=space + length].to_vec());
            rest = &rest[space + 1 + length..];
        }
        prop_assert_eq!(found, messages);
    }
}

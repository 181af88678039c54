//! Against rsyslog, which `tests/rsyslog.sh` unpacks; `RSYSLOG_DIR` says where. Without it these tests skip themselves.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::event::{Event, Format, encode};
use crate::tests::event;
use crate::tests_wire::{certificates, sender};
use crate::{Framing, Step, Transport};

/// A running rsyslogd that ends with the test.
struct Rsyslog {
    child: Child,
    folder: TempDir,
    tcp: u16,
    tls: u16,
    udp: u16,
    authority: String,
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[allow(clippy::disallowed_methods, reason = "tests find their peers by it")]
fn unpacked() -> Option<PathBuf> {
    let folder = std::env::var_os("RSYSLOG_DIR").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: RSYSLOG_DIR does not say where rsyslog lies; see tests/rsyslog.sh");
    }
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What each message was taken for, and its parts.
const TEMPLATE: &str = r#"template(name="parts" type="list" option.jsonf="on") {
  property(outname="protocol" name="protocol-version" format="jsonf")
  property(outname="priority" name="pri" format="jsonf")
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="id" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="body" name="msg" format="jsonf")
}"#;

impl Rsyslog {
    fn start() -> Option<Self> {
        let program = unpacked()?.join("rsyslogd");
        let folder = TempDir::new().unwrap();
        let made = certificates();
        for (name, text) in
            [("ca.pem", &made.authority), ("cert.pem", &made.certificate), ("key.pem", &made.key)]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let (tcp, tls, udp) = (free_port(), free_port(), free_port());
        let at = folder.path().display();
        let settings = format!(
            r#"global(workDirectory="{at}" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{at}/ca.pem" defaultNetstreamDriverCertFile="{at}/cert.pem"
  defaultNetstreamDriverKeyFile="{at}/key.pem")
module(load="imtcp")
module(load="imudp")
{TEMPLATE}
ruleset(name="all") {{ action(type="omfile" file="{at}/got" template="parts") }}
input(type="imtcp" port="{tcp}" address="127.0.0.1" ruleset="all")
input(type="imtcp" port="{tls}" address="127.0.0.1" ruleset="all" streamDriver.name="gtls" streamDriver.mode="1"
  streamDriver.authMode="anon")
input(type="imudp" port="{udp}" address="127.0.0.1" ruleset="all")
"#
        );
        let file = folder.path().join("rsyslog.conf");
        fs::write(&file, settings).unwrap();
        let child = Command::new(program)
            .args(["-n", "-f"])
            .arg(&file)
            .arg("-i")
            .arg(folder.path().join("pid"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, folder, tcp, tls, udp, authority: made.authority };
        while TcpStream::connect(("127.0.0.1", tcp)).is_err()
            || TcpStream::connect(("127.0.0.1", tls)).is_err()
        {
            assert!(
                server.child.try_wait().unwrap().is_none(),
                "rsyslogd ended; see {:?}",
                server.folder.path()
            );
            sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// What came so far, once it is so many messages.
    fn got(&self, count: usize) -> Vec<Value> {
        let mut lines = Vec::new();
        for _ in 0..500 {
            let text = fs::read_to_string(self.folder.path().join("got")).unwrap_or_default();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            lines = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            if lines.len() >= count {
                return lines;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("{} of {count} messages came", lines.len());
    }
}

fn numbered(n: usize) -> Event {
    event(&format!(r#"{{"sequence":{n},"name":"Zoë \"the\" [owner]","after":"{}"}}"#, "x".repeat(n * 40)))
}

fn check(got: &[Value], events: &[Event]) {
    assert_eq!(got.len(), events.len());
    for (told, event) in got.iter().zip(events) {
        assert_eq!((&told["protocol"], &told["facility"]), (&"1".into(), &"audit".into()), "{told}");
        assert_eq!((&told["host"], &told["app"]), (&"desk.example.org".into(), &"lectern".into()), "{told}");
        assert_eq!((&told["id"], &told["priority"]), (&"key.created".into(), &"109".into()), "{told}");
        let data = told["data"].as_str().unwrap();
        assert!(data.starts_with("[lectern@32473 ") && data.contains(r#"object="a\"b\\c\]d"#), "{data}");
        let body = told["body"].as_str().unwrap();
        assert_eq!(body.trim_start().trim_start_matches('\u{feff}'), event.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rsyslog_understands_counted_messages_by_tcp() {
    let Some(server) = Rsyslog::start() else { return };
    let events: Vec<_> = (0..100).map(numbered).collect();
    let messages: Vec<_> = events.iter().map(|event| encode(event, Format::Rfc5424, 65_536)).collect();
    let sender = sender("localhost", server.tcp, Transport::Tcp);
    sender.send(&messages[..40]).await.unwrap();
    sender.send(&messages[40..]).await.unwrap();
    check(&server.got(100), &events);
}

#[tokio::test(flavor = "multi_thread")]
async fn rsyslog_understands_messages_by_tls() {
    let Some(server) = Rsyslog::start() else { return };
    let events: Vec<_> = (0..60).map(numbered).collect();
    let messages: Vec<_> = events.iter().map(|event| encode(event, Format::Rfc5424, 65_536)).collect();
    let mut sender = sender("localhost", server.tls, Transport::Tls);
    sender.authorities = Some(server.authority.clone());
    for piece in messages.chunks(20) {
        sender.send(piece).await.unwrap();
    }
    check(&server.got(60), &events);
    sender.authorities = Some(certificates().authority);
    assert_eq!(sender.send(&messages).await.unwrap_err().step, Step::Tls);
    assert_eq!(server.got(60).len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn rsyslog_understands_datagrams_lines_and_cef() {
    let Some(server) = Rsyslog::start() else { return };
    let events: Vec<_> = (0..20).map(numbered).collect();
    let messages: Vec<_> = events.iter().map(|event| encode(event, Format::Rfc5424, 2048)).collect();
    sender("localhost", server.udp, Transport::Udp).send(&messages).await.unwrap();
    check(&server.got(20), &events);
    let mut lines = sender("localhost", server.tcp, Transport::Tcp);
    lines.framing = Framing::Lines;
    lines.send(&[encode(&events[3], Format::Rfc5424, 65_536)]).await.unwrap();
    check(&server.got(21)[20..], &events[3..4]);
    let cef = encode(&events[0], Format::Cef, 65_536);
    sender("localhost", server.tcp, Transport::Tcp).send(&[cef]).await.unwrap();
    let told = server.got(22)[21].clone();
    assert!(told["body"].as_str().unwrap().trim_start().starts_with("CEF:0|Lectern|Lectern|"), "{told}");
}

//! Sending the record on: to servers that the tests are, by the worker that the appliance runs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::Method;
use lectern_kernel::{Role, Scope, TenantId};
use lectern_store::params;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

use crate::forward_work::wait_after;
use crate::testing::{Answer, Site, Somebody};

/// A server that takes counted messages, or lines.
#[derive(Clone, Default)]
struct Server {
    port: u16,
    got: Arc<Mutex<Vec<u8>>>,
    stop: CancellationToken,
}

impl Server {
    async fn start() -> Self {
        Self::start_at(0).await
    }

    async fn start_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let server = Self { port, ..Self::default() };
        let own = server.clone();
        actix_web::rt::spawn(own.stop.clone().run_until_cancelled_owned(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes).await;
                own.got.lock().extend(bytes);
            }
        }));
        server
    }

    /// Bodies of the messages that came.
    fn messages(&self) -> Vec<String> {
        let bytes = self.got.lock().clone();
        let (mut rest, mut found) = (&bytes[..], Vec::new());
        while let Some(space) = rest.iter().position(|b| *b == b' ') {
            let length: usize = std::str::from_utf8(&rest[..space]).expect("text").parse().expect("a length");
            let message = &rest[space + 1..=space + length];
            found.push(String::from_utf8(message.to_vec()).expect("UTF-8"));
            rest = &rest[space + 1 + length..];
        }
        found
    }

    fn entries(&self) -> Vec<Value> {
        let body = |text: &String| {
            serde_json::from_str(text.split_once('\u{feff}').expect("a body").1).expect("JSON")
        };
        self.messages().iter().map(body).collect()
    }

    /// Numbers of the entries that came, once one of this action and name is among them. The clock goes on meanwhile.
    async fn until(&self, site: &Site, action: &str, name: &str) -> Vec<u64> {
        for _ in 0..1_500 {
            let entries = self.entries();
            if entries
                .iter()
                .any(|e| e["action"] == action && (name.is_empty() || e["after"]["name"] == name))
            {
                return entries.iter().map(|e| e["sequence"].as_u64().expect("a number")).collect();
            }
            site.wait(1);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{action} {name} did not come: {:?}", self.messages());
    }
}

/// Sends on until dropped.
struct Worker(CancellationToken);

impl Worker {
    fn start(site: &Site) -> Self {
        let (access, stop) = (site.access.clone(), CancellationToken::new());
        let own = stop.clone();
        actix_web::rt::spawn(async move { access.forward(&own).await });
        Self(stop)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn tcp(port: u16) -> Value {
    json!({"name": "SIEM", "kind": "tcp", "address": format!("localhost:{port}"), "format": "rfc5424"})
}

async fn group(site: &Site, who: &Somebody, name: &str) {
    assert_eq!(site.post(who, "/groups", json!({ "name": name })).await.status, 201);
}

/// The one target, once it is as wanted.
async fn target(site: &Site, who: &Somebody, fits: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_500 {
        let list = site.get(who, "/audit/targets").await.body;
        if fits(&list[0]) {
            return list[0].clone();
        }
        site.wait(1);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{}", site.get(who, "/audit/targets").await.body);
}

#[actix_web::test]
async fn new_entries_are_sent_in_their_order_with_what_the_record_says() {
    let (site, server) = (Site::new(""), Server::start().await);
    let operator = site.operator().await;
    group(&site, &operator, "Before").await;
    let _worker = Worker::start(&site);
    let made = site.post(&operator, "/audit/targets", tcp(server.port)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    for n in 0..30 {
        group(&site, &operator, &format!("Group {n}")).await;
    }
    let numbers = server.until(&site, "group.created", "Group 29").await;
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    let entries = server.entries();
    assert_eq!(entries[0]["action"], "forward.created");
    assert!(!entries.iter().any(|entry| entry["after"]["name"] == "Before"));
    // Behind the name of the record comes exactly what the tree was made of.
    let message = server.messages()[1].clone();
    let body = message.split_once('\u{feff}').expect("a body").1;
    let leaf = body.replacen("{\"log\":\"lectern.audit/main\",", "{", 1);
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    let kept = store.db.read_now(|tx| lectern_store::audit::from(tx, numbers[1], 1)).expect("reads");
    assert_eq!(Some(leaf), kept[0].entry);
    assert!(
        message.starts_with("<109>1 2027-01-15T08:00:") && message.contains(" desk.example.org lectern "),
        "{message}"
    );
    assert!(
        message.contains(" group.created [lectern@32473 log=\"lectern.audit/main\" sequence="),
        "{message}"
    );
    let view = target(&site, &operator, |target| target["waiting"] == 0).await;
    assert!(view["last_sent_at"].is_string() && view["last_error"].is_null(), "{view}");
}

#[actix_web::test]
async fn entries_wait_for_a_server_that_is_down_and_none_is_lost() {
    let site = Site::new("");
    let operator = site.operator().await;
    let port = Server::start().await.port;
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("listens").local_addr().expect("address").port();
    assert_ne!(port, gone);
    let worker = Worker::start(&site);
    assert_eq!(site.post(&operator, "/audit/targets", tcp(gone)).await.status, 201);
    for n in 0..120 {
        group(&site, &operator, &format!("Group {n}")).await;
    }
    let down = target(&site, &operator, |target| target["last_error"].is_string()).await;
    assert!(down["waiting"].as_u64().expect("a number") >= 120, "{down}");
    assert!(
        down["next_try_at"].is_string() && down["hint"].as_str().expect("a hint").contains("firewalls"),
        "{down}"
    );
    assert_eq!(down["last_sent_at"], Value::Null);
    // The worker ends as at a restart; what waits is in the database.
    drop(worker);
    let server = Server::start_at(gone).await;
    group(&site, &operator, "Last").await;
    site.wait(600);
    let _worker = Worker::start(&site);
    let numbers = server.until(&site, "group.created", "Last").await;
    assert_eq!(numbers.len(), 122);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    let up = target(&site, &operator, |target| target["waiting"] == 0).await;
    assert!(up["last_error"].is_null() && up["next_try_at"].is_null(), "{up}");
}

#[actix_web::test]
async fn collectors_get_lines_or_an_array_with_the_secret_in_its_header() {
    let site = Site::new("");
    let operator = site.operator().await;
    site.network.status.store(503, Ordering::SeqCst);
    let new = json!({"name": "Splunk", "kind": "https", "address": "https://siem.example.org:8088/services/collector/raw",
        "format": "json", "secret": "Splunk 00-secret"});
    let made = site.post(&operator, "/audit/targets", new).await;
    assert_eq!((made.status, &made.body["has_secret"]), (201, &json!(true)), "{}", made.body);
    let id = made.body["id"].as_str().expect("an id").to_owned();
    let _worker = Worker::start(&site);
    let down = target(&site, &operator, |target| target["last_error"].is_string()).await;
    assert_eq!(down["last_error"], "the collector answered with the status 503");
    site.network.status.store(200, Ordering::SeqCst);
    group(&site, &operator, "First").await;
    target(&site, &operator, |target| target["waiting"] == 0).await;
    let got = site.network.got.lock().clone();
    assert_eq!(got[0].header, Some(("Authorization".to_owned(), "Splunk 00-secret".to_owned())));
    let lines: usize = got.iter().map(|got| got.body.lines().count()).sum();
    assert_eq!((got[0].content_type, lines), ("application/x-ndjson", 2));
    assert_eq!(got[0].place.target, id);
    assert!(got[0].body.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let path = format!("/audit/targets/{id}");
    let moved = json!({"address": "https://elsewhere.example.org/"});
    let refused = site.send(&operator, Method::PATCH, &path, Some(moved)).await;
    assert_eq!(
        (refused.code(), &refused.body["errors"][0]["field"]),
        ((422, "invalid_field"), &json!("secret"))
    );
    let array = json!({"format": "json_array", "header": "X-Key", "secret": "other"});
    assert_eq!(site.send(&operator, Method::PATCH, &path, Some(array)).await.status, 200);
    target(&site, &operator, |target| target["waiting"] == 0).await;
    let last = site.network.got.lock().last().cloned().expect("a request");
    assert_eq!(
        (last.content_type, last.header),
        ("application/json", Some(("X-Key".to_owned(), "other".to_owned())))
    );
    assert!(serde_json::from_str::<Vec<Value>>(&last.body).is_ok_and(|entries| !entries.is_empty()));
    let shown =
        [site.get(&operator, "/audit/targets").await.bytes, site.get(&operator, "/audit/export").await.bytes];
    let shown = String::from_utf8(shown.concat()).expect("text");
    assert!(!shown.contains("00-secret") && !shown.contains("\"other\""), "secrets are not shown");
}

#[actix_web::test]
async fn a_test_tells_each_step() {
    let (site, server) = (Site::new(""), Server::start().await);
    let operator = site.operator().await;
    let steps = |answer: &Answer| -> Vec<(String, bool)> {
        let steps = answer.body["steps"].as_array().expect("steps").iter();
        steps.map(|s| (s["step"].as_str().expect("a name").to_owned(), s["ok"] == true)).collect()
    };
    let named = |names: &[&str], last: bool| -> Vec<(String, bool)> {
        let count = names.len();
        names.iter().enumerate().map(|(n, name)| ((*name).to_owned(), last || n + 1 < count)).collect()
    };
    let mut new = tcp(server.port);
    new["enabled"] = json!(false);
    let made = site.post(&operator, "/audit/targets", new).await.body;
    let path = format!("/audit/targets/{}", made["id"].as_str().expect("an id"));
    let test = format!("{path}/test");
    let good = site.post(&operator, &test, json!({})).await;
    assert_eq!(good.body["works"], true, "{}", good.body);
    assert_eq!(steps(&good), named(&["allowed", "resolved", "connected", "sent"], true));
    server.until(&site, "audit.test", "").await;
    for (change, expected) in [
        (json!({"address": "localhost:1"}), &["allowed", "resolved", "connected"][..]),
        (json!({"kind": "tls"}), &["allowed", "resolved", "connected"]),
        (json!({"kind": "udp"}), &["allowed", "resolved", "sent"]),
        (
            json!({"kind": "https", "format": "json", "address": format!("http://127.0.0.1:{}/in", server.port)}),
            &["allowed", "resolved", "connected", "sent"],
        ),
    ] {
        assert_eq!(
            site.send(&operator, Method::PATCH, &path, Some(change.clone())).await.status,
            200,
            "{change}"
        );
        let bad = site.post(&operator, &test, json!({})).await;
        assert_eq!((steps(&bad), &bad.body["works"]), (named(expected, false), &json!(false)), "{change}");
        assert!(bad.body["steps"].as_array().expect("steps").last().expect("one")["hint"].is_string());
    }
    site.network.status.store(204, Ordering::SeqCst);
    assert_eq!(site.post(&operator, &test, json!({})).await.body["works"], true);
}

#[actix_web::test]
async fn what_is_saved_is_checked_and_who_may_is_asked() {
    let site = Site::new("");
    let operator = site.operator().await;
    let good = json!({"name": "a", "kind": "tls", "address": "siem.example.org", "format": "cef"});
    for (field, value, named) in [
        ("name", json!(""), "name"),
        ("address", json!("udp://a"), "address"),
        ("address", json!("169.254.169.254:514"), "address"),
        ("format", json!("json_array"), "format"),
        ("ca_pem", json!("nothing"), "ca_pem"),
        ("header", json!("a b"), "header"),
        ("header", json!("Host"), "header"),
        ("secret", json!("a\r\nX-Other: b"), "secret"),
    ] {
        let mut new = good.clone();
        new[field] = value;
        let refused = site.post(&operator, "/audit/targets", new).await;
        assert_eq!(
            (refused.code(), &refused.body["errors"][0]["field"]),
            ((422, "invalid_field"), &json!(named)),
            "{field}"
        );
    }
    for (kind, format, address) in [
        ("https", "cef", "https://a/"),
        ("https", "json", "http://siem.example.org/"),
        ("https", "json", "https://user:pw@siem.example.org/"),
        ("https", "json", "siem.example.org"),
        ("udp", "json", "a:0"),
    ] {
        let new = json!({"name": "a", "kind": kind, "address": address, "format": format});
        assert_eq!(site.post(&operator, "/audit/targets", new).await.status, 422, "{kind} {address}");
    }
    for n in 0..11 {
        let status = site.post(&operator, "/audit/targets", good.clone()).await.status;
        assert_eq!(status, if n < 10 { 201 } else { 409 });
    }
    for role in [Role::AUDITOR, Role::EDITOR, Role::VIEWER] {
        let somebody = site.person("main", &format!("{role}@example.org"), role).await;
        assert_eq!(site.get(&somebody, "/audit/targets").await.code(), (403, "forbidden"));
        assert_eq!(site.post(&somebody, "/audit/targets", good.clone()).await.code(), (403, "forbidden"));
    }
    let admin = site.person("main", "admin@example.org", Role::ADMIN).await;
    let list = site.get(&admin, "/audit/targets").await.body;
    let path = format!("/audit/targets/{}", list[0]["id"].as_str().expect("an id"));
    assert_eq!(site.send(&admin, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(site.send(&admin, Method::DELETE, &path, None).await.code(), (404, "not_found"));
    let told = site.get(&admin, "/audit?action=forward.").await.body;
    assert_eq!((&told["total"], &told["items"][0]["action"]), (&json!(11), &json!("forward.deleted")));
}

#[actix_web::test]
async fn a_tenant_without_targets_is_left_alone_and_one_with_some_is_opened_when_it_grew() {
    let (site, server) = (Site::new(""), Server::start().await);
    let operator = site.operator().await;
    for id in ["acme", "idle"] {
        let new = json!({"id": id, "name": id, "owner_email": format!("zoe@{id}.example")});
        assert_eq!(site.post(&operator, "/tenants", new).await.status, 201);
    }
    let acme: TenantId = "acme".parse().expect("a name");
    let zoe = site.person("acme", "zoe@acme.example", Role::OWNER).await;
    assert_eq!(site.post(&zoe, "/audit/targets", tcp(server.port)).await.status, 201);
    site.wait(3_600);
    site.access.close_unused();
    let _worker = Worker::start(&site);
    server.until(&site, "forward.created", "").await;
    let idle: TenantId = "idle".parse().expect("a name");
    assert!(!site.stores.is_open(&idle) && site.stores.is_open(&acme));
    target(&site, &zoe, |target| target["waiting"] == 0).await;
    // The worker looks once more whether anything came meanwhile.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    site.wait(3_600);
    let closed = async {
        while site.stores.is_open(&acme) {
            site.access.close_unused();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), closed).await.expect("is closed");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!site.stores.is_open(&acme), "nothing opens a tenant that did not grow");
    let zoe = site.sign_in(&acme, "zoe@acme.example").await;
    group(&site, &zoe, "Later").await;
    server.until(&site, "group.created", "Later").await;
    assert!(server.entries().iter().all(|entry| entry["log"] == "lectern.audit/acme"));
    let theirs = site.get(&zoe, "/audit/targets").await.body[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/audit/targets/{theirs}/test");
    assert_eq!(site.post(&operator, &path, json!({})).await.code(), (404, "not_found"));
}

#[actix_web::test]
async fn the_appliances_record_has_targets_of_its_own() {
    let (site, server) = (Site::new(""), Server::start().await);
    let operator = site.operator().await;
    let _worker = Worker::start(&site);
    assert_eq!(site.post(&operator, "/appliance/audit/targets", tcp(server.port)).await.status, 201);
    site.wait(10);
    let new = json!({"id": "acme", "name": "Acme", "owner_email": "zoe@acme.example"});
    assert_eq!(site.post(&operator, "/tenants", new).await.status, 201);
    site.wait(10);
    server.until(&site, "tenant.created", "Acme").await;
    assert!(server.entries().iter().all(|entry| entry["log"] == "lectern.audit"));
    assert_eq!(site.get(&operator, "/audit/targets").await.body, json!([]));
    let zoe = site.person("acme", "zoe2@acme.example", Role::OWNER).await;
    assert_eq!(site.get(&zoe, "/appliance/audit/targets").await.code(), (403, "forbidden"));
}

#[actix_web::test]
async fn entries_that_had_to_be_forgotten_are_told_as_a_gap() {
    let (site, server) = (Site::new(""), Server::start().await);
    let operator = site.operator().await;
    for name in ["One", "Two", "Three"] {
        group(&site, &operator, name).await;
    }
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    let forget = "UPDATE audit_log SET entry = NULL WHERE sequence IN (1, 2)";
    store.db.write_now(|tx| tx.execute(forget, params![])).expect("forgets");
    let mut new = tcp(server.port);
    new["from_beginning"] = json!(true);
    assert_eq!(site.post(&operator, "/audit/targets", new).await.status, 201);
    let _worker = Worker::start(&site);
    let numbers = server.until(&site, "forward.created", "").await;
    let entries = server.entries();
    let gap = entries.iter().find(|entry| entry["action"] == "audit.gap").expect("a gap");
    assert_eq!(gap["after"], json!({ "first": 1, "last": 2 }));
    assert_eq!(&numbers[..3], [0, 1, 3]);
    assert!(server.messages()[1].starts_with("<108>1 "), "a gap is a warning");
}

#[actix_web::test]
async fn datagrams_are_short_and_a_failed_sign_in_is_a_warning() {
    let site = Site::new("");
    let operator = site.operator().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("listens");
    let port = socket.local_addr().expect("an address").port();
    let _worker = Worker::start(&site);
    let new =
        json!({"name": "a", "kind": "udp", "address": format!("127.0.0.1:{port}"), "format": "rfc5424"});
    assert_eq!(site.post(&operator, "/audit/targets", new).await.status, 201);
    let long: Vec<String> = (0..100).map(|n| format!("permission.of.many.words.{n}")).collect();
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    let scope = Scope::system(TenantId::main());
    let after = json!({ "list": long });
    let change = lectern_store::audit::Change::new("role.changed", "long").after(&after);
    store.db.write_now(|tx| lectern_store::audit::record(tx, &scope, change)).expect("writes");
    site.wait(10);
    let wrong = lectern_identity::NewSession {
        email: "anna@example.org".to_owned(),
        password: "not the right one".to_owned(),
        ..lectern_identity::NewSession::default()
    };
    assert!(site.identity.sign_in(wrong, &lectern_identity::Caller::default()).await.is_err());
    site.identity.write_failures(true).await;
    site.wait(10);
    let (mut buffer, mut told) = (vec![0; 65_536], Vec::<String>::new());
    while !told.iter().any(|message| message.contains("session.failed")) {
        let got = tokio::time::timeout(Duration::from_secs(15), socket.recv(&mut buffer)).await;
        let length = got.expect("comes in time").expect("comes");
        assert!(length <= 2_048, "{length}");
        told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        site.wait(10);
    }
    let short = told.iter().find(|message| message.contains(" role.changed ")).expect("the long one");
    assert!(short.contains("truncated=\"yes\"") && short.contains("\"truncated\":true"), "{short}");
    assert!(told.last().expect("one").starts_with("<108>1 "), "{told:?}");
}

#[test]
fn waits_double_up_to_five_minutes() {
    let waits: Vec<u64> = (0..12).map(|failures| wait_after(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}

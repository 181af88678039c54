//! Settings, status, health and the outbound client over HTTP, against small servers on this machine.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, test};
use async_trait::async_trait;
use lectern_config::Config;
use lectern_edge::watch;
use lectern_kernel::ports::{Authenticate, Credentials, Report};
use lectern_kernel::{Actor, Code, Error, KeyId, Principal, Result, Scope, SystemClock, TenantId, Timestamp};
use lectern_store::{Stores, TenantRecord, params};
use serde_json::{Value, json};

use crate::{CONTROL_MIGRATIONS, ErrorRing, MIGRATIONS, Ready, SafeHttp, Settings, Status, root_routes};

struct Everyone;

#[async_trait]
impl Authenticate for Everyone {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let known = credentials.bearer.ok_or_else(|| Error::new(Code::Unauthenticated, "Sign in."))?;
        let tenant = known.parse().map_err(|_| Error::new(Code::Unauthenticated, "Sign in."))?;
        Ok(Principal::unlimited(tenant, None, Actor::Key { id: KeyId::generate() }))
    }
}

struct Part(&'static str, Value, Duration);

#[async_trait]
impl Report for Part {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn report(&self, _: &Scope) -> Result<Value> {
        tokio::time::sleep(self.2).await;
        if self.1.is_null() { Err(Error::internal("broken part")) } else { Ok(self.1.clone()) }
    }
}

struct Site {
    stores: Stores,
    http: SafeHttp,
    settings: Settings,
    status: Status,
    ready: Ready,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().expect("folder"), &[])
    }

    fn in_folder(folder: tempfile::TempDir, flags: &[(&str, &str, String)]) -> Self {
        let clock = Arc::new(SystemClock);
        let stores =
            Stores::open(folder.path(), CONTROL_MIGRATIONS, MIGRATIONS.to_vec(), clock).expect("opens");
        let other = "other".parse().expect("a name");
        stores.register(&TenantRecord::new(other, "Other", Timestamp(1))).expect("registers");
        let config = Config::load(None, flags).expect("defaults");
        let http = SafeHttp::new(&stores);
        let settings = Settings::new(stores.clone(), &config, http.clone());
        let parts: Vec<Arc<dyn Report>> = vec![
            Arc::new(Part("documents", json!({"total": 2, "queue": {"running": 1}}), Duration::ZERO)),
            Arc::new(Part("answers", Value::Null, Duration::ZERO)),
            Arc::new(Part("voice", json!("eSpeak NG"), Duration::ZERO)),
            Arc::new(Part("ocr", json!("tesseract"), Duration::from_hours(1))),
        ];
        let status = Status::new(stores.clone(), parts, http.clone(), ErrorRing::default());
        Self { stores, http, settings, status, ready: Ready::default(), folder }
    }

    async fn send(&self, method: Method, path: &str, bearer: &str, body: Option<Value>) -> (u16, Value) {
        let authenticate: Arc<dyn Authenticate> = Arc::new(Everyone);
        let app = App::new()
            .wrap(from_fn(watch))
            .app_data(Data::from(authenticate))
            .app_data(Data::new(self.settings.clone()))
            .app_data(Data::new(self.status.clone()))
            .app_data(Data::new(self.ready.clone()))
            .configure(root_routes)
            .service(web::scope("/api/v1").configure(crate::feature().routes));
        let app = test::init_service(app).await;
        let mut request = test::TestRequest::with_uri(path).method(method);
        if !bearer.is_empty() {
            request = request.insert_header(("authorization", format!("Bearer {bearer}")));
        }
        if let Some(body) = body {
            request = request.set_json(body);
        }
        let response = test::call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&test::read_body(response).await).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, "main", None).await
    }

    async fn patch(&self, body: Value) -> (u16, Value) {
        self.send(Method::PATCH, "/api/v1/settings", "main", Some(body)).await
    }

    async fn try_ollama(&self, url: &str, model: Value) -> Value {
        let body = json!({"url": url, "model": model});
        let (status, body) =
            self.send(Method::POST, "/api/v1/settings/ollama/test", "main", Some(body)).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

fn main_scope() -> Scope {
    Scope::system(TenantId::main())
}

/// A server that gives fixed answers by path and counts its connections.
fn serve(answers: &'static [(&'static str, &'static str)]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            seen.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..length]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default();
            let answer = answers.iter().find(|(p, _)| *p == path || *p == "*").map(|(_, answer)| *answer);
            let _ = match answer {
                Some("silence") => {
                    std::thread::sleep(Duration::from_secs(30));
                    Ok(())
                }
                Some(raw) if raw.starts_with("HTTP/") => stream.write_all(raw.as_bytes()),
                Some(json) => stream.write_all(
                    format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{json}",
                        json.len()
                    )
                    .as_bytes(),
                ),
                None => stream
                    .write_all(b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
            };
        }
    });
    (url, count)
}

const OLLAMA: &[(&str, &str)] = &[
    ("/api/version", r#"{"version":"0.9.6"}"#),
    ("/api/tags", r#"{"models":[{"name":"llama3.2:latest","size":1},{"name":"qwen3:4b"}]}"#),
];

#[actix_web::test]
async fn health_and_readiness_need_no_sign_in() {
    let site = Site::new();
    assert_eq!(site.send(Method::GET, "/healthz", "", None).await.0, 200);
    let (status, body) = site.send(Method::GET, "/readyz", "", None).await;
    assert_eq!((status, &body["code"]), (503, &json!("busy")));
    site.ready.set();
    assert_eq!(site.send(Method::GET, "/readyz", "", None).await.0, 200);
    site.ready.unset();
    assert_eq!(site.send(Method::GET, "/readyz", "", None).await.0, 503);
}

#[actix_web::test]
async fn every_route_asks_who_it_is() {
    let site = Site::new();
    let body = || Some(json!({}));
    for (method, path, body) in [
        (Method::GET, "settings", None),
        (Method::PATCH, "settings", body()),
        (Method::POST, "settings/ollama/test", body()),
        (Method::GET, "status", None),
    ] {
        let (status, body) = site.send(method, &format!("/api/v1/{path}"), "", body).await;
        assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")), "{path}");
    }
}

#[actix_web::test]
async fn settings_are_patched_reset_and_kept() {
    let site = Site::new();
    let (status, body) = site.get("/api/v1/settings").await;
    assert_eq!(status, 200);
    assert_eq!(body["ollama"]["enabled"], false);
    assert_eq!((&body["answers"]["sentences"], &body["speech"]["rate"]), (&json!(3), &json!(170)));
    assert_eq!(body["limits"]["max_upload_bytes"], 512_000_000);

    let change =
        json!({"ollama": {"url": " http://127.0.0.1:11434 ", "model": "m"}, "speech": {"rate": 200}});
    let (status, body) = site.patch(change).await;
    assert_eq!((status, &body["ollama"]["enabled"]), (200, &json!(true)));
    assert_eq!(body["ollama"]["url"], "http://127.0.0.1:11434");
    let (_, body) = site.patch(json!({"speech": {"rate": null}, "answers": {}})).await;
    assert_eq!((&body["speech"]["rate"], &body["ollama"]["model"]), (&json!(170), &json!("m")));
    let (_, other) = site.send(Method::GET, "/api/v1/settings", "other", None).await;
    assert_eq!(other["ollama"]["url"], "", "each tenant has its own");

    let Site { folder, stores, .. } = site;
    drop(stores);
    let flags = [("speech", "rate", "150".to_owned()), ("ollama", "url", "http://config".to_owned())];
    let site = Site::in_folder(folder, &flags);
    let (_, body) = site.get("/api/v1/settings").await;
    assert_eq!(body["ollama"]["url"], "http://127.0.0.1:11434", "saved goes before the file");
    assert_eq!(body["speech"]["rate"], 150, "what was reset follows the file");
    assert!(site.settings.ollama(&main_scope()).await.expect("reads").is_some());
    site.patch(json!({"ollama": {"enabled": false}})).await;
    assert!(site.settings.ollama(&main_scope()).await.expect("reads").is_none());
}

#[actix_web::test]
async fn wrong_settings_are_told_field_by_field() {
    let site = Site::new();
    let wrong = json!({
        "ollama": {"url": "localhost:11434", "model": "a b", "timeout_seconds": 1, "keep_alive_seconds": 9_999_999},
        "answers": {"sentences": 9, "language": "german"}, "speech": {"voice": "../x", "rate": 10},
    });
    let (status, body) = site.patch(wrong).await;
    assert_eq!(status, 422);
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(8), "{body}");
    for unknown in [json!({"limits": {"extract_seconds": 1}}), json!({"ollama": {"host": "x"}}), json!([1])] {
        assert_eq!(site.patch(unknown).await.0, 422);
    }
    assert_eq!(site.get("/api/v1/settings").await.1["speech"]["rate"], 170);
}

#[actix_web::test]
async fn a_stored_value_of_another_version_does_not_break_the_settings() {
    let site = Site::new();
    let db = site.stores.tenant(&main_scope()).expect("opens").db;
    for (name, value) in [("speech.rate", "\"fast\""), ("gone.away", "1"), ("answers.sentences", "2")] {
        db.write_now(|tx| {
            tx.execute("INSERT INTO settings VALUES ($1, $2, 0)", params![name, value]).map(|_| ())
        })
        .expect("writes");
    }
    let (_, body) = site.get("/api/v1/settings").await;
    assert_eq!((&body["speech"]["rate"], &body["answers"]["sentences"]), (&json!(170), &json!(2)));
}

#[actix_web::test]
async fn nothing_is_connected_to_unless_it_was_allowed() {
    let site = Site::new();
    let (scope, (url, count)) = (main_scope(), serve(OLLAMA));
    let refused = site.http.client_for(&scope, Settings::OLLAMA, &url).expect_err("denied");
    assert_eq!(refused.code, Code::EgressDenied);
    site.patch(json!({"ollama": {"url": url}})).await;
    let client = site.http.client_for(&scope, Settings::OLLAMA, &url).expect("allowed");
    let other = Scope::system("other".parse().expect("tenant"));
    assert!(site.http.client_for(&other, Settings::OLLAMA, &url).is_err());
    assert!(site.http.client_for(&scope, "webhook", &url).is_err());
    assert_eq!(client.get(format!("{url}/api/version")).send().await.expect("answers").status(), 200);
    assert_eq!(count.load(Ordering::SeqCst), 1);

    let (elsewhere, untouched) = serve(OLLAMA);
    let same_host = elsewhere.replace("127.0.0.1", "localhost");
    for forbidden in [elsewhere.as_str(), &same_host, "http://lectern.example", "https://127.0.0.1:1"] {
        assert!(client.get(forbidden).send().await.is_err(), "{forbidden}");
    }
    assert_eq!(untouched.load(Ordering::SeqCst), 0);

    site.patch(json!({"ollama": {"url": ""}})).await;
    assert!(site.http.client_for(&scope, Settings::OLLAMA, &url).is_err());
    assert!(client.get(format!("{url}/api/version")).send().await.is_err(), "withdrawn from clients in use");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn redirects_are_not_followed() {
    let (target, untouched) = serve(OLLAMA);
    let answer = format!(
        "HTTP/1.1 302 Found\r\nlocation: {target}/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    let answers: &'static [_] = Box::leak(Box::new([("*", &*Box::leak(answer.into_boxed_str()))]));
    let (url, _) = serve(answers);
    let site = Site::new();
    let body = site.try_ollama(&url, Value::Null).await;
    assert_eq!(body["ok"], false);
    assert!(body["problem"]["message"].as_str().expect("text").contains("another address"), "{body}");
    assert_eq!(untouched.load(Ordering::SeqCst), 0);
}

#[actix_web::test]
async fn every_attempt_is_in_the_log_also_after_a_restart() {
    let site = Site::new();
    let (url, _) = serve(OLLAMA);
    let secret = format!("{url}/x?token=secret#f").replace("http://", "http://user:word@");
    site.http.client_for(&main_scope(), "webhook", &secret).expect_err("denied");
    site.try_ollama(&url, json!("qwen3:4b")).await;
    let (_, body) = site.get("/api/v1/status").await;
    let egress = body["egress"].as_array().expect("list");
    let brief: Vec<_> = egress.iter().map(|e| (&e["method"], &e["allowed"], &e["status"])).collect();
    let (get, yes, ok) = (json!("GET"), json!(true), json!(200));
    let (connect, no, none) = (json!("CONNECT"), json!(false), Value::Null);
    assert_eq!(brief, [(&get, &yes, &ok), (&get, &yes, &ok), (&connect, &no, &none)]);
    assert_eq!(egress[2]["url"], format!("{url}/x"));
    let (_, other) = site.send(Method::GET, "/api/v1/status", "other", None).await;
    assert_eq!(other["egress"], json!([]));

    let written = || -> i64 {
        let count =
            |tx: &lectern_store::Tx<'_>| tx.scalar("SELECT count(status) + count(*) FROM egress", params![]);
        site.stores.control().read_now(count).expect("reads").unwrap_or_default()
    };
    for _ in 0..200 {
        if written() == 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let again = SafeHttp::new(&site.stores);
    again.load_log().await.expect("loads");
    assert_eq!(serde_json::to_value(again.recent(&main_scope())).expect("json"), body["egress"]);
    assert_eq!(again.sweep(Timestamp(i64::MAX)).await.expect("trims"), 3);
}

#[actix_web::test]
async fn a_test_tells_version_models_and_time() {
    let site = Site::new();
    let (url, _) = serve(OLLAMA);
    let body = site.try_ollama(&format!("{url}/"), json!("llama3.2")).await;
    assert_eq!(
        (&body["ok"], &body["version"], &body["problem"]),
        (&json!(true), &json!("0.9.6"), &Value::Null)
    );
    assert_eq!(body["models"], json!(["llama3.2:latest", "qwen3:4b"]));
    assert!(body["latency_ms"].as_f64().is_some_and(|ms| ms >= 0.0));
    let body = site.try_ollama(&url, json!("phi")).await;
    assert_eq!((&body["ok"], body["models"].as_array().map(Vec::len)), (&json!(false), Some(2)));
    assert!(body["problem"]["hint"].as_str().expect("hint").contains("qwen3:4b"));
    assert!(site.http.client_for(&main_scope(), Settings::OLLAMA, &url).is_err(), "a test allows nothing");
}

#[actix_web::test]
async fn a_test_says_what_is_wrong() {
    let site = Site::new();
    let closed = TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address");
    let (page, _) = serve(&[("*", "<html>hello</html>")]);
    let (absent, _) = serve(&[]);
    let (failing, _) =
        serve(&[("*", "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]);
    let (empty, _) = serve(&[("/api/version", r#"{"version":"1"}"#), ("/api/tags", r#"{"models":[]}"#)]);
    let (silent, _) = serve(&[("*", "silence")]);
    for (url, words) in [
        (format!("http://{closed}"), "Nothing listens"),
        ("http://lectern.invalid:11434".to_owned(), "is not known"),
        (page.clone(), "Something else than Ollama"),
        (absent, "status 404"),
        (failing, "answers with an error"),
        (empty, "has no model"),
        (page.replace("http:", "https:"), ""),
        (silent, "does not answer within 5 seconds"),
    ] {
        let body = site.try_ollama(&url, Value::Null).await;
        assert_eq!(body["ok"], false, "{url}");
        let message = body["problem"]["message"].as_str().expect("message");
        assert!(message.contains(words), "{url}: {message}");
        assert!(body["problem"]["hint"].is_string());
    }
    let bad = Some(json!({"url": "http://169.254.169.254/"}));
    let (status, body) = site.send(Method::POST, "/api/v1/settings/ollama/test", "main", bad).await;
    assert_eq!((status, &body["errors"][0]["field"]), (422, &json!("url")));
}

#[actix_web::test]
async fn an_endless_answer_is_cut() {
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1 << 20));
    let answers: &'static [_] = Box::leak(Box::new([("*", &*Box::leak(endless.into_boxed_str()))]));
    let body = Site::new().try_ollama(&serve(answers).0, Value::Null).await;
    assert!(body["problem"]["hint"].as_str().expect("hint").contains("larger"), "{body}");
}

#[actix_web::test]
async fn the_guarded_client_serves_the_ollama_library() {
    let site = Site::new();
    let (url, count) = serve(OLLAMA);
    site.patch(json!({"ollama": {"url": url}})).await;
    let client = site.http.client_for(&main_scope(), Settings::OLLAMA, &url).expect("allowed");
    let ollama = ollama_rs::Ollama::builder().url(url).reqwest_client(client).build();
    let _ = ollama.list_local_models().await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn the_status_comes_even_when_parts_fail_or_hang() {
    let site = Site::new();
    let (status, body) = site.get("/api/v1/status").await;
    assert_eq!(status, 200);
    assert_eq!((&body["documents"]["total"], &body["queue"]["running"]), (&json!(2), &json!(1)));
    assert_eq!(body["in_use"]["voice"], "eSpeak NG");
    assert_eq!(body["in_use"]["answers"], json!({"mode": "extractive", "model": null, "reachable": null}));
    assert_eq!(body["in_use"]["ocr"], Value::Null);
    assert!(body["memory"]["resident_bytes"].as_u64().expect("number") > 1_000_000);
    for part in ["data_bytes", "database_bytes", "free_bytes"] {
        assert!(body["disk"][part].as_u64().expect(part) > 0, "{part}");
    }
    assert_eq!(body["disk"]["blobs_bytes"], 0);
    std::fs::write(site.stores.tenant(&main_scope()).expect("opens").blobs().join("b"), [0; 1000])
        .expect("writes");
    let (_, again) = site.get("/api/v1/status").await;
    assert_eq!(again["disk"]["blobs_bytes"], 0, "counted at most twice a minute");
}

//! Whom the guarded client trusts, and what it dials.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::{App, HttpResponse, HttpServer, web};
use lectern_kernel::{Code, Scope, SystemClock, TenantId};
use lectern_store::Stores;

use crate::{CONTROL_MIGRATIONS, DialError, MIGRATIONS, SafeHttp};

fn guard() -> (SafeHttp, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("folder");
    let (control, tenant) = (CONTROL_MIGRATIONS, MIGRATIONS.to_vec());
    let stores = Stores::open(folder.path(), control, tenant, Arc::new(SystemClock)).expect("opens");
    (SafeHttp::new(&stores), folder)
}

fn main() -> Scope {
    Scope::system(TenantId::main())
}

/// A server with a certificate of an authority that nobody else knows; its address and the authority.
fn server(folder: &std::path::Path) -> (String, String, actix_web::dev::ServerHandle) {
    let files = lectern_edge::tls::ensure(folder, &["localhost".to_owned()]).expect("is made");
    let authority = std::fs::read_to_string(files.authority.as_ref().expect("made here")).expect("reads");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let config = lectern_edge::tls::server_config(&files).expect("fits");
    let app = || App::new().default_service(web::to(async || HttpResponse::Ok().body("here")));
    let server = HttpServer::new(app).workers(1).listen_rustls_0_23(listener, config).expect("listens").run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (url, authority, handle)
}

#[actix_web::test]
async fn a_private_authority_is_trusted_for_its_purpose_alone() {
    let (http, folder) = guard();
    let (url, authority, running) = server(&folder.path().join("tls"));
    let reaches = async |purpose: &str| {
        let client = http.client_for(&main(), purpose, &url).expect("is allowed");
        client.get(&url).send().await.is_ok()
    };
    http.allow(&main(), "plain", &url).expect("is an address");
    assert!(!reaches("plain").await, "nobody knows this authority");
    http.allow_trusting(&main(), "sign-in", &url, Some(&authority)).expect("is an authority");
    assert!(reaches("sign-in").await);
    assert!(!reaches("plain").await, "another purpose does not trust it");
    http.allow(&main(), "sign-in", &url).expect("is an address");
    assert!(!reaches("sign-in").await, "what was taken back is not trusted any more");
    let broken = http.allow_trusting(&main(), "sign-in", &url, Some("-----BEGIN NOTHING-----"));
    assert_eq!(broken.expect_err("holds none").code, Code::InvalidField);
    running.stop(false).await;
}

#[tokio::test]
async fn only_what_was_allowed_is_dialled() {
    let (http, _folder) = guard();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let greeting =
        std::thread::spawn(move || listener.accept().map(|(mut peer, _)| peer.write_all(b"hello")));
    let denied = http.dial(&main(), "ldap", "127.0.0.1", port).await;
    assert!(matches!(denied, Err(DialError::Denied(error)) if error.code == Code::EgressDenied));
    http.allow(&main(), "ldap", &format!("http://127.0.0.1:{port}")).expect("is an address");
    assert!(matches!(http.dial(&main(), "ldap", "127.0.0.1", port + 1).await, Err(DialError::Denied(_))));
    assert!(matches!(http.dial(&main(), "ldap", "localhost", port).await, Err(DialError::Denied(_))));
    let mut stream = http.dial(&main(), "ldap", "127.0.0.1", port).await.expect("is there");
    let mut text = [0; 5];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut text).await.expect("it greets");
    assert_eq!(&text, b"hello");
    greeting.join().expect("runs").expect("accepts").expect("writes");
    let log = http.recent(&main());
    assert_eq!(log.iter().filter(|entry| entry.allowed).count(), 1, "each attempt is in the log");
    assert_eq!(log.len(), 4);
}

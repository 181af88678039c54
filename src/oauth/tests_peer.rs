//! A client library of others, Authlib, against this server over TCP; skipped where it is not installed.

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use lectern_edge::watch;

use crate::Issuer;
use crate::testing::Site;

#[actix_web::test]
async fn authlib_is_understood() {
    let python = python();
    let known = tokio::process::Command::new(&python).args(["-c", "import authlib, requests"]).output().await;
    if !known.is_ok_and(|output| output.status.success()) {
        println!("skipped: the Python packages authlib and requests are not there");
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let site = Site::with_issuer(Issuer::configured(&url).expect("an origin"));
    let server = site.server();
    let factory = move || {
        let server = server.clone();
        App::new().wrap(from_fn(watch)).configure(move |config| server.configure(config))
    };
    let running = HttpServer::new(factory).workers(1).listen(listener).expect("listens").run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    let clock = site.move_with_time();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oauth_client_check.py");
    let output =
        tokio::process::Command::new(&python).args([script, &url, "anna", "csrf-anna"]).output().await;
    clock.abort();
    handle.stop(false).await;
    let output = output.expect("runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{told}");
}

/// `OAUTH_PYTHON` of tests/run.sh.
#[allow(clippy::disallowed_methods, reason = "a test is told by its environment where its peer is")]
fn python() -> String {
    std::env::var("OAUTH_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

//! The checks of compliance of others, scim2-tester from PyPI, against this area over TCP. Skipped without SCIM_PYTHON:
//! `tests/scim.sh --only-install` says what it is.

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use lectern_kernel::ports::Authenticate;

use crate::Scim;
use crate::testing::Site;

#[actix_web::test]
#[allow(clippy::disallowed_methods, reason = "the environment says where the other side lies")]
async fn scim2_tester_finds_nothing() {
    let Ok(python) = std::env::var("SCIM_PYTHON") else {
        println!("skipped: SCIM_PYTHON is not set; tests/scim.sh --only-install says what it is");
        return;
    };
    let site = Site::new().await.with(&["*"]).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/api/v1/scim/v2", listener.local_addr().expect("an address"));
    let scim = Scim::new(site.stores.clone(), site.identity.clone());
    let authenticate: Arc<dyn Authenticate> = Arc::new(site.identity.clone());
    let factory = move || {
        App::new()
            .wrap(from_fn(lectern_edge::watch))
            .app_data(Data::new(scim.clone()))
            .app_data(Data::from(authenticate.clone()))
            .service(web::scope("/api/v1").configure(crate::feature().routes))
    };
    let running = HttpServer::new(factory).workers(1).listen(listener).expect("listens").run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scim_check.py");
    let key = site.key.clone();
    let run = move || std::process::Command::new(python).args([script, &url, &key]).output();
    let output = web::block(run).await.expect("runs").expect("runs");
    handle.stop(false).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{told}");
}

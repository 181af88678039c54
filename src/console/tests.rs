//! What is sent for which address, and with which headers.

use actix_web::body::to_bytes;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};

use crate::configure;
use crate::encoding::Encoding;

async fn call(request: TestRequest) -> ServiceResponse {
    let app = App::new()
        .route("/healthz", web::get().to(|| async { HttpResponse::Ok().body("ok") }))
        .configure(configure);
    let app = init_service(app).await;
    call_service(&app, request.to_request()).await
}

async fn get(path: &str) -> ServiceResponse {
    call(TestRequest::get().uri(path)).await
}

fn header<'a>(response: &'a ServiceResponse, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("our headers are ASCII"))
}

async fn text(response: ServiceResponse) -> String {
    let bytes = to_bytes(response.into_body()).await.expect("an embedded body is at hand");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[actix_web::test]
async fn page_routes_get_the_page() {
    for path in ["/", "/documents", "/documents/doc_01?start=3&end=9", "/ask/cnv_01", "/settings/"] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
        assert!(text(response).await.contains("<!doctype html>"), "{path}");
    }
}

#[actix_web::test]
async fn earlier_routes_win() {
    assert_eq!(text(get("/healthz").await).await, "ok");
}

#[actix_web::test]
async fn files_that_are_not_there_are_missing() {
    for path in [
        "/assets/index-00000000.js",
        "/assets/x",
        "/robots.txt",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/index.html.br",
    ] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
    }
}

#[actix_web::test]
async fn unknown_api_paths_get_a_problem() {
    for path in ["/api", "/api/v1/nothing"] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&response, "content-type"), "application/problem+json");
        let problem: serde_json::Value =
            serde_json::from_str(&text(response).await).expect("a problem is JSON");
        assert_eq!(problem["code"], "not_found");
    }
}

#[actix_web::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let response = get("/").await;
    let policy = header(&response, "content-security-policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
    assert_eq!(header(&response, "cross-origin-opener-policy"), "same-origin");
    assert!(header(&response, "permissions-policy").contains("microphone=(self)"));
    let page = text(response).await;
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("//cdn"), "{page}");
}

#[actix_web::test]
async fn an_unchanged_page_is_not_sent_again() {
    let first = get("/").await;
    let etag = header(&first, "etag").to_owned();
    assert!(etag.len() > 20 && etag.starts_with('"'));
    let again =
        call(TestRequest::get().uri("/documents").insert_header(("If-None-Match", format!("W/{etag}"))))
            .await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(text(again).await.is_empty());
    let other = call(TestRequest::get().uri("/").insert_header(("If-None-Match", "\"other\""))).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[actix_web::test]
async fn compressed_forms_are_served_when_they_were_built() {
    let page = text(get("/").await).await;
    let Some(script) =
        page.split('"').find(|part| part.starts_with("/assets/index-") && part.contains(".js"))
    else {
        println!("skipped: the page was not built");
        return;
    };
    let plain = get(script).await;
    assert_eq!(header(&plain, "content-encoding"), "");
    assert!(header(&plain, "cache-control").contains("immutable"));
    let plain_tag = header(&plain, "etag").to_owned();
    let plain_size = to_bytes(plain.into_body()).await.expect("an embedded body is at hand").len();
    for (accept, token) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, *", "gzip")] {
        let response = call(TestRequest::get().uri(script).insert_header(("Accept-Encoding", accept))).await;
        assert_eq!(header(&response, "content-encoding"), token, "{accept}");
        assert_eq!(header(&response, "vary"), "Accept-Encoding");
        assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
        assert_ne!(header(&response, "etag"), plain_tag);
        let size = to_bytes(response.into_body()).await.expect("an embedded body is at hand").len();
        assert!(size * 2 < plain_size, "{accept}: {size} of {plain_size}");
    }
}

#[actix_web::test]
async fn head_is_answered_and_nothing_else() {
    assert_eq!(call(TestRequest::default().method(Method::HEAD).uri("/")).await.status(), StatusCode::OK);
    assert_eq!(call(TestRequest::post().uri("/")).await.status(), StatusCode::NOT_FOUND);
}

#[test]
fn accept_encoding_is_read_with_weights() {
    assert!(Encoding::Brotli.accepted_by("gzip, br"));
    assert!(Encoding::Gzip.accepted_by("GZIP;q=0.5"));
    assert!(!Encoding::Brotli.accepted_by("gzip"));
    assert!(!Encoding::Brotli.accepted_by("br; q=0"));
    assert!(Encoding::Brotli.accepted_by("*"));
    assert!(!Encoding::Gzip.accepted_by("*, gzip;q=0.0"));
    assert!(!Encoding::Gzip.accepted_by(""));
    assert!(Encoding::Identity.accepted_by(""));
}

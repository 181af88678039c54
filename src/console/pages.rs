//! Finds the file for a path and answers with it.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::encoding::Encoding;
use crate::headers::secure;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/page"]
struct Page;

const INDEX: &str = "index.html";
/// Names under here carry a hash of their content, so what is cached never becomes wrong.
const HASHED: &str = "assets/";
const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_EACH_TIME: &str = "no-cache";

/// Registers the catch-all for GET and HEAD. Call it last: it answers whatever no other route took.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/{path:.*}", web::get().to(serve)).route("/{path:.*}", web::head().to(serve));
}

async fn serve(request: HttpRequest) -> HttpResponse {
    let path = request.match_info().query("path");
    if path == "api" || path.starts_with("api/") {
        return no_such_endpoint();
    }
    match name_for(path) {
        Some(name) => answer(&request, name),
        None => missing(),
    }
}

/// The file of a path: itself, or the page for the routes that live in the browser. A path that looks like a file but is
/// none stays missing, so that a stale script address gives an error and not HTML.
fn name_for(path: &str) -> Option<&str> {
    if path.is_empty() {
        return Some(INDEX);
    }
    if is_public(path) && Page::get(path).is_some() {
        return Some(path);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_file = path.starts_with(HASHED) || last.contains('.');
    (!is_file).then_some(INDEX)
}

/// The compressed forms are never asked for by their own names.
fn is_public(path: &str) -> bool {
    !Encoding::COMPRESSED.iter().any(|encoding| path.ends_with(encoding.suffix()))
}

fn answer(request: &HttpRequest, name: &str) -> HttpResponse {
    let Some((file, encoding)) = best(request, name) else { return missing() };
    // The compressed forms have hashes of their own, so each form is its own entity.
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let cache = if name.starts_with(HASHED) { FOREVER } else { ASK_EACH_TIME };
    let mut response = if matches(request, &etag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    secure(&mut response);
    response
        .insert_header((ETAG, etag.clone()))
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((VARY, "Accept-Encoding"));
    if matches(request, &etag) {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, content_type(name)));
    if let Some(token) = encoding.token() {
        response.insert_header((CONTENT_ENCODING, token));
    }
    response.body(file.data.into_owned())
}

fn best(request: &HttpRequest, name: &str) -> Option<(EmbeddedFile, Encoding)> {
    let accepted =
        request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Encoding::COMPRESSED
        .into_iter()
        .filter(|encoding| encoding.accepted_by(accepted))
        .find_map(|encoding| Page::get(&format!("{name}{}", encoding.suffix())).map(|file| (file, encoding)))
        .or_else(|| Page::get(name).map(|file| (file, Encoding::Identity)))
}

fn matches(request: &HttpRequest, etag: &str) -> bool {
    let Some(header) = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    header.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn missing() -> HttpResponse {
    let mut response = HttpResponse::NotFound();
    secure(&mut response);
    response
        .insert_header((CACHE_CONTROL, ASK_EACH_TIME))
        .content_type("text/plain; charset=utf-8")
        .body("There is no such file.")
}

/// An address under `/api` that no route took must not get HTML: programs would try to read it.
fn no_such_endpoint() -> HttpResponse {
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": "There is no such thing here",
        "status": 404,
        "code": "not_found",
        "detail": "There is no such endpoint.",
        "hint": "GET /api/v1/openapi.json lists all endpoints.",
    });
    HttpResponse::NotFound().content_type("application/problem+json").body(problem.to_string())
}

//! Requests against small apps: what the glue promises to every area.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, middleware::from_fn, test};
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Actor, Code, Error, FieldError, Principal, Result, SessionId, TenantId, permission};

use crate::{ApiResult, Permit, Problem, ValidJson, Validate, watch};

permission! { Change = "things.change"; }

struct Fake;

#[async_trait::async_trait]
impl Authenticate for Fake {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        if credentials.session.as_deref() != Some("good") {
            return Err(Error::new(Code::Unauthenticated, "Sign in."));
        }
        let actor = Actor::Session { id: SessionId::generate(), csrf_token: "token".into(), operator: None };
        Ok(Principal::unlimited(TenantId::main(), None, actor))
    }
}

#[derive(serde::Deserialize)]
struct Body {
    name: String,
}

impl Validate for Body {
    fn validate(&self) -> Vec<FieldError> {
        if self.name.is_empty() {
            return vec![FieldError { field: "name".into(), message: "must not be empty".into() }];
        }
        Vec::new()
    }
}

async fn change(_permit: Permit<Change>, body: ValidJson<Body>) -> ApiResult {
    if body.0.name == "fail" {
        return Err(Error::internal("secret cause").into());
    }
    Ok(HttpResponse::Ok().body(body.0.name))
}

async fn send(request: test::TestRequest) -> (StatusCode, String) {
    let authenticate: Arc<dyn Authenticate> = Arc::new(Fake);
    let app = App::new()
        .wrap(from_fn(watch))
        .app_data(Data::from(authenticate))
        .route("/x", web::post().to(change));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, request.to_request()).await;
    assert!(response.headers().contains_key("x-request-id"));
    let status = response.status();
    (status, String::from_utf8(test::read_body(response).await.to_vec()).expect("UTF-8"))
}

fn post(session: &str, csrf: &str, body: &str) -> test::TestRequest {
    test::TestRequest::post()
        .uri("/x")
        .insert_header(("cookie", format!("lectern_session={session}")))
        .insert_header(("x-csrf-token", csrf))
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_owned())
}

fn problem(body: &str) -> Problem {
    serde_json::from_str(body).expect("a problem")
}

#[actix_web::test]
async fn a_permit_needs_a_session_and_its_csrf_token() {
    assert_eq!(send(post("good", "token", r#"{"name":"a"}"#)).await, (StatusCode::OK, "a".to_owned()));
    let (status, body) = send(post("bad", "token", "{}")).await;
    assert_eq!((status, problem(&body).code.as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
    let (status, body) = send(post("good", "other", r#"{"name":"a"}"#)).await;
    assert_eq!((status, problem(&body).code.as_str()), (StatusCode::FORBIDDEN, "csrf_missing"));
}

#[actix_web::test]
async fn wrong_bodies_are_told_field_by_field() {
    let (status, body) = send(post("good", "token", r#"{"name":""}"#)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem(&body).errors[0].field, "name");
    let (status, _) = send(post("good", "token", "{")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = send(post("good", "token", &format!("\"{}\"", "x".repeat(2 << 20)))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn a_failure_of_ours_shows_a_request_id_and_no_cause() {
    let (status, body) = send(post("good", "token", r#"{"name":"fail"}"#)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!body.contains("secret"), "{body}");
    assert!(problem(&body).request_id.is_some());
}

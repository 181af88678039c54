//! The endpoints that programs call themselves, and the description of this server.

use actix_web::http::header::{CACHE_CONTROL, PRAGMA};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, request_id};
use serde::Serialize;
use utoipa::OpenApi;

use crate::Oauth;
use crate::form::Call;
use crate::model::Flow;
use crate::model_flow::{
    DeviceRequest, DeviceView, IntrospectionView, ServerView, TokenQuestion, TokenRequest, TokenView,
};
use crate::refusal::{OAuthError, Refusal};
use crate::routes_flow::unframed;

const API: &str = "/api/v1/oauth";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/oauth/token").route(web::post().to(create_token)))
        .service(web::resource("/oauth/device_authorization").route(web::post().to(create_device)))
        .service(web::resource("/oauth/introspect").route(web::post().to(introspect_token)))
        .service(web::resource("/oauth/revoke").route(web::post().to(revoke_token)));
}

/// What lies at the root of the host (RFC 8414).
pub fn root_routes(config: &mut ServiceConfig) {
    let place = "/.well-known/oauth-authorization-server";
    config.service(web::resource(place).route(web::get().to(get_authorization_server)));
}

#[derive(OpenApi)]
#[openapi(
    paths(create_token, create_device, introspect_token, revoke_token),
    components(schemas(ServerView))
)]
pub(crate) struct Description;

fn answer<T: Serialize>(request: &HttpRequest, result: Result<T, Refusal>) -> HttpResponse {
    let response = match result {
        Ok(view) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((PRAGMA, "no-cache"))
            .json(view),
        Err(refusal) => refusal.response(request_id(request).as_deref()),
    };
    unframed(response)
}

/// Codes, refresh tokens, devices and apps for themselves get access tokens.
#[utoipa::path(post, path = "/oauth/token", tag = "oauth", operation_id = "create_token", security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, body = TokenView), (status = 400, body = OAuthError), (status = 401, body = OAuthError),
    (status = 429, body = OAuthError), (status = 503, body = OAuthError)))]
async fn create_token(request: HttpRequest, oauth: Data<Oauth>, payload: Payload) -> HttpResponse {
    let result = match Call::read(&oauth, &request, payload).await {
        Ok(call) => oauth.token(&call).await,
        Err(refusal) => Err(refusal),
    };
    answer(&request, result)
}

/// A device asks to be let in.
#[utoipa::path(post, path = "/oauth/device_authorization", tag = "oauth", operation_id = "create_device",
    security(()), request_body(content = DeviceRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = DeviceView), (status = 400, body = OAuthError),
    (status = 401, body = OAuthError), (status = 429, body = OAuthError), (status = 503, body = OAuthError)))]
async fn create_device(request: HttpRequest, oauth: Data<Oauth>, payload: Payload) -> HttpResponse {
    let result = match Call::read(&oauth, &request, payload).await {
        Ok(call) => oauth.device_authorization(&call).await,
        Err(refusal) => Err(refusal),
    };
    answer(&request, result)
}

/// What a token of the asking app is.
#[utoipa::path(post, path = "/oauth/introspect", tag = "oauth", operation_id = "introspect_token", security(()),
    request_body(content = TokenQuestion, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, body = IntrospectionView), (status = 400, body = OAuthError),
    (status = 401, body = OAuthError), (status = 429, body = OAuthError)))]
async fn introspect_token(request: HttpRequest, oauth: Data<Oauth>, payload: Payload) -> HttpResponse {
    let result = match Call::read(&oauth, &request, payload).await {
        Ok(call) => oauth.introspect(&call).await,
        Err(refusal) => Err(refusal),
    };
    answer(&request, result)
}

/// Ends a token of the asking app.
#[utoipa::path(post, path = "/oauth/revoke", tag = "oauth", operation_id = "revoke_token", security(()),
    request_body(content = TokenQuestion, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "It is over"), (status = 400, body = OAuthError),
    (status = 401, body = OAuthError), (status = 429, body = OAuthError)))]
async fn revoke_token(request: HttpRequest, oauth: Data<Oauth>, payload: Payload) -> HttpResponse {
    let result = match Call::read(&oauth, &request, payload).await {
        Ok(call) => oauth.revoke(&call).await,
        Err(refusal) => Err(refusal),
    };
    answer(&request, result.map(|()| serde_json::json!({})))
}

/// What this server is called and can do.
async fn get_authorization_server(request: HttpRequest, oauth: Data<Oauth>) -> ApiResult {
    let issuer = oauth.inner.issuer.of(&request)?;
    Ok(unframed(HttpResponse::Ok().json(oauth.server(issuer))))
}

impl Oauth {
    fn server(&self, issuer: String) -> ServerView {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let at = |path: &str| format!("{issuer}{API}/{path}");
        let proofs = ["client_secret_basic", "client_secret_post"];
        ServerView {
            authorization_endpoint: format!("{issuer}{}", self.inner.pages.authorize),
            token_endpoint: at("token"),
            device_authorization_endpoint: at("device_authorization"),
            introspection_endpoint: at("introspect"),
            revocation_endpoint: at("revoke"),
            scopes_supported: self.inner.catalogue.names().map(str::to_owned).collect(),
            response_types_supported: texts(&["code"]),
            response_modes_supported: texts(&["query"]),
            grant_types_supported: Flow::ALL.iter().map(|flow| flow.as_str().to_owned()).collect(),
            token_endpoint_auth_methods_supported: texts(&[&proofs[..], &["none"]].concat()),
            introspection_endpoint_auth_methods_supported: texts(&proofs),
            revocation_endpoint_auth_methods_supported: texts(&[&proofs[..], &["none"]].concat()),
            code_challenge_methods_supported: texts(&["S256"]),
            authorization_response_iss_parameter_supported: true,
            issuer,
        }
    }
}

//! `/oauth/authorize` and `/oauth/device`: what the console's pages of consent ask and tell.

use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, Permit, Problem, ValidJson, ValidQuery, request_id};
use lectern_kernel::{Code, Error};
use utoipa::OpenApi;

use crate::device::NoDevice;
use crate::model_flow::{
    AuthorizationDecision, AuthorizationView, ConsentView, DeviceDecision, DeviceParameters, LONGEST_QUERY,
    RedirectView,
};
use crate::{Oauth, SessionUse};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/oauth/authorize")
                .route(web::get().to(get_authorization))
                .route(web::post().to(create_authorization)),
        )
        .service(
            web::resource("/oauth/device")
                .route(web::get().to(get_device))
                .route(web::post().to(create_device_decision)),
        );
}

#[derive(OpenApi)]
#[openapi(paths(get_authorization, create_authorization, get_device, create_device_decision))]
pub(crate) struct Description;

/// Nobody puts a question of consent, or what it answers, into a frame.
const UNFRAMED: [(&str, &str); 2] =
    [("x-frame-options", "DENY"), ("content-security-policy", "default-src 'none'; frame-ancestors 'none'")];

pub(crate) fn unframed(mut response: HttpResponse) -> HttpResponse {
    for (name, value) in UNFRAMED {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// What the page of consent shows; its query is the app's, unchanged (OAuth 2.1, section 4.1.1).
#[utoipa::path(get, path = "/oauth/authorize", tag = "oauth", operation_id = "get_authorization", responses(
    (status = 200, body = AuthorizationView),
    (status = 400, body = Problem, description = "App or address are not proven: to be shown, not sent on"),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_authorization(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    oauth: Data<Oauth>,
) -> ApiResult {
    if request.query_string().len() > LONGEST_QUERY {
        return Err(Error::new(Code::InvalidRequest, "The request is too long.").into());
    }
    let issuer = oauth.inner.issuer.of(&request)?;
    let view = oauth.authorization(permit.principal(), request.query_string(), issuer).await?;
    Ok(unframed(HttpResponse::Ok().json(view)))
}

/// What the person decided; where the browser goes with it.
#[utoipa::path(post, path = "/oauth/authorize", tag = "oauth", operation_id = "create_authorization",
    request_body = AuthorizationDecision, responses((status = 200, body = RedirectView),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn create_authorization(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    oauth: Data<Oauth>,
    body: ValidJson<AuthorizationDecision>,
) -> ApiResult {
    let issuer = oauth.inner.issuer.of(&request)?;
    let view = oauth.decide(permit.principal(), permit.scope(), body.0, issuer).await?;
    Ok(unframed(HttpResponse::Ok().json(view)))
}

/// What is asked about a device (RFC 8628, section 3.3).
#[utoipa::path(get, path = "/oauth/device", tag = "oauth", operation_id = "get_device", params(DeviceParameters),
    responses((status = 200, body = ConsentView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 429, body = Problem, description = "Too many wrong codes")))]
async fn get_device(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    oauth: Data<Oauth>,
    query: ValidQuery<DeviceParameters>,
) -> ApiResult {
    match oauth.device(permit.principal(), &query.0.user_code).await {
        Ok(view) => Ok(unframed(HttpResponse::Ok().json(view))),
        Err(refused) => refuse(&request, refused),
    }
}

/// What the person decided about a device.
#[utoipa::path(post, path = "/oauth/device", tag = "oauth", operation_id = "create_device_decision",
    request_body = DeviceDecision, responses((status = 204, description = "Decided"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem, description = "Too many wrong codes")))]
async fn create_device_decision(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    oauth: Data<Oauth>,
    body: ValidJson<DeviceDecision>,
) -> ApiResult {
    match oauth.decide_device(permit.principal(), permit.scope(), body.0).await {
        Ok(()) => Ok(unframed(HttpResponse::NoContent().finish())),
        Err(refused) => refuse(&request, refused),
    }
}

fn refuse(request: &HttpRequest, refused: NoDevice) -> ApiResult {
    let Some(wait) = refused.retry_after else { return Err(refused.error.into()) };
    let mut response = Problem::of(&refused.error, request_id(request).as_deref()).response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    Ok(response)
}

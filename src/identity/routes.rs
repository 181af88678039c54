//! `/setup`, `/session` and `/keys`.

use std::net::IpAddr;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{HeaderValue, RETRY_AFTER, USER_AGENT};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{
    ApiResult, PathId, Permit, Problem, SESSION_COOKIE, ValidJson, ValidQuery, client_ip, request_id,
};
use lectern_kernel::{KeyId, Page, PageRequest};
use utoipa::OpenApi;

use crate::model::{
    KeyView, NewKey, NewKeyView, NewSession, NewSetup, PasswordChange, RotateKey, SessionView, SetupView,
};
use crate::session::{Caller, SignedIn};
use crate::{Identity, KeysManage, KeysRead, Refused, SessionUse};

const LONGEST_AGENT: usize = 200;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/setup").route(web::get().to(get_setup)).route(web::post().to(create_setup)))
        .service(
            web::resource("/session")
                .route(web::get().to(get_session))
                .route(web::post().to(create_session))
                .route(web::delete().to(delete_session)),
        )
        .service(web::resource("/session/password").route(web::post().to(change_password)))
        .service(web::resource("/keys").route(web::get().to(list_keys)).route(web::post().to(create_key)))
        .service(web::resource("/keys/{id}").route(web::delete().to(delete_key)))
        .service(web::resource("/keys/{id}/rotate").route(web::post().to(rotate_key)));
}

#[derive(OpenApi)]
#[openapi(paths(
    get_setup,
    create_setup,
    create_session,
    get_session,
    delete_session,
    change_password,
    list_keys,
    create_key,
    delete_key,
    rotate_key
))]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = Description::openapi();
    whole.merge(crate::routes_people::Description::openapi());
    whole.merge(crate::routes_profile::Description::openapi());
    whole.merge(crate::routes_factors::Description::openapi());
    whole.merge(crate::routes_providers::Description::openapi());
    whole.merge(crate::routes_operators::Description::openapi());
    whole.merge(crate::routes_support::Description::openapi());
    whole.merge(crate::routes_sign_in::Description::openapi());
    whole
}

/// Whether the appliance has its first administrator.
#[utoipa::path(get, path = "/setup", tag = "identity", operation_id = "get_setup", security(()),
    responses((status = 200, body = SetupView)))]
async fn get_setup(identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.setup().await?))
}

/// Makes the first administrator and signs them in.
#[utoipa::path(post, path = "/setup", tag = "identity", operation_id = "create_setup", security(()),
    request_body = NewSetup, responses(
    (status = 201, body = SessionView, description = "Made; the session cookie is set"),
    (status = 400, body = Problem), (status = 409, body = Problem, description = "Set up already"),
    (status = 415, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem, description = "Ten wrong codes within a minute")))]
async fn create_setup(
    request: HttpRequest,
    identity: Data<Identity>,
    body: ValidJson<NewSetup>,
) -> ApiResult {
    match identity.set_up(body.0, &caller(&request)).await {
        Ok(signed_in) => Ok(welcome(&identity, signed_in)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Signs in with e-mail and password, here or at a directory.
#[utoipa::path(post, path = "/session", tag = "identity", operation_id = "create_session", security(()),
    request_body = NewSession, responses(
    (status = 201, body = SessionView, description = "Signed in; the session cookie is set"),
    (status = 400, body = Problem),
    (status = 401, body = Problem, description = "Wrong, or a second proof is needed: second_factor_required"),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem), (status = 502, body = Problem),
    (status = 429, body = Problem, description = "Too many failures; Retry-After says how long to wait")))]
async fn create_session(
    request: HttpRequest,
    identity: Data<Identity>,
    body: ValidJson<NewSession>,
) -> ApiResult {
    match identity.sign_in(body.0, &caller(&request)).await {
        Ok(signed_in) => Ok(welcome(&identity, signed_in)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "identity", operation_id = "get_session", responses(
    (status = 200, body = SessionView), (status = 401, body = Problem)))]
async fn get_session(permit: Permit<SessionUse>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.session(permit.principal()).await?))
}

/// Signs out.
#[utoipa::path(delete, path = "/session", tag = "identity", operation_id = "delete_session", responses(
    (status = 204, description = "Signed out"), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn delete_session(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
) -> ApiResult {
    identity.sign_out(permit.scope(), permit.principal()).await?;
    if permit.principal().actor.operator().is_some() {
        return Ok(crate::routes_support::back(&request, &identity));
    }
    let mut cookie = identity.cookie(String::new());
    cookie.make_removal();
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// Changes the own password; the user's other sessions end.
#[utoipa::path(post, path = "/session/password", tag = "identity", operation_id = "change_password",
    request_body = PasswordChange, responses(
    (status = 204, description = "Changed"), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn change_password(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<PasswordChange>,
) -> ApiResult {
    match identity.change_password(permit.scope(), permit.principal(), body.0).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(refused) => refuse(&request, refused),
    }
}

/// The tenant's API keys, newest first.
#[utoipa::path(get, path = "/keys", tag = "identity", operation_id = "list_keys", params(PageRequest), responses(
    (status = 200, body = Page<KeyView>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list_keys(
    permit: Permit<KeysRead>,
    identity: Data<Identity>,
    page: ValidQuery<PageRequest>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.list_keys(permit.scope(), &page.0).await?))
}

/// Makes an API key; its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/keys", tag = "identity", operation_id = "create_key", request_body = NewKey, responses(
    (status = 201, body = NewKeyView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
async fn create_key(
    permit: Permit<KeysManage>,
    identity: Data<Identity>,
    body: ValidJson<NewKey>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(identity.create_key(permit.scope(), rights, body.0).await?))
}

/// Revokes an API key at once.
#[utoipa::path(delete, path = "/keys/{id}", tag = "identity", operation_id = "delete_key",
    params(("id" = KeyId, Path)), responses(
    (status = 204, description = "Revoked"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn delete_key(permit: Permit<KeysManage>, identity: Data<Identity>, id: PathId<KeyId>) -> ApiResult {
    identity.revoke_key(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A new secret with the same rights; the old one works on for a while.
#[utoipa::path(post, path = "/keys/{id}/rotate", tag = "identity", operation_id = "rotate_key",
    params(("id" = KeyId, Path)), request_body = RotateKey, responses((status = 201, body = NewKeyView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn rotate_key(
    permit: Permit<KeysManage>,
    identity: Data<Identity>,
    id: PathId<KeyId>,
    body: ValidJson<RotateKey>,
) -> ApiResult {
    Ok(HttpResponse::Created()
        .json(identity.rotate_key(permit.scope(), &permit.principal().rights, &id.0, &body.0).await?))
}

impl Identity {
    pub(crate) fn cookie(&self, token: String) -> Cookie<'static> {
        let seconds = i64::try_from(self.inner.limits.lifetime.0.as_secs()).unwrap_or(i64::MAX);
        Cookie::build(SESSION_COOKIE, token)
            .path("/")
            .http_only(true)
            .secure(self.inner.secure_cookies)
            .same_site(SameSite::Strict)
            .max_age(CookieDuration::seconds(seconds))
            .finish()
    }
}

pub(crate) fn welcome(identity: &Identity, signed_in: SignedIn) -> HttpResponse {
    HttpResponse::Created().cookie(identity.cookie(signed_in.token)).json(signed_in.view)
}

/// The problem, with the true `Retry-After` when there is one.
pub(crate) fn refuse(request: &HttpRequest, refused: Refused) -> ApiResult {
    let Some(wait) = refused.retry_after else { return Err(refused.error.into()) };
    let mut response = Problem::of(&refused.error, request_id(request).as_deref()).response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    Ok(response)
}

/// Where a request to sign in comes from.
pub(crate) fn caller(request: &HttpRequest) -> Caller {
    let address = client_ip(request);
    let network = match address {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        // One network of a site, as one client can take any address in it.
        Some(IpAddr::V6(address)) => format!("{:x?}", &address.segments()[..4]),
    };
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Caller {
        network,
        address: address.map(|address| address.to_string()),
        agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
        request: request_id(request),
    }
}

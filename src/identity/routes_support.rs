//! `/support-access` for tenants, `/tenants/{id}/support-session` for operators.

use actix_web::cookie::Cookie;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, PathId, Permit, Problem, SESSION_COOKIE, ValidJson};
use lectern_kernel::TenantId;
use utoipa::OpenApi;

use crate::model::SessionView;
use crate::model_support::{NewSupportConsent, NewSupportSession, SupportConsentView, SupportConsentsView};
use crate::routes::caller;
use crate::{Identity, Support, SupportConsent};

/// Holds the operator's own session meanwhile.
const OWN_COOKIE: &str = "lectern_operator";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/support-access")
                .route(web::get().to(get_support_access))
                .route(web::put().to(put_support_access))
                .route(web::delete().to(delete_support_access)),
        )
        .service(
            web::resource("/tenants/{id}/support-session").route(web::post().to(create_support_session)),
        );
}

#[derive(OpenApi)]
#[openapi(paths(get_support_access, put_support_access, delete_support_access, create_support_session))]
pub(crate) struct Description;

/// Whether operators of the appliance may work in the place of the tenant's people, and when they could before.
#[utoipa::path(get, path = "/support-access", tag = "support", operation_id = "get_support_access", responses(
    (status = 200, body = SupportConsentsView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_support_access(permit: Permit<SupportConsent>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.support_consents(permit.scope()).await?))
}

/// Consents for some hours; what was consented before ends.
#[utoipa::path(put, path = "/support-access", tag = "support", operation_id = "put_support_access",
    request_body = NewSupportConsent, responses((status = 200, body = SupportConsentView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
async fn put_support_access(
    permit: Permit<SupportConsent>,
    identity: Data<Identity>,
    body: ValidJson<NewSupportConsent>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.consent_to_support(permit.scope(), body.0).await?))
}

/// Takes the consent back; operators are out at once.
#[utoipa::path(delete, path = "/support-access", tag = "support", operation_id = "delete_support_access",
    responses((status = 204, description = "Taken back"), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_support_access(permit: Permit<SupportConsent>, identity: Data<Identity>) -> ApiResult {
    identity.end_support(permit.scope()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Opens a session in the place of a person, for an hour at most; DELETE /session goes back to the operator's own.
#[utoipa::path(post, path = "/tenants/{id}/support-session", tag = "operator",
    operation_id = "create_support_session", params(("id" = TenantId, Path)), request_body = NewSupportSession,
    responses((status = 201, body = SessionView, description = "Opened; the session cookie is set"),
    (status = 401, body = Problem), (status = 403, body = Problem, description = "No consent"),
    (status = 404, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn create_support_session(
    request: HttpRequest,
    permit: Permit<Support>,
    identity: Data<Identity>,
    id: PathId<TenantId>,
    body: ValidJson<NewSupportSession>,
) -> ApiResult {
    let (principal, scope, caller) = (permit.principal(), permit.scope(), caller(&request));
    let opened = identity.open_support_session(principal, scope, &id.0, body.0, &caller).await?;
    let mut response = HttpResponse::Created();
    response.cookie(identity.cookie(opened.token));
    if let Some(own) = request.cookie(SESSION_COOKIE) {
        response.cookie(own_cookie(&identity, own.value()));
    }
    Ok(response.json(opened.view))
}

/// Only sent where it is needed.
fn own_cookie(identity: &Identity, token: &str) -> Cookie<'static> {
    let mut cookie = identity.cookie(token.to_owned());
    cookie.set_name(OWN_COOKIE);
    cookie.set_path("/api/v1/session");
    cookie
}

/// The session in a person's place is over: back to the operator's own.
pub(crate) fn back(request: &HttpRequest, identity: &Identity) -> HttpResponse {
    let own = request.cookie(OWN_COOKIE).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
    let mut session = identity.cookie(own.clone());
    if own.is_empty() {
        session.make_removal();
    }
    let mut kept = own_cookie(identity, "");
    kept.make_removal();
    HttpResponse::NoContent().cookie(session).cookie(kept).finish()
}

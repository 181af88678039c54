//! `/me`: one's own profile, groups and browsers.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson};
use lectern_kernel::SessionId;
use utoipa::OpenApi;

use crate::model::UserView;
use crate::model_people::{GroupView, OpenSessionView, PatchProfile};
use crate::session::own_session;
use crate::{Identity, SessionUse};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/me").route(web::patch().to(update_profile)))
        .service(web::resource("/me/groups").route(web::get().to(list_own_groups)))
        .service(
            web::resource("/me/sessions")
                .route(web::get().to(list_own_sessions))
                .route(web::delete().to(delete_own_sessions)),
        )
        .service(web::resource("/me/sessions/{id}").route(web::delete().to(delete_own_session)));
}

#[derive(OpenApi)]
#[openapi(paths(
    update_profile,
    list_own_groups,
    list_own_sessions,
    delete_own_sessions,
    delete_own_session
))]
pub(crate) struct Description;

/// Changes the own name, language or voice.
#[utoipa::path(patch, path = "/me", tag = "profile", operation_id = "update_profile", request_body = PatchProfile,
    responses((status = 200, body = UserView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
async fn update_profile(
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<PatchProfile>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.change_profile(permit.scope(), permit.principal(), body.0).await?))
}

/// The groups and workspaces one is in.
#[utoipa::path(get, path = "/me/groups", tag = "profile", operation_id = "list_own_groups", responses(
    (status = 200, body = Vec<GroupView>), (status = 401, body = Problem)))]
async fn list_own_groups(permit: Permit<SessionUse>, identity: Data<Identity>) -> ApiResult {
    let (_, user, _) = own_session(permit.principal())?;
    Ok(HttpResponse::Ok().json(identity.groups_of(permit.scope(), &user).await?))
}

/// The browsers one is signed in with, the last used first.
#[utoipa::path(get, path = "/me/sessions", tag = "profile", operation_id = "list_own_sessions", responses(
    (status = 200, body = Vec<OpenSessionView>), (status = 401, body = Problem)))]
async fn list_own_sessions(permit: Permit<SessionUse>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.sessions(permit.principal()).await?))
}

/// Signs out everywhere else.
#[utoipa::path(delete, path = "/me/sessions", tag = "profile", operation_id = "delete_own_sessions", responses(
    (status = 204, description = "Ended"), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn delete_own_sessions(permit: Permit<SessionUse>, identity: Data<Identity>) -> ApiResult {
    let (session, user, _) = own_session(permit.principal())?;
    identity.end_sessions(permit.scope(), &user, Some(session)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/me/sessions/{id}", tag = "profile", operation_id = "delete_own_session",
    params(("id" = SessionId, Path)), responses((status = 204, description = "Ended"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_own_session(
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    id: PathId<SessionId>,
) -> ApiResult {
    let (_, user, _) = own_session(permit.principal())?;
    identity.end_session(permit.scope(), &user, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

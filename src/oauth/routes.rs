//! `/apps` and `/me/apps`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson, ValidQuery};
use lectern_kernel::{AppId, Page, PageRequest};
use utoipa::OpenApi;

use crate::model::{AllowedAppView, AppView, NewApp, NewAppView, PatchApp, RotateSecret};
use crate::{AppsManage, Oauth, SessionUse};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/apps").route(web::get().to(list_apps)).route(web::post().to(create_app)))
        .service(
            web::resource("/apps/{id}")
                .route(web::get().to(get_app))
                .route(web::patch().to(update_app))
                .route(web::delete().to(delete_app)),
        )
        .service(web::resource("/apps/{id}/secret").route(web::post().to(rotate_app_secret)))
        .service(web::resource("/me/apps").route(web::get().to(list_allowed_apps)))
        .service(web::resource("/me/apps/{id}").route(web::delete().to(delete_allowed_app)));
}

#[derive(OpenApi)]
#[openapi(paths(
    list_apps,
    create_app,
    get_app,
    update_app,
    delete_app,
    rotate_app_secret,
    list_allowed_apps,
    delete_allowed_app
))]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = Description::openapi();
    whole.merge(crate::routes_flow::Description::openapi());
    whole.merge(crate::routes_token::Description::openapi());
    whole
}

/// Registered apps, the newest first.
#[utoipa::path(get, path = "/apps", tag = "apps", operation_id = "list_apps", params(PageRequest), responses(
    (status = 200, body = Page<AppView>), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list_apps(
    permit: Permit<AppsManage>,
    oauth: Data<Oauth>,
    page: ValidQuery<PageRequest>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(oauth.list_apps(permit.scope(), &page.0).await?))
}

/// Registers an app; its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/apps", tag = "apps", operation_id = "create_app", request_body = NewApp, responses(
    (status = 201, body = NewAppView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
async fn create_app(permit: Permit<AppsManage>, oauth: Data<Oauth>, body: ValidJson<NewApp>) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(oauth.create_app(permit.scope(), rights, body.0).await?))
}

/// A registered app.
#[utoipa::path(get, path = "/apps/{id}", tag = "apps", operation_id = "get_app", params(("id" = AppId, Path)),
    responses((status = 200, body = AppView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn get_app(permit: Permit<AppsManage>, oauth: Data<Oauth>, id: PathId<AppId>) -> ApiResult {
    Ok(HttpResponse::Ok().json(oauth.app(permit.scope(), &id.0).await?))
}

/// Changes an app; what it may less, its tokens may less at once.
#[utoipa::path(patch, path = "/apps/{id}", tag = "apps", operation_id = "update_app",
    params(("id" = AppId, Path)), request_body = PatchApp, responses((status = 200, body = AppView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
async fn update_app(
    permit: Permit<AppsManage>,
    oauth: Data<Oauth>,
    id: PathId<AppId>,
    body: ValidJson<PatchApp>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Ok().json(oauth.change_app(permit.scope(), rights, &id.0, body.0).await?))
}

/// Removes an app; its tokens end at once.
#[utoipa::path(delete, path = "/apps/{id}", tag = "apps", operation_id = "delete_app",
    params(("id" = AppId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_app(permit: Permit<AppsManage>, oauth: Data<Oauth>, id: PathId<AppId>) -> ApiResult {
    oauth.delete_app(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A new secret for an app; the one before works on for a while.
#[utoipa::path(post, path = "/apps/{id}/secret", tag = "apps", operation_id = "rotate_app_secret",
    params(("id" = AppId, Path)), request_body = RotateSecret, responses((status = 201, body = NewAppView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn rotate_app_secret(
    permit: Permit<AppsManage>,
    oauth: Data<Oauth>,
    id: PathId<AppId>,
    body: ValidJson<RotateSecret>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(oauth.rotate_secret(permit.scope(), rights, &id.0, &body.0).await?))
}

/// The apps that one has allowed something.
#[utoipa::path(get, path = "/me/apps", tag = "profile", operation_id = "list_allowed_apps", responses(
    (status = 200, body = Vec<AllowedAppView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_allowed_apps(permit: Permit<SessionUse>, oauth: Data<Oauth>) -> ApiResult {
    Ok(HttpResponse::Ok().json(oauth.allowed_apps(permit.principal()).await?))
}

/// Takes back what one allowed an app; its tokens end at once.
#[utoipa::path(delete, path = "/me/apps/{id}", tag = "profile", operation_id = "delete_allowed_app",
    params(("id" = AppId, Path)), responses((status = 204, description = "Taken back"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_allowed_app(permit: Permit<SessionUse>, oauth: Data<Oauth>, id: PathId<AppId>) -> ApiResult {
    oauth.revoke_app(permit.principal(), permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

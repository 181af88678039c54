//! `/people/{id}/export`, `/people/{id}/erase`, `/me/export` and `/retention`.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson};
use lectern_kernel::{Code, Error, UserId};
use tokio_util::io::ReaderStream;
use utoipa::OpenApi;

use crate::model::{ErasePerson, ErasureOfPersonView, NewRules, OverdueView, RetentionView};
use crate::{Privacy, PrivacyManage, SessionUse};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/people/{id}/export").route(web::post().to(export_person)))
        .service(web::resource("/people/{id}/erase").route(web::post().to(erase_person)))
        .service(web::resource("/me/export").route(web::post().to(export_self)))
        .service(
            web::resource("/retention")
                .route(web::get().to(get_retention))
                .route(web::put().to(put_retention)),
        )
        .service(web::resource("/retention/preview").route(web::post().to(preview_retention)));
}

#[derive(OpenApi)]
#[openapi(paths(export_person, erase_person, export_self, get_retention, put_retention, preview_retention))]
struct Description;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = Description::openapi();
    whole.merge(crate::routes_consents::Description::openapi());
    whole
}

/// All that is held about a person, as a ZIP with a folder for each area.
#[utoipa::path(post, path = "/people/{id}/export", tag = "privacy", operation_id = "export_person",
    params(("id" = UserId, Path)), responses((status = 200, content_type = "application/zip", body = String),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn export_person(
    permit: Permit<PrivacyManage>,
    privacy: Data<Privacy>,
    id: PathId<UserId>,
) -> ApiResult {
    send(&privacy, permit.scope(), &id.0).await
}

/// All that is held about oneself.
#[utoipa::path(post, path = "/me/export", tag = "profile", operation_id = "export_self", responses(
    (status = 200, content_type = "application/zip", body = String), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn export_self(permit: Permit<SessionUse>, privacy: Data<Privacy>) -> ApiResult {
    let person = permit.principal().user.clone();
    let person =
        person.ok_or_else(|| Error::new(Code::Unauthenticated, "This is for a person at a browser."))?;
    send(&privacy, permit.scope(), &person).await
}

async fn send(privacy: &Privacy, scope: &lectern_kernel::Scope, person: &UserId) -> ApiResult {
    let (file, length) = privacy.export(scope, person).await?;
    let name = format!("attachment; filename=\"lectern-{person}.zip\"");
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/zip"))
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CONTENT_LENGTH, length))
        .no_chunking(length)
        .streaming(ReaderStream::new(tokio::fs::File::from_std(file))))
}

/// Erases all that is held about a person; what they are called has to be typed again.
#[utoipa::path(post, path = "/people/{id}/erase", tag = "privacy", operation_id = "erase_person",
    params(("id" = UserId, Path)), request_body = ErasePerson, responses(
    (status = 200, body = ErasureOfPersonView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
async fn erase_person(
    permit: Permit<PrivacyManage>,
    privacy: Data<Privacy>,
    id: PathId<UserId>,
    body: ValidJson<ErasePerson>,
) -> ApiResult {
    let erased = privacy.erase(permit.principal(), permit.scope(), &id.0, body.0).await?;
    Ok(HttpResponse::Ok().json(erased))
}

/// How long things are kept; what is not named stays.
#[utoipa::path(get, path = "/retention", tag = "privacy", operation_id = "get_retention", responses(
    (status = 200, body = RetentionView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_retention(permit: Permit<PrivacyManage>, privacy: Data<Privacy>) -> ApiResult {
    Ok(HttpResponse::Ok().json(privacy.rules(permit.scope()).await?))
}

/// Replaces the rules; what is older goes within the hour.
#[utoipa::path(put, path = "/retention", tag = "privacy", operation_id = "put_retention", request_body = NewRules,
    responses((status = 200, body = RetentionView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn put_retention(
    permit: Permit<PrivacyManage>,
    privacy: Data<Privacy>,
    body: ValidJson<NewRules>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(privacy.set_rules(permit.scope(), body.0.0).await?))
}

/// How much is older than rules would allow; nothing changes.
#[utoipa::path(post, path = "/retention/preview", tag = "privacy", operation_id = "preview_retention",
    request_body = NewRules, responses((status = 200, body = OverdueView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn preview_retention(
    permit: Permit<PrivacyManage>,
    privacy: Data<Privacy>,
    body: ValidJson<NewRules>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(privacy.overdue(permit.scope(), &body.0.0).await?))
}

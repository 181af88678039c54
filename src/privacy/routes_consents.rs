//! `/consent-texts` and `/me/consents`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use lectern_edge::{ApiResult, Permit, Problem, ValidJson};
use utoipa::OpenApi;

use crate::model::{ConsentAnswer, ConsentTextView, NewConsentText, OwnConsentView};
use crate::{Privacy, PrivacyManage, SessionUse};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/consent-texts")
                .route(web::get().to(list_consent_texts))
                .route(web::post().to(create_consent_text)),
        )
        .service(web::resource("/consent-texts/{name}").route(web::delete().to(delete_consent_text)))
        .service(web::resource("/me/consents").route(web::get().to(list_own_consents)))
        .service(
            web::resource("/me/consents/{name}")
                .route(web::post().to(give_consent))
                .route(web::delete().to(withdraw_consent)),
        );
}

#[derive(OpenApi)]
#[openapi(paths(
    list_consent_texts,
    create_consent_text,
    delete_consent_text,
    list_own_consents,
    give_consent,
    withdraw_consent
))]
pub(crate) struct Description;

/// All texts that people were ever asked to agree to, those that hold first.
#[utoipa::path(get, path = "/consent-texts", tag = "privacy", operation_id = "list_consent_texts", responses(
    (status = 200, body = Vec<ConsentTextView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_consent_texts(permit: Permit<PrivacyManage>, privacy: Data<Privacy>) -> ApiResult {
    Ok(HttpResponse::Ok().json(privacy.consent_texts(permit.scope()).await?))
}

/// Asks everybody to agree to a text.
#[utoipa::path(post, path = "/consent-texts", tag = "privacy", operation_id = "create_consent_text",
    request_body = NewConsentText, responses((status = 201, body = ConsentTextView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn create_consent_text(
    permit: Permit<PrivacyManage>,
    privacy: Data<Privacy>,
    body: ValidJson<NewConsentText>,
) -> ApiResult {
    Ok(HttpResponse::Created().json(privacy.add_consent_text(permit.scope(), body.0).await?))
}

/// Takes a text away; what people said to it stays on record.
#[utoipa::path(delete, path = "/consent-texts/{name}", tag = "privacy", operation_id = "delete_consent_text",
    params(("name" = String, Path)), responses((status = 204, description = "Taken away"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_consent_text(
    permit: Permit<PrivacyManage>,
    privacy: Data<Privacy>,
    name: Path<String>,
) -> ApiResult {
    privacy.end_consent_text(permit.scope(), &name).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The texts that hold, and what one said to them.
#[utoipa::path(get, path = "/me/consents", tag = "profile", operation_id = "list_own_consents", responses(
    (status = 200, body = Vec<OwnConsentView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_own_consents(permit: Permit<SessionUse>, privacy: Data<Privacy>) -> ApiResult {
    Ok(HttpResponse::Ok().json(privacy.own_consents(permit.principal()).await?))
}

/// Agrees to a text as it was read.
#[utoipa::path(post, path = "/me/consents/{name}", tag = "profile", operation_id = "give_consent",
    params(("name" = String, Path)), request_body = ConsentAnswer, responses((status = 204, description = "Given"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "The text was replaced"), (status = 415, body = Problem),
    (status = 422, body = Problem)))]
async fn give_consent(
    permit: Permit<SessionUse>,
    privacy: Data<Privacy>,
    name: Path<String>,
    body: ValidJson<ConsentAnswer>,
) -> ApiResult {
    privacy.consent(permit.principal(), permit.scope(), &name, body.0.version).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes it back.
#[utoipa::path(delete, path = "/me/consents/{name}", tag = "profile", operation_id = "withdraw_consent",
    params(("name" = String, Path)), responses((status = 204, description = "Taken back"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn withdraw_consent(
    permit: Permit<SessionUse>,
    privacy: Data<Privacy>,
    name: Path<String>,
) -> ApiResult {
    privacy.withdraw_consent(permit.principal(), permit.scope(), &name).await?;
    Ok(HttpResponse::NoContent().finish())
}

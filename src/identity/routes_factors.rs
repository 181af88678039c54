//! `/me/factors`: one's own second factors.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson};
use lectern_kernel::{FactorId, UserId};
use utoipa::OpenApi;

use crate::model_factors::{
    ConfirmTotp, FactorView, FactorsView, FinishPasskey, NewFactor, NewPasskeyFactor, PasskeyOptions,
    PasswordProof, RecoveryCodesView, TotpOffer,
};
use crate::routes::refuse;
use crate::routes_sign_in::site;
use crate::{Identity, PeopleManage, SessionUse};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/me/factors").route(web::get().to(list_factors)))
        .service(web::resource("/me/factors/totp").route(web::post().to(begin_totp)))
        .service(web::resource("/me/factors/totp/confirm").route(web::post().to(confirm_totp)))
        .service(web::resource("/me/factors/recovery-codes").route(web::post().to(create_recovery_codes)))
        .service(web::resource("/me/factors/passkey/options").route(web::post().to(begin_passkey)))
        .service(web::resource("/me/factors/passkey").route(web::post().to(create_passkey)))
        .service(web::resource("/me/factors/{id}").route(web::delete().to(delete_factor)))
        .service(web::resource("/people/{id}/factors").route(web::delete().to(delete_person_factors)));
}

#[derive(OpenApi)]
#[openapi(paths(
    list_factors,
    begin_totp,
    confirm_totp,
    create_recovery_codes,
    begin_passkey,
    create_passkey,
    delete_factor,
    delete_person_factors
))]
pub(crate) struct Description;

/// One's own second factors.
#[utoipa::path(get, path = "/me/factors", tag = "profile", operation_id = "list_factors", responses(
    (status = 200, body = FactorsView), (status = 401, body = Problem)))]
async fn list_factors(permit: Permit<SessionUse>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.factors(permit.principal()).await?))
}

/// A new secret for an authenticator app; it counts once the app's first code was sent.
#[utoipa::path(post, path = "/me/factors/totp", tag = "profile", operation_id = "begin_totp",
    request_body = NewFactor, responses((status = 200, body = TotpOffer), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn begin_totp(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<NewFactor>,
) -> ApiResult {
    match identity.begin_totp(permit.scope(), permit.principal(), body.0).await {
        Ok(offer) => Ok(HttpResponse::Ok().json(offer)),
        Err(refused) => refuse(&request, refused),
    }
}

/// The first code of the app; the secret counts from now on.
#[utoipa::path(post, path = "/me/factors/totp/confirm", tag = "profile", operation_id = "confirm_totp",
    request_body = ConfirmTotp, responses((status = 201, body = FactorView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem)))]
async fn confirm_totp(
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<ConfirmTotp>,
) -> ApiResult {
    let view = identity.confirm_totp(permit.scope(), permit.principal(), body.0).await?;
    Ok(HttpResponse::Created().json(view))
}

/// Ten new recovery codes in place of those before; they are in this answer and nowhere else.
#[utoipa::path(post, path = "/me/factors/recovery-codes", tag = "profile", operation_id = "create_recovery_codes",
    request_body = PasswordProof, responses((status = 201, body = RecoveryCodesView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn create_recovery_codes(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<PasswordProof>,
) -> ApiResult {
    match identity.create_recovery_codes(permit.scope(), permit.principal(), body.0.password).await {
        Ok(codes) => Ok(HttpResponse::Created().json(codes)),
        Err(refused) => refuse(&request, refused),
    }
}

/// What the page needs to register a passkey.
#[utoipa::path(post, path = "/me/factors/passkey/options", tag = "profile", operation_id = "begin_passkey",
    request_body = NewPasskeyFactor, responses((status = 200, body = PasskeyOptions),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem, description = "The address of the page is no host name"),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn begin_passkey(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<NewPasskeyFactor>,
) -> ApiResult {
    match identity.begin_passkey(permit.scope(), permit.principal(), body.0, site(&request)?).await {
        Ok(options) => Ok(HttpResponse::Ok().json(options)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Keeps the passkey that the browser made.
#[utoipa::path(post, path = "/me/factors/passkey", tag = "profile", operation_id = "create_passkey",
    request_body = FinishPasskey, responses((status = 201, body = FactorView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem),
    (status = 422, body = Problem)))]
async fn create_passkey(
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    body: ValidJson<FinishPasskey>,
) -> ApiResult {
    let view = identity.finish_passkey(permit.scope(), permit.principal(), body.0).await?;
    Ok(HttpResponse::Created().json(view))
}

/// Removes a second factor.
#[utoipa::path(delete, path = "/me/factors/{id}", tag = "profile", operation_id = "delete_factor",
    params(("id" = FactorId, Path)), request_body = PasswordProof, responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The organisation asks for one"), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn delete_factor(
    request: HttpRequest,
    permit: Permit<SessionUse>,
    identity: Data<Identity>,
    id: PathId<FactorId>,
    body: ValidJson<PasswordProof>,
) -> ApiResult {
    match identity.delete_factor(permit.scope(), permit.principal(), &id.0, body.0.password).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(refused) => refuse(&request, refused),
    }
}

/// Removes all second factors of a person who lost them; their sessions end.
#[utoipa::path(delete, path = "/people/{id}/factors", tag = "people", operation_id = "delete_person_factors",
    params(("id" = UserId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_person_factors(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
) -> ApiResult {
    identity.remove_factors_of(permit.scope(), &permit.principal().rights, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

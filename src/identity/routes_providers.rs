//! `/sign-in`: how people of the tenant sign in.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson, ValidQuery};
use lectern_kernel::ProviderId;
use utoipa::OpenApi;

use crate::model_sign_in::{
    NewProvider, OptionsParameters, PatchProvider, ProviderTest, ProviderView, SignInOptions, SignInPolicy,
};
use crate::{Identity, SignInManage};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/sign-in/options").route(web::get().to(get_sign_in_options)))
        .service(
            web::resource("/sign-in/policy")
                .route(web::get().to(get_sign_in_policy))
                .route(web::put().to(put_sign_in_policy)),
        )
        .service(
            web::resource("/sign-in/providers")
                .route(web::get().to(list_providers))
                .route(web::post().to(create_provider)),
        )
        .service(
            web::resource("/sign-in/providers/{id}")
                .route(web::patch().to(update_provider))
                .route(web::delete().to(delete_provider)),
        )
        .service(web::resource("/sign-in/providers/{id}/test").route(web::post().to(test_provider)));
}

#[derive(OpenApi)]
#[openapi(paths(
    get_sign_in_options,
    get_sign_in_policy,
    put_sign_in_policy,
    list_providers,
    create_provider,
    update_provider,
    delete_provider,
    test_provider
))]
pub(crate) struct Description;

/// The ways to sign in to a tenant.
#[utoipa::path(get, path = "/sign-in/options", tag = "sign-in", operation_id = "get_sign_in_options", security(()),
    params(OptionsParameters), responses((status = 200, body = SignInOptions), (status = 400, body = Problem)))]
async fn get_sign_in_options(identity: Data<Identity>, wanted: ValidQuery<OptionsParameters>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.sign_in_options(wanted.0).await?))
}

/// The tenant's rules of signing in.
#[utoipa::path(get, path = "/sign-in/policy", tag = "sign-in", operation_id = "get_sign_in_policy", responses(
    (status = 200, body = SignInPolicy), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_sign_in_policy(permit: Permit<SignInManage>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.policy(permit.scope()).await?))
}

/// Puts the tenant's rules of signing in; they hold for open sessions too.
#[utoipa::path(put, path = "/sign-in/policy", tag = "sign-in", operation_id = "put_sign_in_policy",
    request_body = SignInPolicy, responses((status = 200, body = SignInPolicy), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn put_sign_in_policy(
    permit: Permit<SignInManage>,
    identity: Data<Identity>,
    body: ValidJson<SignInPolicy>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.put_policy(permit.scope(), body.0).await?))
}

/// The services that people sign in with, without their secrets.
#[utoipa::path(get, path = "/sign-in/providers", tag = "sign-in", operation_id = "list_providers", responses(
    (status = 200, body = Vec<ProviderView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_providers(permit: Permit<SignInManage>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.providers(permit.scope()).await?))
}

/// Adds a provider; its addresses may be connected to from now on.
#[utoipa::path(post, path = "/sign-in/providers", tag = "sign-in", operation_id = "create_provider",
    request_body = NewProvider, responses((status = 201, body = ProviderView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_provider(
    permit: Permit<SignInManage>,
    identity: Data<Identity>,
    body: ValidJson<NewProvider>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(identity.create_provider(permit.scope(), rights, body.0).await?))
}

/// Changes a provider.
#[utoipa::path(patch, path = "/sign-in/providers/{id}", tag = "sign-in", operation_id = "update_provider",
    params(("id" = ProviderId, Path)), request_body = PatchProvider, responses((status = 200, body = ProviderView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn update_provider(
    permit: Permit<SignInManage>,
    identity: Data<Identity>,
    id: PathId<ProviderId>,
    body: ValidJson<PatchProvider>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Ok().json(identity.change_provider(permit.scope(), rights, &id.0, body.0).await?))
}

/// Removes a provider; people who have no password can sign in no more.
#[utoipa::path(delete, path = "/sign-in/providers/{id}", tag = "sign-in", operation_id = "delete_provider",
    params(("id" = ProviderId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn delete_provider(
    permit: Permit<SignInManage>,
    identity: Data<Identity>,
    id: PathId<ProviderId>,
) -> ApiResult {
    identity.delete_provider(permit.scope(), &permit.principal().rights, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Tries a provider out, step by step.
#[utoipa::path(post, path = "/sign-in/providers/{id}/test", tag = "sign-in", operation_id = "test_provider",
    params(("id" = ProviderId, Path)), responses((status = 200, body = ProviderTest), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn test_provider(
    permit: Permit<SignInManage>,
    identity: Data<Identity>,
    id: PathId<ProviderId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.test_provider(permit.scope(), &id.0).await?))
}

//! `/settings` and `/status`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, Permit, Problem, ValidJson};
use utoipa::OpenApi;

use crate::health;
use crate::model::{OllamaTest, OllamaTestRequest, PatchSettings, SettingsView};
use crate::report::StatusView;
use crate::{Settings, SettingsManage, SettingsRead, Status, StatusRead};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/settings")
                .route(web::get().to(get_settings))
                .route(web::patch().to(update_settings)),
        )
        .service(web::resource("/settings/ollama/test").route(web::post().to(test_ollama)))
        .service(web::resource("/status").route(web::get().to(get_status)));
}

#[derive(OpenApi)]
#[openapi(paths(get_settings, update_settings, test_ollama, get_status))]
struct Description;

/// `/healthz` and `/readyz` stand outside `/api/v1`: the server nests them on their own.
#[derive(OpenApi)]
#[openapi(paths(health::get_health, health::get_readiness))]
struct RootDescription;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The description of [`crate::root_routes`], relative to the root.
pub fn root_openapi() -> utoipa::openapi::OpenApi {
    RootDescription::openapi()
}

/// The settings in force.
#[utoipa::path(get, path = "/settings", tag = "ops", operation_id = "get_settings", responses(
    (status = 200, body = SettingsView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_settings(permit: Permit<SettingsRead>, settings: Data<Settings>) -> ApiResult {
    Ok(HttpResponse::Ok().json(&*settings.view(permit.scope()).await?))
}

/// Changes settings: what is absent stays, null goes back to the configuration file.
#[utoipa::path(patch, path = "/settings", tag = "ops", operation_id = "update_settings",
    request_body = PatchSettings, responses(
    (status = 200, body = SettingsView), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn update_settings(
    permit: Permit<SettingsManage>,
    settings: Data<Settings>,
    body: ValidJson<PatchSettings>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(&*settings.patch(permit.scope(), body.0).await?))
}

/// Tries an Ollama address without saving it.
#[utoipa::path(post, path = "/settings/ollama/test", tag = "ops", operation_id = "test_ollama",
    request_body = OllamaTestRequest, responses(
    (status = 200, body = OllamaTest, description = "Tried; `problem` says what is wrong"),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn test_ollama(
    permit: Permit<SettingsManage>,
    settings: Data<Settings>,
    body: ValidJson<OllamaTestRequest>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(settings.test_ollama(permit.scope(), body.0).await?))
}

/// How the appliance is: what is in use, documents, queue, disk, memory, errors, outbound connections.
#[utoipa::path(get, path = "/status", tag = "ops", operation_id = "get_status", responses(
    (status = 200, body = StatusView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_status(permit: Permit<StatusRead>, status: Data<Status>) -> ApiResult {
    Ok(HttpResponse::Ok().json(status.view(permit.scope()).await?))
}

//! `/audit/targets` of the tenant and `/appliance/audit/targets`: servers that entries of the record are sent to.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson};
use lectern_kernel::TargetId;
use utoipa::OpenApi;

use crate::audit::Log;
use crate::model_forward::{NewTarget, PatchTarget, TargetStateView, TargetTest};
use crate::{Access, ApplianceAudit, AuditForward};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/audit/targets")
                .route(web::get().to(list_audit_targets))
                .route(web::post().to(create_audit_target)),
        )
        .service(
            web::resource("/audit/targets/{id}")
                .route(web::patch().to(update_audit_target))
                .route(web::delete().to(delete_audit_target)),
        )
        .service(web::resource("/audit/targets/{id}/test").route(web::post().to(test_audit_target)))
        .service(
            web::resource("/appliance/audit/targets")
                .route(web::get().to(list_appliance_audit_targets))
                .route(web::post().to(create_appliance_audit_target)),
        )
        .service(
            web::resource("/appliance/audit/targets/{id}")
                .route(web::patch().to(update_appliance_audit_target))
                .route(web::delete().to(delete_appliance_audit_target)),
        )
        .service(
            web::resource("/appliance/audit/targets/{id}/test")
                .route(web::post().to(test_appliance_audit_target)),
        );
}

#[derive(OpenApi)]
#[openapi(paths(
    list_audit_targets,
    create_audit_target,
    update_audit_target,
    delete_audit_target,
    test_audit_target,
    list_appliance_audit_targets,
    create_appliance_audit_target,
    update_appliance_audit_target,
    delete_appliance_audit_target,
    test_appliance_audit_target
))]
pub(crate) struct Description;

fn of_tenant(permit: &Permit<AuditForward>) -> Log {
    Log::Tenant(permit.scope().clone())
}

/// The servers that the tenant's record is sent to, and how far that has come.
#[utoipa::path(get, path = "/audit/targets", tag = "audit", operation_id = "list_audit_targets", responses(
    (status = 200, body = Vec<TargetStateView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_audit_targets(permit: Permit<AuditForward>, access: Data<Access>) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.targets(&of_tenant(&permit)).await?))
}

/// Adds a server; its address may be connected to from now on, and new entries are sent there.
#[utoipa::path(post, path = "/audit/targets", tag = "audit", operation_id = "create_audit_target",
    request_body = NewTarget, responses((status = 201, body = TargetStateView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_audit_target(
    permit: Permit<AuditForward>,
    access: Data<Access>,
    body: ValidJson<NewTarget>,
) -> ApiResult {
    let made = access.create_target(&of_tenant(&permit), permit.scope(), body.0).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Changes a server; what waits for it is sent to where it is now.
#[utoipa::path(patch, path = "/audit/targets/{id}", tag = "audit", operation_id = "update_audit_target",
    params(("id" = TargetId, Path)), request_body = PatchTarget, responses(
    (status = 200, body = TargetStateView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn update_audit_target(
    permit: Permit<AuditForward>,
    access: Data<Access>,
    id: PathId<TargetId>,
    body: ValidJson<PatchTarget>,
) -> ApiResult {
    let changed = access.change_target(&of_tenant(&permit), permit.scope(), &id.0, body.0).await?;
    Ok(HttpResponse::Ok().json(changed))
}

/// Removes a server; nothing more is sent there, also of what waits.
#[utoipa::path(delete, path = "/audit/targets/{id}", tag = "audit", operation_id = "delete_audit_target",
    params(("id" = TargetId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_audit_target(
    permit: Permit<AuditForward>,
    access: Data<Access>,
    id: PathId<TargetId>,
) -> ApiResult {
    access.delete_target(&of_tenant(&permit), permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends one test message, and tells step by step what happened.
#[utoipa::path(post, path = "/audit/targets/{id}/test", tag = "audit", operation_id = "test_audit_target",
    params(("id" = TargetId, Path)), responses((status = 200, body = TargetTest), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn test_audit_target(
    permit: Permit<AuditForward>,
    access: Data<Access>,
    id: PathId<TargetId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.test_target(&of_tenant(&permit), &id.0).await?))
}

/// The servers that the appliance's record is sent to, and how far that has come.
#[utoipa::path(get, path = "/appliance/audit/targets", tag = "operator", operation_id = "list_appliance_audit_targets",
    responses((status = 200, body = Vec<TargetStateView>), (status = 401, body = Problem),
    (status = 403, body = Problem)))]
async fn list_appliance_audit_targets(_permit: Permit<ApplianceAudit>, access: Data<Access>) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.targets(&Log::Appliance).await?))
}

/// Adds a server for the appliance's record.
#[utoipa::path(post, path = "/appliance/audit/targets", tag = "operator",
    operation_id = "create_appliance_audit_target", request_body = NewTarget, responses(
    (status = 201, body = TargetStateView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_appliance_audit_target(
    permit: Permit<ApplianceAudit>,
    access: Data<Access>,
    body: ValidJson<NewTarget>,
) -> ApiResult {
    let made = access.create_target(&Log::Appliance, permit.scope(), body.0).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Changes a server of the appliance's record.
#[utoipa::path(patch, path = "/appliance/audit/targets/{id}", tag = "operator",
    operation_id = "update_appliance_audit_target", params(("id" = TargetId, Path)), request_body = PatchTarget,
    responses((status = 200, body = TargetStateView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn update_appliance_audit_target(
    permit: Permit<ApplianceAudit>,
    access: Data<Access>,
    id: PathId<TargetId>,
    body: ValidJson<PatchTarget>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.change_target(&Log::Appliance, permit.scope(), &id.0, body.0).await?))
}

/// Removes a server of the appliance's record.
#[utoipa::path(delete, path = "/appliance/audit/targets/{id}", tag = "operator",
    operation_id = "delete_appliance_audit_target", params(("id" = TargetId, Path)), responses(
    (status = 204, description = "Removed"), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn delete_appliance_audit_target(
    permit: Permit<ApplianceAudit>,
    access: Data<Access>,
    id: PathId<TargetId>,
) -> ApiResult {
    access.delete_target(&Log::Appliance, permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends one test message to a server of the appliance's record.
#[utoipa::path(post, path = "/appliance/audit/targets/{id}/test", tag = "operator",
    operation_id = "test_appliance_audit_target", params(("id" = TargetId, Path)), responses(
    (status = 200, body = TargetTest), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
async fn test_appliance_audit_target(
    _permit: Permit<ApplianceAudit>,
    access: Data<Access>,
    id: PathId<TargetId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.test_target(&Log::Appliance, &id.0).await?))
}

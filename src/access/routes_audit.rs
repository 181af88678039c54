//! `/audit` of the tenant and `/appliance/audit`.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, Permit, Problem, ValidQuery};
use lectern_kernel::{Error, Page};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::audit::Log;
use crate::model_audit::{AuditEntry, AuditParameters};
use crate::{Access, ApplianceAudit, AuditRead};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/audit").route(web::get().to(list_audit)))
        .service(web::resource("/audit/checkpoint").route(web::get().to(get_checkpoint)))
        .service(web::resource("/audit/export").route(web::get().to(export_audit)))
        .service(web::resource("/appliance/audit").route(web::get().to(list_appliance_audit)))
        .service(web::resource("/appliance/audit/export").route(web::get().to(export_appliance_audit)));
}

#[derive(OpenApi)]
#[openapi(paths(list_audit, get_checkpoint, export_audit, list_appliance_audit, export_appliance_audit))]
pub(crate) struct Description;

/// A signed statement of what the record is now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct CheckpointView {
    /// A note in the format of c2sp.org/tlog-checkpoint.
    note: String,
    /// The public key that signed it: `name+id+base64`.
    key: String,
}

/// Who did what, the newest first; with `format=csv` or `format=jsonl` all that fit.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "list_audit", params(AuditParameters),
    responses((status = 200, body = Page<AuditEntry>), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list_audit(
    permit: Permit<AuditRead>,
    access: Data<Access>,
    parameters: ValidQuery<AuditParameters>,
) -> ApiResult {
    list(&access, &Log::Tenant(permit.scope().clone()), &parameters.0).await
}

/// Signs what the record is now.
#[utoipa::path(get, path = "/audit/checkpoint", tag = "audit", operation_id = "get_checkpoint", responses(
    (status = 200, body = CheckpointView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_checkpoint(permit: Permit<AuditRead>, access: Data<Access>) -> ApiResult {
    let log = Log::Tenant(permit.scope().clone());
    let note = access.checkpoint(&log).await?;
    let key = access.signer(&log).await?.verifier().to_string();
    Ok(HttpResponse::Ok().json(CheckpointView { note, key }))
}

/// The whole record with its proof, one entry a line; `lectern audit verify` takes it.
#[utoipa::path(get, path = "/audit/export", tag = "audit", operation_id = "export_audit", responses(
    (status = 200, content_type = "application/jsonl", description = "The record"),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn export_audit(permit: Permit<AuditRead>, access: Data<Access>) -> ApiResult {
    export(&access, &Log::Tenant(permit.scope().clone())).await
}

/// Who did what to the appliance, the newest first.
#[utoipa::path(get, path = "/appliance/audit", tag = "operator", operation_id = "list_appliance_audit",
    params(AuditParameters), responses((status = 200, body = Page<AuditEntry>), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list_appliance_audit(
    _permit: Permit<ApplianceAudit>,
    access: Data<Access>,
    parameters: ValidQuery<AuditParameters>,
) -> ApiResult {
    list(&access, &Log::Appliance, &parameters.0).await
}

/// The appliance's whole record with its proof.
#[utoipa::path(get, path = "/appliance/audit/export", tag = "operator", operation_id = "export_appliance_audit",
    responses((status = 200, content_type = "application/jsonl", description = "The record"),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn export_appliance_audit(_permit: Permit<ApplianceAudit>, access: Data<Access>) -> ApiResult {
    export(&access, &Log::Appliance).await
}

async fn list(access: &Access, log: &Log, parameters: &AuditParameters) -> ApiResult {
    match parameters.format.as_deref().unwrap_or("json") {
        "json" => Ok(HttpResponse::Ok().json(access.entries(log, parameters).await?)),
        "csv" => {
            Ok(file("text/csv; charset=utf-8", "audit.csv")
                .streaming(access.table(log, parameters.wanted()?)?))
        }
        "jsonl" => {
            Ok(file("application/jsonl", "audit.jsonl").streaming(access.lines(log, parameters.wanted()?)?))
        }
        _ => Err(Error::field("format", "must be json, csv or jsonl").into()),
    }
}

async fn export(access: &Access, log: &Log) -> ApiResult {
    Ok(file("application/jsonl", "audit-export.jsonl").streaming(access.export_record(log).await?))
}

fn file(kind: &str, name: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    response
}

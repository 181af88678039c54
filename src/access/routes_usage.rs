//! `/usage`: what the tenant used of what it may.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem};
use lectern_kernel::{Scope, TenantId};
use utoipa::OpenApi;

use crate::model::UsageView;
use crate::{Access, TenantsManage, UsageRead};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/usage").route(web::get().to(get_usage)))
        .service(web::resource("/tenants/{id}/usage").route(web::get().to(get_tenant_usage)));
}

#[derive(OpenApi)]
#[openapi(paths(get_usage, get_tenant_usage))]
pub(crate) struct Description;

/// The plan's limits, what is used of them, and the last days.
#[utoipa::path(get, path = "/usage", tag = "usage", operation_id = "get_usage", responses(
    (status = 200, body = UsageView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get_usage(permit: Permit<UsageRead>, access: Data<Access>) -> ApiResult {
    Ok(HttpResponse::Ok().json(access.usage(permit.scope()).await?))
}

/// The same of any tenant.
#[utoipa::path(get, path = "/tenants/{id}/usage", tag = "operator", operation_id = "get_tenant_usage",
    params(("id" = TenantId, Path)), responses((status = 200, body = UsageView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_tenant_usage(
    _permit: Permit<TenantsManage>,
    access: Data<Access>,
    id: PathId<TenantId>,
) -> ApiResult {
    access.record(&id.0)?;
    Ok(HttpResponse::Ok().json(access.usage(&Scope::system(id.0)).await?))
}

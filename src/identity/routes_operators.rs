//! `/operators`: who operates the appliance.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use lectern_edge::{ApiResult, PathId, Permit, Problem};
use lectern_kernel::UserId;
use utoipa::OpenApi;

use crate::model_support::OperatorView;
use crate::{Identity, OperatorsManage};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/operators").route(web::get().to(list_operators))).service(
        web::resource("/operators/{id}")
            .route(web::put().to(put_operator))
            .route(web::delete().to(delete_operator)),
    );
}

#[derive(OpenApi)]
#[openapi(paths(list_operators, put_operator, delete_operator))]
pub(crate) struct Description;

/// People and keys that operate the appliance.
#[utoipa::path(get, path = "/operators", tag = "operator", operation_id = "list_operators", responses(
    (status = 200, body = Vec<OperatorView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_operators(_permit: Permit<OperatorsManage>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.operators().await?))
}

/// Makes a person of this tenant an operator of the appliance.
#[utoipa::path(put, path = "/operators/{id}", tag = "operator", operation_id = "put_operator",
    params(("id" = UserId, Path)), responses((status = 204, description = "Is an operator"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn put_operator(
    permit: Permit<OperatorsManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
) -> ApiResult {
    identity.add_operator(permit.scope(), id.0.as_str()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes the appliance out of an operator's hands; the last one stays.
#[utoipa::path(delete, path = "/operators/{id}", tag = "operator", operation_id = "delete_operator",
    params(("id" = UserId, Path)), responses((status = 204, description = "Is no operator any more"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn delete_operator(
    permit: Permit<OperatorsManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
) -> ApiResult {
    identity.remove_operator(permit.scope(), id.0.as_str()).await?;
    Ok(HttpResponse::NoContent().finish())
}

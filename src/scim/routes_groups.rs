//! `/scim/v2/Groups`.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::Permit;
use lectern_identity::{PeopleManage, PeopleRead};
use lectern_kernel::GroupId;
use utoipa::OpenApi;

use crate::groups::Groups;
use crate::list::{ListParameters, Query, Source, list};
use crate::model::{ScimGroup, ScimList, ScimPatch, ScimSearch};
use crate::refusal::{Refusal, Result, ScimError};
use crate::resource::{Precondition, tag};
use crate::routes::{Shown, answer, body, show};
use crate::routes_about::{asked, read, searched};
use crate::types::GROUP;
use crate::users::Edit;
use crate::values::read_resource;
use crate::{Scim, patch};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/Groups/.search").route(web::post().to(search_scim_groups)))
        .service(
            web::resource("/Groups")
                .route(web::get().to(list_scim_groups))
                .route(web::post().to(create_scim_group)),
        )
        .service(
            web::resource("/Groups/{id}")
                .route(web::get().to(get_scim_group))
                .route(web::put().to(replace_scim_group))
                .route(web::patch().to(update_scim_group))
                .route(web::delete().to(delete_scim_group)),
        );
}

#[derive(OpenApi)]
#[openapi(paths(
    list_scim_groups,
    search_scim_groups,
    create_scim_group,
    get_scim_group,
    replace_scim_group,
    update_scim_group,
    delete_scim_group
))]
pub(crate) struct Description;

/// The id in the address; what can be none is answered like what does not exist.
fn id(request: &HttpRequest) -> Result<GroupId> {
    request.match_info().query("id").parse().map_err(|_| Refusal::not_found("group"))
}

async fn found(scim: &Scim, permit: &Permit<PeopleRead>, query: Query) -> Result<serde_json::Value> {
    let this = scim.clone();
    read(scim, permit, move |tx| list(tx, &[&Groups(&this) as &dyn Source], &query)).await
}

/// The groups of the tenant, a page at a time.
#[utoipa::path(get, path = "/scim/v2/Groups", tag = "scim", operation_id = "list_scim_groups",
    params(ListParameters), responses(
    (status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn list_scim_groups(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let list = found(&scim, &permit, asked(&request)?).await?;
    Ok(answer(&request, StatusCode::OK, list))
}

/// The same by a body, for what would be too long for an address.
#[utoipa::path(post, path = "/scim/v2/Groups/.search", tag = "scim", operation_id = "search_scim_groups",
    request_body(content = ScimSearch, content_type = "application/scim+json"), responses(
    (status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn search_scim_groups(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let query = searched(&body(&request, payload).await?)?;
    let list = found(&scim, &permit, query).await?;
    Ok(answer(&request, StatusCode::OK, list))
}

/// Makes a group of people.
#[utoipa::path(post, path = "/scim/v2/Groups", tag = "scim", operation_id = "create_scim_group",
    params(Shown), request_body(content = ScimGroup, content_type = "application/scim+json"), responses(
    (status = 201, body = ScimGroup, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json")))]
async fn create_scim_group(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let new = read_resource(&GROUP, &body(&request, payload).await?)?;
    let made = scim.create_group(&scim.caller(&permit), new).await?;
    show(&request, StatusCode::CREATED, &GROUP, made)
}

/// A group with its members.
#[utoipa::path(get, path = "/scim/v2/Groups/{id}", tag = "scim", operation_id = "get_scim_group",
    params(("id" = GroupId, Path), Shown), responses(
    (status = 200, body = ScimGroup, content_type = "application/scim+json"),
    (status = 304, description = "The sender has this version"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json")))]
async fn get_scim_group(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let group = scim.group(permit.scope(), id(&request)?).await?;
    if Precondition::of(&request).is_known(&group) {
        return Ok(HttpResponse::NotModified().insert_header(tag(&group)).finish());
    }
    show(&request, StatusCode::OK, &GROUP, group)
}

/// Puts a group in place of how it was.
#[utoipa::path(put, path = "/scim/v2/Groups/{id}", tag = "scim", operation_id = "replace_scim_group",
    params(("id" = GroupId, Path), Shown),
    request_body(content = ScimGroup, content_type = "application/scim+json"), responses(
    (status = 200, body = ScimGroup, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json"),
    (status = 412, body = ScimError, content_type = "application/scim+json")))]
async fn replace_scim_group(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (id, known) = (id(&request)?, Precondition::of(&request));
    let new = read_resource(&GROUP, &body(&request, payload).await?)?;
    let changed = scim.change_group(&scim.caller(&permit), id, known, Edit::Whole(new)).await?;
    show(&request, StatusCode::OK, &GROUP, changed)
}

/// Changes a group or its members.
#[utoipa::path(patch, path = "/scim/v2/Groups/{id}", tag = "scim", operation_id = "update_scim_group",
    params(("id" = GroupId, Path), Shown),
    request_body(content = ScimPatch, content_type = "application/scim+json"), responses(
    (status = 200, body = ScimGroup, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json"),
    (status = 412, body = ScimError, content_type = "application/scim+json")))]
async fn update_scim_group(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (id, known) = (id(&request)?, Precondition::of(&request));
    let operations = patch::read(&body(&request, payload).await?)?;
    let changed = scim.change_group(&scim.caller(&permit), id, known, Edit::Patch(operations)).await?;
    show(&request, StatusCode::OK, &GROUP, changed)
}

/// Removes a group; access lists that name it name nobody by it any more.
#[utoipa::path(delete, path = "/scim/v2/Groups/{id}", tag = "scim", operation_id = "delete_scim_group",
    params(("id" = GroupId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json"),
    (status = 412, body = ScimError, content_type = "application/scim+json")))]
async fn delete_scim_group(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (id, known) = (id(&request)?, Precondition::of(&request));
    scim.remove_group(&scim.caller(&permit), id, known).await?;
    Ok(HttpResponse::NoContent().finish())
}

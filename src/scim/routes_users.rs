//! `/scim/v2/Users`.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::Permit;
use lectern_identity::{PeopleManage, PeopleRead};
use lectern_kernel::UserId;
use utoipa::OpenApi;

use crate::list::{ListParameters, Query, Source, list};
use crate::model::{ScimList, ScimPatch, ScimSearch, ScimUser};
use crate::refusal::{Refusal, Result, ScimError};
use crate::resource::{Precondition, tag};
use crate::routes::{Shown, answer, body, show};
use crate::routes_about::{asked, read, searched};
use crate::types::USER;
use crate::users::{Edit, Users};
use crate::values::read_resource;
use crate::{Scim, patch};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/Users/.search").route(web::post().to(search_scim_users)))
        .service(
            web::resource("/Users")
                .route(web::get().to(list_scim_users))
                .route(web::post().to(create_scim_user)),
        )
        .service(
            web::resource("/Users/{id}")
                .route(web::get().to(get_scim_user))
                .route(web::put().to(replace_scim_user))
                .route(web::patch().to(update_scim_user))
                .route(web::delete().to(delete_scim_user)),
        );
}

#[derive(OpenApi)]
#[openapi(paths(
    list_scim_users,
    search_scim_users,
    create_scim_user,
    get_scim_user,
    replace_scim_user,
    update_scim_user,
    delete_scim_user
))]
pub(crate) struct Description;

/// The id in the address; what can be none is answered like what does not exist.
fn id(request: &HttpRequest) -> Result<UserId> {
    request.match_info().query("id").parse().map_err(|_| Refusal::not_found("person"))
}

async fn found(scim: &Scim, permit: &Permit<PeopleRead>, query: Query) -> Result<serde_json::Value> {
    let this = scim.clone();
    read(scim, permit, move |tx| list(tx, &[&Users(&this) as &dyn Source], &query)).await
}

/// The people of the tenant, a page at a time.
#[utoipa::path(get, path = "/scim/v2/Users", tag = "scim", operation_id = "list_scim_users",
    params(ListParameters), responses(
    (status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn list_scim_users(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let list = found(&scim, &permit, asked(&request)?).await?;
    Ok(answer(&request, StatusCode::OK, list))
}

/// The same by a body, for what would be too long for an address.
#[utoipa::path(post, path = "/scim/v2/Users/.search", tag = "scim", operation_id = "search_scim_users",
    request_body(content = ScimSearch, content_type = "application/scim+json"), responses(
    (status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn search_scim_users(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let query = searched(&body(&request, payload).await?)?;
    let list = found(&scim, &permit, query).await?;
    Ok(answer(&request, StatusCode::OK, list))
}

/// Makes a person. They have no password: they sign in by a provider, or choose one by a link.
#[utoipa::path(post, path = "/scim/v2/Users", tag = "scim", operation_id = "create_scim_user",
    params(Shown), request_body(content = ScimUser, content_type = "application/scim+json"), responses(
    (status = 201, body = ScimUser, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json")))]
async fn create_scim_user(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let new = read_resource(&USER, &body(&request, payload).await?)?;
    let made = scim.create_user(&scim.caller(&permit), new).await?;
    show(&request, StatusCode::CREATED, &USER, made)
}

/// A person.
#[utoipa::path(get, path = "/scim/v2/Users/{id}", tag = "scim", operation_id = "get_scim_user",
    params(("id" = UserId, Path), Shown), responses(
    (status = 200, body = ScimUser, content_type = "application/scim+json"),
    (status = 304, description = "The sender has this version"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json")))]
async fn get_scim_user(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let user = scim.user(permit.scope(), id(&request)?).await?;
    if Precondition::of(&request).is_known(&user) {
        return Ok(HttpResponse::NotModified().insert_header(tag(&user)).finish());
    }
    show(&request, StatusCode::OK, &USER, user)
}

/// Puts a person in place of how they were. Role and `active` stay when they are not named.
#[utoipa::path(put, path = "/scim/v2/Users/{id}", tag = "scim", operation_id = "replace_scim_user",
    params(("id" = UserId, Path), Shown),
    request_body(content = ScimUser, content_type = "application/scim+json"), responses(
    (status = 200, body = ScimUser, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json"),
    (status = 412, body = ScimError, content_type = "application/scim+json")))]
async fn replace_scim_user(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (id, known) = (id(&request)?, Precondition::of(&request));
    let new = read_resource(&USER, &body(&request, payload).await?)?;
    let changed = scim.change_user(&scim.caller(&permit), id, known, Edit::Whole(new)).await?;
    show(&request, StatusCode::OK, &USER, changed)
}

/// Changes a person.
#[utoipa::path(patch, path = "/scim/v2/Users/{id}", tag = "scim", operation_id = "update_scim_user",
    params(("id" = UserId, Path), Shown),
    request_body(content = ScimPatch, content_type = "application/scim+json"), responses(
    (status = 200, body = ScimUser, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json"),
    (status = 412, body = ScimError, content_type = "application/scim+json")))]
async fn update_scim_user(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (id, known) = (id(&request)?, Precondition::of(&request));
    let operations = patch::read(&body(&request, payload).await?)?;
    let changed = scim.change_user(&scim.caller(&permit), id, known, Edit::Patch(operations)).await?;
    show(&request, StatusCode::OK, &USER, changed)
}

/// Removes a person from the tenant; the last owner stays.
#[utoipa::path(delete, path = "/scim/v2/Users/{id}", tag = "scim", operation_id = "delete_scim_user",
    params(("id" = UserId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json"),
    (status = 409, body = ScimError, content_type = "application/scim+json"),
    (status = 412, body = ScimError, content_type = "application/scim+json")))]
async fn delete_scim_user(
    permit: Permit<PeopleManage>,
    scim: Data<Scim>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (id, known) = (id(&request)?, Precondition::of(&request));
    scim.remove_user(&scim.caller(&permit), id, known).await?;
    Ok(HttpResponse::NoContent().finish())
}

//! What the service can, what there is, and what spans both people and groups.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::Permit;
use lectern_identity::{PeopleManage, PeopleRead};
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::Scim;
use crate::groups::Groups;
use crate::list::{ListParameters, MOST, Query, Source, list};
use crate::model::{ScimList, ScimSearch};
use crate::path::Fields;
use crate::refusal::{Refusal, Result, ScimError};
use crate::routes::{answer, body};
use crate::types::{SCHEMAS, TYPES};
use crate::users::Users;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/ServiceProviderConfig").route(web::get().to(get_scim_config)))
        .service(web::resource("/Schemas").route(web::get().to(list_scim_schemas)))
        .service(web::resource("/Schemas/{id}").route(web::get().to(get_scim_schema)))
        .service(web::resource("/ResourceTypes").route(web::get().to(list_scim_resource_types)))
        .service(web::resource("/ResourceTypes/{id}").route(web::get().to(get_scim_resource_type)))
        .service(web::resource("/.search").route(web::post().to(search_scim)))
        .service(web::resource("/Me").route(web::route().to(get_scim_me)))
        .service(web::resource("/Bulk").route(web::post().to(create_scim_bulk)));
}

#[derive(OpenApi)]
#[openapi(paths(
    get_scim_config,
    list_scim_schemas,
    get_scim_schema,
    list_scim_resource_types,
    get_scim_resource_type,
    search_scim,
    get_scim_me,
    create_scim_bulk
))]
pub(crate) struct Description;

/// What of SCIM 2.0 is supported.
#[utoipa::path(get, path = "/scim/v2/ServiceProviderConfig", tag = "scim", operation_id = "get_scim_config",
    responses((status = 200, body = Object, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn get_scim_config(permit: Permit<PeopleRead>, request: HttpRequest) -> Result<HttpResponse> {
    let _ = permit;
    unfiltered(&request)?;
    let config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MOST },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "API key",
            "description": "An API key of the tenant, sent as a bearer token.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": "/ServiceProviderConfig" },
    });
    Ok(answer(&request, StatusCode::OK, config))
}

/// Discovery knows no filters: RFC 7644, section 4, wants them refused.
fn unfiltered(request: &HttpRequest) -> Result<()> {
    if request.query_string().split('&').any(|pair| pair.split('=').next() == Some("filter")) {
        return Err(Refusal::status(403, "What the service can is not filtered."));
    }
    Ok(())
}

fn all(request: &HttpRequest, items: Vec<Fields>) -> HttpResponse {
    let list = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": items.len(),
        "startIndex": 1,
        "itemsPerPage": items.len(),
        "Resources": items,
    });
    answer(request, StatusCode::OK, list)
}

fn named(request: &HttpRequest, items: Vec<Fields>, what: &str) -> Result<HttpResponse> {
    let id = request.match_info().query("id").to_owned();
    let found = items.into_iter().find(|item| item["id"].as_str().is_some_and(|own| own == id));
    let found = found.ok_or_else(|| Refusal::not_found(what))?;
    Ok(answer(request, StatusCode::OK, Value::Object(found)))
}

fn schemas() -> Vec<Fields> {
    SCHEMAS.iter().map(|schema| schema.view()).collect()
}

fn resource_types() -> Vec<Fields> {
    TYPES.iter().map(|kind| kind.view()).collect()
}

/// The attributes of people and groups.
#[utoipa::path(get, path = "/scim/v2/Schemas", tag = "scim", operation_id = "list_scim_schemas",
    responses((status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn list_scim_schemas(permit: Permit<PeopleRead>, request: HttpRequest) -> Result<HttpResponse> {
    let _ = permit;
    unfiltered(&request)?;
    Ok(all(&request, schemas()))
}

/// The attributes of one schema.
#[utoipa::path(get, path = "/scim/v2/Schemas/{id}", tag = "scim", operation_id = "get_scim_schema",
    params(("id" = String, Path)),
    responses((status = 200, body = Object, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json")))]
async fn get_scim_schema(permit: Permit<PeopleRead>, request: HttpRequest) -> Result<HttpResponse> {
    let _ = permit;
    unfiltered(&request)?;
    named(&request, schemas(), "schema")
}

/// The types: people and groups.
#[utoipa::path(get, path = "/scim/v2/ResourceTypes", tag = "scim", operation_id = "list_scim_resource_types",
    responses((status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn list_scim_resource_types(permit: Permit<PeopleRead>, request: HttpRequest) -> Result<HttpResponse> {
    let _ = permit;
    unfiltered(&request)?;
    Ok(all(&request, resource_types()))
}

/// One of the types.
#[utoipa::path(get, path = "/scim/v2/ResourceTypes/{id}", tag = "scim", operation_id = "get_scim_resource_type",
    params(("id" = String, Path)),
    responses((status = 200, body = Object, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 404, body = ScimError, content_type = "application/scim+json")))]
async fn get_scim_resource_type(permit: Permit<PeopleRead>, request: HttpRequest) -> Result<HttpResponse> {
    let _ = permit;
    unfiltered(&request)?;
    named(&request, resource_types(), "resource type")
}

/// Finds people and groups alike.
#[utoipa::path(post, path = "/scim/v2/.search", tag = "scim", operation_id = "search_scim",
    request_body(content = ScimSearch, content_type = "application/scim+json"),
    responses((status = 200, body = ScimList, content_type = "application/scim+json"),
    (status = 400, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json"),
    (status = 403, body = ScimError, content_type = "application/scim+json")))]
async fn search_scim(
    permit: Permit<PeopleRead>,
    scim: Data<Scim>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let query = searched(&body(&request, payload).await?)?;
    let this = scim.get_ref().clone();
    let found = read(&scim, &permit, move |tx| {
        let (users, groups) = (Users(&this), Groups(&this));
        list(tx, &[&users as &dyn Source, &groups], &query)
    });
    Ok(answer(&request, StatusCode::OK, found.await?))
}

/// Reads in one view of the tenant's data.
pub(crate) async fn read(
    scim: &Scim,
    permit: &Permit<PeopleRead>,
    work: impl FnOnce(&lectern_store::Tx<'_>) -> Result<Value> + Send + 'static,
) -> Result<Value> {
    let store = scim.tenant(permit.scope())?;
    Ok(store.db.read(move |tx| Ok(work(tx)?)).await?)
}

/// A query from the body of a search.
pub(crate) fn searched(body: &Fields) -> Result<Query> {
    let value = |name: &str| body.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    let text = |name: &str| value(name).and_then(Value::as_str).map(str::to_owned);
    let names = |name: &str| match value(name) {
        Some(Value::Array(items)) => {
            Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        other => other.and_then(Value::as_str).map(str::to_owned),
    };
    ListParameters {
        filter: text("filter"),
        sort_by: text("sortBy"),
        sort_order: text("sortOrder"),
        start_index: value("startIndex").and_then(Value::as_i64),
        count: value("count").and_then(Value::as_i64),
        attributes: names("attributes"),
        excluded_attributes: names("excludedAttributes"),
    }
    .query()
}

/// A query from the parameters of an address.
pub(crate) fn asked(request: &HttpRequest) -> Result<Query> {
    let read = web::Query::<ListParameters>::from_query(request.query_string());
    let wrong = |error| {
        Refusal::new(
            crate::refusal::Kind::InvalidSyntax,
            format!("A parameter of the address does not fit: {error}."),
        )
    };
    read.map_err(wrong)?.into_inner().query()
}

/// Not offered: keys are nobody in particular.
#[utoipa::path(get, path = "/scim/v2/Me", tag = "scim", operation_id = "get_scim_me",
    responses((status = 501, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json")))]
async fn get_scim_me(permit: Permit<PeopleRead>) -> Result<HttpResponse> {
    let _ = permit;
    Err(Refusal::status(501, "A key is no person, so there is no /Me. Read /Users."))
}

/// Not offered.
#[utoipa::path(post, path = "/scim/v2/Bulk", tag = "scim", operation_id = "create_scim_bulk",
    request_body(content = Object, content_type = "application/scim+json"),
    responses((status = 501, body = ScimError, content_type = "application/scim+json"),
    (status = 401, body = ScimError, content_type = "application/scim+json")))]
async fn create_scim_bulk(permit: Permit<PeopleManage>) -> Result<HttpResponse> {
    let _ = permit;
    Err(Refusal::status(501, "Bulk operations are not supported. Send one request for each change."))
}

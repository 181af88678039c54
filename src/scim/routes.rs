//! `/scim/v2`: what all its routes share. Every refusal, also those of the framework and of other areas, is told in the
//! form of this protocol.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LOCATION, CONTENT_TYPE, LOCATION};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiError, request_id};
use serde_json::Value;
use utoipa::OpenApi;

use crate::path::Fields;
use crate::project::{Projection, Wanted};
use crate::refusal::{Kind, MEDIA_TYPE, Refusal, Result, told};
use crate::resource::{tag, with_addresses};
use crate::schema::ResourceType;
use crate::{routes_about, routes_groups, routes_users};

const PREFIX: &str = "/scim/v2";
const LONGEST_BODY: usize = 1 << 20;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let scope = web::scope(PREFIX)
        .wrap(from_fn(in_our_form))
        .configure(routes_about::routes)
        .configure(routes_users::routes)
        .configure(routes_groups::routes)
        .default_service(web::to(nothing));
    config.service(scope);
}

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut whole = routes_about::Description::openapi();
    whole.merge(routes_users::Description::openapi());
    whole.merge(routes_groups::Description::openapi());
    whole
}

async fn nothing() -> Result<HttpResponse> {
    Err(Refusal::not_found("address"))
}

/// Writes every refusal anew, as RFC 7644, section 3.12, wants it.
async fn in_our_form(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(response);
    }
    let written = match response.response().error() {
        Some(error) => match (error.as_error::<Refusal>(), error.as_error::<ApiError>()) {
            (Some(refusal), _) => {
                if let Some(cause) = refusal.cause() {
                    log(response.request(), cause);
                }
                refusal.response()
            }
            (None, Some(ApiError(error))) => {
                if error.code.status() >= 500 {
                    log(response.request(), error);
                }
                told(error).response()
            }
            (None, None) => foreign(status, &error.to_string()).response(),
        },
        None => foreign(status, "The request cannot be answered.").response(),
    };
    Ok(response.into_response(written))
}

fn log(request: &HttpRequest, error: &lectern_kernel::Error) {
    let (id, method, path) = (request_id(request).unwrap_or_default(), request.method(), request.path());
    let cause = error.cause.as_ref().map(ToString::to_string).unwrap_or_default();
    tracing::error!(request = id, %method, path, code = error.code.as_str(), cause, "{error}");
}

/// The framework's own refusals.
fn foreign(status: StatusCode, message: &str) -> Refusal {
    match status.as_u16() {
        404 => Refusal::not_found("address"),
        405 => Refusal::status(405, "This address does not take this method."),
        400 => Refusal::new(Kind::InvalidSyntax, message),
        code if code < 500 => Refusal::status(code, message),
        code => Refusal::status(code, "The request failed; the log tells why."),
    }
}

/// The body of a request, once its sender was let in.
pub(crate) async fn body(request: &HttpRequest, payload: Payload) -> Result<Fields> {
    let declared = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != MEDIA_TYPE && kind != "application/json" {
        return Err(Refusal::status(415, "The body must be application/scim+json or application/json."));
    }
    let read = payload.to_bytes_limited(LONGEST_BODY).await;
    let read = read.map_err(|_| Refusal::status(413, "A body may have 1 MiB at most."))?;
    let bytes = read.map_err(|_| Refusal::new(Kind::InvalidSyntax, "The body broke off."))?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::new(Kind::InvalidSyntax, "The body must be an object.")),
        Err(error) => Err(Refusal::new(Kind::InvalidSyntax, format!("The body is no JSON: {error}."))),
    }
}

/// The address that this area answers at, as the client sees it.
pub(crate) fn base(request: &HttpRequest) -> String {
    let info = request.connection_info();
    let path = request.path();
    let before = path.find(PREFIX).map_or("", |at| &path[..at]);
    let base = format!("{}://{}{before}{PREFIX}", info.scheme(), info.host());
    // What the client says of itself is told back to it only where it is an address.
    if base.parse::<Uri>().is_ok() { base } else { format!("{before}{PREFIX}") }
}

/// An answer in the media type of this protocol.
pub(crate) fn answer(request: &HttpRequest, status: StatusCode, mut value: Value) -> HttpResponse {
    with_addresses(&mut value, &base(request));
    HttpResponse::build(status).insert_header((CONTENT_TYPE, MEDIA_TYPE)).body(value.to_string())
}

/// The answer that shows a resource: with its version and its address.
pub(crate) fn show(
    request: &HttpRequest,
    status: StatusCode,
    kind: &ResourceType,
    resource: Fields,
) -> Result<HttpResponse> {
    let query = web::Query::<Shown>::from_query(request.query_string());
    let query = query.map_err(|_| Refusal::new(Kind::InvalidSyntax, "The parameters do not fit."))?;
    let wanted = Wanted::of(query.attributes.as_deref(), query.excluded.as_deref());
    let version = tag(&resource);
    let location = resource["meta"]["location"].as_str().map(|path| base(request) + path);
    let shown = Projection::new(kind, &wanted).apply(kind, resource);
    let mut response = answer(request, status, Value::Object(shown));
    let name = if status == StatusCode::CREATED { LOCATION } else { CONTENT_LOCATION };
    for (name, value) in [Some(version), location.map(|location| (name, location))].into_iter().flatten() {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// Which attributes an answer about one resource holds.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Shown {
    /// Names with commas between: only these are shown.
    pub attributes: Option<String>,
    /// Names with commas between: these are not shown.
    #[serde(rename = "excludedAttributes")]
    pub excluded: Option<String>,
}

//! Around every request: an id, a line in the log, security headers, errors as problems.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};
use lectern_kernel::ports::Place;
use lectern_kernel::{Error, RequestId};

use crate::permit::Admitted;
use crate::problem::from_framework;
use crate::{ApiError, Problem};

/// The id of the request, as in the log and in problems.
pub fn request_id(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<RequestId>().map(ToString::to_string)
}

/// The outermost middleware; use with `actix_web::middleware::from_fn`.
pub async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = RequestId::generate();
    request.extensions_mut().insert(id.clone());
    let (method, path, started) = (request.method().clone(), request.path().to_owned(), Instant::now());
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(error) = response.response().error() {
        let problem = to_problem(error, &id, method.as_str(), &path);
        response = response.into_response(problem.response());
    }
    let admitted = response.request().extensions().get::<Admitted>().cloned().unwrap_or_default();
    let place = response.request().extensions_mut().remove::<Place>();
    let headers = response.headers_mut();
    tell_rates(headers, &admitted);
    for (name, value) in HEADERS {
        if !headers.contains_key(*name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    let status = response.status().as_u16();
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    tracing::debug!(request = %id, %method, path, status, ms = format!("{milliseconds:.1}"), "request");
    Ok(match place {
        Some(place) => response.map_body(|_, body| BoxBody::new(Placed { body, _place: place })),
        None => response,
    })
}

/// A body that keeps its request's place until it is sent.
struct Placed {
    body: BoxBody,
    _place: Place,
}

impl MessageBody for Placed {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// As in the IETF draft "RateLimit header fields for HTTP".
fn tell_rates(headers: &mut HeaderMap, admitted: &Admitted) {
    let rate = admitted
        .rate
        .iter()
        .flat_map(|rate| [("ratelimit-policy", rate.policy.clone()), ("ratelimit", rate.state.clone())]);
    let wait = admitted.retry_after.map(|seconds| ("retry-after", seconds.to_string()));
    for (name, text) in rate.chain(wait) {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "SAMEORIGIN"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'self'"),
    ("cache-control", "no-store"),
];

fn to_problem(error: &actix_web::Error, id: &RequestId, method: &str, path: &str) -> Problem {
    let foreign;
    let error = if let Some(ApiError(error)) = error.as_error::<ApiError>() {
        error
    } else {
        let response = error.as_response_error();
        foreign = from_framework(response.status_code(), &response.to_string());
        &foreign
    };
    if error.code.status() >= 500 {
        log_cause(error, id, method, path);
    }
    Problem::of(error, Some(id.as_str()))
}

fn log_cause(error: &Error, id: &RequestId, method: &str, path: &str) {
    let cause = error.cause.as_ref().map(ToString::to_string).unwrap_or_default();
    tracing::error!(request = %id, method, path, code = error.code.as_str(), cause, "{error}");
}

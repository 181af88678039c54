//! `Idempotency-Key`: a request that is sent again, because its answer was lost, is answered again and not done again
//! (draft-ietf-httpapi-idempotency-key-header).

use std::pin::Pin;

use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpResponse, rt};
use lectern_kernel::ports::{Answered, Replays};
use lectern_kernel::{Code, Error, Principal, Result};
use sha2::{Digest, Sha256};

use crate::extract::read;
use crate::{ApiError, principal};

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";
const LONGEST_KEY: usize = 255;
/// No larger answer is kept.
const LARGEST_ANSWER: u64 = 1 << 20;
/// What of an answer's head is kept.
const KEPT: [&str; 4] = ["content-type", "location", "etag", "content-disposition"];

type Answer = Result<ServiceResponse<BoxBody>, actix_web::Error>;

/// A middleware for the routes of the API; use with `actix_web::middleware::from_fn`.
pub async fn once(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Answer {
    let value = request.headers().get(KEY).cloned();
    let port = request.app_data::<Data<dyn Replays>>().cloned();
    let (Some(value), Some(port), &Method::POST) = (value, port, request.method()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let key = match key(&value) {
        Ok(key) => key,
        Err(error) => return Ok(request.error_response(ApiError(error))),
    };
    let principal = match principal(request.request()).await {
        Ok(principal) => principal,
        // Routes for those who are not known yet take no keys.
        Err(error) if error.code == Code::Unauthenticated => {
            return Ok(next.call(request).await?.map_into_boxed_body());
        }
        Err(error) => return Ok(request.error_response(ApiError(error))),
    };
    // What was begun is brought to its end, also when the client goes away: it will ask again for the answer.
    let work: Pin<Box<dyn Future<Output = Answer>>> =
        Box::pin(Once { port, principal, key }.answer(request, next));
    rt::spawn(work).await.map_err(|error| actix_web::Error::from(ApiError(Error::internal(error))))?
}

fn key(value: &HeaderValue) -> Result<String> {
    // The draft's form is a quoted string; most clients send it bare.
    let text = value.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() || text.len() > LONGEST_KEY || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::new(Code::InvalidRequest, "The header Idempotency-Key does not fit.")
            .hint("It has 1–255 visible ASCII characters, such as a UUID, new for each thing to be done."));
    }
    Ok(text.to_owned())
}

/// One request that is done once.
struct Once {
    port: Data<dyn Replays>,
    principal: Principal,
    key: String,
}

impl Once {
    async fn answer(self, mut request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Answer {
        let begun = match fingerprint(&mut request).await {
            Ok(print) => self.port.begin(&self.principal, &self.key, &print).await.map_err(ApiError),
            Err(error) => Err(error),
        };
        match begun.and_then(|before| before.map(again).transpose()) {
            Ok(None) => {}
            Ok(Some(response)) => return Ok(request.into_response(response)),
            Err(error) => return Ok(request.error_response(error)),
        }
        let (answer, kept) = match next.call(request).await {
            Ok(response) if response.status().is_success() => keep(response.map_into_boxed_body()).await,
            Ok(response) => (Ok(response.map_into_boxed_body()), None),
            Err(error) => (Err(error), None),
        };
        self.port.finish(&self.principal, &self.key, kept).await;
        answer
    }
}

/// What makes the request the same. JSON counts by its content, files by their length, as they are not read twice.
async fn fingerprint(request: &mut ServiceRequest) -> Result<String, ApiError> {
    let header =
        |name| request.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default();
    let kind = header(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let length = header(CONTENT_LENGTH).to_owned();
    let mut hash = Sha256::new();
    for part in [request.method().as_str(), request.path(), request.query_string(), &kind] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    if kind == "application/json" {
        let body = read(request.take_payload()).await?;
        hash.update(&body);
        request.set_payload(whole(body));
    } else {
        hash.update(length);
    }
    Ok(hex::encode(hash.finalize()))
}

fn whole(body: Bytes) -> Payload {
    Payload::Stream { payload: Box::pin(futures_util::stream::once(async { Ok(body) })) }
}

/// The answer as it was, and what is kept of it. A stream is sent and not kept.
async fn keep(response: ServiceResponse<BoxBody>) -> (Answer, Option<Answered>) {
    let status = response.status().as_u16();
    let value = |name: &str| Some((name.to_owned(), response.headers().get(name)?.to_str().ok()?.to_owned()));
    let headers = KEPT.iter().filter_map(|name| value(name)).collect();
    if !matches!(response.response().body().size(), BodySize::Sized(size) if size <= LARGEST_ANSWER)
        && response.response().body().size() != BodySize::None
    {
        return (Ok(response), Some(Answered { status, headers, body: None }));
    }
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body).await else {
        return (Err(ApiError(Error::internal("an answer cannot be read")).into()), None);
    };
    let text = std::str::from_utf8(&bytes).ok().map(str::to_owned);
    let response = ServiceResponse::new(request, response.set_body(BoxBody::new(bytes)));
    (Ok(response), Some(Answered { status, headers, body: text }))
}

fn again(before: Answered) -> Result<HttpResponse, ApiError> {
    let Some(body) = before.body else {
        let error =
            Error::new(Code::Conflict, "This was done before; its answer was a stream, which is not kept.")
                .hint("Look for what it made, such as the newest conversation. A new key does it once more.");
        return Err(error.into());
    };
    let status = StatusCode::from_u16(before.status).map_err(|e| ApiError(Error::internal(e)))?;
    let mut response = HttpResponse::build(status).body(body);
    for (name, value) in before.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
    Ok(response)
}

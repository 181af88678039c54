//! Bodies, queries and ids that were checked before the handler sees them.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Query};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use lectern_kernel::{Code, Error, FieldError};
use serde::de::DeserializeOwned;

use crate::{ApiError, ApiResult};

/// Rules of a body beyond its types.
pub trait Validate {
    /// Every field that is wrong.
    fn validate(&self) -> Vec<FieldError> {
        Vec::new()
    }
}

const MAX_JSON: usize = 1 << 20;

/// A JSON body whose types and rules hold.
pub struct ValidJson<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for ValidJson<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let json =
            declared.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"));
        let payload = payload.take();
        Box::pin(async move {
            if !json {
                return Err(Error::new(Code::UnsupportedMedia, "The body must be JSON.")
                    .hint("Send the header Content-Type: application/json.")
                    .into());
            }
            parse(&read(payload).await?).map(Self)
        })
    }
}

/// The whole body, as large as JSON may be.
pub(crate) async fn read(mut payload: Payload) -> ApiResult<Bytes> {
    let mut body = actix_web::web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|e| Error::new(Code::InvalidRequest, format!("The body broke off: {e}.")))?;
        if body.len() + chunk.len() > MAX_JSON {
            return Err(Error::new(Code::TooLarge, "A JSON body may have 1 MiB at most.").into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> ApiResult<T> {
    let value: T = serde_json::from_slice(body).map_err(|e| {
        let code = if e.is_data() { Code::InvalidField } else { Code::InvalidRequest };
        Error::new(code, format!("The body does not fit: {e}."))
    })?;
    let fields = value.validate();
    if fields.is_empty() {
        return Ok(value);
    }
    let detail = fields.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("; ");
    let mut error = Error::new(Code::InvalidField, detail);
    error.fields = fields;
    Err(error.into())
}

/// Parameters of the address whose types hold.
pub struct ValidQuery<T>(pub T);

impl<T: DeserializeOwned> FromRequest for ValidQuery<T> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Query::<T>::from_query(request.query_string()).map(|q| Self(q.into_inner())).map_err(|e| {
            Error::new(Code::InvalidRequest, format!("A parameter of the address does not fit: {e}.")).into()
        }))
    }
}

/// The id in the address. What is no id at all is answered like what does not exist.
pub struct PathId<T>(pub T);

impl<T: FromStr + 'static> FromRequest for PathId<T> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(Self).ok_or_else(|| Error::not_found("thing").into()))
    }
}

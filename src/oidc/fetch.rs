//! How requests leave this crate: the caller's [`Fetch`], and what fits it to openidconnect's own trait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use openidconnect::http;
use zeroize::Zeroize;

use crate::error::{OidcError, Result, foreign};

/// Largest answer that is read, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// Sends one request and gives the one answer to it, whatever its status. Must not follow redirects, should stop
/// reading after [`MAX_BODY`] bytes and must end in bounded time. The error is a short reason without secrets.
#[async_trait::async_trait]
pub trait Fetch: Send + Sync {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, String>;
}

/// What this crate asks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// A request. Headers and body can carry the client's secret: they are wiped when dropped and show in no Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: Method,
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer. The body can carry tokens: it shows in no Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    /// The header `content-type`, if there was one.
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

impl HttpRequest {
    fn get(url: &str) -> Self {
        let headers = vec![("accept".to_owned(), "application/json".to_owned())];
        Self { method: Method::Get, url: url.to_owned(), headers, body: Vec::new() }
    }
}

impl Drop for HttpRequest {
    fn drop(&mut self) {
        self.headers.iter_mut().for_each(|(_, value)| value.zeroize());
        self.body.zeroize();
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({:?} {}, {} bytes)", self.method, self.url, self.body.len())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({}, {:?}, {} bytes)", self.status, self.content_type, self.body.len())
    }
}

/// Gets a document of the provider; `what` names it in errors.
pub(crate) async fn get(fetch: &dyn Fetch, url: &str, what: &str) -> Result<Vec<u8>> {
    let answer = fetch.fetch(HttpRequest::get(url)).await.map_err(|reason| {
        OidcError::unavailable(format!("{what} at {url} could not be fetched: {}", foreign(&reason)))
    })?;
    match answer.status {
        200 if answer.body.len() > MAX_BODY => {
            Err(OidcError::unavailable(format!("{what} at {url} is larger than {MAX_BODY} bytes.")))
        }
        200 => Ok(answer.body),
        300..=399 => Err(OidcError::misconfigured(
            "issuer",
            format!(
                "{url} answers with a redirect; give the address that the provider itself names as its issuer."
            ),
        )),
        404 | 410 => Err(OidcError::misconfigured(
            "issuer",
            format!("there is nothing at {url}; look up the issuer in the provider's own settings."),
        )),
        status => Err(OidcError::unavailable(format!("{what} at {url} answers with status {status}."))),
    }
}

/// openidconnect's view of a [`Fetch`].
pub(crate) struct Adapter<'a>(pub &'a dyn Fetch);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FetchError(pub String);

type Answer = Result<openidconnect::HttpResponse, FetchError>;

impl<'c> openidconnect::AsyncHttpClient<'c> for Adapter<'_> {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send + 'c>>;

    fn call(&'c self, request: openidconnect::HttpRequest) -> Self::Future {
        let request = from_crate(request);
        Box::pin(async move {
            let answer = self.0.fetch(request).await.map_err(|reason| FetchError(foreign(&reason)))?;
            into_crate(answer)
        })
    }
}

fn from_crate(request: openidconnect::HttpRequest) -> HttpRequest {
    let method = if request.method() == http::Method::POST { Method::Post } else { Method::Get };
    let url = request.uri().to_string();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = request.headers().iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect();
    HttpRequest { method, url, headers, body: request.into_body() }
}

fn into_crate(answer: HttpResponse) -> Answer {
    if answer.body.len() > MAX_BODY {
        return Err(FetchError(format!("the answer is larger than {MAX_BODY} bytes")));
    }
    if (300..400).contains(&answer.status) {
        return Err(FetchError("the answer is a redirect".to_owned()));
    }
    let mut builder = http::Response::builder().status(answer.status);
    if let Some(kind) = &answer.content_type {
        builder = builder.header(http::header::CONTENT_TYPE, kind);
    }
    builder.body(answer.body).map_err(|_| FetchError("the answer's head cannot be read".to_owned()))
}

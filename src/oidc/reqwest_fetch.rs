//! A [`Fetch`] over reqwest, for programs without a guarded client of their own.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect};

use crate::error::{OidcError, Result};
use crate::fetch::{Fetch, HttpRequest, HttpResponse, MAX_BODY, Method};

const CONNECT_TIME: Duration = Duration::from_secs(5);
/// For the whole of a request and its answer.
const TIME: Duration = Duration::from_secs(15);

/// Reads at most [`MAX_BODY`] bytes and waits at most 15 seconds.
#[derive(Debug, Clone)]
pub struct ReqwestFetch {
    client: Client,
}

impl ReqwestFetch {
    /// Over a client that follows no redirects (`redirect::Policy::none()`; only its builder can say so). An answer
    /// that was redirected nevertheless is refused, but only after the other address was asked.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Finishes a builder: no redirects, no Referer header, a time to connect, and trust in the private certificate
    /// authorities of `ca_pem` beside those that the builder knows.
    pub fn from_builder(builder: ClientBuilder, ca_pem: Option<&str>) -> Result<Self> {
        let refuse = |e: reqwest::Error| OidcError::misconfigured("ca_pem", e.to_string());
        let mut builder =
            builder.redirect(redirect::Policy::none()).referer(false).connect_timeout(CONNECT_TIME);
        for authority in authorities(ca_pem.unwrap_or_default()).map_err(refuse)? {
            builder = builder.add_root_certificate(authority);
        }
        Ok(Self { client: builder.build().map_err(refuse)? })
    }

    async fn send(&self, request: &HttpRequest) -> reqwest::Result<reqwest::Response> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self.client.request(method, &request.url).timeout(TIME).body(request.body.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        builder.send().await
    }
}

#[async_trait::async_trait]
impl Fetch for ReqwestFetch {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        let mut answer = self.send(&request).await.map_err(reason)?;
        if reqwest::Url::parse(&request.url).ok().as_ref() != Some(answer.url()) {
            return Err("the answer came from another address, by a redirect".to_owned());
        }
        let status = answer.status().as_u16();
        let kind = answer.headers().get(reqwest::header::CONTENT_TYPE);
        let content_type = kind.and_then(|v| v.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reason)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(format!("the answer is larger than {MAX_BODY} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, content_type, body })
    }
}

/// The certificates in a PEM text.
pub(crate) fn authorities(pem: &str) -> reqwest::Result<Vec<Certificate>> {
    Certificate::from_pem_bundle(pem.as_bytes())
}

/// The innermost cause says most: "connection refused", "certificate has expired".
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "there was no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

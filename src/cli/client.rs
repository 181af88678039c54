//! The API, as the command line uses it.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use reqwest::blocking::{Response, multipart};
use serde_json::Value;

/// Questions to a slow model may take this long.
const TIMEOUT: Duration = Duration::from_secs(900);
/// Hours of sound take a while.
const LONG: Duration = Duration::from_secs(24 * 3600);

pub struct Client {
    http: reqwest::blocking::Client,
    base: String,
    token: String,
}

impl Client {
    /// `authority` is a PEM certificate that is trusted beside the public ones.
    #[allow(clippy::disallowed_methods, reason = "the command line talks to the appliance it was told to")]
    pub fn new(url: &str, token: &str, authority: Option<&[u8]>) -> Result<Self> {
        let mut builder = reqwest::blocking::Client::builder().timeout(TIMEOUT).no_proxy();
        if let Some(pem) = authority {
            builder = builder.add_root_certificate(reqwest::Certificate::from_pem(pem).context("authority")?);
        }
        let base = format!("{}/api/v1", url.trim_end_matches('/'));
        Ok(Self { http: builder.build()?, base, token: token.to_owned() })
    }

    /// Of the API, and the token that opens it.
    pub fn address(&self) -> (&str, &str) {
        (&self.base, &self.token)
    }

    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let request = self.http.get(format!("{}{path}", self.base)).query(query);
        json(self.send(request)?)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        json(self.send(self.http.post(format!("{}{path}", self.base)).json(body))?)
    }

    /// Server-sent events of an answer, as they come.
    pub fn stream(&self, path: &str, body: &Value) -> Result<impl Read + use<>> {
        let request = self.http.post(format!("{}{path}", self.base)).header("Accept", "text/event-stream");
        self.send(request.json(body))
    }

    /// A body, as it comes.
    pub fn bytes(&self, path: &str) -> Result<impl Read + use<>> {
        self.send(self.http.get(format!("{}{path}", self.base)))
    }

    /// A file as the body of a request.
    pub fn post_file(&self, path: &str, query: &[(&str, &str)], file: &Path) -> Result<Response> {
        let opened =
            std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let request = self.http.post(format!("{}{path}", self.base)).query(query).timeout(LONG);
        self.send(request.header("Content-Type", "application/octet-stream").body(opened))
    }

    /// The body that answers a JSON body.
    pub fn post_for_bytes(&self, path: &str, body: &Value) -> Result<impl Read + use<>> {
        self.send(self.http.post(format!("{}{path}", self.base)).json(body))
    }

    /// A file as the body of a request, with a header beside it.
    pub fn post_file_with(
        &self,
        path: &str,
        query: &[(&str, &str)],
        file: std::fs::File,
        header: Option<(&str, String)>,
    ) -> Result<Value> {
        let mut request = self.http.post(format!("{}{path}", self.base)).query(query).timeout(LONG);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        json(self.send(request.header("Content-Type", "application/octet-stream").body(file))?)
    }

    /// A delete that says how.
    pub fn delete_with(&self, path: &str, body: &Value) -> Result<Value> {
        let response = self.send(self.http.delete(format!("{}{path}", self.base)).json(body))?;
        if response.status().as_u16() == 204 { Ok(Value::Null) } else { json(response) }
    }

    pub fn delete(&self, path: &str) -> Result<()> {
        self.send(self.http.delete(format!("{}{path}", self.base))).map(|_| ())
    }

    /// Sends a file; `true` beside the document when it is new.
    pub fn upload(&self, path: &Path, fields: &[(&str, String)]) -> Result<(Value, bool)> {
        let mut form = multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), value.clone());
        }
        let form = form.file("file", path).with_context(|| format!("{} cannot be read", path.display()))?;
        let response = self.send(self.http.post(format!("{}/documents", self.base)).multipart(form))?;
        let created = response.status().as_u16() == 201;
        Ok((json(response)?, created))
    }

    /// Sends a form that says itself how it is read; `true` beside the answer when something was made.
    pub fn post_form(&self, path: &str, form: multipart::Form) -> Result<(Value, bool)> {
        let response = self.send(self.http.post(format!("{}{path}", self.base)).multipart(form))?;
        let created = response.status().as_u16() == 201;
        Ok((json(response)?, created))
    }

    fn send(&self, request: reqwest::blocking::RequestBuilder) -> Result<Response> {
        let response = request.bearer_auth(&self.token).send().with_context(|| {
            format!("the appliance at {} does not answer", self.base.trim_end_matches("/api/v1"))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().unwrap_or_default();
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let Some(detail) = problem["detail"].as_str() else { bail!("the appliance answered {status}") };
        let hint = problem["hint"].as_str().map(|h| format!("\n  hint: {h}")).unwrap_or_default();
        Err(anyhow!("{detail}{hint}"))
    }
}

fn json(response: Response) -> Result<Value> {
    response.json().context("the appliance's answer is no JSON")
}

//! A client that shows what it got when it did not get what it wanted.

use std::time::{Duration, Instant};

use reqwest::blocking::{RequestBuilder, multipart};
use serde_json::{Value, json};

/// How long a document may take to be ready in a test.
const PATIENCE: Duration = Duration::from_secs(90);

/// Somebody who talks to the appliance.
#[derive(Clone)]
pub struct Client {
    http: reqwest::blocking::Client,
    pub url: String,
    bearer: Option<String>,
    csrf: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("no JSON ({e}): {}", self.text()))
    }

    /// The JSON body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    /// The code of a problem with this status.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        let kind =
            self.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let body = self.expect(status);
        assert_eq!(kind, "application/problem+json");
        assert_eq!(body["status"], status);
        assert!(body["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{body}");
        body["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub fn new(url: &str) -> Self {
        let http = reqwest::blocking::Client::builder()
            .cookie_store(true)
            .timeout(Duration::from_secs(120))
            .no_proxy()
            .build()
            .unwrap();
        Self { http, url: url.to_owned(), bearer: None, csrf: None }
    }

    #[must_use]
    pub fn with_bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// Sends this CSRF token with everything that changes something.
    #[must_use]
    pub fn with_csrf(mut self, token: &str) -> Self {
        self.csrf = Some(token.to_owned());
        self
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("/healthz") || path.starts_with("/readyz") || path.starts_with("//") {
            return format!("{}{}", self.url, path.trim_start_matches("//"));
        }
        format!("{}/api/v1{path}", self.url)
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method.parse().unwrap(), self.address(path));
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        if let Some(token) = &self.csrf {
            request = request.header("X-CSRF-Token", token);
        }
        request
    }

    #[track_caller]
    pub fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().unwrap_or_else(|e| panic!("no answer: {e:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, bytes: response.bytes().unwrap().to_vec() }
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path))
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path).json(body))
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PATCH", path).json(body))
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path))
    }

    #[track_caller]
    pub fn upload(&self, name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> Answer {
        let mut form = multipart::Form::new();
        for (field, value) in fields {
            form = form.text((*field).to_owned(), (*value).to_owned());
        }
        let part = multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned());
        self.send(self.request("POST", "/documents").multipart(form.part("file", part)))
    }

    /// Uploads a document and waits until it is ready or failed.
    #[track_caller]
    pub fn add(&self, name: &str, bytes: &[u8]) -> Value {
        let view = self.upload(name, bytes, &[]);
        assert!(view.status == 201 || view.status == 200, "{}", view.text());
        self.wait(view.json()["id"].as_str().unwrap())
    }

    /// Waits until a document is ready or failed.
    #[track_caller]
    pub fn wait(&self, id: &str) -> Value {
        let started = Instant::now();
        loop {
            let view = self.get(&format!("/documents/{id}")).expect(200);
            if view["status"] == "ready" || view["status"] == "failed" {
                return view;
            }
            assert!(started.elapsed() < PATIENCE, "still on its way: {view}");
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    #[track_caller]
    pub fn ask(&self, question: &str) -> Value {
        self.post("/ask", &json!({ "question": question })).expect(200)
    }
}

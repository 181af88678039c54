//! An appliance's identity on a temporary folder, a clock that is moved by hand, and somebody who talks to it by HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, test};
use lectern_config::{Session, Span};
use lectern_edge::watch;
use lectern_kernel::ports::Authenticate;
use lectern_kernel::{Clock, TenantId, Timestamp};
use lectern_store::{Stores, TenantRecord};
use serde_json::{Value, json};

use crate::testing_fakes::{FakeNetwork, FakeVault};
use crate::{CONTROL_MIGRATIONS, Identity, MIGRATIONS};

pub(crate) const START: i64 = 1_800_000_000_000;
pub(crate) const PASSWORD: &str = "a lectern stands still";
pub(crate) const EMAIL: &str = "anna@example.org";
pub(crate) const PERMISSIONS: [&str; 13] = [
    "session.use",
    "keys.read",
    "keys.manage",
    "people.read",
    "people.manage",
    "signin.manage",
    "documents.read",
    "documents.write",
    "ask.write",
    "voice.read",
    "audit.read",
    "appliance.operators",
    "appliance.tenants",
];

pub(crate) struct FakeClock(pub AtomicI64);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// An appliance's identity, and one browser or program that talks to it.
pub(crate) struct Site {
    pub identity: Identity,
    pub stores: Stores,
    pub clock: Arc<FakeClock>,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub bearer: Option<String>,
    pub address: &'static str,
    /// What ties a provider's answer to this browser.
    pub away: Option<String>,
    /// Origin header, when there is to be one; its host is the Host header.
    pub origin: Option<&'static str>,
    pub net: Arc<FakeNetwork>,
    folder: Arc<tempfile::TempDir>,
}

pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<String>,
    pub cookie: Option<String>,
    pub away: Option<String>,
    pub location: Option<String>,
}

impl Answer {
    pub fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(FakeClock(AtomicI64::new(START)));
        let stores = Stores::open(folder.path(), CONTROL_MIGRATIONS, MIGRATIONS.to_vec(), clock.clone())
            .expect("opens");
        let limits =
            Session { idle: Span(Duration::from_hours(12)), lifetime: Span(Duration::from_hours(14 * 24)) };
        let net = Arc::new(FakeNetwork::default());
        let identity = Identity::new(stores.clone(), &limits, true, PERMISSIONS.to_vec())
            .with_sign_in(Arc::new(FakeVault), net.clone());
        let (cookie, csrf, bearer) = (None, None, None);
        Self {
            identity,
            stores,
            clock,
            cookie,
            csrf,
            bearer,
            address: "10.0.0.1:999",
            away: None,
            origin: None,
            net,
            folder: Arc::new(folder),
        }
    }

    /// Set up, with Anna signed in.
    pub async fn signed_in() -> Self {
        let mut site = Self::new();
        let code = site.identity.setup_code().await.expect("runs").expect("a code");
        let answer = site.post("/setup", setup_body(&code)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        site.take(&answer);
        site
    }

    pub fn take(&mut self, answer: &Answer) {
        self.cookie.clone_from(&answer.cookie);
        self.csrf = answer.body["csrf_token"].as_str().map(str::to_owned);
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let authenticate: Arc<dyn Authenticate> = Arc::new(self.identity.clone());
        let app = App::new()
            .wrap(from_fn(watch))
            .app_data(Data::new(self.identity.clone()))
            .app_data(Data::from(authenticate))
            .service(web::scope("/api/v1").configure(crate::feature().routes));
        let app = test::init_service(app).await;
        let mut request = test::TestRequest::with_uri(&format!("/api/v1{path}"))
            .method(method)
            .peer_addr(self.address.parse().expect("address"));
        let named = |name: &str, value: &Option<String>| value.as_ref().map(|v| format!("{name}={v}"));
        let cookies = [named("lectern_session", &self.cookie), named("lectern_sign_in", &self.away)];
        let cookies: Vec<String> = cookies.into_iter().flatten().collect();
        if !cookies.is_empty() {
            request = request.insert_header(("cookie", cookies.join("; ")));
        }
        if let Some(origin) = self.origin {
            let host = origin.split_once("://").map_or(origin, |(_, host)| host);
            request = request.insert_header(("origin", origin)).insert_header(("host", host));
        }
        if let Some(csrf) = &self.csrf {
            request = request.insert_header(("x-csrf-token", csrf.clone()));
        }
        if let Some(key) = &self.bearer {
            request = request.insert_header(("authorization", format!("Bearer {key}")));
        }
        if let Some(body) = body {
            request = request.set_json(body);
        }
        let response = test::call_service(&app, request.to_request()).await;
        let header = |name: &str| response.headers().get(name).map(|v| v.to_str().expect("text").to_owned());
        let (status, retry_after) = (response.status().as_u16(), header("retry-after"));
        let set = |name: &str, parts: &[&str]| {
            let all = response.headers().get_all("set-cookie").map(|v| v.to_str().expect("text"));
            let text = all.filter_map(|text| text.strip_prefix(&format!("{name}="))).last()?;
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
            text.split(';').next().map(str::to_owned)
        };
        let cookie = set("lectern_session", &["HttpOnly", "Secure", "SameSite=Strict", "Path=/"]);
        let away =
            set("lectern_sign_in", &["HttpOnly", "Secure", "SameSite=Lax", "Path=/api/v1/session/oidc"]);
        let location = header("location");
        let body = serde_json::from_slice(&test::read_body(response).await).unwrap_or_default();
        Answer { status, body, retry_after, cookie, away, location }
    }

    /// A browser without a session on the same appliance.
    pub fn stranger(&self) -> Self {
        Self {
            identity: self.identity.clone(),
            stores: self.stores.clone(),
            clock: self.clock.clone(),
            cookie: None,
            csrf: None,
            bearer: None,
            address: self.address,
            away: None,
            origin: self.origin,
            net: self.net.clone(),
            folder: self.folder.clone(),
        }
    }

    /// Registers a tenant.
    pub fn with_tenant(&self, id: &str) -> TenantId {
        let tenant: TenantId = id.parse().expect("a name");
        let record = TenantRecord::new(tenant.clone(), id.to_uppercase(), Timestamp(START));
        self.stores.register(&record).expect("registers");
        tenant
    }

    /// Somebody who was invited, joined and is signed in.
    pub async fn joined(&self, email: &str, role: &str) -> Self {
        let invited = self.post("/invitations", json!({"email": email, "role": role})).await;
        assert_eq!(invited.status, 201, "{}", invited.body);
        let mut person = self.stranger();
        let body = json!({"token": invited.body["token"], "name": role, "password": PASSWORD});
        let answer = person.post("/invitations/accept", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        person.take(&answer);
        person
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// What of signing in with these fields.
    pub async fn enter(&self, more: Value) -> Answer {
        let mut body = json!({"email": EMAIL, "password": PASSWORD});
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        self.post("/session", body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Removes something with the password.
    pub async fn delete_with(&self, path: &str, password: &str) -> Answer {
        self.send(Method::DELETE, path, Some(json!({ "password": password }))).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn sign_in(&self, password: &str) -> Answer {
        self.post("/session", json!({"email": EMAIL, "password": password})).await
    }
}

pub(crate) fn setup_body(code: &str) -> Value {
    json!({"code": code, "name": "Anna", "email": EMAIL, "password": PASSWORD})
}

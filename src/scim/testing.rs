//! A tenant on a temporary folder, and an identity service with a key that talks to it by HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, test};
use async_trait::async_trait;
use lectern_config::{Session, Span};
use lectern_identity::{Identity, NewKey, NewUser};
use lectern_kernel::ports::{Authenticate, Metered, Quota};
use lectern_kernel::{Clock, Code, Error, Result, Rights, Role, Scope, TenantId, Timestamp};
use lectern_store::Stores;
use serde_json::{Value, json};

use crate::{MIGRATIONS, Scim};

pub(crate) const START: i64 = 1_800_000_000_000;
pub(crate) const OWNER: &str = "anna@example.org";
const PERMISSIONS: [&str; 10] = [
    "session.use",
    "keys.manage",
    "people.read",
    "people.manage",
    "people.provision",
    "documents.read",
    "documents.write",
    "ask.write",
    "voice.read",
    "voice.write",
];
/// What a key of an identity service holds.
pub(crate) const SERVICE: [&str; 3] = ["people.read", "people.manage", "people.provision"];

struct FakeClock(AtomicI64);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A plan with a limit of members; 0 is none.
#[derive(Default)]
struct Plan(AtomicU64);

#[async_trait]
impl Quota for Plan {
    fn limit(&self, _: &TenantId, what: Metered) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|most| *most > 0 && what == Metered::Members)
    }

    fn refusal(&self, _: &TenantId, _: Metered) -> Error {
        Error::new(Code::QuotaExceeded, "The plan has room for no more people.")
    }

    async fn spend(&self, _: &Scope, _: Metered, _: u64) -> Result<()> {
        Ok(())
    }

    async fn count(&self, _: &Scope, _: Metered, _: u64) {}
}

/// An appliance with the tenant `main`, whose owner is Anna, and one key.
pub(crate) struct Site {
    pub identity: Identity,
    pub stores: Stores,
    pub key: String,
    clock: Arc<FakeClock>,
    plan: Arc<Plan>,
    _folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Status and kind of a refusal.
    pub fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/scim+json", "{}", self.body);
        assert_eq!(self.body["status"], self.status.to_string(), "{}", self.body);
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        (self.status, self.body["scimType"].as_str().unwrap_or_default())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Site {
    /// With a key that provisions.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(FakeClock(AtomicI64::new(START)));
        let migrations = [lectern_identity::MIGRATIONS, MIGRATIONS].concat();
        let stores =
            Stores::open(folder.path(), lectern_identity::CONTROL_MIGRATIONS, migrations, clock.clone())
                .expect("opens");
        let limits =
            Session { idle: Span(Duration::from_secs(3600)), lifetime: Span(Duration::from_secs(7200)) };
        let identity = Identity::new(stores.clone(), &limits, true, PERMISSIONS.to_vec());
        let plan = Arc::new(Plan::default());
        identity.set_quota(plan.clone());
        let new =
            NewUser { name: "Anna".into(), email: OWNER.into(), password: "a lectern stands still".into() };
        identity.create_user(TenantId::main(), Role::OWNER, new).await.expect("makes");
        let mut site = Self { identity, stores, key: String::new(), clock, plan, _folder: folder };
        site.key = site.key(&SERVICE).await;
        site
    }

    /// A key of the tenant with these scopes.
    pub async fn key(&self, scopes: &[&str]) -> String {
        let new: NewKey = serde_json::from_value(json!({ "name": "a key", "scopes": scopes })).expect("fits");
        let scope = Scope::system(TenantId::main());
        self.identity.create_key(&scope, &Rights::everything(), new).await.expect("makes").secret
    }

    /// The same, with a key of these scopes.
    pub async fn with(mut self, scopes: &[&str]) -> Self {
        self.key = self.key(scopes).await;
        self
    }

    /// The plan has room for so many people.
    pub fn limit(&self, members: u64) {
        self.plan.0.store(members, Ordering::SeqCst);
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let body = body.map(ToString::to_string);
        let kind = ("content-type", "application/scim+json");
        let headers: Vec<_> = std::iter::once(kind).chain(headers.iter().copied()).collect();
        self.send_raw(method, path, &headers, body.unwrap_or_default()).await
    }

    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let authenticate: Arc<dyn Authenticate> = Arc::new(self.identity.clone());
        let app = App::new()
            .wrap(from_fn(lectern_edge::watch))
            .app_data(Data::new(Scim::new(self.stores.clone(), self.identity.clone())))
            .app_data(Data::from(authenticate))
            .service(web::scope("/api/v1").configure(crate::feature().routes));
        let app = test::init_service(app).await;
        let mut request = test::TestRequest::with_uri(&format!("/api/v1/scim/v2{path}"))
            .method(method)
            .peer_addr("10.0.0.1:99".parse().expect("address"))
            .insert_header(("host", "lectern.example"));
        if !self.key.is_empty() {
            request = request.insert_header(("authorization", format!("Bearer {}", self.key)));
        }
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        let response = test::call_service(&app, request.set_payload(body).to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&test::read_body(response).await).unwrap_or_default();
        Answer { status, headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// A PATCH with these operations.
    pub async fn patch(&self, path: &str, operations: Value) -> Answer {
        let schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
        let body = json!({ "schemas": [schema], "Operations": operations });
        self.send(Method::PATCH, path, &[], Some(&body)).await
    }

    /// A list that fits a filter.
    pub async fn find(&self, kind: &str, filter: &str) -> Answer {
        self.get(&format!("/{kind}?filter={}", escaped(filter))).await
    }

    /// Makes a person; its resource.
    pub async fn person(&self, name: &str) -> Value {
        let email = format!("{name}@example.org");
        self.post("/Users", json!({ "userName": email, "displayName": name })).await.expect(201)
    }

    pub async fn audit(&self) -> Vec<String> {
        let store = self.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
        let wanted = lectern_store::audit::Wanted::default();
        let kept =
            store.db.read(move |tx| lectern_store::audit::list(tx, &wanted, 100)).await.expect("reads");
        kept.into_iter().filter_map(|entry| entry.entry).collect()
    }
}

/// A text as it stands in an address.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| out + &format!("%{byte:02X}"))
}

pub(crate) fn id(body: &Value) -> &str {
    body["id"].as_str().expect("an id")
}

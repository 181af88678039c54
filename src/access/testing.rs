//! An appliance's tenants on a temporary folder, a clock that is moved by hand, and somebody who talks to them by HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, test};
use async_trait::async_trait;
use lectern_config::Config;
use lectern_identity::{Caller, Identity, NewSession, NewUser};
use lectern_kernel::ports::{Admit, Authenticate, Holdings, TenantPart};
use lectern_kernel::{Clock, Code, Error, Result, Role, Scope, TenantId, Timestamp};
use lectern_store::{Migration, Options, Stores};
use serde_json::Value;

use crate::{Access, CONTROL_MIGRATIONS, Keyring, MIGRATIONS, Opening, Parts, Regions};

pub(crate) const START: i64 = 1_800_000_000_000;
pub(crate) const PASSWORD: &str = "a lectern stands still";
const PERMISSIONS: [&str; 10] = [
    "session.use",
    "keys.read",
    "keys.manage",
    "people.read",
    "people.manage",
    "audit.read",
    "audit.forward",
    "usage.read",
    "appliance.tenants",
    "appliance.audit",
];

pub(crate) struct FakeClock(pub AtomicI64);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// An area that keeps nothing, and fails when it is told to.
#[derive(Default)]
pub(crate) struct Part {
    pub fails: AtomicBool,
    pub documents: AtomicU64,
}

#[async_trait]
impl TenantPart for Part {
    async fn prepare(&self, _: &Scope) -> Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::new(
                Code::StorageFull,
                "The disk of the appliance is full; nothing was changed.",
            ));
        }
        Ok(())
    }

    fn release(&self, _: &TenantId) -> bool {
        true
    }

    async fn holdings(&self, _: &Scope) -> Result<Holdings> {
        Ok(Holdings { documents: self.documents.load(Ordering::SeqCst), bytes: 2_000 })
    }
}

pub(crate) struct Site {
    pub access: Access,
    pub identity: Identity,
    pub stores: Stores,
    pub clock: Arc<FakeClock>,
    pub part: Arc<Part>,
    pub network: Arc<crate::testing_forward::Loopback>,
    pub folder: tempfile::TempDir,
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub(crate) struct Somebody {
    pub cookie: String,
    pub csrf: String,
}

pub(crate) struct Answer {
    pub status: u16,
    pub headers: actix_web::http::header::HeaderMap,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) fn config(text: &str) -> Config {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("writes");
    Config::load(Some(file.path()), &[]).expect("is right")
}

impl Site {
    pub fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        Self::on(folder, settings)
    }

    pub fn on(folder: tempfile::TempDir, settings: &str) -> Self {
        let config = config(settings);
        let clock = Arc::new(FakeClock(AtomicI64::new(START)));
        let control: Vec<Migration> = [lectern_identity::CONTROL_MIGRATIONS, CONTROL_MIGRATIONS].concat();
        let tenant: Vec<Migration> = [lectern_identity::MIGRATIONS, MIGRATIONS].concat();
        let regions = Regions::parse(&config.tenants.regions).expect("regions").0;
        let options = Options { regions, ..Options::default() };
        let stores =
            Stores::open_with(folder.path(), &control, tenant, clock.clone(), options).expect("opens");
        let identity = Identity::new(stores.clone(), &config.session, true, PERMISSIONS.to_vec());
        let keyring = Keyring::open(folder.path(), &Opening::File, stores.clone()).expect("a key");
        keyring.complete().expect("keys");
        let part = Arc::new(Part::default());
        let network = Arc::new(crate::testing_forward::Loopback::default());
        let parts =
            Parts { stores: stores.clone(), identity: identity.clone(), keyring, network: network.clone() };
        let access = Access::new(parts, &config);
        access.set_parts(vec![part.clone()]);
        identity.set_quota(Arc::new(access.clone()));
        Self { access, identity, stores, clock, part, network, folder }
    }

    /// Signs somebody in who was made for it; `main`'s operate the appliance.
    pub async fn person(&self, tenant: &str, email: &str, role: Role) -> Somebody {
        let tenant: TenantId = tenant.parse().expect("a name");
        let new = NewUser { name: "Anna".into(), email: email.into(), password: PASSWORD.into() };
        let user = self.identity.create_user(tenant.clone(), role, new).await.expect("makes");
        if tenant == TenantId::main() {
            self.identity.add_operator(&Scope::system(tenant.clone()), user.id.as_str()).await.expect("adds");
        }
        self.sign_in(&tenant, email).await
    }

    pub async fn sign_in(&self, tenant: &TenantId, email: &str) -> Somebody {
        let new = NewSession {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            tenant: Some(tenant.clone()),
            ..NewSession::default()
        };
        let signed =
            self.identity.sign_in(new, &Caller::default()).await.map_err(|r| r.error).expect("signs in");
        Somebody { cookie: signed.token, csrf: signed.view.csrf_token }
    }

    pub async fn operator(&self) -> Somebody {
        self.person("main", "anna@example.org", Role::OWNER).await
    }

    pub async fn send(&self, who: &Somebody, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = test::TestRequest::with_uri(&format!("/api/v1{path}"))
            .method(method)
            .peer_addr("10.0.0.1:99".parse().expect("address"));
        let request = match body {
            Some(body) => request.set_json(body),
            None => request,
        };
        self.call(who, request).await
    }

    pub async fn call(&self, who: &Somebody, request: test::TestRequest) -> Answer {
        let authenticate: Arc<dyn Authenticate> = Arc::new(self.identity.clone());
        let admit: Arc<dyn Admit> = Arc::new(self.access.clone());
        let app = App::new()
            .wrap(from_fn(lectern_edge::watch))
            .app_data(Data::new(self.access.clone()))
            .app_data(Data::new(self.identity.clone()))
            .app_data(Data::from(authenticate))
            .app_data(Data::from(admit))
            .service(
                web::scope("/api/v1")
                    .configure(crate::feature().routes)
                    .configure(lectern_identity::feature().routes),
            );
        let app = test::init_service(app).await;
        let request = request
            .insert_header(("cookie", format!("lectern_session={}", who.cookie)))
            .insert_header(("x-csrf-token", who.csrf.clone()));
        let response = test::call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = test::read_body(response).await.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status, headers, bytes, body }
    }

    pub async fn get(&self, who: &Somebody, path: &str) -> Answer {
        self.send(who, Method::GET, path, None).await
    }

    pub async fn post(&self, who: &Somebody, path: &str, body: Value) -> Answer {
        self.send(who, Method::POST, path, Some(body)).await
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

//! An authorization server on a temporary folder, people and sessions that tests make up, a clock moved by hand, and
//! apps and browsers that talk to it by HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, test};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lectern_edge::{Permit, watch};
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{
    Actor, Clock, Code, Error, GroupId, KeyId, Principal, Result, Rights, Role, SessionId, TenantId,
    Timestamp, UserId, permission,
};
use lectern_store::{Stores, TenantRecord, audit};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{Holder, Holders, Issuer, MIGRATIONS, OAuthFirst, Oauth, Pages, Parts};

permission! {
    DocumentsRead = "documents.read";
}

pub(crate) const ISSUER: &str = "https://lectern.test";
pub(crate) const BACK: &str = "https://app.example.org/back";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const PERMISSIONS: [&str; 7] = [
    "documents.read",
    "documents.write",
    "ask.write",
    "people.manage",
    "apps.manage",
    "session.use",
    "appliance.tenants",
];

pub(crate) struct FakeClock(AtomicI64);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// People, and tenants that are suspended.
#[derive(Default)]
pub(crate) struct People {
    pub people: Mutex<HashMap<(TenantId, UserId), Holder>>,
    pub suspended: Mutex<Vec<TenantId>>,
}

#[async_trait]
impl Holders for People {
    async fn admitted(&self, tenant: &TenantId) -> Result<()> {
        if self.suspended.lock().contains(tenant) {
            return Err(Error::new(Code::TenantSuspended, "Main is suspended: unpaid."));
        }
        Ok(())
    }

    async fn person(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Holder>> {
        Ok(self.people.lock().get(&(tenant.clone(), user.clone())).cloned())
    }
}

/// Sessions by the value of their cookie; the bearer `key` is an API key of the main tenant.
struct Sessions {
    sessions: HashMap<String, (TenantId, UserId)>,
    people: Arc<People>,
}

#[async_trait]
impl Authenticate for Sessions {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        if credentials.bearer.as_deref() == Some("key") {
            let actor = Actor::Key { id: KeyId::generate() };
            return Ok(Principal::unlimited(TenantId::main(), Some(UserId::generate()), actor));
        }
        let name = credentials.session.unwrap_or_default();
        let found = self.sessions.get(&name).cloned();
        let (tenant, user) = found.ok_or_else(|| Error::new(Code::Unauthenticated, "Nobody is there."))?;
        let holder = self.people.people.lock().get(&(tenant.clone(), user.clone())).cloned();
        let holder = holder.ok_or_else(|| Error::new(Code::Unauthenticated, "Nobody is there."))?;
        let actor =
            Actor::Session { id: SessionId::generate(), csrf_token: format!("csrf-{name}"), operator: None };
        let (role, rights, groups) = (holder.role, holder.rights, holder.groups.into());
        Ok(Principal { tenant, user: Some(user), role, rights, groups, actor })
    }
}

pub(crate) struct Site {
    pub oauth: Oauth,
    pub stores: Stores,
    pub people: Arc<People>,
    pub anna: UserId,
    pub group: GroupId,
    clock: Arc<FakeClock>,
    sessions: Arc<Sessions>,
    _folder: tempfile::TempDir,
}

/// What answers: the area's routes, and one of another area.
#[derive(Clone)]
pub(crate) struct Server {
    oauth: Oauth,
    authenticate: Arc<dyn Authenticate>,
}

impl Server {
    pub fn configure(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::new(self.oauth.clone()))
            .app_data(Data::from(self.authenticate.clone()))
            .configure(crate::root_routes)
            .service(
                web::scope("/api/v1")
                    .configure(crate::feature().routes)
                    .route("/documents", web::get().to(documents)),
            );
    }
}

pub(crate) struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Answer {
    pub fn error(&self) -> (u16, &str) {
        let name = self.body["error"].as_str().or_else(|| self.body["code"].as_str());
        (self.status, name.unwrap_or_default())
    }

    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A registered app, as its makers know it.
#[derive(Clone)]
pub(crate) struct Known {
    pub id: String,
    pub client_id: String,
    pub secret: Option<String>,
}

impl Known {
    pub fn basic(&self) -> String {
        let secret = self.secret.clone().unwrap_or_default();
        format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.client_id)))
    }
}

pub(crate) fn rights(names: &[&str]) -> Rights {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// A query or form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Parameters of an address that a browser is sent to.
pub(crate) fn parameters(address: &str) -> HashMap<String, String> {
    Url::parse(address).expect("an address").query_pairs().into_owned().collect()
}

impl Site {
    pub fn new() -> Self {
        Self::with_issuer(Issuer::configured(ISSUER).expect("an origin"))
    }

    /// Anna owns `main`, Ben reads there, Carl owns `other`.
    pub fn with_issuer(issuer: Issuer) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(FakeClock(AtomicI64::new(1_800_000_000_000)));
        let stores = Stores::open(folder.path(), &[], MIGRATIONS.to_vec(), clock.clone()).expect("opens");
        let people = Arc::new(People::default());
        let (group, mut sessions) = (GroupId::generate(), HashMap::new());
        let everything = ["documents.read", "documents.write", "ask.write", "people.manage", "apps.manage"];
        let all = [&everything[..], &["session.use"]].concat();
        let few = ["documents.read", "session.use"];
        let mut anna = None;
        for (name, tenant, role, names) in [
            ("anna", "main", Role::OWNER, &all[..]),
            ("ben", "main", Role::VIEWER, &few[..]),
            ("carl", "other", Role::OWNER, &all[..]),
        ] {
            let (tenant, user): (TenantId, _) = (tenant.parse().expect("a name"), UserId::generate());
            stores.register(&TenantRecord::new(tenant.clone(), name, clock.now())).expect("registers");
            let holder = Holder { role, rights: rights(names), groups: vec![group.clone()] };
            people.people.lock().insert((tenant.clone(), user.clone()), holder);
            anna.get_or_insert(user.clone());
            sessions.insert(name.to_owned(), (tenant, user));
        }
        let parts = Parts {
            stores: stores.clone(),
            holders: people.clone(),
            permissions: PERMISSIONS.to_vec(),
            issuer,
            pages: Pages::default(),
        };
        let sessions = Arc::new(Sessions { sessions, people: people.clone() });
        let (oauth, anna) = (Oauth::new(parts), anna.expect("the first"));
        Self { oauth, stores, people, anna, group, clock, sessions, _folder: folder }
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub fn server(&self) -> Server {
        Server {
            oauth: self.oauth.clone(),
            authenticate: Arc::new(OAuthFirst::new(self.oauth.clone(), self.sessions.clone())),
        }
    }

    /// The clock goes on by itself, for peers that wait.
    pub fn move_with_time(&self) -> actix_web::rt::task::JoinHandle<()> {
        let clock = self.clock.clone();
        actix_web::rt::spawn(async move {
            loop {
                actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
                clock.0.fetch_add(100, Ordering::SeqCst);
            }
        })
    }

    pub async fn send(&self, request: test::TestRequest) -> Answer {
        let app = App::new().wrap(from_fn(watch)).configure(|config| self.server().configure(config));
        let app = test::init_service(app).await;
        let request = request.peer_addr("10.0.0.1:999".parse().expect("address")).to_request();
        let response = test::call_service(&app, request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&test::read_body(response).await).unwrap_or_default();
        Answer { status, body, headers }
    }

    /// Somebody at a browser; `who` is their cookie.
    pub async fn browser(&self, who: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = test::TestRequest::with_uri(&format!("/api/v1{path}"))
            .method(method)
            .insert_header(("cookie", format!("lectern_session={who}")))
            .insert_header(("x-csrf-token", format!("csrf-{who}")));
        self.send(match body {
            Some(body) => request.set_json(body),
            None => request,
        })
        .await
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.browser(who, Method::GET, path, None).await
    }

    pub async fn post(&self, who: &str, path: &str, body: Value) -> Answer {
        self.browser(who, Method::POST, path, Some(body)).await
    }

    /// An app's own request; confidential ones show their secret by HTTP Basic.
    pub async fn call(&self, app: &Known, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        let mut request = test::TestRequest::post()
            .uri(&format!("/api/v1/oauth/{path}"))
            .insert_header(("content-type", "application/x-www-form-urlencoded"));
        if app.secret.is_some() {
            request = request.insert_header(("authorization", app.basic()));
        } else {
            fields.push(("client_id", &app.client_id));
        }
        self.send(request.set_payload(form(&fields))).await
    }

    pub async fn token(&self, app: &Known, fields: &[(&str, &str)]) -> Answer {
        self.call(app, "token", fields).await
    }

    /// A request with a bearer.
    pub async fn with(&self, token: &str) -> Answer {
        let request = test::TestRequest::get().uri("/api/v1/documents");
        self.send(request.insert_header(("authorization", format!("Bearer {token}")))).await
    }

    pub async fn register(&self, who: &str, body: Value) -> Known {
        let answer = self.post(who, "/apps", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        Known {
            id: answer.text("id"),
            client_id: answer.text("client_id"),
            secret: answer.body["client_secret"].as_str().map(str::to_owned),
        }
    }

    /// An app with all that the kind can have.
    pub async fn app(&self, kind: &str) -> Known {
        self.register("anna", new_app(kind)).await
    }

    /// The query of a request of an app, with some fields changed; an empty one is left out.
    pub fn query(app: &Known, changed: &[(&str, &str)]) -> String {
        let challenge = challenge(VERIFIER);
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", BACK),
            ("scope", "documents.read ask.write"),
            ("state", "a b&c"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for change in changed {
            match fields.iter_mut().find(|field| field.0 == change.0) {
                Some(field) => *field = *change,
                None => fields.push(*change),
            }
        }
        fields.retain(|field| !field.1.is_empty());
        form(&fields)
    }

    /// Where somebody's browser goes after they allowed the request.
    pub async fn allow(&self, who: &str, query: &str) -> HashMap<String, String> {
        let body = json!({ "query": query, "allow": true });
        let answer = self.post(who, "/oauth/authorize", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        parameters(&answer.text("redirect_to"))
    }

    /// A code that Anna allowed.
    pub async fn code(&self, app: &Known) -> String {
        let query = Self::query(app, &[]);
        self.allow("anna", &query).await.remove("code").expect("a code")
    }

    pub async fn redeem(&self, app: &Known, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(app, &fields).await
    }

    /// Access and refresh token that Anna allowed.
    pub async fn tokens(&self, app: &Known) -> (String, String) {
        let code = self.code(app).await;
        let answer = self.redeem(app, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        (answer.text("access_token"), answer.text("refresh_token"))
    }

    pub async fn refresh(&self, app: &Known, token: &str) -> Answer {
        self.token(app, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Changes what somebody holds; none removes them.
    pub fn holds(&self, who: &str, names: Option<&[&str]>) {
        let key = self.sessions.sessions[who].clone();
        let mut people = self.people.people.lock();
        match names {
            None => drop(people.remove(&key)),
            Some(names) => {
                let holder =
                    Holder { role: Role::MEMBER, rights: rights(names), groups: vec![self.group.clone()] };
                people.insert(key, holder);
            }
        }
    }

    /// What stands in the record, the newest first.
    pub fn recorded(&self) -> Vec<String> {
        let scope = lectern_kernel::Scope::system(TenantId::main());
        let store = self.stores.tenant(&scope).expect("opens");
        let kept = store.db.read_now(|tx| audit::list(tx, &audit::Wanted::default(), 200)).expect("reads");
        kept.into_iter().filter_map(|entry| entry.entry).collect()
    }
}

pub(crate) fn new_app(kind: &str) -> Value {
    let mut grants =
        vec!["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
    if kind == "confidential" {
        grants.push("client_credentials");
    }
    json!({
        "name": "Reader", "kind": kind, "homepage": "https://app.example.org/",
        "redirect_uris": [BACK], "scopes": ["documents.read", "documents.write", "ask.write"],
        "grants": grants,
    })
}

async fn documents(permit: Permit<DocumentsRead>) -> HttpResponse {
    let principal = permit.principal();
    HttpResponse::Ok().json(json!({
        "tenant": principal.tenant, "user": principal.user, "role": principal.role,
        "rights": principal.rights.names().collect::<Vec<_>>(), "groups": principal.groups.to_vec(),
        "actor": principal.actor.name(),
    }))
}

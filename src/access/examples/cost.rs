//! What it costs to know who sends a request, what they may and how often, and to write down what they change.
//!
//! `cargo run --release -p lectern-access --example cost`. Median and 99th percentile in microseconds, on a temporary
//! folder: by session and by key, known for seconds already (as most requests are) and looked up anew; a small change
//! with its entry in the record against the same change without.

use std::sync::Arc;
use std::time::Instant;

use lectern_access::{
    Access, CONTROL_MIGRATIONS, Dial, ForwardNetwork, Keyring, MIGRATIONS, Opening, Parts, Post, PostError,
    TargetPlace,
};
use lectern_config::Config;
use lectern_identity::{Caller, Identity, NewKey, NewSession, NewUser};
use lectern_kernel::ports::{Admit, Authenticate, Credentials};
use lectern_kernel::{Error, Result, Rights, Role, Scope, SystemClock, TenantId};
use lectern_store::audit::{self, Change};
use lectern_store::{Migration, Options, Stores, Tx, outbox};
use serde_json::json;

const PASSWORD: &str = "a lectern stands still";
const TIMES: usize = 5_000;

struct Site {
    identity: Identity,
    access: Access,
    stores: Stores,
}

/// Nothing is sent on here.
struct Nowhere;

#[async_trait::async_trait]
impl ForwardNetwork for Nowhere {
    fn check(&self, _: &str) -> std::result::Result<(), String> {
        Err("nothing is sent on".to_owned())
    }

    fn host(&self) -> String {
        String::new()
    }

    fn dial(&self, _: &Scope, _: &TargetPlace) -> Result<Arc<dyn Dial>> {
        Err(Error::field("address", "nothing is sent on"))
    }

    async fn post(&self, _: &Scope, _: &TargetPlace, _: Post) -> std::result::Result<u16, PostError> {
        Err(PostError::Denied("nothing is sent on".to_owned()))
    }

    fn withdraw(&self, _: &Scope, _: &str) {}
}

fn site(folder: &std::path::Path) -> Site {
    let config = Config::load(None, &[]).expect("the defaults hold");
    let control: Vec<Migration> = [lectern_identity::CONTROL_MIGRATIONS, CONTROL_MIGRATIONS].concat();
    let tenant: Vec<Migration> = [lectern_identity::MIGRATIONS, MIGRATIONS].concat();
    let clock = Arc::new(SystemClock);
    let stores = Stores::open_with(folder, &control, tenant, clock, Options::default()).expect("opens");
    let permissions = vec!["session.use", "documents.read", "keys.manage"];
    let identity = Identity::new(stores.clone(), &config.session, true, permissions);
    let keyring = Keyring::open(folder, &Opening::File, stores.clone()).expect("a key");
    keyring.complete().expect("keys");
    let network = Arc::new(Nowhere);
    let parts = Parts { stores: stores.clone(), identity: identity.clone(), keyring, network };
    let access = Access::new(parts, &config);
    identity.set_quota(Arc::new(access.clone()));
    Site { identity, access, stores }
}

/// Prints median and 99th percentile of what was measured, in microseconds.
fn tell(what: &str, mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{what:<52} {:>8.1} {:>8.1}", at(0.5), at(0.99));
    at(0.5)
}

impl Site {
    async fn request(&self, credentials: &Credentials) {
        let principal = self.identity.authenticate(credentials.clone()).await.expect("is known");
        assert!(principal.rights.allows("documents.read"));
        self.access
            .admit(&principal, "GET /api/v1/documents")
            .await
            .unwrap_or_else(|e| panic!("{}", e.error));
        std::hint::black_box(Scope::granted(&principal));
    }

    async fn measure(&self, what: &str, credentials: &Credentials, anew: bool) {
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            if anew {
                self.identity.forget_known();
            }
            let begun = Instant::now();
            self.request(credentials).await;
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        tell(what, times);
    }

    async fn change(&self, recorded: bool) -> Vec<f64> {
        let scope = Scope::system(TenantId::main());
        let db = self.stores.tenant(&scope).expect("is open").db;
        let mut times = Vec::with_capacity(TIMES);
        for n in 0..TIMES {
            let (scope, begun) = (scope.clone(), Instant::now());
            let change = move |tx: &mut Tx<'_>| {
                let name = format!("Name {n}");
                outbox::push(tx, "user.changed", "usr_01jb0000000000000000000000", &json!({ "name": name }))?;
                if recorded {
                    let (before, after) = (json!({ "name": "before" }), json!({ "name": name }));
                    let change = Change::new("user.changed", "usr_01jb0000000000000000000000");
                    audit::record(tx, &scope, change.before(&before).after(&after))?;
                }
                Ok(())
            };
            db.write(change).await.expect("is written");
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        times
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = site(folder.path());
    let (main, email) = (TenantId::main(), "anna@example.org");
    let new = NewUser { name: "Anna".into(), email: email.into(), password: PASSWORD.into() };
    site.identity.create_user(main.clone(), Role::OWNER, new).await.expect("is made");
    let new = NewSession {
        email: email.into(),
        password: PASSWORD.into(),
        tenant: Some(main.clone()),
        ..NewSession::default()
    };
    let signed = site.identity.sign_in(new, &Caller::default()).await.map_err(|r| r.error).expect("signs in");
    let session = Credentials { session: Some(signed.token), ..Credentials::default() };
    let new: NewKey = serde_json::from_value(json!({ "name": "robot" })).expect("fits");
    let key =
        site.identity.create_key(&Scope::system(main), &Rights::everything(), new).await.expect("is made");
    let key = Credentials { bearer: Some(key.secret), ..Credentials::default() };
    println!("{:<52} {:>8} {:>8}", "microseconds", "median", "p99");
    site.measure("who, what, how often: session", &session, false).await;
    site.measure("who, what, how often: key", &key, false).await;
    site.measure("the same, session looked up anew", &session, true).await;
    site.measure("the same, key looked up anew", &key, true).await;
    let without = tell("a change without its entry", site.change(false).await);
    let with = tell("a change with its entry", site.change(true).await);
    println!("{:<52} {:>8.1}", "the entry in the record", with - without);
}

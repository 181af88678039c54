//! Set-up, sign-in, sessions and keys over HTTP.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, test};
use lectern_edge::watch;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Rights, Role, Scope, TenantId, Timestamp};
use lectern_store::params;
use serde_json::{Value, json};

use crate::testing::{EMAIL, PASSWORD, START, Site, setup_body};
use crate::{Caller, NewKey, NewSetup, NewUser};

#[actix_web::test]
async fn the_code_makes_one_administrator_once() {
    let mut site = Site::new();
    assert_eq!(site.get("/setup").await.body["needed"], true);
    let old = site.identity.setup_code().await.expect("runs").expect("a code");
    let code = site.identity.setup_code().await.expect("runs").expect("a code");
    let answer = site.post("/setup", setup_body(&old)).await;
    assert_eq!(answer.code(), (422, "invalid_field"));
    assert_eq!(answer.body["errors"][0]["field"], "code");

    let mut weak = setup_body(&code);
    weak["password"] = json!(EMAIL);
    assert_eq!(site.post("/setup", weak).await.body["errors"][0]["field"], "password");

    let answer = site.post("/setup", setup_body(&code.to_lowercase())).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["user"]["role"], "owner");
    assert_eq!(answer.body["tenant"]["id"], "main");
    site.take(&answer);
    assert_eq!(site.get("/session").await.status, 200);
    assert_eq!(site.get("/setup").await.body["needed"], false);
    assert_eq!(site.post("/setup", setup_body(&code)).await.code(), (409, "already_set_up"));
    assert!(site.identity.setup_code().await.expect("runs").is_none());
}

#[actix_web::test]
async fn two_who_hold_the_code_make_one_administrator() {
    let site = Site::new();
    let code = site.identity.setup_code().await.expect("runs").expect("a code");
    let new = |email: &str| {
        let email = email.to_owned();
        NewSetup { code: code.clone(), name: "A".into(), email, password: PASSWORD.into() }
    };
    let caller = Caller::default();
    let (a, b) = tokio::join!(
        site.identity.set_up(new("a@b.c"), &caller),
        site.identity.set_up(new("d@e.f"), &caller)
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    let people =
        site.identity.people(&Scope::system(TenantId::main()), crate::PeopleParameters::default()).await;
    assert_eq!(people.expect("lists").total, 1);
}

#[actix_web::test]
async fn set_up_codes_cannot_be_guessed() {
    let site = Site::new();
    let code = site.identity.setup_code().await.expect("runs").expect("a code");
    for _ in 0..10 {
        assert_eq!(site.post("/setup", setup_body("AAAA-AAAA-AAAA")).await.status, 422);
    }
    let answer = site.post("/setup", setup_body(&code)).await;
    assert_eq!(answer.code(), (429, "too_many_requests"));
    assert_eq!(answer.retry_after.as_deref(), Some("60"));
    site.wait(60);
    assert_eq!(site.post("/setup", setup_body(&code)).await.status, 201);
}

#[actix_web::test]
async fn a_session_needs_its_token_and_ends_by_sign_out() {
    let mut site = Site::signed_in().await;
    let csrf = site.csrf.take();
    assert_eq!(site.get("/session").await.status, 200);
    assert_eq!(site.delete("/session").await.code(), (403, "csrf_missing"));
    assert_eq!(site.post("/keys", json!({"name": "k"})).await.code(), (403, "csrf_missing"));
    site.csrf = csrf;
    let answer = site.delete("/session").await;
    assert_eq!((answer.status, answer.cookie.as_deref()), (204, Some("")));
    assert_eq!(site.get("/session").await.code(), (401, "unauthenticated"));
    for cookie in ["", "zz", &"a".repeat(64), &"a".repeat(5000)] {
        site.cookie = Some(cookie.to_owned());
        assert_eq!(site.get("/session").await.status, 401);
    }
}

#[actix_web::test]
async fn secrets_are_not_in_the_database() {
    let site = Site::signed_in().await;
    let secret =
        site.post("/keys", json!({"name": "k"})).await.body["secret"].as_str().expect("text").to_owned();
    site.stores.close().expect("checkpoints");
    let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    let bytes = std::fs::read(store.db.path()).expect("reads");
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds(EMAIL));
    assert!(!holds(PASSWORD) && !holds(&secret) && !holds(site.cookie.as_deref().expect("cookie")));
}

#[actix_web::test]
async fn a_session_ends_when_idle_and_at_its_lifetime() {
    let site = Site::signed_in().await;
    site.wait(12 * 3600);
    assert_eq!(site.get("/session").await.status, 401);
    let mut site = Site::signed_in().await;
    for _ in 0..(14 * 24 / 8) {
        assert_eq!(site.get("/session").await.status, 200, "kept by use");
        site.wait(8 * 3600);
    }
    assert_eq!(site.get("/session").await.status, 401, "lifetime");
    assert_eq!(site.identity.sweep(&TenantId::main()).await.expect("sweeps"), 1);
    let again = site.sign_in(PASSWORD).await;
    site.take(&again);
    assert_eq!(site.get("/session").await.status, 200);
    assert_eq!(site.identity.sweep(&TenantId::main()).await.expect("sweeps"), 0);
}

#[actix_web::test]
async fn wrong_credentials_lock_account_and_address() {
    let mut site = Site::signed_in().await;
    site.cookie = None;
    for _ in 0..5 {
        assert_eq!(site.sign_in("wrong password").await.code(), (401, "wrong_credentials"));
    }
    let answer = site.sign_in(PASSWORD).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (429, Some("5")));
    site.address = "10.0.0.2:1";
    assert_eq!(site.sign_in(PASSWORD).await.status, 429, "the account is locked from anywhere");
    site.address = "10.0.0.1:2";
    let other = json!({"email": "ben@example.org", "password": PASSWORD});
    assert_eq!(site.post("/session", other.clone()).await.status, 429, "the address is locked for anyone");
    site.address = "10.0.0.3:1";
    assert_eq!(site.post("/session", other).await.code(), (401, "wrong_credentials"));
    site.wait(6);
    assert_eq!(site.sign_in(PASSWORD).await.status, 201);
    assert_eq!(site.sign_in(PASSWORD).await.status, 201, "success begins anew");
}

#[actix_web::test]
async fn parallel_guesses_do_not_slip_past_the_lock() {
    let site = Site::signed_in().await;
    let guess = |n: usize| {
        let new = crate::NewSession {
            email: EMAIL.into(),
            password: format!("guess number {n}"),
            tenant: None,
            code: None,
            provider: None,
        };
        let identity = site.identity.clone();
        async move {
            let caller = Caller { network: format!("10.1.0.{n}"), ..Caller::default() };
            identity.sign_in(new, &caller).await.err().map(|r| r.error.code.status())
        }
    };
    let (a, b, c, d) = tokio::join!(guess(1), guess(2), guess(3), guess(4));
    let (e, f, g, h) = tokio::join!(guess(5), guess(6), guess(7), guess(8));
    let refused = [a, b, c, d, e, f, g, h].into_iter().filter(|s| *s == Some(429)).count();
    assert_eq!(refused, 3);
}

#[actix_web::test]
async fn a_new_password_ends_the_other_sessions() {
    let mut site = Site::signed_in().await;
    let second = site.sign_in(PASSWORD).await;
    let first = (site.cookie.clone(), site.csrf.clone());
    let change = |current: &str, new: &str| json!({"current": current, "new": new});
    let new = "another lectern stands";
    let answer = site.post("/session/password", change("wrong one", new)).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!("current")));
    assert_eq!(site.post("/session/password", change(PASSWORD, "short")).await.status, 422);
    assert_eq!(site.post("/session/password", change(PASSWORD, new)).await.status, 204);
    assert_eq!(site.get("/session").await.status, 200, "this one stays");
    site.take(&second);
    assert_eq!(site.get("/session").await.status, 401, "the other one ends");
    assert_eq!(site.sign_in(PASSWORD).await.status, 401);
    assert_eq!(site.sign_in(new).await.status, 201);
    (site.cookie, site.csrf) = first;
    for _ in 0..5 {
        assert_eq!(site.post("/session/password", change("wrong one", new)).await.status, 422);
    }
    assert_eq!(site.post("/session/password", change(new, PASSWORD)).await.status, 429);
}

#[actix_web::test]
async fn a_key_works_until_revoked_or_over() {
    let mut site = Site::signed_in().await;
    let made = site.post("/keys", json!({"name": " deploy "})).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("deploy")));
    let secret = made.body["secret"].as_str().expect("secret").to_owned();
    assert!(secret.starts_with(made.body["prefix"].as_str().expect("prefix")));
    let (cookie, csrf) = (site.cookie.take(), site.csrf.take());

    site.bearer = Some(secret.clone());
    let list = site.get("/keys").await;
    assert_eq!((list.status, &list.body["total"]), (200, &json!(1)));
    assert!(list.body["items"][0].get("secret").is_none());
    assert_eq!(list.body["items"][0]["last_used_at"], json!(Timestamp(START)));
    assert_eq!(site.get("/session").await.status, 401, "a key is no session");

    let mut wrong = secret.clone();
    wrong.replace_range(20..21, if &secret[20..21] == "a" { "b" } else { "a" });
    for bad in [wrong, crate::secret::api_key(&TenantId::main()).expect("random"), "lec_x".into()] {
        site.bearer = Some(bad);
        site.cookie.clone_from(&cookie);
        assert_eq!(site.get("/keys").await.status, 401, "and does not fall back to the cookie");
    }

    site.bearer = None;
    site.csrf = csrf;
    let path = format!("/keys/{}", made.body["id"].as_str().expect("id"));
    assert_eq!(site.delete(&path).await.status, 204);
    assert_eq!(site.delete(&path).await.code(), (404, "not_found"));
    assert_eq!(site.delete("/keys/nonsense").await.status, 404);
    (site.cookie, site.bearer) = (None, Some(secret));
    assert_eq!(site.get("/keys").await.status, 401, "revoked at once");
}

#[actix_web::test]
async fn keys_end_are_paged_and_belong_to_their_tenant() {
    let mut site = Site::signed_in().await;
    let past = json!({"name": "k", "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(site.post("/keys", past).await.body["errors"][0]["field"], "expires_at");
    assert_eq!(site.post("/keys", json!({"name": ""})).await.status, 422);
    assert_eq!(site.post("/keys", json!({"name": "k", "role": "root"})).await.status, 422);
    let soon = json!({"name": "k", "expires_at": Timestamp(START + 5_000)});
    let secret = site.post("/keys", soon).await.body["secret"].as_str().expect("secret").to_owned();
    for n in 0..3 {
        site.wait(1);
        site.post("/keys", json!({"name": format!("k{n}")})).await;
    }
    let first = site.get("/keys?limit=3").await.body;
    assert_eq!((first["items"].as_array().map(Vec::len), &first["total"]), (Some(3), &json!(4)));
    let second =
        site.get(&format!("/keys?limit=3&cursor={}", first["next_cursor"].as_str().expect("more"))).await;
    assert_eq!((&second.body["items"][0]["name"], &second.body["next_cursor"]), (&json!("k"), &Value::Null));
    assert_eq!(site.get("/keys?cursor=zz").await.code(), (400, "invalid_cursor"));

    let other = Scope::system(site.with_tenant("other"));
    let id = first["items"][0]["id"].as_str().expect("id").parse().expect("id");
    assert_eq!(site.identity.revoke_key(&other, &id).await.expect_err("refused").code.status(), 404);
    let page = site.identity.list_keys(&other, &lectern_kernel::PageRequest::default()).await.expect("lists");
    assert!(page.items.is_empty());

    (site.cookie, site.csrf, site.bearer) = (None, None, Some(secret));
    assert_eq!(site.get("/keys").await.status, 200);
    site.wait(2);
    assert_eq!(site.get("/keys").await.status, 401, "over");
}

#[actix_web::test]
async fn the_command_line_makes_users_passwords_and_keys() {
    let mut site = Site::signed_in().await;
    let new = |email: &str| NewUser { name: "Ben".into(), email: email.into(), password: PASSWORD.into() };
    let tenant = TenantId::main();
    let ben =
        site.identity.create_user(tenant.clone(), Role::ADMIN, new("ben@example.org")).await.expect("makes");
    let twice = site.identity.create_user(tenant.clone(), Role::ADMIN, new("BEN@example.org ")).await;
    assert_eq!(twice.expect_err("refused").code.status(), 409);
    assert!(site.identity.create_user(tenant.clone(), Role::ADMIN, new("nobody")).await.is_err());
    let people =
        site.identity.people(&Scope::system(tenant.clone()), crate::PeopleParameters::default()).await;
    assert_eq!(people.expect("lists").items[1].id, ben.id);

    for _ in 0..6 {
        site.sign_in("wrong password").await;
    }
    site.identity.set_password(&tenant, "Anna@Example.org", "a third lectern".into()).await.expect("sets");
    assert_eq!(site.get("/session").await.status, 401, "sessions end");
    site.address = "10.0.0.9:1";
    assert_eq!(site.sign_in("a third lectern").await.status, 201, "the lock is lifted");
    assert!(site.identity.set_password(&tenant, "carl@example.org", PASSWORD.into()).await.is_err());

    let scope = Scope::system(TenantId::main());
    let new = NewKey { name: "cli".into(), expires_at: None, scopes: Vec::new(), networks: Vec::new() };
    let key = site.identity.create_key(&scope, &Rights::everything(), new).await;
    site.bearer = Some(key.expect("makes").secret);
    assert_eq!(site.get("/keys").await.status, 200);
}

#[actix_web::test]
async fn the_last_use_is_written_once_a_minute() {
    let site = Site::signed_in().await;
    let cookie = site.cookie.clone();
    let seen = || -> i64 {
        let read = |tx: &lectern_store::Tx<'_>| tx.scalar("SELECT last_seen_at FROM sessions", params![]);
        let store = site.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
        store.db.read_now(read).expect("reads").expect("a session")
    };
    for (second, expected) in
        [(0, START), (30, START), (59, START), (70, START + 70_000), (100, START + 70_000)]
    {
        site.clock.0.store(START + second * 1000, Ordering::SeqCst);
        let credentials = Credentials { session: cookie.clone(), ..Credentials::default() };
        site.identity.authenticate(credentials).await.expect("is there");
        assert_eq!(seen(), expected, "{second}");
    }
}

#[actix_web::test]
async fn a_proxy_on_this_machine_tells_the_address_and_others_do_not() {
    let site = Site::signed_in().await;
    let authenticate: Arc<dyn Authenticate> = Arc::new(site.identity.clone());
    let app = App::new()
        .wrap(from_fn(watch))
        .app_data(Data::new(site.identity.clone()))
        .app_data(Data::from(authenticate))
        .service(web::scope("/api/v1").configure(crate::feature().routes));
    let app = test::init_service(app).await;
    let mut lock = Vec::new();
    for (peer, n) in (0..12).map(|n| ("127.0.0.1:5", n)).chain((0..12).map(|n| ("10.9.9.9:5", n))) {
        let request = test::TestRequest::post()
            .uri("/api/v1/session")
            .peer_addr(peer.parse().expect("address"))
            .insert_header(("x-forwarded-for", format!("1.1.1.1, 192.0.2.{n}")))
            .set_json(json!({"email": format!("x{peer}{n}@example.org"), "password": "wrong password"}));
        lock.push(test::call_service(&app, request.to_request()).await.status());
    }
    assert!(lock[..12].iter().all(|s| *s == StatusCode::UNAUTHORIZED), "{lock:?}");
    assert!(lock[17..].iter().all(|s| *s == StatusCode::TOO_MANY_REQUESTS), "{lock:?}");
}

//! People, roles, groups, invitations and what each may do to the others; and more than one tenant.

use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Role, Scope, Sight, TenantId, Timestamp};
use lectern_store::{Migration, Stores, TenantState, audit, params};
use serde_json::{Value, json};

use crate::testing::{EMAIL, PASSWORD, Site};
use crate::{CONTROL_MIGRATIONS, MIGRATIONS, NewUser};

fn id(body: &Value) -> &str {
    body["id"].as_str().expect("an id")
}

#[actix_web::test]
async fn an_invitation_is_used_once_and_gives_role_and_groups() {
    let site = Site::signed_in().await;
    let group = site.post("/groups", json!({"name": "Night shift"})).await;
    assert_eq!((group.status, &group.body["members"]), (201, &json!(0)));
    let body =
        json!({"email": "Ben@Example.org", "name": "Ben", "role": "viewer", "groups": [group.body["id"]]});
    let first = site.post("/invitations", body.clone()).await;
    let second = site.post("/invitations", body).await;
    let stranger = site.stranger();
    let offer = |answer: &Value| json!({"token": answer["token"]});
    assert_eq!(
        stranger.post("/invitations/offer", offer(&first.body)).await.code(),
        (410, "gone"),
        "replaced"
    );
    let seen = stranger.post("/invitations/offer", offer(&second.body)).await;
    assert_eq!((&seen.body["tenant"], &seen.body["email"]), (&json!("Main"), &json!("Ben@Example.org")));
    let accept = json!({"token": second.body["token"], "password": PASSWORD});
    let joined = stranger.post("/invitations/accept", accept.clone()).await;
    assert_eq!((joined.status, &joined.body["user"]["role"]), (201, &json!("viewer")));
    assert_eq!(joined.body["user"]["name"], "Ben");
    assert!(!joined.body["permissions"].as_array().expect("a list").contains(&json!("documents.write")));
    assert_eq!(stranger.post("/invitations/accept", accept).await.code(), (410, "gone"));
    assert_eq!(site.get("/invitations").await.body, json!([]));
    let people = site.get("/people?q=ben").await.body;
    assert_eq!((&people["total"], &people["items"][0]["groups"]), (&json!(1), &json!([group.body["id"]])));
    let again = site.post("/invitations", json!({"email": "ben@example.org", "role": "viewer"})).await;
    assert_eq!(again.code(), (409, "conflict"));
    let past =
        site.post("/invitations", json!({"email": "c@example.org", "role": "viewer", "days": 1})).await;
    site.wait(86_400);
    assert_eq!(stranger.post("/invitations/offer", offer(&past.body)).await.status, 410);
}

#[actix_web::test]
async fn nobody_gives_or_takes_more_than_they_have() {
    let owner = Site::signed_in().await;
    let admin = owner.joined("adam@example.org", "admin").await;
    let member = owner.joined("mia@example.org", "member").await;
    let anna = owner.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    let mia = member.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    assert_eq!(member.get("/people").await.code(), (403, "forbidden"));
    assert_eq!(member.patch(&format!("/people/{mia}"), json!({"role": "owner"})).await.status, 403);
    let to_owner = admin.patch(&format!("/people/{mia}"), json!({"role": "owner"})).await;
    assert_eq!(to_owner.code(), (403, "forbidden"));
    for body in [json!({"role": "viewer"}), json!({"state": "disabled"}), json!({"name": "x"})] {
        assert_eq!(admin.patch(&format!("/people/{anna}"), body).await.status, 403, "an owner holds more");
    }
    assert_eq!(admin.delete(&format!("/people/{anna}")).await.status, 403);
    assert_eq!(admin.post(&format!("/people/{anna}/password-link"), json!({})).await.status, 403);
    let invited = admin.post("/invitations", json!({"email": "z@example.org", "role": "owner"})).await;
    assert_eq!(invited.status, 403);
    let role = json!({"name": "boss", "title": "Boss", "permissions": ["tenant.own"]});
    assert_eq!(admin.post("/roles", role.clone()).await.status, 403);
    assert_eq!(owner.post("/roles", role).await.status, 201);
    assert_eq!(admin.patch(&format!("/people/{mia}"), json!({"role": "boss"})).await.status, 403);
    assert_eq!(admin.patch("/roles/boss", json!({"permissions": ["people.read"]})).await.status, 403);
    let extra = json!({"name": "x", "tenant": "other"});
    assert_eq!(owner.patch(&format!("/people/{mia}"), extra).await.status, 422, "no field comes in unasked");
    let unknown = json!({"name": "odd", "title": "Odd", "permissions": ["appliance.tenants"]});
    assert_eq!(owner.post("/roles", unknown).await.code(), (422, "invalid_field"), "not a tenant's to give");
}

#[actix_web::test]
async fn the_last_owner_stays_and_a_second_may_go() {
    let owner = Site::signed_in().await;
    let anna = owner.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    let path = format!("/people/{anna}");
    for body in [json!({"role": "admin"}), json!({"state": "disabled"})] {
        assert_eq!(owner.patch(&path, body).await.code(), (409, "conflict"));
    }
    assert_eq!(owner.delete(&path).await.code(), (409, "conflict"));
    let second = owner.joined("otto@example.org", "owner").await;
    assert_eq!(second.delete(&path).await.status, 204);
    assert_eq!(owner.get("/session").await.status, 401, "her session is over at once");
    assert_eq!(owner.sign_in(PASSWORD).await.code(), (401, "wrong_credentials"));
    assert_eq!(second.get(&path).await.code(), (404, "not_found"));
}

#[actix_web::test]
async fn a_role_of_ones_own_holds_at_once_and_ends_unused() {
    let owner = Site::signed_in().await;
    let role =
        json!({"name": "librarian", "title": "Librarian", "permissions": ["session.use", "people.read"]});
    assert_eq!(owner.post("/roles", role.clone()).await.status, 201);
    assert_eq!(owner.post("/roles", role).await.code(), (409, "conflict"));
    let lib = owner.joined("lib@example.org", "librarian").await;
    assert_eq!((lib.get("/people").await.status, lib.get("/keys").await.status), (200, 403));
    let wider = json!({"permissions": ["session.use", "keys.read"]});
    assert_eq!(owner.patch("/roles/librarian", wider).await.status, 200);
    assert_eq!((lib.get("/people").await.status, lib.get("/keys").await.status), (403, 200));
    assert_eq!(owner.delete("/roles/librarian").await.code(), (409, "conflict"));
    let person = lib.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    assert_eq!(owner.patch(&format!("/people/{person}"), json!({"role": "auditor"})).await.status, 200);
    assert_eq!(owner.delete("/roles/librarian").await.status, 204);
    assert_eq!(owner.patch("/roles/viewer", json!({"title": "X"})).await.code(), (403, "forbidden"));
    assert_eq!(owner.patch("/roles/..%2Fx", json!({"title": "X"})).await.status, 404);
}

#[actix_web::test]
async fn who_is_disabled_is_out_and_a_link_brings_a_new_password() {
    let owner = Site::signed_in().await;
    let member = owner.joined("mia@example.org", "member").await;
    let mia = member.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    let path = format!("/people/{mia}");
    assert_eq!(owner.patch(&path, json!({"state": "disabled"})).await.status, 200);
    assert_eq!(member.get("/session").await.status, 401);
    let sign_in = |password: &str| json!({"email": "mia@example.org", "password": password});
    assert_eq!(member.stranger().post("/session", sign_in(PASSWORD)).await.status, 401);
    assert_eq!(owner.patch(&path, json!({"state": "active"})).await.status, 200);
    let link = owner.post(&format!("{path}/password-link"), json!({})).await;
    assert_eq!((link.status, &link.body["kind"]), (201, &json!("reset")));
    let new = "a lamp beside the lectern";
    let accept = json!({"token": link.body["token"], "password": new});
    assert_eq!(member.stranger().post("/invitations/accept", accept).await.status, 201);
    assert_eq!(member.stranger().post("/session", sign_in(PASSWORD)).await.status, 401);
    assert_eq!(member.stranger().post("/session", sign_in(new)).await.status, 201);
}

#[actix_web::test]
async fn sessions_are_listed_and_ended() {
    let mut site = Site::signed_in().await;
    for _ in 0..2 {
        site.wait(1);
        assert_eq!(site.sign_in(PASSWORD).await.status, 201);
    }
    let sessions = site.get("/me/sessions").await.body;
    let sessions = sessions.as_array().expect("a list");
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|s| s["current"] == true).count(), 1);
    let other = sessions.iter().find(|s| s["current"] == false).expect("another");
    assert_eq!(site.delete(&format!("/me/sessions/{}", id(other))).await.status, 204);
    assert_eq!(site.delete(&format!("/me/sessions/{}", id(other))).await.status, 404);
    assert_eq!(site.delete("/me/sessions").await.status, 204);
    assert_eq!(site.get("/me/sessions").await.body.as_array().map(Vec::len), Some(1));
    let patched = site.patch("/me", json!({"language": "de", "voice": "espeak/de"})).await;
    assert_eq!((patched.status, &patched.body["language"]), (200, &json!("de")));
    assert_eq!(site.patch("/me", json!({"role": "owner"})).await.status, 422);
    assert_eq!(site.patch("/me", json!({"language": ""})).await.body["language"], Value::Null);
    site.csrf = None;
    assert_eq!(site.patch("/me", json!({"name": "x"})).await.code(), (403, "csrf_missing"));
}

#[actix_web::test]
async fn a_key_has_scopes_networks_and_a_successor() {
    let site = Site::signed_in().await;
    let new = json!({"name": "k", "scopes": ["people.read"], "networks": ["10.0.0.0/8"]});
    let made = site.post("/keys", new).await;
    assert_eq!((made.status, &made.body["networks"]), (201, &json!(["10.0.0.0/8"])));
    let mut machine = site.stranger();
    machine.bearer = Some(made.body["secret"].as_str().expect("a secret").to_owned());
    assert_eq!((machine.get("/people").await.status, machine.get("/keys").await.status), (200, 403));
    machine.address = "192.0.2.1:5";
    assert_eq!(machine.get("/people").await.code(), (401, "unauthenticated"));
    machine.address = "10.0.0.1:5";
    for bad in
        [json!({"name": "k", "scopes": ["nothing"]}), json!({"name": "k", "networks": ["10.0.0.0/64"]})]
    {
        assert_eq!(site.post("/keys", bad).await.code(), (422, "invalid_field"));
    }
    let path = format!("/keys/{}/rotate", id(&made.body));
    let next = site.post(&path, json!({"overlap_hours": 1})).await;
    assert_eq!((next.status, &next.body["scopes"]), (201, &json!(["people.read"])));
    assert_eq!(machine.get("/people").await.status, 200, "both work for an hour");
    let old = machine.bearer.replace(next.body["secret"].as_str().expect("a secret").to_owned());
    assert_eq!(machine.get("/people").await.status, 200);
    machine.bearer = old;
    site.wait(3601);
    assert_eq!(machine.get("/people").await.status, 401);
}

#[actix_web::test]
async fn a_key_never_holds_more_than_its_maker() {
    let owner = Site::signed_in().await;
    let role = json!({"name": "robots", "title": "Robots",
        "permissions": ["session.use", "keys.read", "keys.manage", "people.read"]});
    assert_eq!(owner.post("/roles", role).await.status, 201);
    let robots = owner.joined("robots@example.org", "robots").await;
    let all = owner.post("/keys", json!({"name": "all"})).await;
    assert_eq!(all.body["scopes"], json!(["*"]));
    let own = robots.post("/keys", json!({"name": "own"})).await;
    assert_eq!(own.body["scopes"], json!(["keys.manage", "keys.read", "people.read", "session.use"]));
    let more = json!({"name": "more", "scopes": ["people.manage"]});
    assert_eq!(robots.post("/keys", more).await.code(), (403, "forbidden"));
    let taken = robots.post(&format!("/keys/{}/rotate", id(&all.body)), json!({})).await;
    assert_eq!(taken.code(), (403, "forbidden"), "its secret would hold more");
    let operator = json!({"name": "operator", "scopes": ["appliance.tenants"]});
    assert_eq!(robots.post("/keys", operator.clone()).await.status, 403);
    assert_eq!(owner.post("/keys", operator).await.status, 201, "she operates the appliance");
}

#[actix_web::test]
async fn tenants_do_not_know_each_others_people() {
    let site = Site::signed_in().await;
    let acme = site.with_tenant("acme");
    let new = |email: &str, password: &str| NewUser {
        name: "Zoe".into(),
        email: email.into(),
        password: password.into(),
    };
    let other = "quite another lectern";
    site.identity
        .create_user(acme.clone(), Role::OWNER, new("zoe@acme.example", PASSWORD))
        .await
        .expect("makes");
    // The same e-mail as in `main`, with another password and then with the same one.
    site.identity.create_user(acme.clone(), Role::ADMIN, new(EMAIL, other)).await.expect("makes");
    let mut zoe = site.stranger();
    let answer = zoe.post("/session", json!({"email": "zoe@acme.example", "password": PASSWORD})).await;
    assert_eq!((answer.status, &answer.body["tenant"]["id"]), (201, &json!("acme")));
    zoe.take(&answer);
    assert_eq!(zoe.get("/people").await.body["total"], 2);
    let anna = site.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    let nobody = lectern_kernel::UserId::generate();
    let (hidden, none) =
        (zoe.get(&format!("/people/{anna}")).await, zoe.get(&format!("/people/{nobody}")).await);
    assert_eq!((hidden.status, hidden.body["detail"].clone()), (404, none.body["detail"].clone()));
    let sign_in = |password: &str, tenant: Option<&str>| json!({"email": EMAIL, "password": password, "tenant": tenant});
    let answer = site.stranger().post("/session", sign_in(other, None)).await;
    assert_eq!(answer.body["tenant"]["id"], "acme", "the password says which");
    assert_eq!(site.stranger().post("/session", sign_in(other, Some("main"))).await.status, 401);
    assert_eq!(site.stranger().post("/session", sign_in(other, Some("nowhere"))).await.status, 401);
    site.identity.set_password(&acme, EMAIL, PASSWORD.into()).await.expect("sets");
    let both = site.stranger().post("/session", sign_in(PASSWORD, None)).await;
    assert_eq!(
        (both.code(), both.body["errors"].as_array().map(Vec::len)),
        ((409, "choose_tenant"), Some(2))
    );
    let chosen = site.stranger().post("/session", sign_in(PASSWORD, Some("acme"))).await;
    assert_eq!(chosen.body["tenant"]["id"], "acme");
    // A cookie or key that names another tenant opens nothing there.
    let mut moved = site.stranger();
    moved.cookie = site.cookie.as_ref().map(|cookie| cookie.replace("main.", "acme."));
    assert_eq!(moved.get("/session").await.status, 401);
    moved.cookie = Some("nowhere.00".to_owned());
    assert_eq!(moved.get("/session").await.status, 401);
    assert!(!site.stores.folder().join("tenants/nowhere").exists());
}

#[actix_web::test]
async fn a_suspended_tenant_says_why_and_only_to_its_people() {
    let site = Site::signed_in().await;
    let mut record = (*site.stores.record(&TenantId::main()).expect("is there")).clone();
    record.state = TenantState::Suspended;
    record.reason = Some("the contract ended".to_owned());
    site.stores.register(&record).expect("registers");
    let answer = site.get("/session").await;
    assert_eq!(answer.code(), (403, "tenant_suspended"));
    assert!(answer.body["detail"].as_str().expect("text").contains("the contract ended"));
    assert_eq!(site.sign_in(PASSWORD).await.code(), (403, "tenant_suspended"));
    assert_eq!(site.sign_in("wrong password").await.code(), (401, "wrong_credentials"));
    record.state = TenantState::Active;
    site.stores.register(&record).expect("registers");
    assert_eq!(site.get("/session").await.status, 200);
}

#[actix_web::test]
async fn groups_are_in_the_principal_and_what_was_done_is_in_the_record() {
    let owner = Site::signed_in().await;
    let member = owner.joined("mia@example.org", "member").await;
    let mia = member.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    let made = owner.post("/groups", json!({"name": "Team", "kind": "workspace", "members": [mia]})).await;
    assert_eq!((made.status, &made.body["members"]), (201, &json!(1)));
    assert_eq!(owner.post("/groups", json!({"name": " team "})).await.code(), (409, "conflict"));
    assert_eq!(member.get("/me/groups").await.body[0]["name"], "Team");
    let credentials = Credentials { session: member.cookie.clone(), ..Credentials::default() };
    let principal = member.identity.authenticate(credentials).await.expect("is there");
    let names = [mia.clone(), id(&made.body).to_owned()].into();
    assert_eq!(Scope::granted(&principal).sight(), &Sight::Of(names));
    let path = format!("/groups/{}", id(&made.body));
    assert_eq!(owner.patch(&path, json!({"remove": [mia]})).await.body["members"], 0);
    assert_eq!(owner.patch(&path, json!({"add": ["usr_00000000000000000000000000"]})).await.status, 422);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(owner.get(&format!("{path}/members")).await.status, 404);
    let store = owner.stores.tenant(&Scope::system(TenantId::main())).expect("opens");
    let wanted = audit::Wanted { action: Some("group.".to_owned()), ..audit::Wanted::default() };
    let kept = store.db.read_now(|tx| audit::list(tx, &wanted, 10)).expect("reads");
    assert_eq!(kept.len(), 3);
    let last: Value = serde_json::from_str(kept[0].entry.as_deref().expect("text")).expect("JSON");
    assert_eq!((&last["action"], &last["address"]), (&json!("group.deleted"), &json!("10.0.0.1")));
    assert!(last["actor"].as_str().expect("who").starts_with("usr_"));
    assert!(last["request"].as_str().expect("which").starts_with("req_"));
}

#[actix_web::test]
async fn operators_are_made_by_operators_and_one_stays() {
    let owner = Site::signed_in().await;
    let anna = owner.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    assert!(
        owner.get("/session").await.body["permissions"]
            .as_array()
            .expect("a list")
            .contains(&json!("appliance.tenants"))
    );
    assert_eq!(owner.delete(&format!("/operators/{anna}")).await.code(), (409, "conflict"));
    let admin = owner.joined("adam@example.org", "admin").await;
    let adam = admin.get("/session").await.body["user"]["id"].as_str().expect("id").to_owned();
    assert_eq!(
        admin.send(actix_web::http::Method::PUT, &format!("/operators/{adam}"), None).await.status,
        403
    );
    assert_eq!(
        owner.send(actix_web::http::Method::PUT, &format!("/operators/{adam}"), None).await.status,
        204
    );
    assert_eq!(admin.delete(&format!("/operators/{anna}")).await.status, 204);
    assert_eq!(owner.delete(&format!("/operators/{adam}")).await.status, 403, "she is none any more");
}

/// What the first version wrote is read by this one.
#[actix_web::test]
async fn people_and_keys_of_the_first_version_go_on() {
    let site = Site::new();
    let (secret, hash) =
        (format!("lec_{}", "a".repeat(32)), "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA");
    let first: &[Migration] = &CONTROL_MIGRATIONS[..1];
    let folder = tempfile::tempdir().expect("folder");
    let clock = site.clock.clone();
    let old = lectern_store::Database::open(&folder.path().join("control.db"), first, clock.clone())
        .expect("opens");
    old.write_now(|tx| {
        tx.execute(
            "INSERT INTO users (id, tenant_id, name, email, email_key, role, password, created_at, updated_at)
             VALUES ($1, 'main', 'Anna', $2, $2, 'admin', $3, 1, 1)",
            params!["usr_00000000000000000000000001", EMAIL, hash],
        )?;
        tx.execute(
            "INSERT INTO api_keys (id, tenant_id, name, prefix, role, secret_sha256, created_at)
             VALUES ('key_00000000000000000000000001', 'main', 'k', 'lec_aaaaaa', 'admin', $1, 1)",
            params![crate::secret::fingerprint(&secret)],
        )
    })
    .expect("writes");
    drop(old);
    let stores = Stores::open(folder.path(), CONTROL_MIGRATIONS, MIGRATIONS.to_vec(), clock).expect("opens");
    let limits = site.identity.inner.limits.clone();
    let identity = crate::Identity::new(stores, &limits, true, vec!["keys.read"]);
    for _ in 0..2 {
        identity.adopt().await.expect("takes over");
    }
    let people = identity
        .people(&Scope::system(TenantId::main()), crate::PeopleParameters::default())
        .await
        .expect("lists");
    assert_eq!((people.total, people.items[0].role.clone()), (1, Role::OWNER));
    assert!(people.items[0].has_password && !identity.setup_needed().await.expect("reads"));
    let page = lectern_kernel::PageRequest::default();
    let keys = identity.list_keys(&Scope::system(TenantId::main()), &page).await.expect("lists");
    assert_eq!((keys.total, keys.items[0].scopes.clone()), (1, vec!["*".to_owned()]));
    assert_eq!(keys.items[0].created_at, Timestamp(1));
}

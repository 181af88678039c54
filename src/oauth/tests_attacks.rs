//! What an attacker tries, over HTTP.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::testing::{BACK, ISSUER, Known, Site, VERIFIER, challenge, form, new_app, parameters};

#[actix_web::test]
async fn an_injected_code_is_worth_nothing_without_its_verifier() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let good = |code: &str, verifier: &str| {
        vec![
            ("grant_type".to_owned(), "authorization_code".to_owned()),
            ("code".to_owned(), code.to_owned()),
            ("code_verifier".to_owned(), verifier.to_owned()),
        ]
    };
    let other = "x".repeat(43);
    let hashed = challenge(VERIFIER);
    for verifier in [other.as_str(), hashed.as_str(), &VERIFIER[..42], &format!("{VERIFIER} "), "é"] {
        let code = site.code(&app).await;
        let fields = good(&code, verifier);
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(site.token(&app, &fields).await.error(), (400, "invalid_grant"), "{verifier}");
        // There is no second try.
        assert_eq!(site.redeem(&app, &code).await.error(), (400, "invalid_grant"), "{verifier}");
    }
    let code = site.code(&app).await;
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert_eq!(site.token(&app, &fields).await.error(), (400, "invalid_request"));
}

#[actix_web::test]
async fn addresses_that_are_not_registered_are_shown_and_never_gone_to() {
    let site = Site::new();
    let mut body = new_app("public");
    body["redirect_uris"] = json!([BACK, "http://127.0.0.1/back"]);
    let app = site.register("anna", body).await;
    for uri in [
        "https://app.example.org/backdoor",
        "https://app.example.org/back/",
        "https://app.example.org/back/../evil",
        "https://app.example.org/x/../back",
        "https://app.example.org/back?next=https://evil.example",
        "https://app.example.org/back#x",
        "https://app.example.org/back%2f..%2fevil",
        "https://app.example.org/%62ack",
        "https://app.example.org/Back",
        "https://APP.EXAMPLE.ORG/back",
        "HTTPS://app.example.org/back",
        "https://app.example.org./back",
        "https://app.example.org:443/back",
        "https://app.example.org:8443/back",
        "https://app.example.org@evil.example/back",
        "https://app.example.org%40evil.example/back",
        "https://app.example.org\\@evil.example/back",
        "https://user@app.example.org/back",
        "https://app.example.org.evil.example/back",
        "https://evil.example/?https://app.example.org/back",
        "http://app.example.org/back",
        "//app.example.org/back",
        "/back",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://127.0.0.1:5/back/../evil",
        "http://127.0.0.1:5@evil.example/back",
        "http://localhost:5/back",
        "http://127.0.0.1.evil.example/back",
        "https://127.0.0.1/back",
        "https://app.example.org/back\r\nx: y",
        " https://app.example.org/back",
    ] {
        // Each with a mistake that would be told by redirect, and one without.
        for changed in [vec![("redirect_uri", uri)], vec![("redirect_uri", uri), ("response_type", "token")]]
        {
            let query = Site::query(&app, &changed);
            let shown = site.get("anna", &format!("/oauth/authorize?{query}")).await;
            assert_eq!(shown.error(), (400, "invalid_request"), "{uri}");
            assert_eq!(shown.body.get("redirect_to"), None);
            assert_eq!(shown.header("location"), "");
            assert!(!shown.body.to_string().contains("evil"), "{uri}");
            let body = json!({ "query": query, "allow": true });
            assert_eq!(site.post("anna", "/oauth/authorize", body).await.error(), (400, "invalid_request"));
        }
    }
    let twice = format!("{}&{}", Site::query(&app, &[]), form(&[("redirect_uri", "https://evil.example/")]));
    assert_eq!(
        site.get("anna", &format!("/oauth/authorize?{twice}")).await.error(),
        (400, "invalid_request")
    );
    let twice = format!("{}&client_id=main.app_x", Site::query(&app, &[]));
    assert_eq!(
        site.get("anna", &format!("/oauth/authorize?{twice}")).await.error(),
        (400, "invalid_request")
    );
}

#[actix_web::test]
async fn unknown_programs_are_shown_and_lead_nowhere() {
    let site = Site::new();
    let app = site.app("public").await;
    let foreign = site.register("carl", new_app("public")).await;
    for id in ["", "x", "main.app_00000000000000000000000000", &app.id, &foreign.client_id] {
        let query = Site::query(&app, &[("client_id", id)]);
        let shown = site.get("anna", &format!("/oauth/authorize?{query}")).await;
        assert_eq!(shown.error(), (400, "invalid_request"), "{id}");
        assert_eq!(shown.body.get("redirect_to"), None);
    }
}

#[actix_web::test]
async fn a_code_that_comes_twice_ends_what_came_of_it() {
    let site = Site::new();
    for kind in ["confidential", "public"] {
        let app = site.app(kind).await;
        let code = site.code(&app).await;
        let first = site.redeem(&app, &code).await;
        assert_eq!(site.with(&first.text("access_token")).await.status, 200);
        assert_eq!(site.redeem(&app, &code).await.error(), (400, "invalid_grant"));
        assert_eq!(site.with(&first.text("access_token")).await.status, 401);
        assert_eq!(site.refresh(&app, &first.text("refresh_token")).await.error(), (400, "invalid_grant"));
        assert!(site.recorded()[0].contains("app.code_replayed"));
    }
}

#[actix_web::test]
async fn a_late_second_use_of_a_code_is_known_too() {
    let site = Site::new();
    let app = site.app("public").await;
    let code = site.code(&app).await;
    let refresh = site.redeem(&app, &code).await.text("refresh_token");
    site.wait(10 * 24 * 3600);
    site.oauth.sweep(&lectern_kernel::TenantId::main()).await.expect("sweeps");
    let access = site.refresh(&app, &refresh).await.text("access_token");
    assert_eq!(site.redeem(&app, &code).await.error(), (400, "invalid_grant"));
    assert_eq!(site.with(&access).await.status, 401);
}

#[actix_web::test]
async fn a_refresh_token_that_comes_twice_ends_its_family() {
    let site = Site::new();
    let app = site.app("public").await;
    let (other, _) = site.tokens(&app).await;
    let (access, stolen) = site.tokens(&app).await;
    let second = site.refresh(&app, &stolen).await;
    let third = site.refresh(&app, &second.text("refresh_token")).await;
    assert_eq!(site.with(&access).await.status, 200);
    assert_eq!(site.refresh(&app, &stolen).await.error(), (400, "invalid_grant"));
    for token in [&access, &second.text("access_token"), &third.text("access_token")] {
        assert_eq!(site.with(token).await.status, 401);
    }
    assert_eq!(site.refresh(&app, &third.text("refresh_token")).await.error(), (400, "invalid_grant"));
    assert_eq!(site.with(&other).await.status, 200, "another consent's tokens stay");
    assert!(site.recorded().iter().any(|entry| entry.contains("app.token_replayed")));
}

#[actix_web::test]
async fn of_two_refreshes_at_once_one_is_a_theft() {
    let site = Site::new();
    let app = site.app("public").await;
    let (_, refresh) = site.tokens(&app).await;
    let (a, b) = tokio::join!(site.refresh(&app, &refresh), site.refresh(&app, &refresh));
    let mut results = [a.status, b.status];
    results.sort_unstable();
    assert_eq!(results, [200, 400]);
    let winner = if a.status == 200 { a } else { b };
    assert_eq!(site.with(&winner.text("access_token")).await.status, 401);
    assert_eq!(site.refresh(&app, &winner.text("refresh_token")).await.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn every_answer_names_who_gave_it() {
    let site = Site::new();
    let app = site.app("public").await;
    for (allow, changed) in [(true, vec![]), (false, vec![]), (true, vec![("scope", "nothing")])] {
        let body = json!({ "query": Site::query(&app, &changed), "allow": allow });
        let answer = site.post("anna", "/oauth/authorize", body).await;
        assert_eq!(parameters(&answer.text("redirect_to"))["iss"], ISSUER);
    }
    // An app cannot slip in an `iss` of its own choice.
    let query =
        Site::query(&app, &[("iss", "https://evil.example"), ("state", "x&iss=https://evil.example")]);
    let body = json!({ "query": query, "allow": true });
    let to = site.post("anna", "/oauth/authorize", body).await.text("redirect_to");
    assert_eq!(to.matches("iss=").count(), 1, "{to}");
    assert!(to.ends_with("&iss=https%3A%2F%2Flectern.test"), "{to}");
}

#[actix_web::test]
async fn nobody_gives_what_they_do_not_have() {
    let site = Site::new();
    let app = site.app("public").await;
    let query = Site::query(&app, &[("scope", "documents.read documents.write")]);
    let asked = site.get("ben", &format!("/oauth/authorize?{query}")).await;
    let held =
        json!([{ "name": "documents.read", "held": true }, { "name": "documents.write", "held": false }]);
    assert_eq!(asked.body["scopes"], held);
    let body = json!({ "query": query, "allow": true, "scopes": ["documents.read", "documents.write"] });
    let sent = parameters(&site.post("ben", "/oauth/authorize", body).await.text("redirect_to"));
    let answer = site.redeem(&app, &sent["code"]).await;
    assert_eq!(answer.body["scope"], "documents.read");
    // Who is given more later has not allowed that.
    site.holds("ben", Some(&["documents.read", "documents.write", "session.use"]));
    let seen = site.with(&answer.text("access_token")).await;
    assert_eq!(seen.body["rights"], json!(["documents.read"]));
    let refresh = answer.text("refresh_token");
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", "documents.write")];
    assert_eq!(site.token(&app, &fields).await.error(), (400, "invalid_scope"));
    let query = Site::query(&app, &[("scope", "ask.write")]);
    assert_eq!(site.allow("ben", &query).await["error"], "access_denied");
}

#[actix_web::test]
async fn a_refresh_gives_no_more_than_was_allowed() {
    let site = Site::new();
    let app = site.app("public").await;
    let (_, refresh) = site.tokens(&app).await;
    for scope in ["documents.write", "documents.read documents.write", "people.manage", "*"] {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", scope)];
        assert_eq!(site.token(&app, &fields).await.error(), (400, "invalid_scope"), "{scope}");
    }
    assert_eq!(site.refresh(&app, &refresh).await.status, 200, "a refused scope uses nothing up");
}

#[actix_web::test]
async fn codes_and_tokens_of_one_app_are_nothing_to_another() {
    let site = Site::new();
    let (app, other) = (site.app("confidential").await, site.app("confidential").await);
    let (access, refresh) = site.tokens(&app).await;
    for token in [&access, &refresh] {
        let told = site.call(&other, "introspect", &[("token", token)]).await;
        assert_eq!((told.status, &told.body), (200, &json!({ "active": false })));
        let refused = site.call(&other, "revoke", &[("token", token)]).await;
        assert_eq!(refused.error(), (400, "unauthorized_client"));
    }
    assert_eq!(site.refresh(&other, &refresh).await.error(), (400, "invalid_grant"));
    assert_eq!(site.with(&access).await.status, 200);
    assert_eq!(site.refresh(&app, &refresh).await.status, 200);
    let code = site.code(&app).await;
    assert_eq!(site.redeem(&other, &code).await.error(), (400, "invalid_grant"));
    assert_eq!(site.redeem(&app, &code).await.error(), (400, "invalid_grant"), "it was in wrong hands");
    // A code that was redeemed cannot be used by another app to end the tokens.
    let code = site.code(&app).await;
    let answer = site.redeem(&app, &code).await;
    assert_eq!(site.redeem(&other, &code).await.error(), (400, "invalid_grant"));
    assert_eq!(site.with(&answer.text("access_token")).await.status, 200);
}

#[actix_web::test]
async fn a_public_app_gets_nothing_for_itself_and_asks_about_nothing() {
    let site = Site::new();
    let app = site.app("public").await;
    let itself = site.token(&app, &[("grant_type", "client_credentials")]).await;
    assert_eq!(itself.error(), (400, "unauthorized_client"));
    let (access, _) = site.tokens(&app).await;
    let told = site.call(&app, "introspect", &[("token", &access)]).await;
    assert_eq!(told.error(), (401, "invalid_client"));
    let confidential = site.app("confidential").await;
    let nameless = Known { secret: None, ..confidential };
    let itself = site.token(&nameless, &[("grant_type", "client_credentials")]).await;
    assert_eq!(itself.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn wrong_secrets_are_slowed_down_where_they_come_from() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let wrong = Known { secret: Some("lcs_main_guess".to_owned()), ..app.clone() };
    let itself = [("grant_type", "client_credentials")];
    for _ in 0..5 {
        assert_eq!(site.token(&wrong, &itself).await.error(), (401, "invalid_client"));
    }
    let blocked = site.token(&wrong, &itself).await;
    assert_eq!((blocked.error(), blocked.header("retry-after")), ((429, "temporarily_unavailable"), "5"));
    assert_eq!(site.token(&app, &itself).await.status, 429);
    let elsewhere = TestRequest::post()
        .uri("/api/v1/oauth/token")
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .insert_header(("authorization", app.basic()))
        .insert_header(("x-forwarded-for", "10.0.0.2"))
        .set_payload(form(&itself));
    assert_eq!(site.send(elsewhere).await.status, 429, "what a client claims of its address is nothing");
    let other = site.app("confidential").await;
    assert_eq!(site.token(&other, &itself).await.status, 200);
    site.wait(5);
    assert_eq!(site.token(&app, &itself).await.status, 200);
}

#[actix_web::test]
async fn a_decision_needs_the_session_and_its_csrf_token() {
    let site = Site::new();
    let app = site.app("public").await;
    let device = site.call(&app, "device_authorization", &[]).await;
    let decisions = [
        ("/api/v1/oauth/authorize", json!({ "query": Site::query(&app, &[]), "allow": true })),
        ("/api/v1/oauth/device", json!({ "user_code": device.text("user_code"), "allow": true })),
    ];
    for (path, body) in decisions {
        let request = || TestRequest::post().uri(path).set_json(body.clone());
        assert_eq!(site.send(request()).await.status, 401);
        let forged = request().insert_header(("cookie", "lectern_session=anna"));
        assert_eq!(site.send(forged).await.error(), (403, "csrf_missing"));
        let forged = forged_with(request(), "csrf-ben");
        assert_eq!(site.send(forged).await.error(), (403, "csrf_missing"));
        // A form of another site cannot be JSON.
        let form = TestRequest::post()
            .uri(path)
            .insert_header(("cookie", "lectern_session=anna"))
            .insert_header(("x-csrf-token", "csrf-anna"))
            .insert_header(("content-type", "text/plain"))
            .set_payload(body.to_string());
        assert_eq!(site.send(form).await.status, 415);
        let unsafe_get = TestRequest::get()
            .uri(&format!("{path}?{}&allow=true", Site::query(&app, &[])))
            .insert_header(("cookie", "lectern_session=anna"));
        assert_eq!(site.send(unsafe_get).await.body.get("redirect_to"), None);
    }
    assert_eq!(site.get("anna", "/me/apps").await.body, json!([]));
}

fn forged_with(request: TestRequest, csrf: &'static str) -> TestRequest {
    request.insert_header(("cookie", "lectern_session=anna")).insert_header(("x-csrf-token", csrf))
}

#[actix_web::test]
async fn a_token_or_key_allows_no_app_anything() {
    let site = Site::new();
    let app = site.app("public").await;
    let (access, _) = site.tokens(&app).await;
    let device = site.call(&app, "device_authorization", &[]).await.text("user_code");
    let query = Site::query(&app, &[("scope", "documents.write")]);
    for bearer in [access.as_str(), "key"] {
        let requests = [
            TestRequest::get().uri(&format!("/api/v1/oauth/authorize?{query}")),
            TestRequest::post()
                .uri("/api/v1/oauth/authorize")
                .set_json(json!({ "query": query, "allow": true })),
            TestRequest::get().uri(&format!("/api/v1/oauth/device?user_code={device}")),
            TestRequest::post()
                .uri("/api/v1/oauth/device")
                .set_json(json!({ "user_code": device, "allow": true })),
            TestRequest::get().uri("/api/v1/me/apps"),
            TestRequest::delete().uri(&format!("/api/v1/me/apps/{}", app.id)),
        ];
        for request in requests {
            let request = request.insert_header(("authorization", format!("Bearer {bearer}")));
            assert_eq!(site.send(request).await.error(), (403, "forbidden"));
        }
    }
}

#[actix_web::test]
async fn nothing_of_it_goes_into_a_frame_or_a_cache() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let query = Site::query(&app, &[]);
    let device = site.call(&app, "device_authorization", &[]).await;
    let metadata = TestRequest::get().uri("/.well-known/oauth-authorization-server");
    let answers = [
        site.get("anna", &format!("/oauth/authorize?{query}")).await,
        site.post("anna", "/oauth/authorize", json!({ "query": query, "allow": false })).await,
        site.get("anna", &format!("/oauth/device?user_code={}", device.text("user_code"))).await,
        site.token(&app, &[("grant_type", "client_credentials")]).await,
        site.token(&app, &[("grant_type", "password")]).await,
        site.send(metadata).await,
    ];
    for answer in answers {
        assert_eq!(answer.header("x-frame-options"), "DENY", "{}", answer.body);
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[actix_web::test]
async fn tokens_and_codes_of_another_tenant_are_nothing_here() {
    let site = Site::new();
    let ours = site.app("confidential").await;
    let theirs = site.register("carl", new_app("confidential")).await;
    let query = Site::query(&theirs, &[]);
    let code = site.allow("carl", &query).await.remove("code").expect("a code");
    assert_eq!(site.redeem(&ours, &code).await.error(), (400, "invalid_grant"));
    let answer = site.redeem(&theirs, &code).await;
    assert_eq!(answer.status, 200, "another tenant's app cannot burn a code");
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    assert_eq!(site.with(&access).await.body["tenant"], "other");
    assert_eq!(site.refresh(&ours, &refresh).await.error(), (400, "invalid_grant"));
    for token in [&access, &refresh] {
        let told = site.call(&ours, "introspect", &[("token", token)]).await;
        assert_eq!(told.body, json!({ "active": false }));
        assert_eq!(site.call(&ours, "revoke", &[("token", token)]).await.status, 200);
    }
    assert_eq!(site.with(&access).await.status, 200);
    // A token that says it belongs to another tenant has a wrong checksum.
    let moved = access.replacen("other", "main", 1);
    assert_eq!(site.with(&moved).await.error(), (401, "unauthenticated"));
    let nowhere = crate::secret::Kind::Access.make(&"nowhere".parse().expect("a name")).expect("random");
    assert_eq!(site.with(&nowhere).await.error(), (401, "unauthenticated"));
    assert!(!site.stores.folder().join("tenants/nowhere").exists());
    let ghost = Known { client_id: "nowhere.app_00000000000000000000000000".to_owned(), ..ours };
    let itself = site.token(&ghost, &[("grant_type", "client_credentials")]).await;
    assert_eq!(itself.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn one_kind_of_secret_is_no_other() {
    let site = Site::new();
    let app = site.app("confidential").await;
    let (access, refresh) = site.tokens(&app).await;
    let code = site.code(&app).await;
    let secret = app.secret.clone().expect("a secret");
    for wrong in [&refresh, &code, &secret] {
        assert_eq!(site.with(wrong).await.status, 401);
    }
    for wrong in [&access, &refresh, &secret] {
        assert_eq!(site.redeem(&app, wrong).await.error(), (400, "invalid_grant"));
    }
    for wrong in [&access, &code, &secret] {
        assert_eq!(site.refresh(&app, wrong).await.error(), (400, "invalid_grant"));
    }
    assert_eq!(site.browser("anna", Method::GET, "/me/apps", None).await.status, 200);
}

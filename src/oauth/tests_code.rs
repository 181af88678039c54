//! Consent, codes and PKCE over HTTP.

use serde_json::json;

use crate::Issuer;
use crate::testing::{BACK, ISSUER, Site, VERIFIER, challenge, new_app, parameters};

#[actix_web::test]
async fn a_person_allows_an_app_and_it_acts_for_them() {
    let site = Site::new();
    for kind in ["confidential", "public"] {
        let app = site.app(kind).await;
        let query = Site::query(&app, &[]);
        let asked = site.get("anna", &format!("/oauth/authorize?{query}")).await;
        assert_eq!((asked.status, asked.text("outcome").as_str()), (200, "ask"), "{}", asked.body);
        assert_eq!(asked.body["app"]["name"], "Reader");
        assert_eq!(asked.body["app"]["proves_itself"], kind == "confidential");
        assert_eq!(asked.body["user"], json!(site.anna));
        assert_eq!(asked.body["remembered"], false);
        let sent = site.allow("anna", &query).await;
        assert_eq!((sent["state"].as_str(), sent["iss"].as_str()), ("a b&c", ISSUER));
        let answer = site.redeem(&app, &sent["code"]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["expires_in"], 3600);
        assert_eq!(answer.body["scope"], "ask.write documents.read");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));

        let seen = site.with(&answer.text("access_token")).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        assert_eq!(seen.body["user"], json!(site.anna));
        assert_eq!(seen.body["rights"], json!(["ask.write", "documents.read"]));
        assert_eq!(seen.body["groups"], json!([site.group]));
        assert!(seen.text("actor").starts_with("key_"));
        site.wait(3600);
        assert_eq!(site.with(&answer.text("access_token")).await.error(), (401, "unauthenticated"));
    }
}

#[actix_web::test]
async fn a_consent_is_remembered_by_person_app_and_scopes() {
    let site = Site::new();
    let mut body = new_app("public");
    body["redirect_uris"] = json!([BACK, "http://127.0.0.1/back", "org.example.app:/back"]);
    let app = site.register("anna", body).await;
    let remembered = async |who: &str, changed: &[(&str, &str)]| {
        let query = Site::query(&app, changed);
        let asked = site.get(who, &format!("/oauth/authorize?{query}")).await;
        asked.body["remembered"].as_bool().unwrap_or_else(|| panic!("{}", asked.body))
    };
    assert!(!remembered("anna", &[]).await);
    site.code(&app).await;
    assert!(remembered("anna", &[]).await);
    assert!(remembered("anna", &[("scope", "ask.write")]).await);
    assert!(!remembered("anna", &[("scope", "ask.write documents.write")]).await);
    assert!(!remembered("ben", &[]).await);
    // Another program of the machine can take these addresses.
    assert!(!remembered("anna", &[("redirect_uri", "http://127.0.0.1:5000/back")]).await);
    assert!(!remembered("anna", &[("redirect_uri", "org.example.app:/back")]).await);
}

#[actix_web::test]
async fn native_apps_come_back_on_any_port_or_by_their_scheme() {
    let site = Site::new();
    let mut body = new_app("public");
    body["redirect_uris"] = json!(["http://127.0.0.1/back", "org.example.app:/back"]);
    let app = site.register("anna", body).await;
    for uri in ["http://127.0.0.1:51004/back", "org.example.app:/back"] {
        let query = Site::query(&app, &[("redirect_uri", uri)]);
        let answer = site.post("anna", "/oauth/authorize", json!({ "query": query, "allow": true })).await;
        let to = answer.text("redirect_to");
        assert!(to.starts_with(&format!("{uri}?code=lac_main_")), "{to}");
        let code = parameters(&to).remove("code").expect("a code");
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", uri),
            ("code_verifier", VERIFIER),
        ];
        assert_eq!(site.token(&app, &fields).await.status, 200);
    }
}

#[actix_web::test]
async fn the_only_address_need_not_be_named() {
    let site = Site::new();
    let app = site.app("public").await;
    let query = Site::query(&app, &[("redirect_uri", "")]);
    let code = site.allow("anna", &query).await.remove("code").expect("a code");
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    assert_eq!(site.token(&app, &fields).await.status, 200);
    let mut body = new_app("public");
    body["redirect_uris"] = json!([BACK, "https://app.example.org/two"]);
    let two = site.register("anna", body).await;
    let query = Site::query(&two, &[("redirect_uri", "")]);
    let answer = site.get("anna", &format!("/oauth/authorize?{query}")).await;
    assert_eq!(answer.error(), (400, "invalid_request"));
}

#[actix_web::test]
async fn wrong_requests_are_told_at_the_registered_address() {
    let site = Site::new();
    let app = site.app("public").await;
    let plain = challenge(VERIFIER);
    let long = "x".repeat(2001);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", &plain[1..])], "invalid_request"),
        (&[("code_challenge", VERIFIER), ("code_challenge_method", "s256")], "invalid_request"),
        (&[("scope", "documents.read people.manage")], "invalid_scope"),
        (&[("scope", "*")], "invalid_scope"),
        (&[("scope", "appliance.tenants")], "invalid_scope"),
        (&[("resource", "https://elsewhere.example/")], "invalid_target"),
        (&[("resource", "https://lectern.test.evil.example/")], "invalid_target"),
        (&[("state", &long)], "invalid_request"),
    ];
    for (changed, error) in cases {
        let query = Site::query(&app, changed);
        let told = site.get("anna", &format!("/oauth/authorize?{query}")).await;
        assert_eq!((told.status, told.text("outcome").as_str()), (200, "refused"), "{changed:?}");
        let to = told.text("redirect_to");
        assert!(to.starts_with(&format!("{BACK}?error={error}&")), "{changed:?} {to}");
        assert_eq!(parameters(&to)["iss"], ISSUER);
        let sent = site.allow("anna", &query).await;
        assert_eq!((sent["error"].as_str(), sent.contains_key("code")), (*error, false), "{changed:?}");
    }
    let query = format!("{}&state=two", Site::query(&app, &[]));
    assert_eq!(site.allow("anna", &query).await["error"], "invalid_request");
    let ours = Site::query(&app, &[("resource", "https://lectern.test/api/v1")]);
    assert!(site.allow("anna", &ours).await.contains_key("code"));
}

#[actix_web::test]
async fn who_denies_gives_no_code() {
    let site = Site::new();
    let app = site.app("public").await;
    let body = json!({ "query": Site::query(&app, &[]), "allow": false });
    let sent = parameters(&site.post("anna", "/oauth/authorize", body).await.text("redirect_to"));
    assert_eq!((sent["error"].as_str(), sent["state"].as_str()), ("access_denied", "a b&c"));
    assert_eq!(sent["iss"], ISSUER);
    assert!(!sent.contains_key("code"));
    assert_eq!(site.get("anna", "/me/apps").await.body, json!([]));
}

#[actix_web::test]
async fn a_person_may_leave_some_of_it_out() {
    let site = Site::new();
    let app = site.app("public").await;
    let query = Site::query(&app, &[]);
    let body = json!({ "query": query, "allow": true, "scopes": ["ask.write"] });
    let sent = parameters(&site.post("anna", "/oauth/authorize", body).await.text("redirect_to"));
    let answer = site.redeem(&app, &sent["code"]).await;
    assert_eq!(answer.body["scope"], "ask.write");
    assert_eq!(site.with(&answer.text("access_token")).await.error(), (403, "forbidden"));
    let body = json!({ "query": query, "allow": true, "scopes": ["people.manage"] });
    assert_eq!(site.post("anna", "/oauth/authorize", body).await.error(), (422, "invalid_field"));
}

#[actix_web::test]
async fn a_code_lives_for_a_minute() {
    let site = Site::new();
    let app = site.app("public").await;
    let (first, second) = (site.code(&app).await, site.code(&app).await);
    site.wait(59);
    assert_eq!(site.redeem(&app, &first).await.status, 200);
    site.wait(1);
    assert_eq!(site.redeem(&app, &second).await.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn an_app_without_a_way_may_not_take_it() {
    let site = Site::new();
    let mut body = new_app("confidential");
    body["grants"] = json!(["client_credentials"]);
    let app = site.register("anna", body).await;
    let sent = site.allow("anna", &Site::query(&app, &[])).await;
    assert_eq!(sent["error"], "unauthorized_client");
    assert_eq!(site.redeem(&app, "x").await.error(), (400, "unauthorized_client"));
    let device = site.call(&app, "device_authorization", &[]).await;
    assert_eq!(device.error(), (400, "unauthorized_client"));
    let mut body = new_app("public");
    body["grants"] = json!(["authorization_code"]);
    let once = site.register("anna", body).await;
    let code = site.code(&once).await;
    let answer = site.redeem(&once, &code).await;
    assert_eq!((answer.status, answer.body.get("refresh_token")), (200, None));
}

#[actix_web::test]
async fn the_server_describes_itself_by_a_name_that_is_its_own() {
    let request = |host: &str| {
        actix_web::test::TestRequest::get()
            .uri("/.well-known/oauth-authorization-server")
            .insert_header(("host", host.to_owned()))
            .insert_header(("x-forwarded-host", "evil.example"))
    };
    let fixed = Site::new();
    let told = fixed.send(request("evil.example")).await;
    assert_eq!(told.text("issuer"), ISSUER);
    assert_eq!(told.text("authorization_endpoint"), "https://lectern.test/oauth/authorize");
    assert_eq!(told.text("token_endpoint"), "https://lectern.test/api/v1/oauth/token");
    assert_eq!(told.body["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(told.body["response_types_supported"], json!(["code"]));
    assert_eq!(told.body["authorization_response_iss_parameter_supported"], true);
    let scopes = told.body["scopes_supported"].to_string();
    assert!(
        scopes.contains("documents.read") && !scopes.contains("appliance") && !scopes.contains("session")
    );
    let own = Site::with_issuer(Issuer::Own { https: true, names: vec!["lectern.site".to_owned()] });
    assert_eq!(own.send(request("lectern.site:8443")).await.text("issuer"), "https://lectern.site:8443");
    let forged = own.send(request("evil.example")).await;
    assert_eq!(forged.error(), (400, "invalid_request"));
    assert!(!forged.body.to_string().contains("evil"));
}

//! The description of the API, and every route of it without rights.

use lectern_testkit::TestApp;

use crate::LECTERN;

/// What anybody may call.
const OPEN: &[(&str, &str)] = &[
    ("/setup", "get"),
    ("/setup", "post"),
    ("/session", "post"),
    ("/invitations/offer", "post"),
    ("/invitations/accept", "post"),
    ("/session/passkey", "post"),
    ("/session/passkey/options", "post"),
    ("/session/oidc/callback", "get"),
    ("/session/oidc/{id}/begin", "post"),
    ("/sign-in/options", "get"),
    ("/oauth/token", "post"),
    ("/oauth/device_authorization", "post"),
    ("/oauth/introspect", "post"),
    ("/oauth/revoke", "post"),
];

#[test]
fn every_described_route_asks_who_is_there() {
    let app = TestApp::start(LECTERN);
    let nobody = app.anonymous();
    let described = nobody.get("/openapi.json").expect(200);
    let mut walked = 0;
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["operationId"].is_string(), "{method} {path} has a name");
            if OPEN.contains(&(path.as_str(), method.as_str()))
                || !path.starts_with('/')
                || path.starts_with("/healthz")
                || path.starts_with("/readyz")
            {
                continue;
            }
            let address = path.replace("{id}", "doc_00000000000000000000000000");
            let request = nobody
                .request(&method.to_uppercase(), &address)
                .header("content-type", "application/json")
                .body("{}");
            let answer = nobody.send(request);
            // SCIM has a form of its own for refusals.
            if path.starts_with("/scim/") {
                assert_eq!(answer.expect(401)["status"], "401", "{method} {path}");
            } else {
                assert_eq!(answer.problem(401), "unauthenticated", "{method} {path}");
            }
            walked += 1;
        }
    }
    assert!(walked > 25, "{walked} routes");
}

#[test]
fn the_described_api_is_the_one_in_the_docs() {
    let written = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let output = lectern_testkit::lectern(LECTERN).arg("openapi").output().unwrap();
    let current = String::from_utf8(output.stdout).unwrap();
    let kept = std::fs::read_to_string(&written).unwrap_or_default();
    assert!(kept.trim() == current.trim(), "run `lectern openapi > docs/openapi.json`");
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    fn references(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(object) => {
                out.extend(object.get("$ref").and_then(|r| r.as_str()).map(str::to_owned));
                object.values().for_each(|v| references(v, out));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|v| references(v, out)),
            _ => {}
        }
    }
    let output = lectern_testkit::lectern(LECTERN).arg("openapi").output().unwrap();
    let described: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = Vec::new();
    references(&described, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(described.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn the_page_is_served_with_a_strict_policy() {
    let app = TestApp::start(LECTERN);
    let page = app.anonymous().get("//");
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(app.anonymous().get("/nothing/here").problem(404), "not_found");
}

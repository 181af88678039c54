//! The answers of the API about documents and collections that are not seen: byte for byte those about what does not
//! exist, apart from ids.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{App, middleware::from_fn, test as http};
use async_trait::async_trait;
use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{Actor, Code, DocumentId, Error, KeyId, Principal, Result, TenantId};
use serde_json::{Value, json};

use crate::testing::{Person, Site};

/// Lets those in whom it knows, by the id of the person as bearer, and one who may do everything as `admin`.
struct Known(Vec<Person>);

#[async_trait]
impl Authenticate for Known {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let bearer = credentials.bearer.unwrap_or_default();
        if bearer == "admin" {
            let actor = Actor::Key { id: KeyId::generate() };
            return Ok(Principal::unlimited(TenantId::main(), None, actor));
        }
        let person = self.0.iter().find(|person| person.user.as_str() == bearer);
        person.map(Person::principal).ok_or_else(|| Error::new(Code::Unauthenticated, "Nobody."))
    }
}

struct Client<'a> {
    site: &'a Site,
    known: Arc<dyn Authenticate>,
}

impl Client<'_> {
    async fn send(&self, who: &str, method: &Method, path: &str, body: &Value) -> (StatusCode, String) {
        let app = App::new()
            .wrap(from_fn(lectern_edge::watch))
            .app_data(Data::from(self.known.clone()))
            .app_data(Data::new(self.site.documents.clone()))
            .configure(crate::feature().routes);
        let app = http::init_service(app).await;
        let bearer = ("authorization", format!("Bearer {who}"));
        let mut request = http::TestRequest::default().method(method.clone()).uri(path).insert_header(bearer);
        if !body.is_null() {
            request = request.set_json(body);
        }
        let response = http::call_service(&app, request.to_request()).await;
        let status = response.status();
        let body = String::from_utf8(http::read_body(response).await.to_vec()).expect("UTF-8");
        (status, without_request_id(&body))
    }

    async fn ok(&self, who: &str, method: Method, path: &str, body: Value) -> Value {
        let (status, text) = self.send(who, &method, path, &body).await;
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn without_request_id(body: &str) -> String {
    match body.split_once("\"request_id\":\"req_") {
        Some((before, after)) => format!("{before}{}", &after[after.find('"').unwrap_or(0)..]),
        None => body.to_owned(),
    }
}

/// Every request about one document.
fn about_document(subject: &str) -> Vec<(Method, &'static str, Value)> {
    let entries = json!({ "entries": [{ "subject": subject, "may": "write" }] });
    vec![
        (Method::GET, "/documents/ID", Value::Null),
        (Method::PATCH, "/documents/ID", json!({ "title": "x" })),
        (Method::PATCH, "/documents/ID", json!({ "collection": "x" })),
        (Method::DELETE, "/documents/ID", Value::Null),
        (Method::GET, "/documents/ID/original", Value::Null),
        (Method::GET, "/documents/ID/text", Value::Null),
        (Method::POST, "/documents/ID/retry", json!({ "password": "x" })),
        (Method::GET, "/documents/ID/access", Value::Null),
        (Method::PUT, "/documents/ID/access", entries),
        (Method::DELETE, "/documents/ID/access", Value::Null),
        (Method::POST, "/documents/bulk", json!({ "action": "delete", "ids": ["ID"] })),
        (Method::POST, "/documents/bulk", json!({ "action": "retry", "ids": ["ID"] })),
        (Method::POST, "/documents/bulk", json!({ "action": "add_tags", "ids": ["ID"], "tags": ["x"] })),
        (Method::POST, "/documents/bulk", json!({ "action": "set_collection", "ids": ["ID"] })),
        (Method::GET, "/search?q=alpha&facets=true&document=ID", Value::Null),
    ]
}

/// Every request about one collection.
fn about_collection(subject: &str) -> Vec<(Method, &'static str, Value)> {
    let set = json!({ "access": "listed", "entries": [{ "subject": subject, "may": "write" }] });
    vec![
        (Method::GET, "/collections/NAME/access", Value::Null),
        (Method::PUT, "/collections/NAME/access", set),
        (Method::GET, "/documents?collection=NAME", Value::Null),
        (Method::GET, "/search?q=alpha&facets=true&collection=NAME", Value::Null),
        (Method::GET, "/search?q=alpha%20collection:NAME&facets=true", Value::Null),
    ]
}

/// Without the time that a search took.
fn timeless(body: String) -> String {
    match serde_json::from_str::<Value>(&body) {
        Ok(mut value) if value.get("took_ms").is_some() => {
            value["took_ms"] = Value::Null;
            value.to_string()
        }
        _ => body,
    }
}

#[actix_web::test]
async fn what_is_hidden_answers_like_what_does_not_exist() {
    let site = Site::new();
    let (anna, ben) = (Person::new(&[]), Person::new(&[]));
    let known: Arc<dyn Authenticate> = Arc::new(Known(vec![anna.clone(), ben.clone()]));
    let client = Client { site: &site, known };
    let (anna, ben) = (anna.user.as_str(), ben.user.as_str());
    let hidden = site.add("Plan", Some("Board"), "alpha");
    let single = site.add("Memo", None, "alpha");
    let entries = json!([{ "subject": anna, "may": "write" }]);
    let list = json!({ "access": "listed", "entries": entries });
    client.ok("admin", Method::PUT, "/collections/Board/access", list).await;
    let list = json!({ "entries": entries });
    client.ok(anna, Method::PUT, &format!("/documents/{single}/access"), list).await;
    let never = DocumentId::generate();
    for id in [&hidden, &single] {
        for (method, path, body) in about_document(ben) {
            let ask = |id: &DocumentId| {
                let path = path.replace("ID", id.as_str());
                let body: Value =
                    serde_json::from_str(&body.to_string().replace("\"ID\"", &format!("\"{id}\""))).unwrap();
                (path, body)
            };
            let ((one, one_body), (other, other_body)) = (ask(id), ask(&never));
            let (status, text) = client.send(ben, &method, &one, &one_body).await;
            let (missing, expected) = client.send(ben, &method, &other, &other_body).await;
            assert_eq!(status, missing, "{method} {path}");
            assert_eq!(
                timeless(text.replace(id.as_str(), never.as_str())),
                timeless(expected),
                "{method} {path}"
            );
            assert!(status == StatusCode::NOT_FOUND || !path.contains("/ID"), "{method} {path}: {status}");
        }
        let there = client.ok(anna, Method::GET, &format!("/documents/{id}"), Value::Null).await;
        assert_eq!(there["id"], id.as_str(), "nothing was changed");
    }
    for (method, path, body) in about_collection(ben) {
        let (status, text) = client.send(ben, &method, &path.replace("NAME", "Board"), &body).await;
        let (missing, expected) = client.send(ben, &method, &path.replace("NAME", "Nowhere"), &body).await;
        assert_eq!((status, timeless(text)), (missing, timeless(expected)), "{method} {path}");
    }
    let collections = client.ok(ben, Method::GET, "/collections", Value::Null).await;
    assert_eq!(collections, json!({ "items": [], "next_cursor": null, "total": 0 }));
    for path in ["/index/check", "/index/rebuild"] {
        let (status, _) = client.send(ben, &Method::POST, path, &json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
}

#[actix_web::test]
async fn names_in_the_address_are_decoded_once_and_bounded() {
    let site = Site::new();
    let client = Client { site: &site, known: Arc::new(Known(Vec::new())) };
    for (name, path) in [
        ("a/b ü%", "a%2Fb%20%C3%BC%25"),
        ("50%25", "50%2525"),
        ("a+b", "a+b"),
        ("plain", "plain"),
        ("who? #1", "who%3F%20%231"),
    ] {
        let made = client.ok("admin", Method::POST, "/collections", json!({ "name": name })).await;
        assert_eq!((made["name"].as_str(), made["access"].as_str()), (Some(name), Some("everyone")));
        let path = format!("/collections/{path}/access");
        let access = client.ok("admin", Method::GET, &path, Value::Null).await;
        assert_eq!(access, json!({ "name": name, "access": "everyone", "entries": [] }));
    }
    let (status, missing) =
        client.send("admin", &Method::GET, "/collections/none/access", &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for odd in ["%00", "%ff%fe", "%0a", &"x".repeat(101), &"%C3%BC".repeat(2000), "%20"] {
        let path = format!("/collections/{odd}/access");
        let answer = client.send("admin", &Method::GET, &path, &Value::Null).await;
        assert_eq!(answer, (StatusCode::NOT_FOUND, missing.clone()), "{odd}");
    }
}

#[actix_web::test]
async fn lists_are_checked() {
    let site = Site::new();
    let client = Client { site: &site, known: Arc::new(Known(Vec::new())) };
    let id = site.add("Plan", Some("Board"), "alpha");
    let person = Person::new(&[]).user;
    let entry = |subject: &str| json!({ "subject": subject, "may": "read" });
    let many: Vec<Value> = (0..1001).map(|_| entry(Person::new(&[]).user.as_str())).collect();
    for entries in [
        json!([entry("anna@example.org")]),
        json!([entry("doc_01jb0000000000000000000000")]),
        json!([entry(person.as_str()), entry(person.as_str())]),
        json!([{ "subject": person, "may": "own" }]),
        json!(many),
    ] {
        for path in [format!("/documents/{id}/access"), "/collections/Board/access".to_owned()] {
            let mut body = json!({ "entries": entries });
            if path.starts_with("/collections") {
                body["access"] = json!("listed");
            }
            let (status, text) = client.send("admin", &Method::PUT, &path, &body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        }
    }
    let body = json!({ "access": "everyone", "entries": [entry(person.as_str())] });
    let (status, _) = client.send("admin", &Method::PUT, "/collections/Board/access", &body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        let (status, _) = client.send("admin", &Method::POST, "/collections", &json!({ "name": name })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (status, _) = client.send("nobody", &Method::GET, "/collections", &Value::Null).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

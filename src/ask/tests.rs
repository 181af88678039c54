//! The area over HTTP and as a service, without a model.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{App, middleware::from_fn, test as http};
use async_trait::async_trait;
use lectern_kernel::ports::{Answers, Authenticate, Report};
use lectern_kernel::{Result, TurnId, UserId};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::testing::{Bearer, Fixture, PUMP};
use crate::{Ask, AskEvent, Mode, NewQuestion, TurnView};

struct Reply {
    status: StatusCode,
    kind: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

/// One request; `body` null sends none, `user` empty is nobody in particular.
async fn send(ask: &Ask, method: Method, path: &str, body: Value, accept: &str, user: &str) -> Reply {
    let bearer: Arc<dyn Authenticate> = Arc::new(Bearer);
    let app = App::new()
        .wrap(from_fn(lectern_edge::watch))
        .app_data(Data::from(bearer))
        .app_data(Data::new(ask.clone()))
        .configure(crate::feature().routes);
    let app = http::init_service(app).await;
    let mut request = http::TestRequest::default().method(method).uri(path).insert_header(("accept", accept));
    if !user.is_empty() {
        request = request.insert_header(("authorization", format!("Bearer {user}")));
    }
    if !body.is_null() {
        request = request.set_json(body);
    }
    let response = http::call_service(&app, request.to_request()).await;
    let status = response.status();
    let kind =
        response.headers().get("content-type").map(|kind| kind.to_str().unwrap_or_default().to_owned());
    let body = String::from_utf8(http::read_body(response).await.to_vec()).expect("UTF-8");
    Reply { status, kind: kind.unwrap_or_default(), body }
}

async fn call(ask: &Ask, method: Method, path: &str, body: Value) -> Reply {
    send(ask, method, path, body, "application/json", "").await
}

async fn question(ask: &Ask, body: Value) -> Value {
    let reply = call(ask, Method::POST, "/ask", body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.json()
}

async fn asked(fixture: &Fixture, text: &str) -> (TurnView, Vec<AskEvent>) {
    let request = NewQuestion { question: text.to_owned(), ..NewQuestion::default() };
    let mut events = Vec::new();
    let stop = CancellationToken::new();
    let turn = fixture.ask.ask(&fixture.scope, request, &stop, &mut |event| events.push(event)).await;
    (turn.expect("answers"), events)
}

#[actix_web::test]
async fn an_exact_sentence_with_its_place() {
    let fixture = Fixture::new(None);
    let turn =
        question(&fixture.ask, json!({ "question": "How many litres does the hydraulic pump hold?" })).await;
    assert_eq!(turn["mode"], "extractive");
    assert_eq!(turn["answered"], true);
    assert_eq!(turn["answer"], "The hydraulic pump holds 40 litres of oil. [1]");
    assert_eq!(
        turn["sentences"][0],
        json!({"index": 0, "text": "The hydraulic pump holds 40 litres of oil.", "citations": [1]})
    );
    let citation = &turn["citations"][0];
    assert_eq!(
        (&citation["n"], &citation["title"], &citation["type"]),
        (&json!(1), &json!("Pump manual"), &json!("pdf"))
    );
    assert_eq!(
        (&citation["start"], &citation["end"], &citation["page"]),
        (&json!(1000), &json!(1042), &json!(4))
    );
    assert_eq!(citation["quote"], "The hydraulic pump holds 40 litres of oil.");
    assert_eq!(turn["trace"]["retrieve_ms"], 1.3);
    assert_eq!(turn["trace"]["first_token_ms"], Value::Null);
    assert_eq!((&turn["notice"], &turn["dropped_citations"]), (&Value::Null, &json!(0)));
    let again =
        call(&fixture.ask, Method::GET, &format!("/ask/{}", turn["turn"].as_str().expect("id")), Value::Null)
            .await;
    assert_eq!(again.json(), turn);
}

#[actix_web::test]
async fn events_come_in_order() {
    let fixture = Fixture::new(None);
    let body =
        json!({ "question": "Which oil does the hydraulic pump hold, and who designed the Eiffel Tower?" });
    let reply = send(&fixture.ask, Method::POST, "/ask", body, "text/event-stream", "").await;
    assert_eq!((reply.status, reply.kind.as_str()), (StatusCode::OK, "text/event-stream; charset=utf-8"));
    let names: Vec<&str> = reply.body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(
        names,
        ["retrieval", "citation", "token", "sentence", "citation", "token", "sentence", "done"]
    );
    let data: Vec<Value> = reply
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect();
    assert_eq!((&data[0]["mode"], data[0]["hits"].as_array().map(Vec::len)), (&json!("extractive"), Some(2)));
    assert_eq!(data[0]["turn"], data[7]["turn"]);
    assert_eq!(data[7]["citations"].as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn the_documents_do_not_tell() {
    let fixture = Fixture::new(None);
    let turn = question(&fixture.ask, json!({ "question": "Wer ist der König von Atlantis?" })).await;
    assert_eq!((&turn["answered"], &turn["mode"]), (&json!(false), &json!("none")));
    assert_eq!(turn["answer"], "Das steht nicht in den Dokumenten.");
    *fixture.documents.unsure.lock() = true;
    let turn = question(&fixture.ask, json!({ "question": "Is the pump green?" })).await;
    assert_eq!((&turn["answered"], &turn["answer"]), (&json!(false), &json!("The documents do not tell.")));
    assert_eq!(turn["nearest"][0]["title"], "Pump manual");
    assert_eq!(turn["nearest"][0]["snippet"], PUMP);
    assert_eq!(turn["citations"], json!([]));
}

/// One document is another since it was indexed.
struct Vanishing(Arc<crate::testing::FakeDocuments>, lectern_kernel::DocumentId);
#[async_trait]
impl lectern_kernel::ports::Retrieve for Vanishing {
    async fn retrieve(
        &self,
        scope: &lectern_kernel::Scope,
        request: lectern_kernel::ports::RetrieveRequest,
    ) -> Result<lectern_kernel::ports::Retrieved> {
        self.0.retrieve(scope, request).await
    }
    async fn quote(
        &self,
        scope: &lectern_kernel::Scope,
        document: &lectern_kernel::DocumentId,
        start: u32,
        end: u32,
    ) -> Result<Option<String>> {
        if *document == self.1 {
            return Ok(Some("other words".to_owned()));
        }
        self.0.quote(scope, document, start, end).await
    }
}

#[actix_web::test]
async fn a_quote_that_is_no_longer_there_is_dropped_and_said() {
    let fixture = Fixture::new(None);
    let gone = fixture.documents.passages.lock()[0].document.clone();
    let mut fixture = fixture;
    fixture.ask.retrieve = Arc::new(Vanishing(fixture.documents.clone(), gone));
    let (turn, _) = asked(&fixture, "Does the hydraulic pump stand on the Eiffel Tower?").await;
    assert_eq!((turn.mode, turn.dropped_citations, turn.citations.len()), (Mode::Extractive, 1, 1));
    assert_eq!(turn.citations[0].title, "Paris guide");
    assert_eq!(turn.notice.as_deref(), Some("One citation could not be checked and was left out."));
    let (turn, _) = asked(&fixture, "How many litres in the hydraulic pump?").await;
    assert_eq!((turn.mode, turn.dropped_citations, turn.sentences.len()), (Mode::None, 1, 1));
    assert_eq!(turn.answer, "The documents do not tell.");
}

#[actix_web::test]
async fn a_conversation_goes_on() {
    let fixture = Fixture::new(None);
    let ask = &fixture.ask;
    let first = question(ask, json!({ "question": "Who designed the Eiffel Tower?" })).await;
    let id = first["conversation"].as_str().expect("id").to_owned();
    let second = question(ask, json!({ "question": "When was it built?", "conversation": id })).await;
    assert_eq!(second["conversation"], first["conversation"]);
    assert_eq!(
        fixture.documents.searched.lock().last().map(String::as_str),
        Some("When was it built? | Eiffel Tower")
    );
    assert_eq!(second["citations"][0]["title"], "Paris guide");
    assert!(second["trace"]["rewrite_ms"].is_number());

    let detail = call(ask, Method::GET, &format!("/conversations/{id}"), Value::Null).await.json();
    assert_eq!(detail["title"], "Who designed the Eiffel Tower?");
    assert_eq!(detail["turns"], json!([first, second]));
    let nowhere = json!({ "question": "And?", "conversation": "cnv_00000000000000000000000000" });
    for accept in ["application/json", "text/event-stream"] {
        let reply = send(ask, Method::POST, "/ask", nowhere.clone(), accept, "").await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{}", reply.body);
    }
}

#[actix_web::test]
async fn conversations_are_listed_searched_renamed_and_deleted() {
    let fixture = Fixture::new(None);
    let ask = &fixture.ask;
    let mut ids = Vec::new();
    for text in ["How many litres does the pump hold?", "Who designed the Eiffel Tower?", "100% of ZÜRICH_x?"]
    {
        let turn = question(ask, json!({ "question": text })).await;
        ids.push(turn["conversation"].as_str().expect("id").to_owned());
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
    let list = |query: &str| {
        let path = format!("/conversations{query}");
        async move {
            let page = call(ask, Method::GET, &path, Value::Null).await.json();
            let found: Vec<String> = page["items"]
                .as_array()
                .unwrap_or(&Vec::new())
                .iter()
                .map(|item| item["id"].as_str().expect("id").to_owned())
                .collect();
            (found, page)
        }
    };
    let newest: Vec<String> = ids.iter().rev().cloned().collect();
    assert_eq!(list("").await.0, newest);
    let (first, page) = list("?limit=2").await;
    assert_eq!((first.as_slice(), page["total"].as_u64()), (&newest[..2], Some(3)));
    let (rest, page) =
        list(&format!("?limit=2&cursor={}", page["next_cursor"].as_str().expect("more"))).await;
    assert_eq!((rest.as_slice(), &page["next_cursor"]), (&newest[2..], &Value::Null));
    assert_eq!(list("?q=EIFFEL").await.0, [ids[1].clone()]);
    assert_eq!(list("?q=litres%20oil").await.0, [ids[0].clone()], "question and answer are searched");
    assert_eq!(list("?q=z%C3%BCrich").await.0, [ids[2].clone()]);
    assert_eq!(list("?q=0%25").await.0, [ids[2].clone()], "a percent sign is a sign like others");
    assert!(
        list("?q=%25").await.0.len() == 1
            && list("?q=h_x").await.0.len() == 1
            && list("?q=a_x").await.0.is_empty()
    );

    let foreign = lectern_kernel::Cursor { key: "a title".into(), id: ids[0].clone() }.encode();
    assert_eq!(list(&format!("?cursor={foreign}")).await.1["code"], "invalid_cursor");

    let path = format!("/conversations/{}", ids[0]);
    let renamed = call(ask, Method::PATCH, &path, json!({ "title": " Öl der Pumpe " })).await;
    assert_eq!(renamed.json()["title"], "Öl der Pumpe");
    assert_eq!(list("?q=%C3%96L").await.0, [ids[0].clone()]);
    let empty = call(ask, Method::PATCH, &path, json!({ "title": " " })).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);

    let turn = call(ask, Method::GET, &path, Value::Null).await.json()["turns"][0]["turn"].clone();
    assert_eq!(call(ask, Method::DELETE, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    for path in [path.clone(), format!("/ask/{}", turn.as_str().expect("id"))] {
        assert_eq!(call(ask, Method::GET, &path, Value::Null).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(call(ask, Method::DELETE, &path, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(call(ask, Method::DELETE, "/conversations", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(list("").await.0, Vec::<String>::new());
    let left = fixture.ask.db(&fixture.scope).expect("db").read_now(|tx| {
        tx.scalar::<i64>("SELECT (SELECT count(*) FROM turns) + (SELECT count(*) FROM citations)", &[])
    });
    assert_eq!(left.expect("reads"), Some(0), "turns and citations go with their conversation");
}

#[actix_web::test]
async fn another_user_sees_nothing_of_it() {
    let fixture = Fixture::new(None);
    let (ask, me, you) = (&fixture.ask, UserId::generate(), UserId::generate());
    let accept = "application/json";
    let body = json!({ "question": "How many litres does the pump hold?" });
    let turn = send(ask, Method::POST, "/ask", body, accept, me.as_str()).await.json();
    let (id, turn) = (turn["conversation"].as_str().expect("id"), turn["turn"].as_str().expect("id"));
    let title = json!({ "title": "Mine" });
    for (method, path, body) in [
        (Method::GET, format!("/ask/{turn}"), Value::Null),
        (Method::POST, format!("/ask/{turn}/feedback"), json!({ "rating": "up" })),
        (Method::GET, format!("/conversations/{id}"), Value::Null),
        (Method::GET, format!("/conversations/{id}/export"), Value::Null),
        (Method::PATCH, format!("/conversations/{id}"), title),
        (Method::DELETE, format!("/conversations/{id}"), Value::Null),
        (Method::POST, "/ask".to_owned(), json!({ "question": "And?", "conversation": id })),
    ] {
        for user in [you.as_str(), ""] {
            let reply = send(ask, method.clone(), &path, body.clone(), accept, user).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method} {path} {}", reply.body);
        }
    }
    let list = send(ask, Method::GET, "/conversations", Value::Null, accept, you.as_str()).await.json();
    assert_eq!(list, json!({ "items": [], "next_cursor": null, "total": 0 }));
    send(ask, Method::DELETE, "/conversations", Value::Null, accept, you.as_str()).await;
    let mine = send(ask, Method::GET, "/conversations", Value::Null, accept, me.as_str()).await.json();
    assert_eq!(mine["total"], 1);
}

#[actix_web::test]
async fn feedback_is_kept_and_taken_back() {
    let fixture = Fixture::new(None);
    let turn = question(&fixture.ask, json!({ "question": "How many litres does the pump hold?" })).await;
    let path = format!("/ask/{}", turn["turn"].as_str().expect("id"));
    for (rating, status) in
        [(json!("up"), 204), (json!("down"), 204), (Value::Null, 204), (json!("meh"), 422)]
    {
        let body = json!({ "rating": rating, "comment": "because" });
        let reply = call(&fixture.ask, Method::POST, &format!("{path}/feedback"), body).await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
        if status == 204 {
            assert_eq!(call(&fixture.ask, Method::GET, &path, Value::Null).await.json()["rating"], rating);
        }
    }
    let nobody = format!("/ask/{}/feedback", TurnId::generate());
    let reply = call(&fixture.ask, Method::POST, &nobody, json!({ "rating": "up" })).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn exports_hold_answers_and_sources() {
    let fixture = Fixture::new(None);
    let turn = question(&fixture.ask, json!({ "question": "How many litres does the pump hold?" })).await;
    let path = format!("/conversations/{}", turn["conversation"].as_str().expect("id"));
    let json = call(&fixture.ask, Method::GET, &format!("{path}/export?format=json"), Value::Null).await;
    assert_eq!(json.json(), call(&fixture.ask, Method::GET, &path, Value::Null).await.json());
    let markdown =
        call(&fixture.ask, Method::GET, &format!("{path}/export?format=markdown"), Value::Null).await;
    assert_eq!(markdown.kind, "text/markdown; charset=utf-8");
    for part in [
        "# How many litres does the pump hold?\n",
        "\nThe hydraulic pump holds 40 litres of oil. [1]\n",
        "[1] Pump manual, 4 (doc_",
        ", 1000–1042): “The hydraulic pump holds 40 litres of oil.”",
    ] {
        assert!(markdown.body.contains(part), "{part} in {}", markdown.body);
    }
    let other = call(&fixture.ask, Method::GET, &format!("{path}/export?format=pdf"), Value::Null).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn wrong_questions_are_refused() {
    let fixture = Fixture::new(None);
    for (body, status) in [
        (json!({ "question": " \n " }), 422),
        (json!({ "question": "x".repeat(4001) }), 422),
        (json!({ "question": "ok?", "other": 1 }), 422),
        (json!({ "question": "ok?", "conversation": "doc_1" }), 422),
        (json!({ "question": "ok?", "filter": { "collection": "x".repeat(201) } }), 422),
        (json!({}), 422),
    ] {
        let reply = call(&fixture.ask, Method::POST, "/ask", body).await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    }
    let most = question(&fixture.ask, json!({ "question": "é".repeat(4000) })).await;
    assert_eq!(most["answered"], false);
    assert_eq!(
        call(&fixture.ask, Method::GET, "/ask/trn_x", Value::Null).await.status,
        StatusCode::NOT_FOUND
    );
}

#[actix_web::test]
async fn the_filter_reaches_the_search() {
    let fixture = Fixture::new(None);
    let tower = fixture.documents.passages.lock()[1].document.clone();
    let body = json!({ "question": "Does the pump stand on the tower?", "filter": { "document": tower } });
    let turn = question(&fixture.ask, body).await;
    assert_eq!(turn["citations"].as_array().map(Vec::len), Some(1));
    assert_eq!(turn["citations"][0]["document"], json!(tower));
}

#[tokio::test]
async fn others_read_the_answer_and_what_is_in_use() {
    let fixture = Fixture::new(None);
    let (turn, events) = asked(&fixture, "How many litres does the pump hold?").await;
    assert_eq!(events.last(), Some(&AskEvent::Done(Box::new(turn.clone()))));
    assert!(fixture.ask.follow(&fixture.scope, &TurnId::generate()).await.is_err());
    let report = fixture.ask.report(&fixture.scope).await.expect("reports");
    assert_eq!(report, json!({ "mode": "extractive", "model": null, "reachable": null }));
    let events =
        fixture.ask.db(&fixture.scope).expect("db").read_now(|tx| lectern_store::outbox::after(tx, 0, 10));
    assert_eq!(events.expect("reads")[0].kind, "turn.created");
}

//! Pronunciations and preferences, as an administrator and a listener use them.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use lectern_kernel::UserId;
use serde_json::{Value, json};

use crate::testing::{Fixture, Reply, call, get};

async fn send(fixture: &Fixture, method: Method, path: &str, body: Value) -> Reply {
    call(&fixture.voice, TestRequest::default().method(method).uri(path).set_json(body)).await
}

/// Bytes of sound: the engine never makes quite the same twice.
async fn said(fixture: &Fixture, body: Value) -> usize {
    let reply = send(fixture, Method::POST, "/speech", body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.body.len()
}

/// As long as the other, but for what differs from time to time.
fn like(a: usize, b: usize) -> bool {
    a.abs_diff(b) * 50 < a
}

#[actix_web::test]
async fn words_are_said_as_the_lexicon_tells() {
    let fixture = Fixture::new(Vec::new());
    let text = |text: &str| json!({ "text": text, "language": "en", "format": "pcm" });
    let (before, wanted) =
        (said(&fixture, text("The SQL.")).await, said(&fixture, text("The sequel.")).await);
    assert!(!like(before, wanted), "{before} {wanted}");
    let tried = json!({ "text": "The SQL.", "language": "en", "format": "pcm",
        "lexicon": [{ "word": "sql", "value": "sequel" }] });
    assert!(like(said(&fixture, tried).await, wanted));
    assert!(like(said(&fixture, text("The SQL.")).await, before), "a try is not kept");

    let entry = json!({ "word": " SQL ", "value": "sequel", "language": "en" });
    let made = send(&fixture, Method::POST, "/lexicon", entry.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["word"], "SQL");
    assert!(like(said(&fixture, text("The SQL.")).await, wanted));
    assert_eq!(send(&fixture, Method::POST, "/lexicon", entry).await.status, StatusCode::CONFLICT);

    let path = format!("/lexicon/{}", made.json()["id"].as_str().expect("an id"));
    let phonemes = json!({ "kind": "phonemes", "value": "[[s'i:kw@l]]", "language": null });
    let changed = send(&fixture, Method::PATCH, &path, phonemes).await;
    assert_eq!((changed.status, &changed.json()["language"]), (StatusCode::OK, &Value::Null));
    let phonemes = said(&fixture, text("The SQL.")).await;
    assert!(!like(phonemes, before));
    let near = phonemes as f64 / wanted as f64;
    assert!((0.9..1.1).contains(&near), "about as long as the respelling: {near}");
    let wrong = send(&fixture, Method::PATCH, &path, json!({ "value": "é" })).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);

    assert_eq!(send(&fixture, Method::DELETE, &path, json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(send(&fixture, Method::DELETE, &path, json!({})).await.status, StatusCode::NOT_FOUND);
    assert!(like(said(&fixture, text("The SQL.")).await, before));
}

#[actix_web::test]
async fn the_list_has_pages_and_goes_out_and_in_as_csv() {
    let fixture = Fixture::new(Vec::new());
    for (word, language) in [("Alpha", "en"), ("alpha two", "de"), ("beta", "en")] {
        let entry = json!({ "word": word, "value": "x, \"y\"", "language": language });
        assert_eq!(send(&fixture, Method::POST, "/lexicon", entry).await.status, StatusCode::CREATED);
    }
    let first = get(&fixture.voice, "/lexicon?limit=2").await.json();
    assert_eq!((first["total"].as_u64(), first["items"][0]["word"].as_str()), (Some(3), Some("Alpha")));
    let cursor = first["next_cursor"].as_str().expect("goes on");
    let second = get(&fixture.voice, &format!("/lexicon?limit=2&cursor={cursor}")).await.json();
    assert_eq!((second["items"][0]["word"].as_str(), &second["next_cursor"]), (Some("beta"), &Value::Null));
    assert_eq!(get(&fixture.voice, "/lexicon?q=alp&language=de").await.json()["total"], 1);

    let table = get(&fixture.voice, "/lexicon/export").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let other = Fixture::new(Vec::new());
    let import = |text: String| {
        TestRequest::post()
            .uri("/lexicon/import")
            .insert_header(("content-type", "text/csv"))
            .set_payload(text)
    };
    let done = call(&other.voice, import(table.text())).await.json();
    assert_eq!((&done["added"], &done["problems"]), (&json!(3), &json!([])));
    let done = call(
        &other.voice,
        import(format!("{}gamma,en,nonsense,x,false\r\nbeta,en,respelling,new,false\r\n", table.text())),
    )
    .await;
    let done = done.json();
    assert_eq!(
        (&done["unchanged"], &done["changed"], &done["problems"][0]["line"]),
        (&json!(3), &json!(1), &json!(5))
    );
    assert_eq!(
        call(&other.voice, import("a".repeat((1 << 20) + 1))).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(get(&other.voice, "/lexicon/export").await.text().lines().count(), 4);
}

#[actix_web::test]
async fn everybody_has_own_voices() {
    let fixture = Fixture::new(Vec::new());
    fixture.settings.0.lock().voices.insert("fr".into(), "fr-be".into());
    let somebody = UserId::generate();
    let own = |method: Method, body: Value| {
        let request = TestRequest::default().method(method).uri("/voice-preferences").set_json(body);
        request.insert_header(("authorization", format!("Bearer {somebody}")))
    };
    let patch = json!({ "voices": { "de": "de", "en": "en-gb" }, "rate": 200, "speak_citations": true });
    let set = call(&fixture.voice, own(Method::PATCH, patch)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    assert_eq!(set.json()["in_force"]["voices"], json!({ "de": "de", "en": "en-gb", "fr": "fr-be" }));
    assert_eq!(set.json()["in_force"]["rate"], 200);
    let patch = json!({ "voices": { "de": null }, "rate": null });
    let set = call(&fixture.voice, own(Method::PATCH, patch)).await.json();
    assert_eq!(
        (&set["voices"], &set["rate"], &set["in_force"]["rate"]),
        (&json!({ "en": "en-gb" }), &Value::Null, &json!(300))
    );
    assert_eq!(set["speak_citations"], true);
    let other = get(&fixture.voice, "/voice-preferences").await.json();
    assert_eq!(other["voices"], json!({}));
    for wrong in
        [json!({ "voices": { "de": "nobody" } }), json!({ "voices": { "deu": "de" } }), json!({ "rate": 1 })]
    {
        let reply = call(&fixture.voice, own(Method::PATCH, wrong)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
    }
}

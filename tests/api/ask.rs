//! Questions on the embedded defaults: exact sentences, checked citations, speech.

use lectern_testkit::{Client, TestApp, fixture};
use serde_json::{Value, json};

use crate::LECTERN;

fn filled() -> (TestApp, Client, Value) {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let pump = admin.add("pump.md", fixture::PUMP.as_bytes());
    admin.add("canteen.md", fixture::CANTEEN.as_bytes());
    (app, admin, pump)
}

#[test]
fn an_answer_cites_exact_places() {
    let (_app, admin, pump) = filled();
    let turn = admin.ask("Who is responsible for the lubrication plan?");
    assert_eq!((&turn["mode"], &turn["answered"]), (&json!("extractive"), &json!(true)), "{turn}");
    assert!(turn["answer"].as_str().unwrap().contains("Ingrid Dahl"), "{turn}");
    let text = admin.get(&format!("/documents/{}/text", pump["id"].as_str().unwrap())).expect(200);
    let text = text["text"].as_str().unwrap();
    let citations = turn["citations"].as_array().unwrap();
    assert!(!citations.is_empty());
    for citation in citations.iter().filter(|c| c["document"] == pump["id"]) {
        let (start, end) =
            (citation["start"].as_u64().unwrap() as usize, citation["end"].as_u64().unwrap() as usize);
        let there: String = text.chars().skip(start).take(end - start).collect();
        assert_eq!(citation["quote"], there);
    }
    assert!(turn["trace"]["total_ms"].as_f64().is_some_and(|ms| ms > 0.0));
}

#[test]
fn what_is_not_there_is_not_answered() {
    let (_app, admin, _) = filled();
    let turn = admin.ask("Which spacecraft first photographed the rings of Neptune?");
    assert_eq!((&turn["mode"], &turn["answered"]), (&json!("none"), &json!(false)), "{turn}");
    assert_eq!(turn["citations"], json!([]));
    admin.post("/ask", &json!({ "question": "  " })).problem(422);
    admin
        .post("/ask", &json!({ "question": "x", "conversation": "cnv_00000000000000000000000000" }))
        .problem(404);
}

#[test]
fn the_stream_brings_sentences_before_it_is_done() {
    let (_app, admin, _) = filled();
    let body = json!({ "question": "When was the feed pump installed?" });
    let answer = admin.send(admin.request("POST", "/ask").header("accept", "text/event-stream").json(&body));
    let text = answer.text();
    let at =
        |name: &str| text.find(&format!("event: {name}\n")).unwrap_or_else(|| panic!("no {name} in {text}"));
    assert!(
        at("retrieval") < at("citation") && at("citation") < at("sentence") && at("sentence") < at("done")
    );
    assert!(text.contains("March 2019"), "{text}");
}

#[test]
fn conversations_are_kept_found_exported_rated_and_deleted() {
    let (_app, admin, _) = filled();
    let turn = admin.ask("When does the canteen open?");
    let conversation = turn["conversation"].as_str().unwrap();
    let next = admin
        .post("/ask", &json!({ "question": "And when does it close?", "conversation": conversation }))
        .expect(200);
    assert_eq!(next["conversation"], conversation);
    assert!(next["answer"].as_str().unwrap().contains("14:00"), "{next}");
    let id = turn["turn"].as_str().unwrap();
    assert_eq!(admin.post(&format!("/ask/{id}/feedback"), &json!({ "rating": "up" })).status, 204);
    assert_eq!(admin.get(&format!("/ask/{id}")).expect(200)["rating"], "up");
    assert_eq!(admin.get("/conversations?q=canteen").expect(200)["items"][0]["id"], conversation);
    assert_eq!(admin.get("/conversations?q=xylophone").expect(200)["total"], 0);
    let shown = admin.get(&format!("/conversations/{conversation}")).expect(200);
    assert_eq!(shown["turns"].as_array().unwrap().len(), 2);
    let exported = admin.get(&format!("/conversations/{conversation}/export?format=markdown")).text();
    assert!(exported.contains("When does the canteen open?"), "{exported}");
    assert_eq!(admin.delete(&format!("/conversations/{conversation}")).status, 204);
    assert_eq!(admin.get(&format!("/ask/{id}")).problem(404), "not_found");
}

#[test]
fn an_answer_is_spoken_as_wav() {
    let (_app, admin, _) = filled();
    let turn = admin.ask("When does the canteen open?");
    let audio = admin.get(&format!("/ask/{}/audio", turn["turn"].as_str().unwrap()));
    assert_eq!(audio.status, 200, "{}", audio.text());
    assert_eq!(audio.headers["content-type"], "audio/wav");
    assert_eq!(&audio.bytes[..4], b"RIFF");
    let samples: Vec<i16> =
        audio.bytes[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    assert!(samples.len() > 22_050, "over a second: {}", samples.len());
    let loudest = samples.iter().map(|s| i32::from(*s).abs()).max().unwrap();
    assert!(loudest > 3_000, "it can be heard: {loudest}");
}

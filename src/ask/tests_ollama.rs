//! Answers by a model, when Ollama behaves and when it does not.

use std::time::Duration;

use lectern_inference::fake::{FakeOllama, Mode as Fake, endpoint};
use lectern_kernel::ConversationId;
use lectern_kernel::ports::Report;
use tokio_util::sync::CancellationToken;

use crate::testing::Fixture;
use crate::{AskEvent, Mode, NewQuestion, TurnView};

fn tokens(list: &[&str]) -> Vec<String> {
    list.iter().map(|token| (*token).to_owned()).collect()
}

async fn ask_in(
    fixture: &Fixture,
    conversation: Option<ConversationId>,
    text: &str,
) -> (TurnView, Vec<AskEvent>) {
    let request = NewQuestion { question: text.to_owned(), conversation, ..NewQuestion::default() };
    let mut events = Vec::new();
    let stop = CancellationToken::new();
    let turn = fixture.ask.ask(&fixture.scope, request, &stop, &mut |event| events.push(event)).await;
    (turn.expect("answers"), events)
}

async fn answer(mode: Fake, text: &str) -> (TurnView, Vec<AskEvent>, Fixture, FakeOllama) {
    let fake = FakeOllama::start(mode).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    let (turn, events) = ask_in(&fixture, None, text).await;
    (turn, events, fixture, fake)
}

const QUESTION: &str = "How many litres does the hydraulic pump hold?";

#[tokio::test]
async fn marks_become_checked_citations() {
    let said = tokens(&[
        "The pump can ",
        "hold 40 lit",
        "res [1",
        "]. It is checked weekly [9]. ",
        "The pump is made in Peru [1]. ",
        "Pumps hold 50 litres [1].",
    ]);
    let (turn, events, _fixture, fake) = answer(Fake::Tokens(said), QUESTION).await;
    assert_eq!((turn.mode, turn.model.as_deref(), turn.answered), (Mode::Ollama, Some("tiny"), true));
    assert_eq!(
        turn.answer,
        "The pump can hold 40 litres. [1] It is checked weekly. The pump is made in Peru. Pumps hold 50 litres."
    );
    assert_eq!(turn.citations.len(), 1);
    assert_eq!(turn.citations[0].quote, "The hydraulic pump holds 40 litres of oil.");
    assert_eq!((turn.citations[0].start, turn.citations[0].end), (1000, 1042));
    assert_eq!(turn.dropped_citations, 3);
    assert_eq!(turn.notice.as_deref(), Some("3 citations could not be checked and were left out."));
    assert!(turn.trace.first_token_ms.is_some() && turn.trace.first_sentence_ms.is_some());

    assert!(matches!(&events[0], AskEvent::Retrieval(event) if event.mode == Mode::Ollama));
    let text: String = events
        .iter()
        .filter_map(|e| if let AskEvent::Token(t) = e { Some(t.as_str()) } else { None })
        .collect();
    assert_eq!(
        text,
        "The pump can hold 40 litres. It is checked weekly. The pump is made in Peru. Pumps hold 50 litres."
    );
    let at = |wanted: fn(&AskEvent) -> bool| events.iter().position(wanted).expect("is there");
    assert!(at(|e| matches!(e, AskEvent::Citation(_))) < at(|e| matches!(e, AskEvent::Sentence(_))));
    assert!(at(|e| matches!(e, AskEvent::Sentence(_))) < events.len() - 2, "before the answer ends");

    let chat = &fake.chats()[0]["messages"];
    let (system, user) =
        (chat[0]["content"].as_str().expect("text"), chat[1]["content"].as_str().expect("text"));
    assert!(system.contains("[2]") && user.contains("[1] Pump manual, page 3\nThe hydraulic pump"), "{user}");
    assert!(user.ends_with(&format!("Question: {QUESTION}")));
}

#[tokio::test]
async fn a_statement_without_mark_is_looked_for() {
    let (turn, ..) = answer(
        Fake::Tokens(tokens(&["The hydraulic pump holds 40 litres of oil. Penguins like fish."])),
        QUESTION,
    )
    .await;
    assert_eq!(turn.answer, "The hydraulic pump holds 40 litres of oil. [1] Penguins like fish.");
    assert_eq!(turn.dropped_citations, 0);
}

#[tokio::test]
async fn failures_before_the_first_word_give_exact_sentences() {
    for mode in [
        Fake::Garbage,
        Fake::NoModel,
        Fake::Drop(Vec::new()),
        Fake::Slow(Duration::from_secs(20), Vec::new()),
        Fake::Error(Vec::new(), "out of memory".into()),
    ] {
        let (turn, events, ..) = answer(mode.clone(), QUESTION).await;
        assert_eq!((turn.mode, turn.model.as_ref()), (Mode::Extractive, None), "{mode:?}");
        assert_eq!(turn.answer, "The hydraulic pump holds 40 litres of oil. [1]");
        assert!(
            turn.notice.as_deref().is_some_and(|told| told.contains("exact sentences")),
            "{:?}",
            turn.notice
        );
        assert!(matches!(events.last(), Some(AskEvent::Done(_))));
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_asked_once_and_then_left_alone() {
    let fixture = Fixture::new(Some(endpoint("http://127.0.0.1:1")));
    let (turn, _) = ask_in(&fixture, None, QUESTION).await;
    assert!(
        turn.notice.as_deref().is_some_and(|told| told.contains("cannot be reached")),
        "{:?}",
        turn.notice
    );
    let (turn, events) = ask_in(&fixture, None, QUESTION).await;
    assert!(matches!(&events[0], AskEvent::Retrieval(event) if event.mode == Mode::Extractive));
    assert!(
        turn.notice.as_deref().is_some_and(|told| told.contains("a short time ago")),
        "{:?}",
        turn.notice
    );
    assert_eq!(fixture.ask.report(&fixture.scope).await.expect("reports")["reachable"], false);
    // Another server is tried at once.
    let fake = FakeOllama::start(Fake::Tokens(tokens(&["The pump holds 40 litres [1]."]))).await;
    fixture.settings.0.lock().ollama = Some(fake.endpoint());
    let (turn, _) = ask_in(&fixture, None, QUESTION).await;
    assert_eq!(turn.mode, Mode::Ollama);
    let report = fixture.ask.report(&fixture.scope).await.expect("reports");
    assert_eq!(report, serde_json::json!({ "mode": "ollama", "model": "tiny", "reachable": true }));
}

#[tokio::test]
async fn a_failure_in_the_middle_keeps_what_came() {
    let (turn, ..) = answer(Fake::Drop(tokens(&["The pump holds 40 litres [1]. It ", "is"])), QUESTION).await;
    assert_eq!((turn.mode, turn.answer.as_str()), (Mode::Ollama, "The pump holds 40 litres. [1] It is"));
    assert_eq!(turn.notice.as_deref(), Some("the connection to Ollama broke off; the answer ends early."));
}

#[tokio::test]
async fn the_model_may_say_that_it_is_not_there() {
    let (turn, events, ..) = answer(Fake::Tokens(tokens(&["NOT_", "IN_DOCUMENTS"])), QUESTION).await;
    assert_eq!(
        (turn.mode, turn.answered, turn.answer.as_str()),
        (Mode::None, false, "The documents do not tell.")
    );
    assert_eq!(turn.nearest[0].title, "Pump manual");
    assert!(!events.iter().any(|event| matches!(event, AskEvent::Token(_))));
}

#[tokio::test]
async fn when_words_do_not_answer_the_model_must_show_where_they_do() {
    let said = tokens(&["Penguins like fish [1]. They swim."]);
    let fake = FakeOllama::start(Fake::Tokens(said)).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    *fixture.documents.unsure.lock() = true;
    let (turn, events) = ask_in(&fixture, None, QUESTION).await;
    assert_eq!((turn.mode, turn.answered), (Mode::None, false));
    assert!(!events.iter().any(|event| matches!(event, AskEvent::Token(_))), "nothing unproven was shown");
    fake.set(Fake::Tokens(tokens(&["The pump ", "holds 40 litres [1]."])));
    let (turn, events) = ask_in(&fixture, None, QUESTION).await;
    assert_eq!((turn.mode, turn.citations.len()), (Mode::Ollama, 1));
    let text: String = events
        .iter()
        .filter_map(|e| if let AskEvent::Token(t) = e { Some(t.as_str()) } else { None })
        .collect();
    assert_eq!(text, "The pump holds 40 litres.", "what was held back comes when it is proven");
}

#[tokio::test]
async fn an_answer_without_any_proof_says_so() {
    let (turn, ..) = answer(Fake::Tokens(tokens(&["Penguins like fish."])), QUESTION).await;
    assert_eq!((turn.mode, turn.citations.len()), (Mode::Ollama, 0));
    assert!(turn.notice.as_deref().is_some_and(|told| told.contains("No statement")));
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_model_and_the_turn_is_kept() {
    let fake = FakeOllama::start(Fake::Hang(tokens(&["The pump holds 40 litres [1]. It "]))).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    let stop = CancellationToken::new();
    let request = NewQuestion { question: QUESTION.to_owned(), ..NewQuestion::default() };
    let leaving = stop.clone();
    let mut sink = |event| {
        if matches!(event, AskEvent::Sentence(_)) {
            leaving.cancel();
        }
    };
    let turn = fixture.ask.ask(&fixture.scope, request, &stop, &mut sink).await.expect("ends");
    assert_eq!(turn.answer, "The pump holds 40 litres. [1] It");
    assert_eq!(turn.notice.as_deref(), Some("The answer was stopped before its end."));
    let kept = fixture.ask.turn(&fixture.scope, &turn.turn).await.expect("kept");
    assert_eq!(kept, turn);
    let mut waited = 0;
    while fake.abandoned() == 0 && waited < 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        waited += 1;
    }
    assert_eq!(fake.abandoned(), 1, "the connection was closed");
}

#[tokio::test]
async fn a_follow_up_is_rewritten_by_the_model_and_history_is_shown() {
    let fake =
        FakeOllama::start(Fake::Tokens(tokens(&["It was designed by Gustave Eiffel's company [1]."]))).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    let (first, _) = ask_in(&fixture, None, "Who designed the Eiffel Tower?").await;
    fake.set(Fake::Tokens(tokens(&["When was the ", "Eiffel Tower built?\nSure!"])));
    let (_, _) = ask_in(&fixture, Some(first.conversation), "When was it built?").await;
    assert_eq!(
        fixture.documents.searched.lock().last().map(String::as_str),
        Some("When was the Eiffel Tower built?")
    );
    let chats = fake.chats();
    assert_eq!(chats.len(), 3, "answer, rewrite, answer");
    assert!(
        chats[1]["messages"][1]["content"]
            .as_str()
            .is_some_and(|said| said.ends_with("Last question: When was it built?"))
    );
    let roles: Vec<&str> = chats[2]["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|m| m["role"].as_str())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(
        chats[2]["messages"][2]["content"], "It was designed by Gustave Eiffel's company.",
        "without marks"
    );
}

#[tokio::test]
async fn warming_up_loads_the_model() {
    let fake = FakeOllama::start(Fake::Tokens(Vec::new())).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    fixture.ask.warm_up(&fixture.scope).await.expect("loads");
    assert_eq!(fake.chats()[0]["messages"], serde_json::json!([]));
    fake.set(Fake::NoModel);
    let error = fixture.ask.warm_up(&fixture.scope).await.expect_err("no such model");
    assert!(error.to_string().contains("tiny") && error.hint.is_some(), "{error}");
}

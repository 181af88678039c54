//! What callers rely on when an Ollama server behaves, and when it does not.

use std::time::Duration;

use crate::fake::{FakeOllama, Mode, endpoint};
use crate::{ChatRequest, Health, Message, Ollama, OllamaError, Reach};

fn tokens(list: &[&str]) -> Vec<String> {
    list.iter().map(|token| (*token).to_owned()).collect()
}

fn question() -> ChatRequest {
    ChatRequest { messages: vec![Message::User("Who?".into())], max_tokens: 100 }
}

async fn run(fake: &FakeOllama) -> (String, Option<OllamaError>) {
    let ollama = Ollama::new(fake.endpoint()).expect("an address");
    let mut stream = match ollama.chat(question()).await {
        Ok(stream) => stream,
        Err(error) => return (String::new(), Some(error)),
    };
    let mut text = String::new();
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => text.push_str(&piece),
            Err(error) => return (text, Some(error)),
        }
    }
    (text, None)
}

#[tokio::test]
async fn text_comes_whole_and_the_request_is_as_set() {
    let fake = FakeOllama::start(Mode::Tokens(tokens(&["Mar", "ie ", "Curie [1]."]))).await;
    let (text, error) = run(&fake).await;
    assert_eq!(text, "Marie Curie [1].");
    assert!(error.is_none(), "{error:?}");
    let chat = &fake.chats()[0];
    assert_eq!((chat["model"].as_str(), chat["stream"].as_bool()), (Some("tiny"), Some(true)));
    assert_eq!((chat["keep_alive"].as_str(), chat["think"].as_bool()), (Some("1800s"), Some(false)));
    assert_eq!(chat["options"]["num_ctx"], 8192);
}

#[tokio::test]
async fn packets_may_end_inside_a_character() {
    for size in [1, 2, 3, 7, 64] {
        let fake = FakeOllama::start(Mode::Cut(size, "Zürich, 漢字 😀".into())).await;
        let (text, error) = run(&fake).await;
        assert_eq!(text, "Zürich, 漢字 😀", "packets of {size}");
        assert!(error.is_none(), "{error:?}");
    }
}

#[tokio::test]
async fn each_failure_is_told_with_what_came_before_it() {
    let some = tokens(&["One. ", "Two"]);
    let fake = FakeOllama::start(Mode::Drop(some.clone())).await;
    assert!(matches!(run(&fake).await, (text, Some(OllamaError::Broken)) if text == "One. Two"));
    fake.set(Mode::Error(some.clone(), "out of memory".into()));
    assert!(
        matches!(run(&fake).await, (text, Some(OllamaError::Refused(why))) if text == "One. Two" && why == "out of memory")
    );
    fake.set(Mode::Garbage);
    assert!(matches!(run(&fake).await.1, Some(OllamaError::Garbage(_))));
    fake.set(Mode::NoModel);
    assert!(matches!(run(&fake).await.1, Some(OllamaError::NoModel(model)) if model == "tiny"));
    fake.set(Mode::Slow(Duration::from_secs(30), some));
    assert!(matches!(run(&fake).await.1, Some(OllamaError::FirstToken(_))));
}

#[tokio::test]
async fn the_whole_answer_has_a_limit_and_a_dropped_stream_closes_the_connection() {
    let fake = FakeOllama::start(Mode::Hang(tokens(&["One."]))).await;
    let short = crate::Endpoint { total: Duration::from_millis(400), ..fake.endpoint() };
    let mut stream = Ollama::new(short).expect("address").chat(question()).await.expect("begins");
    assert_eq!(stream.next().await.expect("a piece").expect("text"), "One.");
    assert!(matches!(stream.next().await, Some(Err(OllamaError::Total(_)))));
    assert!(stream.next().await.is_none());
    drop(stream);
    let mut waited = 0;
    while fake.abandoned() == 0 && waited < 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        waited += 1;
    }
    assert_eq!(fake.abandoned(), 1);
}

#[tokio::test]
async fn what_a_model_thinks_aloud_is_left_out() {
    for (written, read) in [
        (vec!["<th", "ink>hm ", "hm</thi", "nk>\n\nYes."], "Yes."),
        (vec!["<", "b>Yes"], "<b>Yes"),
        (vec!["<thi"], "<thi"),
        (vec!["Yes <think>no</think>"], "Yes <think>no</think>"),
        (vec!["<think>never ends"], ""),
    ] {
        let fake = FakeOllama::start(Mode::Tokens(tokens(&written))).await;
        assert_eq!(run(&fake).await.0, read);
    }
}

#[tokio::test]
async fn models_version_and_loading() {
    let fake = FakeOllama::start(Mode::Tokens(Vec::new())).await;
    let ollama = Ollama::new(fake.endpoint()).expect("address");
    assert_eq!(ollama.version().await.expect("version"), "0.12.6");
    let models: Vec<String> = ollama.models().await.expect("models").into_iter().map(|m| m.name).collect();
    assert_eq!(models, ["large", "tiny"]);
    ollama.load().await.expect("loads");
    assert_eq!(fake.chats()[0]["messages"], serde_json::json!([]));
    assert_eq!(fake.chats()[0]["options"]["num_ctx"], 8192);
    fake.set(Mode::NoModel);
    assert!(matches!(ollama.load().await, Err(OllamaError::NoModel(_))));
}

#[tokio::test]
async fn an_address_is_checked() {
    for bad in ["", "ollama", "file:///etc/passwd", "http://", "localhost:11434"] {
        assert!(matches!(Ollama::new(endpoint(bad)), Err(OllamaError::Address(_))), "{bad}");
    }
    let fake = FakeOllama::start(Mode::Tokens(Vec::new())).await;
    let under_a_path = Ollama::new(endpoint(&format!("http://{}/ollama", fake.address))).expect("address");
    assert!(matches!(under_a_path.version().await, Err(OllamaError::Refused(why)) if why.contains("404")));
}

#[tokio::test]
async fn after_an_outage_it_is_left_alone_until_a_probe_finds_it() {
    let health = Health::with_pause(Duration::from_millis(50));
    let away = Ollama::new(endpoint("http://127.0.0.1:1")).expect("address");
    assert!(health.allows(&away));
    let error = away.chat(question()).await.err().expect("nobody listens");
    assert!(matches!(error, OllamaError::Unreachable(_)), "{error}");
    health.failed(&away, &error);
    assert!(!health.allows(&away));
    assert_eq!(health.reach(&away), Reach::Down);

    let fake = FakeOllama::start(Mode::Tokens(Vec::new())).await;
    let back = Ollama::new(fake.endpoint()).expect("address");
    assert!(health.allows(&back), "another server is not judged by this one");
    health.failed(&back, &OllamaError::Broken);
    assert!(!health.allows(&back));
    let mut waited = 0;
    while !health.allows(&back) && waited < 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        waited += 1;
    }
    assert_eq!(health.reach(&back), Reach::Up);
    health.failed(&back, &OllamaError::NoModel("x".into()));
    assert!(health.allows(&back), "a wrong model is no outage");
}

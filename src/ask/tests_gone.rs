//! A client that closes its connection, over a real one. The server must be set as here (`h1_allow_half_closed`).

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use lectern_inference::fake::{FakeOllama, Mode as Fake};
use lectern_kernel::ports::Authenticate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::testing::{Bearer, Fixture};
use crate::{ConversationQuery, Mode};

/// Asks over a connection, waits for `until` in the answer, and hangs up.
async fn ask_and_leave(fixture: &Fixture, accept: &str, until: Option<&str>) {
    let ask = fixture.ask.clone();
    let server = HttpServer::new(move || {
        let bearer: Arc<dyn Authenticate> = Arc::new(Bearer);
        App::new()
            .app_data(Data::from(bearer))
            .app_data(Data::new(ask.clone()))
            .configure(crate::feature().routes)
    })
    .workers(1)
    .h1_allow_half_closed(false)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .expect("a free port");
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    let mut client = TcpStream::connect(address).await.expect("connects");
    let body = r#"{"question":"How many litres does the hydraulic pump hold?"}"#;
    let head = format!(
        "POST /ask HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(format!("{head}{body}").as_bytes()).await.expect("sends");
    let mut read = String::new();
    let mut buffer = [0; 4096];
    while until.is_some_and(|until| !read.contains(until)) {
        let count = client.read(&mut buffer).await.expect("reads");
        assert!(count > 0, "the answer ended early: {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn is_stopped_and_kept(accept: &str, until: Option<&str>) {
    let fake = FakeOllama::start(Fake::Hang(vec!["The pump holds 40 litres [1]. It ".into()])).await;
    let mut endpoint = fake.endpoint();
    endpoint.total = Duration::from_secs(50);
    let fixture = Fixture::new(Some(endpoint));
    ask_and_leave(&fixture, accept, until).await;
    let mut waited = 0;
    let turns = loop {
        let page =
            fixture.ask.conversations(&fixture.scope, ConversationQuery::default()).await.expect("lists");
        if let Some(conversation) = page.items.first() {
            break fixture.ask.conversation(&fixture.scope, &conversation.id).await.expect("reads").turns;
        }
        assert!(waited < 250, "the answer went on without a listener");
        waited += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((turns[0].mode, turns[0].answer.as_str()), (Mode::Ollama, "The pump holds 40 litres. [1] It"));
    assert!(turns[0].notice.as_deref().is_some_and(|told| told.contains("stopped")));
    // The model's server notices a moment after the answer was kept.
    while fake.abandoned() == 0 {
        assert!(waited < 500, "the model was not stopped");
        waited += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn events_nobody_reads_stop_the_model() {
    is_stopped_and_kept("text/event-stream", Some("event: sentence")).await;
}

#[actix_web::test]
async fn json_nobody_waits_for_stops_the_model() {
    is_stopped_and_kept("application/json", None).await;
}

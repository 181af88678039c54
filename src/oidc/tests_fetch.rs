//! The fetcher over reqwest, against a socket that does not behave.
#![allow(clippy::disallowed_methods, reason = "the tests have no guarded client")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::tests_fake::NOW;
use crate::{Fetch, HttpRequest, MAX_BODY, Method, Provider, ProviderConfig, ReqwestFetch};

/// Answers every connection with the head and then the filler, as often as it is taken.
async fn server(head: &'static str, filler: &'static str, times: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            for _ in 0..times {
                if stream.write_all(filler.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    (address, asked)
}

fn get(url: &str) -> HttpRequest {
    let headers = vec![("accept".to_owned(), "application/json".to_owned())];
    HttpRequest { method: Method::Get, url: url.to_owned(), headers, body: Vec::new() }
}

fn fetcher() -> ReqwestFetch {
    ReqwestFetch::from_builder(Client::builder().no_proxy(), None).unwrap()
}

#[tokio::test]
async fn an_answer_comes_as_it_is() {
    let head =
        "HTTP/1.1 418 Odd\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";
    let (address, _) = server(head, "hi", 1).await;
    let answer = fetcher().fetch(get(&address)).await.unwrap();
    assert_eq!(
        (answer.status, answer.content_type.as_deref(), answer.body.as_slice()),
        (418, Some("text/plain"), b"hi" as &[u8])
    );
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let (address, _) = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", FILLER, usize::MAX).await;
    let error = fetcher().fetch(get(&address)).await.unwrap_err();
    assert!(error.contains(&MAX_BODY.to_string()), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (inner, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", 0).await;
    let head =
        format!("HTTP/1.1 302 Found\r\nlocation: {inner}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let (address, _) = server(head.leak(), "", 0).await;
    assert_eq!(fetcher().fetch(get(&address)).await.unwrap().status, 302);
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    // A client that follows is caught.
    let follows = ReqwestFetch::new(Client::builder().no_proxy().build().unwrap());
    let error = follows.fetch(get(&address)).await.unwrap_err();
    assert!(error.contains("redirect"), "{error}");
}

#[tokio::test]
async fn the_provider_is_told_to_be_absent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut config = ProviderConfig::new(address, "lectern");
    config.allow_http = true;
    let error = Provider::discover(config, Arc::new(fetcher()), NOW).await.err().unwrap();
    assert!(error.hint().contains("refused"), "{}", error.hint());
}

#[test]
fn a_certificate_must_be_one() {
    assert!(ReqwestFetch::from_builder(Client::builder(), Some("-----BEGIN CERTIFICATE-----\nA")).is_err());
}

const FILLER: &str =
    "{\"keys\": [                                                                             ";

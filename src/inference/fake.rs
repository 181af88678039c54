//! A stand-in for an Ollama server on a free port, with the ways in which a real one can fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::{Endpoint, HttpClient};

/// How the server answers a chat.
#[derive(Debug, Clone)]
pub enum Mode {
    /// These pieces, each in a packet of its own.
    Tokens(Vec<String>),
    /// Nothing for so long, then these pieces.
    Slow(Duration, Vec<String>),
    /// These pieces, then the connection ends without a last line.
    Drop(Vec<String>),
    /// These pieces, then silence; the connection stays open.
    Hang(Vec<String>),
    /// These pieces, then the error that Ollama writes into its stream.
    Error(Vec<String>, String),
    /// Bytes that are no JSON.
    Garbage,
    /// Status 404: there is no such model.
    NoModel,
    /// The whole answer cut into packets of so many bytes, also inside characters.
    Cut(usize, String),
}

/// Lives until dropped.
pub struct FakeOllama {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _server: AbortOnDropHandle<()>,
}

struct Shared {
    mode: Mutex<Mode>,
    chats: Mutex<Vec<serde_json::Value>>,
    /// Connections that the client closed before their answer was at its end.
    abandoned: AtomicUsize,
}

impl FakeOllama {
    pub async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            mode: Mutex::new(mode),
            chats: Mutex::default(),
            abandoned: AtomicUsize::new(0),
        });
        let inner = Arc::clone(&shared);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&inner);
                tokio::spawn(async move {
                    if serve(socket, &shared).await.is_err() {
                        shared.abandoned.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { address, shared, _server: AbortOnDropHandle::new(server) }
    }

    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock() = mode;
    }

    /// Bodies of the chats so far.
    pub fn chats(&self) -> Vec<serde_json::Value> {
        self.shared.chats.lock().clone()
    }

    /// Answers that the client did not wait for.
    pub fn abandoned(&self) -> usize {
        self.shared.abandoned.load(Ordering::SeqCst)
    }

    pub fn endpoint(&self) -> Endpoint {
        endpoint(&format!("http://{}", self.address))
    }
}

/// An endpoint with short limits.
pub fn endpoint(url: &str) -> Endpoint {
    #[allow(clippy::disallowed_methods, reason = "only tests make a client that is not guarded")]
    let http = HttpClient::builder().no_proxy().build().expect("a plain client");
    Endpoint {
        http,
        url: url.to_owned(),
        model: "tiny".to_owned(),
        keep_alive: Duration::from_mins(30),
        first_token: Duration::from_millis(500),
        total: Duration::from_secs(5),
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (path, body) = request(&mut socket).await?;
    match path.as_str() {
        "/api/version" => plain(&mut socket, 200, r#"{"version":"0.12.6"}"#).await,
        "/api/tags" => {
            plain(&mut socket, 200, r#"{"models":[{"name":"tiny","size":7},{"name":"large","size":9}]}"#)
                .await
        }
        "/api/chat" => {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            shared.chats.lock().push(body.clone());
            let mode = shared.mode.lock().clone();
            chat(&mut socket, mode, &body).await
        }
        _ => plain(&mut socket, 404, "404 page not found").await,
    }
}

async fn request(socket: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut data = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let head = data.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&data[..head]).to_ascii_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if data.len() >= head + length.unwrap_or(0) {
                let path = text.split_whitespace().nth(1).unwrap_or("/").to_owned();
                return Ok((path, data.split_off(head)));
            }
        }
        let read = socket.read(&mut buffer).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        data.extend_from_slice(&buffer[..read]);
    }
}

async fn plain(socket: &mut TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    socket.write_all(format!("{head}{body}").as_bytes()).await
}

fn line(text: &str, done: bool) -> String {
    let message = serde_json::json!({"role": "assistant", "content": text});
    let line = serde_json::json!({"model": "tiny", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": done});
    format!("{line}\n")
}

async fn chat(socket: &mut TcpStream, mode: Mode, body: &serde_json::Value) -> std::io::Result<()> {
    if matches!(mode, Mode::NoModel) {
        return plain(socket, 404, r#"{"error":"model 'tiny' not found"}"#).await;
    }
    if body["messages"].as_array().is_some_and(Vec::is_empty) {
        return plain(socket, 200, &line("", true)).await;
    }
    socket
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n")
        .await?;
    match mode {
        Mode::Tokens(tokens) => {
            pieces(socket, &tokens).await?;
            socket.write_all(line("", true).as_bytes()).await
        }
        Mode::Slow(wait, tokens) => {
            gone(socket, wait).await?;
            pieces(socket, &tokens).await?;
            socket.write_all(line("", true).as_bytes()).await
        }
        Mode::Drop(tokens) => pieces(socket, &tokens).await,
        Mode::Hang(tokens) => {
            pieces(socket, &tokens).await?;
            gone(socket, Duration::from_mins(1)).await
        }
        Mode::Error(tokens, error) => {
            pieces(socket, &tokens).await?;
            socket.write_all(format!("{}\n", serde_json::json!({"error": error})).as_bytes()).await
        }
        Mode::Cut(size, text) => {
            let all = line(&text, false) + &line("", true);
            for part in all.as_bytes().chunks(size.max(1)) {
                packet(socket, part).await?;
            }
            Ok(())
        }
        Mode::Garbage | Mode::NoModel => socket.write_all(b"<html>\xff\xfe not JSON\n").await,
    }
}

async fn pieces(socket: &mut TcpStream, tokens: &[String]) -> std::io::Result<()> {
    for token in tokens {
        packet(socket, line(token, false).as_bytes()).await?;
    }
    Ok(())
}

async fn packet(socket: &mut TcpStream, part: &[u8]) -> std::io::Result<()> {
    socket.write_all(part).await?;
    socket.flush().await?;
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(())
}

/// Waits; an error when the client goes away meanwhile.
async fn gone(socket: &mut TcpStream, wait: Duration) -> std::io::Result<()> {
    let mut byte = [0];
    match tokio::time::timeout(wait, socket.read(&mut byte)).await {
        Ok(_) => Err(std::io::ErrorKind::ConnectionReset.into()),
        Err(_) => Ok(()),
    }
}

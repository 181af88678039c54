//! One Ollama server: what it is asked and how.

use std::time::Duration;

use futures_util::StreamExt;
use ollama_rs::generation::chat::ChatMessage;
use ollama_rs::generation::chat::request::ChatMessageRequest;
use ollama_rs::generation::parameters::{KeepAlive, ThinkType, TimeUnit};
use ollama_rs::models::ModelOptions;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::{ChatStream, HttpClient, OllamaError};

/// Tokens of prompt and answer together. Asking for another size makes Ollama load the model again, so it is one for all.
const CONTEXT_TOKENS: u64 = 8192;
/// An answer that comes word for word from documents, not an invention.
const TEMPERATURE: f32 = 0.1;
/// Largest answer to anything but a chat.
const MAX_BODY: usize = 4 << 20;
const QUICK: Duration = Duration::from_secs(5);
/// A large model on a slow disk.
const LOAD: Duration = Duration::from_mins(10);

/// Where Ollama is and how it is used.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub http: HttpClient,
    pub url: String,
    pub model: String,
    /// How long the model stays in memory after a question.
    pub keep_alive: Duration,
    pub first_token: Duration,
    pub total: Duration,
}

/// Who says what in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    System(String),
    User(String),
    Assistant(String),
}

/// What the model is to go on with.
#[derive(Debug, Clone, Default)]
pub struct ChatRequest {
    pub messages: Vec<Message>,
    /// Most tokens of the answer.
    pub max_tokens: u32,
}

/// A model that the server has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    pub name: String,
    #[serde(default)]
    pub size: u64,
}

/// A client of one server; cheap to make and to clone.
#[derive(Debug, Clone)]
pub struct Ollama {
    api: ollama_rs::Ollama,
    endpoint: Endpoint,
}

impl Ollama {
    pub fn new(endpoint: Endpoint) -> Result<Self, OllamaError> {
        let url = address(&endpoint.url)?;
        let api = ollama_rs::Ollama::builder().url(url).reqwest_client(endpoint.http.clone()).build();
        Ok(Self { api, endpoint })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub async fn version(&self) -> Result<String, OllamaError> {
        #[derive(Deserialize)]
        struct Version {
            version: String,
        }
        Ok(self.get::<Version>("api/version").await?.version)
    }

    /// The models on the server, by name.
    pub async fn models(&self) -> Result<Vec<Model>, OllamaError> {
        #[derive(Deserialize)]
        struct Models {
            models: Vec<Model>,
        }
        let mut models = self.get::<Models>("api/tags").await?.models;
        models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(models)
    }

    /// Loads the model into memory, so that the first question does not wait for it.
    pub async fn load(&self) -> Result<(), OllamaError> {
        let answer = timeout(LOAD, self.api.send_chat_messages(self.request(Vec::new(), 1))).await;
        match answer.map_err(|_| OllamaError::Total(LOAD))? {
            Ok(_) => Ok(()),
            Err(ollama_rs::error::OllamaError::ReqwestError(error)) => Err(error.into()),
            Err(ollama_rs::error::OllamaError::Other(body)) => Err(self.refusal(&body)),
            Err(other) => Err(OllamaError::Garbage(other.to_string())),
        }
    }

    /// Begins an answer; dropping the stream closes the connection, upon which Ollama stops.
    ///
    /// The stream is read here and not by `ollama-rs`, whose reader loses the text of a network packet that ends
    /// inside a character and passes over the error that Ollama reports within a stream.
    pub async fn chat(&self, request: ChatRequest) -> Result<ChatStream, OllamaError> {
        let started = tokio::time::Instant::now();
        let (first, total) = (self.endpoint.first_token, self.endpoint.total);
        let messages = request.messages.into_iter().map(message).collect();
        let body = streaming(&self.request(messages, request.max_tokens))?;
        let sent = self.endpoint.http.post(self.url("api/chat")).json(&body).send();
        let response =
            timeout(first.min(total), sent).await.map_err(|_| OllamaError::FirstToken(first))??;
        if !response.status().is_success() {
            let body = timeout(QUICK, limited(response)).await.map_err(|_| OllamaError::Broken)??;
            return Err(self.refusal(&String::from_utf8_lossy(&body)));
        }
        Ok(ChatStream::new(
            response.bytes_stream().map(|part| part.map_err(OllamaError::from)),
            started,
            first,
            total,
        ))
    }

    fn request(&self, messages: Vec<ChatMessage>, max_tokens: u32) -> ChatMessageRequest {
        let options = ModelOptions::default()
            .num_ctx(CONTEXT_TOKENS)
            .temperature(TEMPERATURE)
            .num_predict(i32::try_from(max_tokens).unwrap_or(i32::MAX));
        let keep_alive =
            KeepAlive::Until { time: self.endpoint.keep_alive.as_secs(), unit: TimeUnit::Seconds };
        ChatMessageRequest::new(self.endpoint.model.clone(), messages)
            .options(options)
            .keep_alive(keep_alive)
            .think(ThinkType::False)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, OllamaError> {
        let work = async {
            let response = self.endpoint.http.get(self.url(path)).send().await?;
            if !response.status().is_success() {
                return Err(OllamaError::Refused(format!(
                    "status {} for {path}",
                    response.status().as_u16()
                )));
            }
            let body = limited(response).await?;
            serde_json::from_slice(&body).map_err(|error| OllamaError::Garbage(error.to_string()))
        };
        timeout(QUICK, work).await.map_err(|_| OllamaError::Unreachable("no answer within 5 s".to_owned()))?
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api.url_str())
    }

    fn refusal(&self, body: &str) -> OllamaError {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
        }
        let reason =
            serde_json::from_str::<Refusal>(body).map_or_else(|_| body.to_owned(), |told| told.error);
        if reason.contains("model") && reason.contains("not found") {
            return OllamaError::NoModel(self.endpoint.model.clone());
        }
        OllamaError::Refused(reason.trim().chars().take(300).collect())
    }
}

/// The address with a slash at its end, as the paths are appended.
fn address(given: &str) -> Result<reqwest::Url, OllamaError> {
    let wrong = || OllamaError::Address(given.chars().take(200).collect());
    let mut url = reqwest::Url::parse(given.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn message(message: Message) -> ChatMessage {
    match message {
        Message::System(text) => ChatMessage::system(text),
        Message::User(text) => ChatMessage::user(text),
        Message::Assistant(text) => ChatMessage::assistant(text),
    }
}

fn streaming(request: &ChatMessageRequest) -> Result<serde_json::Value, OllamaError> {
    let mut body = serde_json::to_value(request).map_err(|error| OllamaError::Garbage(error.to_string()))?;
    body["stream"] = true.into();
    Ok(body)
}

async fn limited(response: reqwest::Response) -> Result<Vec<u8>, OllamaError> {
    let mut body = Vec::new();
    let mut parts = response.bytes_stream();
    while let Some(part) = parts.next().await {
        body.extend_from_slice(&part?);
        if body.len() > MAX_BODY {
            return Err(OllamaError::Garbage("an answer of more than 4 MiB".to_owned()));
        }
    }
    Ok(body)
}

//! Messages of the Wyoming protocol: a line of JSON, then bytes of JSON and of sound whose lengths it tells.

use lectern_kernel::{Code, Error, Result};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MAX_LINE: u64 = 64 << 10;
const MAX_DATA: usize = 1 << 20;
const MAX_PAYLOAD: usize = 1 << 20;
/// Version of the protocol that this was written for.
const VERSION: &str = "1.5.2";

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub kind: String,
    pub data: Map<String, Value>,
    pub payload: Vec<u8>,
}

impl Message {
    pub(crate) fn new(kind: &str, data: Value) -> Self {
        let data = match data {
            Value::Object(data) => data,
            _ => Map::new(),
        };
        Self { kind: kind.to_owned(), data, payload: Vec::new() }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.data.get(name).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.data.get(name).and_then(Value::as_u64)
    }
}

fn broken(what: &str) -> Error {
    Error::new(Code::InvalidRequest, format!("The message is broken: {what}."))
}

fn gone(error: std::io::Error) -> Error {
    Error::new(Code::InvalidRequest, format!("The connection broke off: {error}."))
}

/// The next message; none at the end of the connection.
pub(crate) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Message>> {
    let mut line = Vec::new();
    let count = (&mut *from).take(MAX_LINE).read_until(b'\n', &mut line).await.map_err(gone)?;
    if count == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(broken("its first line has no end or is longer than 64 KiB"));
    }
    let head: Value = serde_json::from_slice(&line).map_err(|_| broken("its first line is no JSON"))?;
    let kind = head["type"].as_str().ok_or_else(|| broken("it has no type"))?;
    let mut message = Message::new(kind, head["data"].clone());
    let length = |name: &str| head[name].as_u64().unwrap_or_default() as usize;
    let (data, payload) = (length("data_length"), length("payload_length"));
    if data > MAX_DATA || payload > MAX_PAYLOAD {
        return Err(broken("it is larger than 1 MiB"));
    }
    if data > 0 {
        let bytes = exactly(from, data).await?;
        let more: Value = serde_json::from_slice(&bytes).map_err(|_| broken("its data are no JSON"))?;
        message.data.extend(more.as_object().cloned().unwrap_or_default());
    }
    if payload > 0 {
        message.payload = exactly(from, payload).await?;
    }
    Ok(Some(message))
}

async fn exactly(from: &mut (impl AsyncBufRead + Unpin), length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await.map_err(gone)?;
    Ok(bytes)
}

pub(crate) async fn write(to: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<()> {
    let data = if message.data.is_empty() {
        Vec::new()
    } else {
        serde_json::to_vec(&message.data).map_err(Error::internal)?
    };
    let mut head = json!({ "type": message.kind, "version": VERSION });
    if !data.is_empty() {
        head["data_length"] = json!(data.len());
    }
    if !message.payload.is_empty() {
        head["payload_length"] = json!(message.payload.len());
    }
    let mut bytes = head.to_string().into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(&data);
    bytes.extend_from_slice(&message.payload);
    to.write_all(&bytes).await.map_err(gone)?;
    to.flush().await.map_err(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_again() {
        let mut message = Message::new("audio-chunk", json!({ "rate": 22050, "text": "Grüße\n" }));
        message.payload = vec![1, 2, b'\n', 4];
        let mut bytes = Vec::new();
        write(&mut bytes, &message).await.expect("writes");
        write(&mut bytes, &Message::new("ping", Value::Null)).await.expect("writes");
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from).await.expect("reads"), Some(message));
        assert_eq!(read(&mut from).await.expect("reads").map(|m| m.kind).as_deref(), Some("ping"));
        assert_eq!(read(&mut from).await.expect("ends"), None);
    }

    #[tokio::test]
    async fn data_may_stand_in_the_line_and_nonsense_is_refused() {
        let mut from = &b"{\"type\":\"transcribe\",\"data\":{\"language\":\"de\"}}\n"[..];
        let message = read(&mut from).await.expect("reads").expect("is one");
        assert_eq!(message.text("language"), Some("de"));
        let long = format!("{{\"type\":\"{}\"}}\n", "x".repeat(70_000));
        for bad in [
            "x\n",
            "{}\n",
            "{\"type\":1}\n",
            "{\"type\":\"a\"",
            "{\"type\":\"a\",\"data_length\":9}\nx",
            "{\"type\":\"a\",\"payload_length\":99999999999}\n",
            "{\"type\":\"a\",\"data_length\":1}\nx",
            &long,
        ] {
            assert!(read(&mut bad.as_bytes()).await.is_err(), "{bad:.60}");
        }
    }
}

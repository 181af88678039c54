//! What goes out to a client: messages at once, the parts of an answer in their order and only as long as they count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

/// Frames of an answer that wait for the client.
const WAITING: usize = 16;

pub(crate) enum Frame {
    Text(String),
    Sound(Bytes),
}

#[derive(Clone)]
pub(crate) struct Outgoing {
    control: mpsc::UnboundedSender<String>,
    answer: mpsc::Sender<(u64, Frame)>,
    /// The answer that counts.
    current: Arc<AtomicU64>,
}

/// The other end.
pub(crate) struct Sending {
    control: mpsc::UnboundedReceiver<String>,
    answer: mpsc::Receiver<(u64, Frame)>,
    current: Arc<AtomicU64>,
}

pub(crate) fn channel() -> (Outgoing, Sending) {
    let (control, controlled) = mpsc::unbounded_channel();
    let (answer, answered) = mpsc::channel(WAITING);
    let current = Arc::new(AtomicU64::new(0));
    (
        Outgoing { control, answer, current: Arc::clone(&current) },
        Sending { control: controlled, answer: answered, current },
    )
}

impl Outgoing {
    /// Goes before everything that waits.
    pub(crate) fn control(&self, message: Value) {
        // The connection may be gone.
        let _ = self.control.send(message.to_string());
    }

    /// Begins an answer; parts of others are no longer sent.
    pub(crate) fn new_answer(&self) -> u64 {
        self.current.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What waits of the answer is not sent.
    pub(crate) fn drop_answer(&self) {
        self.current.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits when the client is slow.
    pub(crate) async fn answer(&self, id: u64, frame: Frame) {
        let _ = self.answer.send((id, frame)).await;
    }
}

impl Sending {
    /// The next frame to send; none when the conversation has ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            tokio::select! {
                biased;
                Some(message) = self.control.recv() => return Some(Frame::Text(message)),
                Some((id, frame)) = self.answer.recv() => {
                    if id == self.current.load(Ordering::Relaxed) {
                        return Some(frame);
                    }
                }
                else => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_answer_is_not_sent_and_messages_go_first() {
        let (out, mut sending) = channel();
        let first = out.new_answer();
        out.answer(first, Frame::Text("a".into())).await;
        out.answer(first, Frame::Sound(Bytes::from_static(b"x"))).await;
        out.control(serde_json::json!("c"));
        out.drop_answer();
        let second = out.new_answer();
        out.answer(second, Frame::Text("b".into())).await;
        drop(out);
        let mut sent = Vec::new();
        for _ in 0..2 {
            if let Some(Frame::Text(text)) = sending.next().await {
                sent.push(text);
            }
        }
        assert_eq!(sent, ["\"c\"", "b"]);
    }
}

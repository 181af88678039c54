//! Audio on its way: made on a thread of its own, clause by clause, and no faster than it is taken.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use lectern_kernel::{Code, Error, Result};
use lectern_speech::{SAMPLE_RATE, SpeakOptions, SpeechError, Synthesizer, sample_bytes, streaming_header};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::error::told;

/// Pieces that wait for the client, each some tenths of a second.
const AHEAD: usize = 32;
/// A client that takes nothing for so long has gone away without a word.
const STALLED: Duration = Duration::from_mins(2);
/// How long a text waits for a free thread.
const WAIT: Duration = Duration::from_secs(10);

/// A WAV file in pieces. Dropping it stops the voice.
#[derive(Debug)]
pub struct Audio {
    /// Header and the first piece, which came before the answer began.
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Result<Bytes>>,
}

impl Stream for Audio {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        self.pieces.poll_recv(context)
    }
}

/// Begins to speak; returns with the first sound, or with the reason why there is none.
pub(crate) async fn start(
    synthesizer: Synthesizer,
    text: String,
    options: SpeakOptions,
    streams: Arc<Semaphore>,
) -> Result<Audio> {
    let busy =
        || Error::new(Code::Busy, "Too many answers are being read aloud.").hint("Try again in a moment.");
    let place =
        tokio::time::timeout(WAIT, streams.acquire_owned()).await.map_err(|_| busy())?.map_err(|_| busy())?;
    let (sender, mut pieces) = mpsc::channel(AHEAD);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        if let Err(error) = speak(&synthesizer, &text, options, &runtime, &sender) {
            // Nobody there to hear of it is fine.
            let _ = sender.blocking_send(Err(told(error)));
        }
    });
    let first = pieces.recv().await.ok_or_else(|| Error::internal("the voice ended without a word"))??;
    let mut begin = streaming_header(SAMPLE_RATE).to_vec();
    begin.extend_from_slice(&first);
    Ok(Audio { first: Some(begin.into()), pieces })
}

fn speak(
    synthesizer: &Synthesizer,
    text: &str,
    options: SpeakOptions,
    runtime: &Handle,
    sender: &mpsc::Sender<Result<Bytes>>,
) -> std::result::Result<(), SpeechError> {
    let mut sink = |samples: &[i16]| {
        let piece = Bytes::from(sample_bytes(samples));
        let sent = runtime.block_on(async { tokio::time::timeout(STALLED, sender.send(Ok(piece))).await });
        if matches!(sent, Ok(Ok(()))) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    match synthesizer.speak(text, &options, &mut sink) {
        // The voice of the settings may have been taken away by an update: better another voice than none.
        Err(SpeechError::UnknownVoice(voice)) if options.voice.is_some() => {
            tracing::warn!(voice, "there is no such voice; the text's language chooses one");
            synthesizer.speak(text, &SpeakOptions { voice: None, ..options }, &mut sink).map(drop)
        }
        other => other.map(drop),
    }
}

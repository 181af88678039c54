//! Texts of Wyoming clients as sound: whole ones, and those that are dictated piece by piece.

use futures_util::{FutureExt, stream};
use lectern_kernel::{Code, Error, Result, Scope};
use lectern_speech::{MAX_TEXT_CHARS, SAMPLE_RATE, sample_bytes};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Voice;
use crate::choice::Wanted;
use crate::line::{Line, Said};
use crate::model::NewSpeech;
use crate::speaking::{Sound, Speaking};
use crate::wyoming::Writer;
use crate::wyoming_frame::{self as frame, Message};

/// Samples of a chunk.
const CHUNK: usize = 2048;

/// What a `synthesize` asks for.
pub(crate) fn asked(message: &Message) -> Result<NewSpeech> {
    let text = message.text("text").unwrap_or_default().to_owned();
    let (voice, language, speaker) = voice_of(message);
    let ssml = message.text("text_format") == Some("ssml");
    if text.trim().is_empty() {
        return Err(Error::new(Code::Conflict, "The text is empty."));
    }
    Ok(NewSpeech {
        text: (!ssml).then(|| text.clone()),
        ssml: ssml.then_some(text),
        voice,
        language,
        speaker,
        ..NewSpeech::default()
    })
}

fn voice_of(message: &Message) -> (Option<String>, Option<String>, Option<String>) {
    let voice = message.data.get("voice").cloned().unwrap_or_default();
    let text = |name: &str| voice[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    (text("name"), text("language"), text("speaker"))
}

async fn send(writer: &mut Writer, kind: &str, mut data: Value) -> Result<()> {
    if kind.starts_with("audio-") {
        data["rate"] = json!(SAMPLE_RATE);
        data["width"] = json!(2);
        data["channels"] = json!(1);
    }
    frame::write(writer, &Message::new(kind, data)).await
}

/// Sends samples; the number of those sent before gives their time.
async fn chunks(writer: &mut Writer, samples: &[i16], sent: &mut u64) -> Result<()> {
    for piece in samples.chunks(CHUNK) {
        let ms = *sent * 1000 / u64::from(SAMPLE_RATE);
        let data = json!({ "rate": SAMPLE_RATE, "width": 2, "channels": 1, "timestamp": ms });
        let message = Message { payload: sample_bytes(piece), ..Message::new("audio-chunk", data) };
        frame::write(writer, &message).await?;
        *sent += piece.len() as u64;
    }
    Ok(())
}

/// Plays a whole text.
pub(crate) async fn play(writer: &mut Writer, mut speaking: Speaking) -> Result<()> {
    let mut sent = 0;
    let mut begun = false;
    loop {
        match speaking.next().await {
            Some(Sound::Samples(samples)) => {
                if !begun {
                    begun = true;
                    send(writer, "audio-start", json!({ "timestamp": 0 })).await?;
                }
                chunks(writer, &samples, &mut sent).await?;
            }
            Some(Sound::Begin(_) | Sound::End { .. }) => {}
            Some(Sound::Over) if begun => return send(writer, "audio-stop", json!({})).await,
            Some(Sound::Over) => {
                return Err(Error::new(Code::Conflict, "The text has nothing that can be spoken."));
            }
            Some(Sound::Failed(error)) => return Err(error),
            None => return Err(Error::internal("the voice ended without a word")),
        }
    }
}

/// A text that comes piece by piece and is spoken sentence by sentence.
pub(crate) struct Dictation {
    lines: mpsc::UnboundedSender<Line>,
    speaking: Speaking,
    language: Option<String>,
    pending: String,
    sentences: usize,
    chars: usize,
    sent: u64,
    begun: bool,
}

impl Dictation {
    pub(crate) async fn begin(voice: &Voice, scope: &Scope, message: &Message) -> Result<Self> {
        let (name, language, speaker) = voice_of(message);
        let asked =
            NewSpeech { text: Some("x".into()), voice: name, language, speaker, ..NewSpeech::default() };
        if let Some(wrong) = lectern_edge::Validate::validate(&asked).into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        let wanted = Wanted { voice: asked.voice, speaker: asked.speaker, ..Wanted::default() };
        let plan = voice.plan(scope, wanted, &[]).await?;
        let (lines, said) = mpsc::unbounded_channel();
        let said = stream::unfold(said, |mut said: mpsc::UnboundedReceiver<Line>| async move {
            Some((said.recv().await?, said))
        });
        let speaking = voice.speak(scope, plan, Box::pin(said), false);
        let (pending, language) = (String::new(), asked.language);
        Ok(Self { lines, speaking, language, pending, sentences: 0, chars: 0, sent: 0, begun: false })
    }

    pub(crate) fn write(&mut self, text: &str) {
        // More than can be spoken at once is left out.
        let room = MAX_TEXT_CHARS.saturating_sub(self.chars);
        self.pending.extend(text.chars().take(room));
        self.chars += text.chars().count().min(room);
        let ranges = lectern_search::sentences(&self.pending);
        // The last may go on.
        let Some(last) = ranges.len().checked_sub(2).and_then(|at| ranges.get(at)) else { return };
        let whole: String = self.pending.drain(..last.end).collect();
        self.say(whole);
    }

    fn say(&mut self, text: String) {
        if text.trim().is_empty() {
            return;
        }
        let language =
            self.language.clone().or_else(|| lectern_search::detect_language(&text).map(str::to_owned));
        let said = Said { sentence: self.sentences, text, language, citations: Vec::new(), rate: 1.0 };
        self.sentences += 1;
        // The voice may have failed; `play` tells it.
        let _ = self.lines.send(Line::Say(said));
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        let rest = std::mem::take(&mut self.pending);
        self.say(rest);
        let _ = self.lines.send(Line::Over);
    }

    /// Sends what is spoken by now, or all to the end.
    pub(crate) async fn play(&mut self, writer: &mut Writer, to_the_end: bool) -> Result<()> {
        loop {
            let sound = if to_the_end {
                self.speaking.next().await
            } else {
                match self.speaking.next().now_or_never() {
                    Some(sound) => sound,
                    None => return Ok(()),
                }
            };
            match sound {
                Some(Sound::Samples(samples)) => {
                    if !self.begun {
                        self.begun = true;
                        send(writer, "audio-start", json!({ "timestamp": 0 })).await?;
                    }
                    chunks(writer, &samples, &mut self.sent).await?;
                }
                Some(Sound::Begin(_) | Sound::End { .. }) => {}
                Some(Sound::Over) => {
                    if self.begun {
                        send(writer, "audio-stop", json!({})).await?;
                    }
                    return Ok(());
                }
                Some(Sound::Failed(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    }
}

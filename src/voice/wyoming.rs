//! A server of the Wyoming protocol, so that voice assistants of the house can use the site's voice and ears.
//!
//! The protocol knows no passwords: only networks that are allowed are answered, and nothing of the documents is told.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lectern_audio::Resampler;
use lectern_hearing::{HearOptions, RATE};
use lectern_kernel::{Code, Error, Result, Scope};
use serde_json::{Value, json};
use tokio::io::{BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::error::{decoded, heard};
use crate::wyoming_frame::{self as frame, Message};
use crate::wyoming_speech::{self as speech, Dictation};
use crate::{Engine, Voice};

/// Connections at the same time.
const CONNECTIONS: usize = 16;
/// A connection on which nothing happens ends after this.
const IDLE: Duration = Duration::from_mins(10);
/// Longest sound of one request.
const LONGEST: usize = 120 * RATE as usize;

/// A network such as `192.168.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    length: u32,
    v4: bool,
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, true),
        IpAddr::V6(v6) => (u128::from(v6), false),
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is not a network; write it as in \"192.168.0.0/16\" or \"fd00::/8\"");
        let (address, length) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
        let (address, v4) = bits(address.parse().map_err(|_| wrong())?);
        let most = if v4 { 32 } else { 128 };
        let length = if length.is_empty() { most } else { length.parse().map_err(|_| wrong())? };
        if length > most { Err(wrong()) } else { Ok(Self { address, length, v4 }) }
    }
}

impl Network {
    pub fn holds(&self, address: IpAddr) -> bool {
        let (other, v4) = bits(address);
        let mask = if self.length == 0 { 0 } else { u128::MAX << (128 - self.length) };
        v4 == self.v4 && (other ^ self.address) & mask == 0
    }
}

/// Serves until the appliance stops.
pub(crate) async fn serve(voice: Voice, scope: Scope, listener: TcpListener, allowed: Vec<Network>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = voice.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a Wyoming connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        if !allowed.iter().any(|network| network.holds(peer.ip())) {
            tracing::warn!(%peer, "a Wyoming client outside wyoming.allow was turned away");
            continue;
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (voice, scope) = (voice.clone(), scope.clone());
        tokio::spawn(async move {
            let stop = voice.stop.clone();
            let served = tokio::select! {
                () = stop.cancelled() => Ok(()),
                served = Client::new(voice, scope, stream).run() => served,
            };
            if let Err(error) = served {
                tracing::debug!(%peer, %error, "a Wyoming connection ended");
            }
            drop(place);
        });
    }
}

type Reader = BufReader<tokio::net::tcp::OwnedReadHalf>;
pub(crate) type Writer = BufWriter<tokio::net::tcp::OwnedWriteHalf>;

struct Client {
    voice: Voice,
    scope: Scope,
    reader: Reader,
    writer: Writer,
    language: Option<String>,
    sound: Option<Sound>,
    dictation: Option<Dictation>,
}

/// Sound that is coming.
struct Sound {
    resampler: Option<Resampler>,
    samples: Vec<f32>,
}

impl Client {
    fn new(voice: Voice, scope: Scope, stream: TcpStream) -> Self {
        // Small messages must not wait for each other.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Self {
            voice,
            scope,
            reader: BufReader::new(reader),
            writer: BufWriter::new(writer),
            language: None,
            sound: None,
            dictation: None,
        }
    }

    async fn run(mut self) -> Result<()> {
        loop {
            let read = tokio::time::timeout(IDLE, frame::read(&mut self.reader)).await;
            let Ok(message) = read else { return Ok(()) };
            let Some(message) = message? else { return Ok(()) };
            if let Err(error) = self.take(message).await {
                if error.code.status() >= 500 {
                    tracing::error!(cause = ?error.cause, "{error}");
                }
                let told = json!({ "text": error.detail, "code": error.code.as_str() });
                self.send("error", told).await?;
            }
        }
    }

    async fn send(&mut self, kind: &str, data: Value) -> Result<()> {
        frame::write(&mut self.writer, &Message::new(kind, data)).await
    }

    async fn take(&mut self, message: Message) -> Result<()> {
        match message.kind.as_str() {
            "describe" => {
                let info = self.voice.clone().wyoming_info().await?;
                self.send("info", info).await
            }
            "ping" => {
                let text = message.text("text").map(str::to_owned);
                self.send("pong", json!({ "text": text })).await
            }
            "transcribe" => {
                self.language = message.text("language").map(str::to_owned);
                Ok(())
            }
            "audio-start" => self.begin(&message),
            "audio-chunk" => self.hear(&message),
            "audio-stop" => self.transcribe().await,
            // While a text comes in pieces this is the same text once more, for servers that take it only whole.
            "synthesize" if self.dictation.is_some() => Ok(()),
            "synthesize" => {
                let new = speech::asked(&message)?;
                let speaking = self.voice.speech(&self.scope, new).await?;
                speech::play(&mut self.writer, speaking).await
            }
            "synthesize-start" => {
                self.dictation = Some(Dictation::begin(&self.voice, &self.scope, &message).await?);
                Ok(())
            }
            "synthesize-chunk" => {
                let Some(dictation) = &mut self.dictation else { return Ok(()) };
                dictation.write(message.text("text").unwrap_or_default());
                dictation.play(&mut self.writer, false).await
            }
            "synthesize-stop" => {
                let Some(mut dictation) = self.dictation.take() else { return Ok(()) };
                dictation.end();
                dictation.play(&mut self.writer, true).await?;
                self.send("synthesize-stopped", Value::Null).await
            }
            // Newer messages are for those who know them.
            _ => Ok(()),
        }
    }

    fn begin(&mut self, message: &Message) -> Result<()> {
        let rate = message.number("rate").unwrap_or(u64::from(RATE)) as u32;
        let (width, channels) =
            (message.number("width").unwrap_or(2), message.number("channels").unwrap_or(1));
        if width != 2 || channels != 1 || !(8_000..=48_000).contains(&rate) {
            return Err(Error::new(
                Code::UnsupportedMedia,
                "The sound must be 16 bit, mono, 8,000 to 48,000 a second.",
            ));
        }
        let resampler = if rate == RATE { None } else { Some(Resampler::new(rate, RATE).map_err(decoded)?) };
        self.sound = Some(Sound { resampler, samples: Vec::new() });
        Ok(())
    }

    fn hear(&mut self, message: &Message) -> Result<()> {
        if self.sound.is_none() {
            self.begin(message)?;
        }
        let Some(sound) = &mut self.sound else { return Ok(()) };
        let pairs = message.payload.chunks_exact(2);
        let samples: Vec<f32> =
            pairs.map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect();
        let samples = match &mut sound.resampler {
            Some(resampler) => resampler.push(&samples).map_err(decoded)?,
            None => samples,
        };
        // What comes after the longest utterance is not heard.
        let room = LONGEST.saturating_sub(sound.samples.len()).min(samples.len());
        sound.samples.extend_from_slice(&samples[..room]);
        Ok(())
    }

    async fn transcribe(&mut self) -> Result<()> {
        let samples = self.sound.take().map(|sound| sound.samples).unwrap_or_default();
        let options = HearOptions {
            language: self.language.clone(),
            site: self.voice.words.now(&self.scope),
            ..HearOptions::default()
        };
        let ears = Arc::clone(&self.voice.ears);
        let work =
            tokio::task::spawn_blocking(move || ears.hear(&samples, &options, &AtomicBool::new(false)));
        let transcript = work.await.map_err(Error::internal)?.map_err(heard)?;
        let language = transcript.language.or_else(|| self.language.clone());
        self.send("transcript", json!({ "text": transcript.text, "language": language })).await
    }
}

impl Voice {
    /// What there is, in the words of the protocol.
    async fn wyoming_info(self) -> Result<Value> {
        let attribution = json!({ "name": "Lectern", "url": "" });
        let version = env!("CARGO_PKG_VERSION");
        let voices = self.voices().await?;
        let program = |engine: Engine, name: &str, description: &str| {
            let voices: Vec<Value> = voices
                .iter()
                .filter(|voice| voice.engine == engine)
                .map(|voice| {
                    let speakers: Vec<Value> =
                        voice.speakers.iter().map(|speaker| json!({ "name": speaker })).collect();
                    let speakers = if speakers.is_empty() { Value::Null } else { json!(speakers) };
                    json!({ "name": voice.id, "attribution": attribution, "installed": true,
                        "description": voice.name, "version": null, "languages": voice.languages, "speakers": speakers })
                })
                .collect();
            json!({ "name": name, "attribution": attribution, "installed": true, "description": description,
                "version": version, "voices": voices, "supports_synthesize_streaming": true })
        };
        let mut tts = vec![program(Engine::Piper, "lectern-piper", "Piper voices of this site")];
        tts.retain(|program| program["voices"].as_array().is_some_and(|voices| !voices.is_empty()));
        tts.push(program(Engine::Espeak, "lectern", "eSpeak NG"));
        let ears = self.ears;
        let work = tokio::task::spawn_blocking(move || ears.recogniser(None));
        let recogniser = work.await.map_err(Error::internal)?.map_err(heard)?;
        let languages = recogniser.languages().unwrap_or_else(|| vec!["en".to_owned()]);
        let model = json!({ "name": recogniser.name(), "attribution": attribution, "installed": true,
            "description": recogniser.name(), "version": null, "languages": languages });
        let asr = json!({ "name": "lectern", "attribution": attribution, "installed": true,
            "description": "The recogniser of this site", "version": version, "models": [model],
            "supports_transcript_streaming": false });
        Ok(json!({ "asr": [asr], "tts": tts, "handle": [], "intent": [], "wake": [], "mic": [], "snd": [] }))
    }

    /// Serves the Wyoming protocol on a port until the appliance stops.
    pub async fn serve_wyoming(&self, scope: Scope, listener: TcpListener, allowed: Vec<Network>) {
        serve(self.clone(), scope, listener, allowed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn networks_hold_their_addresses() {
        let holds = |network: &str, address: &str| {
            network.parse::<Network>().expect("a network").holds(address.parse().expect("an address"))
        };
        assert!(holds("192.168.0.0/16", "192.168.7.9") && !holds("192.168.0.0/16", "192.169.0.1"));
        assert!(holds("127.0.0.1", "127.0.0.1") && holds("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "fe80::1"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "::1") && holds("::/0", "::1"));
        for wrong in ["", "x", "1.2.3.4/33", "1.2.3.4/x", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}

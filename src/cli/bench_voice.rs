//! The part of `lectern bench` with a voice: questions typed and spoken to the appliance over its WebSocket, until the
//! first sound of the answer arrives. Spoken ones are sent as fast as somebody speaks, no faster.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lectern_audio::{Decoder, Limits};
use reqwest::blocking::multipart::Form;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::args::BenchArgs;
use crate::bench::{milliseconds, spread};
use crate::client::Client;

/// What the spoken questions ask for, in plain English: the built-in recogniser has to understand them.
const FACTS: &str = "\
The canteen opens at half past eleven and closes at two in the afternoon.\n\n\
The boiler in the basement was repaired by the night shift in the second week of March.\n\n\
Every visitor has to wear a helmet and a yellow jacket in the main hall.\n\n\
The spare keys of the laboratory are kept in the cabinet behind the front desk.\n";
const QUESTIONS: [&str; 4] = [
    "When does the canteen open?",
    "Who repaired the boiler in the basement?",
    "What does every visitor have to wear in the main hall?",
    "Where are the spare keys of the laboratory kept?",
];
/// The first round loads recogniser and voice and does not count.
const ROUNDS: usize = 4;
const RATE: u32 = 16_000;
/// Samples of a frame, and how long they take to say.
const FRAME: usize = 640;
const FRAME_TIME: Duration = Duration::from_millis(40);
const PATIENCE: Duration = Duration::from_secs(30);
/// Nobody asks in the moment in which the answer before was stopped.
const BREATH: Duration = Duration::from_millis(500);
/// Below this share of the loudest a sample at the end of a recording is silence.
const QUIET: f32 = 0.03;
/// Words a minute of the first answer; each is spoken a little faster than the one before, so that no sound comes out of
/// the cache.
const FIRST_PACE: u32 = 150;

pub fn run(client: &Client, arguments: &BenchArgs, folder: &Path) -> Result<Option<Value>> {
    let Some(voice) = &arguments.voice else { return Ok(None) };
    eprintln!("an appliance: questions typed and spoken …");
    import(client, voice)?;
    facts(client, folder)?;
    let recordings = if arguments.question.is_empty() {
        QUESTIONS.iter().map(|text| said(client, text)).collect::<Result<Vec<_>>>()?
    } else {
        arguments
            .question
            .iter()
            .map(|file| samples(Decoder::open_file(file, RATE, &Limits::default())?))
            .collect::<Result<_>>()?
    };
    let mut pace = FIRST_PACE;
    let mut typed = Vec::new();
    for round in 0..ROUNDS {
        for question in QUESTIONS {
            pace += 1;
            let turn = Call::begin(client, "push", pace)?.typed(question)?;
            typed.extend((round > 0).then_some(turn));
        }
    }
    let mut report = json!({ "typed": summary(&typed) });
    for mode in ["push", "hands_free"] {
        let mut spoken = Vec::new();
        for round in 0..ROUNDS {
            for recording in &recordings {
                pace += 1;
                let turn = Call::begin(client, mode, pace)?.spoken(recording, mode == "push")?;
                spoken.extend((round > 0).then_some(turn));
            }
        }
        report[format!("spoken_{mode}")] = summary(&spoken);
    }
    Ok(Some(report))
}

/// A voice as people have it: the model, and its configuration beside it.
fn import(client: &Client, model: &Path) -> Result<()> {
    let config = model.with_added_extension("json");
    let mut form = Form::new().text("name", "bench");
    for path in [model, &config] {
        form = form.file("file", path).with_context(|| path.display().to_string())?;
    }
    client.post_form("/models", form).map(drop)
}

fn facts(client: &Client, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("facts.txt");
    std::fs::write(&path, FACTS)?;
    client.upload(&path, &[])?;
    let begun = Instant::now();
    while client.get("/search", &[("q", "canteen helmet")])?["total"] == 0 {
        if begun.elapsed() > PATIENCE {
            bail!("the facts cannot be found");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// A question spoken by the built-in voice.
fn said(client: &Client, text: &str) -> Result<Vec<f32>> {
    let mut wav = Vec::new();
    let body = json!({ "text": text, "voice": "en-us", "rate": 150, "language": "en" });
    client.post_for_bytes("/speech", &body)?.read_to_end(&mut wav)?;
    samples(Decoder::open(std::io::Cursor::new(wav), RATE, &Limits::default())?)
}

/// A recording without the silence at its end.
fn samples(mut sound: Decoder) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    while let Some(block) = sound.read_block()? {
        all.extend(block);
    }
    let loudest = all.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    let end = all.iter().rposition(|sample| sample.abs() > loudest * QUIET).map_or(0, |last| last + 1);
    all.truncate(end);
    Ok(all)
}

/// What a client saw of one question.
struct Turn {
    /// From the end of the question to the first sound, by the client's clock.
    first_audio_ms: f64,
    transcript: String,
    trace: Value,
}

fn summary(turns: &[Turn]) -> Value {
    let part = |name: &str| {
        let values: Vec<f64> = turns.iter().filter_map(|turn| turn.trace[name].as_f64()).collect();
        if values.is_empty() { Value::Null } else { spread(values)["p50_ms"].take() }
    };
    let names = [
        "end_of_turn_ms",
        "transcript_ms",
        "retrieval_ms",
        "first_sentence_ms",
        "first_synthesis_ms",
        "first_audio_ms",
    ];
    let trace: serde_json::Map<String, Value> =
        names.map(|name| (name.to_owned(), part(name))).into_iter().collect();
    let mut heard: Vec<&str> = turns.iter().map(|turn| turn.transcript.as_str()).collect();
    heard.sort_unstable();
    heard.dedup();
    let mut report = json!({ "first_audio": spread(turns.iter().map(|turn| turn.first_audio_ms).collect()), "trace_p50": trace });
    if heard.iter().any(|text| !text.is_empty()) {
        report["transcripts"] = json!(heard);
    }
    report
}

/// One conversation.
struct Call {
    socket: WebSocket<TcpStream>,
}

impl Call {
    fn begin(client: &Client, mode: &str, pace: u32) -> Result<Self> {
        let (url, token) = client.address();
        let mut request = format!("{}/voice", url.replacen("http", "ws", 1)).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        let host = request.uri().authority().context("no address")?.to_string();
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let (socket, _) = tungstenite::client(request, stream).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut call = Self { socket };
        call.say(&json!({
            "type": "start", "mode": mode, "language": "en", "voice": "piper/bench", "rate": pace, "auto_ask": true,
        }))?;
        call.until(Instant::now() + PATIENCE, |message| message["type"] == "ready")?;
        std::thread::sleep(BREATH);
        Ok(call)
    }

    fn say(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string()))?)
    }

    /// Messages until one that ends it, or until it is time; `Value::Null` stands for sound.
    fn until(&mut self, time: Instant, ends: impl Fn(&Value) -> bool) -> Result<(Vec<Value>, bool)> {
        let mut messages = Vec::new();
        loop {
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok((messages, false));
            }
            self.socket.get_ref().set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            let message = match self.socket.read() {
                Ok(Message::Text(text)) => serde_json::from_str(&text)?,
                Ok(Message::Binary(_)) => Value::Null,
                Ok(Message::Close(reason)) => bail!("the conversation was closed: {reason:?}"),
                Ok(_) => continue,
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if message["type"] == "error" {
                bail!("the appliance says: {}", message["detail"]);
            }
            let last = ends(&message);
            messages.push(message);
            if last {
                return Ok((messages, true));
            }
        }
    }

    fn typed(mut self, question: &str) -> Result<Turn> {
        let asked = Instant::now();
        self.say(&json!({ "type": "ask", "text": question }))?;
        self.answer(asked, Vec::new())
    }

    /// Sends the recording as it would be spoken, then silence.
    fn spoken(mut self, recording: &[f32], button: bool) -> Result<Turn> {
        let begun = Instant::now();
        let mut messages = Vec::new();
        let mut frames = recording.chunks(FRAME);
        let mut ended = None;
        for number in 1.. {
            let frame = frames.next();
            let heard = self.until(begun + FRAME_TIME * number, Value::is_null)?;
            messages.extend(heard.0);
            let Some(end) = ended else {
                self.frame(frame.unwrap_or_default())?;
                if frames.len() == 0 {
                    ended = Some(Instant::now());
                    if button {
                        self.say(&json!({ "type": "end_of_speech" }))?;
                    }
                }
                continue;
            };
            if heard.1 || button {
                return self.answer(end, messages);
            }
            if end.elapsed() > PATIENCE {
                bail!("nothing was answered to a recording");
            }
            self.frame(&[])?;
        }
        unreachable!("frames go on until an answer comes")
    }

    fn frame(&mut self, samples: &[f32]) -> Result<()> {
        let silence = std::iter::repeat_n(&0.0, FRAME - samples.len());
        let bytes =
            samples.iter().chain(silence).flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes());
        Ok(self.socket.send(Message::binary(bytes.collect::<Vec<u8>>()))?)
    }

    /// Waits for the first sound, then ends the answer for its trace.
    fn answer(mut self, asked: Instant, mut messages: Vec<Value>) -> Result<Turn> {
        if !messages.iter().any(Value::is_null) {
            let (more, heard) = self.until(Instant::now() + PATIENCE, Value::is_null)?;
            if !heard {
                bail!("no sound came within {} s", PATIENCE.as_secs());
            }
            messages.extend(more);
        }
        let first_audio_ms = milliseconds(asked);
        self.say(&json!({ "type": "stop" }))?;
        messages.extend(self.until(Instant::now() + PATIENCE, |message| message["type"] == "done")?.0);
        let of = |kind: &str| messages.iter().rev().find(|message| message["type"] == kind);
        let heard =
            messages.iter().find(|message| message["type"] == "transcript" && message["final"] == true);
        let text = |message: &Value| message["text"].as_str().unwrap_or_default().to_owned();
        Ok(Turn {
            first_audio_ms,
            transcript: heard.map(text).unwrap_or_default(),
            trace: of("done").map(|done| done["trace"].clone()).unwrap_or_default(),
        })
    }
}

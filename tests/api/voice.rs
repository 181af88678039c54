//! Speaking and listening, through the real binary: clauses, transcriptions, a conversation over a WebSocket, Wyoming.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use lectern_testkit::{Client, Options, TestApp, fixture};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::{LECTERN, shared};

const PATIENCE: Duration = Duration::from_secs(120);

fn filled(options: Options) -> (TestApp, Client, String) {
    let app = TestApp::start_with(LECTERN, options);
    let admin = app.admin();
    admin.add("pump.md", fixture::PUMP.as_bytes());
    admin.add("canteen.md", fixture::CANTEEN.as_bytes());
    let key = admin.post("/keys", &json!({ "name": "voice" })).expect(201);
    let secret = key["secret"].as_str().unwrap().to_owned();
    (app, admin, secret)
}

/// The samples of a WAV file of 16 bit.
fn samples(wav: &[u8]) -> Vec<i16> {
    wav[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// A question spoken by the appliance, as 16 kHz.
fn question(client: &Client, text: &str) -> Vec<i16> {
    let body = json!({ "text": text, "voice": "en-us", "rate": 150, "language": "en" });
    let spoken = samples(&client.post("/speech", &body).bytes);
    // Nearest samples are good enough to hear words by.
    (0..spoken.len() * 16_000 / 22_050).map(|at| spoken[at * 22_050 / 16_000]).collect()
}

struct Socket {
    socket: WebSocket<TcpStream>,
    sound: usize,
}

impl Socket {
    fn connect(app: &TestApp, key: &str) -> Self {
        let mut request =
            format!("{}/api/v1/voice", app.url.replace("http", "ws")).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        let host = app.url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(request, stream).expect("a WebSocket");
        Self { socket, sound: 0 }
    }

    fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }

    fn sound(&mut self, samples: &[i16]) {
        for piece in samples.chunks(1600) {
            let bytes: Vec<u8> = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            self.socket.send(Message::binary(bytes)).unwrap();
        }
    }

    /// The next message; sound is counted on the way.
    fn next(&mut self) -> Value {
        loop {
            match self.socket.read().expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Binary(bytes) => self.sound += bytes.len(),
                Message::Close(reason) => panic!("closed: {reason:?}"),
                _ => {}
            }
        }
    }

    /// Messages up to one of a type, that one last.
    fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let message = self.next();
            assert!(kind == "error" || message["type"] != "error", "{message}");
            messages.push(message);
            if messages.last().is_some_and(|last| last["type"] == kind) {
                return messages;
            }
        }
    }
}

fn of<'m>(messages: &'m [Value], kind: &str) -> Vec<&'m Value> {
    messages.iter().filter(|message| message["type"] == kind).collect()
}

#[test]
fn an_answer_is_spoken_clause_by_clause_and_cached() {
    let (_app, admin, _) = filled(Options::default());
    let turn = admin.ask("When does the canteen open?");
    let path = format!("/ask/{}/speech?citations=true", turn["turn"].as_str().unwrap());
    let events = admin.get(&path).text();
    let clauses: Vec<Value> = events
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("event: clause\ndata: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(clauses.iter().any(|c| c["kind"] == "citation") && events.contains("event: done"), "{events}");
    for (at, clause) in clauses.iter().enumerate() {
        assert_eq!(clause["index"], at);
        let audio = admin.get(clause["url"].as_str().unwrap().trim_start_matches("/api/v1"));
        assert_eq!((audio.status, audio.headers["content-type"].to_str().unwrap()), (200, "audio/wav"));
        let loudest = samples(&audio.bytes).iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!(loudest > 3_000, "it can be heard: {loudest}");
    }
    for (format, magic) in [("opus", &b"OggS"[..]), ("mp3", b""), ("wav", b"RIFF")] {
        let path = format!("/ask/{}/audio?format={format}", turn["turn"].as_str().unwrap());
        let audio = admin.get(&path);
        assert!(
            audio.status == 200 && audio.bytes.starts_with(magic) && audio.bytes.len() > 4_000,
            "{format}"
        );
    }
}

#[test]
fn what_is_spoken_is_heard_again() {
    let (_app, admin, _) = filled(Options::default());
    let spoken = admin.post("/speech", &json!({ "text": "When does the canteen open?", "voice": "en-us" }));
    let send = |body: Vec<u8>, path: &str, accept: &str| {
        let request =
            admin.request("POST", path).header("content-type", "audio/wav").header("accept", accept);
        admin.send(request.body(body))
    };
    let transcript = send(spoken.bytes.clone(), "/transcriptions", "*/*").expect(200);
    assert!(transcript["text"].as_str().is_some_and(|text| text.len() > 5), "{transcript}");
    assert!(transcript["segments"][0]["end_ms"].as_u64() > Some(500), "{transcript}");
    let subtitles = send(spoken.bytes.clone(), "/transcriptions?format=vtt", "*/*");
    assert!(
        subtitles.text().starts_with("WEBVTT") && subtitles.text().contains("-->"),
        "{}",
        subtitles.text()
    );
    let events = send(spoken.bytes, "/transcriptions", "text/event-stream").text();
    assert!(events.contains("event: segment") && events.contains("event: done"), "{events}");
    let silent = fixture_wav(&vec![0; 32_000]);
    assert_eq!(send(silent, "/transcriptions", "*/*").expect(200)["text"], "");
}

fn fixture_wav(samples: &[i16]) -> Vec<u8> {
    let data = samples.len() as u32 * 2;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + data).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(32_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(data.to_le_bytes());
    wav.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    wav
}

#[test]
fn recordings_that_are_none_are_refused_with_a_hint_and_leave_nothing() {
    let config = "[hearing]\nmax_size = \"1 MB\"\nmax_time = \"5 s\"\n".to_owned();
    let (app, admin, _) = filled(Options { config, ..Options::default() });
    let send = |body: Vec<u8>| {
        let request =
            admin.request("POST", "/transcriptions").header("content-type", "application/octet-stream");
        admin.send(request.body(body))
    };
    for (body, status, code) in [
        (Vec::new(), 422, "damaged_media"),
        (b"This is no audio at all, only a text.".to_vec(), 415, "unsupported_media"),
        (fixture_wav(&[]), 422, "damaged_media"),
        (fixture_wav(&vec![1; 16_000 * 7]), 413, "too_large"),
        (vec![0; 1_100_000], 413, "too_large"),
    ] {
        let length = body.len();
        let answer = send(body);
        let told = answer.json();
        assert!(told["hint"].is_string(), "{length}: {told}");
        assert_eq!(answer.problem(status), code, "{length}: {told}");
    }
    let left: Vec<_> = std::fs::read_dir(app.data().join("tenants/main/incoming")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_conversation_by_voice() {
    let (app, admin, key) = filled(Options::default());
    let asked = question(&admin, "When does the canteen open?");
    let mut socket = Socket::connect(&app, &key);
    socket.say(&json!({ "type": "start", "language": "en" }));
    let ready = socket.until("ready");
    assert_eq!(ready[0]["audio"], json!({ "format": "pcm", "sample_rate": 22_050 }));
    socket.say(&json!({ "type": "listen" }));
    socket.sound(&asked);
    socket.sound(&[0; 4_800]);
    socket.say(&json!({ "type": "end_of_speech" }));
    let heard = socket.until("transcript");
    let mut last = heard.last().unwrap().clone();
    while last["final"] == false {
        last = socket.until("transcript").pop().unwrap();
    }
    assert!(last["text"].as_str().is_some_and(|text| !text.is_empty()), "{last}");
    assert!(!of(&heard, "level").is_empty());

    socket.say(&json!({ "type": "ask", "text": "When does the canteen open?" }));
    let answer = socket.until("done");
    let order: Vec<&str> = answer.iter().filter_map(|m| m["type"].as_str()).collect();
    let at =
        |kind: &str| order.iter().position(|k| *k == kind).unwrap_or_else(|| panic!("no {kind}: {order:?}"));
    assert!(
        at("retrieval") < at("citation") && at("citation") < at("sentence") && at("sentence") < at("clause")
    );
    assert!(of(&answer, "turn")[0]["view"]["answer"].as_str().unwrap().contains("11:30"));
    let clauses = of(&answer, "clause");
    assert!(clauses.iter().enumerate().all(|(at, clause)| clause["index"] == at), "{clauses:?}");
    let sounds = clauses.iter().copied().chain(of(&answer, "sound"));
    let bytes: u64 = sounds.map(|sound| sound["bytes"].as_u64().unwrap()).sum();
    assert_eq!(bytes, socket.sound as u64);
    let trace = &answer.last().unwrap()["trace"];
    let ms = |name: &str| trace[name].as_f64().unwrap_or_else(|| panic!("no {name}: {trace}"));
    assert!(ms("asked_ms") <= ms("retrieval_ms") && ms("retrieval_ms") <= ms("first_sentence_ms"));
    assert!(
        ms("first_sentence_ms") <= ms("first_audio_ms") && ms("first_audio_ms") <= ms("total_ms"),
        "{trace}"
    );
    println!("typed question to first sound: {} ms of {trace}", ms("first_audio_ms"));

    let first = of(&answer, "retrieval")[0]["conversation"].clone();
    socket.say(&json!({ "type": "ask", "text": "And when does it close?" }));
    let next = socket.until("done");
    assert_eq!(of(&next, "retrieval")[0]["conversation"], first, "the conversation goes on");
    socket.say(&json!({ "type": "ping" }));
    socket.until("pong");
}

#[test]
fn noise_under_a_pressed_button_is_no_question() {
    let (app, _, key) = filled(Options::default());
    let mut socket = Socket::connect(&app, &key);
    socket.say(&json!({ "type": "start", "language": "en", "auto_ask": true }));
    socket.until("ready");
    for name in ["noise1", "noise2", "noise3"] {
        let Some(path) = shared(&format!("data/speech/noise/{name}.wav")) else { return };
        socket.say(&json!({ "type": "listen" }));
        socket.sound(&recorded(&path));
        socket.say(&json!({ "type": "end_of_speech" }));
        let mut heard = socket.until("transcript");
        while heard.last().unwrap()["final"] == false {
            heard.extend(socket.until("transcript"));
        }
        let texts: Vec<&Value> = of(&heard, "transcript").into_iter().map(|m| &m["text"]).collect();
        assert!(texts.iter().all(|text| *text == ""), "{name}: {texts:?}");
    }
    // Nothing was asked: the next answer is to the next question.
    socket.say(&json!({ "type": "ask", "text": "When does the canteen open?" }));
    let answer = socket.until("done");
    assert_eq!(of(&answer, "turn")[0]["view"]["question"], "When does the canteen open?");
}

/// A recording as 16 kHz of one channel.
fn recorded(path: &std::path::Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((number(20) >> 16, number(24)), (1, 16_000), "{}", path.display());
    samples(&bytes)
}

#[test]
fn hands_free_speech_is_answered_and_interrupts() {
    let (app, admin, key) = filled(Options::default());
    let asked = question(&admin, "When does the canteen open?");
    let mut socket = Socket::connect(&app, &key);
    socket.say(&json!({ "type": "start", "mode": "hands_free", "language": "en" }));
    socket.until("ready");
    let pause = vec![0; 24_000];
    socket.sound(&pause);
    socket.sound(&asked);
    socket.sound(&pause);
    let messages = socket.until("done");
    let speaking: Vec<_> = of(&messages, "vad").iter().map(|m| m["speaking"].clone()).collect();
    assert_eq!(speaking, [json!(true), json!(false)], "{messages:?}");
    let final_one = of(&messages, "transcript").into_iter().find(|m| m["final"] == true).unwrap();
    let trace = &messages.last().unwrap()["trace"];
    assert!(trace["transcript_ms"].is_number() && trace["end_of_turn_ms"].is_number(), "{trace}");
    println!("heard {} with {trace}", final_one["text"]);
    // The answer is being played now, for all that is known here: speech ends it.
    socket.sound(&asked);
    let interrupted = socket.until("barge_in");
    assert_eq!(of(&interrupted, "clause").len(), 0);
}

#[test]
fn a_stopped_answer_sends_no_more_sound() {
    let (app, _, key) = filled(Options::default());
    let mut socket = Socket::connect(&app, &key);
    socket.say(&json!({ "type": "start", "rate": 80 }));
    socket.until("ready");
    socket.say(&json!({ "type": "ask", "text": "What do you know of the feed pump?" }));
    socket.until("clause");
    socket.say(&json!({ "type": "stop" }));
    socket.say(&json!({ "type": "ping" }));
    socket.until("pong");
    let sound = socket.sound;
    socket.say(&json!({ "type": "ping" }));
    let after = socket.until("pong");
    assert_eq!((after.len(), socket.sound), (1, sound), "{after:?}");
}

#[test]
fn other_sites_pages_and_strangers_do_not_get_in() {
    let (app, admin, key) = filled(Options::default());
    let upgrade = |client: &Client, origin: Option<&str>| {
        let mut request = client.request("GET", "/voice");
        for (name, value) in [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            request = request.header(name, value);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        client.send(request)
    };
    assert_eq!(upgrade(&app.anonymous(), Some(&app.url)).problem(401), "unauthenticated");
    assert_eq!(upgrade(&admin, Some("https://evil.example")).problem(403), "forbidden");
    assert_eq!(upgrade(&admin, None).problem(403), "forbidden");
    let mut socket = Socket::connect(&app, &key);
    socket.sound(&[0; 160]);
    loop {
        match socket.socket.read() {
            Ok(Message::Ping(_)) => {} // the server looks whether its peer is there, at any time
            Ok(Message::Close(Some(reason))) => break assert_eq!(u16::from(reason.code), 1008),
            other => panic!("sound before 'start' got {other:?}"),
        }
    }
}

#[test]
fn the_end_of_the_appliance_ends_conversations() {
    let (mut app, _, key) = filled(Options::default());
    let mut socket = Socket::connect(&app, &key);
    socket.say(&json!({ "type": "start" }));
    socket.until("ready");
    let begun = Instant::now();
    assert!(app.terminate(), "ends in order");
    assert!(begun.elapsed() < PATIENCE);
}

#[test]
fn the_wyoming_package_is_understood() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!("[wyoming]\nlisten = \"127.0.0.1:{port}\"\n");
    let (_app, _, _) = filled(Options { config, ..Options::default() });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wyoming_check.py");
    let python = std::env::var("WYOMING_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let known = std::process::Command::new(&python).args(["-c", "import wyoming"]).output();
    if !known.is_ok_and(|output| output.status.success()) {
        println!("skipped: the Python package wyoming is not there");
        return;
    }
    let mut command = std::process::Command::new(python);
    command.arg(script).arg(port.to_string());
    if let Some(speech) = shared("data/speech/en/jfk.wav") {
        command.arg(speech);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{told}");
}

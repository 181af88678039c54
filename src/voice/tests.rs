//! What a listener relies on.

use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::IF_NONE_MATCH;
use actix_web::test::TestRequest;
use futures_util::StreamExt;
use lectern_kernel::TurnId;
use lectern_kernel::ports::Report;
use lectern_speech::{SpeakOptions, Synthesizer};
use serde_json::json;

use crate::model::NewSpeech;
use crate::testing::{FakeAnswers, Fixture, Reply, begin, call, done, get, loudest, sentence};
use crate::{SoundFormat, speak_to_file, stream};

fn turn(path: &str) -> String {
    format!("/ask/{}/{path}", TurnId::generate())
}

fn spoken(text: &str) -> Fixture {
    Fixture::new(vec![begin(), sentence(0, text, "en"), done()])
}

async fn speech(fixture: &Fixture, body: serde_json::Value) -> Reply {
    call(&fixture.voice, TestRequest::post().uri("/speech").set_json(body)).await
}

#[actix_web::test]
async fn an_answer_comes_as_wav() {
    let fixture = spoken("The pump holds 40 litres [1].");
    let reply = get(&fixture.voice, &turn("audio")).await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "audio/wav"));
    assert_eq!((&reply.body[..4], &reply.body[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert!(reply.body.len() > 44 + 22_050 && loudest(&reply.body[44..]) > 1000, "{}", reply.body.len());
}

#[actix_web::test]
async fn failures_are_told_before_any_sound() {
    let absent = Fixture::with(FakeAnswers { absent: true, ..FakeAnswers::default() });
    let reply = get(&absent.voice, &turn("audio")).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
    assert_eq!(get(&absent.voice, &turn("speech")).await.status, StatusCode::NOT_FOUND);
    let silent = spoken(" [1] ");
    assert_eq!(get(&silent.voice, &turn("audio")).await.status, StatusCode::CONFLICT);
    for query in ["rate=5", "voice=..%2Fx", "format=flac", "rate=x"] {
        let reply = get(&silent.voice, &format!("{}?{query}", turn("audio"))).await;
        assert!(reply.status.is_client_error(), "{query}: {}", reply.text());
    }
}

#[actix_web::test]
async fn clauses_come_once_in_order_with_addresses_that_last() {
    let fixture = Fixture::new(vec![
        begin(),
        sentence(0, "When the server has started again, it goes on.", "en"),
        sentence(1, "Die Pumpe fasst vierzig Liter.", "de"),
        done(),
    ]);
    let reply = get(&fixture.voice, &turn("speech?citations=true")).await;
    let clauses = reply.events("clause");
    let said: Vec<_> =
        clauses.iter().map(|c| (c["sentence"].as_u64(), c["kind"].as_str(), c["text"].as_str())).collect();
    assert_eq!(
        said,
        [
            (Some(0), Some("answer"), Some("When the server has started again,")),
            (Some(0), Some("answer"), Some("it goes on.")),
            (Some(0), Some("citation"), Some("Source one, page fourteen.")),
            (Some(1), Some("answer"), Some("Die Pumpe fasst vierzig Liter.")),
            (Some(1), Some("citation"), Some("Quelle 2, Seite 14.")),
        ]
    );
    assert_eq!(clauses[3]["language"], "de");
    let done = &reply.events("done")[0];
    assert_eq!((&done["clauses"], done["trace"]["parts"].as_array().map(Vec::len)), (&json!(5), Some(5)));
    assert!(done["trace"]["first_audio_ms"].is_number() && reply.events("error").is_empty());

    let address = clauses[0]["url"].as_str().and_then(|url| url.strip_prefix("/api/v1")).expect("an address");
    let audio = get(&fixture.voice, address).await;
    assert_eq!(audio.header("cache-control"), "public, max-age=31536000, immutable");
    let duration = (audio.body.len() - 44) as f64 / 2.0 / 22.05;
    assert!((duration - clauses[0]["duration_ms"].as_f64().expect("a number")).abs() < 1.0, "{duration}");
    let tag = audio.header("etag").to_owned();
    let again =
        call(&fixture.voice, TestRequest::get().uri(address).insert_header((IF_NONE_MATCH, tag))).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let part =
        call(&fixture.voice, TestRequest::get().uri(address).insert_header(("Range", "bytes=0-3"))).await;
    assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"RIFF"[..]));
    for (ending, kind, magic) in [("opus", "audio/ogg", &b"OggS"[..]), ("mp3", "audio/mpeg", &b""[..])] {
        let reply = get(&fixture.voice, &address.replace("wav", ending)).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, kind));
        assert!(
            reply.body.starts_with(magic) && reply.body.len() > 1000 && reply.body.len() < audio.body.len()
        );
    }
    let second = get(&fixture.voice, &turn("speech?citations=true")).await;
    let urls = |reply: &Reply| reply.events("clause").iter().map(|c| c["url"].clone()).collect::<Vec<_>>();
    assert_eq!(urls(&second), urls(&reply));
    assert_eq!(second.events("done")[0]["trace"]["parts"][4]["cached"], true);
}

#[actix_web::test]
async fn audio_that_is_not_there_is_not_found() {
    let fixture = spoken("Hello there.");
    let hash = "a".repeat(40);
    for file in [
        format!("{hash}.wav"),
        format!("{hash}.exe"),
        "key".into(),
        "..%2Fdata.db".into(),
        format!("{hash}/../key.wav"),
    ] {
        assert_eq!(
            get(&fixture.voice, &format!("/audio/{file}")).await.status,
            StatusCode::NOT_FOUND,
            "{file}"
        );
    }
}

#[tokio::test]
async fn the_first_clause_is_heard_while_the_answer_is_written() {
    let (write, live) = tokio::sync::mpsc::unbounded_channel();
    let fixture =
        Fixture::with(FakeAnswers { live: parking_lot::Mutex::new(Some(live)), ..FakeAnswers::default() });
    write.send(begin()).expect("is heard");
    write.send(sentence(0, "The pump holds forty litres.", "en")).expect("is heard");
    let query = crate::SoundQuery::default();
    let speaking = fixture.voice.answer(&fixture.scope, &TurnId::generate(), &query).await.expect("begins");
    let mut audio = Box::pin(stream::audio(speaking, SoundFormat::Pcm).await.expect("sounds before the end"));
    assert!(!audio.next().await.expect("sound").expect("no error").is_empty());
    write.send(sentence(1, "Check it every week.", "en")).expect("is heard");
    write.send(done()).expect("is heard");
    let mut bytes = 0;
    while let Some(piece) = audio.next().await {
        bytes += piece.expect("no error").len();
    }
    assert!(bytes > 22_050, "{bytes}");
}

#[tokio::test]
async fn a_listener_who_goes_away_stops_the_voice() {
    let text = "This sentence is said again and again. ".repeat(2000);
    let fixture = Fixture::new(Vec::new());
    let new = NewSpeech { text: Some(text), language: Some("en".into()), ..NewSpeech::default() };
    let speaking = fixture.voice.speech(&fixture.scope, new).await.expect("begins");
    let free = fixture.voice.turns.available_permits();
    let mut audio = Box::pin(stream::audio(speaking, SoundFormat::Wav).await.expect("sounds"));
    assert!(audio.next().await.expect("sound").expect("no error").len() > 44);
    drop(audio);
    let left = Instant::now();
    while fixture.voice.turns.available_permits() < free && left.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(fixture.voice.turns.available_permits(), free);
}

#[actix_web::test]
async fn texts_are_spoken_in_every_format() {
    let fixture = spoken("x");
    for (format, kind, magic) in [
        ("wav", "audio/wav", &b"RIFF"[..]),
        ("opus", "audio/ogg", b"OggS"),
        ("mp3", "audio/mpeg", b""),
        ("pcm", "audio/L16;rate=22050;channels=1", b""),
    ] {
        let reply = speech(&fixture, json!({ "text": "One, two and three.", "format": format })).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, kind), "{}", reply.text());
        assert!(reply.body.starts_with(magic) && reply.body.len() > 2000, "{format}: {}", reply.body.len());
    }
    let pcm = |body| async { speech(&fixture, body).await.body.len() };
    let (plain, paused) = (
        pcm(json!({ "ssml": "<speak>One two</speak>", "format": "pcm", "language": "en" })).await,
        pcm(json!({ "ssml": "<speak>One <break time='1s'/>two</speak>", "format": "pcm", "language": "en" }))
            .await,
    );
    assert!(paused > plain + 44_000, "{plain} {paused}");
    let slow =
        pcm(json!({ "ssml": "<prosody rate='50%'>One two</prosody>", "format": "pcm", "language": "en" }))
            .await;
    assert!(slow > plain * 3 / 2, "{plain} {slow}");
}

#[actix_web::test]
async fn wrong_requests_for_speech_are_refused() {
    let fixture = spoken("x");
    for (body, status, field) in [
        (json!({}), 422, "text"),
        (json!({ "text": " " }), 422, "text"),
        (json!({ "text": "a", "ssml": "a" }), 422, "text"),
        (json!({ "text": "a".repeat(100_001) }), 422, "text"),
        (json!({ "ssml": "<speak>" }), 422, "ssml"),
        (json!({ "text": "a", "rate": 5 }), 422, "rate"),
        (json!({ "text": "a", "noise": 3 }), 422, "noise"),
        (json!({ "text": "a", "voice": "../x" }), 422, "voice"),
        (json!({ "text": "a", "language": "x y" }), 422, "language"),
        (
            json!({ "text": "a", "lexicon": [{ "word": "a", "kind": "phonemes", "value": "é" }] }),
            422,
            "lexicon.value",
        ),
        (json!({ "text": "a", "other": 1 }), 422, ""),
        (json!({ "text": "..." }), 409, ""),
        (json!({ "text": "Hello", "voice": "nobody" }), 409, ""),
    ] {
        let reply = speech(&fixture, body.clone()).await;
        assert_eq!(reply.status.as_u16(), status, "{body}: {}", reply.text());
        let errors = &reply.json()["errors"];
        assert!(field.is_empty() || errors[0]["field"] == field, "{body}: {errors}");
    }
}

#[actix_web::test]
async fn a_voice_of_the_settings_that_is_gone_is_replaced() {
    let fixture = spoken("Hello there.");
    fixture.settings.0.lock().voice = Some("no-such-voice".into());
    let reply = get(&fixture.voice, &turn("audio")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(loudest(&reply.body[44..]) > 1000);
    let told = fixture.voice.report(&fixture.scope).await.expect("reports");
    assert_eq!(told, "eSpeak NG (no-such-voice, 300 words a minute)");
}

#[test]
fn a_file_is_whole_or_not_there() {
    let dir = tempfile::tempdir().expect("folder");
    let synthesizer = Synthesizer::new(dir.path());
    let path = dir.path().join("out.wav");
    let options = SpeakOptions::default();
    let info = speak_to_file(&synthesizer, "**Hello**, this is 5 kg.", &options, &path).expect("speaks");
    let bytes = std::fs::read(&path).expect("is there");
    assert_eq!(bytes.len() as u64, 44 + 2 * info.samples);
    assert!(loudest(&bytes[44..]) > 1000);

    let empty = dir.path().join("empty.wav");
    assert!(speak_to_file(&synthesizer, " [1] ", &options, &empty).is_err());
    assert!(speak_to_file(&synthesizer, "Hello.", &options, Path::new("/nowhere/at/all.wav")).is_err());
    let left: Vec<_> =
        std::fs::read_dir(dir.path()).expect("lists").flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("part")), "{left:?}");
    assert!(!empty.exists());
}

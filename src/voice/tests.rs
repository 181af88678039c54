//! What a listener relies on.

use std::path::Path;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{App, middleware::from_fn, test as http};
use async_trait::async_trait;
use futures_util::StreamExt;
use lectern_kernel::ports::{Answers, Authenticate, Credentials, Report, Speakable};
use lectern_kernel::{Actor, Error, KeyId, Principal, Result, Role, Scope, TenantId, TurnId};
use lectern_speech::{SpeakOptions, Synthesizer};

use crate::{Voice, VoiceChoice, VoiceSettings, speak_to_file};

struct Said(Option<&'static str>);

#[async_trait]
impl Answers for Said {
    async fn speakable(&self, _: &Scope, _: &TurnId) -> Result<Speakable> {
        let text = self.0.ok_or_else(|| Error::not_found("answer"))?.to_owned();
        Ok(Speakable { text, language: Some("en".into()) })
    }
}

struct Set(Option<&'static str>);

#[async_trait]
impl VoiceSettings for Set {
    async fn current(&self, _: &Scope) -> Result<VoiceChoice> {
        Ok(VoiceChoice { voice: self.0.map(str::to_owned), rate: 300 })
    }
}

struct Anyone;

#[async_trait]
impl Authenticate for Anyone {
    async fn authenticate(&self, _: Credentials) -> Result<Principal> {
        let actor = Actor::Key { id: KeyId::generate() };
        Ok(Principal { tenant: TenantId::main(), user: None, role: Role::Admin, actor })
    }
}

fn voice(cache: &Path, said: Option<&'static str>, set: Option<&'static str>) -> Voice {
    Voice::new(Arc::new(Said(said)), Arc::new(Set(set)), Synthesizer::new(cache))
}

fn scope() -> Scope {
    Scope::system(TenantId::main())
}

async fn get(voice: Voice) -> (StatusCode, Option<String>, Vec<u8>) {
    let anyone: Arc<dyn Authenticate> = Arc::new(Anyone);
    let app = App::new()
        .wrap(from_fn(lectern_edge::watch))
        .app_data(Data::from(anyone))
        .app_data(Data::new(voice))
        .configure(crate::feature().routes);
    let app = http::init_service(app).await;
    let request = http::TestRequest::get().uri(&format!("/ask/{}/audio", TurnId::generate())).to_request();
    let response = http::call_service(&app, request).await;
    let status = response.status();
    let kind =
        response.headers().get("content-type").map(|kind| kind.to_str().unwrap_or_default().to_owned());
    (status, kind, http::read_body(response).await.to_vec())
}

fn loudest(wav: &[u8]) -> u16 {
    let samples = wav[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs());
    samples.max().unwrap_or_default()
}

#[actix_web::test]
async fn an_answer_comes_as_wav() {
    let cache = tempfile::tempdir().expect("folder");
    let (status, kind, body) = get(voice(cache.path(), Some("The pump holds 40 litres [1]."), None)).await;
    assert_eq!((status, kind.as_deref()), (StatusCode::OK, Some("audio/wav")));
    assert_eq!((&body[..4], &body[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert!(body.len() > 44 + 22_050 && loudest(&body) > 1000, "{} bytes", body.len());
}

#[actix_web::test]
async fn failures_are_told_before_any_sound() {
    let cache = tempfile::tempdir().expect("folder");
    let (status, kind, _) = get(voice(cache.path(), None, None)).await;
    assert_eq!((status, kind.as_deref()), (StatusCode::NOT_FOUND, Some("application/problem+json")));
    let (status, _, body) = get(voice(cache.path(), Some(" [1] "), None)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{}", String::from_utf8_lossy(&body));
}

#[actix_web::test]
async fn a_voice_that_is_not_there_is_replaced() {
    let cache = tempfile::tempdir().expect("folder");
    let (status, _, body) = get(voice(cache.path(), Some("Hello there."), Some("no-such-voice"))).await;
    assert_eq!(status, StatusCode::OK);
    assert!(loudest(&body) > 1000);
}

#[tokio::test]
async fn a_listener_who_goes_away_frees_the_place() {
    let cache = tempfile::tempdir().expect("folder");
    let text: &'static str =
        Box::leak("This sentence is said again and again. ".repeat(2000).into_boxed_str());
    let voice = voice(cache.path(), Some(text), None);
    let free = voice.streams.available_permits();
    let mut audio = voice.turn_audio(&scope(), &TurnId::generate()).await.expect("begins");
    assert!(audio.next().await.expect("sound").expect("no error").len() > 44);
    assert_eq!(voice.streams.available_permits(), free - 1);
    drop(audio);
    let mut waited = 0;
    while voice.streams.available_permits() < free && waited < 500 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        waited += 1;
    }
    assert_eq!(voice.streams.available_permits(), free);
}

#[tokio::test]
async fn reports_its_voice() {
    let cache = tempfile::tempdir().expect("folder");
    let voice = voice(cache.path(), None, Some("de"));
    assert_eq!(voice.name(), "voice");
    assert_eq!(voice.report(&scope()).await.expect("reports"), "eSpeak NG (de, 300 words a minute)");
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
    assert!(loudest(&bytes) > 1000);

    let empty = dir.path().join("empty.wav");
    assert!(speak_to_file(&synthesizer, " [1] ", &options, &empty).is_err());
    assert!(speak_to_file(&synthesizer, "Hello.", &options, Path::new("/nowhere/at/all.wav")).is_err());
    let left: Vec<_> =
        std::fs::read_dir(dir.path()).expect("lists").flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("part")), "{left:?}");
    assert!(!empty.exists());
}

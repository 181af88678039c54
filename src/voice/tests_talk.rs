//! A conversation by voice with a recogniser and answers made by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lectern_hearing::{Ears, HearOptions, HearingError, Recogniser, RecogniserBank, Segment, Transcript};
use lectern_speech::SpeakOptions;
use serde_json::{Value, json};

use crate::outgoing::{Frame, Sending, channel};
use crate::talk::Talk;
use crate::testing::{Fixture, begin, done, sentence};

/// Always hears the same.
struct Parrot {
    worked: Arc<AtomicUsize>,
}

impl Recogniser for Parrot {
    fn name(&self) -> String {
        "parrot".into()
    }

    fn languages(&self) -> Option<Vec<String>> {
        None
    }

    fn transcribe(
        &self,
        audio: &[f32],
        _: &HearOptions,
        _: &AtomicBool,
        sink: &mut dyn FnMut(Segment),
    ) -> Result<Transcript, HearingError> {
        self.worked.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(60));
        let end_ms = audio.len() as u64 / 16;
        let segment = Segment { start_ms: 0, end_ms, text: "Where is the pump".into(), words: Vec::new() };
        sink(segment.clone());
        Ok(Transcript {
            text: segment.text.clone(),
            language: Some("en".into()),
            segments: vec![segment],
            engine: self.name(),
            duration_ms: end_ms,
        })
    }
}

struct OneParrot(Arc<Parrot>);

impl RecogniserBank for OneParrot {
    fn choose(&self, _: Option<&str>) -> Result<Option<Arc<dyn Recogniser>>, HearingError> {
        Ok(Some(self.0.clone()))
    }
}

struct Caller {
    talk: Talk,
    sending: Sending,
    sound: usize,
    worked: Arc<AtomicUsize>,
    fixture: Fixture,
}

impl Caller {
    fn new() -> Self {
        let mut fixture = Fixture::new(vec![
            begin(),
            sentence(0, "The pump stands in the cellar.", "en"),
            sentence(1, "It holds forty litres of oil, and it is checked every week by the crew.", "en"),
            done(),
        ]);
        let worked = Arc::new(AtomicUsize::new(0));
        let bank = OneParrot(Arc::new(Parrot { worked: Arc::clone(&worked) }));
        fixture.voice.ears = Arc::new(Ears::new(fixture.folder.path(), Some(Arc::new(bank))));
        let (out, sending) = channel();
        let talk = Talk::new(fixture.voice.clone(), fixture.scope.clone(), out);
        Self { talk, sending, sound: 0, worked, fixture }
    }

    async fn say(&mut self, message: Value) {
        assert!(self.talk.message(&message.to_string()).await.is_ok(), "{message}");
    }

    fn hear(&mut self, samples: &[i16]) {
        for piece in samples.chunks(800) {
            let bytes: Vec<u8> = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            assert!(self.talk.sound(&bytes).is_ok());
        }
    }

    /// Messages up to one of this type, while the conversation goes on.
    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut messages = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < deadline, "no {kind}: {messages:?}");
            tokio::select! {
                Some(said) = self.talk.said.recv() => self.talk.heard(said),
                Some(told) = self.talk.told.recv() => self.talk.answered(told),
                frame = self.sending.next() => match frame.expect("goes on") {
                    Frame::Sound(bytes) => self.sound += bytes.len(),
                    Frame::Text(text) => {
                        let message: Value = serde_json::from_str(&text).expect("JSON");
                        let last = message["type"] == kind;
                        messages.push(message);
                        if last {
                            return messages;
                        }
                    }
                },
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
    }

    /// A spoken sentence at 16 kHz.
    fn speech(&self) -> Vec<i16> {
        let mut spoken = Vec::new();
        let options = SpeakOptions { language: Some("en".into()), rate: 150, ..SpeakOptions::default() };
        let text = "Where is the feed pump of the power station?";
        let done = self.fixture.voice.synthesizer.speak(text, &options, &mut |more| {
            spoken.extend_from_slice(more);
            std::ops::ControlFlow::Continue(())
        });
        done.expect("speaks");
        (0..spoken.len() * 16_000 / 22_050).map(|at| spoken[at * 22_050 / 16_000]).collect()
    }
}

fn of<'m>(messages: &'m [Value], kind: &str) -> Vec<&'m Value> {
    messages.iter().filter(|message| message["type"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_a_transcript_a_question() {
    let mut caller = Caller::new();
    caller.say(json!({ "type": "start" })).await;
    assert_eq!(caller.until("ready").await[0]["engine"], "parrot");
    let speech = caller.speech();
    caller.say(json!({ "type": "listen" })).await;
    caller.hear(&speech);
    caller.say(json!({ "type": "end_of_speech" })).await;
    let messages = caller.until("transcript").await;
    assert_eq!(
        messages.last().map(|m| (m["final"].clone(), m["text"].clone())),
        Some((json!(true), json!("Where is the pump")))
    );
    assert!(caller.fixture.answers.asked.lock().is_empty(), "it may be corrected first");
    caller.say(json!({ "type": "ask", "text": "Where is the feed pump?" })).await;
    let answer = caller.until("done").await;
    assert_eq!(caller.fixture.answers.asked.lock()[0].text, "Where is the feed pump?");
    assert!(of(&answer, "clause").len() >= 2 && of(&answer, "error").is_empty(), "{answer:?}");
    let sounds = answer.iter().filter(|m| m["type"] == "clause" || m["type"] == "sound");
    let bytes: u64 = sounds.clone().filter_map(|sound| sound["bytes"].as_u64()).sum();
    assert_eq!(bytes as usize, caller.sound);
    // Every clause has one last part, which tells its length and address.
    let last: Vec<_> = sounds.filter(|sound| sound["last"] == true).collect();
    assert_eq!(last.len(), of(&answer, "clause").len(), "{answer:?}");
    assert!(last.iter().all(|sound| sound["duration_ms"].as_f64() > Some(10.0) && sound["url"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_utterance() {
    let mut caller = Caller::new();
    caller.say(json!({ "type": "start" })).await;
    caller.until("ready").await;
    caller.say(json!({ "type": "listen" })).await;
    caller.hear(&vec![0; 16_000]);
    caller.say(json!({ "type": "end_of_speech" })).await;
    let messages = caller.until("transcript").await;
    assert_eq!(messages.last().map(|m| m["text"].clone()), Some(json!("")));
    assert_eq!(caller.worked.load(Ordering::Relaxed), 0, "the gate kept the silence away");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hands_the_end_is_heard_ahead_and_speech_interrupts() {
    let mut caller = Caller::new();
    caller.say(json!({ "type": "start", "mode": "hands_free", "rate": 80 })).await;
    caller.until("ready").await;
    let (speech, pause) = (caller.speech(), vec![0; 16_000]);
    caller.hear(&pause);
    caller.hear(&speech);
    // The work begins at the first short silence, before the end is sure.
    caller.hear(&pause[..5_000]);
    caller.until("vad").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(caller.worked.load(Ordering::Relaxed) >= 1, "it was begun ahead");
    caller.hear(&pause);
    let answer = caller.until("clause").await;
    assert_eq!(of(&answer, "transcript").iter().filter(|t| t["final"] == true).count(), 1);
    assert_eq!(caller.fixture.answers.asked.lock().len(), 1);
    caller.hear(&speech);
    let interrupted = caller.until("barge_in").await;
    let stopped = of(&interrupted, "done");
    assert!(stopped.iter().all(|done| done["stopped"] == true), "{interrupted:?}");
    let sound = caller.sound;
    caller.say(json!({ "type": "ping" })).await;
    caller.until("pong").await;
    assert_eq!(caller.sound, sound, "no more of it came");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_or_ends_the_conversation() {
    let mut caller = Caller::new();
    for breach in ["{}", "x", r#"{"type":"ask","text":"x"}"#, r#"{"type":"other"}"#] {
        assert!(caller.talk.message(breach).await.is_err(), "{breach}");
    }
    assert!(caller.talk.sound(&[0, 0]).is_err(), "sound before the start");
    caller.say(json!({ "type": "start", "sample_rate": 1 })).await;
    let error = caller.until("error").await.pop().expect("an error");
    assert_eq!(
        (&error["code"], &error["errors"][0]["field"]),
        (&json!("invalid_field"), &json!("sample_rate"))
    );
    caller.say(json!({ "type": "start" })).await;
    assert!(caller.talk.sound(&[0]).is_err(), "half a sample");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_two_breaths_is_one_question() {
    let mut caller = Caller::new();
    caller.say(json!({ "type": "start", "mode": "hands_free", "filter": { "collection": "plant" } })).await;
    caller.until("ready").await;
    let (speech, pause) = (caller.speech(), vec![0; 16_000]);
    // All of it is there before the recogniser has told of the first.
    caller.hear(&[&pause[..], &speech, &pause, &speech, &pause].concat());
    let mut finals = Vec::new();
    while finals.len() < 2 {
        let heard = caller.until("transcript").await;
        finals.extend(heard.into_iter().filter(|m| m["type"] == "transcript" && m["final"] == true));
    }
    let numbers: Vec<_> = finals.iter().map(|m| m["utterance"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!(2)]);
    caller.until("done").await;
    let asked = caller.fixture.answers.asked.lock();
    let texts: Vec<&str> = asked.iter().map(|question| question.text.as_str()).collect();
    assert_eq!(texts, ["Where is the pump Where is the pump"]);
    assert_eq!(asked[0].filter.collection.as_deref(), Some("plant"));
}

//! Real synthesis: what is heard, in which voice, from many at once, and how it stops.

use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{AudioInfo, MAX_TEXT_CHARS, SAMPLE_RATE, SpeakOptions, SpeechError, Synthesizer};

const SENTENCE: &str = "The pump must be switched off before the cover is opened.";

/// One cache for the run of the tests; each test is its own caller.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("temp"));

fn synthesizer() -> Synthesizer {
    Synthesizer::new(CACHE.path())
}

fn speak(text: &str, options: &SpeakOptions) -> Result<(Vec<i16>, AudioInfo), SpeechError> {
    let mut samples = Vec::new();
    let info = synthesizer().speak(text, options, &mut |piece| {
        samples.extend_from_slice(piece);
        ControlFlow::Continue(())
    })?;
    Ok((samples, info))
}

fn heard(text: &str, language: &str) -> (Vec<i16>, AudioInfo) {
    let options = SpeakOptions { language: Some(language.into()), ..SpeakOptions::default() };
    speak(text, &options).unwrap_or_else(|error| panic!("{language}: {error}"))
}

/// The engine breathes: a few samples more or less for the same text.
fn alike(a: usize, b: usize) -> bool {
    a.abs_diff(b) * 200 < a.max(b)
}

/// Root mean square, as a part of full scale.
fn level(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt() / f64::from(i16::MAX)
}

#[test]
fn a_sentence_is_heard() {
    let (samples, info) = heard(SENTENCE, "en");
    assert_eq!((info.sample_rate, info.complete, info.voice.as_str()), (SAMPLE_RATE, true, "en-gb"));
    assert_eq!(info.samples, samples.len() as u64);
    let seconds = info.duration().as_secs_f64();
    assert!((2.0..6.0).contains(&seconds), "11 words at 170 a minute: {seconds} s");
    let level = level(&samples);
    assert!((0.02..0.5).contains(&level), "level {level}");
    let clipped = samples.iter().filter(|sample| sample.unsigned_abs() >= i16::MAX as u16).count();
    assert!(clipped * 1000 < samples.len(), "{clipped} samples at the limit");
}

#[test]
fn the_same_text_sounds_the_same_and_longer_text_is_longer() {
    let (first, _) = heard(SENTENCE, "en");
    let (again, _) = heard(SENTENCE, "en");
    assert!(alike(first.len(), again.len()), "{} and {}", first.len(), again.len());
    let (double, info) = heard(&format!("{SENTENCE} {SENTENCE}"), "en");
    assert_eq!(info.clauses, 2);
    let ratio = double.len() as f64 / first.len() as f64;
    assert!((1.9..2.1).contains(&ratio), "ratio {ratio}");
}

#[test]
fn languages_have_their_voices() {
    let cases = [
        ("deu", "Die Pumpe muss vor dem Öffnen abgeschaltet werden.", "de"),
        ("fr", "La pompe doit être arrêtée avant l'ouverture.", "fr-fr"),
        ("spa", "La bomba debe apagarse antes de abrir la tapa.", "es"),
        ("pt_BR", "A bomba deve ser desligada antes de abrir.", "pt-br"),
        ("rus", "Насос должен быть выключен.", "ru"),
        ("ara", "يجب إيقاف المضخة.", "ar"),
        ("hin", "पंप बंद होना चाहिए।", "hi"),
        ("cmn", "打开盖子之前必须关闭水泵。", "cmn"),
        ("jpn", "ポンプをとめてください。", "ja"),
        ("en-US", SENTENCE, "en-us"),
        ("xx", SENTENCE, "en-gb"),
    ];
    for (language, text, voice) in cases {
        let (samples, info) = heard(text, language);
        assert_eq!(info.voice, voice, "for {language}");
        assert!(
            info.duration().as_secs_f64() > 0.7 && level(&samples) > 0.02,
            "{language}: {:?}",
            info.duration()
        );
    }
    assert!(synthesizer().voices().expect("voices").len() > 90);
}

#[test]
fn every_detected_language_has_a_voice() {
    let voices = synthesizer().voices().expect("voices");
    for code in [
        "eng", "rus", "cmn", "spa", "por", "ita", "ben", "fra", "deu", "ukr", "kat", "ara", "hin", "jpn",
        "heb", "pol", "amh", "jav", "kor", "nob", "dan", "swe", "fin", "tur", "nld", "hun", "ces", "ell",
        "bul", "bel", "mar", "kan", "ron", "slv", "hrv", "srp", "mkd", "lit", "lav", "est", "tam", "vie",
        "urd", "tha", "guj", "uzb", "pan", "aze", "ind", "tel", "pes", "mal", "ori", "mya", "nep", "sin",
        "tuk", "afr", "lat", "slk", "cat", "hye", "cym",
    ] {
        assert!(crate::language::voice_for(&voices, code).is_some(), "{code}");
    }
}

#[test]
fn options_change_the_sound() {
    let plain = heard(SENTENCE, "en").0;
    let with = |change: fn(&mut SpeakOptions)| {
        let mut options = SpeakOptions::default();
        change(&mut options);
        speak(SENTENCE, &options).expect("spoken").0
    };
    let fast = with(|options| options.rate = 340);
    assert!(fast.len() * 10 < plain.len() * 7, "{} and {}", fast.len(), plain.len());
    assert!(level(&with(|options| options.volume = 30)) < level(&plain) * 0.6);
    assert_ne!(with(|options| options.pitch = 90), plain);
    assert_ne!(with(|options| options.voice = Some("en-us+f3".into())), plain);
    assert!(alike(heard(SENTENCE, "en").0.len(), plain.len()), "nothing sticks");
}

#[test]
fn wrong_options_are_named() {
    let wrong = |options: SpeakOptions| speak(SENTENCE, &options).expect_err("refused");
    assert!(matches!(
        wrong(SpeakOptions { rate: 0, ..SpeakOptions::default() }),
        SpeechError::OutOfRange { name: "rate", .. }
    ));
    assert!(matches!(
        wrong(SpeakOptions { volume: 900, ..SpeakOptions::default() }),
        SpeechError::OutOfRange { .. }
    ));
    for name in ["klingonese", "en+../../x", "en+", "../en", "en-us+nobody", "\0"] {
        let error = wrong(SpeakOptions { voice: Some(name.into()), ..SpeakOptions::default() });
        assert!(matches!(error, SpeechError::UnknownVoice(_)), "{name}: {error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn odd_text_is_survived() {
    let (plain, _) = heard("Hello world.", "en");
    let (nul, _) = heard("Hello\0 world.", "en");
    assert!(alike(nul.len(), plain.len()));
    for text in [
        "😀 🎉",
        "<speak><break time=\"3600s\"/>one</speak>",
        "[[h@l'oU]]",
        "&#0; &amp; <!-- x",
        &"a".repeat(5000),
        &"().,;".repeat(500),
        &"\u{301}".repeat(300),
        "ß\u{200d}\u{feff}語\u{10ffff}א",
        "\u{1}\u{2}x\u{1b}[31m",
        &"1".repeat(900),
    ] {
        let start: String = text.chars().take(20).collect();
        match speak(text, &SpeakOptions::default()) {
            Ok((samples, info)) => {
                assert_eq!(info.samples, samples.len() as u64);
                assert!(info.duration().as_secs() < 1800, "{start}: {:?}", info.duration());
            }
            Err(error) => assert!(matches!(error, SpeechError::Empty), "{start}: {error}"),
        }
    }
    let tag = heard("<break time=\"60s\"/> done", "en").1;
    assert!((0.5..20.0).contains(&tag.duration().as_secs_f64()), "tags are text: {:?}", tag.duration());
}

#[test]
fn limits_are_said() {
    assert!(matches!(speak(" \n ", &SpeakOptions::default()), Err(SpeechError::Empty)));
    let error = speak(&"word ".repeat(MAX_TEXT_CHARS), &SpeakOptions::default()).expect_err("too long");
    assert_eq!(error.to_string(), "the text has 500000 characters; at most 100000 are spoken at once");
}

#[test]
fn the_first_piece_comes_before_the_rest_and_stopping_stops() {
    let text = format!("{SENTENCE} ").repeat(200);
    let mut pieces = 0;
    let info = synthesizer()
        .speak(&text, &SpeakOptions::default(), &mut |_| {
            pieces += 1;
            if pieces == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .expect("spoken");
    assert!(!info.complete);
    assert_eq!((pieces, info.clauses), (3, 1));
    assert!(info.samples < u64::from(SAMPLE_RATE), "only what was taken");
    assert_eq!(heard(SENTENCE, "en").1.clauses, 1, "the engine goes on");
}

#[test]
fn streams_share_the_engine() {
    let alone = heard(SENTENCE, "en").0.len();
    let german = heard("Die Pumpe ist aus.", "de").0.len();
    std::thread::scope(|scope| {
        for number in 0..12 {
            scope.spawn(move || {
                if number % 2 == 0 {
                    assert!(alike(heard(SENTENCE, "en").0.len(), alone));
                } else {
                    assert!(alike(heard("Die Pumpe ist aus.", "de").0.len(), german));
                }
            });
        }
    });
}

#[test]
fn a_short_text_does_not_wait_for_a_long_one() {
    let long = format!("{SENTENCE} ").repeat(300);
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut told = false;
            synthesizer()
                .speak(&long, &SpeakOptions::default(), &mut |_| {
                    if !told {
                        told = true;
                        // The second stream starts inside the first, and must end before it.
                        scope.spawn(|| {
                            heard(SENTENCE, "en");
                            done.store(1, Ordering::SeqCst);
                        });
                    }
                    if done.load(Ordering::SeqCst) == 1 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .map(|info| assert!(!info.complete, "the short text had to wait for the long one"))
                .expect("spoken");
        });
    });
}

#[test]
fn a_cache_may_disappear_and_another_may_come() {
    let first = tempfile::tempdir().expect("temp");
    let say = |cache: &std::path::Path| {
        Synthesizer::new(cache)
            .speak(SENTENCE, &SpeakOptions::default(), &mut |_| ControlFlow::Continue(()))
            .expect("spoken")
            .samples as usize
    };
    let samples = say(first.path());
    drop(first);
    let second = tempfile::tempdir().expect("temp");
    let deep = second.path().join("x".repeat(200)).join("ü");
    assert!(alike(say(&deep), samples));
}

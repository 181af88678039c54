//! The gate, turns, and the built-in recogniser on real speech.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lectern_audio::{Decoder, Limits};

use crate::{
    Ears, HearOptions, HearingError, RATE, Recogniser, RecogniserBank, Segment, Silero, SiteOptions,
    Transcript, TurnDetector, TurnEvent, TurnOptions, wer,
};

/// A recording of the shared folder, or none.
fn shared(file: &str) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "tests find their data by it")]
    let root = std::env::var_os("LECTERN_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = root.join("data/speech").join(file);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

fn samples(file: &str) -> Option<Vec<f32>> {
    let path = shared(file)?;
    Some(Decoder::open_file(&path, RATE, &Limits::default()).expect("opens").read_all().expect("decodes"))
}

fn turns(audio: &[f32]) -> Vec<(u64, u64)> {
    turns_of(TurnDetector::new(TurnOptions::default()), audio)
}

fn turns_of(mut detector: TurnDetector, audio: &[f32]) -> Vec<(u64, u64)> {
    let mut events = Vec::new();
    for part in audio.chunks(1_234) {
        events.extend(detector.push(part));
    }
    events.extend(detector.finish());
    events
        .into_iter()
        .filter_map(|event| match event {
            TurnEvent::End { start_ms, end_ms, audio } => {
                assert_eq!(audio.len() as u64 / 16, end_ms - start_ms);
                Some((start_ms, end_ms))
            }
            _ => None,
        })
        .collect()
}

/// Noise whose power falls with frequency: 0 white, 1 brown; the same each time.
fn noise(seconds: usize, colour: f32, level: f32) -> Vec<f32> {
    let mut state = 7_u64;
    let mut slow = 0.0;
    (0..seconds * RATE as usize)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let white = (state >> 40) as f32 / 8_388_608.0 - 1.0;
            slow = 0.98 * slow + 0.2 * white;
            (colour * slow + (1.0 - colour) * white) * level
        })
        .collect()
}

fn tone(seconds: usize, hertz: &[f32], level: f32) -> Vec<f32> {
    (0..seconds * RATE as usize)
        .map(|at| {
            let t = at as f32 / RATE as f32;
            hertz.iter().map(|h| (t * h * std::f32::consts::TAU).sin()).sum::<f32>() * level
                / hertz.len() as f32
        })
        .collect()
}

#[test]
fn noise_and_silence_are_no_speech() {
    let clicks: Vec<f32> =
        (0..10 * RATE as usize).map(|at| if at % 5_000 < 40 { 0.8 } else { 0.0 }).collect();
    let sweep: Vec<f32> = (0..10 * RATE as usize)
        .map(|at| {
            let t = at as f32 / RATE as f32;
            ((100.0 + 150.0 * t) * t * std::f32::consts::TAU).sin() * 0.4
        })
        .collect();
    for (name, sound) in [
        ("silence", vec![0.0; 160_000]),
        ("white noise", noise(10, 0.0, 0.3)),
        ("quiet noise", noise(10, 0.3, 0.005)),
        ("pink noise", noise(10, 0.6, 0.3)),
        ("brown noise", noise(10, 1.0, 0.5)),
        ("hum", tone(10, &[50.0, 100.0, 150.0], 0.8)),
        ("buzz", tone(10, &[120.0, 240.0, 360.0, 480.0, 600.0, 720.0], 0.8)),
        ("dial tone", tone(5, &[697.0, 1_209.0], 0.8)),
        ("whistle", tone(5, &[2_000.0], 0.5)),
        ("clicks", clicks),
        ("sweep", sweep),
    ] {
        assert_eq!(turns(&sound), [], "{name}");
    }
    for file in ["noise/noise1.wav", "noise/noise2.wav", "noise/noise3.wav", "formats/silent_1s.wav"] {
        let Some(sound) = samples(file) else { return };
        assert_eq!(turns(&sound), [], "{file}");
        let loud: Vec<f32> = sound.iter().map(|sample| (sample * 4.0).clamp(-1.0, 1.0)).collect();
        assert_eq!(turns(&loud), [], "{file}, four times as loud");
        let quiet: Vec<f32> = sound.iter().map(|sample| sample * 0.1).collect();
        assert_eq!(turns(&quiet), [], "{file}, a tenth as loud");
    }
}

const CLIPS: [&str; 12] = [
    "en/jfk.wav",
    "en/librivox_austen-0880.wav",
    "en/librivox_austen-0920.wav",
    "en/cards/001.wav",
    "en/cards/004.wav",
    "en/cards/005.wav",
    "en/vosk_test.wav",
    "en/LJ050-0131.wav",
    "en/speechbrain/spk1_snt2.wav",
    "en/speechbrain/spk2_snt2.wav",
    "en/speechbrain/spk2_snt3.wav",
    "en/speechbrain/spk2_snt5.wav",
];

/// Milliseconds in which the clip itself is loud, between the first and the last such place.
fn loud_span(audio: &[f32]) -> (u64, u64) {
    let frames: Vec<f32> = audio.chunks(160).map(|f| f.iter().map(|s| s * s).sum::<f32>()).collect();
    let most = frames.iter().copied().fold(0.0, f32::max);
    let loud = |energy: &f32| *energy > most * 0.05;
    let first = frames.iter().position(loud).expect("a loud place");
    let last = frames.iter().rposition(loud).expect("a loud place");
    (first as u64 * 10, last as u64 * 10)
}

#[test]
fn speech_is_never_lost() {
    for file in CLIPS {
        let Some(clip) = samples(file) else { return };
        for (name, level, hiss) in [("as it is", 1.0, 0.0), ("quiet", 0.25, 0.0), ("in noise", 1.0, 0.05)] {
            let strength = (clip.iter().map(|s| s * s).sum::<f32>() / clip.len() as f32).sqrt();
            let hiss = noise(clip.len() / RATE as usize + 1, 0.5, hiss * strength * 5.0);
            let sound: Vec<f32> = clip.iter().zip(hiss).map(|(sample, hiss)| sample * level + hiss).collect();
            let found = turns(&sound);
            let (first, last) = loud_span(&clip);
            let starts = found.first().unwrap_or_else(|| panic!("{file} {name}: nothing"));
            let ends = found.last().expect("found");
            assert!(starts.0 <= first + 30, "{file} {name}: begins at {} instead of {first}", starts.0);
            assert!(ends.1 + 30 >= last, "{file} {name}: ends at {} instead of {last}", ends.1);
        }
    }
}

#[test]
fn a_turn_begins_and_ends_once() {
    let Some(clip) = samples("en/librivox_austen-0930.wav") else { return };
    let mut sound = vec![0.0; 2 * RATE as usize];
    sound.extend(&clip);
    sound.extend(vec![0.0; 2 * RATE as usize]);
    let mut detector = TurnDetector::new(TurnOptions::default());
    let (mut starts, mut ends, mut levels) = (Vec::new(), Vec::new(), 0);
    for (at, part) in sound.chunks(320).enumerate() {
        for event in detector.push(part) {
            match event {
                TurnEvent::Start { at_ms } => starts.push((at_ms, at as u64 * 20 - at_ms)),
                TurnEvent::End { start_ms, end_ms, .. } => {
                    assert!(!detector.is_speaking());
                    ends.push((start_ms, end_ms, at as u64 * 20 - end_ms));
                }
                TurnEvent::Level { rms, peak, speech, .. } => {
                    assert!((0.0..=1.0).contains(&rms) && rms <= peak && (0.0..=1.0).contains(&speech));
                    levels += 1;
                }
            }
        }
    }
    assert_eq!((starts.len(), ends.len()), (1, 1), "{starts:?} {ends:?}");
    assert!(starts[0].1 < 500, "noticed {} ms late", starts[0].1);
    assert!(ends[0].2 < 700, "ended {} ms late", ends[0].2);
    assert!((sound.len() / (96 * 16)).abs_diff(levels) <= 1, "{levels}");
    assert!(detector.finish().is_empty());
    detector.reset();
    assert!(!detector.is_speaking());
}

#[test]
fn endless_speech_is_cut_and_memory_stays_bounded() {
    let Some(clip) = samples("multi/silero_test.wav") else { return };
    let options = TurnOptions { end_ms: 60_000, max_ms: 5_000, ..TurnOptions::default() };
    let mut detector = TurnDetector::new(options);
    let mut parts = Vec::new();
    for part in clip.chunks(1_600) {
        parts.extend(detector.push(part));
    }
    parts.extend(detector.finish());
    let lengths: Vec<u64> = parts
        .iter()
        .filter_map(|event| match event {
            TurnEvent::End { start_ms, end_ms, .. } => Some(end_ms - start_ms),
            _ => None,
        })
        .collect();
    assert!(lengths.len() >= 10, "{lengths:?}");
    assert!(lengths.iter().all(|length| *length <= 5_600), "{lengths:?}");
}

/// A recogniser that says how long each utterance was.
struct Measure;

impl Recogniser for Measure {
    fn name(&self) -> String {
        "measure".to_owned()
    }

    fn languages(&self) -> Option<Vec<String>> {
        None
    }

    fn transcribe(
        &self,
        audio: &[f32],
        _options: &HearOptions,
        _stop: &AtomicBool,
        sink: &mut dyn FnMut(Segment),
    ) -> Result<Transcript, HearingError> {
        let segment =
            Segment { start_ms: 0, end_ms: audio.len() as u64 / 16, text: "word".into(), words: vec![] };
        sink(segment);
        Ok(Transcript { language: Some("xx".into()), ..Transcript::default() })
    }

    fn max_seconds(&self) -> f32 {
        10.0
    }
}

struct Bank;

impl RecogniserBank for Bank {
    fn choose(&self, language: Option<&str>) -> Result<Option<Arc<dyn Recogniser>>, HearingError> {
        Ok((language != Some("en")).then(|| Arc::new(Measure) as Arc<dyn Recogniser>))
    }
}

#[test]
fn an_imported_recogniser_gets_utterances_behind_the_gate() {
    let Some(path) = shared("multi/silero_test.wav") else { return };
    let cache = tempfile::tempdir().expect("temp");
    let ears = Ears::new(cache.path(), Some(Arc::new(Bank)));
    let mut decoder = Decoder::open_file(&path, RATE, &Limits::default()).expect("opens");
    let mut streamed = Vec::new();
    let heard = ears
        .transcribe(&mut decoder, &HearOptions::default(), &AtomicBool::new(false), &mut |s| streamed.push(s))
        .expect("heard");
    assert_eq!(streamed, heard.segments);
    assert!(heard.segments.len() > 5, "{}", heard.segments.len());
    assert!(heard.segments.iter().all(|s| s.end_ms - s.start_ms <= 10_000));
    assert!(heard.segments.windows(2).all(|pair| pair[0].start_ms < pair[1].start_ms));
    assert_eq!(
        (heard.engine.as_str(), heard.language.as_deref(), heard.duration_ms),
        ("measure", Some("xx"), 60_000)
    );
    assert!(std::fs::read_dir(cache.path()).expect("cache").next().is_none(), "nothing was unpacked");
    let stopped = ears.hear(&vec![0.0; 16_000], &HearOptions::default(), &AtomicBool::new(true));
    assert!(stopped.expect("silence needs no work").is_empty());
}

#[test]
fn an_imported_detector_takes_the_place_of_the_built_in_one() {
    let Some(graph) = shared("../vad/silero_vad.onnx") else { return };
    let silero = Arc::new(Silero::load(&graph).expect("loads"));
    let found = |audio: &[f32]| {
        turns_of(TurnDetector::with(TurnOptions::default(), Some(Arc::clone(&silero))), audio)
    };
    for file in ["noise/noise1.wav", "noise/noise2.wav", "noise/noise3.wav"] {
        assert_eq!(found(&samples(file).expect("is there")), [], "{file}");
    }
    assert_eq!(found(&vec![0.0; 5 * RATE as usize]), []);
    for file in ["en/librivox_austen-0930.wav", "en/jfk.wav", "en/cards/005.wav"] {
        let clip = samples(file).expect("is there");
        let (own, imported) = (turns(&clip), found(&clip));
        assert!(!imported.is_empty(), "{file}");
        let spoken = |turns: &[(u64, u64)]| turns.iter().map(|(start, end)| end - start).sum::<u64>();
        let share = spoken(&imported) as f64 / spoken(&own) as f64;
        assert!((0.8..1.2).contains(&share), "{file}: {imported:?} {own:?}");
    }
    let other = tempfile::tempdir().expect("temp");
    let path = other.path().join("x.onnx");
    std::fs::write(&path, b"no model").expect("writes");
    assert!(Silero::load(&path).is_err());
}

#[test]
fn the_built_in_recogniser_hears_speech_and_nothing_else() {
    let cache = tempfile::tempdir().expect("temp");
    let ears = Ears::new(cache.path(), None);
    let (options, stop) = (HearOptions::default(), AtomicBool::new(false));
    assert_eq!(ears.status().loaded, 0);
    for file in ["noise/noise1.wav", "noise/noise2.wav", "noise/noise3.wav", "formats/silent_1s.wav"] {
        let Some(path) = shared(file) else { return };
        let mut decoder = Decoder::open_file(&path, RATE, &Limits::default()).expect("opens");
        let heard =
            ears.transcribe(&mut decoder, &options, &stop, &mut |s| panic!("{file}: {s:?}")).expect("heard");
        assert!(heard.is_empty() && heard.segments.is_empty() && heard.duration_ms > 0, "{file}");
    }
    assert_eq!(ears.status().loaded, 0, "silence needs no recogniser");
    let Some(path) = shared("en/cards/005.wav") else { return };
    let mut decoder = Decoder::open_file(&path, RATE, &Limits::default()).expect("opens");
    let heard = ears.transcribe(&mut decoder, &options, &stop, &mut |_| {}).expect("heard");
    assert_eq!(heard.text, "Eight of spades four of clubs seven of hearts");
    assert_eq!(heard.engine, "pocketsphinx en-us");
    let words = &heard.segments[0].words;
    assert_eq!(words.len(), 9);
    assert!(words.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms + 10), "{words:?}");
    assert!(
        words.iter().all(|word| (0.0..=1.0).contains(&word.confidence) && word.end_ms <= heard.duration_ms)
    );
    assert_eq!((ears.status().loaded, ears.status().busy), (1, 0));
    assert_eq!(ears.release_idle(Duration::from_secs(3_600)), 0);
    assert_eq!(ears.release_idle(Duration::ZERO), 1);
    assert_eq!(ears.status().memory_bytes, 0);
}

#[test]
fn words_of_the_site_are_heard() {
    let cache = tempfile::tempdir().expect("temp");
    let ears = Ears::new(cache.path(), None);
    let Some(clip) = samples("en/librivox_austen-0880.wav") else { return };
    let said = "he was not an ill disposed young man";
    let errors = |options: &HearOptions| {
        let heard = ears.hear(&clip, options, &AtomicBool::new(false)).expect("heard");
        let mut errors = wer::WordErrors::default();
        errors.add(said, &heard.text);
        errors.errors
    };
    let text = "The estate had been in the family for long. He was not an ill-disposed young man, unless to be rather \
                cold hearted is to be ill-disposed. His wife was a strong caricature of himself.";
    let site = ears.site([text], &SiteOptions::default()).expect("site");
    let with = HearOptions { site: Some(Arc::new(site)), ..HearOptions::default() };
    let (without, with) = (errors(&HearOptions::default()), errors(&with));
    assert!(with < without, "{with} errors with the site's words, {without} without");
}

#[test]
fn many_at_once_share_the_decoders() {
    let Some(clip) = samples("en/goforward.wav").or_else(|| samples("en/cards/001.wav")) else { return };
    let cache = tempfile::tempdir().expect("temp");
    let ears = Ears::new(cache.path(), None);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..5)
            .map(|_| {
                scope.spawn(|| {
                    ears.hear(&clip, &HearOptions::default(), &AtomicBool::new(false)).expect("heard")
                })
            })
            .collect();
        for run in runs {
            assert_eq!(run.join().expect("thread").text, "Ten of clubs");
        }
    });
    let status = ears.status();
    assert!((1..=4).contains(&status.loaded), "{status:?}");
    assert_eq!(status.busy, 0);
}

#[test]
fn odd_sound_is_survived() {
    let cache = tempfile::tempdir().expect("temp");
    let ears = Ears::new(cache.path(), None);
    let recogniser = ears.recogniser(None).expect("built in");
    let stop = AtomicBool::new(false);
    for sound in [
        vec![],
        vec![0.0; 1],
        vec![0.0; 1_700],
        vec![f32::NAN; 20_000],
        vec![1.0; 20_000],
        noise(2, 0.0, 1.0),
        (0..20_000).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }).collect(),
    ] {
        // Straight to the recogniser: the gate would keep most of it away.
        recogniser.transcribe(&sound, &HearOptions::default(), &stop, &mut |_| {}).expect("an answer");
    }
}

#[test]
fn what_is_heard_while_it_is_said_is_heard_again_when_more_follows() {
    let Some(clip) = samples("en/cards/005.wav") else { return };
    let cache = tempfile::tempdir().expect("temp");
    let ears = Ears::new(cache.path(), None);
    let options = HearOptions::default();
    let mut live = ears.live(&options).expect("starts").expect("is free");
    for piece in clip.chunks(640) {
        live.push(piece).expect("takes");
    }
    let first = live.finish().expect("hears");
    let mut errors = wer::WordErrors::default();
    errors.add("eight of spades four of clubs seven of hearts", &first.text);
    assert!(errors.rate() < 0.5, "{first:?}");
    assert!(first.segments[0].words.iter().all(|word| word.end_ms <= first.duration_ms + 10), "{first:?}");
    live.push(&vec![0.0; 8_000]).expect("takes");
    for piece in clip.chunks(640) {
        live.push(piece).expect("takes");
    }
    assert_eq!((ears.status().loaded, ears.status().busy), (1, 1));
    let whole = live.finish().expect("hears").text;
    assert!(whole.split(' ').count() > first.text.split(' ').count() + 5, "{whole}");
    // Dropped in the middle of an utterance: the decoder can be used again.
    live.push(&clip).expect("takes");
    drop(live);
    assert_eq!(ears.status().busy, 0);
    let again = ears.hear(&clip, &options, &AtomicBool::new(false)).expect("hears");
    assert!(again.text.contains("hearts"), "{}", again.text);
    let german = HearOptions { language: Some("de".into()), ..HearOptions::default() };
    assert!(ears.live(&german).expect("no error").is_none());
    assert!(Ears::new(cache.path(), Some(Arc::new(Bank))).live(&german).expect("no error").is_none());
}

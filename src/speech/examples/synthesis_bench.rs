//! Prints how fast a Piper voice speaks here: loading, one stream, eight beside each other, stopping.
//! Run: `cargo run --release -p lectern-speech --example synthesis_bench -- MODEL.onnx CONFIG.json`

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lectern_speech::{BankVoice, PiperVoice, SAMPLE_RATE, SpeakOptions, SpeechError, Synthesizer, VoiceBank};

const SENTENCE: &str = "The pump must be switched off before the cover is opened, and the valve stays closed until the work is done. ";
const RUNS: usize = 7;
const STREAMS: usize = 8;

struct One(Arc<PiperVoice>);

impl VoiceBank for One {
    fn list(&self) -> Vec<BankVoice> {
        Vec::new()
    }

    fn open(&self, _: &str) -> Result<Arc<PiperVoice>, SpeechError> {
        Ok(Arc::clone(&self.0))
    }
}

struct Spoken {
    first: Duration,
    all: Duration,
    audio: f64,
}

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(model), Some(config)) = (arguments.next(), arguments.next()) else {
        return println!("give a model and its configuration");
    };
    let mut loads = Vec::new();
    let mut voice = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        voice = Some(PiperVoice::load(&model, &config).expect("the voice fits"));
        loads.push(start.elapsed());
    }
    println!("load, with trial: {:.0} ms (median of {RUNS})", ms(median(loads)));
    let cache = tempfile::tempdir().expect("a temporary folder");
    let synthesizer =
        Synthesizer::new(cache.path()).with_bank(Arc::new(One(Arc::new(voice.expect("loaded")))));
    speak(&synthesizer, "Ready.");
    for (name, text) in [("short clause", "The pump is off."), ("sentence", SENTENCE)] {
        let runs: Vec<Spoken> = (0..RUNS).map(|_| speak(&synthesizer, text)).collect();
        let audio = runs[0].audio;
        let first = median(runs.iter().map(|run| run.first).collect());
        let all = median(runs.iter().map(|run| run.all).collect());
        println!(
            "{name}: {audio:.1} s of audio; first audio {:.0} ms, all {:.0} ms, real-time factor {:.3}",
            ms(first),
            ms(all),
            all.as_secs_f64() / audio
        );
    }
    streams(&synthesizer);
    stopping(&synthesizer);
}

/// Every stream speaks three sentences; fair is when all end at about the same time.
fn streams(synthesizer: &Synthesizer) {
    let text = SENTENCE.repeat(3);
    let start = Instant::now();
    let spoken: Vec<Spoken> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..STREAMS).map(|_| scope.spawn(|| speak(synthesizer, &text))).collect();
        threads.into_iter().map(|thread| thread.join().expect("spoken")).collect()
    });
    let audio: f64 = spoken.iter().map(|run| run.audio).sum();
    let ends = spoken.iter().map(|run| run.all);
    println!(
        "{STREAMS} streams: {audio:.0} s of audio in {:.1} s, together a real-time factor of {:.3}; the first ends after {:.1} s, the last after {:.1} s; first audio {:.0} to {:.0} ms",
        start.elapsed().as_secs_f64(),
        start.elapsed().as_secs_f64() / audio,
        ends.clone().min().unwrap_or_default().as_secs_f64(),
        ends.max().unwrap_or_default().as_secs_f64(),
        ms(spoken.iter().map(|run| run.first).min().unwrap_or_default()),
        ms(spoken.iter().map(|run| run.first).max().unwrap_or_default()),
    );
}

fn stopping(synthesizer: &Synthesizer) {
    let text = "word ".repeat(45);
    let mut waits = Vec::new();
    for round in 0..RUNS {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let stopper = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(60 + 40 * round as u64));
                stop.store(true, Ordering::Relaxed);
                Instant::now()
            });
            let go_on = &mut |_: &[i16]| ControlFlow::Continue(());
            let _ = synthesizer.speak_until(&text, &options(), &stop, go_on).expect("stopped");
            let ended = Instant::now();
            waits.push(ended.saturating_duration_since(stopper.join().expect("set")));
        });
        // What was stopped ends by itself; let it, so that each round is alike.
        std::thread::sleep(Duration::from_millis(300));
    }
    waits.sort();
    println!("stopping: {:.0} ms at worst (of {RUNS})", ms(waits[RUNS - 1]));
}

fn options() -> SpeakOptions {
    SpeakOptions { voice: Some("piper/bench".into()), ..SpeakOptions::default() }
}

fn speak(synthesizer: &Synthesizer, text: &str) -> Spoken {
    let start = Instant::now();
    let mut first = None;
    let info = synthesizer
        .speak(text, &options(), &mut |_| {
            first.get_or_insert_with(|| start.elapsed());
            ControlFlow::Continue(())
        })
        .expect("spoken");
    let audio = info.samples as f64 / f64::from(SAMPLE_RATE);
    Spoken { first: first.unwrap_or_default(), all: start.elapsed(), audio }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

//! Prints how fast speech is made here, beside the `espeak-ng` program when the machine has it.
//! Run: `cargo run --release -p lectern-speech --example speech_bench`

use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use lectern_speech::{SpeakOptions, Synthesizer, WavWriter};

const SENTENCE: &str =
    "The pump must be switched off before the cover is opened, and the valve stays closed. ";
const RUNS: usize = 15;

fn main() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let start = Instant::now();
    let synthesizer = Synthesizer::new(cache.path());
    let voices = synthesizer.voices().expect("voices").len();
    println!(
        "first use: voice data unpacked, engine started, {voices} voices: {:.1} ms",
        ms(start.elapsed())
    );
    for (name, text) in [("one sentence", SENTENCE.to_owned()), ("60 sentences", SENTENCE.repeat(60))] {
        let mut first = Vec::new();
        let mut whole = Vec::new();
        let mut seconds = 0.0;
        for _ in 0..RUNS {
            let (to_first, to_end, audio) = speak(&synthesizer, &text);
            first.push(to_first);
            whole.push(to_end);
            seconds = audio.as_secs_f64();
        }
        let whole = median(whole);
        println!(
            "{name}: {seconds:.1} s of audio; first audio {:.2} ms, all {:.1} ms, real-time factor {:.5} (median of {RUNS})",
            ms(median(first)),
            ms(whole),
            whole.as_secs_f64() / seconds
        );
        beside(&text, seconds);
    }
}

fn speak(synthesizer: &Synthesizer, text: &str) -> (Duration, Duration, Duration) {
    let start = Instant::now();
    let mut first = None;
    let mut wav =
        WavWriter::new(std::io::Cursor::new(Vec::new()), lectern_speech::SAMPLE_RATE).expect("memory");
    let info = synthesizer
        .speak(text, &SpeakOptions { rate: 175, ..SpeakOptions::default() }, &mut |samples| {
            first.get_or_insert_with(|| start.elapsed());
            wav.write(samples).expect("memory");
            ControlFlow::Continue(())
        })
        .expect("spoken");
    (first.expect("audio"), start.elapsed(), info.duration())
}

/// The program from the distribution, the same text to a file; its start is part of what it takes.
fn beside(text: &str, ours: f64) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let outcome = Command::new("espeak-ng")
            .args(["-v", "en", "-s", "175", "-w"])
            .arg(file.path())
            .arg(text)
            .status();
        match outcome {
            Ok(status) if status.success() => times.push(start.elapsed()),
            _ => return println!("  espeak-ng program: not on this machine"),
        }
    }
    let bytes = file.path().metadata().map_or(0, |file| file.len().saturating_sub(44));
    let seconds = bytes as f64 / 2.0 / f64::from(lectern_speech::SAMPLE_RATE);
    let time = median(times);
    println!(
        "  espeak-ng program: {seconds:.1} s of audio, first and all {:.1} ms, real-time factor {:.5}; length {:+.1} % of ours",
        ms(time),
        time.as_secs_f64() / seconds,
        (seconds / ours - 1.0) * 100.0
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

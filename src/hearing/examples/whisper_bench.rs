//! How long an export of Whisper takes on this machine: `whisper_bench FOLDER [TOKENS]`.
//!
//! Without an imported model, models/make-whisper-fixture.py --shape tiny makes one of Whisper tiny's size.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use lectern_hearing::Whisper;

/// Half a minute of speech is about so many tokens.
const TOKENS: u32 = 100;
const WINDOW_SECONDS: f64 = 30.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: whisper_bench FOLDER [TOKENS]");
        return ExitCode::FAILURE;
    };
    let tokens = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(TOKENS);
    match run(Path::new(&folder), tokens) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, tokens: u32) -> Result<(), lectern_hearing::HearingError> {
    let begin = Instant::now();
    let model = Whisper::load(folder)?;
    println!("load      {:8.1} ms", ms(begin.elapsed()));
    model.measure(1)?;
    let times = model.measure(tokens)?;
    println!("features  {:8.1} ms a window", ms(times.features));
    println!("encoder   {:8.1} ms a window", ms(times.encoder));
    println!("first     {:8.1} ms a window", ms(times.first));
    println!("token     {:8.2} ms", ms(times.step));
    let once = times.features + times.encoder + times.first;
    for beams in [1, 5] {
        let all = once + times.step * tokens * beams;
        println!(
            "real-time factor {:.3} with {beams} beam(s), {tokens} tokens",
            all.as_secs_f64() / WINDOW_SECONDS
        );
    }
    println!("memory    {} MB", model.memory_bytes() >> 20);
    Ok(())
}

fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

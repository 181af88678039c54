//! Word error rates on recordings with known texts, without and with the words of a site.
//!
//! `cargo run --release -p lectern-hearing --example wer -- DATA [FILE…] [--other] [--show] [--live] [--share=0.35]`
//! DATA holds `transcripts.jsonl` lines with `file` and `text`; a FILE is plain text of a site. The recordings' own sentences
//! are strewn into the site's text unless `--other` is given, which shows what a site that says nothing of them does. With `--live` they
//! are heard as in a conversation, piece by piece.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use lectern_audio::{Decoder, Limits};
use lectern_hearing::wer::WordErrors;
use lectern_hearing::{Ears, HearOptions, HearingError, RATE, SiteOptions, Transcript};

struct Clip {
    path: PathBuf,
    text: String,
}

fn clips(data: &Path) -> Vec<Clip> {
    let list = std::fs::read_to_string(data.join("speech/transcripts.jsonl")).expect("transcripts.jsonl");
    list.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|entry| {
            let path = data.join(entry["file"].as_str()?);
            let text = entry["text"].as_str()?.to_owned();
            (path.is_file() && entry["lang"] == "en").then_some(Clip { path, text })
        })
        .collect()
}

fn open(path: &Path) -> Decoder {
    let limits = Limits::default();
    let opened = if path.extension().is_some_and(|e| e == "raw") {
        Decoder::raw(std::fs::File::open(path).expect("file"), RATE, 1, RATE, &limits)
    } else {
        Decoder::open_file(path, RATE, &limits)
    };
    opened.expect("audio")
}

/// As in a conversation: while it is said.
fn spoken(ears: &Ears, path: &Path, options: &HearOptions) -> Result<Transcript, HearingError> {
    let mut live = ears.live(options)?.expect("the decoder is free");
    let sound = open(path).read_all().expect("audio");
    for piece in sound.chunks(640) {
        live.push(piece)?;
    }
    let ended = Instant::now();
    let heard = live.finish()?;
    println!(
        "{:.0} ms after {:.1} s",
        ended.elapsed().as_secs_f64() * 1e3,
        sound.len() as f64 / f64::from(RATE)
    );
    Ok(heard)
}

fn measure(
    ears: &Ears,
    clips: &[Clip],
    options: &HearOptions,
    (show, live): (bool, bool),
) -> Result<WordErrors, HearingError> {
    let stop = AtomicBool::new(false);
    let mut all = WordErrors::default();
    let (mut seconds, mut worked) = (0.0, 0.0);
    ears.warm(options)?;
    for clip in clips {
        let started = Instant::now();
        let heard = if live {
            spoken(ears, &clip.path, options)?
        } else {
            ears.transcribe(&mut open(&clip.path), options, &stop, &mut |_| {})?
        };
        worked += started.elapsed().as_secs_f64();
        seconds += heard.duration_ms as f64 / 1_000.0;
        let mut one = WordErrors::default();
        one.add(&clip.text, &heard.text);
        all.add(&clip.text, &heard.text);
        if show {
            let name = clip.path.file_name().unwrap_or_default().to_string_lossy();
            let words: Vec<f32> =
                heard.segments.iter().flat_map(|s| &s.words).map(|w| w.confidence).collect();
            let sure = words.iter().sum::<f32>() / words.len().max(1) as f32;
            println!("{:>3}/{:<3} {sure:.2} {name}: {}", one.errors, one.words, heard.text);
        }
    }
    println!(
        "WER {:.1} % ({} of {}), real-time factor {:.2}",
        all.rate() * 100.0,
        all.errors,
        all.words,
        worked / seconds
    );
    Ok(all)
}

fn main() -> Result<(), HearingError> {
    let mut arguments = std::env::args().skip(1);
    let data = PathBuf::from(arguments.next().expect("the folder with the data"));
    let (mut texts, mut other, mut show, mut live) = (Vec::new(), false, false, false);
    let mut site_options = SiteOptions::default();
    for argument in arguments {
        match argument.as_str() {
            "--other" => other = true,
            "--show" => show = true,
            "--live" => live = true,
            share if share.starts_with("--share=") => {
                site_options.share = share["--share=".len()..].parse().expect("a number");
            }
            file => texts.push(std::fs::read_to_string(file).expect("a text")),
        }
    }
    let cache = tempfile::tempdir().expect("a temporary folder");
    let ears = Ears::new(cache.path(), None);
    let clips = clips(&data);
    let without = measure(&ears, &clips, &HearOptions::default(), (show, live))?;
    if texts.is_empty() {
        return Ok(());
    }
    let mut paragraphs: Vec<&str> = texts.iter().flat_map(|text| text.split("\n\n")).collect();
    if !other {
        for (at, clip) in clips.iter().enumerate() {
            paragraphs.insert(at * paragraphs.len() / clips.len(), &clip.text);
        }
    }
    let started = Instant::now();
    let site = ears.site(paragraphs, &site_options)?;
    println!(
        "site: {} words, {} new, {:.1} s",
        site.words(),
        site.new_words(),
        started.elapsed().as_secs_f64()
    );
    let started = Instant::now();
    let options = HearOptions { site: Some(Arc::new(site)), ..HearOptions::default() };
    ears.warm(&options)?;
    println!("loaded in {:.2} s", started.elapsed().as_secs_f64());
    let with = measure(&ears, &clips, &options, (show, live))?;
    println!("with the site's words: {:+.1} %", (with.rate() / without.rate() - 1.0) * 100.0);
    Ok(())
}

//! `lectern bench`: the appliance's speed on this machine, beside the raw engine in the same run.
//!
//! The text is made up: words of a language of its own, as frequent as in a natural one (Zipf), with a fact in each
//! document to ask for.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::args::{BenchArgs, Place};
use crate::bench_meaning;
use crate::bench_text::{self, Words};
use crate::bench_voice;
use crate::client::Client;
use crate::connect::Connection;

const SENDERS: usize = 4;
const QUERIES: usize = 1000;
const QUESTIONS: usize = 40;
const PDF_PAGES: usize = 100;

pub fn run(arguments: &BenchArgs) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    eprintln!("the search engine alone, and plain tantivy …");
    let engine = lectern_search::bench::run(&folder.path().join("engine"), arguments.passages, QUERIES)?;
    let data = folder.path().join("data");
    let place =
        Place { data: data.clone(), url: None, key: None, authority: None, config: None, tenant: None };
    let connection = Connection::open(&place)?;
    let texts = folder.path().join("texts");
    let measured = appliance(&connection.client, arguments, &texts)
        .and_then(|report| Ok((report, bench_voice::run(&connection.client, arguments, &texts)?)));
    connection.close()?;
    let (mut report, voice) = measured?;
    if let Some(voice) = voice {
        report["voice"] = voice;
    }
    report["search_engine"] = serde_json::to_value(&engine)?;
    report["ready_ms"] = json!(restart(&place)?);
    if let Some(model) = &arguments.embedding {
        eprintln!("an appliance: words and meaning …");
        report["hybrid"] = bench_meaning::run(&place, &data, model)?;
    }
    if arguments.json {
        say!("{report}");
    } else {
        say!("{}", serde_json::to_string_pretty(&report)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn appliance(client: &Client, arguments: &BenchArgs, folder: &Path) -> Result<Value> {
    eprintln!("an appliance: a PDF of {PDF_PAGES} pages …");
    let pdf = pdf_until_found(client, folder)?;
    eprintln!("an appliance: texts …");
    let (documents, bytes) = bench_text::write(folder, arguments.passages)?;
    let ingest = ingest(client, folder, documents)?;
    let megabytes = bytes as f64 / 1e6;
    eprintln!("an appliance: searches and questions …");
    let search = searches(client)?;
    let (sentence, audio) = questions(client, documents)?;
    let status = client.get("/status", &[])?;
    Ok(json!({
        "documents": documents,
        "passages": status["documents"]["passages"],
        "text_mb": round(megabytes),
        "ingest_s": round(ingest),
        "ingest_mb_per_s": round(megabytes / ingest),
        "pdf_pages": PDF_PAGES,
        "pdf_searchable_s": round(pdf),
        "search_http": spread(search),
        "answer_first_sentence": spread(sentence),
        "answer_first_audio": spread(audio),
        "resident_mb": round(status["memory"]["resident_bytes"].as_f64().unwrap_or(0.0) / 1e6),
    }))
}

/// Uploads all texts from several threads; the seconds until the last is ready.
fn ingest(client: &Client, folder: &Path, documents: usize) -> Result<f64> {
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= documents {
                            return Ok(());
                        }
                        client.upload(&folder.join(bench_text::name(number)), &[])?;
                    }
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().expect("a sender does not panic"))
    })?;
    loop {
        let counts = client.get("/status", &[])?["documents"].take();
        let open: u64 =
            ["queued", "extracting", "indexing"].iter().filter_map(|name| counts[name].as_u64()).sum();
        if open == 0 {
            return Ok(started.elapsed().as_secs_f64());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pdf_until_found(client: &Client, folder: &Path) -> Result<f64> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("pages.pdf");
    std::fs::File::create(&path)?.write_all(&bench_text::pdf(PDF_PAGES))?;
    let started = Instant::now();
    client.upload(&path, &[])?;
    let last = bench_text::page_marker(PDF_PAGES - 1);
    while client.get("/search", &[("q", &last)])?["total"] == 0 {
        if started.elapsed() > Duration::from_secs(120) {
            bail!("the PDF cannot be found");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(started.elapsed().as_secs_f64())
}

fn searches(client: &Client) -> Result<Vec<f64>> {
    let mut words = Words::new(7);
    (0..QUERIES)
        .map(|number| {
            let query = (0..=(number % 4)).map(|_| words.next()).collect::<Vec<_>>().join(" ");
            let started = Instant::now();
            client.get("/search", &[("q", &query), ("limit", "10")])?;
            Ok(milliseconds(started))
        })
        .collect()
}

/// Milliseconds to the first sentence and to the first audio after it, from sending the question.
fn questions(client: &Client, documents: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut sentences, mut audios) = (Vec::new(), Vec::new());
    for number in 0..QUESTIONS {
        let question = bench_text::question(number * documents / QUESTIONS);
        let started = Instant::now();
        let stream = client.stream("/ask", &json!({ "question": question }))?;
        let (mut first, mut turn) = (None, String::new());
        for line in BufReader::new(stream).lines() {
            let line = line.context("the answer broke off")?;
            if line == "event: sentence" && first.is_none() {
                first = Some(milliseconds(started));
            }
            if let Some(data) = line.strip_prefix("data: ").filter(|_| turn.is_empty()) {
                let event: Value = serde_json::from_str(data)?;
                event["turn"].as_str().unwrap_or_default().clone_into(&mut turn);
            }
        }
        let answered = milliseconds(started);
        sentences.push(first.with_context(|| format!("'{question}' was not answered"))?);
        let started = Instant::now();
        let mut audio = client.bytes(&format!("/ask/{turn}/audio"))?;
        let mut samples = [0u8; 44 + 2];
        audio.read_exact(&mut samples).context("no audio")?;
        audios.push(answered + milliseconds(started));
    }
    Ok((sentences, audios))
}

/// Milliseconds from a start on the filled folder to its first answer.
fn restart(place: &Place) -> Result<f64> {
    let started = Instant::now();
    let connection = Connection::open(place)?;
    connection.client.get("/documents", &[("limit", "1")])?;
    let taken = milliseconds(started);
    connection.close()?;
    Ok(round(taken))
}

pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

pub(crate) fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len() as f64 * share) as usize).min(values.len() - 1)).copied();
    json!({ "p50_ms": round(at(0.5).unwrap_or(0.0)), "p99_ms": round(at(0.99).unwrap_or(0.0)), "count": values.len() })
}

//! Measures the reader on a folder of documents with known contents, or on hostile files. Prints JSON.
//!
//! `measure DATA`: `confirmed` strings of `docs/tika/expected.json`, and word recall against `docs/docling/*/groundtruth`.
//! `measure --file FILE [PASSWORD]`: what one file gives. `measure --hostile FILE`: only how it ends.
//! `measure --speed`: megabytes of text a second, by format.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use lectern_extract::{ExtractError, Extracted, Format, Limits, Source, extract};
use serde_json::{Value, json};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // As in the child process: a large stack, but a bounded one.
    let job = match words.as_slice() {
        ["--file", path, rest @ ..] => {
            job_of((*path).to_owned(), rest.first().map(|p| (*p).to_owned()), show)
        }
        ["--hostile", path] => job_of((*path).to_owned(), None, hostile),
        ["--speed"] => job_of(String::new(), None, |_, _| speed()),
        [data] => job_of((*data).to_owned(), None, |data, _| measure(Path::new(data))),
        _ => {
            eprintln!("measure DATA | --file FILE [PASSWORD] | --hostile FILE | --speed");
            return std::process::ExitCode::FAILURE;
        }
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(job).expect("a thread");
    if let Ok(result) = thread.join() {
        println!("{}", serde_json::to_string_pretty(&result).expect("JSON"));
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}

fn job_of(
    path: String,
    password: Option<String>,
    run: fn(&str, Option<String>) -> Value,
) -> impl FnOnce() -> Value + Send {
    move || run(&path, password)
}

fn read(path: &Path, password: Option<String>) -> Result<(Format, Extracted), ExtractError> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    extract(&bytes, &Source { name, password }, &Limits::default(), &mut |_| ())
}

fn show(path: &str, password: Option<String>) -> Value {
    match read(Path::new(path), password) {
        Ok((format, out)) => {
            eprintln!("{}", out.text);
            json!({ "format": format, "title": out.title, "pages": out.pages, "warnings": out.warnings, "blocks": out.blocks })
        }
        Err(error) => json!({ "error": error }),
    }
}

fn hostile(path: &str, _: Option<String>) -> Value {
    match read(Path::new(path), None) {
        Ok((format, out)) => {
            json!({ "path": path, "ok": format, "characters": out.text.len(), "warnings": out.warnings.len() })
        }
        Err(error) => json!({ "path": path, "error": error.code, "message": error.message }),
    }
}

fn measure(data: &Path) -> Value {
    json!({ "strings": strings(data), "recall": recall(data) })
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Strings that must be in the text, by format.
fn strings(data: &Path) -> Value {
    let expected = std::fs::read(data.join("docs/tika/expected.json")).unwrap_or_default();
    let expected: BTreeMap<String, Value> = serde_json::from_slice(&expected).unwrap_or_default();
    let mut table: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut missing, mut wrong, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for (name, entry) in &expected {
        let result = read(&data.join("docs/tika").join(name), None);
        let (kind, text) = match &result {
            Ok((format, out)) => (format!("{format:?}"), spaced(&out.text)),
            Err(error) => (format!("{:?}", error.code), String::new()),
        };
        let list =
            |key: &str| -> Vec<String> { serde_json::from_value(entry[key].clone()).unwrap_or_default() };
        let confirmed = list("confirmed");
        let counts = table.entry(kind).or_default();
        for string in &confirmed {
            counts.1 += 1;
            if text.contains(&spaced(string)) {
                counts.0 += 1;
            } else {
                missing.push(format!("{name}: {string}"));
            }
        }
        for string in list("contains").iter().filter(|string| !confirmed.contains(string)) {
            if !text.contains(&spaced(string)) {
                other.push(format!("{name}: {string}"));
            }
        }
        for string in list("not_contains").iter().filter(|s| !confirmed.iter().any(|c| c.contains(*s))) {
            if text.contains(string.as_str()) {
                wrong.push(format!("{name}: {string}"));
            }
        }
    }
    let (found, all) = table.values().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    json!({ "found": found, "of": all, "by_format": table, "missing": missing, "must_not": wrong, "unconfirmed_missing": other })
}

fn words(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in
        text.to_lowercase().split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
    {
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The words of a Markdown text: no image places, comments, links' targets or marks.
fn markdown_words(text: &str) -> HashMap<String, usize> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("<!--") {
        plain.push_str(&rest[..at]);
        rest = rest[at..].split_once("-->").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    while let Some(at) = plain.find("](") {
        let end = plain[at..].find(')').map_or(plain.len(), |length| at + length + 1);
        plain.replace_range(at..end, " ");
    }
    let plain = plain.replace("\\_", "_").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    words(&plain.replace(['*', '`', '|'], " "))
}

fn recall(data: &Path) -> Value {
    let mut table: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for format in folders(&data.join("docs/docling")) {
        let kind = format.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for source in files(&format.join("sources")) {
            let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let truth =
                [format!("{name}.md"), format!("{}.md", name.rsplit_once('.').map_or("", |(stem, _)| stem))]
                    .into_iter()
                    .find_map(|name| std::fs::read_to_string(format.join("groundtruth").join(name)).ok());
            let Some(truth) = truth else { continue };
            let text = read(&source, None).map(|(_, out)| out.text).unwrap_or_default();
            let (truth, found) = (markdown_words(&truth), words(&text));
            let all: usize = truth.values().sum();
            let hit: usize =
                truth.iter().map(|(word, count)| (*count).min(found.get(word).copied().unwrap_or(0))).sum();
            if all > 0 {
                table.entry(kind.clone()).or_default().push((name, hit as f64 / all as f64));
            }
        }
    }
    let rows: BTreeMap<&String, Value> = table
        .iter()
        .map(|(kind, files)| {
            let mean = files.iter().map(|file| file.1).sum::<f64>() / files.len() as f64;
            let low: Vec<_> = files.iter().filter(|file| file.1 < 0.95).collect();
            (kind, json!({ "files": files.len(), "mean": mean, "below": low }))
        })
        .collect();
    json!(rows)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    entries(path).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    entries(path).into_iter().filter(|path| path.is_file()).collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Twenty megabytes of made text in the plain formats.
fn speed() -> Value {
    let sentence = "The quick brown fox jumps over the lazy dog, naïvely, in the year 2024. ";
    let mut made: BTreeMap<&str, String> = BTreeMap::new();
    for index in 0..60_000 {
        let body = sentence.repeat(4);
        made.entry("txt").or_default().extend([format!("{body}\n\n")]);
        made.entry("md").or_default().extend([format!("## Part {index}\n\n{body}\n\n- *one*\n- two\n\n")]);
        made.entry("html")
            .or_default()
            .extend([format!("<h2>Part {index}</h2><p>{body}</p><ul><li>one</ul>")]);
        made.entry("csv").or_default().extend([format!("{index},\"{body}\",x,y\n")]);
        made.entry("jsonl").or_default().extend([format!("{{\"id\":{index},\"text\":\"{body}\"}}\n")]);
    }
    let rates: BTreeMap<&str, f64> = made
        .iter()
        .map(|(kind, text)| {
            let source = Source { name: format!("a.{kind}"), password: None };
            let start = Instant::now();
            let result = extract(text.as_bytes(), &source, &Limits::default(), &mut |_| ());
            let size = result.map(|(_, out)| out.text.len()).unwrap_or_default();
            (*kind, size as f64 / 1e6 / start.elapsed().as_secs_f64())
        })
        .collect();
    json!({ "megabytes_a_second": rates })
}

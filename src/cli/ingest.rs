//! `lectern ingest`: sends files, waits for them, and may go on watching.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::args::IngestArgs;
use crate::client::Client;
use crate::connect::Connection;
use crate::walk::{self, Found};

const LOOK: Duration = Duration::from_millis(150);
const WATCH: Duration = Duration::from_secs(2);

pub fn run(arguments: &IngestArgs) -> Result<ExitCode> {
    let files = walk::files(&arguments.paths)?;
    let connection = Connection::open(&arguments.place)?;
    let outcome = ingest(&connection.client, arguments, files);
    connection.close()?;
    let failed = outcome?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ingest(client: &Client, arguments: &IngestArgs, files: Vec<Found>) -> Result<usize> {
    let mut seen: HashMap<PathBuf, (SystemTime, u64)> = files.iter().filter_map(stamp).collect();
    let failed = batch(client, arguments, files)?;
    if !arguments.watch {
        return Ok(failed);
    }
    // Until the process is ended.
    loop {
        std::thread::sleep(WATCH);
        let changed: Vec<Found> = walk::files(&arguments.paths)?
            .into_iter()
            .filter(|file| {
                stamp(file).is_some_and(|(path, now)| settled(now.0) && seen.insert(path, now) != Some(now))
            })
            .collect();
        batch(client, arguments, changed)?;
    }
}

fn stamp(file: &Found) -> Option<(PathBuf, (SystemTime, u64))> {
    let data = std::fs::metadata(&file.path).ok()?;
    Some((file.path.clone(), (data.modified().ok()?, data.len())))
}

/// A file that was just written may not be whole yet.
fn settled(modified: SystemTime) -> bool {
    modified.elapsed().is_ok_and(|age| age >= Duration::from_secs(1))
}

/// Sends the files; the number that failed.
fn batch(client: &Client, arguments: &IngestArgs, files: Vec<Found>) -> Result<usize> {
    if files.is_empty() {
        return Ok(0);
    }
    let bar = bar(files.len() as u64, arguments.json);
    // An embedded appliance ends with the command, so its work must be waited for.
    let wait = arguments.wait
        || (arguments.place.url.is_none() && !lectern_server::is_serving(&arguments.place.data));
    let mut failed = 0;
    let mut open = Vec::new();
    for file in files {
        bar.set_message(file.source.clone());
        match send(client, arguments, &file) {
            Ok(view) if wait && !is_over(&view) => open.push((file, view)),
            Ok(view) => {
                failed += usize::from(view["status"] == "failed");
                report(&bar, arguments.json, &file, &view);
            }
            Err(error) => {
                failed += 1;
                report(
                    &bar,
                    arguments.json,
                    &file,
                    &json!({ "status": "failed", "problem": { "message": format!("{error:#}") } }),
                );
            }
        }
    }
    failed += wait_for(client, arguments, &bar, open)?;
    bar.finish_and_clear();
    Ok(failed)
}

fn send(client: &Client, arguments: &IngestArgs, file: &Found) -> Result<Value> {
    let mut fields = vec![("path", file.source.clone())];
    fields.extend(arguments.collection.clone().map(|c| ("collection", c)));
    fields.extend(arguments.password.clone().map(|p| ("password", p)));
    if !arguments.tags.is_empty() {
        fields.push(("tags", arguments.tags.join(",")));
    }
    client.upload(&file.path, &fields).map(|(view, _)| view)
}

fn wait_for(
    client: &Client,
    arguments: &IngestArgs,
    bar: &ProgressBar,
    mut open: Vec<(Found, Value)>,
) -> Result<usize> {
    let mut failed = 0;
    while !open.is_empty() {
        let mut still = Vec::with_capacity(open.len());
        let mut moved = false;
        for (file, old) in open {
            // The oldest are done first: once one of them is still open, the rest need not be asked for.
            if moved && still.len() > 16 {
                still.push((file, old));
                continue;
            }
            let view = client.get(&format!("/documents/{}", old["id"].as_str().unwrap_or_default()), &[])?;
            moved = true;
            if is_over(&view) {
                failed += usize::from(view["status"] == "failed");
                report(bar, arguments.json, &file, &view);
            } else {
                still.push((file, view));
            }
        }
        open = still;
        if !open.is_empty() {
            std::thread::sleep(LOOK);
        }
    }
    Ok(failed)
}

fn is_over(view: &Value) -> bool {
    view["status"] == "ready" || view["status"] == "failed"
}

fn report(bar: &ProgressBar, as_json: bool, file: &Found, view: &Value) {
    bar.inc(1);
    let reason = &view["problem"]["message"];
    if as_json {
        say!(
            "{}",
            json!({ "path": file.path, "document": view["id"], "status": view["status"], "reason": reason })
        );
    } else if let Some(reason) = reason.as_str() {
        bar.suspend(|| eprintln!("{}: {reason}", file.path.display()));
    }
}

fn bar(files: u64, hidden: bool) -> ProgressBar {
    let target = if hidden || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {elapsed_precise}  {msg}")
        .expect("a fixed template");
    ProgressBar::with_draw_target(Some(files), target).with_style(style)
}

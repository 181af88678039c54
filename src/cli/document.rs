//! `lectern document` and `lectern index`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::args::{DocumentCommand, IndexCommand};
use crate::client::Client;
use crate::connect;

/// Code points fetched at once.
const WINDOW: u64 = 200_000;

pub fn run(command: &DocumentCommand) -> Result<ExitCode> {
    match command {
        DocumentCommand::List { json, place } => connect::with(place, |c| list(c, *json))?,
        DocumentCommand::Text { id, json, place } => connect::with(place, |c| print_text(c, id, *json))?,
        DocumentCommand::Delete { id, place } => {
            connect::with(place, |c| c.delete(&format!("/documents/{id}")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(client: &Client, as_json: bool) -> Result<()> {
    let mut cursor = String::new();
    loop {
        let page = client.get("/documents", &[("limit", "500"), ("cursor", &cursor)])?;
        for view in page["items"].as_array().into_iter().flatten() {
            if as_json {
                say!("{view}");
            } else {
                let text = |name: &str| view[name].as_str().unwrap_or_default().to_owned();
                say!("{}  {:10}  {:5}  {}", text("id"), text("status"), text("type"), text("title"));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(()),
        }
    }
}

fn print_text(client: &Client, id: &str, as_json: bool) -> Result<()> {
    let (mut whole, mut blocks, mut from) = (String::new(), Vec::new(), 0);
    let (title, length) = loop {
        let to = (from + WINDOW).to_string();
        let part =
            client.get(&format!("/documents/{id}/text"), &[("from", &from.to_string()), ("to", &to)])?;
        whole.push_str(part["text"].as_str().unwrap_or_default());
        let own = part["blocks"].as_array().cloned().unwrap_or_default();
        blocks.extend(own.into_iter().filter(|b| b["start"].as_u64() >= Some(from)));
        from = part["to"].as_u64().unwrap_or(0);
        let length = part["length"].as_u64().unwrap_or(0);
        if from >= length {
            break (part["title"].clone(), length);
        }
    };
    if as_json {
        say!(
            "{}",
            json!({ "document": id, "title": title, "length": length, "text": whole, "blocks": blocks })
        );
    } else {
        say_part!("{whole}");
    }
    Ok(())
}

pub fn index(command: &IndexCommand) -> Result<ExitCode> {
    match command {
        IndexCommand::Check { mend, json: as_json, place } => {
            let report = connect::with(place, |c| c.post("/index/check", &json!({ "mend": mend })))?;
            if *as_json {
                say!("{report}");
            } else {
                print_report(&report);
            }
            let right = report["clean"] == true || report["mended"] == true;
            Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        IndexCommand::Rebuild { place } => {
            let started = connect::with(place, |c| {
                let started = c.post("/index/rebuild", &json!({}))?;
                wait(c)?;
                Ok(started)
            })?;
            say!("{} documents indexed again", started["queued"]);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn wait(client: &Client) -> Result<()> {
    loop {
        let queue = client.get("/status", &[])?["queue"].take();
        if queue["queued"].as_u64().unwrap_or(0) + queue["running"].as_u64().unwrap_or(0) == 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

fn print_report(report: &Value) {
    say!(
        "{} documents, {} passages, {} segments, {} bytes",
        report["documents"],
        report["passages"],
        report["segments"],
        report["bytes"]
    );
    let count = |name: &str| report[name].as_array().map_or(0, Vec::len);
    say!("orphan files: {}", count("orphan_files"));
    say!("documents missing in the index: {}", count("missing"));
    say!("documents only in the index: {}", count("extra"));
    say!("originals without document: {}", report["orphan_originals"]);
    if report["mended"] == true {
        say!("mended");
    } else if report["clean"] != true {
        say!("`lectern index check --mend` puts this right");
    }
}

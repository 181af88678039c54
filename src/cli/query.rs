//! `lectern search`, `lectern ask` and `lectern status`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::NOT_IN_DOCUMENTS;
use crate::args::{AskArgs, Place, SearchArgs};
use crate::connect;

pub fn search(arguments: &SearchArgs) -> Result<ExitCode> {
    let (query, limit) = (arguments.query.join(" "), arguments.limit.to_string());
    let found = connect::with(&arguments.place, |c| c.get("/search", &[("q", &query), ("limit", &limit)]))?;
    if arguments.json {
        say!("{}", serde_json::to_string(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    for hit in found["hits"].as_array().into_iter().flatten() {
        say!("{}{}", text(&hit["title"]), page(hit));
        say!("  {}", text(&hit["snippet"]).replace('\n', " "));
    }
    say!("{} passages", found["total"]);
    Ok(ExitCode::SUCCESS)
}

pub fn ask(arguments: &AskArgs) -> Result<ExitCode> {
    let mut body = json!({ "question": arguments.question.join(" ") });
    if let Some(collection) = &arguments.collection {
        body["filter"] = json!({ "collection": collection });
    }
    let turn = connect::with(&arguments.place, |c| c.post("/ask", &body))?;
    let answered = turn["answered"].as_bool().unwrap_or(false);
    if arguments.json {
        say!("{}", serde_json::to_string(&turn)?);
    } else {
        print_turn(&turn);
    }
    Ok(if answered { ExitCode::SUCCESS } else { ExitCode::from(NOT_IN_DOCUMENTS) })
}

fn print_turn(turn: &Value) {
    say!("{}", text(&turn["answer"]));
    if let Some(notice) = turn["notice"].as_str() {
        say!("({notice})");
    }
    for citation in turn["citations"].as_array().into_iter().flatten() {
        say!("\n[{}] {}{}", citation["n"], text(&citation["title"]), page(citation));
        say!("    {}", text(&citation["quote"]).replace('\n', " "));
    }
    for near in turn["nearest"].as_array().into_iter().flatten() {
        say!("\n nearest: {}{}", text(&near["title"]), page(near));
    }
}

pub fn status(place: &Place) -> Result<ExitCode> {
    let status = connect::with(place, |c| c.get("/status", &[]))?;
    say!("{}", serde_json::to_string_pretty(&status)?);
    Ok(ExitCode::SUCCESS)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn page(hit: &Value) -> String {
    match (hit["label"].as_str(), hit["page"].as_u64()) {
        (Some(label), _) => format!(", {label}"),
        (None, Some(page)) => format!(", page {page}"),
        (None, None) => String::new(),
    }
}

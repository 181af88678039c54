//! `lectern audit forward`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::args::{ForwardCommand, NewForwardArgs};
use crate::connect;
use crate::tenant::read_secret;

pub fn run(command: &ForwardCommand) -> Result<ExitCode> {
    match command {
        ForwardCommand::List { appliance, json, place } => {
            let list = connect::with(place, |c| c.get(path(*appliance), &[]))?;
            if *json {
                say!("{list:#}");
            } else {
                list.as_array().into_iter().flatten().for_each(show);
            }
        }
        ForwardCommand::Add(new) => add(new)?,
        ForwardCommand::Remove { id, appliance, place } => {
            connect::with(place, |c| c.delete(&format!("{}/{id}", path(*appliance))))?;
            say!("{id} is removed");
        }
        ForwardCommand::Test { id, appliance, place } => {
            let told =
                connect::with(place, |c| c.post(&format!("{}/{id}/test", path(*appliance)), &json!({})))?;
            told["steps"].as_array().into_iter().flatten().for_each(step);
            return Ok(if told["works"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(appliance: bool) -> &'static str {
    if appliance { "/appliance/audit/targets" } else { "/audit/targets" }
}

fn add(new: &NewForwardArgs) -> Result<()> {
    let authorities = new.ca.as_deref().map(std::fs::read_to_string).transpose().context("--ca")?;
    let secret = new.secret_file.as_deref().map(read_secret).transpose()?;
    let body = json!({
        "name": new.name,
        "kind": new.kind,
        "address": new.address,
        "format": new.format,
        "ca_pem": authorities,
        "header": new.header,
        "secret": secret,
        "from_beginning": new.from_beginning,
    });
    let made = connect::with(&new.place, |c| c.post(path(new.appliance), &body))?;
    say!("{}", made["id"].as_str().unwrap_or_default());
    Ok(())
}

fn show(target: &Value) {
    let text = |name: &str| target[name].as_str().unwrap_or("-").to_owned();
    let state = match (target["enabled"] == true, target["last_error"].as_str()) {
        (false, _) => "off".to_owned(),
        (true, Some(error)) => format!("{error}; next try {}", text("next_try_at")),
        (true, None) => format!("last sent {}", text("last_sent_at")),
    };
    let (kind, waiting) = (text("kind"), &target["waiting"]);
    say!(
        "{}  {}  {kind} {}  {}  {waiting} waiting  {state}",
        text("id"),
        text("name"),
        text("address"),
        text("format")
    );
}

fn step(step: &Value) {
    let mark = if step["ok"] == true { "ok    " } else { "failed" };
    let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
    say!("{mark}  {}: {}", text("step"), text("message"));
    if let Some(hint) = step["hint"].as_str() {
        say!("        hint: {hint}");
    }
}

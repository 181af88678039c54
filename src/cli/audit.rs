//! `lectern audit`.

use std::fs::File;
use std::io::{BufReader, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::args::AuditCommand;
use crate::connect;

pub fn run(command: &AuditCommand) -> Result<ExitCode> {
    match command {
        AuditCommand::List { action, actor, text, limit, appliance, json, place } => {
            let limit = limit.to_string();
            let mut query = vec![("limit", limit.as_str())];
            let given = [("action", action), ("actor", actor), ("q", text)];
            query.extend(given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
            let page = connect::with(place, |c| c.get(path(*appliance), &query))?;
            if *json {
                say!("{page:#}");
            } else {
                page["items"].as_array().into_iter().flatten().for_each(show);
            }
        }
        AuditCommand::Export { output, appliance, place } => {
            let path = format!("{}/export", path(*appliance));
            connect::with(place, |c| {
                let mut file = File::create(output)
                    .with_context(|| format!("{} cannot be written", output.display()))?;
                std::io::copy(&mut c.bytes(&path)?, &mut file).context("the export broke off")?;
                Ok(file.flush()?)
            })?;
            say!("written to {}", output.display());
        }
        AuditCommand::Forward { command } => return crate::forward::run(command),
        AuditCommand::Verify { file, key } => return verify(file, key.as_deref()),
    }
    Ok(ExitCode::SUCCESS)
}

fn path(appliance: bool) -> &'static str {
    if appliance { "/appliance/audit" } else { "/audit" }
}

fn show(entry: &Value) {
    let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    say!(
        "{:>6}  {}  {:24}  {}  by {} ({}) from {}",
        entry["sequence"],
        text("at"),
        text("action"),
        text("object"),
        text("actor"),
        text("by"),
        text("address")
    );
}

fn verify(path: &std::path::Path, key: Option<&str>) -> Result<ExitCode> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    // A key's text has no slash before its first plus; a file's name is tried when it is no key.
    let trusted = match key {
        Some(text) if std::path::Path::new(text).is_file() => Some(std::fs::read_to_string(text)?),
        other => other.map(str::to_owned),
    };
    let verified = lectern_access::verify::verify(BufReader::new(file), trusted.as_deref())
        .with_context(|| format!("{} is not what was signed", path.display()))?;
    say!("{} entries are what was signed, in their order", verified.checkpoint.size());
    if verified.forgotten > 0 {
        say!("of {} of them only the proof is left", verified.forgotten);
    }
    say!("root {}", verified.checkpoint.root().to_base64());
    if trusted.is_none() {
        say!("the key in the file was believed; compare it with the one that you know:\n{}", verified.key);
    }
    Ok(ExitCode::SUCCESS)
}

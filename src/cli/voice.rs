//! `lectern transcribe` and `lectern voices`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use crate::args::{Place, TranscribeArgs};
use crate::connect;

pub fn transcribe(arguments: &TranscribeArgs) -> Result<ExitCode> {
    let format = match (arguments.json, arguments.srt, arguments.vtt) {
        (true, ..) => "json",
        (_, true, _) => "srt",
        (_, _, true) => "vtt",
        _ => "text",
    };
    let mut query = vec![("format", format)];
    if let Some(language) = &arguments.language {
        query.push(("language", language));
    }
    let written = connect::with(&arguments.place, |client| {
        Ok(client.post_file("/transcriptions", &query, &arguments.file)?.text()?)
    })?;
    say!("{}", written.strip_suffix('\n').unwrap_or(&written));
    Ok(ExitCode::SUCCESS)
}

pub fn voices(json: bool, place: &Place) -> Result<ExitCode> {
    let found = connect::with(place, |client| client.get("/voices", &[]))?;
    if json {
        say!("{}", serde_json::to_string(&found["voices"])?);
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for voice in found["voices"].as_array().into_iter().flatten() {
        let list = |name: &str| {
            voice[name].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ")
        };
        let speakers = list("speakers");
        let speakers = if speakers.is_empty() { speakers } else { format!("; speakers: {speakers}") };
        say!("{:24} {} ({}{speakers})", text(&voice["id"]), text(&voice["name"]), list("languages"));
    }
    Ok(ExitCode::SUCCESS)
}

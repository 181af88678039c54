//! `lectern speak`: text to an audio file, without an appliance unless a Piper voice is asked for.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use lectern_audio::{Encoder, Format};
use lectern_speech::{SAMPLE_RATE, SpeakOptions, SsmlPart, Synthesizer, parse_ssml, spoken_form, wav_header};
use serde_json::json;

use crate::args::{Place, SpeakArgs};
use crate::connect;

pub fn run(arguments: &SpeakArgs) -> Result<ExitCode> {
    let text = if arguments.text == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        text
    } else {
        arguments.text.clone()
    };
    let format = format(arguments)?;
    let piper = arguments.voice.as_deref().is_some_and(|voice| voice.starts_with("piper/"));
    let audio =
        if piper { through_appliance(arguments, &text, format)? } else { alone(arguments, &text, format)? };
    write(&audio, &arguments.output)?;
    Ok(ExitCode::SUCCESS)
}

fn format(arguments: &SpeakArgs) -> Result<Format> {
    let by_name = || arguments.output.extension().and_then(|ending| ending.to_str()).and_then(Format::parse);
    match &arguments.format {
        Some(name) => Format::parse(name)
            .ok_or_else(|| anyhow!("there is no format '{name}'\n  hint: use wav, opus, mp3 or pcm")),
        None => Ok(by_name().unwrap_or(Format::Wav)),
    }
}

/// Piper voices are models of a data folder.
fn through_appliance(arguments: &SpeakArgs, text: &str, format: Format) -> Result<Vec<u8>> {
    let Some(data) = arguments.data.clone() else {
        bail!("a Piper voice is part of an appliance\n  hint: give its data folder with --data");
    };
    let place = Place { data, url: None, key: None, authority: None, config: None, tenant: None };
    let kind = if arguments.ssml { "ssml" } else { "text" };
    let body = json!({
        kind: text, "voice": arguments.voice, "language": arguments.language, "rate": arguments.rate.clamp(80, 450),
        "format": format.name(),
    });
    connect::with(&place, |client| {
        let mut audio = Vec::new();
        client.post_for_bytes("/speech", &body)?.read_to_end(&mut audio)?;
        Ok(audio)
    })
}

/// eSpeak NG's voices are in this program.
fn alone(arguments: &SpeakArgs, text: &str, format: Format) -> Result<Vec<u8>> {
    let temporary = if arguments.data.is_none() { Some(tempfile::tempdir()?) } else { None };
    let cache = match (&arguments.data, &temporary) {
        (Some(data), _) => data.join("cache"),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => unreachable!("one of the two is there"),
    };
    let synthesizer = Synthesizer::new(cache);
    let parts = if arguments.ssml {
        parse_ssml(text, Some(&arguments.language)).map_err(|e| anyhow!("{e}\n  hint: {}", e.hint()))?
    } else {
        vec![SsmlPart::Text { text: text.to_owned(), language: None, rate: 1.0 }]
    };
    let mut samples = Vec::new();
    for part in parts {
        match part {
            SsmlPart::Break(ms) => samples.resize(samples.len() + (SAMPLE_RATE * ms / 1000) as usize, 0),
            SsmlPart::Text { text, language, rate } => {
                let language = language.unwrap_or_else(|| arguments.language.clone());
                let own = language == arguments.language;
                let options = SpeakOptions {
                    voice: arguments.voice.clone().filter(|_| own),
                    rate: ((arguments.rate as f32 * rate).round() as u32).clamp(80, 450),
                    language: Some(language.clone()),
                    ..SpeakOptions::default()
                };
                synthesizer.speak(&spoken_form(&text, &language), &options, &mut |more| {
                    samples.extend_from_slice(more);
                    ControlFlow::Continue(())
                })?;
            }
        }
    }
    encode(&samples, format)
}

fn encode(samples: &[i16], format: Format) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new(format, SAMPLE_RATE)?;
    let mut audio = encoder.push(samples)?;
    audio.extend(encoder.finish()?);
    if format == Format::Wav {
        // The encoder streams and so does not know the length; here it is known.
        let header = wav_header(SAMPLE_RATE, samples.len() as u64);
        audio.splice(..header.len(), header);
    }
    Ok(audio)
}

fn write(audio: &[u8], output: &Path) -> Result<()> {
    if output.as_os_str() == "-" {
        std::io::stdout().write_all(audio)?;
        return Ok(());
    }
    let name = output.file_name().context("the output is not the name of a file")?;
    let part = output.with_file_name(format!(".{}.part", name.to_string_lossy()));
    let written = std::fs::write(&part, audio).and_then(|()| std::fs::rename(&part, output));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written.with_context(|| format!("{} cannot be written", output.display()))
}

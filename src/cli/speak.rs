//! `lectern speak`: text to a WAV file, without an appliance.

use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lectern_speech::{SAMPLE_RATE, SpeakOptions, Synthesizer, WavWriter, spoken_form};

use crate::args::SpeakArgs;

pub fn run(arguments: &SpeakArgs) -> Result<ExitCode> {
    let text = if arguments.text == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        text
    } else {
        arguments.text.clone()
    };
    let temporary = if arguments.data.is_none() { Some(tempfile::tempdir()?) } else { None };
    let cache = match (&arguments.data, &temporary) {
        (Some(data), _) => data.join("cache"),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => unreachable!("one of the two is there"),
    };
    let options = SpeakOptions {
        language: Some(arguments.language.clone()),
        rate: arguments.rate.clamp(80, 450),
        ..SpeakOptions::default()
    };
    write_file(
        &Synthesizer::new(cache),
        &spoken_form(&text, &arguments.language),
        &options,
        &arguments.output,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn write_file(synthesizer: &Synthesizer, text: &str, options: &SpeakOptions, output: &Path) -> Result<()> {
    if output.as_os_str() == "-" {
        // Standard output cannot be rewound to fill in the length.
        let mut made = std::io::Cursor::new(Vec::new());
        synthesize(synthesizer, text, options, &mut made)?;
        std::io::stdout().write_all(&made.into_inner())?;
        return Ok(());
    }
    let part = output.with_extension("wav.part");
    let mut file =
        std::fs::File::create(&part).with_context(|| format!("{} cannot be written", part.display()))?;
    let written = synthesize(synthesizer, text, options, &mut file);
    if let Err(error) = written {
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    std::fs::rename(&part, output).with_context(|| format!("{} cannot be written", output.display()))
}

fn synthesize<W: Write + Seek>(
    synthesizer: &Synthesizer,
    text: &str,
    options: &SpeakOptions,
    out: &mut W,
) -> Result<()> {
    let mut writer = WavWriter::new(&mut *out, SAMPLE_RATE)?;
    let mut failed = None;
    synthesizer.speak(text, options, &mut |samples| match writer.write(samples) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    writer.finish()?;
    out.seek(SeekFrom::End(0))?;
    Ok(())
}

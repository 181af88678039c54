//! A text spoken into a WAV file.

use std::fs::{self, File};
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::Path;

use lectern_kernel::{Error, Result};
use lectern_speech::{AudioInfo, SAMPLE_RATE, SpeakOptions, Synthesizer, WavWriter, spoken_form};

use crate::error::told;

/// Speaks the spoken form of `text`; the file appears whole or not at all.
pub fn speak_to_file(
    synthesizer: &Synthesizer,
    text: &str,
    options: &SpeakOptions,
    path: &Path,
) -> Result<AudioInfo> {
    let spoken = spoken_form(text, options.language.as_deref().unwrap_or("en"));
    let name = path.file_name().ok_or_else(|| Error::field("path", "is not the name of a file"))?;
    let part = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = write(synthesizer, &spoken, options, &part, path);
    if written.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(&part);
    }
    written
}

fn write(
    synthesizer: &Synthesizer,
    text: &str,
    options: &SpeakOptions,
    part: &Path,
    path: &Path,
) -> Result<AudioInfo> {
    let unwritable = |error: std::io::Error| {
        Error::field("path", format!("{} cannot be written: {error}", path.display()))
    };
    let file = File::create(part).map_err(unwritable)?;
    let mut wav = WavWriter::new(BufWriter::new(file), SAMPLE_RATE).map_err(unwritable)?;
    let mut failed = None;
    let info = synthesizer
        .speak(text, options, &mut |samples| match wav.write(samples) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })
        .map_err(told)?;
    if let Some(error) = failed {
        return Err(unwritable(error));
    }
    wav.finish().map_err(unwritable)?;
    fs::rename(part, path).map_err(unwritable)?;
    Ok(info)
}

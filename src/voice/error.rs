//! The engines' errors in the words of the API.

use lectern_audio::AudioError;
use lectern_hearing::HearingError;
use lectern_kernel::{Code, Error};
use lectern_speech::SpeechError;

pub(crate) fn told(error: SpeechError) -> Error {
    let code = match &error {
        SpeechError::TooLong { .. } => Code::TooLarge,
        SpeechError::Empty | SpeechError::UnknownVoice(_) => Code::Conflict,
        SpeechError::OutOfRange { .. } => Code::InvalidField,
        SpeechError::Busy { .. } => Code::Busy,
        _ => return Error::internal(error),
    };
    let hint = error.hint().map(sentence);
    with(Error::new(code, format!("It cannot be read aloud: {error}.")), hint)
}

/// Sound that could not be encoded is no fault of the client.
pub(crate) fn encoded(error: AudioError) -> Error {
    Error::internal(error)
}

/// Audio that somebody sent.
pub(crate) fn decoded(error: AudioError) -> Error {
    let code = match error.code() {
        "audio_codec" | "audio_unknown" | "audio_no_track" | "audio_not_streamable" => Code::UnsupportedMedia,
        "audio_too_long" | "audio_limit" => Code::TooLarge,
        "audio_empty" | "audio_broken" => Code::DamagedMedia,
        _ => return Error::internal(error),
    };
    let hint = error.hint().map(sentence);
    with(Error::new(code, error.to_string()), hint)
}

fn with(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// With a capital and a point.
fn sentence(hint: &str) -> String {
    let mut chars = hint.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}
pub(crate) fn heard(error: HearingError) -> Error {
    let code = match error {
        HearingError::Audio(error) => return decoded(error),
        HearingError::Busy => Code::Busy,
        HearingError::Language(_) => Code::Conflict,
        other => return Error::internal(other),
    };
    let hint = error.hint().map(sentence);
    with(Error::new(code, error.to_string()), hint)
}

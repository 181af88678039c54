//! The speech engine's errors in the words of the API.

use lectern_kernel::{Code, Error};
use lectern_speech::SpeechError;

pub(crate) fn told(error: SpeechError) -> Error {
    let code = match &error {
        SpeechError::TooLong { .. } => Code::TooLarge,
        SpeechError::Empty | SpeechError::UnknownVoice(_) => Code::Conflict,
        SpeechError::OutOfRange { .. } => Code::InvalidField,
        SpeechError::Busy { .. } => Code::Busy,
        SpeechError::Unpack { .. } | SpeechError::FolderName(_) | SpeechError::Engine(_) => {
            return Error::internal(error);
        }
    };
    let hint = error.hint().map(|hint| format!("{}{}.", hint[..1].to_uppercase(), &hint[1..]));
    let told = Error::new(code, format!("It cannot be read aloud: {error}."));
    match hint {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

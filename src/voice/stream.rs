//! Sound as one encoded stream, sent while it is made.

use bytes::Bytes;
use futures_util::{Stream, stream};
use lectern_audio::{Encoder, Format};
use lectern_kernel::{Code, Error, Result};
use lectern_speech::SAMPLE_RATE;

use crate::error::encoded;
use crate::speaking::{Sound, Speaking};

/// Samples that are encoded at once: short, because it is done between other requests.
const PIECE: usize = 8192;

/// How sound is sent.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SoundFormat {
    #[default]
    Wav,
    /// In Ogg.
    Opus,
    Mp3,
    /// 16 bit little endian, 22,050 samples a second, mono, without a header.
    Pcm,
}

impl SoundFormat {
    pub(crate) fn format(self) -> Format {
        match self {
            Self::Wav => Format::Wav,
            Self::Opus => Format::Opus,
            Self::Mp3 => Format::Mp3,
            Self::Pcm => Format::Pcm,
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Opus => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Pcm => "audio/L16;rate=22050;channels=1",
        }
    }

    /// As a file's name ends.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
            Self::Pcm => "pcm",
        }
    }

    pub(crate) fn of_ending(ending: &str) -> Option<Self> {
        [Self::Wav, Self::Opus, Self::Mp3].into_iter().find(|format| format.ending() == ending)
    }
}

/// The whole of a sound in a format.
pub(crate) fn encode(samples: &[i16], format: SoundFormat) -> Result<Vec<u8>> {
    if format == SoundFormat::Wav {
        return Ok(crate::speaking::wav(samples));
    }
    let mut encoder = Encoder::new(format.format(), SAMPLE_RATE).map_err(encoded)?;
    let mut bytes = Vec::new();
    for piece in samples.chunks(PIECE) {
        bytes.extend(encoder.push(piece).map_err(encoded)?);
    }
    bytes.extend(encoder.finish().map_err(encoded)?);
    Ok(bytes)
}

struct State {
    speaking: Speaking,
    encoder: Encoder,
    /// Samples that are not encoded yet, and how many of them are.
    samples: Vec<i16>,
    at: usize,
    over: bool,
}

impl State {
    /// The next bytes; none after the end.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.at < self.samples.len() {
                let end = (self.at + PIECE).min(self.samples.len());
                let bytes = self.encoder.push(&self.samples[self.at..end]).map_err(encoded)?;
                self.at = end;
                if !bytes.is_empty() {
                    return Ok(Some(bytes.into()));
                }
                continue;
            }
            if self.over {
                return Ok(None);
            }
            match self.speaking.next().await {
                Some(Sound::Samples(samples)) => (self.samples, self.at) = (samples, 0),
                Some(Sound::Begin(_) | Sound::End { .. }) => {}
                Some(Sound::Over) => {
                    self.over = true;
                    let bytes = self.encoder.finish().map_err(encoded)?;
                    return Ok(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()));
                }
                Some(Sound::Failed(error)) => return Err(error),
                None => return Err(Error::internal("the voice ended without a word")),
            }
        }
    }

    /// Waits for the first sound, so that a failure before it is told in place of a broken stream.
    async fn begin(&mut self) -> Result<()> {
        while self.samples.is_empty() {
            match self.speaking.next().await {
                Some(Sound::Samples(samples)) => self.samples = samples,
                Some(Sound::Begin(_) | Sound::End { .. }) => {}
                Some(Sound::Over) => {
                    return Err(Error::new(Code::Conflict, "The text has nothing that can be spoken.")
                        .hint("Send text with at least one letter or digit."));
                }
                Some(Sound::Failed(error)) => return Err(error),
                None => return Err(Error::internal("the voice ended without a word")),
            }
        }
        Ok(())
    }
}

/// Begins with the first sound, or with the reason why there is none. Dropping the stream stops the voice.
pub(crate) async fn audio(
    speaking: Speaking,
    format: SoundFormat,
) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
    let encoder = Encoder::new(format.format(), SAMPLE_RATE).map_err(encoded)?;
    let mut state = State { speaking, encoder, samples: Vec::new(), at: 0, over: false };
    state.begin().await?;
    Ok(stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        match state.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(state))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    }))
}

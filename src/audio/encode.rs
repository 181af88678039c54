//! Samples to a file, piece by piece: what is pushed comes back as bytes as soon as the format allows.

use crate::AudioError;
use crate::mp3::Mp3;
use crate::opus::Opus;
use crate::wav;

/// What speech can be sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// 16 bit, mono, with a header whose length is left open.
    Wav,
    /// 16 bit little endian, mono, nothing else.
    Pcm,
    /// Opus in Ogg, 32 kbit/s.
    Opus,
    /// 64 kbit/s; 96 above 24,000 samples a second.
    Mp3,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Wav, Self::Pcm, Self::Opus, Self::Mp3];

    /// By the name that the API and file extensions use.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "wav" | "wave" => Some(Self::Wav),
            "pcm" | "raw" => Some(Self::Pcm),
            "opus" | "ogg" => Some(Self::Opus),
            "mp3" => Some(Self::Mp3),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Pcm => "pcm",
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Opus => "ogg",
            other => other.name(),
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm",
            Self::Opus => "audio/ogg; codecs=opus",
            Self::Mp3 => "audio/mpeg",
        }
    }
}

/// Mono samples of 16 bits in, bytes of a file out. One encoder makes one file.
pub struct Encoder {
    kind: Kind,
    finished: bool,
}

enum Kind {
    Wav { rate: u32, begun: bool },
    Pcm,
    Opus(Box<Opus>),
    Mp3(Box<Mp3>),
}

impl Encoder {
    /// `rate`: samples a second of what will be pushed.
    pub fn new(format: Format, rate: u32) -> Result<Self, AudioError> {
        if !(4_000..=192_000).contains(&rate) {
            return Err(AudioError::Limit(format!("{rate} samples a second")));
        }
        let kind = match format {
            Format::Wav => Kind::Wav { rate, begun: false },
            Format::Pcm => Kind::Pcm,
            Format::Opus => Kind::Opus(Box::new(Opus::new(rate)?)),
            Format::Mp3 => Kind::Mp3(Box::new(Mp3::new(rate)?)),
        };
        Ok(Self { kind, finished: false })
    }

    /// The bytes that these samples complete; the first call brings the header.
    pub fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, AudioError> {
        if self.finished {
            return Err(AudioError::Encode("the file is finished".to_owned()));
        }
        match &mut self.kind {
            Kind::Wav { rate, begun } => {
                let mut out = if *begun { Vec::new() } else { wav::header(*rate) };
                *begun = true;
                out.extend(wav::bytes(samples));
                Ok(out)
            }
            Kind::Pcm => Ok(wav::bytes(samples)),
            Kind::Opus(opus) => opus.push(samples),
            Kind::Mp3(mp3) => mp3.push(samples),
        }
    }

    /// What was held back. The second call gives nothing.
    pub fn finish(&mut self) -> Result<Vec<u8>, AudioError> {
        if self.finished {
            return Ok(Vec::new());
        }
        let last = match &mut self.kind {
            Kind::Wav { .. } => self.push(&[]),
            Kind::Pcm => Ok(Vec::new()),
            Kind::Opus(opus) => opus.finish(),
            Kind::Mp3(mp3) => mp3.finish(),
        };
        self.finished = true;
        last
    }
}

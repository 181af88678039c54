//! Any audio file to mono samples of a wanted rate, in blocks: hours never lie in memory.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use crate::guard::guarded;
use crate::raw::Raw;
use crate::source::{Seekable, Stream};
use crate::{AudioError, Resampler};

/// Damaged packets in a row after which a file counts as broken; a skip in a recording has fewer.
const DAMAGED_IN_A_ROW: u32 = 50;

/// What a file may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    pub seconds: u64,
    /// Bytes of a stream; files are bounded by their length.
    pub bytes: u64,
    pub channels: u16,
    /// Samples a second.
    pub rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seconds: 24 * 3_600, bytes: 32 << 30, channels: 8, rate: 192_000 }
    }
}

/// What the file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Short name of the container, such as `ogg`.
    pub container: String,
    /// Short name of the codec, such as `opus`.
    pub codec: String,
    pub rate: u32,
    pub channels: u16,
    /// Not every container knows.
    pub duration_ms: Option<u64>,
}

/// Reads audio.
pub struct Decoder {
    input: Input,
    info: SourceInfo,
    resampler: Resampler,
    limits: Limits,
    /// Frames given by the file so far.
    frames: u64,
    state: State,
}

enum Input {
    Packets { reader: Box<dyn FormatReader>, codec: Box<dyn AudioDecoder>, track: u32 },
    Raw(Raw),
}

#[derive(PartialEq)]
enum State {
    Reading,
    Done,
    Failed,
}

impl Decoder {
    /// A source that can be read anywhere, such as a file or bytes in memory.
    pub fn open(
        source: impl Read + Seek + Send + 'static,
        rate: u32,
        limits: &Limits,
    ) -> Result<Self, AudioError> {
        let source = Seekable::new(source).map_err(AudioError::Io)?;
        if source.length() == 0 {
            return Err(AudioError::Empty);
        }
        Self::probe(Box::new(source), rate, limits)
    }

    pub fn open_file(path: &Path, rate: u32, limits: &Limits) -> Result<Self, AudioError> {
        Self::open(File::open(path).map_err(AudioError::Io)?, rate, limits)
    }

    /// A source that is still being sent. M4A files with their index at the end need [`Decoder::open`].
    pub fn open_stream(
        mut source: impl Read + Send + 'static,
        rate: u32,
        limits: &Limits,
    ) -> Result<Self, AudioError> {
        let mut start = Vec::new();
        source.by_ref().take(12).read_to_end(&mut start).map_err(AudioError::Io)?;
        if start.is_empty() {
            return Err(AudioError::Empty);
        }
        let is_mp4 = start.get(4..8) == Some(b"ftyp");
        let stream = Stream::new(io::Cursor::new(start).chain(source), limits.bytes);
        Self::probe(Box::new(stream), rate, limits).map_err(|error| match error {
            AudioError::Broken(_) | AudioError::NoTrack | AudioError::Unknown | AudioError::Io(_)
                if is_mp4 =>
            {
                AudioError::NotStreamable
            }
            other => other,
        })
    }

    /// Samples without a header: 16 bit, little endian, channels in turn.
    pub fn raw(
        source: impl Read + Send + 'static,
        source_rate: u32,
        channels: u16,
        rate: u32,
        limits: &Limits,
    ) -> Result<Self, AudioError> {
        check(source_rate, channels, limits)?;
        let info = SourceInfo {
            container: "raw".to_owned(),
            codec: "pcm_s16le".to_owned(),
            rate: source_rate,
            channels,
            duration_ms: None,
        };
        let input = Input::Raw(Raw::new(source, channels));
        Self::new(input, info, rate, limits)
    }

    fn new(input: Input, info: SourceInfo, rate: u32, limits: &Limits) -> Result<Self, AudioError> {
        let resampler = Resampler::new(info.rate, rate)?;
        Ok(Self { input, info, resampler, limits: limits.clone(), frames: 0, state: State::Reading })
    }

    fn probe(source: Box<dyn MediaSource>, rate: u32, limits: &Limits) -> Result<Self, AudioError> {
        let (input, info) = guarded(|| {
            let stream =
                MediaSourceStream::new(source, symphonia::core::io::MediaSourceStreamOptions::default());
            let reader = symphonia::default::get_probe()
                .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
                .map_err(unknown)?;
            select(reader, limits)
        })?;
        Self::new(input, info, rate, limits)
    }

    pub fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// The next samples; `None` at the end. After an error there is nothing more.
    pub fn read_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        loop {
            if self.state != State::Reading {
                return Ok(None);
            }
            match self.step() {
                Ok(Some(block)) if block.is_empty() => {}
                Ok(Some(block)) => return Ok(Some(block)),
                Ok(None) => return self.end(),
                Err(error) => {
                    self.state = State::Failed;
                    return Err(error);
                }
            }
        }
    }

    /// Everything, for short recordings; the limits still hold.
    pub fn read_all(&mut self) -> Result<Vec<f32>, AudioError> {
        let mut all = Vec::new();
        while let Some(block) = self.read_block()? {
            all.extend(block);
        }
        Ok(all)
    }

    fn end(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        self.state = State::Done;
        if self.frames == 0 {
            return Err(AudioError::Empty);
        }
        let rest = self.resampler.finish()?;
        Ok((!rest.is_empty()).then_some(rest))
    }

    fn step(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        let channels = usize::from(self.info.channels);
        let samples = match &mut self.input {
            Input::Raw(raw) => raw.read()?,
            Input::Packets { reader, codec, track } => {
                let info = &self.info;
                guarded(|| next_samples(reader.as_mut(), codec.as_mut(), *track, info))?
            }
        };
        let Some(samples) = samples else { return Ok(None) };
        self.frames += (samples.len() / channels) as u64;
        if self.frames > self.limits.seconds * u64::from(self.info.rate) {
            return Err(AudioError::TooLong { hours: self.limits.seconds / 3_600 });
        }
        Ok(Some(self.resampler.push(&mix(&samples, channels))?))
    }
}

/// One channel: the mean. Values that are no numbers, or far out of range, would spoil every filter behind.
fn mix(samples: &[f32], channels: usize) -> Vec<f32> {
    let scale = 1.0 / channels as f32;
    let clean = |sample: f32| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
    samples
        .chunks_exact(channels)
        .map(|frame| frame.iter().map(|sample| clean(*sample)).sum::<f32>() * scale)
        .collect()
}

fn codecs() -> &'static CodecRegistry {
    static REGISTRY: std::sync::OnceLock<CodecRegistry> = std::sync::OnceLock::new();
    REGISTRY.get_or_init(|| {
        let mut registry = CodecRegistry::new();
        symphonia::default::register_enabled_codecs(&mut registry);
        registry.register_audio_decoder::<crate::opus_decode::OpusPackets>();
        registry
    })
}

/// The track to hear, with its decoder.
fn select(reader: Box<dyn FormatReader>, limits: &Limits) -> Result<(Input, SourceInfo), AudioError> {
    let track = reader
        .default_track(TrackType::Audio)
        .or_else(|| reader.first_track(TrackType::Audio))
        .ok_or(AudioError::NoTrack)?;
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err(AudioError::NoTrack);
    };
    let codec = codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default()).map_err(
        |error| match error {
            Error::Unsupported(_) => AudioError::Codec(reader.format_info().short_name.to_owned()),
            other => broken(other),
        },
    )?;
    let rate = codec.codec_params().sample_rate.or(parameters.sample_rate).unwrap_or(0);
    let channels = codec.codec_params().channels.as_ref().or(parameters.channels.as_ref());
    // Some codecs (AAC in MP4) tell their channels with the first packet only.
    let channels = channels.map_or(1, |channels| channels.count() as u16);
    check(rate, channels, limits)?;
    let duration_ms = duration_ms(track, rate);
    if duration_ms.is_some_and(|ms| ms > limits.seconds * 1_000) {
        return Err(AudioError::TooLong { hours: limits.seconds / 3_600 });
    }
    let info = SourceInfo {
        container: reader.format_info().short_name.to_owned(),
        codec: codec.codec_info().short_name.to_owned(),
        rate,
        channels,
        duration_ms,
    };
    let track = track.id;
    Ok((Input::Packets { reader, codec, track }, info))
}

fn duration_ms(track: &Track, rate: u32) -> Option<u64> {
    let frames = track.num_frames?;
    // A length left open in the header is no length.
    (rate > 0 && frames < 1 << 40).then(|| frames * 1_000 / u64::from(rate))
}

fn check(rate: u32, channels: u16, limits: &Limits) -> Result<(), AudioError> {
    if !(4_000..=limits.rate).contains(&rate) {
        return Err(AudioError::Limit(format!("{rate} samples a second")));
    }
    if channels == 0 || channels > limits.channels {
        return Err(AudioError::Limit(format!("{channels} channels")));
    }
    Ok(())
}

/// Samples of the next good packet, channels in turn.
fn next_samples(
    reader: &mut dyn FormatReader,
    codec: &mut dyn AudioDecoder,
    track: u32,
    info: &SourceInfo,
) -> Result<Option<Vec<f32>>, AudioError> {
    let mut damaged = 0;
    loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) | Err(Error::ResetRequired) => return Ok(None),
            // A recording that was cut off is heard as far as it goes.
            Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(broken(error)),
        };
        if packet.track_id != track {
            continue;
        }
        match codec.decode(&packet) {
            Ok(buffer) => {
                if buffer.spec().rate() != info.rate {
                    return Err(AudioError::Broken("its sample rate changes".to_owned()));
                }
                let found = buffer.spec().channels().count();
                let mut samples = vec![0.0; buffer.samples_interleaved()];
                buffer.copy_to_slice_interleaved(&mut samples);
                return Ok(Some(adapt(samples, found, usize::from(info.channels))));
            }
            Err(Error::DecodeError(message)) => {
                damaged += 1;
                if damaged >= DAMAGED_IN_A_ROW {
                    return Err(AudioError::Broken(message.to_owned()));
                }
            }
            Err(Error::IoError(_)) => damaged += 1,
            Err(error) => return Err(broken(error)),
        }
    }
}

/// A packet with other channels than the file's head said.
fn adapt(samples: Vec<f32>, found: usize, wanted: usize) -> Vec<f32> {
    if found == wanted || found == 0 {
        return samples;
    }
    let mono = mix(&samples, found);
    mono.into_iter().flat_map(|sample| std::iter::repeat_n(sample, wanted)).collect()
}

fn unknown(error: Error) -> AudioError {
    match error {
        // The probe itself says so; a container that is known names what it lacks.
        Error::Unsupported(what) if what.contains("probe") => AudioError::Unknown,
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => AudioError::Unknown,
        other => broken(other),
    }
}

fn broken(error: Error) -> AudioError {
    match error {
        Error::IoError(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            AudioError::Limit("more bytes than allowed".to_owned())
        }
        Error::IoError(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Unsupported
            ) =>
        {
            AudioError::Broken(error.to_string())
        }
        Error::IoError(error) => AudioError::Io(error),
        Error::DecodeError(message) | Error::LimitError(message) => AudioError::Broken(message.to_owned()),
        Error::Unsupported(what) => AudioError::Codec(what.to_owned()),
        other => AudioError::Broken(other.to_string()),
    }
}

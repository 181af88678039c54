//! Opus packets to samples, by libopus, behind the trait that the container library's other decoders have.

use std::sync::{Mutex, PoisonError};

use opusic_c::{Channels, Decoder, SampleRate};
use symphonia::core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef, layouts,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia::core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia::core::errors::{Error, Result};
use symphonia::core::packet::PacketRef;

const RATE: u32 = 48_000;
/// The longest packet: 120 ms.
const LONGEST: usize = RATE as usize * 120 / 1_000;
const CODECS: &[SupportedAudioCodec] = &[SupportedAudioCodec {
    id: CODEC_ID_OPUS,
    info: CodecInfo { short_name: "opus", long_name: "Opus", profiles: &[] },
}];

/// Gives one channel: libopus mixes stereo itself.
pub(crate) struct OpusPackets {
    parameters: AudioCodecParameters,
    // Never contended: the trait asks for `Sync`, which the library's handle is not.
    decoder: Mutex<Decoder>,
    samples: Vec<f32>,
    buffer: AudioBuffer<f32>,
    /// Samples before the sound that the container does not take away itself.
    skip: usize,
    begun: bool,
}

impl OpusPackets {
    fn new(parameters: &AudioCodecParameters) -> Result<Self> {
        if parameters.channels.as_ref().is_some_and(|channels| channels.count() > 2) {
            return Err(Error::Unsupported("Opus with more than two channels"));
        }
        let decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000)
            .map_err(|_| Error::DecodeError("Opus cannot be started"))?;
        let mut own = parameters.clone();
        own.sample_rate = Some(RATE);
        own.channels = Some(layouts::CHANNEL_LAYOUT_MONO);
        Ok(Self {
            skip: pre_skip(parameters.extra_data.as_deref().unwrap_or_default()),
            parameters: own,
            decoder: Mutex::new(decoder),
            samples: vec![0.0; LONGEST],
            buffer: AudioBuffer::new(AudioSpec::new(RATE, layouts::CHANNEL_LAYOUT_MONO), LONGEST),
            begun: false,
        })
    }
}

/// From the identification header (RFC 7845, 5.1): bytes 10 and 11.
fn pre_skip(head: &[u8]) -> usize {
    match head.get(10..12) {
        Some(&[low, high]) if head.starts_with(b"OpusHead") => {
            let bytes = [low, high];
            let skip = usize::from(u16::from_le_bytes(bytes));
            // MP4 has the same header with its numbers turned around.
            if skip > LONGEST { usize::from(u16::from_be_bytes(bytes)).min(LONGEST) } else { skip }
        }
        _ => 0,
    }
}

impl AudioDecoder for OpusPackets {
    fn reset(&mut self) {
        // Fails only for a state that was never made.
        let _ = self.decoder.get_mut().unwrap_or_else(PoisonError::into_inner).reset();
    }

    fn codec_info(&self) -> &CodecInfo {
        &CODECS[0].info
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.parameters
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.buffer.clear();
        let frames = self
            .decoder
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .decode_float_to_slice(packet.data, &mut self.samples, false)
            .map_err(|_| Error::DecodeError("a packet of Opus is damaged"))?;
        let mut start = packet.trim_start.get() as usize;
        if !self.begun && start > 0 {
            self.skip = 0; // Ogg counts it itself
        }
        self.begun = true;
        let own = self.skip.min(frames);
        self.skip -= own;
        start = (start + own).min(frames);
        let end = frames - (packet.trim_end.get() as usize).min(frames - start);
        self.buffer.render_uninit(Some(end - start));
        self.buffer.copy_from_slice_interleaved(&&self.samples[start..end]);
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

impl RegisterableAudioDecoder for OpusPackets {
    fn try_registry_new(
        parameters: &AudioCodecParameters,
        _options: &AudioDecoderOptions,
    ) -> Result<Box<dyn AudioDecoder>> {
        Ok(Box::new(Self::new(parameters)?))
    }

    fn supported_codecs() -> &'static [SupportedAudioCodec] {
        CODECS
    }
}

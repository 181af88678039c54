//! MP3 by LAME, frame by frame.

use mp3lame_encoder::{
    Bitrate, Builder, FlushNoGap, Mode, MonoPcm, Quality, VbrMode, max_required_buffer_size,
};

use crate::{AudioError, Resampler, to_f32, to_i16};

/// The rates of MPEG-1 and MPEG-2 layer III.
const RATES: [u32; 6] = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

pub(crate) struct Mp3 {
    encoder: mp3lame_encoder::Encoder,
    resampler: Resampler,
}

impl Mp3 {
    /// Speech of any rate; rates that MP3 does not know are raised to the next that it does.
    pub(crate) fn new(rate: u32) -> Result<Self, AudioError> {
        let target = RATES.into_iter().find(|known| *known >= rate).unwrap_or(48_000);
        let failed = |error: &dyn std::fmt::Display| AudioError::Encode(format!("MP3: {error}"));
        let builder = Builder::new().ok_or_else(|| AudioError::Encode("MP3: no memory".to_owned()))?;
        let encoder = builder
            .with_num_channels(1)
            .and_then(|builder| builder.with_sample_rate(target))
            .and_then(|builder| builder.with_mode(Mode::Mono))
            .and_then(|builder| builder.with_vbr_mode(VbrMode::Off))
            .and_then(|builder| {
                builder.with_brate(if target > 24_000 { Bitrate::Kbps96 } else { Bitrate::Kbps64 })
            })
            .and_then(|builder| builder.with_quality(Quality::Good))
            // The tag stands at the start and is written last: no use in a stream.
            .and_then(|builder| builder.with_to_write_vbr_tag(false))
            .and_then(mp3lame_encoder::Builder::build)
            .map_err(|error| failed(&error))?;
        Ok(Self { encoder, resampler: Resampler::new(rate, target)? })
    }

    pub(crate) fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, AudioError> {
        let samples = self.resampler.push(&to_f32(samples))?;
        self.encode(&samples)
    }

    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, AudioError> {
        let rest = self.resampler.finish()?;
        let mut out = self.encode(&rest)?;
        out.reserve(max_required_buffer_size(0));
        self.encoder.flush_to_vec::<FlushNoGap>(&mut out).map_err(|error| failed(&error))?;
        Ok(out)
    }

    fn encode(&mut self, samples: &[f32]) -> Result<Vec<u8>, AudioError> {
        let samples = to_i16(samples);
        let mut out = Vec::with_capacity(max_required_buffer_size(samples.len()));
        if !samples.is_empty() {
            self.encoder.encode_to_vec(MonoPcm(&samples), &mut out).map_err(|error| failed(&error))?;
        }
        Ok(out)
    }
}

fn failed(error: &dyn std::fmt::Display) -> AudioError {
    AudioError::Encode(format!("MP3: {error}"))
}

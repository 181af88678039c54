//! From one rate to another, block by block, without a shift in time.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, WindowFunction};

use crate::AudioError;

/// Input samples a step: 5 to 30 ms, so that live audio is not held back.
const STEP: usize = 256;
/// Length of the filter; the next power of two changes no measured word and costs twice.
const TAPS: usize = 128;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Turns mono samples of one rate into those of another.
pub struct Resampler {
    inner: Option<Inner>,
}

struct Inner {
    filter: Async<f32>,
    waiting: Vec<f32>,
    /// Output samples that are only the filter's start.
    skip: usize,
    taken: u64,
    given: u64,
    ratio: f64,
}

impl Resampler {
    /// Both rates in samples a second.
    pub fn new(from: u32, to: u32) -> Result<Self, AudioError> {
        for rate in [from, to] {
            if !RATES.contains(&rate) {
                return Err(AudioError::Limit(format!("{rate} samples a second")));
            }
        }
        if from == to {
            return Ok(Self { inner: None });
        }
        let ratio = f64::from(to) / f64::from(from);
        let shape = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2);
        let filter = Async::new_sinc(ratio, 1.0, &shape, STEP, 1, FixedAsync::Input)
            .map_err(|error| AudioError::Limit(error.to_string()))?;
        let skip = filter.output_delay();
        Ok(Self { inner: Some(Inner { filter, waiting: Vec::new(), skip, taken: 0, given: 0, ratio }) })
    }

    /// What is ready after these samples; a few milliseconds stay inside.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>, AudioError> {
        let Some(inner) = &mut self.inner else { return Ok(samples.to_vec()) };
        inner.taken += samples.len() as u64;
        inner.waiting.extend_from_slice(samples);
        let mut out = Vec::with_capacity((samples.len() as f64 * inner.ratio) as usize + STEP);
        let mut at = 0;
        while inner.waiting.len() - at >= STEP {
            inner.step(at, STEP, &mut out)?;
            at += STEP;
        }
        inner.waiting.drain(..at);
        Ok(out)
    }

    /// The rest: together exactly the length of the input, scaled.
    pub fn finish(&mut self) -> Result<Vec<f32>, AudioError> {
        let Some(inner) = &mut self.inner else { return Ok(Vec::new()) };
        let wanted = (inner.taken as f64 * inner.ratio).round() as u64;
        let mut out = Vec::new();
        let rest = inner.waiting.len();
        while inner.given < wanted {
            let before = inner.given;
            let partial = if inner.waiting.is_empty() { 0 } else { rest };
            inner.step(0, partial, &mut out)?;
            inner.waiting.clear();
            if inner.given == before && inner.skip == 0 {
                break;
            }
        }
        let surplus = inner.given.saturating_sub(wanted) as usize;
        out.truncate(out.len() - surplus.min(out.len()));
        self.inner = None;
        Ok(out)
    }
}

impl Inner {
    fn step(&mut self, at: usize, length: usize, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let failed = |error: &dyn std::fmt::Display| AudioError::Broken(format!("resampling: {error}"));
        let input = &self.waiting[at..at + length];
        let input = InterleavedSlice::new(input, 1, length).map_err(|error| failed(&error))?;
        let mut block = vec![0.0; self.filter.output_frames_next()];
        let frames = block.len();
        let mut output = InterleavedSlice::new_mut(&mut block, 1, frames).map_err(|error| failed(&error))?;
        let partial = (length < STEP).then_some(length);
        let place =
            Indexing { input_offset: 0, output_offset: 0, partial_len: partial, active_channels_mask: None };
        let (_, made) = self
            .filter
            .process_into_buffer(&input, &mut output, Some(&place))
            .map_err(|error| failed(&error))?;
        let skipped = self.skip.min(made);
        self.skip -= skipped;
        self.given += (made - skipped) as u64;
        out.extend_from_slice(&block[skipped..made]);
        Ok(())
    }
}

//! Log-mel features as Whisper was trained on them.
//!
//! Windows of 25 ms (Hann) every 10 ms, the edges mirrored; power spectrum; triangular filters on Slaney's mel scale
//! (linear below 1 kHz, logarithmic above), each of unit area; base-10 logarithm, 8 decades below the loudest value at
//! most, shifted and scaled to about -1 to 1.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use crate::RATE;

/// Samples between two frames.
pub(crate) const HOP: usize = 160;
const WINDOW: usize = 400;
const SPECTRUM: usize = WINDOW / 2 + 1;
/// Power below this counts as silence.
const FLOOR: f64 = 1e-10;
/// Decades of loudness that are kept.
const RANGE: f32 = 8.0;

/// A triangle over some bins of the spectrum.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

/// Makes features with a fixed number of mel bins.
pub(crate) struct Mel {
    filters: Vec<Filter>,
    window: Vec<f64>,
    transform: Arc<dyn RealToComplex<f64>>,
}

/// Bins times frames, a bin after the other, as the encoder wants them.
pub(crate) struct Features {
    pub bins: usize,
    pub frames: usize,
    pub values: Vec<f32>,
}

impl Features {
    /// `length` frames from `start`; what is beyond the end is zero.
    pub(crate) fn cut(&self, start: usize, length: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.bins * length];
        let from = start.min(self.frames);
        let have = (self.frames - from).min(length);
        for (row, target) in
            self.values.chunks_exact(self.frames.max(1)).zip(out.chunks_exact_mut(length.max(1)))
        {
            target[..have].copy_from_slice(&row[from..from + have]);
        }
        out
    }
}

impl Mel {
    pub(crate) fn new(bins: usize) -> Self {
        let window = (0..WINDOW).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos()).collect();
        Self { filters: filters(bins), window, transform: RealFftPlanner::new().plan_fft_forward(WINDOW) }
    }

    /// Features of the sound, with silence behind it up to `least` samples.
    pub(crate) fn features(&self, audio: &[f32], least: usize) -> Features {
        let length = audio.len().max(least);
        let (bins, frames) = (self.filters.len(), length / HOP);
        let mut values = vec![0.0f32; bins * frames];
        let mut input = self.transform.make_input_vec();
        let mut output = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = [0.0f64; SPECTRUM];
        // Frames that lie in the silence behind the sound are all alike.
        let spoken = (audio.len() / HOP + WINDOW / HOP + 1).min(frames);
        let silence = FLOOR.log10() as f32;
        for row in values.chunks_exact_mut(frames.max(1)) {
            row[spoken..].fill(silence);
        }
        for frame in 0..spoken {
            self.window_at(audio, length, frame, &mut input);
            // Lengths come from the plan itself, so this cannot fail.
            if self.transform.process_with_scratch(&mut input, &mut output, &mut scratch).is_err() {
                break;
            }
            for (power, value) in power.iter_mut().zip(&output) {
                *power = value.norm_sqr();
            }
            for (bin, filter) in self.filters.iter().enumerate() {
                let spectrum = &power[filter.first..filter.first + filter.weights.len()];
                let sum: f64 = filter.weights.iter().zip(spectrum).map(|(w, p)| w * p).sum();
                values[bin * frames + frame] = sum.max(FLOOR).log10() as f32;
            }
        }
        scale(&mut values);
        Features { bins, frames, values }
    }

    fn window_at(&self, audio: &[f32], length: usize, frame: usize, out: &mut [f64]) {
        let start = (frame * HOP) as isize - (WINDOW / 2) as isize;
        for (n, (out, weight)) in out.iter_mut().zip(&self.window).enumerate() {
            let at = mirrored(start + n as isize, length);
            *out = audio.get(at).map_or(0.0, |sample| f64::from(*sample)) * weight;
        }
    }
}

/// The place that stands in for one outside of the sound.
fn mirrored(at: isize, length: usize) -> usize {
    let last = length as isize - 1;
    let inside = at.abs();
    (if inside > last { (2 * last - inside).max(0) } else { inside }) as usize
}

fn scale(values: &mut [f32]) {
    let loudest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in values {
        *value = (value.max(loudest - RANGE) + 4.0) / 4.0;
    }
}

/// Hertz to mel below and above the border of Slaney's scale, and back.
const BORDER_HERTZ: f64 = 1_000.0;
const BORDER_MEL: f64 = 15.0;
const HERTZ_A_MEL: f64 = 200.0 / 3.0;

fn step() -> f64 {
    6.4f64.ln() / 27.0
}

fn to_mel(hertz: f64) -> f64 {
    if hertz < BORDER_HERTZ {
        return hertz / HERTZ_A_MEL;
    }
    BORDER_MEL + (hertz / BORDER_HERTZ).ln() / step()
}

fn to_hertz(mel: f64) -> f64 {
    if mel < BORDER_MEL {
        return mel * HERTZ_A_MEL;
    }
    BORDER_HERTZ * ((mel - BORDER_MEL) * step()).exp()
}

fn filters(bins: usize) -> Vec<Filter> {
    let highest = f64::from(RATE) / 2.0;
    let corner = |n: usize| to_hertz(to_mel(highest) * n as f64 / (bins + 1) as f64);
    let hertz = |bin: usize| highest * bin as f64 / (SPECTRUM - 1) as f64;
    (0..bins)
        .map(|n| {
            let (low, peak, high) = (corner(n), corner(n + 1), corner(n + 2));
            let at = |bin: usize| {
                let rising = (hertz(bin) - low) / (peak - low);
                let falling = (high - hertz(bin)) / (high - peak);
                rising.min(falling).max(0.0) * 2.0 / (high - low)
            };
            let inside: Vec<usize> = (0..SPECTRUM).filter(|bin| at(*bin) > 0.0).collect();
            let first = inside.first().copied().unwrap_or(0);
            let last = inside.last().map_or(first, |last| last + 1);
            Filter { first, weights: (first..last).map(at).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_loudest_in_its_bin() {
        let tone: Vec<f32> =
            (0..16_000).map(|n| (2.0 * PI * 440.0 * f64::from(n) / 16_000.0).sin() as f32).collect();
        let features = Mel::new(80).features(&tone, 0);
        assert_eq!((features.bins, features.frames, features.values.len()), (80, 100, 8_000));
        let column: Vec<f32> = (0..80).map(|bin| features.values[bin * 100 + 50]).collect();
        let loudest = (0..80).max_by(|a, b| column[*a].total_cmp(&column[*b])).unwrap_or(0);
        let centre = to_hertz(to_mel(8_000.0) * (loudest + 1) as f64 / 81.0);
        assert!((centre - 440.0).abs() < 40.0, "{centre}");
    }

    #[test]
    fn odd_lengths_do_no_harm() {
        let mel = Mel::new(128);
        for length in [0usize, 1, 2, 159, 160, 161, 199, 401] {
            let features = mel.features(&vec![0.5; length], 0);
            assert_eq!(features.frames, length / HOP);
            assert!(features.values.iter().all(|v| v.is_finite()));
            assert_eq!(features.cut(3, 10).len(), 1_280);
        }
        assert!(mel.features(&[f32::NAN; 800], 0).values.len() == 5 * 128);
    }

    #[test]
    fn silence_behind_the_sound_is_as_if_it_had_been_transformed() {
        let noise: Vec<f32> =
            (0..4_321u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 / 1.7e7 - 0.5).collect();
        let mut padded = noise.clone();
        padded.resize(8_000, 0.0);
        let (short, long) = (Mel::new(80).features(&noise, 8_000), Mel::new(80).features(&padded, 0));
        assert_eq!(short.values, long.values);
    }

    #[test]
    fn a_cut_beyond_the_end_is_zero() {
        let features = Features { bins: 2, frames: 3, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        assert_eq!(features.cut(1, 3), [2.0, 3.0, 0.0, 5.0, 6.0, 0.0]);
        assert_eq!(features.cut(9, 2), [0.0; 4]);
    }
}

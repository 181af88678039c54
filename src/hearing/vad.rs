//! Is this speech? A small neural detector (crate earshot) behind a high-pass, or an imported Silero, with a second witness:
//! voicing.
//!
//! Alone, the built-in detector takes rumble and engines for speech. Above 400 Hz, where speech has what tells words apart, they
//! are weak; and what still looks like speech must also have the periodic sound of a voice at times.

use earshot::Detector;

use crate::RATE;
use crate::silero::Stream;

/// Samples a frame: 16 ms.
pub(crate) const FRAME: usize = 256;
const CORNER_HZ: f32 = 400.0;
/// Sound whose strongest frames are weaker than this is lifted, up to four times: the detector likes its speech loud.
const AMPLE: f32 = 0.04;
const MOST_GAIN: f32 = 4.0;
/// A frame's share of what is remembered: half after 7 s.
const FORGETTING: f32 = 0.9985;
/// Periods of voices, 70 to 400 Hz, in samples.
const PERIODS: std::ops::Range<usize> = 40..229;
/// Likeness of a sound with itself a period later, from which on it is voiced.
const VOICED: f32 = 0.5;
/// What two samples leave unforetold of a tone; of a voice it is ten times as much and more.
const TONE: f32 = 0.002;
/// Score from which on voicing is looked for.
const WORTH_A_LOOK: f32 = 0.5;

/// What one frame is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    /// 0 to 1.
    pub(crate) score: f32,
    pub(crate) voiced: bool,
    pub(crate) rms: f32,
    pub(crate) peak: f32,
    /// Loudness above the corner, in decibels.
    pub(crate) loudness: f32,
}

/// Frames of a stream of 16 kHz.
pub(crate) struct Vad {
    detector: Box<Detector>,
    imported: Option<Stream>,
    filters: [HighPass; 2],
    waiting: Vec<f32>,
    /// Strength of the strongest frame, slowly forgotten.
    top: f32,
    /// The last two frames, filtered.
    recent: [f32; FRAME * 2],
}

impl Vad {
    pub(crate) fn new(imported: Option<Stream>) -> Self {
        Self {
            detector: Detector::default_boxed(),
            imported,
            filters: [HighPass::new(CORNER_HZ); 2],
            waiting: Vec::with_capacity(FRAME),
            top: AMPLE / MOST_GAIN,
            recent: [0.0; FRAME * 2],
        }
    }

    /// Calls `each` with every frame that these samples complete.
    pub(crate) fn push(&mut self, mut samples: &[f32], each: &mut dyn FnMut(Frame)) {
        while !samples.is_empty() {
            let (now, later) = samples.split_at((FRAME - self.waiting.len()).min(samples.len()));
            self.waiting.extend_from_slice(now);
            samples = later;
            if self.waiting.len() == FRAME {
                each(self.frame());
                self.waiting.clear();
            }
        }
    }

    fn frame(&mut self) -> Frame {
        let mut peak = 0.0_f32;
        let mut energy = 0.0;
        self.recent.copy_within(FRAME.., 0);
        for (place, sample) in self.recent[FRAME..].iter_mut().zip(&self.waiting) {
            let sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
            peak = peak.max(sample.abs());
            energy += sample * sample;
            *place =
                self.filters.iter_mut().fold(sample, |value, filter| filter.step(value)).clamp(-1.0, 1.0);
        }
        let above: f32 = self.recent[FRAME..].iter().map(|sample| sample * sample).sum();
        let strength = (above / FRAME as f32).sqrt();
        self.top = (self.top * FORGETTING).max(strength);
        let gain = (AMPLE / self.top.max(1e-6)).clamp(1.0, MOST_GAIN);
        let heard: Vec<f32> =
            self.recent[FRAME..].iter().map(|sample| (sample * gain).clamp(-1.0, 1.0)).collect();
        let imported = self.imported.as_mut().and_then(|stream| stream.score(&self.waiting));
        let score = imported.unwrap_or_else(|| self.detector.predict_f32(&heard)).clamp(0.0, 1.0);
        let voiced = score >= WORTH_A_LOOK && !is_tone(&self.recent) && periodicity(&self.recent) >= VOICED;
        let loudness = 20.0 * (strength + 1e-5).log10();
        Frame { score, voiced, rms: (energy / FRAME as f32).sqrt(), peak, loudness }
    }
}

/// The largest correlation of the sound with itself one period later.
fn periodicity(sound: &[f32]) -> f32 {
    PERIODS
        .map(|period| {
            let (mut cross, mut left, mut right) = (0.0, 1e-9_f32, 1e-9_f32);
            for (a, b) in sound.iter().zip(&sound[period..]) {
                cross += a * b;
                left += a * a;
                right += b * b;
            }
            cross / (left * right).sqrt()
        })
        .fold(0.0, f32::max)
}

/// A single tone, such as a whistle or a siren: two samples foretell the next (least squares, order 2).
fn is_tone(sound: &[f32]) -> bool {
    // Sums of products of each sample with itself (0), the one before (1) and the one before that (2).
    let [mut s11, mut s12, mut s22, mut s01, mut s02, mut s00] = [0.0_f32; 6];
    for now in sound.windows(3) {
        s11 += now[1] * now[1];
        s12 += now[1] * now[0];
        s22 += now[0] * now[0];
        s01 += now[2] * now[1];
        s02 += now[2] * now[0];
        s00 += now[2] * now[2];
    }
    let determinant = s11 * s22 - s12 * s12;
    if determinant.abs() < 1e-12 {
        return true;
    }
    let first = (s01 * s22 - s02 * s12) / determinant;
    let second = (s11 * s02 - s12 * s01) / determinant;
    s00 - first * s01 - second * s02 < s00 * TONE
}

/// Second order, Butterworth (R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients").
#[derive(Debug, Clone, Copy)]
struct HighPass {
    forward: [f32; 3],
    back: [f32; 2],
    inputs: [f32; 2],
    outputs: [f32; 2],
}

impl HighPass {
    fn new(corner: f32) -> Self {
        let (sine, cosine) = (std::f32::consts::TAU * corner / RATE as f32).sin_cos();
        let alpha = sine * std::f32::consts::FRAC_1_SQRT_2;
        let scale = 1.0 / (1.0 + alpha);
        let edge = f32::midpoint(1.0, cosine) * scale;
        Self {
            forward: [edge, -2.0 * edge, edge],
            back: [-2.0 * cosine * scale, (1.0 - alpha) * scale],
            inputs: [0.0; 2],
            outputs: [0.0; 2],
        }
    }

    fn step(&mut self, input: f32) -> f32 {
        let output =
            self.forward[0] * input + self.forward[1] * self.inputs[0] + self.forward[2] * self.inputs[1]
                - self.back[0] * self.outputs[0]
                - self.back[1] * self.outputs[1];
        self.inputs = [input, self.inputs[0]];
        self.outputs = [output, self.outputs[0]];
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32) -> Vec<f32> {
        (0..FRAME * 8).map(|at| (at as f32 * hertz / RATE as f32 * std::f32::consts::TAU).sin()).collect()
    }

    #[test]
    fn low_sounds_are_taken_away_and_high_ones_stay() {
        let through = |hertz| {
            let mut filter = HighPass::new(CORNER_HZ);
            let out: Vec<f32> = tone(hertz).into_iter().map(|sample| filter.step(sample)).collect();
            out[FRAME..].iter().map(|s| s * s).sum::<f32>().sqrt()
        };
        assert!(through(50.0) < 0.05 * through(1_000.0));
        assert!(through(2_000.0) > 0.95 * through(1_000.0));
    }

    #[test]
    fn voices_are_periodic_and_noise_is_not() {
        let pulses: Vec<f32> = (0..FRAME * 2).map(|at| if at % 100 < 3 { 1.0 } else { 0.0 }).collect();
        assert!(periodicity(&pulses) > 0.9);
        let mut state = 1_u32;
        let noise: Vec<f32> = (0..FRAME * 2)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect();
        assert!(periodicity(&noise) < VOICED, "{}", periodicity(&noise));
        assert!(periodicity(&[0.0; FRAME * 2]) < VOICED);
    }

    #[test]
    fn values_that_are_no_numbers_do_no_harm() {
        let mut vad = Vad::new(None);
        vad.push(&[f32::NAN; FRAME * 3], &mut |_| {});
        vad.push(&[f32::INFINITY; FRAME * 3], &mut |_| {});
        vad.push(&tone(440.0), &mut |frame| assert!(frame.score.is_finite() && frame.rms.is_finite()));
    }
}

//! Samples between -1 and 1, and samples of 16 bits.

/// Rounds to 16 bits; what is out of range is cut, and what is no number is silence.
pub fn to_i16(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// Exact.
pub fn to_f32(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect()
}

//! Vectors as bytes: each is scaled by its own largest number, so that a unit vector of a few hundred numbers loses
//! less than 0.003 of a cosine. The query stays finer (12 bits).
#![allow(
    unsafe_code,
    reason = "one function is compiled for a processor feature that is checked before the call"
)]

/// Bytes of a stored vector before its numbers: the scale.
pub(crate) const SCALE: usize = 4;
/// Largest number of a query; with it 32 bits hold the sum of 8,192 products.
const FINE: f32 = 2047.0;

/// A vector for scoring others against.
#[derive(Debug, Clone)]
pub(crate) struct Fine {
    pub numbers: Vec<i16>,
    scale: f32,
}

impl Fine {
    /// Any length; scaled to length one first.
    pub(crate) fn new(vector: &[f32]) -> Self {
        let factor = 1.0 / length(vector);
        let largest =
            vector.iter().fold(0.0f32, |most, x| most.max((x * factor).abs())).max(f32::MIN_POSITIVE);
        let numbers = vector.iter().map(|x| (x * factor / largest * FINE).round() as i16).collect();
        Self { numbers, scale: largest / FINE }
    }

    /// Cosine with a stored vector.
    pub(crate) fn cosine(&self, stored: &[u8]) -> f32 {
        let (scale, numbers) = stored.split_at(SCALE);
        let scale = f32::from_le_bytes([scale[0], scale[1], scale[2], scale[3]]);
        dot(&self.numbers, numbers) as f32 * self.scale * scale
    }
}

impl Fine {
    /// As coarse as the stored ones, for the graph.
    pub(crate) fn coarse(&self) -> Vec<i8> {
        self.numbers.iter().map(|x| (f32::from(*x) * 127.0 / FINE).round() as i8).collect()
    }
}

/// Cosine of two vectors of bytes.
pub(crate) fn byte_cosine(a: &[i8], b: &[i8]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the feature.
        return unsafe { byte_cosine_avx2(a, b) };
    }
    plain_cosine(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn byte_cosine_avx2(a: &[i8], b: &[i8]) -> f32 {
    plain_cosine(a, b)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "so that it is compiled once for each processor feature")]
fn plain_cosine(a: &[i8], b: &[i8]) -> f32 {
    let (mut both, mut first, mut second) = (0i32, 0i32, 0i32);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (i32::from(*x), i32::from(*y));
        both += x * y;
        first += x * x;
        second += y * y;
    }
    both as f32 / ((first as f32 * second as f32).sqrt()).max(1.0)
}

/// Length, never zero.
pub(crate) fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE)
}

/// Appends a vector, scaled to length one, in its stored form. What is not a number counts as zero.
pub(crate) fn store(vector: &[f32], out: &mut Vec<u8>) {
    let finite = |x: &f32| if x.is_finite() { *x } else { 0.0 };
    let square: f32 = vector.iter().map(finite).map(|x| x * x).sum();
    let factor = if square.is_finite() && square > 0.0 { 1.0 / square.sqrt() } else { 0.0 };
    let largest = vector.iter().map(finite).fold(0.0f32, |most, x| most.max((x * factor).abs()));
    let step = largest.max(f32::MIN_POSITIVE) / 127.0;
    out.extend_from_slice(&step.to_le_bytes());
    out.extend(vector.iter().map(finite).map(|x| ((x * factor / step).round() as i8).cast_unsigned()));
}

fn dot(query: &[i16], stored: &[u8]) -> i32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the feature.
        return unsafe { dot_avx2(query, stored) };
    }
    plain(query, stored)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(query: &[i16], stored: &[u8]) -> i32 {
    plain(query, stored)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "so that it is compiled once for each processor feature")]
fn plain(query: &[i16], stored: &[u8]) -> i32 {
    query.iter().zip(stored).map(|(a, b)| i32::from(*a) * i32::from(b.cast_signed())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_vector_keeps_its_cosines() {
        let vector = |seed: u32| -> Vec<f32> {
            (0..384u32).map(|n| ((n * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
        };
        let mut worst = 0.0f32;
        for seed in 0..50 {
            let (a, b) = (vector(seed), vector(seed + 1));
            let exact: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>() / length(&a) / length(&b);
            let mut bytes = Vec::new();
            store(&b, &mut bytes);
            assert_eq!(bytes.len(), SCALE + 384);
            worst = worst.max((Fine::new(&a).cosine(&bytes) - exact).abs());
        }
        assert!(worst < 0.003, "{worst}");
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        for odd in [f32::NAN, f32::INFINITY, 0.0, f32::MAX, 1e-40] {
            let mut bytes = Vec::new();
            store(&[odd, 1.0, odd], &mut bytes);
            assert!(Fine::new(&[1.0, 2.0, 3.0]).cosine(&bytes).is_finite(), "{odd}");
        }
        let mut zero = Vec::new();
        store(&[0.0; 8], &mut zero);
        assert!(Fine::new(&[1.0; 8]).cosine(&zero).abs() < 1e-6);
    }
}

//! The same clip in every format, and back.

use std::io::Cursor;
use std::path::PathBuf;

use crate::{AudioError, Decoder, Encoder, Format, Limits, Resampler, to_f32};

/// The folder with recordings, or none.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "tests find their data by it")]
    let root = std::env::var_os("LECTERN_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = root.join("data").join(folder);
    if !path.is_dir() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

fn decode(bytes: Vec<u8>, rate: u32) -> Result<Vec<f32>, AudioError> {
    Decoder::open(Cursor::new(bytes), rate, &Limits::default())?.read_all()
}

/// A sound with speech-like bursts, so that a shift in time shows.
fn sound(rate: u32, seconds: f64) -> Vec<i16> {
    (0..(f64::from(rate) * seconds) as usize)
        .map(|at| {
            let t = at as f64 / f64::from(rate);
            let burst = (t * 3.0).sin().max(0.0);
            let tone =
                (t * 220.0 * std::f64::consts::TAU).sin() + 0.5 * (t * 1_230.0 * std::f64::consts::TAU).sin();
            (tone * burst * 9_000.0) as i16
        })
        .collect()
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

/// Best correlation of two signals within a shift of `reach` samples, and the shift.
fn correlation(left: &[f32], right: &[f32], reach: isize) -> (f32, isize) {
    // Three seconds tell as much as all.
    let length = left.len().min(right.len()).min(66_000) as isize;
    (-reach..=reach)
        .map(|shift| {
            let from = shift.max(0);
            let to = length + shift.min(0);
            let mut sums = (0.0_f64, 0.0_f64, 0.0_f64);
            for at in from..to {
                let (a, b) = (f64::from(left[at as usize]), f64::from(right[(at - shift) as usize]));
                sums = (sums.0 + a * b, sums.1 + a * a, sums.2 + b * b);
            }
            ((sums.0 / (sums.1 * sums.2).sqrt().max(1e-12)) as f32, shift)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("at least one shift")
}

#[test]
fn the_same_clip_in_every_format_sounds_the_same() {
    let Some(folder) = shared("speech/formats") else { return };
    let read = |name: &str| {
        let mut decoder = Decoder::open_file(&folder.join(name), 16_000, &Limits::default()).expect("opens");
        let all = decoder.read_all().expect("decodes");
        (all, decoder.info().clone())
    };
    let (flac, _) = read("sample_10s_audio-flac.flac");
    assert!(rms(&flac) > 0.001);
    for name in ["aac.aac", "m4a.m4a", "mp3.mp3", "ogg.ogg"] {
        let (other, info) = read(&format!("sample_10s_audio-{name}"));
        let difference = other.len().abs_diff(flac.len());
        assert!(difference < 16_000 / 10, "{name} {info:?}: {} against {}", other.len(), flac.len());
        assert!((rms(&other) / rms(&flac) - 1.0).abs() < 0.05, "{name}");
        let (likeness, shift) = correlation(&flac, &other, 1_200);
        // Lossy codecs at a low rate: the sound is the same, its finest waves are not.
        assert!(likeness > 0.8, "{name}: {likeness} at {shift}");
    }
    let (video, info) = read("sample_10s_video-mp4.mp4");
    assert!(video.len().abs_diff(10 * 16_000) < 8_000, "{} {info:?}", video.len());
}

#[test]
fn other_recordings_have_the_length_that_their_container_says() {
    let Some(folder) = shared("speech/multi") else { return };
    for (name, ms) in [("silero_test.wav", 60_000), ("silero_test.mp3", 2_533), ("silero_test.opus", 8_064)] {
        let mut decoder = Decoder::open_file(&folder.join(name), 16_000, &Limits::default()).expect("opens");
        let all = decoder.read_all().expect("all");
        assert!((all.len() / 16).abs_diff(ms) <= 2, "{name}: {}", all.len());
        assert!(rms(&all) > 0.001);
    }
}

#[test]
fn what_is_encoded_can_be_decoded() {
    for rate in [16_000, 22_050, 48_000] {
        let sound = sound(rate, 2.0);
        for format in [Format::Wav, Format::Opus, Format::Mp3] {
            let mut encoder = Encoder::new(format, rate).expect("encoder");
            let mut bytes = Vec::new();
            for part in sound.chunks(777) {
                bytes.extend(encoder.push(part).expect("push"));
            }
            bytes.extend(encoder.finish().expect("finish"));
            assert!(encoder.finish().expect("again").is_empty());
            let back = decode(bytes, rate).unwrap_or_else(|error| panic!("{format:?} {rate}: {error}"));
            let pad = if format == Format::Mp3 { 3_500 } else { 2 };
            assert!(back.len().abs_diff(sound.len()) <= pad, "{format:?} {rate}: {}", back.len());
            let (likeness, shift) = correlation(&to_f32(&sound), &back, 3_000);
            assert!(likeness > 0.95, "{format:?} {rate}: {likeness} at {shift}");
            if format != Format::Mp3 {
                assert!(shift.abs() <= 2, "{format:?} {rate}: shifted by {shift}");
            }
        }
    }
}

#[test]
fn pcm_is_the_samples_and_raw_reads_them() {
    let sound = sound(16_000, 0.5);
    let mut encoder = Encoder::new(Format::Pcm, 16_000).expect("encoder");
    let bytes = encoder.push(&sound).expect("push");
    assert_eq!(bytes.len(), sound.len() * 2);
    let mut decoder = Decoder::raw(Cursor::new(bytes), 16_000, 1, 16_000, &Limits::default()).expect("raw");
    assert_eq!(decoder.read_all().expect("all"), to_f32(&sound));
}

#[test]
fn the_first_bytes_come_at_once() {
    for (format, within) in [(Format::Wav, 1), (Format::Pcm, 1), (Format::Opus, 60), (Format::Mp3, 120)] {
        let mut encoder = Encoder::new(format, 22_050).expect("encoder");
        let sound = sound(22_050, 1.0);
        let heads = encoder.push(&[]).expect("push").len();
        assert_eq!(heads > 40, matches!(format, Format::Wav | Format::Opus), "{format:?}");
        let needed = sound.chunks(22).position(|part| !encoder.push(part).expect("push").is_empty());
        let needed = needed.expect("bytes within the second") + 1;
        assert!(needed <= within, "{format:?}: {needed} ms before the first sound");
    }
}

#[test]
fn resampling_keeps_length_level_and_place() {
    for (from, to) in
        [(44_100, 16_000), (16_000, 22_050), (8_000, 16_000), (44_056, 16_000), (192_000, 16_000)]
    {
        let input: Vec<f32> = to_f32(&sound(from, 1.0));
        let mut resampler = Resampler::new(from, to).expect("rates");
        let mut out = Vec::new();
        for part in input.chunks(333) {
            out.extend(resampler.push(part).expect("push"));
        }
        out.extend(resampler.finish().expect("finish"));
        assert!(out.len().abs_diff(to as usize) <= 1, "{from} to {to}: {}", out.len());
        let wanted = to_f32(&sound(to, 1.0));
        let (likeness, shift) = correlation(&wanted, &out, 20);
        assert!(likeness > 0.995, "{from} to {to}: {likeness} at {shift}");
        assert!(shift.abs() <= 1, "{from} to {to}: shifted by {shift}");
        assert!((rms(&out) / rms(&wanted) - 1.0).abs() < 0.02);
    }
    let mut short = Resampler::new(48_000, 16_000).expect("rates");
    assert!(short.push(&[0.5; 30]).expect("push").is_empty());
    assert_eq!(short.finish().expect("finish").len(), 10);
}

#[test]
fn tones_above_the_new_range_are_gone() {
    let tone: Vec<f32> =
        (0..48_000).map(|at| (at as f32 * 12_000.0 / 48_000.0 * std::f32::consts::TAU).sin()).collect();
    let mut resampler = Resampler::new(48_000, 16_000).expect("rates");
    let out = resampler.push(&tone).expect("push");
    assert!(rms(&out[100..]) < 0.001, "{}", rms(&out[100..]));
}

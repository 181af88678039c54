//! Broken, empty, endless and foreign files: always an answer, never a panic, never without end.

use std::io::{Cursor, Read};

use crate::tests::shared;
use crate::{AudioError, Decoder, Encoder, Format, Limits};

fn outcome(bytes: Vec<u8>) -> Result<usize, AudioError> {
    let limits = Limits { seconds: 120, ..Limits::default() };
    let mut decoder = Decoder::open(Cursor::new(bytes.clone()), 16_000, &limits)?;
    let mut total = 0;
    while let Some(block) = decoder.read_block()? {
        total += block.len();
        assert!(block.iter().all(|sample| sample.is_finite()));
    }
    assert!(decoder.read_block().expect("after the end").is_none());
    let _ = Decoder::open_stream(Cursor::new(bytes), 16_000, &limits).map(|mut decoder| decoder.read_all());
    Ok(total)
}

fn sample(format: Format) -> Vec<u8> {
    let mut encoder = Encoder::new(format, 16_000).expect("encoder");
    let sound: Vec<i16> = (0..16_000).map(|at| ((at * at / 50) % 9_000) as i16).collect();
    let mut bytes = encoder.push(&sound).expect("push");
    bytes.extend(encoder.finish().expect("finish"));
    bytes
}

#[test]
fn errors_say_what_is_wrong() {
    let open =
        |bytes: &[u8]| Decoder::open(Cursor::new(bytes.to_vec()), 16_000, &Limits::default()).map(|_| ());
    assert_eq!(open(b"").expect_err("empty").code(), "audio_empty");
    let text = open(&b"This is a letter, not a recording. ".repeat(500)).expect_err("text");
    assert_eq!(text.code(), "audio_unknown", "{text}");
    assert!(text.hint().is_some());
    let header = &sample(Format::Wav)[..44];
    let nothing = outcome(header.to_vec()).expect_err("no samples");
    assert_eq!(nothing.code(), "audio_empty", "{nothing}");
    let mut broken = sample(Format::Wav);
    broken[20] = 0x77; // an unknown codec
    assert_eq!(outcome(broken).expect_err("codec").code(), "audio_codec");
    let mut fast = sample(Format::Wav);
    fast[24..28].copy_from_slice(&900_000_000_u32.to_le_bytes());
    assert_eq!(outcome(fast).expect_err("rate").code(), "audio_limit");
    let channels = Decoder::raw(Cursor::new(vec![0; 100]), 16_000, 40, 16_000, &Limits::default());
    assert_eq!(channels.map(|_| ()).expect_err("channels").code(), "audio_limit");
}

#[test]
fn endless_streams_end() {
    struct Silence;
    impl Read for Silence {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(0);
            Ok(buffer.len())
        }
    }
    let limits = Limits { seconds: 60, ..Limits::default() };
    let mut decoder = Decoder::raw(Silence, 16_000, 1, 16_000, &limits).expect("raw");
    let error =
        std::iter::repeat_with(|| decoder.read_block()).find_map(Result::err).expect("it ends with an error");
    assert_eq!(error.code(), "audio_too_long");

    let limits = Limits { bytes: 100_000, ..Limits::default() };
    let wav = Cursor::new(sample(Format::Wav)[..44].to_vec()).chain(Silence);
    let mut decoder = Decoder::open_stream(wav, 16_000, &limits).expect("opens");
    let error = std::iter::repeat_with(|| decoder.read_block()).find_map(Result::err).expect("an error");
    assert_eq!(error.code(), "audio_limit", "{error}");
}

#[test]
fn truncations_and_changed_bytes_never_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for format in [Format::Wav, Format::Opus, Format::Mp3] {
        let whole = sample(format);
        for length in (0..whole.len()).step_by(whole.len() / 40 + 1) {
            let _ = outcome(whole[..length].to_vec());
        }
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=next() % 8 {
                let place = if next() % 2 == 0 { next() % 200 } else { next() } as usize % bytes.len();
                bytes[place] = next() as u8;
            }
            let _ = outcome(bytes);
        }
    }
}

#[test]
fn foreign_recordings_that_were_damaged_never_panic() {
    let Some(folder) = shared("speech/formats") else { return };
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for entry in std::fs::read_dir(folder).expect("folder") {
        let mut whole = std::fs::read(entry.expect("entry").path()).expect("file");
        whole.truncate(150_000);
        for round in 0..24 {
            let mut bytes = whole.clone();
            for _ in 0..=next() % 20 {
                let near = if round % 2 == 0 { 2_000 } else { bytes.len() as u64 };
                let place = (next() % near) as usize % bytes.len();
                bytes[place] = next() as u8;
            }
            let _ = outcome(bytes);
        }
    }
}

#[test]
fn the_hostile_files_are_answered() {
    for folder in ["hostile/audio", "hostile/tika", "hostile/pdfjs"] {
        let Some(folder) = shared(folder) else { return };
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            let bytes = std::fs::read(&path).expect("file");
            if bytes.len() < 4_000_000 {
                let result = outcome(bytes);
                println!("{}: {result:?}", path.display());
            }
        }
    }
}

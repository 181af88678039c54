//! WAV, 16 bit mono PCM: with a known length for files, without one for streams.
//! Layout: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE).

use std::io::{self, Seek, SeekFrom, Write};

pub const HEADER_BYTES: usize = 44;
const UNKNOWN: u32 = u32::MAX;

/// The header of a file with so many samples.
pub fn wav_header(sample_rate: u32, samples: u64) -> [u8; HEADER_BYTES] {
    let data = u32::try_from(samples.saturating_mul(2)).unwrap_or(UNKNOWN);
    header(sample_rate, data.saturating_add(36), data)
}

/// The header of a stream whose length is not known yet: players read to its end.
pub fn streaming_header(sample_rate: u32) -> [u8; HEADER_BYTES] {
    header(sample_rate, UNKNOWN, UNKNOWN)
}

/// The samples as the bytes that stand in the file.
pub fn sample_bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn header(sample_rate: u32, riff: u32, data: u32) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[0..4].copy_from_slice(b"RIFF");
    bytes[4..8].copy_from_slice(&riff.to_le_bytes());
    bytes[8..16].copy_from_slice(b"WAVEfmt ");
    bytes[16..20].copy_from_slice(&16_u32.to_le_bytes());
    bytes[20..22].copy_from_slice(&1_u16.to_le_bytes()); // PCM
    bytes[22..24].copy_from_slice(&1_u16.to_le_bytes()); // channels
    bytes[24..28].copy_from_slice(&sample_rate.to_le_bytes());
    bytes[28..32].copy_from_slice(&sample_rate.saturating_mul(2).to_le_bytes());
    bytes[32..34].copy_from_slice(&2_u16.to_le_bytes()); // bytes a frame
    bytes[34..36].copy_from_slice(&16_u16.to_le_bytes());
    bytes[36..40].copy_from_slice(b"data");
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    bytes
}

/// Writes a file as samples come; `finish` sets the true length.
#[derive(Debug)]
pub struct WavWriter<W: Write + Seek> {
    out: W,
    sample_rate: u32,
    samples: u64,
}

impl<W: Write + Seek> WavWriter<W> {
    pub fn new(mut out: W, sample_rate: u32) -> io::Result<Self> {
        out.write_all(&streaming_header(sample_rate))?;
        Ok(Self { out, sample_rate, samples: 0 })
    }

    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        self.samples += samples.len() as u64;
        self.out.write_all(&sample_bytes(samples))
    }

    pub fn finish(mut self) -> io::Result<W> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&wav_header(self.sample_rate, self.samples))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
    }

    #[test]
    fn a_finished_file_has_its_length() {
        let mut wav = WavWriter::new(io::Cursor::new(Vec::new()), 22_050).expect("header");
        wav.write(&[1, -2, 300]).expect("samples");
        let bytes = wav.finish().expect("finish").into_inner();
        assert_eq!(bytes.len(), HEADER_BYTES + 6);
        assert_eq!((u32_at(&bytes, 4), u32_at(&bytes, 40)), (42, 6));
        assert_eq!((u32_at(&bytes, 24), u32_at(&bytes, 28)), (22_050, 44_100));
        assert_eq!(&bytes[HEADER_BYTES..], &[1, 0, 254, 255, 44, 1]);
    }

    #[test]
    fn a_stream_says_that_it_does_not_know() {
        let bytes = streaming_header(22_050);
        assert_eq!((u32_at(&bytes, 4), u32_at(&bytes, 40)), (u32::MAX, u32::MAX));
        assert_eq!(wav_header(22_050, u64::MAX), bytes, "beyond 4 GB a file is like a stream");
    }
}

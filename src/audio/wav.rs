//! WAV as it is made: 16 bit, mono, the length left open.

/// The header of a file whose length is not known yet: both lengths are the largest value, which players take as
/// "until the end".
pub(crate) fn header(rate: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend(u32::MAX.to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16_u32.to_le_bytes());
    for value in [1_u16, 1] {
        header.extend(value.to_le_bytes()); // PCM, one channel
    }
    header.extend(rate.to_le_bytes());
    header.extend((rate * 2).to_le_bytes());
    for value in [2_u16, 16] {
        header.extend(value.to_le_bytes()); // bytes a frame, bits a sample
    }
    header.extend(b"data");
    header.extend(u32::MAX.to_le_bytes());
    header
}

pub(crate) fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

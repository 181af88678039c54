//! Base 32 of RFC 4648, section 6, as secrets of one-time codes are written: without padding.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    let (mut buffer, mut bits) = (0u32, 0);
    for &byte in bytes {
        buffer = (buffer << 8 | u32::from(byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    out
}

/// Takes it as people type it: small letters, spaces, hyphens and padding are fine. `None` when something else is in it,
/// or when the last letter has bits that belong to no byte.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut buffer, mut bits) = (0u32, 0);
    for letter in text.trim_end_matches(['=', ' ']).chars().filter(|c| !matches!(c, ' ' | '-')) {
        let letter = u8::try_from(letter.to_ascii_uppercase()).ok()?;
        let value = ALPHABET.iter().position(|&known| known == letter)? as u32;
        buffer = (buffer << 5 | value) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits) as u8);
        }
    }
    (bits < 5 && buffer & ((1 << bits) - 1) == 0).then_some(out)
}

//! The compression of RTF in Outlook messages ([MS-OXRTFCP]).

use crate::ole::u32_at;

const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const COMPRESSED: u32 = 0x7546_5a4c;
const SIZE: usize = 4096;
/// Most that is expanded; a token of two bytes gives at most 17.
const MAX: usize = 64 << 20;

/// The RTF text; what cannot be understood ends it.
pub(crate) fn expand(bytes: &[u8]) -> Vec<u8> {
    let wanted = (u32_at(bytes, 4).unwrap_or(0) as usize).min(MAX);
    let Some(mut data) = bytes.get(16..) else { return Vec::new() };
    if u32_at(bytes, 8) != Some(COMPRESSED) {
        return data[..data.len().min(wanted)].to_vec();
    }
    let mut window = [b' '; SIZE];
    window[..DICTIONARY.len()].copy_from_slice(DICTIONARY);
    let mut at = DICTIONARY.len();
    let mut out = Vec::new();
    while let Some((flags, rest)) = data.split_first() {
        data = rest;
        for bit in 0..8 {
            if out.len() >= wanted {
                return out;
            }
            if flags >> bit & 1 == 0 {
                let Some((byte, rest)) = data.split_first() else { return out };
                data = rest;
                window[at] = *byte;
                at = (at + 1) % SIZE;
                out.push(*byte);
                continue;
            }
            let [high, low, rest @ ..] = data else { return out };
            data = rest;
            let token = usize::from(*high) << 8 | usize::from(*low);
            let (offset, length) = (token >> 4, (token & 0xf) + 2);
            if offset == at {
                return out;
            }
            for index in 0..length {
                let byte = window[(offset + index) % SIZE];
                window[at] = byte;
                at = (at + 1) % SIZE;
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let bytes = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0, 0x0a, 0,
            0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
            0, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        assert_eq!(expand(&bytes), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }
}

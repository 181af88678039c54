//! Which encoding bytes of text are in, and their decoding.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// Guessing reads this much; more changes nothing and costs time.
const SAMPLE: usize = 256 << 10;

/// Decodes text that begins with a byte order mark.
pub(crate) fn decode_bom(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) {
        return Some(Cow::Owned(utf32(&bytes[4..], u32::from_le_bytes)));
    }
    if bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Some(Cow::Owned(utf32(&bytes[4..], u32::from_be_bytes)));
    }
    let (encoding, length) = Encoding::for_bom(bytes)?;
    Some(encoding.decode_without_bom_handling(&bytes[length..]).0)
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> String {
    bytes
        .chunks_exact(4)
        .map(|four| char::from_u32(read([four[0], four[1], four[2], four[3]])).unwrap_or('\u{fffd}'))
        .collect()
}

/// UTF-16 without a mark shows as zeros in every second byte, or as spaces and line ends there in other scripts.
pub(crate) fn utf16_without_bom(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    if sample.len() < 4 {
        return None;
    }
    let (mut high, mut low) = (0usize, 0usize);
    for pair in sample.chunks_exact(2) {
        match (pair[0], pair[1]) {
            (0, 0) => return None,
            (b'\t' | b'\n' | b'\r' | b' '..=b'~', 0) => low += 1,
            (0, b'\t' | b'\n' | b'\r' | b' '..=b'~') => high += 1,
            _ => {}
        }
    }
    let pairs = sample.len() / 2;
    let enough = |count: usize, other: usize| count * 20 > pairs && count > other * 10;
    if enough(low, high) && well_formed(encoding_rs::UTF_16LE, sample) {
        Some(encoding_rs::UTF_16LE)
    } else if enough(high, low) && well_formed(encoding_rs::UTF_16BE, sample) {
        Some(encoding_rs::UTF_16BE)
    } else {
        None
    }
}

fn well_formed(encoding: &'static Encoding, sample: &[u8]) -> bool {
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let odd = text.chars().filter(|c| *c == '\u{fffd}' || (c.is_control() && !c.is_whitespace())).count();
    odd * 50 <= text.chars().count()
}

/// Decodes text of unknown encoding: mark, UTF-16 pattern, UTF-8, then the likeliest legacy encoding.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    decode_with(bytes, None)
}

/// As [`decode`], but `declared` wins over guessing where it can be right.
pub(crate) fn decode_with<'a>(bytes: &'a [u8], declared: Option<&str>) -> Cow<'a, str> {
    if let Some(text) = decode_bom(bytes) {
        return text;
    }
    if let Some(encoding) = utf16_without_bom(bytes) {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    if !has_escape_sequences(bytes)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if let Some(encoding) =
        declared.filter(|found| found.is_ascii_compatible() || *found == encoding_rs::ISO_2022_JP)
    {
        let (text, bad) = encoding.decode_without_bom_handling(bytes);
        if !bad || encoding != encoding_rs::UTF_8 {
            return text;
        }
    }
    guess(bytes).decode_without_bom_handling(bytes).0
}

/// ISO-2022-JP is seven-bit, so that it passes for UTF-8.
fn has_escape_sequences(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    sample.contains(&0x1b) && sample.windows(3).any(|three| matches!(three, [0x1b, b'$', b'@' | b'B']))
}

/// The likeliest encoding. Mostly valid UTF-8 with a few broken bytes stays UTF-8.
pub(crate) fn guess(bytes: &[u8]) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if mostly_utf8(sample) {
        return encoding_rs::UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Allow)
}

fn mostly_utf8(sample: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in sample.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > 20 && bad * 50 < good
}

/// Decodes a byte string of a known Windows code page; 0 and unknown pages are Windows-1252.
pub(crate) fn code_page(page: u32) -> &'static Encoding {
    match page {
        874 => encoding_rs::WINDOWS_874,
        932 | 943 | 10001 => encoding_rs::SHIFT_JIS,
        936 | 20936 => encoding_rs::GBK,
        949 | 51949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1200 => encoding_rs::UTF_16LE,
        1201 => encoding_rs::UTF_16BE,
        1250 => encoding_rs::WINDOWS_1250,
        1251 => encoding_rs::WINDOWS_1251,
        1253 => encoding_rs::WINDOWS_1253,
        1254 => encoding_rs::WINDOWS_1254,
        1255 => encoding_rs::WINDOWS_1255,
        1256 => encoding_rs::WINDOWS_1256,
        1257 => encoding_rs::WINDOWS_1257,
        1258 => encoding_rs::WINDOWS_1258,
        866 => encoding_rs::IBM866,
        10000 => encoding_rs::MACINTOSH,
        10007 => encoding_rs::X_MAC_CYRILLIC,
        20866 => encoding_rs::KOI8_R,
        21866 => encoding_rs::KOI8_U,
        20932 | 51932 => encoding_rs::EUC_JP,
        28592 => encoding_rs::ISO_8859_2,
        28595 => encoding_rs::ISO_8859_5,
        28605 => encoding_rs::ISO_8859_15,
        50220..=50222 => encoding_rs::ISO_2022_JP,
        54936 => encoding_rs::GB18030,
        65001 => encoding_rs::UTF_8,
        _ => encoding_rs::WINDOWS_1252,
    }
}

/// UTF-16LE bytes to text.
pub(crate) fn utf16le(bytes: &[u8]) -> String {
    encoding_rs::UTF_16LE.decode_without_bom_handling(&bytes[..bytes.len() & !1]).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_comes_back() {
        let japanese = "東京都三鷹市で今日は天気がよい。ひらがなとカタカナの文章です。";
        let polish = "ZAŻÓŁĆ GĘŚLĄ JAŹŃ, zażółć gęślą jaźń. Chrząszcz brzmi w trzcinie.";
        for (encoding, text) in [
            (encoding_rs::SHIFT_JIS, japanese),
            (encoding_rs::EUC_JP, japanese),
            (encoding_rs::ISO_2022_JP, japanese),
            (encoding_rs::WINDOWS_1250, polish),
            (encoding_rs::GBK, "审计压缩文件，这是一个中文文本，用来测试编码的识别。"),
            (encoding_rs::WINDOWS_1251, "Съешь же ещё этих мягких французских булок, да выпей чаю."),
        ] {
            assert_eq!(decode(&encoding.encode(text).0), text, "{}", encoding.name());
        }
    }

    #[test]
    fn utf16_with_and_without_mark() {
        let text = "Plain words\nand more of them";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&le), text);
        assert_eq!(decode(&be), text);
        let mut marked = vec![0xfe, 0xff];
        marked.extend(&be);
        assert_eq!(decode(&marked), text);
    }
}

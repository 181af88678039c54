//! Characters that only a symbol font gives a meaning.

/// Greek letters in the order of the Symbol font, from `A`/`a`.
const UPPER: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
const LOWER: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";

/// The character a `sym` element shows: its font's name and the hexadecimal code.
pub(crate) fn of_font(font: &str, code: &str) -> Option<char> {
    let code = u32::from_str_radix(code, 16).ok()?;
    let low = (code & 0xff) as u8;
    match font.to_lowercase().as_str() {
        "symbol" => symbol(low),
        font if font.starts_with("wingdings") || font == "webdings" => wingding(low),
        // Text fonts use the private range for their plain characters.
        _ if (0xf020..=0xf0ff).contains(&code) => char::from_u32(u32::from(low)).filter(|c| !c.is_control()),
        _ => char::from_u32(code),
    }
}

fn symbol(low: u8) -> Option<char> {
    let nth = |letters: &str, base: u8| letters.chars().nth(usize::from(low - base));
    match low {
        b'A'..=b'Z' => nth(UPPER, b'A'),
        b'a'..=b'z' => nth(LOWER, b'a'),
        0xa3 => Some('≤'),
        0xb3 => Some('≥'),
        0xb1 => Some('±'),
        0xb4 => Some('×'),
        0xb8 => Some('÷'),
        0xb9 => Some('≠'),
        0xbb => Some('≈'),
        0xa5 => Some('∞'),
        0xae => Some('→'),
        0xac => Some('←'),
        0xb0 => Some('°'),
        0xb7 => Some('•'),
        0xd2 => Some('®'),
        0xd3 => Some('©'),
        0xd4 => Some('™'),
        0xe5 => Some('∑'),
        b' '..=b'@' => Some(char::from(low)),
        _ => None,
    }
}

fn wingding(low: u8) -> Option<char> {
    match low {
        0xfc => Some('✓'),
        0xfe => Some('☑'),
        0xfb => Some('✗'),
        0xfd => Some('☒'),
        0xa8 | 0x6f | 0x71 => Some('☐'),
        0xe0 => Some('→'),
        0xdf => Some('←'),
        0x4a => Some('☺'),
        0x28 => Some('☎'),
        0x2a => Some('✉'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_decide() {
        assert_eq!(of_font("Symbol", "F061"), Some('α'));
        assert_eq!(of_font("Wingdings", "F0FC"), Some('✓'));
        assert_eq!(of_font("Arial", "F041"), Some('A'));
        assert_eq!(of_font("Arial", "zz"), None);
    }
}

//! Pieces of text that the formats have in common.

/// The longest beginning of at most so many bytes that ends between characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    &text[..end]
}

/// On one line: what controls a terminal or ends a line becomes a space.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A field of the header (RFC 5424, `PRINTUSASCII`): at most so many visible ASCII characters, `-` for none.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let visible = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let kept: String = text.chars().take(most).map(visible).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

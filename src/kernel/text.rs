//! Code points: all offsets that leave the appliance count them.

/// Byte range of the code points `start..end` of `text`; positions past the end are its end.
pub fn byte_range(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    if text.is_ascii() {
        return start.min(text.len())..end.clamp(start.min(text.len()), text.len());
    }
    let mut offsets = text.char_indices().map(|(at, _)| at);
    let from = offsets.nth(start).unwrap_or(text.len());
    let length = end.saturating_sub(start);
    let to = text[from..].char_indices().map(|(at, _)| at).nth(length).map_or(text.len(), |at| from + at);
    from..to
}

/// The code points `start..end` of `text`.
pub fn slice(text: &str, start: usize, end: usize) -> &str {
    &text[byte_range(text, start, end)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_by_code_points() {
        let text = "a😀ß漢z";
        assert_eq!(slice(text, 1, 4), "😀ß漢");
        assert_eq!(slice(text, 0, 99), text);
        assert_eq!(slice(text, 5, 9), "");
        assert_eq!(slice("plain", 1, 3), "la");
        assert_eq!(slice("plain", 9, 3), "");
    }
}

//! The tokens of RTF: groups, control words and symbols, hex bytes, runs of text.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Open,
    Close,
    /// `\*`: the group may be passed over by readers that do not know it.
    Star,
    Word(&'a str, Option<i32>),
    Symbol(u8),
    Hex(u8),
    Text(&'a [u8]),
}

pub(crate) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let start = self.at + 1;
        let first = *self.bytes.get(start)?;
        if !first.is_ascii_alphabetic() {
            self.at = start + 1;
            return Some(match first {
                b'*' => Token::Star,
                b'\'' => {
                    let hex = self.bytes.get(start + 1..start + 3)?;
                    self.at = start + 3;
                    let value =
                        std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                    value.map_or(Token::Symbol(0), Token::Hex)
                }
                b'\n' | b'\r' => Token::Word("par", None),
                b'\t' => Token::Word("tab", None),
                other => Token::Symbol(other),
            });
        }
        let mut end = start;
        while end < start + 32 && self.bytes.get(end).is_some_and(u8::is_ascii_alphabetic) {
            end += 1;
        }
        let word = std::str::from_utf8(&self.bytes[start..end]).unwrap_or_default();
        let number_start = end;
        if self.bytes.get(end) == Some(&b'-') {
            end += 1;
        }
        while end < number_start + 12 && self.bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        let number =
            std::str::from_utf8(&self.bytes[number_start..end]).ok().and_then(|text| text.parse().ok());
        if self.bytes.get(end) == Some(&b' ') {
            end += 1;
        }
        if word == "bin" {
            end = end.saturating_add(usize::try_from(number.unwrap_or(0)).unwrap_or(0)).min(self.bytes.len());
        }
        self.at = end;
        Some(Token::Word(word, number))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while matches!(self.bytes.get(self.at), Some(b'\r' | b'\n' | 0)) {
            self.at += 1;
        }
        match *self.bytes.get(self.at)? {
            b'{' => {
                self.at += 1;
                Some(Token::Open)
            }
            b'}' => {
                self.at += 1;
                Some(Token::Close)
            }
            b'\\' => self.control(),
            _ => {
                let rest = &self.bytes[self.at..];
                let length =
                    rest.iter().position(|byte| matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0));
                let text = &rest[..length.unwrap_or(rest.len())];
                self.at += text.len();
                Some(Token::Text(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_bytes() {
        let tokens: Vec<_> = Tokens::new(b"{\\b0 x\\'e9\\u-5?\\*\\~\\bin3 {}{y").collect();
        assert_eq!(
            tokens,
            [
                Token::Open,
                Token::Word("b", Some(0)),
                Token::Text(b"x"),
                Token::Hex(0xe9),
                Token::Word("u", Some(-5)),
                Token::Text(b"?"),
                Token::Star,
                Token::Symbol(b'~'),
                Token::Word("bin", Some(3)),
                Token::Text(b"y"),
            ]
        );
    }
}

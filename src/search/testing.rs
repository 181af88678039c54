//! Pseudo-random text for the property tests.

const PIECES: &[&str] = &[
    "word",
    "Dr.",
    "U.S.",
    " ",
    "  ",
    "\n",
    "\n\n",
    ". ",
    "! ",
    "? ",
    "\"",
    "”",
    "“",
    "'",
    "’s",
    "3.14",
    "1,000",
    "é",
    "ß",
    "漢字",
    "。",
    "？",
    "ไทย",
    "العربية",
    "؟",
    "😀",
    "\u{0}",
    "\u{301}",
    "\u{200d}",
    "(",
    ")",
    "[1]",
    "-",
    "*",
    "~",
    ":",
    "AND",
    "OR",
    "NOT",
    "title:",
    "date:",
    "..",
    "2024-01-01",
    "\\",
    "/",
    "\t",
    "• ",
    "1. ",
    "e.g.",
    "İ",
    "ǅ",
    "ﬁ",
    "\u{feff}",
    "\r\n",
];

/// A small xorshift generator: the same seed gives the same texts.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    pub(crate) fn text(&mut self, pieces: usize) -> String {
        (0..self.below(pieces)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

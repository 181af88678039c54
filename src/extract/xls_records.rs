//! The records of a BIFF stream, and the strings in them, which may go on in following records.

use encoding_rs::Encoding;

use crate::encoding;
use crate::ole::{u16_at, u32_at};

/// A string is never longer than a cell can hold.
const MAX_STRING: usize = 32_767;
const CONTINUE: u16 = 0x3c;

/// The version of a stream and the encoding of its byte strings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Biff {
    pub version: u8,
    page: &'static Encoding,
}

impl Biff {
    pub fn of(stream: &[u8]) -> Option<Self> {
        let version = match (u16_at(stream, 0)?, u16_at(stream, 4)?) {
            (0x0809, 0x0600) => 8,
            (0x0809, _) => 5,
            (0x0409, _) => 4,
            (0x0209, _) => 3,
            (0x0009, _) => 2,
            _ => return None,
        };
        Some(Self { version, page: encoding_rs::WINDOWS_1252 })
    }

    pub fn set_code_page(&mut self, page: u16) {
        self.page = match page {
            0x8000 => encoding_rs::MACINTOSH,
            0x8001 | 1200 => encoding_rs::WINDOWS_1252,
            page => encoding::code_page(u32::from(page)),
        };
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub kind: u16,
    pub start: usize,
    pub end: usize,
}

impl Record {
    pub fn body<'a>(&self, stream: &'a [u8]) -> &'a [u8] {
        &stream[self.start..self.end]
    }
}

/// The records from an offset to the end of the stream.
pub(crate) fn records(stream: &[u8], mut at: usize) -> impl Iterator<Item = Record> + '_ {
    std::iter::from_fn(move || {
        let kind = u16_at(stream, at)?;
        let length = usize::from(u16_at(stream, at.checked_add(2)?)?);
        let start = at + 4;
        let end = (start + length).min(stream.len());
        at = end;
        Some(Record { kind, start, end })
    })
}

/// Reads the data of a record and of the records that continue it.
pub(crate) struct Text<'a> {
    stream: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Text<'a> {
    pub fn new(stream: &'a [u8], record: &Record) -> Self {
        Self { stream, at: record.start, end: record.end }
    }

    /// Goes to the next record if that continues this one.
    fn next_record(&mut self) -> bool {
        let Some(next) = records(self.stream, self.end).next().filter(|record| record.kind == CONTINUE)
        else {
            return false;
        };
        (self.at, self.end) = (next.start, next.end);
        true
    }

    fn byte(&mut self) -> Option<u8> {
        while self.at >= self.end {
            if !self.next_record() {
                return None;
            }
        }
        self.at += 1;
        Some(self.stream[self.at - 1])
    }

    pub fn word(&mut self) -> u16 {
        let low = self.byte().unwrap_or(0);
        u16::from_le_bytes([low, self.byte().unwrap_or(0)])
    }

    fn long_word(&mut self) -> u32 {
        u32::from(self.word()) | u32::from(self.word()) << 16
    }

    pub fn skip(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let here = left.min(self.end.saturating_sub(self.at));
            self.at += here;
            left -= here;
            if left > 0 && !self.next_record() {
                return;
            }
        }
    }

    /// A string behind a length of one byte.
    pub fn short(&mut self, biff: Biff) -> String {
        let length = usize::from(self.byte().unwrap_or(0));
        if biff.version >= 8 { self.characters(length) } else { self.bytes(length, biff) }
    }

    /// A string behind a length of two bytes.
    pub fn long(&mut self, biff: Biff) -> String {
        let length = usize::from(self.word());
        if biff.version >= 8 { self.characters(length) } else { self.bytes(length, biff) }
    }

    fn bytes(&mut self, length: usize, biff: Biff) -> String {
        let raw: Vec<u8> = std::iter::from_fn(|| self.byte()).take(length).collect();
        biff.page.decode_without_bom_handling(&raw).0.into_owned()
    }

    /// Flags, sizes of what follows the characters, the characters, and what follows.
    fn characters(&mut self, length: usize) -> String {
        let flags = self.byte().unwrap_or(0);
        let runs = if flags & 8 != 0 { usize::from(self.word()) } else { 0 };
        let extended = if flags & 4 != 0 { self.long_word() as usize } else { 0 };
        let text = self.units(length, flags & 1 != 0);
        self.skip(runs * 4);
        self.skip(extended);
        text
    }

    /// Where a string goes on in another record, a byte says anew how wide its characters are.
    pub fn units(&mut self, length: usize, mut wide: bool) -> String {
        let mut units: Vec<u16> = Vec::new();
        while units.len() < length.min(MAX_STRING) {
            if self.at >= self.end {
                if !self.next_record() {
                    break;
                }
                wide = self.byte().unwrap_or(0) & 1 != 0;
            }
            let unit = if wide { self.word() } else { u16::from(self.byte().unwrap_or(0)) };
            units.push(unit);
        }
        String::from_utf16_lossy(&units)
    }

    /// The shared strings.
    pub fn shared(&mut self) -> Vec<String> {
        self.skip(4);
        let count = self.long_word() as usize;
        let mut strings = Vec::new();
        while strings.len() < count {
            if self.at >= self.end && !self.next_record() {
                break;
            }
            let length = usize::from(self.word());
            strings.push(self.characters(length));
        }
        strings
    }

    /// The text of the record that continues this one: of a text box.
    pub fn continued(&mut self, length: usize) -> String {
        self.at = self.end;
        if !self.next_record() {
            return String::new();
        }
        let wide = self.byte().unwrap_or(0) & 1 != 0;
        self.units(length, wide)
    }
}

/// A number squeezed into 30 bits.
pub(crate) fn rk(value: u32) -> f64 {
    let number = if value & 2 != 0 {
        f64::from((value as i32) >> 2)
    } else {
        f64::from_bits(u64::from(value & !3) << 32)
    };
    if value & 1 != 0 { number / 100.0 } else { number }
}

pub(crate) fn rk_at(body: &[u8], at: usize) -> Option<f64> {
    u32_at(body, at).map(rk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeezed_numbers() {
        assert!((rk(0x3ff0_0000) - 1.0).abs() < 1e-12);
        assert!((rk(0x3ff0_0001) - 0.01).abs() < 1e-12);
        assert!((rk((1234 << 2) | 2) - 1234.0).abs() < 1e-12);
        assert!((rk((12345 << 2) | 3) - 123.45).abs() < 1e-9);
    }

    #[test]
    fn strings_over_two_records() {
        let mut stream = vec![0xfc, 0, 14, 0];
        stream.extend([1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, b'a', b'b', b'c']);
        stream.extend([0x3c, 0, 3, 0, 1, 0x42, 0x30]);
        let record = records(&stream, 0).next().unwrap();
        assert_eq!(Text::new(&stream, &record).shared(), ["abc\u{3042}"]);
    }
}

//! Reads the Protocol Buffers wire format with every length checked against the message around it, so that
//! what comes after (RTen's own reader) never meets a length or a number that leads it astray.

use std::io::{BufRead, Seek};

use crate::status::Failure;

/// More fields than any model has; a file of millions of empty ones would become gigabytes in memory.
const MAX_FIELDS: u64 = 16_000_000;
const MAX_VARINT: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Payload {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// The number of bytes that follow, already known to lie inside the message.
    Len(u64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub number: u64,
    pub payload: Payload,
}

pub(crate) struct Wire<R> {
    inner: R,
    pos: u64,
    fields: u64,
}

impl<R: BufRead + Seek> Wire<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, pos: 0, fields: 0 }
    }

    pub(crate) fn pos(&self) -> u64 {
        self.pos
    }

    /// The next field of the message that ends at `end`, or none there.
    pub(crate) fn field(&mut self, end: u64) -> Result<Option<Field>, Failure> {
        if self.pos == end {
            return Ok(None);
        }
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(self.broken("has too many fields"));
        }
        let tag = self.varint(end)?;
        let number = tag >> 3;
        if number == 0 {
            return Err(self.broken("has a field with the number 0"));
        }
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint(end)?),
            1 => Payload::Fixed64(u64::from_le_bytes(self.array(end)?)),
            2 => {
                let len = self.varint(end)?;
                if len > end - self.pos {
                    return Err(self.broken("has a field that is longer than the message around it"));
                }
                Payload::Len(len)
            }
            5 => Payload::Fixed32(u32::from_le_bytes(self.array(end)?)),
            kind => return Err(self.broken(&format!("has a field of the unknown kind {kind}"))),
        };
        Ok(Some(Field { number, payload }))
    }

    pub(crate) fn varint(&mut self, end: u64) -> Result<u64, Failure> {
        let mut value = 0u64;
        for index in 0..MAX_VARINT {
            let [byte] = self.array(end)?;
            let bits = u64::from(byte & 0x7f);
            if index == MAX_VARINT - 1 && bits > 1 {
                break;
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.broken("has a number of more than 64 bits"))
    }

    /// Text of a field; names in models are short.
    pub(crate) fn text(&mut self, len: u64, limit: u64) -> Result<String, Failure> {
        if len > limit {
            return Err(self.broken(&format!("has a text of {len} bytes where {limit} are the limit")));
        }
        let bytes = self.bytes(len)?;
        let text = String::from_utf8(bytes).map_err(|_| self.broken("has a text that is not UTF-8"))?;
        if text.contains('\0') { Err(self.broken("has a text with a zero byte")) } else { Ok(text) }
    }

    /// The bytes of a `Len` field; the caller bounds `len` when memory matters.
    pub(crate) fn bytes(&mut self, len: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| self.broken("is too large"))?];
        self.inner.read_exact(&mut bytes).map_err(|error| self.io(&error))?;
        self.pos += len;
        Ok(bytes)
    }

    pub(crate) fn skip(&mut self, len: u64) -> Result<(), Failure> {
        let step = i64::try_from(len).map_err(|_| self.broken("is too large"))?;
        self.inner.seek_relative(step).map_err(|error| self.io(&error))?;
        self.pos += len;
        Ok(())
    }

    /// A packed row of varints must end with its field, or the reader behind would run over its end.
    pub(crate) fn check_varints(&mut self, len: u64) -> Result<(), Failure> {
        let end = self.pos + len;
        while self.pos < end {
            self.varint(end)?;
        }
        Ok(())
    }

    pub(crate) fn broken(&self, what: &str) -> Failure {
        Failure::protobuf(format!("the model is broken: byte {} {what}", self.pos))
    }

    fn array<const N: usize>(&mut self, end: u64) -> Result<[u8; N], Failure> {
        if end - self.pos < N as u64 {
            return Err(self.broken("is the end, in the middle of a field"));
        }
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(|error| self.io(&error))?;
        self.pos += N as u64;
        Ok(bytes)
    }

    fn io(&self, error: &std::io::Error) -> Failure {
        Failure::protobuf(format!("the model could not be read at byte {}: {error}", self.pos))
    }
}

//! The record tree of a PowerPoint stream.

/// A record's header and where its body is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub kind: u16,
    pub instance: u16,
    pub container: bool,
    pub start: usize,
    pub end: usize,
}

impl Record {
    pub fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let head = bytes.get(at..at.checked_add(8)?)?;
        let options = u16::from_le_bytes([head[0], head[1]]);
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let start = at + 8;
        Some(Self {
            kind: u16::from_le_bytes([head[2], head[3]]),
            instance: options >> 4,
            container: options & 0xf == 0xf,
            start,
            end: start.saturating_add(length).min(bytes.len()),
        })
    }

    pub fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start..self.end]
    }
}

/// The records side by side between two offsets.
pub(crate) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Records<'a> {
    pub fn new(bytes: &'a [u8], at: usize, end: usize) -> Self {
        Self { bytes, at, end: end.min(bytes.len()) }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.at >= self.end {
            return None;
        }
        let record = Record::at(self.bytes, self.at)?;
        let record = Record { end: record.end.min(self.end.max(record.start)), ..record };
        self.at = record.end.max(record.start);
        Some(record)
    }
}

/// The children of a container.
pub(crate) fn inside<'a>(bytes: &'a [u8], record: &Record) -> Records<'a> {
    Records::new(bytes, record.start, if record.container { record.end } else { record.start })
}

//! The log of a generation: what was written for which document. A record counts only when it is whole; the vectors
//! it names were on the disk before it.

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// Passages of a document, each with its number of sentence vectors; they follow those that are there when the
    /// fingerprint is the same and the document was not complete, else they take their place.
    Put {
        document: String,
        stamp: i64,
        fingerprint: u64,
        complete: bool,
        spans: Vec<u16>,
    },
    Remove {
        document: String,
    },
    /// The same passages, known under a new stamp.
    Stamp {
        document: String,
        stamp: i64,
    },
}

/// Longest record: a document's passages come in batches far smaller than this.
const MAX_RECORD: usize = 16 << 20;

pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let mut body = Vec::new();
    match record {
        Record::Put { document, stamp, fingerprint, complete, spans } => {
            body.push(1);
            text(document, &mut body);
            body.extend_from_slice(&stamp.to_le_bytes());
            body.extend_from_slice(&fingerprint.to_le_bytes());
            body.push(u8::from(*complete));
            body.extend_from_slice(&(spans.len() as u32).to_le_bytes());
            for count in spans {
                body.extend_from_slice(&count.to_le_bytes());
            }
        }
        Record::Remove { document } => {
            body.push(2);
            text(document, &mut body);
        }
        Record::Stamp { document, stamp } => {
            body.push(3);
            text(document, &mut body);
            body.extend_from_slice(&stamp.to_le_bytes());
        }
    }
    let mut out = Vec::with_capacity(body.len() + 8);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.extend_from_slice(&body);
    out
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..usize::from(text.len() as u16)]);
}

/// The next whole record and its length; none at the end or where the log is broken.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Record, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let body = rest.get(..length).filter(|_| length <= MAX_RECORD)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut input = Input(body);
    let kind = input.take::<1>()?[0];
    let document = input.text()?;
    let record = match kind {
        1 => {
            let stamp = i64::from_le_bytes(input.take()?);
            let fingerprint = u64::from_le_bytes(input.take()?);
            let complete = input.take::<1>()?[0] != 0;
            let count = u32::from_le_bytes(input.take()?) as usize;
            if count > input.0.len() / 2 {
                return None;
            }
            let spans = (0..count).map(|_| input.take().map(u16::from_le_bytes)).collect::<Option<_>>()?;
            Record::Put { document, stamp, fingerprint, complete, spans }
        }
        2 => Record::Remove { document },
        3 => Record::Stamp { document, stamp: i64::from_le_bytes(input.take()?) },
        _ => return None,
    };
    Some((record, length + 8))
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let text = self.0.get(..length)?;
        self.0 = &self.0[length..];
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_broken_one_does_not() {
        let records = [
            Record::Put {
                document: "doc_1".into(),
                stamp: -7,
                fingerprint: u64::MAX,
                complete: true,
                spans: vec![0, 9, 65535],
            },
            Record::Remove { document: "ü".into() },
            Record::Stamp { document: String::new(), stamp: 9 },
        ];
        for record in records {
            let bytes = encode(&record);
            assert_eq!(decode(&bytes), Some((record, bytes.len())));
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), None);
                let mut flipped = bytes.clone();
                flipped[cut] ^= 0x55;
                assert_eq!(decode(&flipped), None, "{cut}");
            }
        }
    }
}

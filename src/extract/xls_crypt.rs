//! Locked workbook streams before OOXML: which bytes of the stream the cipher covers.

use crate::crypt::{unsupported, with_passwords};
use crate::crypt_rc4::Key;
use crate::model::ExtractError;
use crate::ole::u16_at;
use crate::xls_records::records;

const FILE_PASS: u16 = 0x2f;
const BLOCK: usize = 1024;

/// The stream in plain; one that is not locked comes back as it is.
pub(crate) fn unlock(stream: Vec<u8>, password: Option<&str>) -> Result<Vec<u8>, ExtractError> {
    let lock = records(&stream, 0).take(10).find(|record| record.kind == FILE_PASS);
    let Some(lock) = lock else { return Ok(stream) };
    let header = lock.body(&stream).to_vec();
    // 0 is the obfuscation of Excel 95, 1 stands before an RC4 header.
    if u16_at(&header, 0) != Some(1) {
        return Err(unsupported());
    }
    let key = with_passwords(password, |password| Key::find(&header[2..], password))?;
    Ok(decrypt(&stream, &key))
}

/// Headers of records are not locked, but count; some records are not locked at all.
fn decrypt(stream: &[u8], key: &Key) -> Vec<u8> {
    let mut plain = stream.to_vec();
    key.apply_blocks(BLOCK, &mut plain);
    let mut reached = 0;
    for record in records(stream, 0) {
        plain[reached..record.start].copy_from_slice(&stream[reached..record.start]);
        let open = match record.kind {
            0x0809 | FILE_PASS | 0xe1 | 0x138 | 0x194 | 0x195 | 0x196 => record.end,
            0x85 => (record.start + 4).min(record.end),
            _ => record.start,
        };
        plain[record.start..open].copy_from_slice(&stream[record.start..open]);
        reached = record.end;
    }
    plain
}

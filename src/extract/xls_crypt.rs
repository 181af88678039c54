//! Locked BIFF streams ([MS-OFFCRYPTO] 2.3.5 and 2.3.6): RC4 with a key of the password, block by block.

use md5::Md5;
use rc4::{KeyInit as _, Rc4, StreamCipher as _, consts::U16};
use sha1::{Digest as _, Sha1};

use crate::crypt::{COMMON_PASSWORD, encrypted, wrong_password};
use crate::model::{ExtractError, ExtractErrorCode};
use crate::ole::{u16_at, u32_at};
use crate::xls_records::records;

const FILE_PASS: u16 = 0x2f;
const BLOCK: usize = 1024;

enum Key {
    /// MD5 of password and salt.
    Standard([u8; 5]),
    /// SHA-1 of salt and password, and the key's size in bytes.
    CryptoApi([u8; 20], usize),
}

impl Key {
    fn block(&self, number: u32) -> [u8; 16] {
        let mut key = [0u8; 16];
        match self {
            Self::Standard(base) => {
                key.copy_from_slice(&Md5::new().chain_update(base).chain_update(number.to_le_bytes()).finalize());
            }
            Self::CryptoApi(base, size) => {
                let hash = Sha1::new().chain_update(base).chain_update(number.to_le_bytes()).finalize();
                key[..*size].copy_from_slice(&hash[..*size]);
            }
        }
        key
    }
}

/// The stream in plain; one that is not locked comes back as it is.
pub(crate) fn unlock(stream: Vec<u8>, password: Option<&str>) -> Result<Vec<u8>, ExtractError> {
    let lock = records(&stream, 0).take(10).find(|record| record.kind == FILE_PASS);
    let Some(lock) = lock else { return Ok(stream) };
    let header = lock.body(&stream).to_vec();
    let key = find_key(&header, COMMON_PASSWORD)?;
    let key = match (key, password) {
        (Some(key), _) => key,
        (None, None) => return Err(encrypted()),
        (None, Some(password)) => find_key(&header, password)?.ok_or_else(wrong_password)?,
    };
    Ok(decrypt(stream, &key))
}

fn unsupported() -> ExtractError {
    ExtractError {
        code: ExtractErrorCode::Encrypted,
        message: "The workbook is protected by a password in a way that cannot be opened here; save it without one.".to_owned(),
    }
}

/// The key, if the password is right.
fn find_key(header: &[u8], password: &str) -> Result<Option<Key>, ExtractError> {
    let utf16: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    match (u16_at(header, 0), u16_at(header, 2), u16_at(header, 4)) {
        (Some(1), Some(1), Some(1)) => {
            let (salt, verifier, hash) = (header.get(6..22), header.get(22..38), header.get(38..54));
            let (Some(salt), Some(verifier), Some(hash)) = (salt, verifier, hash) else { return Err(unsupported()) };
            let key = standard_key(&utf16, salt);
            let plain = verify(&key, &[verifier, hash].concat());
            Ok((Md5::digest(&plain[..16])[..] == plain[16..]).then_some(key))
        }
        (Some(1), Some(2..=4), Some(2)) => {
            let size = u32_at(header, 10).unwrap_or(0) as usize;
            let bits = u32_at(header, 14 + 16).unwrap_or(40).clamp(40, 128);
            let bits = if bits % 8 == 0 { bits } else { 40 };
            let at = 14 + size;
            let (salt, verifier, hash) = (header.get(at + 4..at + 20), header.get(at + 20..at + 36), header.get(at + 40..at + 60));
            let (Some(salt), Some(verifier), Some(hash)) = (salt, verifier, hash) else { return Err(unsupported()) };
            let base = Sha1::new().chain_update(salt).chain_update(&utf16).finalize();
            let key = Key::CryptoApi(base.into(), bits as usize / 8);
            let plain = verify(&key, &[verifier, hash].concat());
            Ok((Sha1::digest(&plain[..16])[..] == plain[16..]).then_some(key))
        }
        _ => Err(unsupported()),
    }
}

fn standard_key(password: &[u8], salt: &[u8]) -> Key {
    let first = Md5::digest(password);
    let mut hash = Md5::new();
    for _ in 0..16 {
        hash.update(&first[..5]);
        hash.update(salt);
    }
    let mut base = [0; 5];
    base.copy_from_slice(&hash.finalize()[..5]);
    Key::Standard(base)
}

fn verify(key: &Key, data: &[u8]) -> Vec<u8> {
    let mut plain = data.to_vec();
    Rc4::<U16>::new(&key.block(0).into()).apply_keystream(&mut plain);
    plain
}

/// Headers of records are not locked, but count; some records are not locked at all.
fn decrypt(stream: Vec<u8>, key: &Key) -> Vec<u8> {
    let mut plain = stream.clone();
    for (number, block) in plain.chunks_mut(BLOCK).enumerate() {
        Rc4::<U16>::new(&key.block(number as u32).into()).apply_keystream(block);
    }
    let mut reached = 0;
    for record in records(&stream, 0) {
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

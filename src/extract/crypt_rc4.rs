//! The stream cipher of Office before OOXML ([MS-OFFCRYPTO] 2.3.5 and 2.3.6): RC4 with a key for every block.

use md5::Md5;
use rc4::{KeyInit as _, Rc4, StreamCipher as _, consts::U7, consts::U16};
use sha1::{Digest as _, Sha1};

use crate::crypt::{unsupported, utf16};
use crate::model::ExtractError;
use crate::ole::{u16_at, u32_at};

pub(crate) enum Key {
    /// MD5 of password and salt.
    Standard([u8; 5]),
    /// SHA-1 of salt and password, and the key's size in bytes.
    CryptoApi([u8; 20], usize),
}

/// The header of RC4 with the cryptographic services of Windows.
struct CryptoApi<'a> {
    key_size: usize,
    salt: &'a [u8],
    verifier: &'a [u8],
    hash: &'a [u8],
}

impl<'a> CryptoApi<'a> {
    fn read(header: &'a [u8]) -> Option<Self> {
        let size = u32_at(header, 8)? as usize;
        // 0 bits mean 40.
        let bits = match u32_at(header, 12 + 16)? {
            0 => 40,
            bits @ (40 | 56 | 128) => bits,
            _ => return None,
        };
        let at = size.checked_add(12 + 4)?;
        let part =
            |from: usize, length: usize| header.get(at.checked_add(from)?..at.checked_add(from + length)?);
        Some(Self {
            key_size: bits as usize / 8,
            salt: part(0, 16)?,
            verifier: part(16, 16)?,
            hash: part(36, 20)?,
        })
    }

    fn key(&self, password: &str) -> Option<Key> {
        let base = Sha1::new().chain_update(self.salt).chain_update(utf16(password)).finalize();
        let key = Key::CryptoApi(base.into(), self.key_size);
        let mut plain = [self.verifier, self.hash].concat();
        key.apply(0, &mut plain);
        (Sha1::digest(&plain[..16])[..] == plain[16..]).then_some(key)
    }
}

impl Key {
    /// The key, if the password fits the header that begins with the version of the encryption.
    pub fn find(header: &[u8], password: &str) -> Result<Option<Self>, ExtractError> {
        match (u16_at(header, 0), u16_at(header, 2)) {
            (Some(1), Some(1)) => Self::standard(header, password),
            (Some(2..=4), Some(2)) => {
                CryptoApi::read(header).ok_or_else(unsupported).map(|found| found.key(password))
            }
            _ => Err(unsupported()),
        }
    }

    fn standard(header: &[u8], password: &str) -> Result<Option<Self>, ExtractError> {
        let (Some(salt), Some(verifier), Some(hash)) =
            (header.get(4..20), header.get(20..36), header.get(36..52))
        else {
            return Err(unsupported());
        };
        let first = Md5::digest(utf16(password));
        let mut spun = Md5::new();
        for _ in 0..16 {
            spun.update(&first[..5]);
            spun.update(salt);
        }
        let mut base = [0; 5];
        base.copy_from_slice(&spun.finalize()[..5]);
        let key = Self::Standard(base);
        let mut plain = [verifier, hash].concat();
        key.apply(0, &mut plain);
        Ok((Md5::digest(&plain[..16])[..] == plain[16..]).then_some(key))
    }

    /// Opens `data`, the whole of block `number`.
    pub fn apply(&self, number: u32, data: &mut [u8]) {
        match self {
            Self::Standard(base) => {
                let key = Md5::new().chain_update(base).chain_update(number.to_le_bytes()).finalize();
                Rc4::<U16>::new(&key).apply_keystream(data);
            }
            Self::CryptoApi(base, size) => {
                let hash = Sha1::new().chain_update(base).chain_update(number.to_le_bytes()).finalize();
                match size {
                    // 40 bits are filled up to 128 with zeros by the provider that Office uses.
                    5 => {
                        let mut key = [0u8; 16];
                        key[..5].copy_from_slice(&hash[..5]);
                        Rc4::<U16>::new(&key.into()).apply_keystream(data);
                    }
                    7 => Rc4::<U7>::new(hash[..7].into()).apply_keystream(data),
                    _ => Rc4::<U16>::new(hash[..16].into()).apply_keystream(data),
                }
            }
        }
    }

    /// Opens a stream that is locked in blocks of one size.
    pub fn apply_blocks(&self, size: usize, data: &mut [u8]) {
        for (number, block) in data.chunks_mut(size).enumerate() {
            self.apply(number as u32, block);
        }
    }
}

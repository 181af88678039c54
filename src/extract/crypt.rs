//! Office packages locked by a password ([MS-OFFCRYPTO] 2.3.4): agile and standard encryption.

use aes::cipher::{
    BlockDecrypt as _, BlockDecryptMut as _, KeyInit as _, KeyIvInit as _, block_padding::NoPadding,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use crate::model::{ExtractError, ExtractErrorCode};
use crate::ole::{Ole, u16_at, u32_at};
use crate::writer::damaged;
use crate::xml::{self, Tag, Xml};

/// Excel locks "read-only" workbooks with this password so that every program can open them.
pub(crate) const COMMON_PASSWORD: &str = "VelvetSweatshop";
/// Ten times what programs write; a file cannot ask for hours of work.
const MAX_ROUNDS: u32 = 1_000_000;
const SEGMENT: usize = 4096;

pub(crate) fn encrypted() -> ExtractError {
    ExtractError {
        code: ExtractErrorCode::Encrypted,
        message: "The document is protected by a password.".to_owned(),
    }
}

pub(crate) fn wrong_password() -> ExtractError {
    ExtractError { code: ExtractErrorCode::WrongPassword, message: "The password is not right.".to_owned() }
}

pub(crate) fn unsupported() -> ExtractError {
    ExtractError {
        code: ExtractErrorCode::Encrypted,
        message: "The document is protected by a password in a way that cannot be opened here; save it without one.".to_owned(),
    }
}

/// The password as every cipher of Office takes it.
pub(crate) fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Tries the password that everybody knows, then the one that was given.
pub(crate) fn with_passwords<T>(
    password: Option<&str>,
    open: impl Fn(&str) -> Result<Option<T>, ExtractError>,
) -> Result<T, ExtractError> {
    if let Some(found) = open(COMMON_PASSWORD)? {
        return Ok(found);
    }
    open(password.ok_or_else(encrypted)?)?.ok_or_else(wrong_password)
}

/// The zip file inside a locked package.
pub(crate) fn unlock(bytes: &[u8], password: Option<&str>) -> Result<Vec<u8>, ExtractError> {
    let mut file = Ole::open(bytes)?;
    let info = file.stream("/EncryptionInfo").unwrap_or_default();
    let package = file.stream("/EncryptedPackage").unwrap_or_default();
    let lock = match (u16_at(&info, 0), u16_at(&info, 2)) {
        (Some(4), Some(4)) => Lock::Agile(Agile::parse(info.get(8..).unwrap_or_default())?),
        (Some(2..=4), Some(2)) => Lock::Standard(Standard::parse(&info).ok_or_else(unsupported)?),
        _ => return Err(unsupported()),
    };
    let key = with_passwords(password, |password| lock.key(password))?;
    let size = u32_at(&package, 0).unwrap_or(0) as usize;
    let mut plain =
        package.get(8..).ok_or_else(|| damaged("The file is damaged and cannot be read."))?.to_vec();
    lock.decrypt(&key, &mut plain)?;
    plain.truncate(size);
    Ok(plain)
}

enum Lock {
    Agile(Agile),
    Standard(Standard),
}

impl Lock {
    fn key(&self, password: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        match self {
            Self::Agile(agile) => agile.key(password),
            Self::Standard(standard) => standard.key(password),
        }
    }

    fn decrypt(&self, key: &[u8], data: &mut Vec<u8>) -> Result<(), ExtractError> {
        data.truncate(data.len() / 16 * 16);
        match self {
            Self::Standard(_) => ecb(key, data).ok_or_else(unsupported),
            Self::Agile(agile) => {
                for (index, segment) in data.chunks_mut(SEGMENT).enumerate() {
                    let seed = [&agile.data.salt[..], &(index as u32).to_le_bytes()].concat();
                    let vector = fit(agile.data.hash.digest(&seed), 16);
                    cbc(key, &vector, segment).ok_or_else(unsupported)?;
                }
                Ok(())
            }
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
enum Hash {
    #[default]
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_uppercase().replace('-', "").as_str() {
            "SHA1" => Self::Sha1,
            "SHA256" => Self::Sha256,
            "SHA384" => Self::Sha384,
            "SHA512" => Self::Sha512,
            _ => return None,
        })
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// The hash of salt and password, hashed again and again with a count.
    fn spun(self, salt: &[u8], password: &str, rounds: u32) -> Vec<u8> {
        let mut hash = self.digest(&[salt, &utf16(password)].concat());
        for round in 0..rounds {
            hash = self.digest(&[&round.to_le_bytes()[..], &hash].concat());
        }
        hash
    }
}

/// Cut, or filled up with 0x36, as the specification says.
fn fit(mut bytes: Vec<u8>, size: usize) -> Vec<u8> {
    bytes.resize(size, 0x36);
    bytes
}

#[derive(Debug, Default)]
struct Parameters {
    salt: Vec<u8>,
    hash: Hash,
    key_size: usize,
    rounds: u32,
    verifier: Vec<u8>,
    verifier_hash: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Debug)]
struct Agile {
    data: Parameters,
    password: Parameters,
}

impl Agile {
    fn parse(info: &[u8]) -> Result<Self, ExtractError> {
        let text = xml::decode(info);
        let mut xml = Xml::new(&text);
        let data = xml.seek("keyData")?.and_then(|tag| parameters(&tag)).ok_or_else(unsupported)?;
        let password = xml.seek("encryptedKey")?.and_then(|tag| parameters(&tag)).ok_or_else(unsupported)?;
        Ok(Self { data, password })
    }

    fn key(&self, password: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let lock = &self.password;
        let base = lock.hash.spun(&lock.salt, password, lock.rounds);
        let open = |block: [u8; 8], data: &[u8]| {
            let key = fit(lock.hash.digest(&[&base[..], &block].concat()), lock.key_size);
            let mut plain = data.to_vec();
            cbc(&key, &fit(lock.salt.clone(), 16), &mut plain).map(|()| plain).ok_or_else(unsupported)
        };
        let verifier = open([0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79], &lock.verifier)?;
        let expected = open([0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e], &lock.verifier_hash)?;
        let hash = lock.hash.digest(&verifier);
        if !expected.starts_with(&hash) {
            return Ok(None);
        }
        let key = open([0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6], &lock.key)?;
        Ok(Some(fit(key, self.data.key_size)))
    }
}

fn parameters(tag: &Tag) -> Option<Parameters> {
    let binary =
        |name: &str| tag.attr(name).and_then(|text| STANDARD.decode(text.trim()).ok()).unwrap_or_default();
    let chaining = tag.attr("cipherChaining")?;
    let key_size = usize::try_from(tag.number("keyBits")?).ok()? / 8;
    let rounds =
        u32::try_from(tag.number("spinCount").unwrap_or(0)).ok().filter(|rounds| *rounds <= MAX_ROUNDS)?;
    (tag.attr("cipherAlgorithm")? == "AES"
        && chaining == "ChainingModeCBC"
        && matches!(key_size, 16 | 24 | 32))
    .then_some(())?;
    Some(Parameters {
        salt: binary("saltValue"),
        hash: Hash::named(&tag.attr("hashAlgorithm")?)?,
        key_size,
        rounds,
        verifier: binary("encryptedVerifierHashInput"),
        verifier_hash: binary("encryptedVerifierHashValue"),
        key: binary("encryptedKeyValue"),
    })
}

#[derive(Debug)]
struct Standard {
    salt: Vec<u8>,
    key_size: usize,
    verifier: Vec<u8>,
    verifier_hash: Vec<u8>,
}

impl Standard {
    fn parse(info: &[u8]) -> Option<Self> {
        let header = u32_at(info, 8)? as usize;
        let algorithm = u32_at(info, 12 + 8)?;
        let key_size = u32_at(info, 12 + 16)? as usize / 8;
        // AES with 128, 192 or 256 bits; RC4 is not used with packages.
        (matches!(algorithm, 0x660e..=0x6610) && matches!(key_size, 16 | 24 | 32)).then_some(())?;
        let at = header.checked_add(12 + 4)?;
        let part = |from: usize, length: usize| {
            info.get(at.checked_add(from)?..at.checked_add(from + length)?).map(<[u8]>::to_vec)
        };
        Some(Self { salt: part(0, 16)?, key_size, verifier: part(16, 16)?, verifier_hash: part(36, 32)? })
    }

    fn key(&self, password: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let base = Hash::Sha1.spun(&self.salt, password, 50_000);
        let last = Sha1::digest([&base[..], &[0; 4]].concat());
        let half = |fill: u8| {
            let mut block = [fill; 64];
            block.iter_mut().zip(last).for_each(|(byte, hash)| *byte ^= hash);
            Sha1::digest(block)
        };
        let key: Vec<u8> = half(0x36).into_iter().chain(half(0x5c)).take(self.key_size).collect();
        let (mut verifier, mut hash) = (self.verifier.clone(), self.verifier_hash.clone());
        ecb(&key, &mut verifier).and_then(|()| ecb(&key, &mut hash)).ok_or_else(unsupported)?;
        Ok((Sha1::digest(&verifier)[..] == hash[..20]).then_some(key))
    }
}

fn cbc(key: &[u8], vector: &[u8], data: &mut [u8]) -> Option<()> {
    let length = data.len() / 16 * 16;
    let data = &mut data[..length];
    match key.len() {
        16 => cbc::Decryptor::<aes::Aes128>::new_from_slices(key, vector)
            .ok()?
            .decrypt_padded_mut::<NoPadding>(data)
            .ok()?,
        24 => cbc::Decryptor::<aes::Aes192>::new_from_slices(key, vector)
            .ok()?
            .decrypt_padded_mut::<NoPadding>(data)
            .ok()?,
        _ => cbc::Decryptor::<aes::Aes256>::new_from_slices(key, vector)
            .ok()?
            .decrypt_padded_mut::<NoPadding>(data)
            .ok()?,
    };
    Some(())
}

fn ecb(key: &[u8], data: &mut [u8]) -> Option<()> {
    let blocks = data.chunks_exact_mut(16);
    match key.len() {
        16 => {
            let cipher = aes::Aes128::new_from_slice(key).ok()?;
            blocks.for_each(|block| cipher.decrypt_block(block.into()));
        }
        24 => {
            let cipher = aes::Aes192::new_from_slice(key).ok()?;
            blocks.for_each(|block| cipher.decrypt_block(block.into()));
        }
        _ => {
            let cipher = aes::Aes256::new_from_slice(key).ok()?;
            blocks.for_each(|block| cipher.decrypt_block(block.into()));
        }
    }
    Some(())
}

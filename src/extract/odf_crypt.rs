//! Password-protected OpenDocument files: AES-256-CBC with a PBKDF2 key, as ODF 1.2 part 3 describes.

use std::collections::HashMap;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use hmac::{Hmac, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::model::{ExtractError, ExtractErrorCode};
use crate::odf::encrypted;
use crate::package::{MAX_PART, Package};
use crate::writer::TextWriter;
use crate::xml::{Tag, Xml};

/// More rounds than any program writes; a file cannot ask for hours of work.
const MAX_ROUNDS: u32 = 2_000_000;

#[derive(Debug, Clone, Default)]
struct Entry {
    checksum: Vec<u8>,
    checksum_kind: String,
    cipher: String,
    vector: Vec<u8>,
    derivation: String,
    salt: Vec<u8>,
    rounds: u32,
    start_key: String,
}

/// How the parts of one package are locked, with the password to open them.
pub(crate) struct Lock {
    entries: HashMap<String, Entry>,
    password: String,
}

/// The whole package inside of one locked part, as newer LibreOffice writes it: opened where its cipher is known.
pub(crate) fn unlock_package(
    package: &mut Package,
    password: Option<&str>,
    out: &mut TextWriter,
) -> Result<Option<Vec<u8>>, ExtractError> {
    if !package.has("encrypted-package") {
        return Ok(None);
    }
    let Some(password) = password else { return Err(encrypted()) };
    let manifest = package.read_xml("META-INF/manifest.xml", out)?.unwrap_or_default();
    let lock = Lock::parse(&manifest, password)?;
    let bytes = package.read("encrypted-package", out)?.unwrap_or_default();
    lock.open("encrypted-package", bytes).map(Some)
}

fn unsupported() -> ExtractError {
    ExtractError {
        code: ExtractErrorCode::Encrypted,
        message: "The document is protected by a password in a way that cannot be opened here; save it without one.".to_owned(),
    }
}

fn wrong_password() -> ExtractError {
    ExtractError { code: ExtractErrorCode::WrongPassword, message: "The password is not right.".to_owned() }
}

impl Lock {
    pub fn parse(manifest: &str, password: &str) -> Result<Self, ExtractError> {
        let mut xml = Xml::new(manifest);
        let mut entries = HashMap::new();
        while let Some(tag) = xml.seek("file-entry")? {
            let path = tag.attr("full-path").unwrap_or_default().to_lowercase();
            let mut entry = Entry::default();
            if data(&mut xml, &mut entry)? {
                entries.insert(path, entry);
            }
        }
        Ok(Self { entries, password: password.to_owned() })
    }

    /// A part's content; parts that are not locked come back as they are.
    pub fn open(&self, name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, ExtractError> {
        let Some(entry) = self.entries.get(&name.to_lowercase()) else { return Ok(bytes) };
        let known =
            entry.cipher.ends_with("aes256-cbc") && entry.derivation.to_lowercase().ends_with("pbkdf2");
        if !known || entry.vector.len() != 16 || entry.rounds == 0 || entry.rounds > MAX_ROUNDS {
            return Err(unsupported());
        }
        let start = if entry.start_key.ends_with("sha256") {
            Sha256::digest(self.password.as_bytes()).to_vec()
        } else {
            Sha1::digest(self.password.as_bytes()).to_vec()
        };
        let key = pbkdf2(&start, &entry.salt, entry.rounds);
        let mut bytes = bytes;
        bytes.truncate(bytes.len() / 16 * 16);
        let cipher =
            cbc::Decryptor::<aes::Aes256>::new_from_slices(&key, &entry.vector).map_err(|_| unsupported())?;
        let length = cipher.decrypt_padded_mut::<NoPadding>(&mut bytes).map_err(|_| unsupported())?.len();
        bytes.truncate(length);
        if !entry.matches(&bytes) {
            return Err(wrong_password());
        }
        let mut plain = Vec::new();
        // Padding follows the deflated data; the end of the stream is what counts.
        let _ = flate2::read::DeflateDecoder::new(bytes.as_slice()).take(MAX_PART).read_to_end(&mut plain);
        Ok(plain)
    }
}

impl Entry {
    /// The checksum is over the first kilobyte; padding may or may not belong to it.
    fn matches(&self, bytes: &[u8]) -> bool {
        if self.checksum.is_empty() {
            return true;
        }
        let padding = usize::from(bytes.last().copied().unwrap_or(0)).min(16).min(bytes.len());
        [bytes.len(), bytes.len() - padding].iter().any(|length| {
            let head = &bytes[..(*length).min(1024)];
            let sum = if self.checksum_kind.contains("sha256") {
                Sha256::digest(head).to_vec()
            } else {
                Sha1::digest(head).to_vec()
            };
            sum == self.checksum
        })
    }
}

fn data(xml: &mut Xml, entry: &mut Entry) -> Result<bool, ExtractError> {
    let mut locked = false;
    while let Some(tag) = xml.child()? {
        if tag.name() != "encryption-data" {
            xml.skip()?;
            continue;
        }
        locked = true;
        entry.checksum = binary(&tag, "checksum");
        entry.checksum_kind = tag.attr("checksum-type").unwrap_or_default().to_lowercase();
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "algorithm" => {
                    entry.cipher = tag.attr("algorithm-name").unwrap_or_default();
                    entry.vector = binary(&tag, "initialisation-vector");
                }
                "key-derivation" => {
                    entry.derivation = tag.attr("key-derivation-name").unwrap_or_default();
                    entry.salt = binary(&tag, "salt");
                    entry.rounds =
                        tag.number("iteration-count").and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
                }
                "start-key-generation" => {
                    entry.start_key =
                        tag.attr("start-key-generation-name").unwrap_or_default().to_lowercase();
                }
                _ => {}
            }
            xml.skip()?;
        }
    }
    Ok(locked)
}

fn binary(tag: &Tag, name: &str) -> Vec<u8> {
    tag.attr(name).and_then(|text| STANDARD.decode(text.trim()).ok()).unwrap_or_default()
}

/// A 32-byte key by PBKDF2 with HMAC-SHA1 (RFC 8018).
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut key = [0u8; 32];
    let base = Hmac::<Sha1>::new_from_slice(password).expect("HMAC takes keys of any length");
    for (index, block) in key.chunks_mut(20).enumerate() {
        let mut mac = base.clone();
        mac.update(salt);
        mac.update(&(index as u32 + 1).to_be_bytes());
        let mut round = mac.finalize().into_bytes();
        let mut sum = round;
        for _ in 1..rounds {
            let mut mac = base.clone();
            mac.update(&round);
            round = mac.finalize().into_bytes();
            for (left, right) in sum.iter_mut().zip(round) {
                *left ^= right;
            }
        }
        block.copy_from_slice(&sum[..block.len()]);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_derivation_as_in_rfc_6070() {
        assert_eq!(hex(&pbkdf2(b"password", b"salt", 2)[..20]), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    }

    fn hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect()
    }
}

//! Recovery codes: what lets a person in when phone and passkeys are lost. Ten codes, each good once.
//!
//! A code is 50 random bits. That cannot be guessed through the server, but a graphics card makes some 10^10 plain SHA-256
//! a second and would be through all 2^50 codes of a stolen set within about a day. So they are hashed with Argon2id (RFC 9106,
//! 19 MiB, two passes), as passwords are; one salt a set, so that checking costs one hash and not ten.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{FactorError, Result};
use crate::random;

const CODES: usize = 10;
const LETTERS: usize = 10;
/// Digits and capitals without 0, O, 1 and I: 32 of them, five bits each.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Bound to this use: the hash of something else can never be a code's.
const USE: &[u8] = b"lectern recovery code";

/// A new set in clear text, to be shown once.
pub struct RecoveryCodes(Vec<Zeroizing<String>>);

impl RecoveryCodes {
    /// Ten codes of the form `XXXXX-XXXXX`.
    pub fn generate() -> Result<Self> {
        (0..CODES).map(|_| code()).collect::<Result<_>>().map(Self)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|code| code.as_str())
    }

    /// What is stored of them. Ten times the work of a password's hash: not on an async thread.
    pub fn hashes(&self) -> Result<RecoveryHashes> {
        let salt = random()?;
        let hashes = self.0.iter().map(|code| {
            let letters = letters(code).ok_or(FactorError::Internal)?;
            hash(&letters, &salt).map(Some)
        });
        Ok(RecoveryHashes { salt, hashes: hashes.collect::<Result<_>>()? })
    }
}

/// A stored set, without what would let anyone in.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecoveryHashes {
    salt: [u8; 16],
    /// `None`: used.
    hashes: Vec<Option<[u8; 32]>>,
}

impl RecoveryHashes {
    /// Which unused code this is, counted from zero. Small letters, spaces, missing and other hyphens do not matter.
    /// As much work as checking a password when it has the form of a code: not on an async thread, and tries are counted.
    pub fn verify(&self, typed: &str) -> Result<usize> {
        let letters = letters(typed).ok_or(FactorError::WrongCode)?;
        let typed = hash(&letters, &self.salt)?;
        let mut found = None;
        for (index, hash) in self.hashes.iter().enumerate() {
            if hash.is_some_and(|hash| bool::from(hash.ct_eq(&typed))) {
                found = Some(index);
            }
        }
        found.ok_or(FactorError::WrongCode)
    }

    /// Marks a code as used; the caller stores the set in the transaction that lets the person in.
    pub fn spend(&mut self, index: usize) {
        if let Some(slot) = self.hashes.get_mut(index) {
            *slot = None;
        }
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.hashes.iter().flatten().count()
    }
}

fn code() -> Result<Zeroizing<String>> {
    let bytes = Zeroizing::new(random::<LETTERS>()?);
    let mut code = Zeroizing::new(String::with_capacity(LETTERS + 1));
    for (place, byte) in bytes.iter().enumerate() {
        if place == LETTERS / 2 {
            code.push('-');
        }
        // 32 divides 256: every letter is as likely as every other.
        code.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    Ok(code)
}

/// The ten letters of a typed code, `None` when it cannot be one.
fn letters(typed: &str) -> Option<Zeroizing<[u8; LETTERS]>> {
    let mut letters = Zeroizing::new([0; LETTERS]);
    let mut count = 0;
    for typed in typed.chars().filter(|c| !c.is_whitespace() && !is_hyphen(*c)) {
        let letter = u8::try_from(typed.to_ascii_uppercase()).ok().filter(|b| ALPHABET.contains(b))?;
        *letters.get_mut(count)? = letter;
        count += 1;
    }
    (count == LETTERS).then_some(letters)
}

/// The one on the keyboard, and those that text programs make of it.
fn is_hyphen(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn hash(letters: &[u8; LETTERS], salt: &[u8; 16]) -> Result<[u8; 32]> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| FactorError::Internal)?;
    let mut input = Zeroizing::new([USE, letters.as_slice()].concat());
    let mut out = [0; 32];
    let made =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(&input, salt, &mut out);
    input.zeroize();
    made.map(|()| out).map_err(|_| FactorError::Stored("set of recovery codes"))
}

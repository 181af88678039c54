//! A key from a passphrase: Argon2id (RFC 9106), with its salt, its cost and a check of the passphrase kept as text.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::error::{Result, SealError};
use crate::secret::{KEY, Secret, fill};
use crate::text;

/// Characters of the shortest passphrase with which something is sealed: guessing needs no permission of this program.
const LEAST: usize = 12;
const MOST: usize = 1024;
const SALT: usize = 16;

const KEY_PURPOSE: &str = "lectern passphrase key 1";
const CHECK_PURPOSE: &str = "lectern passphrase check 1";

/// What one guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106 section 4, the second recommended option.
    pub(crate) const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// A file from elsewhere must not be able to fill the memory or hold a core for long.
    const MOST: Self = Self { memory_kib: 256 * 1024, passes: 16, lanes: 16 };

    fn params(self) -> Result<Params, &'static str> {
        let Self { memory_kib, passes, lanes } = self;
        if memory_kib > Self::MOST.memory_kib || passes > Self::MOST.passes || lanes > Self::MOST.lanes {
            return Err("it asks for more memory or time than any key needs");
        }
        Params::new(memory_kib, passes, lanes, Some(KEY)).map_err(|_| "its cost is not possible")
    }
}

/// Everything that makes the key except the passphrase. No secret, but whoever has it can try passphrases at home.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    cost: Cost,
    salt: [u8; SALT],
    /// Depends on the passphrase as the key does, and on nothing that was sealed.
    check: [u8; KEY],
}

impl Stretch {
    /// The parts of the text form: memory in KiB, passes, lanes, salt, check.
    pub(crate) const FIELDS: usize = 5;

    /// A new salt, and the key it makes of the passphrase.
    pub(crate) fn create(passphrase: &str, cost: Cost) -> Result<(Self, Secret)> {
        let mut salt = [0; SALT];
        fill(&mut salt)?;
        Self::create_with(passphrase, cost, salt)
    }

    pub(crate) fn create_with(passphrase: &str, cost: Cost, salt: [u8; SALT]) -> Result<(Self, Secret)> {
        let passphrase = normalised(passphrase)?;
        if passphrase.chars().count() < LEAST {
            return Err(SealError::ShortPassphrase { least: LEAST });
        }
        let mut stretch = Self { cost, salt, check: [0; KEY] };
        let stretched = stretch.stretch(&passphrase)?;
        stretch.check = *stretched.derive(None, CHECK_PURPOSE).bytes();
        Ok((stretch, stretched.derive(None, KEY_PURPOSE)))
    }

    /// The key again, if the passphrase is the right one.
    pub(crate) fn unlock(&self, passphrase: &str) -> Result<Secret> {
        let stretched = self.stretch(&normalised(passphrase)?)?;
        if *stretched.derive(None, CHECK_PURPOSE).bytes() == self.check {
            Ok(stretched.derive(None, KEY_PURPOSE))
        } else {
            Err(SealError::WrongPassphrase)
        }
    }

    fn stretch(&self, passphrase: &str) -> Result<Secret> {
        let params = self.cost.params().map_err(|e| SealError::Derivation(e.to_owned()))?;
        let mut memory = Zeroizing::new(Vec::new());
        let blocks = params.block_count();
        memory.try_reserve_exact(blocks).map_err(|e| SealError::Derivation(e.to_string()))?;
        memory.resize(blocks, Block::default());
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.as_bytes(),
                &self.salt,
                key.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|e| SealError::Derivation(e.to_string()))?;
        Ok(Secret::from_bytes(&key))
    }

    pub(crate) fn fields(&self) -> [String; Self::FIELDS] {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let [memory, passes, lanes] = [memory_kib, passes, lanes].map(|n| n.to_string());
        [memory, passes, lanes, text::encode(&self.salt), text::encode(&self.check)]
    }

    pub(crate) fn from_fields(fields: [&str; Self::FIELDS]) -> Result<Self, &'static str> {
        let [memory, passes, lanes, salt, check] = fields;
        let cost = Cost {
            memory_kib: text::decode_number(memory)?,
            passes: text::decode_number(passes)?,
            lanes: text::decode_number(lanes)?,
        };
        cost.params()?;
        Ok(Self { cost, salt: *text::decode_array(salt)?, check: *text::decode_array(check)? })
    }
}

/// In Unicode's form C (as RFC 8265 section 4.2 asks), since keyboards and systems spell the same letter differently.
fn normalised(passphrase: &str) -> Result<Zeroizing<String>> {
    if passphrase.len() > MOST {
        return Err(SealError::LongPassphrase { most: MOST });
    }
    // Form C is at most three times as long in UTF-8; growing would leave copies behind.
    let mut normal = Zeroizing::new(String::with_capacity(3 * passphrase.len()));
    normal.extend(passphrase.nfc());
    Ok(normal)
}

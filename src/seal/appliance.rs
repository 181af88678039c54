//! The appliance's key: in a private file, or from a passphrase given at the start. It wraps the tenants' keys and
//! seals the appliance's own settings.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Result, SealError};
use crate::passphrase::{Cost, Stretch};
use crate::secret::{Secret, open_value, seal_value};
use crate::{private_file, text};

const KEY_TAG: &str = "lectern-appliance-key-1";
const KEY_COMMENT: &str =
    "Lectern's key. It opens every tenant's secrets, and without it no one can. Keep a copy.";
const PASSPHRASE_TAG: &str = "lectern-passphrase-1";
const PASSPHRASE_COMMENT: &str =
    "Lectern's key is made of the passphrase and this line: neither opens anything alone. Keep a copy.";
const VALUE_PURPOSE: &str = "lectern appliance value 1";

/// The key of one appliance, 32 bytes. Wiped from memory when dropped; Debug shows its id.
pub struct ApplianceKey(Secret);

impl ApplianceKey {
    /// The key in the file, which must be there, of mode 0600 (or stricter) and undamaged.
    pub fn load(path: &Path) -> Result<Self> {
        let line = private_file::read(path)?.ok_or_else(|| SealError::Missing(path.to_owned()))?;
        let refuse = |reason| SealError::KeyFile { path: path.to_owned(), reason };
        let [key] = text::split(KEY_TAG, &line).map_err(refuse)?;
        Ok(Self(Secret::from_bytes(&*text::decode_array(key).map_err(refuse)?)))
    }

    /// A new random key in a new file; its folder must exist. Never writes over a file.
    pub fn create(path: &Path) -> Result<Self> {
        let key = Self(Secret::random()?);
        let encoded = Zeroizing::new(text::encode(key.0.bytes()));
        if private_file::create(path, KEY_COMMENT, &text::join(KEY_TAG, &[&encoded]))? {
            Ok(key)
        } else {
            Err(SealError::Exists(path.to_owned()))
        }
    }

    /// The key in the file, or a new one if there is no file. Where sealed data exists already, use
    /// [`load`](Self::load): there, a missing file is a mistake and a new key opens nothing.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        load_or_create(|| Self::load(path), || Self::create(path))
    }

    /// The key made of a passphrase and the parameters (salt, cost, check of the passphrase) in a file that must be
    /// there. A wrong passphrase is an error. Takes a moment and 64 MiB of memory: not for async threads.
    pub fn load_passphrase(passphrase: &str, params: &Path) -> Result<Self> {
        let line = private_file::read(params)?.ok_or_else(|| SealError::Missing(params.to_owned()))?;
        let refuse = |reason| SealError::KeyFile { path: params.to_owned(), reason };
        let fields = text::split(PASSPHRASE_TAG, &line).map_err(refuse)?;
        let stretch = Stretch::from_fields(fields).map_err(refuse)?;
        stretch.unlock(passphrase).map(Self)
    }

    /// A key of a passphrase (at least 12 characters) with a new salt, which goes into a new file.
    pub fn create_passphrase(passphrase: &str, params: &Path) -> Result<Self> {
        Self::create_passphrase_at(passphrase, params, Cost::DEFAULT)
    }

    pub(crate) fn create_passphrase_at(passphrase: &str, params: &Path, cost: Cost) -> Result<Self> {
        let (stretch, key) = Stretch::create(passphrase, cost)?;
        let fields = stretch.fields();
        let line = text::join(PASSPHRASE_TAG, &fields.each_ref().map(String::as_str));
        if private_file::create(params, PASSPHRASE_COMMENT, &line)? {
            Ok(Self(key))
        } else {
            Err(SealError::Exists(params.to_owned()))
        }
    }

    /// The key of the passphrase and the file; if there is no file, with a new salt in a new one. Where sealed data
    /// exists already, use [`load_passphrase`](Self::load_passphrase).
    pub fn from_passphrase(passphrase: &str, params: &Path) -> Result<Self> {
        load_or_create(
            || Self::load_passphrase(passphrase, params),
            || Self::create_passphrase(passphrase, params),
        )
    }

    /// Names the key in logs and messages, 12 hex digits; no secret.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Seals a value of the appliance itself. Opens only under the same field, such as "settings/ldap.password".
    pub fn seal(&self, field: &str, plaintext: &[u8]) -> Result<String> {
        seal_value(&self.0, VALUE_PURPOSE, &[field], plaintext)
    }

    /// Opens what [`seal`](Self::seal) made for this field.
    pub fn open(&self, field: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>> {
        open_value(&self.0, VALUE_PURPOSE, &[field], sealed)
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }
}

/// Two programs that start at the same time agree on one key: who comes second reads what the first has made.
fn load_or_create<T>(load: impl Fn() -> Result<T>, create: impl FnOnce() -> Result<T>) -> Result<T> {
    match load() {
        Err(SealError::Missing(_)) => match create() {
            Err(SealError::Exists(_)) => load(),
            made => made,
        },
        loaded => loaded,
    }
}

impl fmt::Debug for ApplianceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplianceKey({})", self.id())
    }
}

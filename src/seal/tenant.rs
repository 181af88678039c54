//! A tenant's key: made once, kept only wrapped, and what seals the tenant's secrets.

use std::fmt;

use zeroize::Zeroizing;

use crate::appliance::ApplianceKey;
use crate::error::{Result, SealError};
use crate::passphrase::{Cost, Stretch};
use crate::secret::{KEY, Secret, open_value, seal_value};
use crate::text;

const WRAPPED_TAG: &str = "ltk1";
const WRAPPED_KIND: &str = "wrapped tenant key";
const PASSPHRASE_TAG: &str = "ltp1";
const PASSPHRASE_KIND: &str = "tenant key wrapped with a passphrase";
const WRAP_PURPOSE: &str = "lectern tenant key wrap 1";
const VALUE_PURPOSE: &str = "lectern tenant value 1";

/// The key of one tenant, 32 random bytes. Wiped from memory when dropped; Debug shows its id.
pub struct TenantKey(Secret);

impl TenantKey {
    /// A new random key.
    pub fn generate() -> Result<Self> {
        Secret::random().map(Self)
    }

    /// The key as text that only this appliance's key opens, and only for this tenant: `ltk1.`, the appliance key's
    /// id, the sealed key and a checksum.
    pub fn wrap(&self, appliance: &ApplianceKey, tenant: &str) -> Result<String> {
        let sealed = appliance.secret().seal(WRAP_PURPOSE, &[tenant], self.0.bytes())?;
        let wrapped = text::join(WRAPPED_TAG, &[&appliance.id(), &text::encode(&sealed)]);
        Ok(wrapped.to_string())
    }

    /// Opens what [`wrap`](Self::wrap) made for this tenant.
    pub fn unwrap(appliance: &ApplianceKey, tenant: &str, wrapped: &str) -> Result<Self> {
        let refuse = |reason| SealError::Text { kind: WRAPPED_KIND, reason };
        let [wanted, sealed] = text::split(WRAPPED_TAG, wrapped.trim()).map_err(refuse)?;
        let found = appliance.id();
        if found != wanted {
            if !is_id(wanted) {
                return Err(refuse("it does not name the appliance's key"));
            }
            return Err(SealError::OtherApplianceKey { wanted: wanted.to_owned(), found });
        }
        let sealed = text::decode(sealed).map_err(refuse)?;
        Self::open_wrapped(appliance.secret(), tenant, &sealed, WRAPPED_KIND)
    }

    /// The key as text that opens with a passphrase (at least 12 characters) on any machine, only for this tenant:
    /// `ltp1.`, the passphrase's parameters, the sealed key and a checksum. Takes a moment and 64 MiB: not for async
    /// threads.
    pub fn wrap_with_passphrase(&self, passphrase: &str, tenant: &str) -> Result<String> {
        self.wrap_with_passphrase_at(passphrase, tenant, Cost::DEFAULT)
    }

    pub(crate) fn wrap_with_passphrase_at(
        &self,
        passphrase: &str,
        tenant: &str,
        cost: Cost,
    ) -> Result<String> {
        let (stretch, key) = Stretch::create(passphrase, cost)?;
        let sealed = text::encode(&key.seal(WRAP_PURPOSE, &[tenant], self.0.bytes())?);
        let [memory, passes, lanes, salt, check] = stretch.fields();
        let fields = [&memory, &passes, &lanes, &salt, &check, &sealed].map(String::as_str);
        Ok(text::join(PASSPHRASE_TAG, &fields).to_string())
    }

    /// Opens what [`wrap_with_passphrase`](Self::wrap_with_passphrase) made for this tenant. A wrong passphrase is
    /// told as such. Takes up to 256 MiB of memory if the text asks for it, never more.
    pub fn unwrap_with_passphrase(passphrase: &str, tenant: &str, wrapped: &str) -> Result<Self> {
        let refuse = |reason| SealError::Text { kind: PASSPHRASE_KIND, reason };
        let fields = text::split::<{ Stretch::FIELDS + 1 }>(PASSPHRASE_TAG, wrapped.trim());
        let [memory, passes, lanes, salt, check, sealed] = fields.map_err(refuse)?;
        let stretch = Stretch::from_fields([memory, passes, lanes, salt, check]).map_err(refuse)?;
        let sealed = text::decode(sealed).map_err(refuse)?;
        Self::open_wrapped(&stretch.unlock(passphrase)?, tenant, &sealed, PASSPHRASE_KIND)
    }

    fn open_wrapped(wrapping: &Secret, tenant: &str, sealed: &[u8], kind: &'static str) -> Result<Self> {
        let opened = wrapping.open(WRAP_PURPOSE, &[tenant], sealed);
        let opened = opened.ok_or(SealError::Refused { kind })?;
        let key: &[u8; KEY] = opened.as_slice().try_into().map_err(|_| SealError::Refused { kind })?;
        Ok(Self(Secret::from_bytes(key)))
    }

    /// Names the key in logs, messages and headers of archives, 12 hex digits; no secret.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Seals a value, at most [`MAX_VALUE`](crate::MAX_VALUE) bytes, as text. It opens only for the same tenant and
    /// field, such as "settings/ollama.api_key" or a user's id and "/totp". Its length is not hidden.
    pub fn seal(&self, tenant: &str, field: &str, plaintext: &[u8]) -> Result<String> {
        seal_value(&self.0, VALUE_PURPOSE, &[tenant, field], plaintext)
    }

    /// Opens what [`seal`](Self::seal) made for this tenant and field. What comes out is wiped from memory when
    /// dropped.
    pub fn open(&self, tenant: &str, field: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>> {
        open_value(&self.0, VALUE_PURPOSE, &[tenant, field], sealed)
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }
}

fn is_id(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKey({})", self.id())
    }
}

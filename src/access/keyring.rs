//! The appliance's key, the tenants' keys that it wraps, and what is sealed with them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use lectern_kernel::ports::Vault;
use lectern_kernel::{Error, Result, TenantId};
use lectern_seal::{ApplianceKey, SealError, TenantKey};
use lectern_store::{Stores, TenantRecord};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::error::inside;

const KEY_FILE: &str = "appliance.key";
const PASSPHRASE_FILE: &str = "appliance.passphrase";

/// How the appliance's key is opened.
pub enum Opening {
    /// It lies in the data folder.
    File,
    /// It is made of a passphrase.
    Passphrase(Zeroizing<String>),
}

/// Keys in use; clones share them.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    appliance: ApplianceKey,
    stores: Stores,
    open: Mutex<HashMap<TenantId, (String, Arc<TenantKey>)>>,
}

impl Keyring {
    /// Opens the appliance's key, or makes it on the first start.
    pub fn open(folder: &Path, opening: &Opening, stores: Stores) -> Result<Self, SealError> {
        let appliance = match opening {
            Opening::File => ApplianceKey::load_or_create(&folder.join(KEY_FILE))?,
            Opening::Passphrase(text) => ApplianceKey::from_passphrase(text, &folder.join(PASSPHRASE_FILE))?,
        };
        Ok(Self { inner: Arc::new(Inner { appliance, stores, open: Mutex::default() }) })
    }

    /// A new key for a tenant, wrapped.
    pub(crate) fn create(&self, tenant: &TenantId) -> Result<String> {
        let key = TenantKey::generate().map_err(inside)?;
        key.wrap(&self.inner.appliance, tenant.as_str()).map_err(inside)
    }

    /// Wraps a key that came with a tenant.
    pub(crate) fn wrap(&self, tenant: &TenantId, key: &TenantKey) -> Result<String> {
        key.wrap(&self.inner.appliance, tenant.as_str()).map_err(inside)
    }

    /// Gives keys to tenants that have none: those of the first version.
    pub fn complete(&self) -> Result<()> {
        for record in self.inner.stores.records() {
            if record.wrapped_key.is_none() {
                let mut record = (*record).clone();
                if record.created_at.0 == 0 {
                    record.created_at = self.inner.stores.clock().now();
                }
                record.wrapped_key = Some(self.create(&record.id)?);
                self.inner.stores.register(&record)?;
            }
        }
        Ok(())
    }

    /// The key of a tenant.
    pub(crate) fn key(&self, tenant: &TenantId) -> Result<Arc<TenantKey>> {
        let record = self.inner.stores.record(tenant).ok_or_else(|| Error::not_found("tenant"))?;
        self.key_of(&record)
    }

    fn key_of(&self, record: &TenantRecord) -> Result<Arc<TenantKey>> {
        let wrapped =
            record.wrapped_key.as_deref().ok_or_else(|| Error::internal("the tenant has no key"))?;
        let mut open = self.inner.open.lock();
        if let Some((of, key)) = open.get(&record.id)
            && of == wrapped
        {
            return Ok(key.clone());
        }
        let key = TenantKey::unwrap(&self.inner.appliance, record.id.as_str(), wrapped).map_err(inside)?;
        let key = Arc::new(key);
        open.insert(record.id.clone(), (wrapped.to_owned(), key.clone()));
        Ok(key)
    }

    /// Forgets the key of a tenant that is gone.
    pub(crate) fn forget(&self, tenant: &TenantId) {
        self.inner.open.lock().remove(tenant);
    }

    /// The appliance's own secrets.
    pub(crate) fn seal_own(&self, field: &str, secret: &[u8]) -> Result<String> {
        self.inner.appliance.seal(field, secret).map_err(inside)
    }

    pub(crate) fn open_own(&self, field: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>> {
        self.inner.appliance.open(field, sealed).map_err(inside)
    }
}

impl Vault for Keyring {
    fn seal(&self, tenant: &TenantId, field: &str, secret: &[u8]) -> Result<String> {
        self.key(tenant)?.seal(tenant.as_str(), field, secret).map_err(inside)
    }

    fn open(&self, tenant: &TenantId, field: &str, sealed: &str) -> Result<Vec<u8>> {
        let opened = self.key(tenant)?.open(tenant.as_str(), field, sealed).map_err(inside)?;
        Ok(opened.to_vec())
    }
}

//! The record of who did what: shown, searched, signed.

use lectern_kernel::ports::Vault;
use lectern_kernel::{Cursor, Error, Page, PageRequest, Result, Scope, TenantId};
use lectern_merkle::{Checkpoint, Frontier, SigningKey};
use lectern_store::audit::{self, Kept, Wanted};
use lectern_store::{Database, StoreError, Tx};
use zeroize::Zeroizing;

use crate::error::signing;
use crate::model_audit::{AuditEntry, AuditParameters};
use crate::{Access, store};

const SIGNER: &str = "audit-signing-key";

/// Whose record it is.
#[derive(Debug, Clone)]
pub(crate) enum Log {
    Tenant(Scope),
    Appliance,
}

impl Log {
    /// The name under which checkpoints are signed.
    pub fn origin(&self) -> String {
        match self {
            Self::Tenant(scope) => format!("lectern.audit/{}", scope.tenant()),
            Self::Appliance => "lectern.audit".to_owned(),
        }
    }
}

impl Access {
    pub(crate) fn database(&self, log: &Log) -> Result<Database> {
        match log {
            Log::Tenant(scope) => Ok(self.tenant(scope)?.db),
            Log::Appliance => Ok(self.inner.stores.control().clone()),
        }
    }

    /// A page of entries, the newest first.
    pub(crate) async fn entries(&self, log: &Log, parameters: &AuditParameters) -> Result<Page<AuditEntry>> {
        let request = PageRequest { limit: parameters.limit, cursor: parameters.cursor.clone() };
        let (limit, position) = (request.limit(), request.position()?);
        let before = position.map(|cursor| cursor.id.parse::<u64>().unwrap_or_default());
        let wanted = Wanted { before, ..parameters.wanted()? };
        let (mut kept, total): (Vec<Kept>, u64) = self
            .database(log)?
            .read(move |tx| Ok((audit::list(tx, &wanted, limit + 1)?, audit::count(tx, &wanted)?)))
            .await?;
        let more = kept.len() > limit as usize;
        kept.truncate(limit as usize);
        let next_cursor = kept.last().filter(|_| more).map(|last| {
            let id = last.sequence.to_string();
            Cursor { key: id.clone(), id }.encode()
        });
        Ok(Page { items: kept.into_iter().map(AuditEntry::of).collect(), next_cursor, total })
    }

    /// The key that signs a record's checkpoints, made at its first use. It goes where the tenant goes.
    pub(crate) async fn signer(&self, log: &Log) -> Result<SigningKey> {
        let (db, name) = (self.database(log)?, log.origin());
        let read = |tx: &Tx<'_>, own: bool| {
            if own { store::appliance_secret(tx, SIGNER) } else { store::tenant_secret(tx, SIGNER) }
        };
        let own = matches!(log, Log::Appliance);
        let kept = db.read(move |tx| read(tx, own)).await?;
        let sealed = if let Some(sealed) = kept {
            sealed
        } else {
            let secret = SigningKey::generate(&name).map_err(signing)?.to_secret_text();
            let sealed = match log {
                Log::Tenant(scope) => self.inner.keyring.seal(scope.tenant(), SIGNER, secret.as_bytes())?,
                Log::Appliance => self.inner.keyring.seal_own(SIGNER, secret.as_bytes())?,
            };
            let keep = move |tx: &mut Tx<'_>| -> Result<String, StoreError> {
                if own {
                    store::put_appliance_secret(tx, SIGNER, &sealed)
                } else {
                    store::put_tenant_secret(tx, SIGNER, &sealed)
                }
            };
            db.write(keep).await?
        };
        let secret = match log {
            Log::Tenant(scope) => self.inner.keyring.open(scope.tenant(), SIGNER, &sealed)?,
            Log::Appliance => self.inner.keyring.open_own(SIGNER, &sealed)?.to_vec(),
        };
        let secret = Zeroizing::new(String::from_utf8(secret).map_err(Error::internal)?);
        SigningKey::from_secret_text(&secret).map_err(signing)
    }

    pub(crate) async fn appliance_signer(&self) -> Result<SigningKey> {
        self.signer(&Log::Appliance).await
    }

    /// Signs what the record is now, and keeps that; the note.
    pub(crate) async fn checkpoint(&self, log: &Log) -> Result<String> {
        let (db, key, origin) = (self.database(log)?, self.signer(log).await?, log.origin());
        let work = move |tx: &mut Tx<'_>| {
            let tree: Frontier = audit::frontier(tx)?;
            let checkpoint = Checkpoint::new(&origin, tree.size(), tree.root()).map_err(signing)?;
            let note = checkpoint.sign(&key).map_err(signing)?.to_string();
            audit::keep_checkpoint(tx, tree.size(), &note)?;
            Ok(note)
        };
        Ok(db.write(work).await?)
    }

    /// Signs the records that grew since they were signed; to be called every hour.
    pub async fn sign_records(&self, tenant: Option<&TenantId>) -> Result<()> {
        let log = tenant.map_or(Log::Appliance, |id| Log::Tenant(Scope::system(id.clone())));
        let grown = self
            .database(&log)?
            .read(|tx| {
                let signed = audit::checkpoints(tx)?.last().map_or(0, |(size, _)| *size);
                Ok(audit::frontier(tx)?.size() > signed)
            })
            .await?;
        if grown {
            self.checkpoint(&log).await?;
        }
        Ok(())
    }

    /// Takes out what entries older than the configured time tell.
    pub async fn trim_record(&self, tenant: Option<&TenantId>) -> Result<usize> {
        let log = tenant.map_or(Log::Appliance, |id| Log::Tenant(Scope::system(id.clone())));
        let before = self.now().minus(self.inner.audit_time);
        Ok(self.database(&log)?.write(move |tx| audit::forget(tx, before)).await?)
    }
}

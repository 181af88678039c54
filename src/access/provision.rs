//! Makes a tenant in one call: folder, key, database, index, the first owner's invitation. The same call again finds it
//! made; when a step fails nothing is left.

use lectern_edge::Validate;
use lectern_identity::NewInvitation;
use lectern_kernel::{Code, Error, Result, Rights, Role, Scope, TenantId};
use lectern_store::audit::{self, Change};
use lectern_store::{TenantRecord, TenantState, registry};

use crate::model::{NewTenant, NewTenantView};
use crate::tenants::{described, own};
use crate::{Access, store};

const INVITATION_DAYS: u32 = 30;
/// Words that stand in addresses where ids do.
const RESERVED: [&str; 2] = ["import", "erasures"];

impl Access {
    /// Makes a tenant; false beside it when it was there already.
    pub async fn create_tenant(&self, scope: &Scope, new: NewTenant) -> Result<(NewTenantView, bool)> {
        let _gate = self.inner.gate.lock().await;
        self.check_new(&new)?;
        if let Some(there) = self.inner.stores.record(&new.id) {
            if there.state == TenantState::Provisioning {
                self.roll_back(&there).await?;
            } else {
                return Ok((self.found(&there, &new).await?, false));
            }
        }
        let mut record = TenantRecord::new(new.id.clone(), new.name.trim(), self.now());
        record.state = TenantState::Provisioning;
        record.plan.clone_from(&new.plan);
        record.limits = own(new.limits)?;
        record.region.clone_from(&new.region);
        record.wrapped_key = Some(self.inner.keyring.create(&new.id)?);
        self.write({
            let record = record.clone();
            move |tx| registry::put(tx, &record)
        })
        .await?;
        match self.provision(scope, &mut record, &new).await {
            Ok(invitation) => {
                let tenant = self.tenant_view(&new.id).await?;
                Ok((NewTenantView { tenant, invitation: Some(invitation) }, true))
            }
            Err(error) => {
                self.roll_back(&record).await?;
                Err(error)
            }
        }
    }

    fn check_new(&self, new: &NewTenant) -> Result<()> {
        let owner = owner(new);
        if RESERVED.contains(&new.id.as_str()) {
            return Err(Error::field("id", "is reserved"));
        }
        if let Some(wrong) = new.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        if let Some(wrong) = owner.validate().into_iter().next() {
            return Err(Error::field(&format!("owner_{}", wrong.field), wrong.message));
        }
        self.check_region(new.region.as_deref())
    }

    pub(crate) fn check_region(&self, region: Option<&str>) -> Result<()> {
        let regions = &self.inner.stores.options().regions;
        match region {
            Some(label) if !regions.contains_key(label) => {
                Err(Error::field("region", format!("there is no region '{label}'"))
                    .hint("Regions stand in the configuration, tenants.regions."))
            }
            _ => Ok(()),
        }
    }

    async fn provision(&self, scope: &Scope, record: &mut TenantRecord, new: &NewTenant) -> Result<String> {
        let folder = self.inner.stores.folder_of(record);
        if folder.exists() {
            let detail = format!("There is a folder {} already.", folder.display());
            return Err(Error::new(Code::Conflict, detail).hint("Move it away, or take another id."));
        }
        let own = Scope::system(record.id.clone());
        self.tenant(&own)?;
        for part in self.parts() {
            part.prepare(&own).await?;
        }
        let invitation = self.inner.identity.invite(&own, &Rights::everything(), owner(new)).await?;
        record.state = TenantState::Active;
        let (record, scope) = (record.clone(), scope.clone());
        self.write(move |tx| {
            registry::put(tx, &record)?;
            let change = Change::new("tenant.created", record.id.as_str());
            audit::record(tx, &scope, change.after(&described(&record)))
        })
        .await?;
        Ok(invitation.token)
    }

    /// What is there, when it is what was asked for.
    async fn found(&self, there: &TenantRecord, new: &NewTenant) -> Result<NewTenantView> {
        if there.name != new.name.trim() || there.plan != new.plan || there.region != new.region {
            let detail =
                format!("There is a tenant '{}' already, with another name, plan or region.", there.id);
            return Err(Error::new(Code::Conflict, detail));
        }
        let own = Scope::system(there.id.clone());
        let open = self.inner.identity.count_people(&own).await? == 0;
        let invitation = if open {
            Some(self.inner.identity.invite(&own, &Rights::everything(), owner(new)).await?.token)
        } else {
            None
        };
        Ok(NewTenantView { tenant: self.tenant_view(&there.id).await?, invitation })
    }

    /// Takes away what was made of a tenant.
    pub(crate) async fn roll_back(&self, record: &TenantRecord) -> Result<()> {
        let id = record.id.clone();
        self.close(&id).await;
        self.inner.keyring.forget(&id);
        self.inner.identity.forget_tenant(&id).await?;
        let folder = self.inner.stores.folder_of(record);
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
        match removed.map_err(|e| Error::internal(e.to_string()))? {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::internal(error)),
            _ => {}
        }
        self.write(move |tx| {
            store::remove_usage(tx, &id)?;
            registry::remove(tx, &id).map(|_| ())
        })
        .await
    }

    /// After a start: what a killed process was making is taken away.
    pub async fn recover(&self) -> Result<()> {
        let _gate = self.inner.gate.lock().await;
        for record in self.inner.stores.records() {
            if record.state == TenantState::Provisioning {
                tracing::warn!(tenant = %record.id, "a tenant that was not finished is taken away");
                self.roll_back(&record).await?;
            }
        }
        Ok(())
    }

    /// Closes a tenant's files, as soon as nobody holds them any more.
    pub(crate) async fn close(&self, id: &TenantId) -> bool {
        for _ in 0..100 {
            if self.let_go(id) && self.inner.stores.close_tenant(id) {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        false
    }
}

fn owner(new: &NewTenant) -> NewInvitation {
    NewInvitation {
        email: new.owner_email.clone(),
        name: new.owner_name.clone(),
        role: Role::OWNER,
        groups: Vec::new(),
        days: Some(INVITATION_DAYS),
    }
}

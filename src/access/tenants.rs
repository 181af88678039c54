//! The list of tenants, their names, plans and suspension.

use futures_util::future::{try_join, try_join_all};
use lectern_kernel::{Code, Error, Result, Scope, TenantId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, TenantRecord, TenantState, Tx, registry};
use serde_json::{Value, json};

use crate::model::{Limits, PatchTenant, TenantUsage, TenantView};
use crate::{Access, store};

impl Access {
    /// All tenants with what they held when it was last counted, by id.
    pub async fn tenants(&self) -> Result<Vec<TenantView>> {
        let usages = self.inner.stores.control().read(store::usages).await?;
        let usage = |id: &TenantId| usages.iter().find(|(of, _)| of == id).map(|(_, usage)| *usage);
        let records = self.inner.stores.records();
        Ok(records.iter().map(|record| self.view(record, usage(&record.id).unwrap_or_default())).collect())
    }

    /// A tenant, counted now.
    pub async fn tenant_view(&self, id: &TenantId) -> Result<TenantView> {
        let record = self.record(id)?;
        let usage = self.count(id).await?;
        Ok(self.view(&record, usage))
    }

    fn view(&self, record: &TenantRecord, usage: TenantUsage) -> TenantView {
        let stores = &self.inner.stores;
        TenantView {
            id: record.id.clone(),
            name: record.name.clone(),
            state: record.state,
            reason: record.reason.clone(),
            plan: record.plan.clone(),
            own_limits: serde_json::from_value(record.limits.clone()).unwrap_or_default(),
            limits: self.inner.plans.of(record),
            region: record.region.clone(),
            usage,
            open: stores.is_open(&record.id),
            read_only: stores.read_only(&record.id),
            created_at: record.created_at,
            updated_at: record.updated_at,
            erase_at: record.erase_at,
        }
    }

    pub(crate) fn record(&self, id: &TenantId) -> Result<TenantRecord> {
        let record = self.inner.stores.record(id).ok_or_else(|| Error::not_found("tenant"))?;
        Ok((*record).clone())
    }

    /// Counts what a tenant holds, and keeps it for the list of tenants.
    pub async fn count(&self, id: &TenantId) -> Result<TenantUsage> {
        let (usage, tenant) = (self.held(id).await?, id.clone());
        let kept = self.inner.stores.control().write(move |tx| store::put_usage(tx, &tenant, &usage)).await;
        if let Err(error) = kept {
            tracing::warn!(tenant = %id, %error, "what a tenant holds is not kept for the list");
        }
        Ok(usage)
    }

    /// What a tenant holds now.
    pub(crate) async fn held(&self, id: &TenantId) -> Result<TenantUsage> {
        let scope = Scope::system(id.clone());
        let parts = try_join_all(self.parts().iter().map(|part| part.holdings(&scope)));
        let (parts, members) = try_join(parts, self.inner.identity.count_people(&scope)).await?;
        Ok(TenantUsage {
            documents: parts.iter().map(|part| part.documents).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            members,
            counted_at: Some(self.now()),
        })
    }

    /// Changes name, plan or limits; they hold at once.
    pub async fn change_tenant(
        &self,
        scope: &Scope,
        id: &TenantId,
        patch: PatchTenant,
    ) -> Result<TenantView> {
        let _gate = self.inner.gate.lock().await;
        let before = self.record(id)?;
        let mut after = before.clone();
        if let Some(name) = patch.name {
            name.trim().clone_into(&mut after.name);
        }
        after.plan = patch.plan.unwrap_or(after.plan);
        if let Some(limits) = patch.limits {
            after.limits = own(limits)?;
        }
        self.put(scope, "tenant.changed", &before, after).await?;
        self.tenant_view(id).await
    }

    /// Its people cannot come in until it is resumed; nothing is lost.
    pub async fn suspend(&self, scope: &Scope, id: &TenantId, reason: &str) -> Result<TenantView> {
        let _gate = self.inner.gate.lock().await;
        let before = self.record(id)?;
        if *id == TenantId::main() {
            return Err(Error::new(Code::Conflict, "The tenant 'main' holds the operators and stays."));
        }
        expect(&before, &[TenantState::Active, TenantState::Suspended])?;
        let mut after = before.clone();
        (after.state, after.reason) = (TenantState::Suspended, Some(reason.trim().to_owned()));
        self.put(scope, "tenant.suspended", &before, after).await?;
        self.inner.identity.end_all_sessions(id).await?;
        self.tenant_view(id).await
    }

    /// Lets the people of a suspended tenant in again.
    pub async fn resume(&self, scope: &Scope, id: &TenantId) -> Result<TenantView> {
        let _gate = self.inner.gate.lock().await;
        let before = self.record(id)?;
        expect(&before, &[TenantState::Suspended])?;
        let mut after = before.clone();
        (after.state, after.reason) = (TenantState::Active, None);
        self.put(scope, "tenant.resumed", &before, after).await?;
        self.tenant_view(id).await
    }

    /// Writes a tenant's row and the record of it.
    pub(crate) async fn put(
        &self,
        scope: &Scope,
        action: &'static str,
        before: &TenantRecord,
        mut after: TenantRecord,
    ) -> Result<()> {
        after.updated_at = self.now();
        let (scope, before) = (scope.clone(), described(before));
        self.write(move |tx| {
            registry::put(tx, &after)?;
            let change = Change::new(action, after.id.as_str());
            audit::record(tx, &scope, change.before(&before).after(&described(&after)))
        })
        .await
    }

    /// A change of `control.db` that the registry sees at once.
    pub(crate) async fn write(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<()> {
        self.inner.stores.control().write(work).await?;
        Ok(self.inner.stores.refresh()?)
    }
}

/// What the record says of a tenant; its key stays out.
pub(crate) fn described(tenant: &TenantRecord) -> Value {
    json!({
        "name": tenant.name,
        "state": tenant.state,
        "reason": tenant.reason,
        "plan": tenant.plan,
        "limits": tenant.limits,
        "region": tenant.region,
        "erase_at": tenant.erase_at,
    })
}

pub(crate) fn expect(tenant: &TenantRecord, states: &[TenantState]) -> Result<()> {
    if states.contains(&tenant.state) {
        return Ok(());
    }
    let detail = format!("The tenant '{}' is {}.", tenant.id, tenant.state.as_str());
    Err(Error::new(Code::Conflict, detail))
}

/// Only so much of the limits as differs from the plan.
pub(crate) fn own(limits: Limits) -> Result<Value> {
    serde_json::to_value(limits).map_err(Error::internal)
}

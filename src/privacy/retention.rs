//! How long things are kept.

use lectern_kernel::{Erased, Result, RetentionRules, Scope, TenantId};
use lectern_store::audit::{self, Change};
use serde_json::json;

use crate::model::{OverdueView, RetentionView};
use crate::{Privacy, store};

impl Privacy {
    pub async fn rules(&self, scope: &Scope) -> Result<RetentionView> {
        Ok(RetentionView { rules: self.tenant(scope)?.db.read(store::rules).await? })
    }

    /// Replaces the rules; what is too old goes within the hour.
    pub async fn set_rules(&self, scope: &Scope, rules: RetentionRules) -> Result<RetentionView> {
        let (own, kept) = (scope.clone(), rules.clone());
        let store = self.tenant(scope)?;
        let written = store.db.write(move |tx| {
            let before = json!(store::rules(tx)?);
            store::put_rules(tx, &kept)?;
            let change = Change::new("retention.changed", "retention");
            audit::record(tx, &own, change.before(&before).after(&json!(kept)))
        });
        written.await?;
        Ok(RetentionView { rules })
    }

    /// How much is older than rules would allow.
    pub async fn overdue(&self, scope: &Scope, rules: &RetentionRules) -> Result<OverdueView> {
        let mut overdue = Vec::new();
        for part in &self.inner.retention {
            overdue.extend(part.overdue(scope, rules).await?);
        }
        Ok(OverdueView { overdue })
    }

    /// Removes what a tenant keeps too long; to be called every hour.
    pub async fn expire(&self, tenant: &TenantId) -> Result<Vec<Erased>> {
        let scope = Scope::system(tenant.clone());
        let store = self.tenant(&scope)?;
        let rules = store.db.read(store::rules).await?;
        if rules == RetentionRules::default() || store.db.read_only().is_some() {
            return Ok(Vec::new());
        }
        let mut expired = Vec::new();
        for part in &self.inner.retention {
            expired.extend(part.expire(&scope, &rules).await?);
        }
        Ok(expired)
    }
}

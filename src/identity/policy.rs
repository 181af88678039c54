//! The rules of signing in that a tenant has, and how they meet those of the appliance.

use std::time::Duration;

use lectern_kernel::{Error, Result, Rights, Role, Scope, TenantId};
use lectern_store::audit::{self, Change};
use lectern_store::outbox;
use serde_json::json;

use crate::model_sign_in::SignInPolicy;
use crate::{Identity, store_policy, store_providers};

impl SignInPolicy {
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.idle_minutes.map(minutes)
    }

    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.lifetime_minutes.map(minutes)
    }

    /// Whether an e-mail is of one of the domains that may be invited.
    pub(crate) fn invites(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain).trim().to_lowercase();
        self.domains.is_empty() || self.domains.contains(&domain)
    }
}

fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

impl Identity {
    pub async fn policy(&self, scope: &Scope) -> Result<SignInPolicy> {
        Ok(self.tenant(scope)?.db.read(store_policy::policy).await?)
    }

    /// Puts the rules in place of those before; they hold for open sessions too.
    pub async fn put_policy(&self, scope: &Scope, mut policy: SignInPolicy) -> Result<SignInPolicy> {
        policy.domains = policy.domains.iter().map(|domain| domain.trim().to_lowercase()).collect();
        policy.domains.sort_unstable();
        policy.domains.dedup();
        check_shorter("idle_minutes", policy.idle(), self.inner.limits.idle.0)?;
        check_shorter("lifetime_minutes", policy.lifetime(), self.inner.limits.lifetime.0)?;
        let (scope, kept) = (scope.clone(), policy.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                if !kept.password_sign_in && store_providers::count_enabled(tx)? == 0 {
                    return Err(Error::field(
                        "password_sign_in",
                        "cannot be off without another way to sign in",
                    )
                    .hint("Add and enable a provider first, and sign in with it once.")
                    .into());
                }
                let before = store_policy::policy(tx)?;
                store_policy::put_policy(tx, &kept)?;
                let (before, after) = (json!(before), json!(kept));
                let change = Change::new("sign_in.policy_changed", "policy").before(&before).after(&after);
                audit::record(tx, &scope, change)?;
                outbox::push(tx, "sign_in.policy_changed", "policy", &kept)
            })
            .await?;
        self.inner.cache.clear();
        Ok(policy)
    }

    /// Whether a new password will do, for somebody with this name and e-mail.
    pub(crate) async fn check_password(
        &self,
        tenant: &TenantId,
        (field, password): (&str, &str),
        name: &str,
        email: &str,
    ) -> Result<()> {
        let length = self.policy(&Scope::system(tenant.clone())).await?.password_length as usize;
        if password.chars().count() < length {
            return Err(Error::field(field, format!("must have at least {length} characters")));
        }
        let site = self.inner.stores.record(tenant).map(|record| record.name.clone()).unwrap_or_default();
        let (password, words) =
            (zeroize::Zeroizing::new(password.to_owned()), [name.to_owned(), email.to_owned(), site]);
        let look = move || {
            let words = words.each_ref().map(String::as_str);
            Ok(lectern_factors::known(&password, &words))
        };
        match self.inner.passwords.run(look).await? {
            None => Ok(()),
            Some(weak) => {
                Err(Error::field(field, format!("is guessed too soon: {}", weak.reason)).hint(weak.hint))
            }
        }
    }

    /// What a role holds, whatever a session may do with it.
    pub(crate) async fn role_rights(&self, tenant: &TenantId, role: &Role) -> Result<Rights> {
        let (role, this) = (role.clone(), self.clone());
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        Ok(store.db.read(move |tx| this.inner.catalogue.rights(tx, &role)).await?)
    }
}

fn check_shorter(field: &str, own: Option<Duration>, appliance: Duration) -> Result<()> {
    match own {
        Some(own) if own > appliance => {
            let most = appliance.as_secs() / 60;
            Err(Error::field(field, format!("must be at most {most}, as the appliance has it")))
        }
        _ => Ok(()),
    }
}

/// The refusal of an e-mail that may not be invited.
pub(crate) fn wrong_domain(policy: &SignInPolicy) -> Error {
    Error::field("email", "is not of a domain that may be invited")
        .hint(format!("Allowed are {}.", policy.domains.join(", ")))
}

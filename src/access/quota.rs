//! Counting what a tenant uses and refusing what goes over its limits.
//!
//! What is held is compared inside the transaction that adds to it. What is used up in a month is counted in memory, which
//! makes it exact for requests that come at the same time; questions and speech are written at once, requests every
//! second, so that a power cut can lose a second of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Metered, Quota};
use lectern_kernel::{Code, Error, Principal, Result, Role, Scope, TenantId, Timestamp};
use lectern_store::TenantStore;
use parking_lot::Mutex;

use crate::model::UsageDay;
use crate::month::{day, month, next_month};
use crate::{Access, store};

/// The months of the tenants that were used since the start.
#[derive(Default)]
pub(crate) struct Meters {
    tenants: Mutex<HashMap<TenantId, Arc<Mutex<Month>>>>,
}

/// A tenant's month.
#[derive(Default)]
struct Month {
    /// `2026-11`; empty before it was read.
    name: String,
    used: HashMap<Metered, u64>,
    /// Requests that are not written yet, by day.
    unwritten: HashMap<String, u64>,
    active: HashSet<String>,
}

impl Access {
    /// The month of a tenant, read when it is new.
    async fn meter(&self, scope: &Scope) -> Result<Arc<Mutex<Month>>> {
        let now = month(self.now());
        let known = self.inner.meters.tenants.lock().get(scope.tenant()).cloned();
        if let Some(meter) = known.filter(|meter| meter.lock().name == now) {
            return Ok(meter);
        }
        let wanted = now.clone();
        let (used, active) = self
            .tenant(scope)?
            .db
            .read(move |tx| {
                let used = store::MONTHLY.into_iter().map(|what| Ok((what, store::used(tx, &wanted, what)?)));
                let used: Result<HashMap<_, _>, lectern_store::StoreError> = used.collect();
                Ok((used?, store::active_users(tx, &wanted)?))
            })
            .await?;
        let mut tenants = self.inner.meters.tenants.lock();
        let meter = tenants.entry(scope.tenant().clone()).or_default().clone();
        let mut state = meter.lock();
        if state.name != now {
            // What of the month before is not written stays to be written.
            state.name = now;
            state.used = used;
            state.active = active.into_iter().collect();
        }
        drop(state);
        Ok(meter)
    }

    /// Counts one request of somebody who was let in by the rates.
    pub(crate) async fn count_request(&self, principal: &Principal) -> Result<()> {
        let scope = Scope::granted(principal);
        let (now, most) = (self.now(), self.limit(&principal.tenant, Metered::Requests));
        let meter = self.meter(&scope).await?;
        {
            let mut state = meter.lock();
            let used = state.used.entry(Metered::Requests).or_default();
            if most.is_some_and(|most| *used >= most) && !is_administrator(principal) {
                return Err(self.refusal(&principal.tenant, Metered::Requests));
            }
            *used += 1;
            *state.unwritten.entry(day(now)).or_default() += 1;
        }
        self.count_active(&scope, principal, &meter).await
    }

    /// Counts a person once a month. Those who were there this month go on; administrators are never kept out.
    async fn count_active(&self, scope: &Scope, principal: &Principal, meter: &Mutex<Month>) -> Result<()> {
        let person = principal.user.as_ref().filter(|_| principal.actor.operator().is_none());
        let Some(user) = person.map(ToString::to_string) else { return Ok(()) };
        let most = self.limit(&principal.tenant, Metered::MonthlyActiveUsers);
        let name = {
            let mut state = meter.lock();
            if state.active.contains(&user) {
                return Ok(());
            }
            if most.is_some_and(|most| state.active.len() as u64 >= most) && !is_administrator(principal) {
                return Err(self.refusal(&principal.tenant, Metered::MonthlyActiveUsers));
            }
            state.active.insert(user.clone());
            state.name.clone()
        };
        let store = self.tenant(scope)?;
        if store.db.read_only().is_none() {
            store.db.write(move |tx| store::add_active(tx, &name, &user)).await?;
        }
        Ok(())
    }

    /// Writes the requests that were counted; to be called every second and at the end.
    pub async fn write_counts(&self) {
        let meters: Vec<_> =
            self.inner.meters.tenants.lock().iter().map(|(id, m)| (id.clone(), m.clone())).collect();
        for (tenant, meter) in meters {
            let days: Vec<_> = meter.lock().unwritten.drain().collect();
            if days.is_empty() {
                continue;
            }
            if let Err(error) = self.write_days(&tenant, days.clone()).await {
                tracing::warn!(%tenant, %error, "counts of requests are not written yet");
                let mut state = meter.lock();
                for (day, count) in days {
                    *state.unwritten.entry(day).or_default() += count;
                }
            }
        }
    }

    async fn write_days(&self, tenant: &TenantId, days: Vec<(String, u64)>) -> Result<()> {
        let store: TenantStore = self.tenant(&Scope::system(tenant.clone()))?;
        let write = move |tx: &mut lectern_store::Tx<'_>| {
            days.iter().try_for_each(|(day, count)| {
                store::add_used(tx, [&day[..7.min(day.len())], day], Metered::Requests, *count)
            })
        };
        Ok(store.db.write(write).await?)
    }

    /// Used in this month, and the people who were active.
    pub(crate) async fn used_this_month(&self, scope: &Scope) -> Result<(HashMap<Metered, u64>, u64)> {
        let meter = self.meter(scope).await?;
        let state = meter.lock();
        Ok((state.used.clone(), state.active.len() as u64))
    }

    /// Adds the requests that are counted and not written yet, of the last second or so.
    pub(crate) fn with_unwritten(&self, scope: &Scope, mut days: Vec<UsageDay>) -> Vec<UsageDay> {
        let meter = self.inner.meters.tenants.lock().get(scope.tenant()).cloned();
        let unwritten = meter.map(|meter| meter.lock().unwritten.clone()).unwrap_or_default();
        for (day, count) in unwritten {
            match days.iter_mut().find(|found| found.day == day && found.what == Metered::Requests) {
                Some(found) => found.used += count,
                None => days.push(UsageDay { day, what: Metered::Requests, used: count }),
            }
        }
        days.sort_by(|a, b| a.day.cmp(&b.day));
        days
    }

    /// The month counts a person no more.
    pub(crate) fn forget_active(&self, tenant: &TenantId, user: &str) {
        if let Some(meter) = self.inner.meters.tenants.lock().get(tenant) {
            meter.lock().active.remove(user);
        }
    }

    /// When a month's count begins anew.
    pub(crate) fn resets_at(&self, what: Metered) -> Option<Timestamp> {
        let held = matches!(what, Metered::Documents | Metered::Storage | Metered::Members);
        (!held).then(|| next_month(self.now()))
    }
}

fn is_administrator(principal: &Principal) -> bool {
    principal.role == Role::OWNER || (principal.role == Role::ADMIN && principal.user.is_some())
}

/// What stands in the refusal.
fn words(what: Metered) -> &'static str {
    match what {
        Metered::Documents => "documents",
        Metered::Storage => "bytes of documents",
        Metered::Members => "members",
        Metered::MonthlyActiveUsers => "people in a month",
        Metered::Requests => "API requests in a month",
        Metered::Questions => "questions in a month",
        Metered::SpeechSeconds => "seconds of speech in a month",
    }
}

#[async_trait]
impl Quota for Access {
    fn limit(&self, tenant: &TenantId, what: Metered) -> Option<u64> {
        let record = self.inner.stores.record(tenant)?;
        self.inner.plans.of(&record).most(what)
    }

    fn refusal(&self, tenant: &TenantId, what: Metered) -> Error {
        let most = self.limit(tenant, what).unwrap_or_default();
        let detail = format!("The plan of this organisation ends at {most} {}.", words(what));
        let hint = match self.resets_at(what) {
            Some(at) => format!(
                "The count begins anew on {}; an administrator can ask for a larger plan before.",
                day(at)
            ),
            None => "Remove some that are not needed, or ask an administrator for a larger plan.".to_owned(),
        };
        Error::new(Code::QuotaExceeded, detail).hint(hint)
    }

    async fn spend(&self, scope: &Scope, what: Metered, amount: u64) -> Result<()> {
        let (tenant, most) = (scope.tenant(), self.limit(scope.tenant(), what));
        let meter = self.meter(scope).await?;
        {
            let mut state = meter.lock();
            let used = state.used.entry(what).or_default();
            if most.is_some_and(|most| used.saturating_add(amount.max(1)) > most) {
                return Err(self.refusal(tenant, what));
            }
            *used += amount;
        }
        self.write_used(scope, what, amount).await
    }

    async fn count(&self, scope: &Scope, what: Metered, amount: u64) {
        let counted = async {
            *self.meter(scope).await?.lock().used.entry(what).or_default() += amount;
            self.write_used(scope, what, amount).await
        };
        if let Err(error) = counted.await {
            tracing::warn!(tenant = %scope.tenant(), %error, "what was used is not counted");
        }
    }
}

impl Access {
    async fn write_used(&self, scope: &Scope, what: Metered, amount: u64) -> Result<()> {
        let (store, now) = (self.tenant(scope)?, self.now());
        if amount > 0 && store.db.read_only().is_none() {
            let periods = (month(now), day(now));
            store.db.write(move |tx| store::add_used(tx, [&periods.0, &periods.1], what, amount)).await?;
        }
        Ok(())
    }
}

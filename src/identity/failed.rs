//! Failed sign-ins in the record of who did what: counted in memory, and written at most once a minute for each account,
//! so that guessing fills no disk.
//!
//! They are written a moment later and never by the request itself, whose time would tell whether there is the account.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use lectern_kernel::{Result, Scope, TenantId, Timestamp, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{Database, TenantState};
use parking_lot::Mutex;
use serde_json::json;

use crate::Identity;
use crate::session::Caller;

const EVERY: Duration = Duration::from_mins(1);
const MOST_ACCOUNTS: usize = 10_000;
/// What was tried was no account that is known.
const UNKNOWN: &str = "unknown";

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Password,
    Code,
    Passkey,
    /// Too many tries before.
    Locked,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::Password => "wrong password",
            Self::Code => "wrong code",
            Self::Passkey => "wrong passkey",
            Self::Locked => "locked",
        }
    }
}

/// The tenant, or none where no tenant is known, and the account.
type Whose = (Option<TenantId>, String);

#[derive(Debug, Clone, Default)]
struct Count {
    tries: u64,
    why: BTreeSet<&'static str>,
    /// Of the last one.
    address: Option<String>,
    request: Option<String>,
    written_at: Option<Timestamp>,
}

/// Tries that failed and are not written yet, and when some of the account were.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<Whose, Count>>);

impl Failures {
    fn add(&self, whose: Whose, why: Why, caller: &Caller) {
        let mut counts = self.0.lock();
        let full = counts.len() >= MOST_ACCOUNTS && !counts.contains_key(&whose);
        let whose = if full { (whose.0, UNKNOWN.to_owned()) } else { whose };
        let count = counts.entry(whose).or_default();
        count.tries += 1;
        count.why.insert(why.words());
        (count.address, count.request) = (caller.address.clone(), caller.request.clone());
    }

    /// Those that may be written now; all of them at the end.
    fn take(&self, now: Timestamp, all: bool) -> Vec<(Whose, Count)> {
        let mut counts = self.0.lock();
        let over = |count: &Count| count.written_at.is_none_or(|at| at.plus(EVERY) <= now);
        counts.retain(|_, count| count.tries > 0 || !over(count));
        let due = counts.iter_mut().filter(|(_, count)| count.tries > 0 && (all || over(count)));
        due.map(|(whose, count)| {
            let kept = Count { written_at: Some(now), ..Count::default() };
            (whose.clone(), std::mem::replace(count, kept))
        })
        .collect()
    }

    /// What could not be written is written with what comes next.
    fn put_back(&self, whose: Whose, count: Count) {
        let mut counts = self.0.lock();
        let kept = counts.entry(whose).or_default();
        kept.tries += count.tries;
        kept.why.extend(count.why);
        kept.address = kept.address.take().or(count.address);
    }
}

impl Identity {
    /// Counts a failed try at a person's account, or at one that nobody has.
    pub(crate) fn failed_try(
        &self,
        tenant: Option<&TenantId>,
        user: Option<&UserId>,
        why: Why,
        caller: &Caller,
    ) {
        self.failed_try_at(tenant, user.map_or(UNKNOWN, UserId::as_str), why, caller);
    }

    /// The same for something that is no account, such as a provider.
    pub(crate) fn failed_try_at(&self, tenant: Option<&TenantId>, object: &str, why: Why, caller: &Caller) {
        // Names of tenants that are not there come from outside, as many as somebody likes.
        let whose = match tenant.filter(|id| self.inner.stores.record(id).is_some()) {
            Some(id) => (Some(id.clone()), object.to_owned()),
            None => (None, UNKNOWN.to_owned()),
        };
        self.inner.failures.add(whose, why, caller);
    }

    /// Writes failed sign-ins into the records; to be called every second, and with `all` at the end.
    pub async fn write_failures(&self, all: bool) {
        for (whose, count) in self.inner.failures.take(self.now(), all) {
            if let Err(error) = self.write_failure(&whose, count.clone()).await {
                tracing::warn!(%error, "failed sign-ins are not in the record yet");
                self.inner.failures.put_back(whose, count);
            }
        }
    }

    async fn write_failure(&self, (tenant, object): &Whose, count: Count) -> Result<()> {
        let Some(db) = self.record_of(tenant.as_ref())? else { return Ok(()) };
        let scope = Scope::system(tenant.clone().unwrap_or_else(TenantId::main));
        let (scope, object) = (scope.requested(count.address, count.request), object.clone());
        let after = json!({ "count": count.tries, "why": count.why });
        let written = db
            .write(move |tx| audit::record(tx, &scope, Change::new("session.failed", &object).after(&after)));
        Ok(written.await?)
    }

    /// The database of the record; none where nothing is written any more.
    fn record_of(&self, tenant: Option<&TenantId>) -> Result<Option<Database>> {
        let Some(id) = tenant else { return Ok(Some(self.control().clone())) };
        let state = self.inner.stores.record(id).map(|record| record.state);
        if !matches!(state, Some(TenantState::Active | TenantState::Suspended)) {
            return Ok(None);
        }
        let db = self.tenant(&Scope::system(id.clone()))?.db;
        Ok(Some(db).filter(|db| db.read_only().is_none()))
    }
}

//! How many requests a key, a person and a tenant may send in a minute and in a day (GCRA, by `governor`), told in the
//! headers of the IETF draft "RateLimit header fields for HTTP".

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use lectern_kernel::ports::{Admission, Admit, NotAdmitted, RateState};
use lectern_kernel::{Actor, Code, Error, Principal};
use parking_lot::RwLock;

use crate::Access;

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// One limiter for each rate that some plan has; whoever has it is a name in it.
#[derive(Default)]
pub(crate) struct Rates {
    limiters: RwLock<HashMap<(u32, Duration), Arc<Limiter>>>,
}

/// What a rate says to a request.
struct Told {
    window: Duration,
    most: u32,
    left: u32,
    /// How long to wait when there were too many.
    wait: Option<Duration>,
}

impl Rates {
    fn limiter(&self, most: u32, window: Duration) -> Option<Arc<Limiter>> {
        if let Some(limiter) = self.limiters.read().get(&(most, window)) {
            return Some(limiter.clone());
        }
        let burst = NonZeroU32::new(most)?;
        let quota = Quota::with_period(window / most)?.allow_burst(burst);
        let made = Arc::new(RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>());
        Some(self.limiters.write().entry((most, window)).or_insert(made).clone())
    }

    fn ask(&self, name: &str, most: u64, window: Duration) -> Option<Told> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let limiter = self.limiter(most, window)?;
        Some(match limiter.check_key(&name.to_owned()) {
            Ok(state) => Told { window, most, left: state.remaining_burst_capacity(), wait: None },
            Err(not_until) => {
                let wait = not_until.wait_time_from(limiter.clock().now());
                Told { window, most, left: 0, wait: Some(wait) }
            }
        })
    }

    /// Forgets those who sent nothing for a while; to be called now and then.
    pub fn trim(&self) {
        for limiter in self.limiters.read().values() {
            limiter.retain_recent();
        }
    }
}

impl Told {
    fn name(&self) -> &'static str {
        if self.window == MINUTE { "minute" } else { "day" }
    }

    /// Seconds until all of it is there again.
    fn full_after(&self) -> u64 {
        let gone = u64::from(self.most - self.left.min(self.most));
        (self.window.as_secs() * gone).div_ceil(u64::from(self.most.max(1)))
    }
}

fn state(told: &[Told]) -> Option<RateState> {
    if told.is_empty() {
        return None;
    }
    let policy = told.iter().map(|t| format!("\"{}\";q={};w={}", t.name(), t.most, t.window.as_secs()));
    let state = told.iter().map(|t| format!("\"{}\";r={};t={}", t.name(), t.left, t.full_after()));
    let join = |parts: Vec<String>| parts.join(", ");
    Some(RateState { policy: join(policy.collect()), state: join(state.collect()) })
}

#[async_trait]
impl Admit for Access {
    async fn admit(&self, principal: &Principal, route: &str) -> Result<Admission, NotAdmitted> {
        // Whoever has the data folder is not kept out by a rate.
        if principal.actor == Actor::Local {
            return Ok(Admission::default());
        }
        let Some(record) = self.inner.stores.record(&principal.tenant) else {
            return Ok(Admission::default());
        };
        let limits = self.inner.plans.of(&record);
        let who = match (&principal.actor, &principal.user) {
            (Actor::Key { id }, _) => id.to_string(),
            (_, Some(user)) => user.to_string(),
            _ => principal.tenant.to_string(),
        };
        let factor = u64::from(self.inner.settings.rate_factor.max(1));
        let rates = [(limits.requests_per_minute, MINUTE), (limits.requests_per_day, DAY)];
        let rates = rates.into_iter().filter_map(|(most, window)| Some((most.filter(|m| *m > 0)?, window)));
        let mut told = Vec::new();
        for (most, window) in rates {
            let all = self.inner.rates.ask(principal.tenant.as_str(), most * factor, window);
            let own = self.inner.rates.ask(&who, most, window);
            if let Some(wait) = all.as_ref().and_then(|all| all.wait) {
                return Err(refused("All of this organisation together sent too many requests.", wait, all));
            }
            if let Some(wait) = own.as_ref().and_then(|own| own.wait) {
                return Err(refused("You sent too many requests.", wait, own));
            }
            told.extend(own);
        }
        let counted = self.count_request(principal).await;
        counted.map_err(|error| NotAdmitted { error, retry_after: None, rate: None })?;
        let place = self.inner.at_once.enter(&principal.tenant, route, limits.at_once).await?;
        Ok(Admission { rate: state(&told), place })
    }
}

fn refused(what: &str, wait: Duration, told: Option<Told>) -> NotAdmitted {
    let seconds = wait.as_secs() + 1;
    let error = Error::new(Code::TooManyRequests, what).hint(format!("Try again in {seconds} s."));
    NotAdmitted { error, retry_after: Some(seconds), rate: told.and_then(|told| state(&[told])) }
}

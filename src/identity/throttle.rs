//! Slows guessing down: after a few failures each further try must wait longer.
//!
//! In memory and bounded. A restart forgets it, which costs an attacker more than it gives.

use std::collections::HashMap;
use std::time::Duration;

use lectern_kernel::Timestamp;
use parking_lot::Mutex;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Whoever knows an e-mail can lock its owner out for this long, so it is not longer.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Failures are forgotten when the last one is this old.
const MEMORY: Duration = Duration::from_mins(15);
const MOST_ENTRIES: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    last: Timestamp,
    blocked_until: Timestamp,
}

/// Counts failed tries by name: an account, or an address.
#[derive(Default)]
pub(crate) struct Throttle {
    entries: Mutex<HashMap<String, Entry>>,
}

impl Throttle {
    /// Begins a try. It counts as failed until [`Throttle::succeeded`], so that parallel tries cannot slip past.
    /// The error is how long to wait.
    pub fn begin(&self, name: &str, now: Timestamp) -> Result<(), Duration> {
        let mut entries = self.entries.lock();
        if entries.len() >= MOST_ENTRIES && !entries.contains_key(name) {
            make_room(&mut entries, now);
        }
        let fresh = Entry { failures: 0, last: now, blocked_until: now };
        let entry = entries.entry(name.to_owned()).or_insert(fresh);
        if entry.last.plus(MEMORY) <= now {
            *entry = fresh;
        }
        if entry.blocked_until > now {
            let wait = entry.blocked_until.0 - now.0;
            return Err(Duration::from_millis(wait as u64).max(Duration::from_secs(1)));
        }
        entry.failures += 1;
        entry.last = now;
        if entry.failures >= FREE {
            entry.blocked_until = now.plus(wait_after(entry.failures));
        }
        Ok(())
    }

    /// The try was good: the name begins anew.
    pub fn succeeded(&self, name: &str) {
        self.entries.lock().remove(name);
    }

    /// The try was good, but others of that name were not: only this one is taken back.
    pub fn take_back(&self, name: &str, now: Timestamp) {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.get_mut(name) {
            entry.failures = entry.failures.saturating_sub(1);
            entry.blocked_until = now;
        }
    }
}

fn wait_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(FREE).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

fn make_room(entries: &mut HashMap<String, Entry>, now: Timestamp) {
    entries.retain(|_, entry| entry.last.plus(MEMORY) > now);
    if entries.len() >= MOST_ENTRIES {
        // Those that were tried least go first: filling the table must not free a guessed account.
        let mut order: Vec<_> = entries.values().map(|e| (e.failures, e.last)).collect();
        let (_, edge, _) = order.select_nth_unstable(MOST_ENTRIES / 10);
        let edge = *edge;
        entries.retain(|_, entry| (entry.failures, entry.last) > edge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_000_000 + seconds * 1000)
    }

    #[test]
    fn the_sixth_try_waits_and_each_further_failure_doubles_it() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.begin("a", at(0)).expect("free");
        }
        assert_eq!(throttle.begin("a", at(0)), Err(Duration::from_secs(5)));
        throttle.begin("a", at(5)).expect("waited");
        assert_eq!(throttle.begin("a", at(6)), Err(Duration::from_secs(9)));
        throttle.begin("b", at(6)).expect("somebody else");
    }

    #[test]
    fn waits_end_at_five_minutes_and_success_forgets() {
        let throttle = Throttle::default();
        let mut now = at(0);
        for _ in 0..40 {
            if let Err(wait) = throttle.begin("a", now) {
                assert!(wait <= LONGEST_WAIT);
                now = now.plus(wait);
            }
        }
        throttle.succeeded("a");
        throttle.begin("a", now).expect("begins anew");
    }

    #[test]
    fn old_failures_are_forgotten() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.begin("a", at(0)).expect("free");
        }
        for _ in 0..5 {
            throttle.begin("a", at(1000)).expect("forgotten");
        }
    }

    #[test]
    fn the_table_stays_bounded_and_keeps_the_guessed_account() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.begin("victim", at(0)).expect("free");
        }
        for n in 0..25_000 {
            throttle.begin(&format!("x{n}"), at(1)).expect("free");
        }
        assert!(throttle.entries.lock().len() <= MOST_ENTRIES);
        assert!(throttle.begin("victim", at(2)).is_err());
    }
}

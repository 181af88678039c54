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

/// Counts failed tries by name: an account, an address, or an app and the network it calls from.
#[derive(Default)]
pub struct Throttle {
    entries: Mutex<HashMap<String, Entry>>,
}

impl Throttle {
    /// Whether a try may be made; the error is how long to wait. Parallel tries can slip past, so this is for secrets
    /// that nobody guesses.
    pub fn check(&self, name: &str, now: Timestamp) -> Result<(), Duration> {
        match self.entries.lock().get(name) {
            Some(entry) if entry.blocked_until > now => Err(wait(entry.blocked_until, now)),
            _ => Ok(()),
        }
    }

    /// The try was wrong.
    pub fn failed(&self, name: &str, now: Timestamp) {
        // Whoever is blocked already waits.
        let _ = self.begin(name, now);
    }

    /// Begins a try that counts as failed until [`Throttle::succeeded`] or [`Throttle::take_back`], so that parallel tries cannot slip past.
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
            return Err(wait(entry.blocked_until, now));
        }
        entry.failures += 1;
        entry.last = now;
        if entry.failures >= FREE {
            let doublings = (entry.failures - FREE).min(16);
            entry.blocked_until = now.plus(FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT));
        }
        Ok(())
    }

    /// The try was good: the name begins anew.
    pub fn succeeded(&self, name: &str) {
        self.entries.lock().remove(name);
    }

    /// The try was good. Others were not: only this one is taken back, so that somebody with one right code cannot
    /// wipe the slate clean between guesses.
    pub fn take_back(&self, name: &str, now: Timestamp) {
        if let Some(entry) = self.entries.lock().get_mut(name) {
            entry.failures = entry.failures.saturating_sub(1);
            entry.blocked_until = now;
        }
    }
}

fn wait(until: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs((until.0 - now.0).max(1000).unsigned_abs().div_ceil(1000))
}

/// Those that were tried least go first: filling the table must not free somebody who guesses.
fn make_room(entries: &mut HashMap<String, Entry>, now: Timestamp) {
    entries.retain(|_, entry| entry.last.plus(MEMORY) > now);
    if entries.len() >= MOST_ENTRIES {
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
    fn the_sixth_try_waits_and_one_good_try_does_not_free_the_others() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.begin("a", at(0)).expect("free");
        }
        assert_eq!(throttle.begin("a", at(0)), Err(Duration::from_secs(5)));
        assert_eq!(throttle.check("a", at(1)), Err(Duration::from_secs(4)));
        throttle.check("b", at(1)).expect("somebody else");
        throttle.begin("a", at(5)).expect("waited");
        throttle.take_back("a", at(5));
        throttle.begin("a", at(5)).expect("that one was good");
        assert_eq!(throttle.begin("a", at(6)), Err(Duration::from_secs(9)));
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
    fn the_table_stays_bounded_and_keeps_the_guesser() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            throttle.failed("guesser", at(0));
        }
        for n in 0..25_000 {
            throttle.failed(&format!("x{n}"), at(1));
        }
        assert!(throttle.entries.lock().len() <= MOST_ENTRIES);
        assert!(throttle.check("guesser", at(2)).is_err());
        throttle.begin("guesser", at(2000)).expect("forgotten");
    }
}

//! What was begun and waits for its answer: in memory, bounded, used once, for five minutes.

use std::collections::HashMap;
use std::time::Duration;

use lectern_kernel::{Result, Timestamp};
use parking_lot::Mutex;

use crate::secret;

const KEPT: Duration = Duration::from_mins(5);
const MOST: usize = 10_000;
/// Of one session or network; more push out its own oldest, so that nobody pushes out others'.
const MOST_OF_ONE: usize = 50;

struct Entry<T> {
    owner: String,
    until: Timestamp,
    value: T,
}

/// Values by a random id that the client gets.
pub(crate) struct Pending<T> {
    entries: Mutex<HashMap<String, Entry<T>>>,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self { entries: Mutex::default() }
    }
}

impl<T> Pending<T> {
    /// Keeps a value for whoever has the id that is given back.
    pub fn put(&self, owner: &str, value: T, now: Timestamp) -> Result<String> {
        let id = hex::encode(secret::random::<16>()?);
        self.put_back(&id, owner, value, now);
        Ok(id)
    }

    /// Keeps a value under an id that it had: the answer was wrong and may be tried again.
    pub fn put_back(&self, id: &str, owner: &str, value: T, now: Timestamp) {
        let mut entries = self.entries.lock();
        entries.retain(|_, entry| now < entry.until);
        if entries.values().filter(|entry| entry.owner == owner).count() >= MOST_OF_ONE {
            remove_oldest(&mut entries, |entry| entry.owner == owner);
        }
        if entries.len() >= MOST {
            remove_oldest(&mut entries, |_| true);
        }
        let entry = Entry { owner: owner.to_owned(), until: now.plus(KEPT), value };
        entries.insert(id.to_owned(), entry);
    }

    /// The value and its owner, once.
    pub fn take(&self, id: &str, now: Timestamp) -> Option<(String, T)> {
        let entry = self.entries.lock().remove(id)?;
        (now < entry.until).then_some((entry.owner, entry.value))
    }
}

fn remove_oldest<T>(entries: &mut HashMap<String, Entry<T>>, which: impl Fn(&Entry<T>) -> bool) {
    let oldest = entries.iter().filter(|(_, e)| which(e)).min_by_key(|(_, e)| e.until);
    if let Some(id) = oldest.map(|(id, _)| id.clone()) {
        entries.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_once_and_in_time() {
        let (pending, now) = (Pending::default(), Timestamp(0));
        let id = pending.put("a", 1, now).expect("random");
        assert_eq!(pending.take(&id, now), Some(("a".to_owned(), 1)));
        assert_eq!(pending.take(&id, now), None);
        let id = pending.put("a", 1, now).expect("random");
        assert_eq!(pending.take(&id, now.plus(KEPT)), None);
    }

    #[test]
    fn whoever_begins_much_loses_only_their_own() {
        let pending = Pending::default();
        let first = pending.put("victim", 1, Timestamp(0)).expect("random");
        for n in 0..1_000 {
            pending.put("flood", n, Timestamp(1 + n)).expect("random");
        }
        assert_eq!(pending.entries.lock().len(), 1 + MOST_OF_ONE);
        assert!(pending.take(&first, Timestamp(2_000)).is_some());
    }
}

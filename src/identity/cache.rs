//! Who was found to be behind a secret, for a few seconds: most requests need no query.

use std::collections::HashMap;
use std::time::Duration;

use lectern_kernel::{Actor, KeyId, Principal, Timestamp};
use parking_lot::Mutex;

/// A revoked secret is dropped at once; this bounds what another process changed in the file.
const KEPT: Duration = Duration::from_secs(10);
const MOST_ENTRIES: usize = 10_000;

#[derive(Default)]
pub(crate) struct PrincipalCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the secret's fingerprint.
    entries: HashMap<String, (Principal, Timestamp)>,
    /// Rises with every removal, so that a query begun before it is not remembered after it.
    generation: u64,
}

impl PrincipalCache {
    pub fn get(&self, fingerprint: &str, now: Timestamp) -> Option<Principal> {
        let state = self.state.lock();
        let (principal, until) = state.entries.get(fingerprint)?;
        (now < *until).then(|| principal.clone())
    }

    /// To be taken before the query whose result is given to [`PrincipalCache::put`].
    pub fn generation(&self) -> u64 {
        self.state.lock().generation
    }

    /// Remembers until `end` at the latest, unless something was removed since `generation`.
    pub fn put(
        &self,
        fingerprint: String,
        principal: Principal,
        times: (Timestamp, Timestamp),
        generation: u64,
    ) {
        let (now, end) = times;
        let mut state = self.state.lock();
        if state.generation != generation {
            return;
        }
        if state.entries.len() >= MOST_ENTRIES {
            state.entries.retain(|_, (_, until)| now < *until);
            if state.entries.len() >= MOST_ENTRIES {
                state.entries.clear();
            }
        }
        state.entries.insert(fingerprint, (principal, now.plus(KEPT).min(end)));
    }

    /// Forgets a key.
    pub fn forget_key(&self, id: &KeyId) {
        self.forget(|principal| matches!(&principal.actor, Actor::Key { id: k } if k == id));
    }

    /// Forgets everyone: cheap, and right after any change of sessions.
    pub fn clear(&self) {
        self.forget(|_| true);
    }

    fn forget(&self, which: impl Fn(&Principal) -> bool) {
        let mut state = self.state.lock();
        state.generation += 1;
        state.entries.retain(|_, (principal, _)| !which(principal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lectern_kernel::{Role, TenantId};

    #[test]
    fn what_was_revoked_during_the_query_is_not_remembered() {
        let cache = PrincipalCache::default();
        let id = KeyId::generate();
        let actor = Actor::Key { id: id.clone() };
        let principal = Principal { tenant: TenantId::main(), user: None, role: Role::Admin, actor };
        let (now, end) = (Timestamp(0), Timestamp(60_000));
        let before = cache.generation();
        cache.forget_key(&id);
        cache.put("f".into(), principal.clone(), (now, end), before);
        assert_eq!(cache.get("f", now), None);
        cache.put("f".into(), principal.clone(), (now, end), cache.generation());
        assert_eq!(cache.get("f", Timestamp(9_999)), Some(principal.clone()));
        assert_eq!(cache.get("f", Timestamp(10_000)), None);
        cache.put("f".into(), principal, (now, Timestamp(5)), cache.generation());
        assert_eq!(cache.get("f", Timestamp(5)), None);
    }
}

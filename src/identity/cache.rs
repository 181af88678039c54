//! Who was found to be behind a secret, for a few seconds: most requests need no query.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lectern_kernel::{Actor, KeyId, Principal, TenantId, Timestamp};
use parking_lot::Mutex;

use crate::network::Network;

/// A revoked secret is dropped at once; this bounds what another process changed in the file.
const KEPT: Duration = Duration::from_secs(10);
const MOST_ENTRIES: usize = 10_000;

/// Somebody, and the networks their key may be used from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub principal: Principal,
    pub networks: Arc<[Network]>,
}

#[derive(Default)]
pub(crate) struct PrincipalCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the secret's fingerprint.
    entries: HashMap<String, (Known, Timestamp)>,
    /// Rises with every removal, so that a query begun before it is not remembered after it.
    generation: u64,
}

impl PrincipalCache {
    pub fn get(&self, fingerprint: &str, now: Timestamp) -> Option<Known> {
        let state = self.state.lock();
        let (known, until) = state.entries.get(fingerprint)?;
        (now < *until).then(|| known.clone())
    }

    /// To be taken before the query whose result is given to [`PrincipalCache::put`].
    pub fn generation(&self) -> u64 {
        self.state.lock().generation
    }

    /// Remembers until `end` at the latest, unless something was removed since `generation`.
    pub fn put(&self, fingerprint: String, known: Known, times: (Timestamp, Timestamp), generation: u64) {
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
        state.entries.insert(fingerprint, (known, now.plus(KEPT).min(end)));
    }

    /// Forgets a key.
    pub fn forget_key(&self, id: &KeyId) {
        self.forget(|principal| matches!(&principal.actor, Actor::Key { id: k } if k == id));
    }

    /// Forgets everybody of a tenant.
    pub fn forget_tenant(&self, id: &TenantId) {
        self.forget(|principal| principal.tenant == *id);
    }

    /// Forgets everyone: cheap, and right after any change of sessions.
    pub fn clear(&self) {
        self.forget(|_| true);
    }

    fn forget(&self, which: impl Fn(&Principal) -> bool) {
        let mut state = self.state.lock();
        state.generation += 1;
        state.entries.retain(|_, (known, _)| !which(&known.principal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_revoked_during_the_query_is_not_remembered() {
        let cache = PrincipalCache::default();
        let id = KeyId::generate();
        let actor = Actor::Key { id: id.clone() };
        let principal = Principal::unlimited(TenantId::main(), None, actor);
        let principal = Known { principal, networks: Arc::default() };
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

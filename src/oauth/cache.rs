//! What a token is, for a few seconds: most requests need no query. What its person may is asked each time.

use std::collections::HashMap;
use std::time::Duration;

use lectern_kernel::{TenantId, Timestamp};
use parking_lot::Mutex;

use crate::store_tokens::Access;

/// A revoked token is dropped at once; this bounds what another process changed in the file.
const KEPT: Duration = Duration::from_secs(5);
const MOST_ENTRIES: usize = 10_000;

#[derive(Default)]
pub(crate) struct TokenCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the token's fingerprint: the tenant, the token, until when.
    entries: HashMap<String, (TenantId, Access, Timestamp)>,
    /// Rises with every removal, so that a query begun before it is not remembered after it.
    generation: u64,
}

impl TokenCache {
    pub fn get(&self, fingerprint: &str, now: Timestamp) -> Option<Access> {
        let state = self.state.lock();
        let (_, access, until) = state.entries.get(fingerprint)?;
        (now < *until).then(|| access.clone())
    }

    /// To be taken before the query whose result is given to [`TokenCache::put`].
    pub fn generation(&self) -> u64 {
        self.state.lock().generation
    }

    /// Remembers, unless something was removed since `generation`.
    pub fn put(
        &self,
        fingerprint: String,
        tenant: &TenantId,
        access: &Access,
        now: Timestamp,
        generation: u64,
    ) {
        let mut state = self.state.lock();
        if state.generation != generation {
            return;
        }
        if state.entries.len() >= MOST_ENTRIES {
            state.entries.retain(|_, (_, _, until)| now < *until);
            if state.entries.len() >= MOST_ENTRIES {
                state.entries.clear();
            }
        }
        let until = now.plus(KEPT).min(access.expires_at);
        state.entries.insert(fingerprint, (tenant.clone(), access.clone(), until));
    }

    /// Forgets all tokens of a tenant: right after any change, and cheap.
    pub fn forget(&self, tenant: &TenantId) {
        let mut state = self.state.lock();
        state.generation += 1;
        state.entries.retain(|_, (of, _, _)| of != tenant);
    }
}

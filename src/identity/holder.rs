//! What a person may now, for areas that act in their name; and telling those areas that a person is no longer there.

use std::sync::Arc;

use lectern_kernel::{Actor, PersonPart, Principal, Result, Scope, TenantId, Timestamp, UserId};

use crate::cache::Known;
use crate::model_people::UserState;
use crate::{Identity, store_people};

impl Identity {
    /// Refuses a tenant that nobody may come into: suspended, being made or going, or not there.
    pub fn admitted(&self, tenant: &TenantId) -> Result<()> {
        self.check_tenant(tenant)
    }

    /// Who a person is and what they hold, without rights of the appliance; none when they are disabled or gone.
    pub async fn holder(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Principal>> {
        let now = self.now();
        // No fingerprint of a secret looks like this.
        let name = format!("{tenant}/{user}");
        if let Some(known) = self.inner.cache.get(&name, now) {
            return Ok(Some(known.principal));
        }
        let generation = self.inner.cache.generation();
        let (this, id, wanted) = (self.clone(), tenant.clone(), user.clone());
        let store = self.tenant(&Scope::system(tenant.clone()))?;
        let found = store.db.read(move |tx| {
            let person = store_people::person_by_id(tx, &wanted)?;
            let Some(person) = person.filter(|person| person.state == UserState::Active) else {
                return Ok(None);
            };
            this.principal(tx, id, &wanted, person.role, Actor::Local).map(Some)
        });
        let Some(principal) = found.await? else { return Ok(None) };
        let known = Known { principal: principal.clone(), networks: Arc::default() };
        self.inner.cache.put(name, known, (now, Timestamp(i64::MAX)), generation);
        Ok(Some(principal))
    }

    /// Looks everybody up anew from the next request on, as after a change to a file from outside.
    pub fn forget_known(&self) {
        self.inner.cache.clear();
    }

    /// With the areas that keep something about people; once.
    pub fn set_parts(&self, parts: Vec<Arc<dyn PersonPart>>) {
        let _ = self.inner.parts.set(parts);
    }

    pub(crate) fn parts(&self) -> &[Arc<dyn PersonPart>] {
        self.inner.parts.get().map_or(&[], Vec::as_slice)
    }

    /// After a person was disabled or removed. The change stands already: an area that fails is logged, and what it
    /// would have ended is refused anyway, as the person is not there.
    pub(crate) async fn person_ended(&self, scope: &Scope, user: &UserId) {
        for part in self.parts() {
            if let Err(error) = part.ended(scope, user).await {
                tracing::warn!(area = part.name(), %error, "what a person let others do was not ended");
            }
        }
    }
}

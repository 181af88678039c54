//! Which records of who did what have grown, told without a look into any database.

use std::collections::BTreeSet;

use lectern_kernel::TenantId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Records that got entries since they were last asked for: of tenants, and of the appliance, which is `None`.
#[derive(Default)]
pub struct Grown {
    records: Mutex<BTreeSet<Option<TenantId>>>,
    told: Notify,
}

impl Grown {
    /// Says that a record has entries to look at.
    pub fn note(&self, record: Option<TenantId>) {
        self.records.lock().insert(record);
        self.told.notify_one();
    }

    /// Those that grew since the last call.
    pub fn take(&self) -> BTreeSet<Option<TenantId>> {
        std::mem::take(&mut *self.records.lock())
    }

    /// Waits until one grows; at once when one did since the last wait.
    pub async fn changed(&self) {
        self.told.notified().await;
    }
}

//! How many requests that cost much a tenant may have running at the same time: the next ones wait, and only when many
//! wait already are they refused, so that one tenant's burst takes nothing from the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lectern_kernel::ports::{NotAdmitted, Place};
use lectern_kernel::{Code, Error, TenantId};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Routes that cost a processor or a disk for more than a moment.
const COSTLY: [&str; 14] = [
    "POST /api/v1/ask",
    "POST /api/v1/documents",
    "POST /api/v1/documents/bulk",
    "POST /api/v1/speech",
    "GET /api/v1/ask/{id}/speech",
    "POST /api/v1/transcriptions",
    "POST /api/v1/index/check",
    "POST /api/v1/index/rebuild",
    "GET /api/v1/audit/export",
    "GET /api/v1/appliance/audit/export",
    "POST /api/v1/people/{id}/export",
    "POST /api/v1/me/export",
    "POST /api/v1/tenants/{id}/export",
    "POST /api/v1/tenants/import",
];
/// How long a request waits for a place.
const PATIENCE: Duration = Duration::from_secs(10);
/// For each place so many may wait.
const WAITING: usize = 32;

pub(crate) struct AtOnce {
    tenants: Mutex<HashMap<TenantId, Room>>,
    patience: Duration,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self { tenants: Mutex::default(), patience: PATIENCE }
    }
}

/// The places of one tenant.
#[derive(Clone)]
struct Room {
    size: usize,
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Room {
    fn new(size: usize) -> Self {
        let waiting = size.saturating_mul(WAITING).min(Semaphore::MAX_PERMITS);
        Self {
            size,
            places: Arc::new(Semaphore::new(size)),
            waiting: Arc::new(Semaphore::new(size + waiting)),
        }
    }
}

impl AtOnce {
    /// A place for a request of this route; none is needed for one that costs little, or without a limit.
    pub async fn enter(
        &self,
        tenant: &TenantId,
        route: &str,
        most: Option<u64>,
    ) -> Result<Option<Place>, NotAdmitted> {
        let Some(most) = most.filter(|most| *most > 0).filter(|_| COSTLY.contains(&route)) else {
            return Ok(None);
        };
        let room = self.room(tenant, usize::try_from(most).unwrap_or(usize::MAX).min(10_000));
        let in_line = room.waiting.clone().try_acquire_owned().map_err(|_| refused(room.size))?;
        match tokio::time::timeout(self.patience, room.places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(Some(Place::new((place, in_line)))),
            _ => Err(refused(room.size)),
        }
    }

    /// A plan that changed makes a new room; what runs in the old one ends there.
    fn room(&self, tenant: &TenantId, size: usize) -> Room {
        let mut tenants = self.tenants.lock();
        let room = tenants.entry(tenant.clone()).or_insert_with(|| Room::new(size));
        if room.size != size {
            *room = Room::new(size);
        }
        room.clone()
    }

    /// Forgets tenants with nothing running; to be called now and then.
    pub fn trim(&self) {
        self.tenants.lock().retain(|_, room| room.places.available_permits() < room.size);
    }
}

fn refused(size: usize) -> NotAdmitted {
    let detail = format!("This organisation has {size} long requests running, and many more wait.");
    let error = Error::new(Code::TooManyRequests, detail).hint("Try again in a few seconds.");
    NotAdmitted { error, retry_after: Some(5), rate: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "POST /api/v1/ask";

    #[tokio::test]
    async fn the_next_one_waits_for_a_place() {
        let (rooms, tenant) = (AtOnce::default(), TenantId::main());
        let place = rooms.enter(&tenant, ASK, Some(1)).await.expect("there is room");
        assert!(place.is_some());
        let mut waiting = std::pin::pin!(rooms.enter(&tenant, ASK, Some(1)));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending(), "it waits");
        drop(place);
        assert!(waiting.await.expect("and then it comes in").is_some());
    }

    #[tokio::test]
    async fn a_crowd_is_refused() {
        let rooms = AtOnce { patience: Duration::from_millis(50), ..AtOnce::default() };
        let tenant = TenantId::main();
        let held = rooms.enter(&tenant, ASK, Some(1)).await.expect("there is room");
        let one = || async { rooms.enter(&tenant, ASK, Some(1)).await.err() };
        let answers = futures_util::future::join_all((0..=WAITING).map(|_| one())).await;
        for refused in answers {
            let refused = refused.expect("nobody leaves");
            assert_eq!((refused.error.code, refused.retry_after), (Code::TooManyRequests, Some(5)));
        }
        drop(held);
        assert!(rooms.enter(&tenant, ASK, Some(1)).await.is_ok(), "and nothing is left of them");
    }

    #[tokio::test]
    async fn cheap_requests_and_other_tenants_do_not_wait() {
        let (rooms, tenant) = (AtOnce::default(), TenantId::main());
        let _held = rooms.enter(&tenant, ASK, Some(1)).await.expect("there is room");
        assert!(rooms.enter(&tenant, "GET /api/v1/search", Some(1)).await.expect("it is cheap").is_none());
        assert!(rooms.enter(&tenant, ASK, None).await.expect("there is no limit").is_none());
        let other: TenantId = "other".parse().expect("a name");
        assert!(rooms.enter(&other, ASK, Some(1)).await.expect("it has its own room").is_some());
        assert!(rooms.enter(&tenant, ASK, Some(2)).await.expect("the plan grew").is_some());
    }
}

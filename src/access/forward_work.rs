//! Sending what is new: in order, at least once, to each server by itself.
//!
//! Nothing is looked at that did not change: the store tells which records grew. A server that is down is tried again
//! after 1 s, 2 s, 4 s … 5 min; its entries wait where they are, in the record.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use lectern_kernel::{Code, Result, Scope, TargetId, TenantId, Timestamp};
use lectern_store::audit::{self, Kept};
use lectern_store::{TenantState, Tx};
use lectern_syslog::Step;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Access;
use crate::audit::Log;
use crate::forward_send::{Failure, place};
use crate::forward_words::{Teller, events};
use crate::model_forward::TargetStateView;
use crate::store_forward::{self, TargetRow};

/// Entries that are sent at once.
const BATCH: u32 = 100;
/// Servers that are sent to at the same time.
const AT_ONCE: usize = 16;
/// Entries that come together go together.
const GATHER: Duration = Duration::from_millis(250);
/// Between two times that a server is sent to.
const PAUSE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Whose record it is; none is the appliance's.
pub(crate) type Whose = Option<TenantId>;

/// Which records are sent on, and how it goes.
#[derive(Default)]
pub(crate) struct Forwarding {
    known: Mutex<BTreeSet<Whose>>,
    live: Mutex<HashMap<TargetId, Live>>,
}

/// One server as it is now.
#[derive(Debug, Clone, Default)]
struct Live {
    running: bool,
    failures: u32,
    failure: Option<Failure>,
    next_try: Timestamp,
}

impl Forwarding {
    pub fn view(&self, row: TargetRow, size: u64) -> TargetStateView {
        let live = self.live.lock().get(&row.view.id).cloned().unwrap_or_default();
        let waiting = size.saturating_sub(row.next);
        let tried = live.failure.is_some() && row.view.enabled && waiting > 0;
        TargetStateView {
            waiting,
            last_sent_at: row.last_sent_at,
            last_error: live.failure.as_ref().map(|failure| failure.message.clone()),
            hint: live.failure.map(|failure| failure.hint),
            next_try_at: tried.then_some(live.next_try),
            target: row.view,
        }
    }

    /// A server that was changed is tried anew at once.
    pub fn forget(&self, id: &TargetId) {
        let mut live = self.live.lock();
        if let Some(kept) = live.get_mut(id) {
            *kept = Live { running: kept.running, ..Live::default() };
        }
        live.retain(|kept, state| kept != id || state.running);
    }

    fn went_well(&self, id: &TargetId, now: Timestamp) {
        let mut live = self.live.lock();
        let state = live.entry(id.clone()).or_default();
        (state.failures, state.failure, state.next_try) = (0, None, now.plus(PAUSE));
    }

    fn went_wrong(&self, id: &TargetId, failure: Failure, now: Timestamp) {
        let mut live = self.live.lock();
        let state = live.entry(id.clone()).or_default();
        state.next_try = now.plus(wait_after(state.failures));
        state.failures = state.failures.saturating_add(1);
        state.failure = Some(failure);
    }

    /// Begins sending to a server, unless that is being done or is to be done later, which is told.
    fn begin(&self, id: &TargetId, now: Timestamp) -> Result<bool, Timestamp> {
        let mut live = self.live.lock();
        let state = live.entry(id.clone()).or_default();
        if state.next_try > now && !state.running {
            return Err(state.next_try);
        }
        Ok(!std::mem::replace(&mut state.running, true))
    }
}

pub(crate) fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << failures.min(10)).min(LONGEST_WAIT)
}

/// Ends with the work on a server, however that ends.
struct Running<'a>(&'a Forwarding, TargetId);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.0.live.lock().get_mut(&self.1) {
            state.running = false;
        }
    }
}

impl Log {
    pub(crate) fn of(whose: &Whose) -> Self {
        whose.as_ref().map_or(Self::Appliance, |id| Self::Tenant(Scope::system(id.clone())))
    }

    pub(crate) fn whose(&self) -> Whose {
        match self {
            Self::Tenant(scope) => Some(scope.tenant().clone()),
            Self::Appliance => None,
        }
    }
}

impl Access {
    /// Sends entries on until the appliance stops.
    pub async fn forward(&self, stop: &CancellationToken) -> Result<()> {
        let mut due = self.known_records().await?;
        let (mut later, mut tasks) = (HashMap::<Whose, Timestamp>::new(), JoinSet::new());
        while !stop.is_cancelled() {
            due.extend(self.grown_records());
            let now = self.now();
            due.extend(later.extract_if(|_, at| *at <= now).map(|(whose, _)| whose));
            while tasks.len() < AT_ONCE
                && let Some(whose) = due.pop_first()
            {
                let (begun, again) = self.look(&whose).await;
                later.remove(&whose);
                if let Some(again) = again {
                    later.insert(whose.clone(), again);
                }
                for id in begun {
                    let (this, whose) = (self.clone(), whose.clone());
                    tasks.spawn(async move { (this.pass(&Log::of(&whose), id).await, whose).1 });
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(done) = tasks.join_next() => match done {
                    // What came meanwhile.
                    Ok(whose) => { due.insert(whose); }
                    Err(error) => tracing::error!(%error, "sending entries of a record broke off"),
                },
                () = self.inner.stores.grown().changed() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(TICK) => {}
            }
        }
        Ok(())
    }

    /// Records that may have targets: all of them are looked at once.
    async fn known_records(&self) -> Result<BTreeSet<Whose>> {
        let tenants = self.inner.stores.control().read(store_forward::forwarding).await?;
        let all: BTreeSet<Whose> = tenants.into_iter().map(Some).chain([None]).collect();
        self.inner.forwarding.known.lock().extend(all.iter().cloned());
        Ok(all)
    }

    fn grown_records(&self) -> Vec<Whose> {
        let grown = self.inner.stores.grown().take();
        let known = self.inner.forwarding.known.lock();
        grown.into_iter().filter(|whose| known.contains(whose)).collect()
    }

    /// Begins with the servers of a record that entries wait for; beside them when to look again.
    async fn look(&self, whose: &Whose) -> (Vec<TargetId>, Option<Timestamp>) {
        let (now, mut begun, mut again) = (self.now(), Vec::new(), None);
        match self.waiting(whose).await {
            Ok(ids) => {
                for id in ids {
                    match self.inner.forwarding.begin(&id, now) {
                        Ok(true) => begun.push(id),
                        Ok(false) => {}
                        Err(at) => again = Some(again.map_or(at, |sooner: Timestamp| sooner.min(at))),
                    }
                }
            }
            Err(error) if error.code == Code::NotFound => {
                self.inner.forwarding.known.lock().remove(whose);
            }
            Err(error) => {
                tracing::warn!(?whose, %error, "a record cannot be read for being sent on");
                again = Some(now.plus(LONGEST_WAIT));
            }
        }
        (begun, again)
    }

    /// The servers of a record that entries wait for.
    async fn waiting(&self, whose: &Whose) -> Result<Vec<TargetId>> {
        if let Some(id) = whose {
            let state = self.record(id)?.state;
            if !matches!(state, TenantState::Active | TenantState::Suspended) {
                return Ok(Vec::new());
            }
        }
        let db = self.database(&Log::of(whose))?;
        // How far sending came could not be noted there.
        if db.read_only().is_some() {
            return Ok(Vec::new());
        }
        let read = |tx: &Tx<'_>| Ok((store_forward::targets(tx)?, audit::frontier(tx)?.size()));
        let (rows, size) = db.read(read).await?;
        Ok(rows.into_iter().filter(|r| r.view.enabled && r.next < size).map(|r| r.view.id).collect())
    }

    /// Sends what waits for one server, until nothing does or something fails.
    pub(crate) async fn pass(&self, log: &Log, id: TargetId) {
        let forwarding = &self.inner.forwarding;
        let _running = Running(forwarding, id.clone());
        loop {
            match self.send_batch(log, &id).await {
                Ok(Ok(true)) => forwarding.went_well(&id, self.now()),
                Ok(Ok(false)) => return,
                Ok(Err(failure)) => {
                    tracing::warn!(target = %id, message = failure.message, "entries of the record wait");
                    return forwarding.went_wrong(&id, failure, self.now());
                }
                Err(error) => {
                    tracing::warn!(target = %id, %error, "entries of the record wait");
                    return forwarding.went_wrong(&id, error.into(), self.now());
                }
            }
        }
    }

    /// False when nothing waits. The database is let go of while the network is waited for.
    async fn send_batch(&self, log: &Log, id: &TargetId) -> Result<Result<bool, Failure>> {
        let wanted = id.clone();
        let read = move |tx: &Tx<'_>| {
            let Some(row) = store_forward::target_by_id(tx, &wanted)?.filter(|row| row.view.enabled) else {
                return Ok(None);
            };
            let kept = audit::from(tx, row.next, BATCH)?;
            Ok(Some((row, kept)))
        };
        let Some((row, kept)) = self.database(log)?.read(read).await? else { return Ok(Ok(false)) };
        let Some(last) = kept.last() else { return Ok(Ok(false)) };
        let (from, to) = (row.next, last.sequence + 1);
        if let Err(failure) = self.tell(log, &row, &kept).await {
            return Ok(Err(failure));
        }
        let id = id.clone();
        Ok(Ok(self.database(log)?.write(move |tx| store_forward::advance(tx, &id, from, to)).await?))
    }

    async fn tell(&self, log: &Log, row: &TargetRow, kept: &[Kept]) -> Result<(), Failure> {
        let host = self.inner.network.host();
        self.deliver(log, row, &events(&Teller { log, host: &host }, kept)).await
    }

    /// Whether a collector's machine answers.
    pub(crate) async fn try_connection(&self, log: &Log, row: &TargetRow) -> Result<(), Failure> {
        let place = place(row);
        let dial = self.inner.network.dial(&log.scope(), &place)?;
        let failed = |step, message: String| Failure {
            step,
            message,
            hint: "Check the address, that the collector runs, and firewalls between here and there."
                .to_owned(),
        };
        let (host, port) = crate::model_forward::host_and_port(&place.address);
        let dialled = tokio::time::timeout(Duration::from_secs(10), dial.dial(&host, port)).await;
        match dialled {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(lectern_syslog::DialError::Denied(why))) => Err(failed(Step::Allowed, why)),
            Ok(Err(lectern_syslog::DialError::Unresolved(why))) => Err(failed(Step::Resolved, why)),
            Ok(Err(error)) => Err(failed(Step::Connected, format!("nothing answers there: {error}"))),
            Err(_) => Err(failed(Step::Connected, "no answer within 10 s".to_owned())),
        }
    }

    /// Notes that a record may have targets, and lets it be looked at.
    pub(crate) async fn note_forwarding(&self, log: &Log) -> Result<()> {
        let whose = log.whose();
        if let Some(id) = whose.clone() {
            self.inner.stores.control().write(move |tx| store_forward::add_forwarding(tx, &id)).await?;
        }
        self.inner.forwarding.known.lock().insert(whose.clone());
        self.inner.stores.grown().note(whose);
        Ok(())
    }

    pub(crate) async fn end_forwarding(&self, log: &Log) -> Result<()> {
        let Some(id) = log.whose() else { return Ok(()) };
        self.inner.forwarding.known.lock().remove(&Some(id.clone()));
        Ok(self.inner.stores.control().write(move |tx| store_forward::remove_forwarding(tx, &id)).await?)
    }

    /// A tenant that came from elsewhere brings its targets with it.
    pub(crate) async fn adopt_targets(&self, id: &TenantId) -> Result<()> {
        let log = Log::of(&Some(id.clone()));
        if self.database(&log)?.read(store_forward::targets).await?.is_empty() {
            return Ok(());
        }
        self.note_forwarding(&log).await
    }
}

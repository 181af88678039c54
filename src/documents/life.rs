//! When a tenant's background work runs: from its first use until it is let go of. A tenant that nobody uses costs no
//! thread, no open file and no memory.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::ports::{Holdings, TenantPart};
use lectern_kernel::{Result, Scope, TenantId};
use tokio_util::sync::CancellationToken;

use crate::tenant::Tenant;
use crate::{Documents, store_life};

/// Where the work of an open tenant is.
#[derive(Debug, Default)]
pub(crate) enum Life {
    /// It has not begun.
    #[default]
    New,
    Running(CancellationToken),
    /// It was told to end; `again` when somebody came meanwhile.
    Ending {
        again: bool,
    },
    Ended,
}

impl Documents {
    /// Does the background work of all tenants that are in use, until the appliance stops; then what runs is put back
    /// and the indexes are closed. Tenants with work left from the last time are opened for it.
    pub async fn run(&self) -> Result<()> {
        let Some(mut opened) = self.inner.opened.take() else { return Ok(()) };
        let stop = self.inner.stop.clone();
        let this = self.clone();
        let mut resuming = tokio::spawn(async move { this.resume().await });
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(tenant) = opened.recv() => {
                    let this = self.clone();
                    tasks.spawn(async move { this.while_used(&tenant).await });
                }
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "the work of a tenant broke off");
                    }
                }
            }
        }
        resuming.abort();
        let _ = (&mut resuming).await;
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    /// Opens the tenants that have jobs left, one after the other.
    async fn resume(&self) {
        for id in self.inner.stores.tenant_ids() {
            let scope = Scope::system(id.clone());
            let looked = async {
                let db = self.inner.stores.tenant(&scope)?.db;
                if db.read_only().is_none() && db.read(store_life::pending).await? > 0 {
                    self.tenant(&scope)?;
                }
                Result::<()>::Ok(())
            };
            if let Err(error) = looked.await {
                tracing::error!(tenant = %id, %error, "the tenant's work is not resumed");
            }
        }
    }

    /// The work of one tenant, for as long as it is in use.
    async fn while_used(&self, tenant: &Arc<Tenant>) {
        loop {
            let token = self.inner.stop.child_token();
            *tenant.life.lock() = Life::Running(token.clone());
            if let Err(error) = self.work_until(tenant, &token).await {
                tracing::error!(tenant = %tenant.store.id, %error, cause = ?error.cause, "the work of a tenant ended");
            }
            let mut life = tenant.life.lock();
            if !matches!(*life, Life::Ending { again: true }) || self.inner.stop.is_cancelled() {
                *life = Life::Ended;
                return;
            }
        }
    }

    /// Somebody uses the tenant: its work goes on.
    pub(crate) fn keep_alive(&self, tenant: &Arc<Tenant>) {
        let mut life = tenant.life.lock();
        match &mut *life {
            Life::Ending { again } => *again = true,
            Life::Ended => {
                *life = Life::New;
                self.inner.opened.send(tenant.clone());
            }
            Life::New | Life::Running(_) => {}
        }
    }

    /// There is a job to take.
    pub(crate) fn wake(&self, tenant: &Arc<Tenant>) {
        tenant.work.notify_one();
        self.keep_alive(tenant);
    }
}

/// Tenants on their way to the one who runs their work.
pub(crate) struct Opened {
    sender: tokio::sync::mpsc::UnboundedSender<Arc<Tenant>>,
    receiver: parking_lot::Mutex<Option<tokio::sync::mpsc::UnboundedReceiver<Arc<Tenant>>>>,
}

impl Default for Opened {
    fn default() -> Self {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        Self { sender, receiver: parking_lot::Mutex::new(Some(receiver)) }
    }
}

impl Opened {
    pub fn send(&self, tenant: Arc<Tenant>) {
        // Without anybody to run it, as in tests of single steps, nothing runs.
        let _ = self.sender.send(tenant);
    }

    /// Once.
    fn take(&self) -> Option<tokio::sync::mpsc::UnboundedReceiver<Arc<Tenant>>> {
        self.receiver.lock().take()
    }
}

#[async_trait]
impl TenantPart for Documents {
    /// Makes the index.
    async fn prepare(&self, scope: &Scope) -> Result<()> {
        let (this, scope) = (self.clone(), scope.clone());
        let opened = tokio::task::spawn_blocking(move || this.tenant(&scope).map(|_| ())).await;
        opened.map_err(|e| lectern_kernel::Error::internal(e.to_string()))?
    }

    fn release(&self, id: &TenantId) -> bool {
        let mut tenants = self.inner.tenants.lock();
        let Some(tenant) = tenants.get(id) else { return true };
        let mut life = tenant.life.lock();
        match &*life {
            Life::Running(token) if !tenant.is_busy() => {
                token.cancel();
                *life = Life::Ending { again: false };
                false
            }
            Life::Running(_) | Life::Ending { .. } => false,
            Life::New | Life::Ended => {
                drop(life);
                // A request that has it goes on first.
                let free = Arc::strong_count(tenant) == 1;
                if free {
                    tenants.remove(id);
                }
                free
            }
        }
    }

    async fn holdings(&self, scope: &Scope) -> Result<Holdings> {
        Ok(self.inner.stores.tenant(scope)?.db.read(store_life::holdings).await?)
    }
}

//! One SQLite file: a writer, a few readers, write-ahead log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lectern_kernel::{Clock, Event, TenantId};
use r2d2::{CustomizeConnection, Pool, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::sync::broadcast;

use crate::grown::Grown;
use crate::line::Line;
use crate::migrate::{self, Migration};
use crate::{StoreError, Tx};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Each connection is used by one thread at a time.
const BASE: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
const READERS: u32 = 4;
const EVENT_BUFFER: usize = 4096;
const BUSY: Duration = Duration::from_secs(10);

/// A database file with its events.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// None with the reason why nothing can be written.
    writer: Result<Pool<SqliteConnectionManager>, String>,
    readers: Pool<SqliteConnectionManager>,
    /// For what reads, searches among it, so that none of it waits longer than the rest.
    readers_line: Arc<Line>,
    writers_line: Arc<Line>,
    events: broadcast::Sender<Event>,
    /// Whom to tell that the record grew, and whose it is.
    grown: OnceLock<(Arc<Grown>, Option<TenantId>)>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<Connection, rusqlite::Error> for Settings {
    fn on_acquire(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Plans do not depend on what is bound: else each statement with a bound LIMIT is planned anew each time it runs.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
             PRAGMA secure_delete = ON;
             PRAGMA journal_size_limit = 67108864;",
        )
    }
}

/// Pools want threads to close idle connections; all of them share two.
fn reapers() -> Arc<ScheduledThreadPool> {
    static SHARED: OnceLock<Arc<ScheduledThreadPool>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            Arc::new(ScheduledThreadPool::builder().num_threads(2).thread_name_pattern("pools-{}").build())
        })
        .clone()
}

fn pool(path: &Path, size: u32, flags: OpenFlags) -> Result<Pool<SqliteConnectionManager>> {
    let manager = SqliteConnectionManager::file(path).with_flags(flags);
    Ok(Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .thread_pool(reapers())
        .idle_timeout(Some(Duration::from_secs(60)))
        .connection_timeout(Duration::from_secs(30))
        .test_on_check_out(false)
        .connection_customizer(Box::new(Settings))
        .build(manager)?)
}

impl Database {
    /// Opens or makes the file and brings it to the newest schema.
    pub fn open(path: &Path, migrations: &[Migration], clock: Arc<dyn Clock>) -> Result<Self> {
        let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | BASE;
        let writer = pool(path, 1, write)?;
        migrate::run(&mut *writer.get()?, path, migrations, clock.now())?;
        Self::with(path, Ok(writer), clock)
    }

    /// Opens a file whose schema could not be brought up, for reading; `reason` is told to who wants to write.
    pub fn open_read_only(path: &Path, reason: String, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::with(path, Err(reason), clock)
    }

    fn with(
        path: &Path,
        writer: Result<Pool<SqliteConnectionManager>, String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        // A reader of a write-ahead log needs to write its shared memory file.
        let readers = pool(path, READERS, OpenFlags::SQLITE_OPEN_READ_WRITE | BASE)?;
        let (events, _) = broadcast::channel(EVENT_BUFFER);
        let (path, grown) = (path.to_owned(), OnceLock::new());
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (readers_line, writers_line) = (Line::new(cores.max(READERS as usize)), Line::new(1));
        let inner = Inner { path, writer, readers, readers_line, writers_line, events, grown, clock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets the growth of the record be told from now on.
    pub(crate) fn tell(&self, grown: Arc<Grown>, whose: Option<TenantId>) {
        // It is told to the first one.
        let _ = self.inner.grown.set((grown, whose));
    }

    /// Why nothing can be written, when it is so.
    pub fn read_only(&self) -> Option<&str> {
        self.inner.writer.as_ref().err().map(String::as_str)
    }

    /// Whether somebody beside the caller holds it.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.inner) > 1
    }

    fn writer(&self) -> Result<PooledConnection<SqliteConnectionManager>> {
        match &self.inner.writer {
            Ok(pool) => Ok(pool.get()?),
            Err(reason) => Err(StoreError::ReadOnly(reason.clone())),
        }
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Runs `work` in one write transaction off the async threads. An error rolls back; events go out after commit.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let this = self.clone();
        self.inner.writers_line.run(move || this.write_now(work)).await?
    }

    /// [`Database::write`] on this thread.
    pub fn write_now<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.writer()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut tx = Tx::new(&transaction, self.inner.clock.now());
        let value = work(&mut tx)?;
        let (recorded, events) = (tx.has_recorded(), tx.into_events());
        transaction.commit()?;
        if recorded && let Some((grown, whose)) = self.inner.grown.get() {
            grown.note(whose.clone());
        }
        for event in events {
            self.notify(event);
        }
        Ok(value)
    }

    /// Runs `work` on a consistent view of the data, off the async threads.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let this = self.clone();
        self.in_line(move || this.read_now(work)).await?
    }

    /// Runs `work` off the async threads, in one line with all that reads: searches of the tenant's index.
    pub async fn in_line<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        self.inner.readers_line.run(work).await
    }

    /// [`Database::read`] on this thread.
    pub fn read_now<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.inner.readers.get()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&Tx::new(&transaction, self.inner.clock.now()))
    }

    /// Events of this database from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Tells listeners something that is not worth keeping, such as a percentage.
    pub fn notify(&self, event: Event) {
        // Nobody listening is fine.
        let _ = self.inner.events.send(event);
    }

    /// Moves the write-ahead log into the file, so that what remains on disk is one file.
    pub fn checkpoint(&self) -> Result<()> {
        if self.inner.writer.is_err() {
            return Ok(());
        }
        let connection = self.writer()?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// A copy of the whole database, consistent while others write.
    pub fn snapshot(&self, to: &Path) -> Result<()> {
        let connection = self.inner.readers.get()?;
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lectern_kernel::SystemClock;
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let database =
            Database::open(&folder.path().join("data.db"), &[], Arc::new(SystemClock)).expect("opens");
        let connection = database.writer().expect("a connection");
        connection.execute_batch("CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID").expect("makes");
        let mut statement =
            connection.prepare("SELECT count(*) FROM (SELECT a FROM t LIMIT $1)").expect("plans");
        for value in [20, 50, 100] {
            statement.query_row([value], |_| Ok(())).expect("counts");
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}

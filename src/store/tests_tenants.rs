//! Tenants: apart from each other, opened when they are wanted, closed when they are not, and one broken one harms no
//! other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use lectern_kernel::{Clock, Code, Error, Scope, SystemClock, TenantId, Timestamp};

use crate::{Migration, Options, StoreError, Stores, TenantRecord, TenantState, params, registry};

const NOTES: Migration =
    Migration { name: "test/0001", sql: "CREATE TABLE notes (a TEXT, b INTEGER) STRICT" };

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

fn id(name: &str) -> TenantId {
    name.parse().expect("a name")
}

fn scope(name: &str) -> Scope {
    Scope::system(id(name))
}

fn with(stores: &Stores, names: &[&str]) {
    for name in names {
        stores.register(&TenantRecord::new(id(name), *name, Timestamp(1))).expect("registers");
    }
}

fn count(stores: &Stores, name: &str) -> Option<i64> {
    let store = stores.tenant(&scope(name)).expect("opens");
    store.db.read_now(|tx| tx.scalar("SELECT count(*) FROM notes", params![])).expect("reads")
}

fn note(stores: &Stores, name: &str) -> Result<usize, StoreError> {
    let store = stores.tenant(&scope(name)).expect("opens");
    store.db.write_now(|tx| tx.execute("INSERT INTO notes (a, b) VALUES ('x', 1)", params![]))
}

#[test]
fn tenants_are_separate_files_and_an_unknown_one_is_not_made() {
    let dir = tempfile::tempdir().expect("folder");
    let stores = Stores::open(dir.path(), &[], vec![NOTES], Arc::new(SystemClock)).expect("opens");
    with(&stores, &["a", "b"]);
    note(&stores, "a").expect("writes");
    assert_eq!((count(&stores, "a"), count(&stores, "b")), (Some(1), Some(0)));
    assert_eq!(stores.tenant_ids(), [id("a"), id("b"), id("main")]);
    assert!(stores.tenant(&scope("c")).is_err());
    assert!(!dir.path().join("tenants/c").exists());
}

#[test]
fn what_is_not_used_is_closed_and_comes_back() {
    let dir = tempfile::tempdir().expect("folder");
    let clock = Arc::new(Hand(AtomicI64::new(1_000)));
    let options = Options { most_open: 2, idle: Duration::from_secs(60), ..Options::default() };
    let stores = Stores::open_with(dir.path(), &[], vec![NOTES], clock.clone(), options).expect("opens");
    with(&stores, &["a", "b", "c"]);
    let held = stores.tenant(&scope("a")).expect("opens");
    for name in ["b", "c"] {
        clock.0.fetch_add(10, Ordering::SeqCst);
        note(&stores, name).expect("writes");
    }
    // `a` is the longest unused, but somebody holds it.
    assert!(stores.is_open(&id("a")) && !stores.is_open(&id("b")) && stores.is_open(&id("c")));
    assert_eq!(count(&stores, "b"), Some(1), "it is opened again");
    drop(held);
    clock.0.fetch_add(60_000, Ordering::SeqCst);
    stores.close_unused();
    assert_eq!(stores.open_count(), 0);
    assert!(!dir.path().join("tenants/c/data.db-wal").exists(), "the log of writes was folded in");
    assert_eq!(count(&stores, "c"), Some(1));
}

#[test]
fn a_tenant_whose_migration_fails_can_be_read_and_the_others_run() {
    let dir = tempfile::tempdir().expect("folder");
    let open = |migrations: Vec<Migration>| {
        Stores::open(dir.path(), &[], migrations, Arc::new(SystemClock)).expect("opens")
    };
    let stores = open(vec![NOTES]);
    with(&stores, &["good", "bad"]);
    note(&stores, "good").expect("writes");
    let bad = stores.tenant(&scope("bad")).expect("opens");
    bad.db
        .write_now(|tx| {
            tx.execute("INSERT INTO notes (a, b) VALUES ('twice', 1)", params![])?;
            tx.execute("INSERT INTO notes (a, b) VALUES ('twice', 2)", params![])
        })
        .expect("writes");
    drop((bad, stores));
    let unique = Migration { name: "test/0002", sql: "CREATE UNIQUE INDEX once ON notes (a)" };
    let stores = open(vec![NOTES, unique]);
    assert_eq!(count(&stores, "bad"), Some(2));
    let refused = Error::from(note(&stores, "bad").expect_err("is read only"));
    assert_eq!(refused.code, Code::TenantReadOnly);
    assert!(refused.detail.contains("test/0002"), "{refused}");
    assert!(stores.tenant(&scope("bad")).expect("opens").db.read_only().is_some());
    assert!(stores.tenant(&scope("good")).expect("opens").db.read_only().is_none());
}

#[test]
fn a_region_has_a_folder_of_its_own() {
    let (dir, far) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let regions = [("eu".to_owned(), far.path().to_owned())].into();
    let options = Options { regions, ..Options::default() };
    let clock = Arc::new(SystemClock);
    let stores = Stores::open_with(dir.path(), &[], vec![NOTES], clock, options).expect("opens");
    let mut tenant = TenantRecord::new(id("a"), "A", Timestamp(1));
    tenant.region = Some("eu".to_owned());
    tenant.state = TenantState::Suspended;
    stores.register(&tenant).expect("registers");
    note(&stores, "a").expect("writes");
    assert!(far.path().join("a/data.db").exists() && !dir.path().join("tenants/a").exists());
    assert_eq!(stores.record(&id("a")).as_deref(), Some(&tenant));
    stores.control().write_now(|tx| registry::remove(tx, &id("a"))).expect("removes");
    stores.refresh().expect("reads");
    assert_eq!(stores.record(&id("a")), None);
}

#[test]
fn an_older_appliance_keeps_its_tenant() {
    let dir = tempfile::tempdir().expect("folder");
    let older = Migration {
        name: "identity/0001_identity",
        sql: "CREATE TABLE tenants (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;
              INSERT INTO tenants (id, name) VALUES ('main', 'Main')",
    };
    let clock = Arc::new(SystemClock);
    drop(crate::Database::open(&dir.path().join("control.db"), &[older], clock.clone()).expect("opens"));
    let stores = Stores::open(dir.path(), &[older], vec![NOTES], clock).expect("opens");
    let main = stores.record(&TenantId::main()).expect("is there");
    assert_eq!((main.name.as_str(), main.state), ("Main", TenantState::Active));
}

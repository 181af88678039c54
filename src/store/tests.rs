//! The promises of the store: all or nothing, once, in order, and back after a crash.

use std::sync::Arc;

use lectern_kernel::SystemClock;

use crate::{DataLock, Database, LockError, Migration, NewJob, StoreError, outbox, params, queue};

const NOTES: Migration =
    Migration { name: "test/0001", sql: "CREATE TABLE notes (a TEXT, b INTEGER) STRICT" };

fn database(dir: &tempfile::TempDir) -> Database {
    Database::open(&dir.path().join("t.db"), &[NOTES], Arc::new(SystemClock)).expect("opens")
}

#[test]
fn parameters_bind_by_number_not_by_place() {
    let dir = tempfile::tempdir().expect("folder");
    let db = database(&dir);
    db.write_now(|tx| tx.execute("INSERT INTO notes (b, a) VALUES ($2, $1)", params!["text", 7]))
        .expect("inserts");
    let row = db
        .read_now(|tx| {
            tx.query_one("SELECT a, b FROM notes", params![], |r| {
                Ok((r.get::<String>("a")?, r.get::<i64>("b")?))
            })
        })
        .expect("reads");
    assert_eq!(row, Some(("text".to_owned(), 7)));
}

#[test]
fn an_error_rolls_back_the_change_and_its_event() {
    let dir = tempfile::tempdir().expect("folder");
    let db = database(&dir);
    let mut events = db.subscribe();
    let outcome: Result<(), _> = db.write_now(|tx| {
        tx.execute("INSERT INTO notes (a, b) VALUES ('x', 1)", params![])?;
        outbox::push(tx, "note.created", "x", &1)?;
        Err(StoreError::Cancelled)
    });
    assert!(outcome.is_err());
    let left: Option<i64> =
        db.read_now(|tx| tx.scalar("SELECT count(*) FROM notes", params![])).expect("reads");
    assert_eq!(left, Some(0));
    assert!(events.try_recv().is_err());

    db.write_now(|tx| outbox::push(tx, "note.created", "y", &2)).expect("writes");
    assert_eq!(events.try_recv().expect("event after commit").subject, "y");
    assert_eq!(db.read_now(|tx| outbox::after(tx, 0, 10)).expect("reads").len(), 1);
}

#[test]
fn a_job_is_open_once_and_comes_back_after_a_crash() {
    let dir = tempfile::tempdir().expect("folder");
    let db = database(&dir);
    let job = NewJob { kind: "extract", subject: "doc", payload: serde_json::json!({"n": 1}) };
    assert!(db.write_now(|tx| queue::push(tx, &job)).expect("pushes"));
    assert!(!db.write_now(|tx| queue::push(tx, &job)).expect("pushes again"));
    let taken = db.write_now(queue::take).expect("takes").expect("a job");
    assert_eq!((taken.attempts, taken.payload["n"].as_i64()), (1, Some(1)));
    assert!(db.write_now(queue::take).expect("takes").is_none());
    assert_eq!(db.write_now(queue::recover).expect("recovers"), 1);
    let again = db.write_now(queue::take).expect("takes").expect("the same job");
    assert_eq!((again.id.clone(), again.attempts), (taken.id, 2));
    db.write_now(|tx| queue::finish(tx, &again.id)).expect("finishes");
    assert_eq!(db.write_now(queue::recover).expect("recovers"), 0);
}

#[test]
fn a_failed_migration_leaves_the_schema_and_a_newer_file_is_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("t.db");
    drop(database(&dir));
    let broken =
        Migration { name: "test/0002", sql: "CREATE TABLE more (a TEXT); CREATE TABLE notes (a TEXT)" };
    let error = Database::open(&path, &[NOTES, broken], Arc::new(SystemClock)).err().expect("fails");
    assert!(error.to_string().contains("test/0002"), "{error}");
    let db = database(&dir);
    assert!(
        db.read_now(|tx| tx.execute("SELECT * FROM more", params![])).is_err(),
        "nothing of the step is left"
    );
    drop(db);
    let error = Database::open(&path, &[], Arc::new(SystemClock)).err().expect("refused");
    assert!(error.to_string().contains("newer version"), "{error}");
    let copies = std::fs::read_dir(dir.path())
        .expect("lists")
        .filter(|e| e.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().contains("before-")));
    assert_eq!(copies.count(), 1, "a snapshot was made before the step");
}

#[test]
fn the_folder_has_one_holder() {
    let dir = tempfile::tempdir().expect("folder");
    let lock = DataLock::take(dir.path(), "https://here").expect("takes");
    match DataLock::take(dir.path(), "second") {
        Err(LockError::Held { holder, .. }) => assert!(holder.contains("https://here"), "{holder}"),
        other => panic!("{other:?}"),
    }
    drop(lock);
    DataLock::take(dir.path(), "second").expect("free again");
}

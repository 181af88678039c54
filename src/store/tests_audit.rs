//! The record of who did what: in the transaction, without secrets, provable, and forgetful where it must be.

use std::sync::Arc;

use lectern_kernel::{Actor, KeyId, Principal, Scope, SystemClock, TenantId, Timestamp, UserId};
use lectern_merkle::{Frontier, Hash};
use serde_json::{Value, json};

use crate::audit::{self, Change, Wanted};
use crate::{Database, StoreError, params};

fn database(dir: &tempfile::TempDir) -> Database {
    Database::open(&dir.path().join("t.db"), &[], Arc::new(SystemClock)).expect("opens")
}

fn somebody() -> (UserId, Scope) {
    let user = UserId::generate();
    let actor = Actor::Key { id: KeyId::generate() };
    let scope = Scope::granted(&Principal::unlimited(TenantId::main(), Some(user.clone()), actor));
    (user, scope.requested(Some("10.1.2.3".to_owned()), Some("req_1".to_owned())))
}

fn all(db: &Database, wanted: &Wanted) -> Vec<Value> {
    let kept = db.read_now(|tx| audit::list(tx, wanted, 100)).expect("reads");
    kept.iter().map(|k| serde_json::from_str(k.entry.as_deref().unwrap_or("null")).expect("JSON")).collect()
}

#[test]
fn an_entry_tells_who_what_from_where_and_no_secret() {
    let dir = tempfile::tempdir().expect("folder");
    let (db, (user, scope)) = (database(&dir), somebody());
    let before = json!({ "name": "old", "client_secret": "s3cret", "nested": [{ "password": "hunter2" }] });
    let after = json!({ "name": "new", "password": null });
    db.write_now(|tx| {
        audit::record(tx, &scope, Change::new("provider.changed", "idp_1").before(&before).after(&after))
    })
    .expect("writes");
    let entry = all(&db, &Wanted::default()).remove(0);
    assert_eq!((entry["actor"].as_str(), entry["address"].as_str()), (Some(user.as_str()), Some("10.1.2.3")));
    assert_eq!((&entry["request"], &entry["action"]), (&json!("req_1"), &json!("provider.changed")));
    assert_eq!((&entry["before"]["name"], &entry["after"]["name"]), (&json!("old"), &json!("new")));
    let text = entry.to_string();
    assert!(!text.contains("s3cret") && !text.contains("hunter2"), "{text}");
}

#[test]
fn what_is_rolled_back_is_not_in_the_record() {
    let dir = tempfile::tempdir().expect("folder");
    let (db, (_, scope)) = (database(&dir), somebody());
    let outcome: Result<(), _> = db.write_now(|tx| {
        audit::record(tx, &scope, Change::new("a.b", "x"))?;
        Err(StoreError::Cancelled)
    });
    assert!(outcome.is_err());
    db.write_now(|tx| audit::record(tx, &scope, Change::new("a.c", "y"))).expect("writes");
    let entries = all(&db, &Wanted::default());
    assert_eq!((entries.len(), &entries[0]["sequence"]), (1, &json!(0)));
}

#[test]
fn the_tree_goes_with_the_entries_also_after_some_were_forgotten() {
    let dir = tempfile::tempdir().expect("folder");
    let (db, (_, scope)) = (database(&dir), somebody());
    for n in 0..25 {
        let name = format!("thing_{n}");
        db.write_now(|tx| audit::record(tx, &scope, Change::new("thing.made", &name))).expect("writes");
    }
    let root = |db: &Database| {
        let kept = db.read_now(|tx| audit::from(tx, 0, 100)).expect("reads");
        let mut tree = Frontier::new();
        for entry in &kept {
            let leaf: Hash = entry.leaf.parse().expect("a hash");
            assert!(entry.entry.as_ref().is_none_or(|text| Hash::leaf(text.as_bytes()) == leaf));
            tree.append(leaf).expect("room");
        }
        (kept.len(), tree.root())
    };
    let frontier = db.read_now(audit::frontier).expect("reads");
    assert_eq!(root(&db), (25, frontier.root()));
    let forgotten = db.write_now(|tx| audit::forget_person(tx, "thing_3", &["thing_1"])).expect("forgets");
    assert_eq!(forgotten, 12, "thing_3, thing_1 and thing_10 to thing_19");
    assert_eq!(root(&db), (25, frontier.root()));
    db.write_now(|tx| audit::forget(tx, Timestamp(i64::MAX))).expect("forgets");
    assert_eq!(root(&db), (25, frontier.root()));
    assert!(all(&db, &Wanted::default()).iter().all(Value::is_null));
    db.write_now(|tx| {
        tx.execute("UPDATE audit_log SET leaf = $1 WHERE sequence = 7", params!["00".repeat(32)])
    })
    .expect("tampers");
    assert_ne!(root(&db).1, frontier.root());
}

#[test]
fn entries_are_found_by_person_action_area_object_time_and_text() {
    let dir = tempfile::tempdir().expect("folder");
    let (db, (ada, first), (_, second)) = (database(&dir), somebody(), somebody());
    let named = json!({ "name": "Pump 50%" });
    db.write_now(|tx| {
        audit::record(tx, &first, Change::new("key.created", "key_1").after(&named))?;
        audit::record(tx, &second, Change::new("key.revoked", "key_1"))?;
        audit::record(tx, &second, Change::new("keyring.opened", "key_2"))
    })
    .expect("writes");
    let some = |text: &str| Some(text.to_owned());
    let found = |wanted: Wanted| {
        let total = db.read_now(|tx| audit::count(tx, &wanted)).expect("counts");
        assert_eq!(total as usize, all(&db, &wanted).len());
        total
    };
    assert_eq!(found(Wanted { actor: some(ada.as_str()), ..Wanted::default() }), 1);
    assert_eq!(found(Wanted { action: some("key."), ..Wanted::default() }), 2);
    assert_eq!(found(Wanted { action: some("key.revoked"), ..Wanted::default() }), 1);
    assert_eq!(found(Wanted { action: some("key"), ..Wanted::default() }), 0);
    assert_eq!(found(Wanted { object: some("key_2"), ..Wanted::default() }), 1);
    assert_eq!(found(Wanted { text: some("pump 50%"), ..Wanted::default() }), 1);
    assert_eq!(found(Wanted { to: Some(Timestamp(5)), ..Wanted::default() }), 0);
    assert_eq!(found(Wanted { from: Some(Timestamp(5)), ..Wanted::default() }), 3);
    assert_eq!(all(&db, &Wanted { before: Some(1), ..Wanted::default() }).len(), 1);
}

//! Texts in pieces, rows and lists, on a real database. The way of a document is tested with the binary, in `tests/`.

use std::sync::Arc;

use lectern_extract::{Block, BlockKind, Extracted};
use lectern_kernel::{DocumentId, Sight, SystemClock};
use lectern_store::{Database, params, queue};

use crate::create::NewDocument;
use crate::store_list::Sort;
use crate::{ListParameters, MIGRATIONS, Status, store, store_list, store_text};

fn database() -> (tempfile::TempDir, Database) {
    let dir = tempfile::tempdir().expect("folder");
    let db = Database::open(&dir.path().join("data.db"), MIGRATIONS, Arc::new(SystemClock)).expect("opens");
    (dir, db)
}

fn new(name: &str) -> NewDocument {
    NewDocument {
        id: DocumentId::generate(),
        sha256: format!("{name:0>64}"),
        title: name.to_owned(),
        title_given: false,
        file_name: format!("{name}.txt"),
        kind: "txt".to_owned(),
        collection: None,
        tags: vec!["b".to_owned(), "a".to_owned()],
        source: name.to_owned(),
        size_bytes: 1,
        created_by: None,
    }
}

/// 100,000 code points of one to four bytes, in lines of 50.
fn long_text() -> Extracted {
    let line: String = "aß漢😀.".repeat(10);
    let blocks = (0..2000u32).map(|n| Block {
        kind: BlockKind::Paragraph,
        level: 0,
        start: n * 50,
        end: n * 50 + 50,
        page: Some(n / 40 + 1),
        label: None,
    });
    Extracted { text: line.repeat(2000), blocks: blocks.collect(), ..Extracted::default() }
}

#[test]
fn windows_of_a_long_text_are_exact_across_pieces() {
    let (_dir, db) = database();
    let (document, extracted) = (new("long"), long_text());
    let id = document.id.clone();
    let text = extracted.text.clone();
    db.write_now(|tx| {
        store::insert(tx, &document)?;
        store_text::put(tx, &id, &extracted)
    })
    .expect("writes");
    let all: Vec<char> = text.chars().collect();
    for (from, to) in [(0, 10), (32_760, 32_780), (32_767, 65_537), (99_990, 100_000), (40, 40)] {
        let window = db.read_now(|tx| store_text::window(tx, &id, from, to)).expect("reads");
        assert_eq!(window.text, all[from..to].iter().collect::<String>(), "{from}..{to}");
        assert!(window.blocks.iter().all(|b| (b.start as usize) < to && b.end as usize > from));
        assert_eq!(window.blocks.len(), (to - 1) / 50 - from / 50 + 1, "{from}..{to}");
        let slice = db.read_now(|tx| store_text::slice(tx, &id, from, to)).expect("reads");
        assert_eq!(slice, Some(window.text));
    }
    let whole = db.read_now(|tx| store_text::whole(tx, &id)).expect("reads").expect("a text");
    assert_eq!((whole.text, whole.blocks), (text, extracted.blocks));
}

#[test]
fn a_deletion_takes_text_tags_and_job_and_leaves_the_removal() {
    let (_dir, db) = database();
    let document = new("gone");
    let id = document.id.clone();
    db.write_now(|tx| {
        store::insert(tx, &document)?;
        store_text::put(tx, &id, &long_text())
    })
    .expect("writes");
    assert_eq!(db.write_now(|tx| store::delete(tx, &id)).expect("deletes"), Some(document.sha256.clone()));
    let left = |table: &str| {
        db.read_now(|tx| tx.scalar::<i64>(&format!("SELECT count(*) FROM {table}"), params![]))
            .expect("counts")
    };
    assert_eq!((left("document_text"), left("document_tags"), left("jobs")), (Some(0), Some(0), Some(1)));
    let job = db.write_now(queue::take).expect("takes").expect("a job");
    assert_eq!(
        (job.kind.as_str(), job.payload["sha256"].as_str()),
        (store::REMOVE_JOB, Some(document.sha256.as_str()))
    );
}

#[test]
fn a_further_copy_of_the_same_bytes_has_a_row_of_its_own() {
    let (_dir, db) = database();
    let (first, mut second) = (new("same"), new("same"));
    second.title = "other".to_owned();
    for document in [&first, &second] {
        db.write_now(|tx| store::insert(tx, document)).expect("inserts");
    }
    let hash =
        |id: &DocumentId| db.read_now(|tx| store::by_id(tx, id)).expect("reads").expect("there").sha256;
    assert_eq!((hash(&first.id), hash(&second.id)), (first.sha256.clone(), first.sha256.clone()));
    db.write_now(|tx| store::delete(tx, &first.id)).expect("deletes");
    assert!(db.read_now(|tx| store::has_content(tx, &first.sha256)).expect("reads"));
    // The one that was first may come again.
    db.write_now(|tx| store::insert(tx, &new("same"))).expect("inserts");
}

#[test]
fn a_document_without_job_gets_one_at_the_next_start() {
    let (_dir, db) = database();
    let document = new("lost");
    db.write_now(|tx| store::insert(tx, &document)).expect("inserts");
    db.write_now(|tx| queue::forget(tx, store::READ_JOB, document.id.as_str())).expect("loses");
    db.write_now(store::recover).expect("recovers");
    let job = db.write_now(queue::take).expect("takes").expect("a job");
    assert_eq!(job.subject, document.id.as_str());
}

#[test]
fn percent_signs_in_a_filter_are_letters() {
    let (_dir, db) = database();
    for name in ["100%", "1000", "a_b", "axb"] {
        db.write_now(|tx| store::insert(tx, &new(name))).expect("inserts");
    }
    let titles = |q: &str| {
        let list = ListParameters {
            q: Some(q.to_owned()),
            status: Some(Status::Queued),
            ..ListParameters::default()
        };
        let views = db
            .read_now(|tx| store_list::list(tx, &Sight::All, &list, (Sort::Title, None, 10)))
            .expect("lists");
        views.into_iter().map(|v| (v.title, v.tags)).collect::<Vec<_>>()
    };
    let tags = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(titles("0%"), [("100%".to_owned(), tags.clone())]);
    assert_eq!(titles("A_B"), [("a_b".to_owned(), tags)]);
}

#[test]
fn the_version_of_all_texts_follows_what_is_ready() {
    let (_dir, db) = database();
    let version = || db.read_now(store_text::version).expect("reads");
    let empty = version();
    let document = new("one");
    let id = document.id.clone();
    db.write_now(|tx| store::insert(tx, &document)).expect("inserts");
    assert_eq!(version(), empty, "a document that waits has no text yet");
    let found =
        store::Found { kind: "txt", title: None, language: None, pages: 0, characters: 7, image_pages: &[] };
    db.write_now(|tx| {
        store::set_extracted(tx, &id, &found)?;
        store_text::put(tx, &id, &Extracted { text: "seven  ".to_owned(), ..Extracted::default() })?;
        let job = queue::take(tx)?.expect("invariant: inserting queues the reading");
        store::set_ready(tx, &id, &job.id, 1)
    })
    .expect("becomes ready");
    assert_ne!(version(), empty);
    assert_eq!(db.read_now(store_text::readable).expect("reads"), [(id.clone(), 7)]);
    db.write_now(|tx| store::delete(tx, &id)).expect("deletes");
    assert_eq!(version(), empty);
}

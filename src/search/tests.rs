//! The index as a whole: writing, finding, deleting, crashing, checking.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::*;

fn meta(id: &str, title: &str) -> DocumentMeta {
    DocumentMeta {
        id: id.into(),
        title: title.into(),
        collection: Some("Main".into()),
        tags: vec!["red".into(), "Deep Blue".into()],
        format: "txt".into(),
        language: Some("en".into()),
        created: 1_700_000_000,
        readers: None,
    }
}

fn passages(text: &str) -> Vec<Passage> {
    split_passages(text, &[], Shape::default())
}

fn open(dir: &Path) -> SearchIndex {
    SearchIndex::open(dir, Options::default()).expect("opens")
}

fn request(text: &str) -> SearchRequest {
    SearchRequest { text: text.into(), limit: 10, facets: true, ..SearchRequest::default() }
}

fn found(index: &SearchIndex, text: &str) -> Vec<String> {
    let mut documents: Vec<String> =
        index.search(&request(text)).expect("searches").hits.into_iter().map(|hit| hit.document).collect();
    documents.sort();
    documents
}

fn small(dir: &Path) -> SearchIndex {
    let index = open(dir);
    index
        .add(
            &meta("d1", "Energy"),
            &passages("The oil embargo of 1973 raised prices. Drivers queued for hours."),
        )
        .unwrap();
    let german = DocumentMeta {
        language: Some("de".into()),
        format: "pdf".into(),
        collection: None,
        created: 0,
        ..meta("d2", "Häuser")
    };
    index.add(&german, &passages("Die alten Häuser der Straße wurden renoviert. Ölpreise stiegen.")).unwrap();
    let japanese = DocumentMeta { language: Some("ja".into()), tags: vec![], ..meta("d3", "旅行") };
    index.add(&japanese, &passages("私は東京都に行きました。猫がいました。")).unwrap();
    index.commit().unwrap();
    index
}

#[test]
fn the_query_language_finds_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    for (text, expected) in [
        ("embargoes", vec!["d1"]),
        ("\"oil embargo\"", vec!["d1"]),
        ("\"embargo oil\"", vec![]),
        ("embarg*", vec!["d1"]),
        ("embrago~", vec!["d1"]),
        ("haus", vec!["d2"]),
        ("strasse", vec!["d2"]),
        ("STRASSE AND oil", vec![]),
        ("strasse OR oil", vec!["d1", "d2"]),
        ("strasse oil", vec!["d1", "d2"]),
        ("(strasse OR oil) -drivers", vec!["d2"]),
        ("東京", vec!["d3"]),
        ("東京都に", vec!["d3"]),
        ("猫", vec!["d3"]),
        ("京都市", vec![]),
        ("title:energy", vec!["d1"]),
        ("type:pdf", vec!["d2"]),
        ("tag:\"deep blue\"", vec!["d1", "d2"]),
        ("collection:main", vec!["d1", "d3"]),
        ("language:de,ja", vec!["d2", "d3"]),
        ("date:2023", vec!["d1", "d3"]),
        ("date:..2000", vec!["d2"]),
        ("-oil", vec!["d2", "d3"]),
        ("", vec!["d1", "d2", "d3"]),
        ("the", vec!["d1"]),
        ("?!", vec![]),
    ] {
        assert_eq!(found(&index, text), expected, "{text}");
    }
}

#[test]
fn hits_carry_places_highlights_and_facets() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    let results = index.search(&request("raised prices")).unwrap();
    let hit = &results.hits[0];
    assert_eq!((hit.start, hit.page, hit.title.as_str()), (0, None, "Energy"));
    assert_eq!(hit.highlights, [[24, 30], [31, 37]]);
    assert_eq!(results.total, 1);
    let all = index.search(&request("")).unwrap();
    assert_eq!(all.facets.collections, [("Main".to_owned(), 2)]);
    assert_eq!(all.facets.tags, [("Deep Blue".to_owned(), 2), ("red".to_owned(), 2)]);
    assert_eq!(all.facets.languages.len(), 3);
}

#[test]
fn filters_narrow_the_query_itself() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    let only = |filter: Filter| {
        let request = SearchRequest { filters: vec![filter], ..request("") };
        index.search(&request).unwrap().total
    };
    assert_eq!(only(Filter::Document(vec!["d2".into(), "d3".into()])), 2);
    assert_eq!(only(Filter::Document(vec![])), 0);
    assert_eq!(only(Filter::Collection(vec!["MAIN ".into()])), 2);
    assert_eq!(only(Filter::Created { from: None, to: None }), 3);
    assert_eq!(only(Filter::Created { from: Some(1), to: None }), 2);
    let retrieval =
        index.retrieve("Where was the embargo?", &[Filter::Language(vec!["de".into()])], 5).unwrap();
    assert!(retrieval.passages.is_empty());
}

#[test]
fn pages_follow_by_cursor_and_foreign_cursors_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    for number in 0..25 {
        index
            .add(&meta(&format!("d{number:02}"), "T"), &passages(&format!("Report {number} on bees")))
            .unwrap();
    }
    index.commit().unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = index.search(&SearchRequest { cursor, ..request("bees") }).unwrap();
        assert_eq!(page.total, 25);
        seen.extend(page.hits.into_iter().map(|hit| hit.document));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    let first = index.search(&request("bees")).unwrap().next_cursor;
    for (text, cursor) in [("other", first), ("bees", Some("!!".into())), ("bees", Some("AAAA".into()))] {
        let refused = index.search(&SearchRequest { cursor, ..request(text) });
        assert!(matches!(refused, Err(SearchError::Cursor)));
    }
}

#[test]
fn writing_replaces_and_deleting_removes_with_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    index.add(&meta("d1", "Energy"), &passages("Now about honey.")).unwrap();
    index.delete("d2").unwrap();
    index.commit().unwrap();
    assert_eq!(found(&index, "embargo OR strasse"), Vec::<String>::new());
    assert_eq!(found(&index, "honey"), ["d1"]);
    assert_eq!(index.passages("d2").unwrap(), []);
    index.delete("d1").unwrap();
    index.add(&meta("d1", "Energy"), &passages("Back again.")).unwrap();
    index.commit().unwrap();
    assert_eq!(found(&index, "again"), ["d1"]);
    assert_eq!(found(&index, "honey"), Vec::<String>::new());
    index.clear().unwrap();
    assert_eq!(index.count(), 0);
}

#[test]
fn metadata_changes_without_the_text() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    let before = index.passages("d1").unwrap();
    let changed =
        DocumentMeta { collection: Some("Archive".into()), tags: vec!["new".into()], ..meta("d1", "Petrol") };
    assert_eq!(index.update_meta(&changed).unwrap(), 1);
    index.commit().unwrap();
    assert_eq!(index.passages("d1").unwrap(), before);
    assert_eq!(found(&index, "collection:archive title:petrol embargo"), ["d1"]);
    assert_eq!(index.passage("d1", 0).unwrap().unwrap().0, changed);
    assert_eq!(index.passage("d1", 9).unwrap(), None);
    assert_eq!(index.update_meta(&meta("absent", "x")).unwrap(), 0);
}

#[test]
fn reopening_keeps_what_was_committed_and_read_only_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    index.add(&meta("d4", "Lost"), &passages("never committed")).unwrap();
    drop(index);
    let index = SearchIndex::open_read_only(dir.path()).unwrap();
    assert_eq!(index.count(), 3);
    assert!(matches!(index.delete("d1"), Err(SearchError::ReadOnly)));
    assert!(SearchIndex::open_read_only(&dir.path().join("none")).is_err());
}

#[test]
fn one_writer_at_a_time_and_release_gives_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (small(dir.path()), open(dir.path()));
    assert!(matches!(second.delete("d1"), Err(SearchError::Locked(_))));
    first.release_writer().unwrap();
    second.delete("d1").unwrap();
    second.commit().unwrap();
    assert_eq!(second.count(), 2);
    second.close().unwrap();
    first.delete("d2").unwrap();
    first.commit().unwrap();
    assert_eq!(first.count(), 1);
}

#[test]
fn check_finds_missing_extra_and_orphans() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    let orphan = dir.path().join("00000000000000000000000000000000.store");
    std::fs::write(&orphan, b"left over").unwrap();
    let expected = [("d1", 1), ("d2", 7), ("d9", 1)];
    let report = index.check(&mut expected.iter().map(|(id, count)| ((*id).to_owned(), *count))).unwrap();
    assert_eq!(report.missing_documents, ["d2", "d9"]);
    assert_eq!(report.extra_documents, ["d3"]);
    assert_eq!((report.orphan_files.len(), report.orphan_bytes), (1, 9));
    assert_eq!(index.remove_orphans().unwrap(), (1, 9));
    assert!(!orphan.exists());
    let all = [("d1", 1), ("d2", 1), ("d3", 1)];
    let report = index.check(&mut all.iter().map(|(id, count)| ((*id).to_owned(), *count))).unwrap();
    assert!(report.is_clean() && report.documents == 3 && report.passages == 3 && report.bytes > 0);
    assert_eq!(found(&index, "embargo"), ["d1"]);
}

#[test]
fn a_damaged_folder_is_reported_and_can_be_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path()).close().unwrap();
    std::fs::write(dir.path().join("meta.json"), b"{broken").unwrap();
    assert!(matches!(SearchIndex::open(dir.path(), Options::default()), Err(SearchError::Damaged { .. })));
    let index = SearchIndex::recreate(dir.path(), Options::default()).unwrap();
    assert_eq!(index.count(), 0);
}

#[test]
fn answers_are_exact_sentences_with_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let text = "Über Bienen.\n\nBees live in hives. A hive holds about 50,000 bees in summer. Honey is sweet.\n\nThe oil embargo began in October 1973. It ended in 1974.";
    index.add(&meta("d1", "Notes"), &passages(text)).unwrap();
    index.add(&meta("d2", "Other"), &passages("Trains run on rails. The station opened in 1890.")).unwrap();
    index.commit().unwrap();
    let retrieval = index.retrieve("When did the oil embargo begin?", &[], 10).unwrap();
    let Answer::Found { sentences, .. } = answer(&retrieval, 3) else { panic!("answered") };
    assert_eq!(sentences[0].text, "The oil embargo began in October 1973.");
    for sentence in &sentences {
        let there: String = text
            .chars()
            .skip(sentence.start as usize)
            .take((sentence.end - sentence.start) as usize)
            .collect();
        assert!(retrieval.passages[sentence.passage].meta.id != "d1" || there == sentence.text);
    }
    let retrieval = index.retrieve("Who painted the ceiling of the Sistine Chapel?", &[], 10).unwrap();
    assert!(matches!(answer(&retrieval, 3), Answer::Refused { .. }));
    for odd in ["", "?", "the", "\u{0}", "когда?"] {
        let retrieval = index.retrieve(odd, &[], 3).unwrap();
        let _ = answer(&retrieval, 9);
    }
}

#[test]
fn any_typed_text_is_answered_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let index = small(dir.path());
    let mut random = testing::Random::new(41);
    for _ in 0..400 {
        let text = random.text(12);
        match index.search(&request(&text)) {
            Ok(_) | Err(SearchError::Query(_)) => {}
            Err(other) => panic!("{text:?}: {other}"),
        }
        index.retrieve(&text, &[], 5).unwrap();
    }
}

/// The child of the next test: writes and commits for ever.
#[test]
#[allow(clippy::disallowed_methods, reason = "the parent test passes the folder to its child process")]
fn writer_that_is_killed() {
    let Ok(dir) = std::env::var("LECTERN_SEARCH_KILLED") else { return };
    let index = open(Path::new(&dir));
    for number in 0.. {
        index
            .add(
                &meta(&format!("k{}", number % 50), "Killed"),
                &passages(&"A sentence of some words. ".repeat(400)),
            )
            .unwrap();
        if number % 3 == 0 {
            index.commit().unwrap();
        }
        std::fs::write(Path::new(&dir).join(".alive"), number.to_string()).unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_a_usable_index() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::writer_that_is_killed"])
            .env("LECTERN_SEARCH_KILLED", dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let alive = dir.path().join(".alive");
        let reached = |wanted: u32| {
            std::fs::read_to_string(&alive)
                .ok()
                .and_then(|n| n.parse::<u32>().ok())
                .is_some_and(|n| n >= wanted)
        };
        while !reached(20 + round * 7) {
            assert!(child.try_wait().unwrap().is_none(), "the writer ended by itself");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        std::fs::remove_file(&alive).unwrap();
        let index = open(dir.path());
        index.add(&meta("after", "After"), &passages("written after the kill")).unwrap();
        index.commit().unwrap();
        assert_eq!(found(&index, "\"after the kill\""), ["after"]);
        index.remove_orphans().unwrap();
        let documents = index.documents().unwrap();
        let report = index.check(&mut documents.into_iter()).unwrap();
        assert!(report.is_clean(), "{report:?}");
        index.close().unwrap();
    }
}

//! The store on a real folder: search against brute force, filters, crashes, compaction, the graph.

use std::sync::atomic::AtomicBool;

use crate::quantise::length;
use crate::{Query, VectorError, VectorStore};

const DIMENSIONS: usize = 32;

/// A pseudo-random unit vector: the same number gives the same one.
fn vector(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let raw: Vec<f32> = (0..DIMENSIONS).map(|_| next()).collect();
    let factor = 1.0 / length(&raw);
    raw.iter().map(|x| x * factor).collect()
}

fn open(dir: &tempfile::TempDir) -> VectorStore {
    VectorStore::open(dir.path(), DIMENSIONS).unwrap()
}

/// Documents `d0`, `d1` … of three passages with two sentences each.
fn fill(store: &VectorStore, documents: std::ops::Range<u64>) {
    for number in documents {
        let passages: Vec<Vec<Vec<f32>>> =
            (0..3).map(|p| (0..2).map(|s| vector(number * 10 + p * 2 + s)).collect()).collect();
        store.put(&format!("d{number}"), (number as i64, number), &passages, true).unwrap();
    }
}

fn ids(store: &VectorStore, query: &[f32], limit: usize) -> Vec<(String, u32)> {
    let found = store.nearest(&Query::new(query), limit, None).unwrap();
    found.into_iter().map(|near| (near.document.to_string(), near.ordinal)).collect()
}

#[test]
fn the_nearest_passage_is_the_one_with_the_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, 0..100);
    for number in [0u64, 41, 99] {
        let found = store.nearest(&Query::new(&vector(number * 10 + 3)), 5, None).unwrap();
        assert_eq!((&*found[0].document, found[0].ordinal), (format!("d{number}").as_str(), 1));
        assert!(found[0].best > 0.995 && found[0].best > found[0].mean);
        assert!(found.windows(2).all(|pair| pair[0].score() >= pair[1].score()));
        let sentences =
            store.sentences(&Query::new(&vector(number * 10 + 3)), &format!("d{number}"), 1).unwrap();
        assert!(sentences.len() == 2 && sentences[1] > 0.995 && sentences[0] < 0.9);
    }
    let query = Query::new(&vector(413));
    assert_eq!(store.compare(&query, "d41", 1).unwrap(), store.nearest(&query, 1, None).unwrap()[0]);
    assert!(store.compare(&query, "d41", 3).is_none() && store.compare(&query, "x", 0).is_none());
}

#[test]
fn filters_hold_and_removed_documents_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, 0..50);
    let query = Query::new(&vector(70));
    let odd = |id: &str| id[1..].parse::<u32>().unwrap() % 2 == 1;
    let found = store.nearest(&query, 1000, Some(&odd)).unwrap();
    assert_eq!(found.len(), 75);
    assert!(found.iter().all(|near| odd(&near.document)));
    assert!(store.nearest(&query, 10, Some(&|_| false)).unwrap().is_empty());
    store.remove("d7").unwrap();
    assert!(ids(&store, &vector(70), 1000).iter().all(|(id, _)| id != "d7"));
    drop(store);
    let store = open(&dir);
    assert_eq!((store.stats().passages, store.stats().dead), (147, 3));
    assert!(store.document("d7").is_none());
}

#[test]
fn a_document_goes_on_where_it_stopped_and_begins_anew_when_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.put("a", (1, 77), &[vec![vector(1)]], false).unwrap();
    drop(store);
    let store = open(&dir);
    store.put("a", (1, 77), &[vec![vector(2)], vec![]], true).unwrap();
    let state = store.document("a").unwrap();
    assert_eq!((state.passages, state.complete, state.stamp), (3, true, 1));
    store.restamp("a", 5).unwrap();
    drop(store);
    let store = open(&dir);
    assert_eq!(store.document("a").unwrap().stamp, 5);
    store.put("a", (6, 78), &[vec![vector(3)]], true).unwrap();
    assert_eq!(ids(&store, &vector(3), 9), [("a".to_owned(), 0)]);
}

#[test]
fn what_a_crash_left_half_written_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, 0..4);
    drop(store);
    let log = dir.path().join("log.1");
    let whole = std::fs::read(&log).unwrap();
    let vectors = std::fs::read(dir.path().join("passages.1")).unwrap();
    for cut in [whole.len() - 1, whole.len() - 20, 3, 0] {
        std::fs::write(&log, &whole[..cut]).unwrap();
        std::fs::write(dir.path().join("passages.1"), [&vectors[..], b"torn"].concat()).unwrap();
        let store = open(&dir);
        let documents = store.stats().documents as u64;
        assert!(documents < 4);
        fill(&store, documents..4);
        drop(store);
        let store = open(&dir);
        assert_eq!(store.stats().documents, 4);
        assert_eq!(ids(&store, &vector(34), 1), [("d3".to_owned(), 2)]);
    }
    // Vectors that are missing although the log names them: the documents before them stay.
    std::fs::write(dir.path().join("passages.1"), &vectors[..vectors.len() / 2]).unwrap();
    let store = open(&dir);
    assert_eq!(store.stats().documents, 2);
}

#[test]
fn compaction_keeps_what_lives() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, 0..60);
    (0..40).for_each(|number| store.remove(&format!("d{number}")).unwrap());
    store.put("open", (3, 4), &[vec![vector(5)]], false).unwrap();
    let before = ids(&store, &vector(505), 100);
    let bytes = store.stats().bytes;
    // What a compaction that was killed left.
    let leave = |name: &str| std::fs::write(dir.path().join(name), b"left").unwrap();
    ["sentences.2", "current.new", "graph-new.1", "model.json"].into_iter().for_each(leave);
    store.compact().unwrap();
    assert_eq!(ids(&store, &vector(505), 100), before);
    assert!(store.stats().bytes < bytes / 2 && store.stats().dead == 0);
    store.put("open", (3, 4), &[vec![vector(6)]], true).unwrap();
    drop(store);
    let store = open(&dir);
    assert_eq!(store.stats().documents, 21);
    assert_eq!(store.document("open").unwrap().passages, 2);
    let names = std::fs::read_dir(dir.path()).unwrap().flatten();
    let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    // Its own files of one generation, and the file that is not its own.
    assert_eq!(names, ["current.json", "log.2", "model.json", "passages.2", "sentences.2"]);
}

#[test]
fn the_graph_finds_what_the_scan_finds() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fill(&store, 0..800);
    let queries: Vec<Vec<f32>> = (0..40).map(|n| vector(1_000_000 + n)).collect();
    let exact: Vec<_> = queries.iter().map(|query| ids(&store, query, 10)).collect();
    let go_on = AtomicBool::new(false);
    store.maintain_above(1000, &AtomicBool::new(true)).unwrap();
    assert_eq!(store.stats().graph, 0, "told to stop");
    store.maintain_above(1000, &go_on).unwrap();
    assert_eq!(store.stats().graph, 2400);
    let hits: usize = queries
        .iter()
        .zip(&exact)
        .map(|(query, exact)| ids(&store, query, 10).iter().filter(|id| exact.contains(id)).count())
        .sum();
    assert!(hits >= 380, "{hits} of 400");
    // Rows behind the graph, filters, removals and a new start.
    fill(&store, 800..820);
    store.remove("d5").unwrap();
    drop(store);
    let store = open(&dir);
    assert_eq!(store.stats().graph, 2400);
    assert_eq!(ids(&store, &vector(8190), 1), [("d819".to_owned(), 0)]);
    let few = |id: &str| id == "d17";
    let found = store.nearest(&Query::new(&vector(9)), 10, Some(&few)).unwrap();
    assert_eq!(found.len(), 3);
    assert!(ids(&store, &vector(50), 200).iter().all(|(id, _)| id != "d5"));
    drop(store);
    // A damaged graph is not looked at.
    let path = dir.path().join("graph.1");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let store = open(&dir);
    assert_eq!(store.stats().graph, 0);
    assert_eq!(ids(&store, &vector(170), 1), [("d17".to_owned(), 0)]);
}

#[test]
fn another_size_of_vectors_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    assert!(matches!(
        store.put("a", (0, 0), &[vec![vec![1.0; 5]]], true),
        Err(VectorError::Dimensions { wanted: 32, found: 5 })
    ));
    assert!(store.nearest(&Query::new(&[1.0; 5]), 3, None).is_err());
    assert!(store.nearest(&Query::new(&[0.0; 32]), 3, None).unwrap().is_empty());
    drop(store);
    assert!(matches!(VectorStore::open(dir.path(), 33), Err(VectorError::Foreign { .. })));
    std::fs::write(dir.path().join("current.json"), b"{").unwrap();
    assert!(matches!(VectorStore::open(dir.path(), 32), Err(VectorError::Foreign { .. })));
}

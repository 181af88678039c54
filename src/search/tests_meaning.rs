//! Words and meaning together, with a table in place of a model; and questions that lean on a context.

use crate::{
    Answer, Closeness, DocumentMeta, Filter, Meaning, Near, Options, SearchIndex, SearchRequest, Shape,
    Wanted, answer, is_plain, split_passages,
};

/// Nearness of documents, their first passage meant.
struct Table(Vec<(&'static str, f32)>);

impl Table {
    fn of(&self, document: &str) -> Option<f32> {
        self.0.iter().find(|(id, _)| *id == document).map(|(_, near)| *near)
    }
}

impl Meaning for Table {
    fn nearest(&self, limit: usize, allowed: Option<&dyn Fn(&str) -> bool>) -> Vec<Near> {
        let near = |(id, near): &(&'static str, f32)| Near {
            document: (*id).to_owned(),
            ordinal: 0,
            closeness: Closeness { best: *near, mean: *near },
        };
        self.0
            .iter()
            .filter(|(id, _)| allowed.is_none_or(|allowed| allowed(id)))
            .map(near)
            .take(limit)
            .collect()
    }

    fn closeness(&self, document: &str, ordinal: u32) -> Option<Closeness> {
        let near = self.of(document).filter(|_| ordinal == 0)?;
        Some(Closeness { best: near, mean: near })
    }

    fn sentences(&self, document: &str, _: u32) -> Option<Vec<f32>> {
        self.of(document).map(|near| vec![near; 3])
    }

    fn rerank(&self, _: &[&str]) -> Option<Vec<f32>> {
        None
    }
}

fn index(dir: &tempfile::TempDir, documents: &[(&str, &str)]) -> SearchIndex {
    let index = SearchIndex::open(dir.path(), Options::default()).unwrap();
    for (id, text) in documents {
        let meta = DocumentMeta {
            id: (*id).to_owned(),
            title: format!("Report {id}"),
            collection: Some(id[..1].to_owned()),
            format: "txt".to_owned(),
            language: Some("en".to_owned()),
            ..DocumentMeta::default()
        };
        index.add(&meta, &split_passages(text, &[], Shape::default())).unwrap();
    }
    index.commit().unwrap();
    index
}

const CARS: &[(&str, &str)] = &[
    ("a1", "The automobile left the factory in spring. It was red and fast."),
    ("a2", "The car was sold to a collector. The price was high."),
    ("b1", "Bees make honey in summer. The hive is full."),
];

fn ids(index: &SearchIndex, request: &SearchRequest, meaning: Option<&dyn Meaning>) -> (Vec<String>, u64) {
    let found = index.search_with(request, meaning).unwrap();
    (found.hits.into_iter().map(|hit| hit.document).collect(), found.total)
}

fn request(text: &str) -> SearchRequest {
    SearchRequest { text: text.to_owned(), limit: 10, ..SearchRequest::default() }
}

#[test]
fn meaning_adds_what_words_do_not_find_and_filters_hold() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, CARS);
    let near = Table(vec![("a1", 0.8), ("a2", 0.7), ("gone", 0.65), ("b1", 0.1)]);
    let meaning: Option<&dyn Meaning> = Some(&near);
    assert_eq!(ids(&index, &request("car"), None), (vec!["a2".to_owned()], 1));
    assert_eq!(ids(&index, &request("car"), meaning), (vec!["a2".to_owned(), "a1".to_owned()], 2));
    for operators in ["\"car\"", "car AND sold", "title:car", "car*", "-honey"] {
        assert!(!is_plain(operators), "{operators}");
        assert_eq!(ids(&index, &request(operators), meaning), ids(&index, &request(operators), None));
    }
    let filters = vec![Filter::Collection(vec!["b".to_owned()])];
    let narrowed = SearchRequest { filters: filters.clone(), ..request("honey") };
    assert_eq!(ids(&index, &narrowed, meaning).0, ["b1"]);
    let wanted = Wanted { question: "Which car?", filters: &filters, limit: 5, meaning, ..Wanted::default() };
    let found = index.find(&wanted).unwrap();
    assert!(found.passages.iter().all(|found| found.meta.id == "b1"));
    let wanted = Wanted { question: "Which vehicle?", limit: 5, meaning, ..Wanted::default() };
    let found = index.find(&wanted).unwrap();
    assert_eq!(found.passages[0].meta.id, "a1");
    let wanted = Wanted { meaning: None, ..wanted };
    assert!(index.find(&wanted).unwrap().passages.is_empty());
}

#[test]
fn pages_of_a_fused_list_have_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    let texts: Vec<(String, String)> = (0..450)
        .map(|n| {
            let word = if n % 3 == 0 { "automobile" } else { "car" };
            (format!("x{n}"), format!("The {word} number {n} was built. {}", "Again. ".repeat(n % 7)))
        })
        .collect();
    let documents: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let index = index(&dir, &documents);
    let near = Table(vec![("x0", 0.9), ("x1", 0.8), ("x3", 0.7), ("x449", 0.6), ("x6", 0.2)]);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = SearchRequest { limit: 37, cursor, ..request("car") };
        let found = index.search_with(&page, Some(&near)).unwrap();
        assert_eq!(found.total, 302, "300 by the word, two more by meaning that are near enough");
        seen.extend(found.hits.into_iter().map(|hit| hit.document));
        cursor = found.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 302);
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 302);
    assert!(seen[..5].contains(&"x0".to_owned()) && seen[..5].contains(&"x1".to_owned()));
    assert!(!seen.contains(&"x6".to_owned()));
}

#[test]
fn without_vectors_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(&dir, CARS);
    let empty = Table(Vec::new());
    for question in ["What was the price of the car?", "honey", "Who built it?"] {
        let plain = index.retrieve(question, &[], 5).unwrap();
        let wanted = Wanted { question, limit: 5, meaning: Some(&empty), ..Wanted::default() };
        let with = index.find(&wanted).unwrap();
        let order = |found: &crate::Retrieval| {
            found.passages.iter().map(|found| (found.meta.id.clone(), found.score)).collect::<Vec<_>>()
        };
        assert_eq!(order(&plain), order(&with), "{question}");
        assert_eq!(answer(&plain, 3), answer(&with, 3), "{question}");
    }
}

#[test]
fn a_context_finds_passages_and_leaves_the_choice_of_sentences_to_the_question() {
    let dir = tempfile::tempdir().unwrap();
    let index = index(
        &dir,
        &[
            (
                "a1",
                "The Eiffel Tower stands in Paris. The Eiffel Tower is the pride of the Eiffel family. It was built in 1889 by \
                 a company. Many visit the Eiffel Tower.",
            ),
            ("b1", "The bridge was built in 1932. It was built by hand and built well."),
        ],
    );
    let alone = Wanted { question: "When was it built?", limit: 5, ..Wanted::default() };
    assert_eq!(index.find(&alone).unwrap().passages[0].meta.id, "b1");
    let leaning = Wanted { context: Some("Eiffel Tower"), ..alone };
    let found = index.find(&leaning).unwrap();
    assert_eq!(found.passages[0].meta.id, "a1");
    let Answer::Found { sentences, .. } = answer(&found, 1) else { panic!("answered") };
    assert_eq!(sentences[0].text, "It was built in 1889 by a company.");
}

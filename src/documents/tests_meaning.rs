//! Vectors of documents on a real store and index, with tiny models (tests/fixtures/text-models): made in the
//! background, going on after a stop, dropped with their document, made anew for another model.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lectern_inference::{Embedder, MeaningBank, Reranker, TextModelError};
use lectern_kernel::ports::{Report, Retrieve, RetrieveRequest};
use lectern_kernel::{DocumentId, Scope, SystemClock, TenantId};
use lectern_search::{Shape, split_passages};
use lectern_store::{Stores, queue};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::create::NewDocument;
use crate::tenant::Tenant;
use crate::testing::Person;
use crate::{
    Access, AccessEntry, Documents, Limits, MIGRATIONS, May, SearchParameters, SetCollectionAccess,
    SetDocumentAccess, access, change, embedding, store,
};

/// Two models of which one is chosen. Stops a worker after so many looks at the choice.
struct Bank {
    chosen: Mutex<Option<&'static str>>,
    rerank: bool,
    looks: AtomicU32,
    stop_after: AtomicU32,
    stop: Arc<AtomicBool>,
    /// Models that can be loaded.
    there: Mutex<Vec<&'static str>>,
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/text-models").join(name)
}

impl MeaningBank for Bank {
    fn embedding_model(&self) -> Option<String> {
        if self.looks.fetch_add(1, Ordering::Relaxed) >= self.stop_after.load(Ordering::Relaxed) {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.chosen.lock().map(|name| format!("{name}@1"))
    }

    fn embedder(&self) -> Result<Option<Arc<Embedder>>, TextModelError> {
        let chosen = *self.chosen.lock();
        chosen.map(|name| Embedder::load(&fixture(name)).map(Arc::new)).transpose()
    }

    fn reranker(&self) -> Result<Option<Arc<Reranker>>, TextModelError> {
        self.rerank.then(|| Reranker::load(&fixture("reranker")).map(Arc::new)).transpose()
    }

    fn embedder_of(&self, model: &str) -> Result<Option<Arc<Embedder>>, TextModelError> {
        let name = model.trim_end_matches("@1");
        let there = self.there.lock().contains(&name);
        there.then(|| Embedder::load(&fixture(name)).map(Arc::new)).transpose()
    }
}

struct Site {
    documents: Documents,
    tenant: Arc<Tenant>,
    bank: Arc<Bank>,
    stop: Arc<AtomicBool>,
    _dir: tempfile::TempDir,
}

fn scope() -> Scope {
    Scope::system(TenantId::main())
}

fn open(dir: tempfile::TempDir, chosen: Option<&'static str>, rerank: bool) -> Site {
    let stores = Stores::open(dir.path(), &[], MIGRATIONS.to_vec(), Arc::new(SystemClock)).unwrap();
    let extractor = lectern_extract::Extractor::new(lectern_extract::PoolConfig::new(
        PathBuf::from("/nowhere"),
        dir.path().join("scratch"),
    ));
    let limits = Limits {
        max_upload_bytes: 1,
        keep_free_bytes: 0,
        writer_memory_bytes: 16 << 20,
        commit_time: Duration::from_millis(1),
        workers: 1,
        ocr: None,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let bank = Arc::new(Bank {
        chosen: Mutex::new(chosen),
        rerank,
        looks: AtomicU32::new(0),
        stop_after: AtomicU32::new(u32::MAX),
        stop: stop.clone(),
        there: Mutex::new(vec!["embedder-a", "embedder-b"]),
    });
    let documents =
        Documents::new(stores, extractor, limits, CancellationToken::new()).with_meaning(bank.clone());
    let tenant = documents.tenant(&scope()).unwrap();
    Site { documents, tenant, bank, stop, _dir: dir }
}

fn site(chosen: Option<&'static str>) -> Site {
    open(tempfile::tempdir().unwrap(), chosen, false)
}

impl Site {
    /// A ready document, as the pipeline leaves it.
    fn add(&self, title: &str, collection: &str, text: &str) -> DocumentId {
        let new = NewDocument {
            id: DocumentId::generate(),
            sha256: format!("{:0>64}", title.replace(' ', "")),
            title: title.to_owned(),
            title_given: true,
            file_name: "a.txt".to_owned(),
            kind: "txt".to_owned(),
            collection: Some(collection.to_owned()),
            tags: Vec::new(),
            source: "test".to_owned(),
            size_bytes: 1,
            created_by: None,
        };
        let id = new.id.clone();
        let passages = split_passages(text, &[], Shape { target: 10, max: 12, overlap: 0 });
        let db = &self.tenant.store.db;
        let found = store::Found {
            kind: "txt",
            title: None,
            language: Some("en"),
            pages: 1,
            characters: 9,
            image_pages: &[],
        };
        db.write_now(|tx| {
            access::enter(tx, scope().sight(), new.collection.as_deref())?;
            store::insert(tx, &new)?;
            store::set_extracted(tx, &id, &found).map(drop)
        })
        .unwrap();
        let meta = db.read_now(|tx| change::meta(tx, &store::by_id(tx, &id)?.unwrap())).unwrap();
        self.tenant.index().add(&meta, &passages).unwrap();
        self.tenant.index().commit().unwrap();
        db.write_now(|tx| {
            let job = queue::take(tx)?.unwrap();
            store::set_ready(tx, &id, &job.id, passages.len() as u64)
        })
        .unwrap();
        self.tenant.meaning.wake();
        id
    }

    /// Runs the worker until `done`.
    fn work(&self, done: impl Fn() -> bool) {
        self.stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            // Also when the assertion below fails: the scope waits for the worker.
            let _ended = Ended(self);
            scope.spawn(|| embedding::run(&self.tenant, self.bank.as_ref(), &self.stop));
            let started = Instant::now();
            while !done() && !self.stop.load(Ordering::Relaxed) {
                let slots = self.tenant.meaning.slots();
                let (done, total) = (slots.done, slots.total);
                let late = started.elapsed() > Duration::from_secs(60);
                assert!(!late, "the worker does not get there: {done} of {total} passages");
                std::thread::sleep(Duration::from_millis(2));
            }
        });
    }

    fn serves(&self, model: &str) -> bool {
        let slots = self.tenant.meaning.slots();
        let named = slots.serving.is_some_and(|space| space.model.starts_with(model));
        named && slots.building.is_none() && slots.done == slots.total
    }

    async fn search(&self, parameters: SearchParameters) -> Vec<String> {
        let found = self.documents.search(&scope(), parameters).await.unwrap();
        assert_eq!(found.total as usize, found.hits.len());
        found.hits.into_iter().map(|hit| hit.title).collect()
    }

    async fn in_use(&self) -> String {
        let report = self.documents.report(&scope()).await.unwrap();
        report["search"].as_str().unwrap().to_owned()
    }
}

/// Stops the worker when it is dropped.
struct Ended<'a>(&'a Site);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
        self.0.tenant.meaning.wake();
    }
}

fn query(q: &str) -> SearchParameters {
    SearchParameters { q: q.to_owned(), ..SearchParameters::default() }
}

#[tokio::test]
async fn other_words_of_the_same_meaning_are_found_and_operators_mean_words() {
    let site = site(Some("embedder-a"));
    site.add("Fleet", "cars", "The automobile was built. It is a vehicle.");
    site.add("Clinic", "health", "The physician is in. Ask the physician.");
    assert!(site.search(query("car")).await.is_empty(), "not embedded yet");
    assert_eq!(site.in_use().await, "bm25");
    site.work(|| site.serves("embedder-a"));
    assert_eq!(site.in_use().await, "BM25 + embedder-a");
    assert_eq!(site.search(query("car")).await, ["Fleet"]);
    assert_eq!(site.search(query("doctor")).await, ["Clinic"]);
    for words_only in ["\"car\"", "+car", "car*", "title:car", "car AND car", "car -physician"] {
        if lectern_search::is_plain(words_only) {
            continue;
        }
        assert!(site.search(query(words_only)).await.is_empty(), "{words_only}");
    }
    let filtered = SearchParameters { collection: Some("health".to_owned()), ..query("car") };
    assert!(site.search(filtered).await.is_empty(), "filters hold");
    let request = RetrieveRequest {
        question: "doctor".to_owned(),
        passages: 5,
        sentences: 2,
        ..RetrieveRequest::default()
    };
    let found = site.documents.retrieve(&scope(), request).await.unwrap();
    assert_eq!(found.passages[0].title, "Clinic");
    assert!(found.embed_ms.is_some());
}

#[tokio::test]
async fn work_that_was_stopped_goes_on_and_deleted_documents_lose_their_vectors() {
    let site = site(Some("embedder-a"));
    let text = "The pump holds oil and water for the engine in the year. ".repeat(200)
        + &"The train opened the station in the year of the river now. ".repeat(200);
    let long = site.add("Long", "c", &text);
    let all = site.tenant.index().passages(long.as_str()).unwrap().len();
    assert!(all > 60, "{all}");
    let known = || {
        let slots = site.tenant.meaning.slots();
        slots.building.or(slots.serving).and_then(|space| space.store.document(long.as_str()))
    };
    // The worker looks at the choice before every few sentences: it is stopped in the middle of the document.
    site.bank.stop_after.store(5, Ordering::Relaxed);
    site.work(|| false);
    let first = known().unwrap();
    assert!(!first.complete && (1..all).contains(&first.passages), "{first:?}");
    site.bank.stop_after.store(u32::MAX, Ordering::Relaxed);
    let Site { documents, tenant, bank, stop, _dir: folder } = site;
    drop((documents, tenant, bank, stop));
    // As after a new start of the process.
    let site = open(folder, Some("embedder-a"), false);
    site.work(|| site.serves("embedder-a"));
    // And after two more.
    let site = (0..2).fold(site, |site, _| {
        let Site { documents, tenant, bank, stop, _dir: folder } = site;
        drop((documents, tenant, bank, stop));
        let site = open(folder, Some("embedder-a"), false);
        site.bank.stop_after.store(1, Ordering::Relaxed);
        site.work(|| false);
        assert!(site.serves("embedder-a"), "what was complete serves again");
        site.bank.stop_after.store(u32::MAX, Ordering::Relaxed);
        site
    });
    let space = site.tenant.meaning.slots().serving.unwrap();
    let last = space.store.document(long.as_str()).unwrap();
    assert_eq!((last.complete, last.passages), (true, all));
    assert_eq!(space.store.stats().dead, 0, "what was there was not made again");

    let other = site.add("Other", "c", "Bees make honey in the hive.");
    site.work(|| site.serves("embedder-a") && space.store.document(other.as_str()).is_some());
    site.documents.delete(&scope(), &other).await.unwrap();
    assert!(space.store.document(other.as_str()).is_none());
    // Indexed again with the same text: known under its new time, nothing is made anew.
    site.tenant
        .store
        .db
        .write_now(|tx| {
            store::index_again(tx, &[long.to_string()])?;
            let job = queue::take(tx)?.unwrap();
            store::set_ready(tx, &long, &job.id, all as u64)
        })
        .unwrap();
    let stamp = || space.store.document(long.as_str()).unwrap().stamp;
    let before = stamp();
    site.tenant.meaning.wake();
    site.work(|| stamp() != before);
    assert_eq!(space.store.stats().dead, 1, "only the deleted passage");
}

#[tokio::test]
async fn another_model_is_made_ready_while_the_first_serves() {
    let site = site(Some("embedder-a"));
    site.add("Fleet", "c", "The automobile was built. It is a vehicle.");
    site.work(|| site.serves("embedder-a"));
    *site.bank.chosen.lock() = Some("embedder-b");
    // Stopped before it is complete: the first one's vectors still serve, with the first model.
    site.bank.looks.store(0, Ordering::Relaxed);
    site.bank.stop_after.store(0, Ordering::Relaxed);
    site.work(|| false);
    site.bank.stop_after.store(u32::MAX, Ordering::Relaxed);
    let slots = site.tenant.meaning.slots();
    assert!(slots.serving.is_some_and(|space| space.model == "embedder-a@1"));
    assert!(slots.building.is_some_and(|space| space.model == "embedder-b@1"));
    assert_eq!(site.in_use().await, "BM25 + embedder-a, embedding with embedder-b 0 %");
    assert_eq!(site.search(query("car")).await, ["Fleet"]);
    // Gone from the machine: by words, and by what is there of the new vectors.
    *site.bank.there.lock() = vec!["embedder-b"];
    assert!(site.search(query("car")).await.is_empty());
    assert_eq!(site.search(query("automobile")).await, ["Fleet"]);
    site.work(|| site.serves("embedder-b"));
    assert_eq!(site.in_use().await, "BM25 + embedder-b");
    assert_eq!(site.search(query("car")).await, ["Fleet"]);
    let folders = std::fs::read_dir(site.tenant.store.vectors()).unwrap().flatten();
    assert_eq!(folders.filter(|entry| entry.path().is_dir()).count(), 1);
    // No model any more: as if there had been none.
    *site.bank.chosen.lock() = None;
    site.work(|| site.tenant.meaning.slots().serving.is_none());
    assert_eq!(site.in_use().await, "bm25");
    assert!(site.search(query("car")).await.is_empty());
}

#[tokio::test]
async fn a_reranker_has_the_last_word_on_the_first_passages() {
    let site = open(tempfile::tempdir().unwrap(), Some("embedder-a"), true);
    site.add("Plain", "c", "The pump holds oil. The pump holds oil.");
    site.add("Chosen", "c", "The answer answer is in the oil.");
    site.work(|| site.serves("embedder-a"));
    let request = RetrieveRequest {
        question: "the pump oil".to_owned(),
        passages: 5,
        sentences: 2,
        ..RetrieveRequest::default()
    };
    let found = site.documents.retrieve(&scope(), request).await.unwrap();
    let titles: Vec<&str> = found.passages.iter().map(|passage| passage.title.as_str()).collect();
    assert_eq!(titles, ["Chosen", "Plain"]);
    assert!(found.passages[0].score >= found.passages[1].score);
}

#[tokio::test]
async fn meaning_finds_only_what_is_seen() {
    let site = site(Some("embedder-a"));
    site.add("Fleet", "cars", "The automobile was built. It is a vehicle.");
    let own = site.add("Own", "cars", "The automobile was sold. It is a vehicle.");
    site.work(|| site.serves("embedder-a"));
    let person = Person::new(&[]);
    let scope = person.scope();
    let titles = || async {
        let found = site.documents.search(&scope, query("car")).await.unwrap();
        assert_eq!(found.total as usize, found.hits.len());
        let mut titles: Vec<String> = found.hits.into_iter().map(|hit| hit.title).collect();
        titles.sort();
        let request =
            RetrieveRequest { question: "car".to_owned(), passages: 9, ..RetrieveRequest::default() };
        let retrieved = site.documents.retrieve(&scope, request).await.unwrap();
        let mut others: Vec<String> = retrieved.passages.into_iter().map(|passage| passage.title).collect();
        others.sort();
        assert_eq!(titles, others);
        titles
    };
    assert_eq!(titles().await, ["Fleet", "Own"]);
    let nobody = SetCollectionAccess { access: Access::Listed, entries: Vec::new() };
    site.documents.set_collection_access(&self::scope(), "cars", nobody).await.unwrap();
    assert_eq!(titles().await, [""; 0]);
    let entries = vec![AccessEntry { subject: person.user.to_string(), may: May::Read }];
    let set = Some(SetDocumentAccess { entries });
    site.documents.set_document_access(&self::scope(), &own, set).await.unwrap();
    assert_eq!(titles().await, ["Own"]);
    assert_eq!(site.search(query("car")).await.len(), 2);
    // How far the work is would tell of documents that are not seen.
    let shown = |report: serde_json::Value| report["search"].as_str().unwrap().to_owned();
    site.add("More", "cars", "Bees make honey in the hive.");
    site.tenant.meaning.progress(2, 3);
    assert_eq!(site.in_use().await, "BM25 + embedder-a, embedding 66 %");
    assert_eq!(shown(site.documents.report(&scope).await.unwrap()), "BM25 + embedder-a");
}

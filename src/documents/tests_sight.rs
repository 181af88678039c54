//! Random documents, collections, lists, groups and people: every way to see documents gives just what a simple model
//! says, before and after changes of lists.

use std::collections::{BTreeMap, BTreeSet};

use lectern_kernel::ports::{Filter, Report, Retrieve, RetrieveRequest};
use lectern_kernel::{Code, DocumentId, Error, GroupId, PageRequest, Scope};

use crate::testing::{Person, Random, Site, admin};
use crate::{
    Access, AccessEntry, BulkAction, BulkRequest, FacetCount, ListParameters, May, PatchDocument,
    SearchParameters, SetCollectionAccess, SetDocumentAccess, store_access,
};

const WORDS: &[&str] = &["alpha", "bravo", "carbon", "delta", "ember", "falcon", "granite", "harbor"];
const COLLECTIONS: &[&str] = &["Main", "main", "Board", "a/b ü%", "Plans"];
const TAGS: &[&str] = &["red", "blue", "grey"];

struct Doc {
    words: BTreeSet<&'static str>,
    collection: Option<&'static str>,
    tag: &'static str,
    own: Option<Vec<AccessEntry>>,
}

struct World {
    site: Site,
    random: Random,
    /// Entries of those that are listed; the others are for everyone.
    lists: BTreeMap<&'static str, Vec<AccessEntry>>,
    docs: BTreeMap<DocumentId, Doc>,
    people: Vec<Person>,
    subjects: Vec<String>,
}

fn counts(values: impl Iterator<Item = Option<String>>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    values.flatten().for_each(|value| *counts.entry(value).or_default() += 1);
    counts
}

fn by_value(facets: Vec<FacetCount>) -> BTreeMap<String, u64> {
    facets.into_iter().map(|facet| (facet.value, facet.count)).collect()
}

fn shown(error: &Error) -> (Code, String, Option<String>) {
    (error.code, error.detail.clone(), error.hint.clone())
}

impl World {
    async fn new(seed: u64) -> Self {
        let groups: Vec<GroupId> = (0..3).map(|_| GroupId::generate()).collect();
        let people: Vec<Person> =
            (0..4).map(|number| Person::new(&groups.iter().take(number).collect::<Vec<_>>())).collect();
        let subjects = people.iter().map(|person| person.user.to_string());
        let subjects = subjects.chain(groups.iter().map(ToString::to_string)).collect();
        let (site, random) = (Site::new(), Random::new(seed));
        let (lists, docs) = (BTreeMap::new(), BTreeMap::new());
        let mut world = Self { site, random, lists, docs, people, subjects };
        for _ in 0..25 {
            world.add().await;
        }
        for name in COLLECTIONS {
            world
                .site
                .tenant
                .store
                .db
                .write_now(|tx| store_access::add_collection(tx, name, Access::Everyone))
                .unwrap();
            world.share_collection(name).await;
        }
        world
    }

    fn entries(&mut self) -> Vec<AccessEntry> {
        let mut entries = BTreeMap::new();
        for _ in 0..self.random.below(4) {
            let may = *self.random.of(&[May::Read, May::Write]);
            entries.insert(self.random.of(&self.subjects).clone(), may);
        }
        entries.into_iter().map(|(subject, may)| AccessEntry { subject, may }).collect()
    }

    fn place(&mut self) -> Option<&'static str> {
        (self.random.below(4) > 0).then(|| *self.random.of(COLLECTIONS))
    }

    async fn add(&mut self) {
        let mut words: BTreeSet<&str> = BTreeSet::new();
        for _ in 0..=self.random.below(5) {
            words.insert(*self.random.of(WORDS));
        }
        let (collection, tag) = (self.place(), *self.random.of(TAGS));
        let text = words.iter().copied().collect::<Vec<_>>().join(" ") + ".";
        let mut new = Site::new_document("Document", collection);
        new.tags = vec![tag.to_owned()];
        let id = self.site.add_new(new, &text);
        self.docs.insert(id.clone(), Doc { words, collection, tag, own: None });
        if self.random.below(3) == 0 {
            self.share(&id).await;
        }
    }

    async fn share(&mut self, id: &DocumentId) {
        let own = (self.random.below(4) > 0).then(|| self.entries());
        let set = own.clone().map(|entries| SetDocumentAccess { entries });
        self.site.documents.set_document_access(&admin(), id, set).await.unwrap();
        self.docs.get_mut(id).unwrap().own = own;
    }

    async fn share_collection(&mut self, name: &'static str) {
        let entries = (self.random.below(3) > 0).then(|| self.entries());
        let access = if entries.is_some() { Access::Listed } else { Access::Everyone };
        let set = SetCollectionAccess { access, entries: entries.clone().unwrap_or_default() };
        self.site.documents.set_collection_access(&admin(), name, set).await.unwrap();
        self.lists.remove(name);
        self.lists.extend(entries.map(|entries| (name, entries)));
    }

    async fn change(&mut self) {
        let ids: Vec<DocumentId> = self.docs.keys().cloned().collect();
        let id = self.random.of(&ids).clone();
        match self.random.below(6) {
            0 | 1 => self.share(&id).await,
            2 => {
                let name = *self.random.of(COLLECTIONS);
                self.share_collection(name).await;
            }
            3 => {
                let place = self.place();
                let collection = Some(place.map(str::to_owned));
                let patch = PatchDocument { collection, ..PatchDocument::default() };
                self.site.documents.patch(&admin(), &id, patch).await.unwrap();
                self.docs.get_mut(&id).unwrap().collection = place;
            }
            4 => {
                self.site.documents.delete(&admin(), &id).await.unwrap();
                self.docs.remove(&id);
            }
            _ => self.add().await,
        }
    }

    fn rule(&self, name: &str, ids: &[String]) -> Option<May> {
        match self.lists.get(name) {
            None => Some(May::Write),
            Some(entries) => most(entries, ids),
        }
    }

    fn may(&self, doc: &Doc, ids: &[String]) -> Option<May> {
        match (&doc.own, doc.collection) {
            (Some(entries), _) => most(entries, ids),
            (None, Some(name)) => self.rule(name, ids),
            (None, None) => Some(May::Write),
        }
    }

    async fn check_all(&self) {
        for person in &self.people {
            let (scope, ids) = (person.scope(), person.ids());
            let seen = self.docs.iter().filter(|(_, doc)| self.may(doc, &ids).is_some());
            let seen: BTreeMap<&DocumentId, &Doc> = seen.collect();
            self.check_lists(&scope, &seen, &ids).await;
            self.check_documents(&scope, &ids).await;
            self.check_search(&scope, &seen).await;
        }
        let all: BTreeMap<&DocumentId, &Doc> = self.docs.iter().collect();
        self.check_search(&admin(), &all).await;
    }

    async fn check_lists(&self, scope: &Scope, seen: &BTreeMap<&DocumentId, &Doc>, ids: &[String]) {
        let documents = &self.site.documents;
        let (mut listed, mut cursor) = (BTreeSet::new(), None);
        loop {
            let parameters = ListParameters { limit: Some(7), cursor, ..ListParameters::default() };
            let page = documents.list(scope, parameters).await.unwrap();
            assert_eq!(page.total, seen.len() as u64);
            listed.extend(page.items.into_iter().map(|view| view.id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(listed.iter().collect::<Vec<_>>(), seen.keys().copied().collect::<Vec<_>>());
        let facets = documents.facets(scope).await.unwrap();
        let places = counts(seen.values().map(|doc| doc.collection.map(str::to_owned)));
        assert_eq!(by_value(facets.collections), places);
        assert_eq!(by_value(facets.tags), counts(seen.values().map(|doc| Some(doc.tag.to_owned()))));
        assert_eq!(facets.statuses.iter().map(|facet| facet.count).sum::<u64>(), seen.len() as u64);
        let report = documents.report(scope).await.unwrap();
        assert_eq!(report["documents"]["total"].as_u64(), Some(seen.len() as u64));
        assert_eq!(report["documents"]["passages"].as_u64(), Some(seen.len() as u64));
        for name in COLLECTIONS {
            let list = ListParameters { collection: Some((*name).to_owned()), ..ListParameters::default() };
            let total = documents.list(scope, list).await.unwrap().total;
            assert_eq!(total, places.get(*name).copied().unwrap_or(0));
        }
        let expected = COLLECTIONS.iter().filter_map(|name| {
            let may = self.rule(name, ids)?;
            Some(((*name).to_owned(), may, places.get(*name).copied().unwrap_or(0)))
        });
        let found = documents.collections(scope, PageRequest::default()).await.unwrap();
        let found = found.items.into_iter().map(|view| (view.name, view.may, view.documents));
        assert_eq!(found.collect::<BTreeSet<_>>(), expected.collect());
    }

    async fn check_documents(&self, scope: &Scope, ids: &[String]) {
        let (documents, never) = (&self.site.documents, DocumentId::generate());
        let missing = documents.get(scope, &never).await.expect_err("never was");
        for (id, doc) in &self.docs {
            let may = self.may(doc, ids);
            let (get, text) = (documents.get(scope, id).await, documents.text(scope, id, 0, None).await);
            let (original, access) =
                (documents.original(scope, id).await, documents.document_access(scope, id).await);
            let quote = documents.quote(scope, id, 0, 3).await.unwrap();
            assert_eq!((get.is_ok(), quote.is_some()), (may.is_some(), may.is_some()));
            for refused in [get.err(), text.err(), original.err(), access.err()] {
                let expected = may.is_none().then(|| shown(&missing));
                assert_eq!(refused.as_ref().map(shown), expected);
            }
            let (id, none) = (id.to_string(), never.to_string());
            let tags = vec![doc.tag.to_owned()];
            let request =
                BulkRequest { action: BulkAction::AddTags, ids: vec![id, none], collection: None, tags };
            let results = documents.bulk(scope, request).await.unwrap().results;
            let problem = results[0].problem.as_deref();
            match may {
                Some(May::Write) => assert!(results[0].ok),
                Some(May::Read) => {
                    assert_eq!(problem, Some("You may read this document, but not change it."));
                }
                None => assert_eq!(problem, results[1].problem.as_deref()),
            }
        }
    }

    async fn check_search(&self, scope: &Scope, seen: &BTreeMap<&DocumentId, &Doc>) {
        for word in WORDS.iter().copied().chain(["", "title:document", "-alpha", "f*"]) {
            let fits = |doc: &Doc| match word {
                "" | "title:document" => true,
                "-alpha" => !doc.words.contains("alpha"),
                "f*" => doc.words.contains("falcon"),
                word => doc.words.contains(word),
            };
            let expected: BTreeMap<_, _> = seen.iter().filter(|(_, doc)| fits(doc)).collect();
            let parameters = SearchParameters {
                q: word.to_owned(),
                limit: Some(100),
                facets: true,
                ..SearchParameters::default()
            };
            let found = self.site.documents.search(scope, parameters).await.unwrap();
            assert_eq!(found.total, expected.len() as u64, "{word}");
            let hits: BTreeSet<DocumentId> = found.hits.into_iter().map(|hit| hit.document).collect();
            assert_eq!(hits.iter().collect::<Vec<_>>(), expected.keys().map(|id| **id).collect::<Vec<_>>());
            let places = counts(expected.values().map(|doc| doc.collection.map(str::to_owned)));
            assert_eq!(by_value(found.facets.collections), places);
            let tags = counts(expected.values().map(|doc| Some(doc.tag.to_owned())));
            assert_eq!(by_value(found.facets.tags), tags);
            if WORDS.contains(&word) {
                self.check_retrieval(scope, word, expected.keys().map(|id| (**id).clone()).collect()).await;
            }
        }
    }

    async fn check_retrieval(&self, scope: &Scope, word: &str, expected: BTreeSet<DocumentId>) {
        let request = RetrieveRequest {
            question: word.to_owned(),
            passages: 100,
            sentences: 9,
            ..RetrieveRequest::default()
        };
        let found = self.site.documents.retrieve(scope, request.clone()).await.unwrap();
        let passages: BTreeSet<DocumentId> =
            found.passages.iter().map(|passage| passage.document.clone()).collect();
        assert_eq!(passages, expected, "{word}");
        assert!(found.sentences.iter().all(|sentence| sentence.passage < found.passages.len()));
        // Asking only a document that is not seen finds nothing.
        let Some(hidden) = self.docs.keys().find(|id| !expected.contains(*id)) else { return };
        let filter = Filter { document: Some(hidden.clone()), ..Filter::default() };
        let found = self.site.documents.retrieve(scope, RetrieveRequest { filter, ..request }).await.unwrap();
        assert!(found.passages.is_empty() && found.sentences.is_empty());
    }
}

fn most(entries: &[AccessEntry], ids: &[String]) -> Option<May> {
    entries.iter().filter(|entry| ids.contains(&entry.subject)).map(|entry| entry.may).max()
}

#[tokio::test]
async fn every_way_of_seeing_agrees_with_the_model() {
    for seed in [3, 17, 1973] {
        let mut world = World::new(seed).await;
        world.check_all().await;
        for _ in 0..4 {
            for _ in 0..3 {
                world.change().await;
            }
            world.check_all().await;
        }
    }
}

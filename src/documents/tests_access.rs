//! Access lists: what each rule does, that changes hold at once, and that nothing tells of a document that is not seen.
//! That all ways of seeing agree is in `tests_sight`, the answers of the API in `tests_routes`.

use std::sync::Arc;

use futures_util::StreamExt;
use lectern_kernel::ports::{Retrieve, SiteText};
use lectern_kernel::{Code, DocumentId, Error, GroupId, PageRequest, Scope, SystemClock, UserId};
use lectern_store::{Database, params, queue};

use crate::testing::{Person, Site, admin};
use crate::{
    Access, AccessEntry, BulkAction, BulkRequest, MIGRATIONS, May, NewCollection, PatchDocument,
    RetryRequest, SearchParameters, SetCollectionAccess, SetDocumentAccess, Status, store, store_access,
};

fn entry(subject: impl ToString, may: May) -> AccessEntry {
    AccessEntry { subject: subject.to_string(), may }
}

fn listed(entries: Vec<AccessEntry>) -> SetCollectionAccess {
    SetCollectionAccess { access: Access::Listed, entries }
}

fn own(entries: Vec<AccessEntry>) -> SetDocumentAccess {
    SetDocumentAccess { entries }
}

fn moved(collection: Option<&str>) -> PatchDocument {
    PatchDocument { collection: Some(collection.map(str::to_owned)), ..PatchDocument::default() }
}

impl Site {
    async fn restrict(&self, collection: &str, entries: Vec<AccessEntry>) {
        self.documents.set_collection_access(&admin(), collection, listed(entries)).await.unwrap();
    }

    async fn found(&self, scope: &Scope, q: &str) -> Vec<String> {
        let parameters = SearchParameters { q: q.to_owned(), facets: true, ..SearchParameters::default() };
        let found = self.documents.search(scope, parameters).await.unwrap();
        assert_eq!(found.total as usize, found.hits.len());
        let mut titles: Vec<String> = found.hits.into_iter().map(|hit| hit.title).collect();
        titles.sort();
        titles
    }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (Code, String) {
    let error = outcome.expect_err("refused");
    (error.code, error.detail)
}

fn gone() -> (Code, String) {
    (Code::NotFound, "There is no such document.".to_owned())
}

#[tokio::test]
async fn a_list_of_its_own_takes_the_place_of_the_collections_rule() {
    let (site, group) = (Site::new(), GroupId::generate());
    let (anna, ben, none) = (Person::new(&[&group]), Person::new(&[]), Person::new(&[]));
    site.add("Open", None, "alpha");
    site.add("Plain", Some("Plain"), "alpha");
    site.add("Secret", Some("Secret"), "alpha");
    let single = site.add("Single", Some("Secret"), "alpha");
    site.restrict("Secret", vec![entry(&group, May::Read)]).await;
    let set = Some(own(vec![entry(&ben.user, May::Write)]));
    site.documents.set_document_access(&admin(), &single, set).await.unwrap();
    assert_eq!(site.found(&admin(), "alpha").await, ["Open", "Plain", "Secret", "Single"]);
    assert_eq!(site.found(&anna.scope(), "alpha").await, ["Open", "Plain", "Secret"]);
    assert_eq!(site.found(&ben.scope(), "alpha").await, ["Open", "Plain", "Single"]);
    assert_eq!(site.found(&none.scope(), "alpha").await, ["Open", "Plain"]);
    // Nobody is in the list: only those see it who see all.
    site.documents.set_document_access(&admin(), &single, Some(own(Vec::new()))).await.unwrap();
    assert_eq!(site.found(&ben.scope(), "alpha").await, ["Open", "Plain"]);
    assert_eq!(site.found(&admin(), "single").await, ["Single"]);
    site.documents.set_document_access(&admin(), &single, None).await.unwrap();
    assert_eq!(site.found(&anna.scope(), "single").await, ["Single"]);
    let access = site.documents.document_access(&anna.scope(), &single).await.unwrap();
    assert_eq!((access.own, access.access, access.entries.len()), (false, Access::Listed, 1));
    // A collection called almost the same is another one.
    site.add("Lower", Some("secret"), "alpha");
    assert_eq!(site.found(&none.scope(), "alpha").await, ["Lower", "Open", "Plain"]);
}

#[tokio::test]
async fn who_may_read_cannot_change_and_who_does_not_see_hears_nothing() {
    let site = Site::new();
    let (reader, writer, stranger) = (Person::new(&[]), Person::new(&[]), Person::new(&[]));
    let id = site.add("Plan", Some("Board"), "alpha");
    site.restrict("Board", vec![entry(&reader.user, May::Read), entry(&writer.user, May::Write)]).await;
    let retag = || PatchDocument { tags: Some(vec!["x".to_owned()]), ..PatchDocument::default() };
    for (person, expected) in [
        (&reader, (Code::Forbidden, "You may read this document, but not change it.".to_owned())),
        (&stranger, gone()),
    ] {
        let (docs, scope) = (&site.documents, person.scope());
        assert_eq!(refusal(docs.patch(&scope, &id, retag()).await), expected);
        assert_eq!(refusal(docs.patch(&scope, &id, moved(None)).await), expected);
        assert_eq!(refusal(docs.delete(&scope, &id).await), expected);
        assert_eq!(refusal(docs.set_document_access(&scope, &id, None).await), expected);
        let request = RetryRequest { password: Some("x".to_owned()) };
        assert_eq!(refusal(docs.retry(&scope, &id, request).await), expected);
        for action in [BulkAction::Delete, BulkAction::Retry, BulkAction::SetCollection, BulkAction::AddTags]
        {
            let (ids, tags) = (vec![id.to_string()], vec!["x".to_owned()]);
            let request = BulkRequest { action, ids, collection: None, tags };
            let results = docs.bulk(&scope, request).await.unwrap().results;
            assert_eq!((results[0].ok, results[0].problem.as_deref()), (false, Some(&*expected.1)));
        }
        assert_eq!(refusal(docs.check_index(&scope, false).await).0, Code::Forbidden);
        assert_eq!(refusal(docs.rebuild_index(&scope).await).0, Code::Forbidden);
    }
    assert!(site.documents.get(&stranger.scope(), &id).await.is_err());
    assert_eq!(site.documents.patch(&writer.scope(), &id, retag()).await.unwrap().tags, ["x"]);
    site.documents.delete(&writer.scope(), &id).await.unwrap();
}

#[tokio::test]
async fn nobody_puts_documents_where_they_may_not_write() {
    let site = Site::new();
    let (reader, stranger) = (Person::new(&[]), Person::new(&[]));
    let id = site.add("Note", None, "alpha");
    site.add("Plan", Some("Board"), "alpha");
    site.restrict("Board", vec![entry(&reader.user, May::Read)]).await;
    let refused = (Code::Forbidden, "You cannot put documents into this collection.".to_owned());
    for person in [&reader, &stranger] {
        let scope = person.scope();
        assert_eq!(refusal(site.documents.patch(&scope, &id, moved(Some("Board"))).await), refused);
        let upload = site.incoming("new bytes", &[("collection", "Board")]);
        assert_eq!(refusal(site.documents.create(&scope, upload).await), refused);
    }
    let view = site.documents.patch(&stranger.scope(), &id, moved(Some("Fresh"))).await.unwrap();
    assert_eq!(view.collection.as_deref(), Some("Fresh"));
    let names = site.documents.collections(&stranger.scope(), PageRequest::default()).await.unwrap();
    assert_eq!(
        names.items.iter().map(|c| (c.name.as_str(), c.documents)).collect::<Vec<_>>(),
        [("Fresh", 1)]
    );
    // Its own list lets one write; the collection that it stays in does not matter.
    let plan = site.add("Own", Some("Board"), "beta");
    let set = Some(own(vec![entry(&stranger.user, May::Write)]));
    site.documents.set_document_access(&admin(), &plan, set).await.unwrap();
    let same = PatchDocument { title: Some("Renamed".to_owned()), ..moved(Some("Board")) };
    assert_eq!(site.documents.patch(&stranger.scope(), &plan, same).await.unwrap().title, "Renamed");
}

#[tokio::test]
async fn the_same_bytes_are_new_to_those_who_do_not_see_them() {
    let site = Site::new();
    let (anna, ben) = (Person::new(&[]), Person::new(&[]));
    let upload = |bytes: &str| site.incoming(bytes, &[]);
    let (first, created) = site.documents.create(&anna.scope(), upload("same")).await.unwrap();
    assert!(created);
    let set = Some(own(vec![entry(&anna.user, May::Write)]));
    site.documents.set_document_access(&anna.scope(), &first.id, set).await.unwrap();
    let (second, created) = site.documents.create(&ben.scope(), upload("same")).await.unwrap();
    assert!(created && second.id != first.id);
    assert_eq!((second.sha256.as_str(), second.status), (first.sha256.as_str(), Status::Queued));
    let again = site.documents.create(&ben.scope(), upload("same")).await.unwrap();
    assert_eq!((again.0.id, again.1), (second.id.clone(), false));
    let again = site.documents.create(&anna.scope(), upload("same")).await.unwrap();
    assert_eq!((again.0.id, again.1), (first.id.clone(), false), "the oldest that is seen");
    // The bytes stay while anybody's document has them.
    let (_, path) = site.documents.original(&ben.scope(), &second.id).await.unwrap();
    site.documents.delete(&anna.scope(), &first.id).await.unwrap();
    assert!(path.exists());
    let (third, created) = site.documents.create(&admin(), upload("same")).await.unwrap();
    assert_eq!((third.id, created), (second.id.clone(), false));
    site.documents.delete(&ben.scope(), &second.id).await.unwrap();
    assert!(!path.exists());
    assert!(site.documents.create(&anna.scope(), upload("same")).await.unwrap().1);
}

#[tokio::test]
async fn between_database_and_index_nobody_sees_what_was_hidden() {
    let site = Site::new();
    let stranger = Person::new(&[]);
    let (id, other) = (site.add("Plan", None, "alpha"), site.add("Other", None, "alpha"));
    assert_eq!(site.found(&stranger.scope(), "alpha").await, ["Other", "Plan"]);
    // The process is killed after the change in the database: the index still has the document as open to all.
    let db = &site.tenant.store.db;
    db.write_now(|tx| {
        store_access::set_document_access(tx, &id, Some(&[]))?;
        store_access::unsettle(tx, &id)?;
        store::delete(tx, &other)?;
        store_access::unsettle(tx, &other)
    })
    .unwrap();
    assert_eq!(site.found(&stranger.scope(), "alpha").await, [""; 0]);
    assert_eq!(site.found(&admin(), "plan").await, ["Plan"]);
    let site = site.reopen();
    assert_eq!(site.found(&stranger.scope(), "alpha").await, [""; 0]);
    let unsettled = site.tenant.store.db.read_now(store_access::unsettled).unwrap();
    assert_eq!(unsettled, std::slice::from_ref(&id), "what is deleted is left to the removal");
    site.tenant.settle_left().await.unwrap();
    let job = site.tenant.store.db.write_now(queue::take).unwrap().unwrap();
    site.documents.finish_removal(&site.tenant, &job).await.unwrap();
    let scope = stranger.scope();
    let viewer = site.tenant.store.db.read_now(|tx| store_access::viewer(tx, scope.sight())).unwrap();
    assert!(viewer.unwrap().hidden_documents.is_empty());
    assert_eq!(site.found(&scope, "alpha").await, [""; 0]);
    assert_eq!(site.found(&admin(), "alpha").await, ["Plan"]);
}

#[tokio::test]
async fn what_is_moved_while_it_waits_for_the_commit_is_hidden_by_it() {
    let (site, stranger) = (Site::new(), Person::new(&[]));
    site.documents
        .add_collection(&admin(), NewCollection { name: "Board".to_owned(), access: Access::Listed })
        .await
        .unwrap();
    let new = Site::new_document("Plan", None);
    let passages = site.add_uncommitted(&new, "alpha");
    let view = site.documents.patch(&admin(), &new.id, moved(Some("Board"))).await.unwrap();
    assert_eq!(view.status, Status::Indexing);
    site.tenant
        .store
        .db
        .write_now(|tx| {
            let job = queue::take(tx)?.unwrap();
            store::set_ready(tx, &new.id, &job.id, passages)
        })
        .unwrap();
    site.tenant.index().commit().unwrap();
    assert_eq!(site.found(&stranger.scope(), "alpha").await, [""; 0]);
    // One that is read again is still in the index.
    let id = site.add("Memo", None, "beta");
    site.tenant.store.db.write_now(|tx| store::set_status(tx, &id, Status::Queued)).unwrap();
    site.documents.patch(&admin(), &id, moved(Some("Board"))).await.unwrap();
    assert_eq!(site.found(&stranger.scope(), "beta").await, [""; 0]);
    assert_eq!(site.found(&admin(), "collection:board AND beta").await, ["Memo"]);
}

#[tokio::test]
async fn collections_are_made_shared_and_not_lost_by_a_slip() {
    let site = Site::new();
    let (anna, ben) = (Person::new(&[]), Person::new(&[]));
    let new = |name: &str, access| NewCollection { name: name.to_owned(), access };
    let made = site.documents.add_collection(&anna.scope(), new(" Team ", Access::Listed)).await.unwrap();
    assert_eq!((made.name.as_str(), made.may, made.documents), ("Team", May::Write, 0));
    let taken = (Code::Conflict, "There is a collection of this name already.".to_owned());
    for scope in [anna.scope(), ben.scope(), admin()] {
        let again = site.documents.add_collection(&scope, new("Team", Access::Everyone)).await;
        assert_eq!(refusal(again), taken);
    }
    let missing = (Code::NotFound, "There is no such collection.".to_owned());
    for name in ["Team", "Nowhere"] {
        assert_eq!(refusal(site.documents.collection_access(&ben.scope(), name).await), missing);
        let set = listed(vec![entry(&ben.user, May::Write)]);
        assert_eq!(refusal(site.documents.set_collection_access(&ben.scope(), name, set).await), missing);
    }
    let alone = listed(vec![entry(&anna.user, May::Read), entry(&ben.user, May::Write)]);
    let slip = site.documents.set_collection_access(&anna.scope(), "Team", alone).await;
    assert_eq!(refusal(slip).0, Code::InvalidField);
    let both = listed(vec![entry(&anna.user, May::Write), entry(&ben.user, May::Read)]);
    site.documents.set_collection_access(&anna.scope(), "Team", both).await.unwrap();
    let theirs = site.documents.collections(&ben.scope(), PageRequest::default()).await.unwrap();
    assert_eq!((theirs.total, theirs.items[0].may), (1, May::Read));
    let set = listed(vec![entry(&ben.user, May::Write)]);
    let forbidden = site.documents.set_collection_access(&ben.scope(), "Team", set).await;
    assert_eq!(refusal(forbidden).0, Code::Forbidden);
    // The list stays while the collection is empty.
    let id = site.add("Plan", Some("Team"), "alpha");
    site.documents.delete(&anna.scope(), &id).await.unwrap();
    let access = site.documents.collection_access(&anna.scope(), "Team").await.unwrap();
    assert_eq!(access.entries.len(), 2);
    // A document, too.
    let id = site.add("Memo", Some("Team"), "alpha");
    let slip = Some(own(vec![entry(&ben.user, May::Write)]));
    assert_eq!(
        refusal(site.documents.set_document_access(&anna.scope(), &id, slip).await).0,
        Code::InvalidField
    );
    assert!(!site.documents.document_access(&anna.scope(), &id).await.unwrap().own, "nothing was changed");
    // A key without a person can make no collection that it would not see.
    let keys = Scope::granted(&lectern_kernel::Principal { user: None, ..ben.principal() });
    let made = site.documents.add_collection(&keys, new("Keys", Access::Listed)).await;
    assert_eq!(refusal(made).0, Code::InvalidField);
    assert!(site.documents.add_collection(&keys, new("Keys", Access::Everyone)).await.is_ok());
}

#[tokio::test]
async fn live_changes_reach_only_those_who_see_them() {
    let site = Site::new();
    let (anna, ben) = (Person::new(&[]), Person::new(&[]));
    let id = site.add("Plan", None, "alpha");
    let set = Some(own(vec![entry(&anna.user, May::Write)]));
    site.documents.set_document_access(&admin(), &id, set).await.unwrap();
    let streams = [anna.scope(), ben.scope()].map(|scope| site.documents.live(&scope).unwrap());
    let retitled = |title: &str| PatchDocument { title: Some(title.to_owned()), ..PatchDocument::default() };
    // Let both streams listen: the first thing they say is the queue as each sees it.
    let mut streams = streams.map(Box::pin);
    let mut first = Vec::new();
    for stream in &mut streams {
        first.push(String::from_utf8(stream.next().await.unwrap().to_vec()).unwrap());
    }
    assert!(first[0].contains("\"ready\":1") && first[1].contains("\"ready\":0"), "{first:?}");
    site.documents.patch(&admin(), &id, retitled("Hidden title")).await.unwrap();
    site.documents
        .set_document_access(&anna.scope(), &id, Some(own(vec![entry(&anna.user, May::Write)])))
        .await
        .unwrap();
    site.documents.delete(&anna.scope(), &id).await.unwrap();
    let open = site.add("Open", None, "alpha");
    let mut told = [String::new(), String::new()];
    // What was before the first of these came with it or before; the second comes after all of that.
    for sentinel in ["Sentinel", "Last"] {
        site.documents.patch(&admin(), &open, retitled(sentinel)).await.unwrap();
        for (stream, text) in streams.iter_mut().zip(&mut told) {
            while !text.contains(sentinel) {
                text.push_str(std::str::from_utf8(&stream.next().await.unwrap()).unwrap());
            }
        }
    }
    assert!(told[0].contains(id.as_str()) && told[0].contains("document_deleted"), "{}", told[0]);
    assert!(!told[1].contains(id.as_str()) && !told[1].contains("Hidden"), "{}", told[1]);
    assert!(!told.concat().contains("audience") && !told.concat().contains(anna.user.as_str()));
}

#[tokio::test]
async fn what_the_tenant_learns_from_comes_from_open_documents() {
    let site = Site::new();
    site.add("Open", None, "alpha");
    site.add("Plan", Some("Board"), "beta");
    let before = site.documents.version(&admin()).await.unwrap();
    site.restrict("Board", vec![entry(UserId::generate(), May::Write)]).await;
    assert_ne!(site.documents.version(&admin()).await.unwrap(), before);
    assert_eq!(site.documents.texts(&admin(), 1000).await.unwrap(), ["alpha"]);
    assert_eq!(site.documents.texts(&Person::new(&[]).scope(), 1000).await.unwrap(), ["alpha"]);
}

#[tokio::test]
async fn a_quote_is_for_those_who_see_the_document() {
    let (site, anna) = (Site::new(), Person::new(&[]));
    let id = site.add("Plan", Some("Board"), "alpha beta");
    site.restrict("Board", vec![entry(&anna.user, May::Read)]).await;
    let quote = |scope: Scope| {
        let (documents, id) = (site.documents.clone(), id.clone());
        async move { documents.quote(&scope, &id, 0, 5).await.unwrap() }
    };
    assert_eq!(quote(anna.scope()).await.as_deref(), Some("alpha"));
    assert_eq!(quote(Person::new(&[]).scope()).await, None);
    assert_eq!(site.documents.quote(&anna.scope(), &DocumentId::generate(), 0, 5).await.unwrap(), None);
}

#[test]
fn documents_of_the_version_before_have_open_collections() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.db");
    let db = Database::open(&path, &MIGRATIONS[..1], Arc::new(SystemClock)).unwrap();
    let id = DocumentId::generate();
    db.write_now(|tx| {
        tx.execute(
            "INSERT INTO documents (id, sha256, title, title_given, file_name, kind, collection, source,
                 size_bytes, status, created_at, updated_at)
             VALUES ($1, 'abc', 'Old', 1, 'old.txt', 'txt', 'Shelf', 'old', 1, 'ready', 7, 7)",
            params![&id],
        )
    })
    .unwrap();
    drop(db);
    let db = Database::open(&path, MIGRATIONS, Arc::new(SystemClock)).unwrap();
    let (person, all) = (Person::new(&[]).scope(), admin());
    let shelf = db.read_now(|tx| store_access::collection(tx, person.sight(), "Shelf")).unwrap().unwrap();
    assert_eq!((shelf.access, shelf.documents, shelf.created_at.0), (Access::Everyone, 1, 7));
    let view = db.read_now(|tx| store_access::by_hash(tx, all.sight(), "abc")).unwrap().unwrap();
    assert_eq!((view.id, view.sha256.as_str()), (id, "abc"));
}

#[tokio::test]
async fn an_index_of_the_version_before_is_made_anew() {
    let (site, stranger) = (Site::new(), Person::new(&[]));
    let id = site.add("Plan", None, "alpha");
    let path = site.tenant.store.index().join("meta.json");
    site.tenant.index().release_writer().unwrap();
    let Site { documents, tenant, dir } = site;
    drop((documents, tenant));
    // As the version before wrote it: without the field that says who sees what.
    let mut meta: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let fields = meta["schema"].as_array_mut().unwrap();
    fields.retain(|field| field["name"] != "access");
    std::fs::write(&path, meta.to_string()).unwrap();
    let site = Site::open(dir);
    assert_eq!(site.found(&stranger.scope(), "alpha").await, [""; 0], "it is empty");
    let view = site.documents.get(&stranger.scope(), &id).await.unwrap();
    assert_eq!(view.status, Status::Indexing);
    let job = site.tenant.store.db.write_now(queue::take).unwrap().unwrap();
    assert_eq!(job.subject, id.as_str(), "and the document is on its way there again");
}

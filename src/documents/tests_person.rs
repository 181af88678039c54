//! What people added and are named in; and documents that are kept too long.

use lectern_kernel::{HeldContent, PersonPart, RetentionPart, RetentionRules};
use lectern_store::params;

use crate::model_access::{AccessEntry, May, SetDocumentAccess};
use crate::testing::{Person, Site, admin};
use crate::{SearchParameters, store_person};

#[tokio::test]
async fn what_a_person_added_becomes_nobodys_and_their_name_leaves_the_lists() {
    let site = Site::new();
    let ada = Person::new(&[]);
    let incoming = site.incoming("All about pumps.", &[]);
    let (view, created) = site.documents.create(&ada.scope(), incoming).await.expect("is taken");
    assert!(created);
    let other = site.add("Other", None, "Nothing about it.");
    let entries = vec![AccessEntry { subject: ada.user.to_string(), may: May::Read }];
    let list = Some(SetDocumentAccess { entries });
    site.documents.set_document_access(&admin(), &other, list).await.expect("is shared");
    let held = PersonPart::held(&site.documents, &admin(), &ada.user).await.expect("is told");
    let paths: Vec<&str> = held.iter().map(|file| file.path.as_str()).collect();
    let original = format!("originals/{}/upload.txt", view.id);
    assert_eq!(paths, ["named_in.json", "added.json", original.as_str()]);
    let HeldContent::File(path) = &held[2].content else { panic!("no file: {:?}", held[2]) };
    assert_eq!(std::fs::read_to_string(path).expect("is there"), "All about pumps.");
    let erased = PersonPart::erase(&site.documents, &admin(), &ada.user, &[]).await.expect("is erased");
    assert_eq!(erased.iter().map(|one| one.count).collect::<Vec<_>>(), [1, 1]);
    assert!(PersonPart::held(&site.documents, &admin(), &ada.user).await.expect("is told").is_empty());
    site.documents.get(&admin(), &view.id).await.expect("the document stays");
}

#[tokio::test]
async fn documents_go_after_the_days_of_their_collection() {
    let site = Site::new();
    let old = site.add("Old", Some("News"), "The pump was mended.");
    let young = site.add("Young", Some("News"), "The pump runs.");
    let manual = site.add("Manual", Some("Manuals"), "The pump has a shaft.");
    let loose = site.add("Loose", None, "The pump is blue.");
    for id in [&old, &manual, &loose] {
        let id = id.clone();
        let sql = "UPDATE documents SET created_at = created_at - $2 WHERE id = $1";
        let aged =
            site.tenant.store.db.write(move |tx| tx.execute(sql, params![&id, 40 * 86_400_000_i64])).await;
        assert_eq!(aged.expect("is written"), 1);
    }
    let collections = [("News".to_owned(), 30), ("Gone".to_owned(), 1)].into();
    let rules = RetentionRules { collections, ..RetentionRules::default() };
    assert_eq!(site.documents.overdue(&admin(), &rules).await.expect("is counted")[0].count, 1);
    assert_eq!(site.documents.expire(&admin(), &rules).await.expect("expires")[0].count, 1);
    let wanted = SearchParameters { q: "pump".into(), ..SearchParameters::default() };
    let found = site.documents.search(&admin(), wanted).await.expect("searches");
    let ids: Vec<_> = found.hits.iter().map(|hit| hit.document.clone()).collect();
    assert!(!ids.contains(&old), "the index forgot it, too");
    assert!([&young, &manual, &loose].iter().all(|id| ids.contains(id)), "{ids:?}");
    let rules = RetentionRules { uncollected: Some(30), ..RetentionRules::default() };
    assert_eq!(site.documents.expire(&admin(), &rules).await.expect("expires")[0].count, 1);
    let left = site
        .tenant
        .store
        .db
        .read(|tx| store_person::count_older(tx, "Manuals", lectern_kernel::Timestamp(i64::MAX)));
    assert_eq!(left.await.expect("counts"), 1, "what no rule names stays");
}

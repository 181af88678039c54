//! What this area holds about people: what they added and are named in; and how long it keeps documents.

use async_trait::async_trait;
use lectern_kernel::{
    Erased, HeldContent, HeldFile, PersonPart, Result, RetentionPart, RetentionRules, Scope, Timestamp,
    UserId,
};
use lectern_store::Tx;
use lectern_store::audit::{self, Change};
use serde_json::json;

use crate::create::blob_path;
use crate::{Documents, store_access, store_person};

const DAY: std::time::Duration = std::time::Duration::from_hours(24);
/// So many documents are deleted with one commit of the index.
const AT_ONCE: u32 = 200;

#[async_trait]
impl PersonPart for Documents {
    fn name(&self) -> &'static str {
        "documents"
    }

    /// The documents that the person added with their originals, and the lists that name them.
    async fn held(&self, scope: &Scope, user: &UserId) -> Result<Vec<HeldFile>> {
        let (tenant, user) = (self.tenant(scope)?, user.clone());
        let read = move |tx: &Tx<'_>| {
            let lists = (store_person::collections_of(tx, &user)?, store_person::listed_in(tx, &user)?);
            Ok((store_person::added_by(tx, &user)?, lists))
        };
        let (added, (collections, documents)) = tenant.store.db.read(read).await?;
        let mut files = Vec::new();
        if !collections.is_empty() || !documents.is_empty() {
            let lists = json!({ "collections": collections, "documents": documents });
            files.push(HeldFile::json("named_in.json", &lists)?);
        }
        if added.is_empty() {
            return Ok(files);
        }
        let views: Vec<_> = added.iter().map(|(view, _)| view).collect();
        files.push(HeldFile::json("added.json", &views)?);
        files.extend(added.iter().map(|(view, content)| HeldFile {
            path: format!("originals/{}/{}", view.id, view.file_name),
            content: HeldContent::File(blob_path(&tenant.store, content)),
        }));
        Ok(files)
    }

    /// Documents are the organisation's and stay; nothing says any more who added them.
    async fn erase(&self, scope: &Scope, user: &UserId, _: &[String]) -> Result<Vec<Erased>> {
        let (tenant, user) = (self.tenant(scope)?, user.clone());
        let _gate = tenant.gate.lock().await;
        let write = move |tx: &mut Tx<'_>| {
            let listed = store_person::listed_in(tx, &user)?;
            let lists = store_person::unlist(tx, &user)?;
            // The index holds the lists, too.
            listed.iter().try_for_each(|id| store_access::unsettle(tx, id))?;
            Ok((listed, lists, store_person::disown(tx, &user)?))
        };
        let (listed, lists, documents) = tenant.store.db.write(write).await?;
        tenant.settle(listed).await?;
        Ok(vec![
            Erased::new("entries_of_access_lists", lists),
            Erased::new("documents_made_nobodys", documents),
        ])
    }
}

/// The rules as names of collections, empty for none, and the time before which a document is too old.
fn borders(now: Timestamp, rules: &RetentionRules) -> Vec<(String, Timestamp)> {
    let named = rules.collections.iter().map(|(name, days)| (name.clone(), *days));
    let none = rules.uncollected.map(|days| (String::new(), days));
    named.chain(none).map(|(name, days)| (name, now.minus(DAY * days))).collect()
}

#[async_trait]
impl RetentionPart for Documents {
    async fn overdue(&self, scope: &Scope, rules: &RetentionRules) -> Result<Vec<Erased>> {
        let borders = borders(self.inner.stores.clock().now(), rules);
        let read = move |tx: &Tx<'_>| {
            borders
                .iter()
                .try_fold(0, |sum, (name, before)| Ok(sum + store_person::count_older(tx, name, *before)?))
        };
        let count = self.tenant(scope)?.store.db.read(read).await?;
        Ok(vec![Erased::new("documents", count)])
    }

    async fn expire(&self, scope: &Scope, rules: &RetentionRules) -> Result<Vec<Erased>> {
        let mut expired = 0;
        for (name, before) in borders(self.inner.stores.clock().now(), rules) {
            expired += self.expire_collection(scope, &name, before).await?;
        }
        Ok(vec![Erased::new("documents", expired)])
    }
}

impl Documents {
    async fn expire_collection(&self, scope: &Scope, name: &str, before: Timestamp) -> Result<usize> {
        let store = self.tenant(scope)?.store.clone();
        let mut expired = 0;
        loop {
            let wanted = name.to_owned();
            let ids = store.db.read(move |tx| store_person::older(tx, &wanted, before, AT_ONCE)).await?;
            let found = ids.len();
            // Each deletion is in the record.
            let deleted = self.delete_many(scope, ids).await?.iter().filter(|(_, o)| o.is_ok()).count();
            expired += deleted;
            if found < AT_ONCE as usize || deleted == 0 {
                break;
            }
        }
        if expired > 0 {
            let (own, name) = (scope.clone(), name.to_owned());
            let after = json!({ "count": expired, "added_before": before });
            let change = move |tx: &mut Tx<'_>| {
                audit::record(tx, &own, Change::new("documents.expired", &name).after(&after))
            };
            store.db.write(change).await?;
        }
        Ok(expired)
    }
}

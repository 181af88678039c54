//! Who sees and changes what. Lists stand on collections and on single documents; a document's own list takes the place
//! of its collection's rule. What somebody does not see is answered as if it did not exist, with one exception: a
//! name of a hidden collection cannot be used for a new one, and the refusal tells that it is taken.

use std::sync::Arc;

use lectern_kernel::Cursor;
use lectern_kernel::{Code, DocumentId, Error, Page, PageRequest, Result, Scope, Sight};
use lectern_search::{DocumentMeta, SearchError, SearchIndex, Viewer};
use lectern_store::{StoreError, Tx, audit};

use crate::change::meta;
use crate::model_access::{
    Access, AccessEntry, CollectionAccess, CollectionView, DocumentAccess, May, NewCollection,
    SetCollectionAccess, SetDocumentAccess,
};
use crate::tenant::{Tenant, search_error};
use crate::{DocumentView, Documents, store, store_access};

/// A document that is seen.
pub(crate) fn readable(tx: &Tx<'_>, sight: &Sight, id: &DocumentId) -> Result<DocumentView, StoreError> {
    Ok(store_access::by_id(tx, sight, id)?.ok_or_else(|| Error::not_found("document"))?)
}

/// A document that may be changed.
pub(crate) fn writable(tx: &Tx<'_>, sight: &Sight, id: &DocumentId) -> Result<DocumentView, StoreError> {
    let view = readable(tx, sight, id)?;
    if store_access::may(tx, sight, May::Write, id)? {
        return Ok(view);
    }
    Err(Error::new(Code::Forbidden, "You may read this document, but not change it.")
        .hint("Ask somebody who may share it for the right to write.")
        .into())
}

/// Refuses a collection's name that stands for one that is hidden, or only to be read; both alike.
pub(crate) fn check_entry(tx: &Tx<'_>, sight: &Sight, collection: Option<&str>) -> Result<(), StoreError> {
    match collection {
        Some(name) if !store_access::may_enter(tx, sight, name)? => {
            Err(Error::new(Code::Forbidden, "You cannot put documents into this collection.")
                .hint("Choose another collection.")
                .into())
        }
        _ => Ok(()),
    }
}

/// Puts documents into a collection, which comes into being with its first.
pub(crate) fn enter(tx: &mut Tx<'_>, sight: &Sight, collection: Option<&str>) -> Result<(), StoreError> {
    check_entry(tx, sight, collection)?;
    if let Some(name) = collection {
        store_access::add_collection(tx, name, Access::Everyone)?;
    }
    Ok(())
}

/// Only for those who see every document: the answer is about all of them.
pub(crate) fn needs_all(scope: &Scope) -> Result<()> {
    if *scope.sight() == Sight::All {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, "This is for those who see all documents.")
        .hint("Ask an administrator to do it."))
}

fn seen_collection(tx: &Tx<'_>, sight: &Sight, name: &str) -> Result<CollectionView, StoreError> {
    Ok(store_access::collection(tx, sight, name)?.ok_or_else(|| Error::not_found("collection"))?)
}

fn collection_access(tx: &Tx<'_>, view: CollectionView) -> Result<CollectionAccess, StoreError> {
    let entries = store_access::collection_entries(tx, &view.name)?;
    Ok(CollectionAccess { name: view.name, access: view.access, entries })
}

fn document_access(tx: &Tx<'_>, view: &DocumentView) -> Result<DocumentAccess, StoreError> {
    let own = store_access::readers(tx, &view.id)?.is_some();
    let (access, entries) = if own {
        (Access::Listed, store_access::document_entries(tx, &view.id)?)
    } else {
        let named = view.collection.as_deref();
        let found = named.map(|name| store_access::collection(tx, &Sight::All, name)).transpose()?.flatten();
        match found {
            Some(found) => (found.access, store_access::collection_entries(tx, &found.name)?),
            None => (Access::Everyone, Vec::new()),
        }
    };
    Ok(DocumentAccess {
        document: view.id.clone(),
        own,
        access,
        collection: view.collection.clone(),
        entries,
    })
}

/// Nobody shuts themselves out by a slip.
fn locked_out() -> StoreError {
    Error::field("entries", "would leave you without the right to write: name yourself or one of your groups")
        .into()
}

impl Documents {
    /// The collections that one sees, by name.
    pub async fn collections(&self, scope: &Scope, request: PageRequest) -> Result<Page<CollectionView>> {
        let (limit, after) = (request.limit(), request.position()?);
        let sight = scope.sight().clone();
        let read = move |tx: &Tx<'_>| {
            let items = store_access::collections(tx, &sight, after.as_ref(), limit + 1)?;
            Ok((items, store_access::count_collections(tx, &sight)?))
        };
        let (mut items, total) = self.tenant(scope)?.store.db.read(read).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|view| Cursor { key: view.name.clone(), id: String::new() }.encode());
        Ok(Page { items, next_cursor, total })
    }

    /// Makes a collection. Whoever makes a listed one is the first in its list.
    pub async fn add_collection(&self, scope: &Scope, new: NewCollection) -> Result<CollectionView> {
        let (sight, user, own) = (scope.sight().clone(), scope.user().cloned(), scope.clone());
        let name = new.name.trim().to_owned();
        let write = move |tx: &mut Tx<'_>| {
            if !store_access::add_collection(tx, &name, new.access)? {
                return Err(Error::new(Code::Conflict, "There is a collection of this name already.").into());
            }
            let maker = user.map(|user| AccessEntry { subject: user.to_string(), may: May::Write });
            let entries: Vec<AccessEntry> =
                maker.into_iter().filter(|_| new.access == Access::Listed).collect();
            store_access::set_collection_access(tx, &name, new.access, &entries)?;
            let view = store_access::collection(tx, &sight, &name)?.ok_or_else(locked_out)?;
            let told = CollectionAccess { name: name.clone(), access: new.access, entries };
            audit::record_event(tx, &own, "collection.created", &name, &told)?;
            Ok(view)
        };
        Ok(self.tenant(scope)?.store.db.write(write).await?)
    }

    pub async fn collection_access(&self, scope: &Scope, name: &str) -> Result<CollectionAccess> {
        let (sight, name) = (scope.sight().clone(), name.to_owned());
        let read = move |tx: &Tx<'_>| collection_access(tx, seen_collection(tx, &sight, &name)?);
        Ok(self.tenant(scope)?.store.db.read(read).await?)
    }

    /// Replaces a collection's rule and list. It holds at once: searches read it.
    pub async fn set_collection_access(
        &self,
        scope: &Scope,
        name: &str,
        set: SetCollectionAccess,
    ) -> Result<CollectionAccess> {
        let (sight, name, own) = (scope.sight().clone(), name.to_owned(), scope.clone());
        let write = move |tx: &mut Tx<'_>| {
            if seen_collection(tx, &sight, &name)?.may != May::Write {
                return Err(Error::new(
                    Code::Forbidden,
                    "You may read this collection, but not change who sees it.",
                )
                .into());
            }
            store_access::set_collection_access(tx, &name, set.access, &set.entries)?;
            let view = store_access::collection(tx, &sight, &name)?;
            let view = view.filter(|view| view.may == May::Write).ok_or_else(locked_out)?;
            let told = collection_access(tx, view)?;
            audit::record_event(tx, &own, "collection.access_changed", &name, &told)?;
            Ok(told)
        };
        Ok(self.tenant(scope)?.store.db.write(write).await?)
    }

    pub async fn document_access(&self, scope: &Scope, id: &DocumentId) -> Result<DocumentAccess> {
        let (sight, id) = (scope.sight().clone(), id.clone());
        let read = move |tx: &Tx<'_>| document_access(tx, &readable(tx, &sight, &id)?);
        Ok(self.tenant(scope)?.store.db.read(read).await?)
    }

    /// Gives a document a list of its own, or with none its collection's rule back.
    pub async fn set_document_access(
        &self,
        scope: &Scope,
        id: &DocumentId,
        set: Option<SetDocumentAccess>,
    ) -> Result<DocumentAccess> {
        let tenant = self.tenant(scope)?;
        let (sight, wanted, own) = (scope.sight().clone(), id.clone(), scope.clone());
        let _gate = tenant.gate.lock().await;
        let write = move |tx: &mut Tx<'_>| {
            writable(tx, &sight, &wanted)?;
            store_access::set_document_access(tx, &wanted, set.as_ref().map(|set| &set.entries[..]))?;
            store_access::unsettle(tx, &wanted)?;
            if !store_access::may(tx, &sight, May::Write, &wanted)? {
                let conflict = || Error::new(Code::Conflict, "You could not change this document any more.");
                return Err(if set.is_some() { locked_out() } else { conflict().into() });
            }
            let told = document_access(tx, &readable(tx, &Sight::All, &wanted)?)?;
            audit::record_event(tx, &own, "document.access_changed", wanted.as_str(), &told)?;
            Ok(told)
        };
        let told = tenant.store.db.write(write).await?;
        tenant.settle(vec![id.clone()]).await?;
        Ok(told)
    }
}

impl Tenant {
    /// Brings the index in step with the database for these documents; under the gate. Between the change in the
    /// database and the end of this they are left out of the searches of those who do not see them any more, because
    /// searches read which documents are unsettled. A process that is killed here goes on at the next start.
    pub(crate) async fn settle(self: &Arc<Self>, ids: Vec<DocumentId>) -> Result<()> {
        let read = move |tx: &Tx<'_>| {
            let metas = ids.iter().map(|id| {
                let view = store::by_id(tx, id)?;
                view.map(|view| meta(tx, &view)).transpose()
            });
            metas.filter_map(Result::transpose).collect::<Result<Vec<DocumentMeta>, StoreError>>()
        };
        let metas = self.store.db.read(read).await?;
        let settled: Vec<String> = metas.iter().map(|meta| meta.id.clone()).collect();
        self.on_index(move |index| {
            metas.iter().try_for_each(|meta| index.update_meta(meta).map(drop))?;
            index.commit()
        })
        .await?;
        let write = move |tx: &mut Tx<'_>| settled.iter().try_for_each(|id| store_access::settle(tx, id));
        Ok(self.store.db.write(write).await?)
    }

    /// What the last process left behind.
    pub(crate) async fn settle_left(self: &Arc<Self>) -> Result<()> {
        let _gate = self.gate.lock().await;
        let unsettled = self.store.db.read(store_access::unsettled).await?;
        if unsettled.is_empty() { Ok(()) } else { self.settle(unsettled).await }
    }

    /// Searches as somebody, in line with all that reads. What they see is read before the search begins: what was
    /// changed before that holds.
    pub(crate) async fn search<T, F>(self: &Arc<Self>, scope: &Scope, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&SearchIndex, Option<Viewer>) -> Result<T, SearchError> + Send + 'static,
    {
        let (this, sight) = (self.clone(), scope.sight().clone());
        let search = move || {
            let viewer = match &sight {
                Sight::All => None,
                Sight::Of(_) => this.store.db.read_now(|tx| store_access::viewer(tx, &sight))?,
            };
            work(&this.index(), viewer).map_err(search_error)
        };
        self.store.db.in_line(search).await?
    }
}

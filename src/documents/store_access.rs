//! SQL of access lists: the condition that every statement about documents carries, the lists themselves, and which
//! documents the index is behind with.

use lectern_kernel::{Cursor, DocumentId, Sight};
use lectern_search::Viewer;
use lectern_store::{Row, StoreError, Tx, Value, params};

use crate::model::DocumentView;
use crate::model_access::{Access, AccessEntry, CollectionView, May};
use crate::store::{columns, complete, read};

type Result<T> = std::result::Result<T, StoreError>;

/// A condition and its parameters, which are numbered from a given place.
pub(crate) struct Condition {
    pub sql: String,
    pub values: Vec<Value>,
}

/// Numbers of the parameters that hold the ids, for `IN (…)`; and the ids. Without ids it is what nobody is called.
fn subjects(ids: &[String], first: usize) -> (String, Vec<Value>) {
    if ids.is_empty() {
        return ("''".to_owned(), Vec::new());
    }
    let numbers: Vec<String> = (first..first + ids.len()).map(|number| format!("${number}")).collect();
    (numbers.join(", "), ids.iter().map(Value::from).collect())
}

fn at_least(may: May) -> &'static str {
    match may {
        May::Read => "",
        May::Write => " AND may = 'write'",
    }
}

/// True for the row of `collections` at hand when those called so in SQL may do it.
fn collection_rule(subjects: &str, may: May) -> String {
    format!(
        "(collections.access = 'everyone' OR EXISTS (SELECT 1 FROM collection_access
            WHERE collection_access.collection = collections.name AND subject IN ({subjects}){}))",
        at_least(may)
    )
}

/// True for the row of `documents` at hand when `sight` may do it.
pub(crate) fn allowed(sight: &Sight, may: May, first: usize) -> Condition {
    let Sight::Of(ids) = sight else { return Condition { sql: "1 = 1".to_owned(), values: Vec::new() } };
    let (subjects, values) = subjects(ids, first);
    let sql = format!(
        "CASE WHEN documents.listed = 1
            THEN EXISTS (SELECT 1 FROM document_access
                WHERE document_id = documents.id AND subject IN ({subjects}){})
            ELSE documents.collection IS NULL OR documents.collection NOT IN
                (SELECT collections.name FROM collections WHERE NOT {}) END",
        at_least(may),
        collection_rule(&subjects, may)
    );
    Condition { sql, values }
}

/// True for what `sight` sees.
pub(crate) fn seen(sight: &Sight, first: usize) -> Condition {
    allowed(sight, May::Read, first)
}

fn with(own: Vec<Value>, condition: Condition) -> (String, Vec<Value>) {
    (condition.sql, own.into_iter().chain(condition.values).collect())
}

/// A document, when it is seen.
pub(crate) fn by_id(tx: &Tx<'_>, sight: &Sight, id: &DocumentId) -> Result<Option<DocumentView>> {
    let (seen, values) = with(params![id].to_vec(), seen(sight, 2));
    let sql = format!("SELECT {} FROM documents WHERE id = $1 AND {seen}", columns());
    let view = tx.query_one(&sql, &values, read)?;
    Ok(complete(tx, Vec::from_iter(view))?.pop())
}

/// The oldest document with these bytes that is seen.
pub(crate) fn by_hash(tx: &Tx<'_>, sight: &Sight, sha256: &str) -> Result<Option<DocumentView>> {
    let (seen, values) = with(params![sha256].to_vec(), seen(sight, 2));
    let sql =
        format!("SELECT {} FROM documents WHERE content = $1 AND {seen} ORDER BY id LIMIT 1", columns());
    let view = tx.query_one(&sql, &values, read)?;
    Ok(complete(tx, Vec::from_iter(view))?.pop())
}

pub(crate) fn may(tx: &Tx<'_>, sight: &Sight, may: May, id: &DocumentId) -> Result<bool> {
    let (allowed, values) = with(params![id].to_vec(), allowed(sight, may, 2));
    let sql = format!("SELECT 1 FROM documents WHERE id = $1 AND {allowed}");
    Ok(tx.scalar::<i64>(&sql, &values)?.is_some())
}

/// What the search index needs to know of somebody; none who sees everything.
pub(crate) fn viewer(tx: &Tx<'_>, sight: &Sight) -> Result<Option<Viewer>> {
    let Sight::Of(ids) = sight else { return Ok(None) };
    let (names, values) = subjects(ids, 1);
    let sql = format!(
        "SELECT name FROM collections WHERE NOT {} ORDER BY name",
        collection_rule(&names, May::Read)
    );
    let hidden_collections = tx.query(&sql, &values, |row| row.at(0))?;
    let (seen, values) = with(Vec::new(), seen(sight, 1));
    let sql = format!(
        "SELECT document_id FROM document_unsettled LEFT JOIN documents ON documents.id = document_id
         WHERE documents.id IS NULL OR NOT {seen} ORDER BY document_id"
    );
    let unsettled = tx.scalar::<i64>("SELECT 1 FROM document_unsettled LIMIT 1", params![])?.is_some();
    let hidden_documents = if unsettled { tx.query(&sql, &values, |row| row.at(0))? } else { Vec::new() };
    Ok(Some(Viewer { ids: ids.to_vec(), hidden_collections, hidden_documents }))
}

/// Who is in the document's own list; none when it has none.
pub(crate) fn readers(tx: &Tx<'_>, id: &DocumentId) -> Result<Option<Vec<String>>> {
    let listed: Option<bool> = tx.scalar("SELECT listed FROM documents WHERE id = $1", params![id])?;
    if listed != Some(true) {
        return Ok(None);
    }
    let entries = document_entries(tx, id)?;
    Ok(Some(entries.into_iter().map(|entry| entry.subject).collect()))
}

/// The index may have an older state of this document.
pub(crate) fn unsettle(tx: &mut Tx<'_>, id: &DocumentId) -> Result<()> {
    let sql = "INSERT INTO document_unsettled (document_id) VALUES ($1) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![id])?;
    Ok(())
}

/// The index has the present state of this document.
pub(crate) fn settle(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.execute("DELETE FROM document_unsettled WHERE document_id = $1", params![id])?;
    Ok(())
}

/// Documents that are there and that the index is behind with.
pub(crate) fn unsettled(tx: &Tx<'_>) -> Result<Vec<DocumentId>> {
    let sql = "SELECT document_id FROM document_unsettled JOIN documents ON documents.id = document_id";
    tx.query(sql, params![], |row| row.at(0))
}

/// Makes a collection; false when there is one of this name.
pub(crate) fn add_collection(tx: &mut Tx<'_>, name: &str, access: Access) -> Result<bool> {
    let now = tx.now();
    let added = tx.execute(
        "INSERT INTO collections (name, access, created_at, updated_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (name) DO NOTHING",
        params![name, access.as_str(), now],
    )?;
    Ok(added == 1)
}

/// Whether documents may be put under this name: into a new collection, or into one that may be written to.
pub(crate) fn may_enter(tx: &Tx<'_>, sight: &Sight, name: &str) -> Result<bool> {
    let Sight::Of(ids) = sight else { return Ok(true) };
    let (names, values) = subjects(ids, 2);
    let sql =
        format!("SELECT 1 FROM collections WHERE name = $1 AND NOT {}", collection_rule(&names, May::Write));
    let values: Vec<Value> = params![name].iter().cloned().chain(values).collect();
    Ok(tx.scalar::<i64>(&sql, &values)?.is_none())
}

fn view(row: &Row<'_>) -> Result<CollectionView> {
    Ok(CollectionView {
        name: row.get("name")?,
        access: Access::parse(&row.get::<String>("access")?),
        may: if row.get("writable")? { May::Write } else { May::Read },
        documents: row.get("documents")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// The collections that are seen: all after the cursor, or the one of a name.
fn collections_where(
    tx: &Tx<'_>,
    sight: &Sight,
    (beyond, name): (&str, Option<String>),
    limit: u32,
) -> Result<Vec<CollectionView>> {
    let (ids, rules) = match sight {
        Sight::All => (&[][..], ["1 = 1".to_owned(), "1 = 1".to_owned()]),
        Sight::Of(ids) => {
            let names = subjects(ids, 3).0;
            (&ids[..], [May::Read, May::Write].map(|may| collection_rule(&names, may)))
        }
    };
    let [readable, writable] = rules;
    let sql = format!(
        "SELECT name, access, created_at, updated_at, {writable} AS writable,
            (SELECT count(*) FROM documents WHERE documents.collection = collections.name AND {}) AS documents
         FROM collections WHERE {readable} AND ($1 IS NULL OR {beyond}) ORDER BY name LIMIT $2",
        seen(sight, 3).sql
    );
    let values: Vec<Value> =
        [Value::from(name), Value::from(limit)].into_iter().chain(subjects(ids, 3).1).collect();
    tx.query(&sql, &values, view)
}

/// The collections that are seen, by name.
pub(crate) fn collections(
    tx: &Tx<'_>,
    sight: &Sight,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Vec<CollectionView>> {
    collections_where(tx, sight, ("name > $1", after.map(|cursor| cursor.key.clone())), limit)
}

/// A collection, when it is seen.
pub(crate) fn collection(tx: &Tx<'_>, sight: &Sight, name: &str) -> Result<Option<CollectionView>> {
    Ok(collections_where(tx, sight, ("name = $1", Some(name.to_owned())), 1)?.pop())
}

pub(crate) fn count_collections(tx: &Tx<'_>, sight: &Sight) -> Result<u64> {
    let (rule, values) = match sight {
        Sight::All => ("1 = 1".to_owned(), Vec::new()),
        Sight::Of(ids) => {
            let (names, values) = subjects(ids, 1);
            (collection_rule(&names, May::Read), values)
        }
    };
    Ok(tx.scalar(&format!("SELECT count(*) FROM collections WHERE {rule}"), &values)?.unwrap_or(0))
}

fn entry(row: &Row<'_>) -> Result<AccessEntry> {
    Ok(AccessEntry { subject: row.at(0)?, may: May::parse(&row.at::<String>(1)?) })
}

pub(crate) fn collection_entries(tx: &Tx<'_>, name: &str) -> Result<Vec<AccessEntry>> {
    let sql = "SELECT subject, may FROM collection_access WHERE collection = $1 ORDER BY subject";
    tx.query(sql, params![name], entry)
}

pub(crate) fn document_entries(tx: &Tx<'_>, id: &DocumentId) -> Result<Vec<AccessEntry>> {
    let sql = "SELECT subject, may FROM document_access WHERE document_id = $1 ORDER BY subject";
    tx.query(sql, params![id], entry)
}

pub(crate) fn set_collection_access(
    tx: &mut Tx<'_>,
    name: &str,
    access: Access,
    entries: &[AccessEntry],
) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "UPDATE collections SET access = $2, updated_at = $3 WHERE name = $1",
        params![name, access.as_str(), now],
    )?;
    tx.execute("DELETE FROM collection_access WHERE collection = $1", params![name])?;
    for entry in entries {
        tx.execute(
            "INSERT INTO collection_access (collection, subject, may) VALUES ($1, $2, $3)",
            params![name, &entry.subject, entry.may.as_str()],
        )?;
    }
    Ok(())
}

/// Gives a document a list of its own, or takes it away.
pub(crate) fn set_document_access(
    tx: &mut Tx<'_>,
    id: &DocumentId,
    entries: Option<&[AccessEntry]>,
) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "UPDATE documents SET listed = $2, updated_at = $3 WHERE id = $1",
        params![id, entries.is_some(), now],
    )?;
    tx.execute("DELETE FROM document_access WHERE document_id = $1", params![id])?;
    for entry in entries.unwrap_or_default() {
        tx.execute(
            "INSERT INTO document_access (document_id, subject, may) VALUES ($1, $2, $3)",
            params![id, &entry.subject, entry.may.as_str()],
        )?;
    }
    Ok(())
}

/// Who sees a document by the rule in force: none is everybody, else those in the list.
pub(crate) fn audience(tx: &Tx<'_>, view: &DocumentView) -> Result<Option<Vec<String>>> {
    if let Some(readers) = readers(tx, &view.id)? {
        return Ok(Some(readers));
    }
    let Some(name) = &view.collection else { return Ok(None) };
    let access: Option<String> =
        tx.scalar("SELECT access FROM collections WHERE name = $1", params![name])?;
    if access.is_none_or(|access| Access::parse(&access) == Access::Everyone) {
        return Ok(None);
    }
    Ok(Some(collection_entries(tx, name)?.into_iter().map(|entry| entry.subject).collect()))
}

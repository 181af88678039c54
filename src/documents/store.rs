//! SQL of documents one by one. Lists are in `store_list`, texts in `store_text`.

use std::collections::HashMap;

use lectern_kernel::{DocumentId, JobId, UserId};
use lectern_store::{NewJob, Row, StoreError, Tx, Value, params, queue};

use crate::create::NewDocument;
use crate::model::{DocumentProblem, DocumentView, Status};

type Result<T> = std::result::Result<T, StoreError>;

/// Kind of the job that extracts and indexes a document.
pub(crate) const READ_JOB: &str = "documents.read";
/// Kind of the job that removes what is left of a deleted document.
pub(crate) const REMOVE_JOB: &str = "documents.remove";

const COLUMNS: &str = "id, content, title, file_name, kind, language, collection, source, size_bytes, pages, \
                       characters, passages, status, problem_code, problem_message, created_at, updated_at, indexed_at";

pub(crate) fn columns() -> &'static str {
    COLUMNS
}

/// Adds a document and the job that reads it. Whether its bytes are there already is the caller's question: it is about
/// what somebody sees.
pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewDocument) -> Result<()> {
    let now = tx.now();
    let first = !has_content(tx, &new.sha256)?;
    let unique = if first { new.sha256.clone() } else { format!("{}/{}", new.sha256, new.id) };
    tx.execute(
        "INSERT INTO documents (id, sha256, content, title, title_given, file_name, kind, collection, source,
                                size_bytes, status, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11, $12, $12)",
        params![
            &new.id,
            unique,
            &new.sha256,
            &new.title,
            new.title_given,
            &new.file_name,
            &new.kind,
            new.collection.clone(),
            &new.source,
            new.size_bytes,
            new.created_by.as_ref().map(UserId::as_str),
            now
        ],
    )?;
    set_tags(tx, &new.id, &new.tags)?;
    push_read(tx, &new.id)?;
    Ok(())
}

pub(crate) fn push_read(tx: &mut Tx<'_>, id: &DocumentId) -> Result<bool> {
    queue::push(tx, &NewJob { kind: READ_JOB, subject: id.as_str(), payload: serde_json::Value::Null })
}

/// Whoever asks; for people there is `store_access::by_id`.
pub(crate) fn by_id(tx: &Tx<'_>, id: &DocumentId) -> Result<Option<DocumentView>> {
    let sql = format!("SELECT {COLUMNS} FROM documents WHERE id = $1");
    let view = tx.query_one(&sql, params![id], read)?;
    Ok(complete(tx, Vec::from_iter(view))?.pop())
}

/// Whether any document has these bytes.
pub(crate) fn has_content(tx: &Tx<'_>, sha256: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM documents WHERE content = $1 LIMIT 1";
    Ok(tx.scalar::<i64>(sql, params![sha256])?.is_some())
}

pub(crate) fn read(row: &Row<'_>) -> Result<DocumentView> {
    let kind: String = row.get("kind")?;
    let status = Status::parse(&row.get::<String>("status")?).unwrap_or(Status::Failed);
    let code: Option<String> = row.get("problem_code")?;
    let message: Option<String> = row.get("problem_message")?;
    Ok(DocumentView {
        id: row.get("id")?,
        title: row.get("title")?,
        file_name: row.get("file_name")?,
        media_type: crate::deliver::media_type(&kind).to_owned(),
        kind,
        language: row.get("language")?,
        collection: row.get("collection")?,
        tags: Vec::new(),
        source: row.get("source")?,
        sha256: row.get("content")?,
        size_bytes: row.get("size_bytes")?,
        pages: row.get("pages")?,
        characters: row.get("characters")?,
        passages: row.get("passages")?,
        status,
        percent: if status == Status::Ready { 100 } else { 0 },
        problem: code.zip(message).map(|(code, message)| DocumentProblem {
            hint: crate::report::hint(&code).map(str::to_owned),
            code,
            message,
        }),
        ocr_pages: Vec::new(),
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        indexed_at: row.get("indexed_at")?,
    })
}

/// Adds what stands in tables of its own, for all of them at once.
pub(crate) fn complete(tx: &Tx<'_>, mut views: Vec<DocumentView>) -> Result<Vec<DocumentView>> {
    if views.is_empty() {
        return Ok(views);
    }
    let places: Vec<String> = (1..=views.len()).map(|number| format!("${number}")).collect();
    let (ids, places): (Vec<Value>, _) =
        (views.iter().map(|view| (&view.id).into()).collect(), places.join(", "));
    let sql = format!("SELECT document, tag FROM document_tags WHERE document IN ({places}) ORDER BY tag");
    let tags = tx.query(&sql, &ids, |row| Ok((row.at(0)?, row.at(1)?)))?;
    let sql =
        format!("SELECT document, page FROM document_image_pages WHERE document IN ({places}) ORDER BY page");
    let pages = tx.query(&sql, &ids, |row| Ok((row.at(0)?, row.at(1)?)))?;
    let (mut tags, mut pages) = (by_document(tags), by_document(pages));
    for view in &mut views {
        view.tags = tags.remove(&view.id).unwrap_or_default();
        view.ocr_pages = pages.remove(&view.id).unwrap_or_default();
    }
    Ok(views)
}

fn by_document<T>(rows: Vec<(DocumentId, T)>) -> HashMap<DocumentId, Vec<T>> {
    let mut found: HashMap<_, Vec<T>> = HashMap::new();
    for (id, value) in rows {
        found.entry(id).or_default().push(value);
    }
    found
}

pub(crate) fn set_status(tx: &mut Tx<'_>, id: &DocumentId, status: Status) -> Result<bool> {
    let now = tx.now();
    let changed = tx.execute(
        "UPDATE documents SET status = $2, problem_code = NULL, problem_message = NULL, updated_at = $3 WHERE id = $1",
        params![id, status.as_str(), now],
    )?;
    Ok(changed == 1)
}

pub(crate) fn set_failed(tx: &mut Tx<'_>, id: &DocumentId, code: &str, message: &str) -> Result<bool> {
    let now = tx.now();
    let changed = tx.execute(
        "UPDATE documents SET status = 'failed', problem_code = $2, problem_message = $3, updated_at = $4 WHERE id = $1",
        params![id, code, message, now],
    )?;
    Ok(changed == 1)
}

/// What an extraction found out about a document.
pub(crate) struct Found<'a> {
    pub kind: &'a str,
    pub title: Option<&'a str>,
    pub language: Option<&'a str>,
    pub pages: u32,
    pub characters: u64,
    pub image_pages: &'a [u32],
}

pub(crate) fn set_extracted(tx: &mut Tx<'_>, id: &DocumentId, found: &Found<'_>) -> Result<bool> {
    let now = tx.now();
    let changed = tx.execute(
        "UPDATE documents SET status = 'indexing', kind = $2, language = $3, pages = $4, characters = $5, updated_at = $6,
                title = CASE WHEN title_given = 1 THEN title ELSE COALESCE($7, title) END
         WHERE id = $1",
        params![id, found.kind, found.language.map(str::to_owned), found.pages, found.characters, now,
                found.title.map(str::to_owned)],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    tx.execute("DELETE FROM document_image_pages WHERE document = $1", params![id])?;
    for page in found.image_pages {
        tx.execute(
            "INSERT INTO document_image_pages (document, page) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![id, *page],
        )?;
    }
    Ok(true)
}

/// The document can be found now; its job is done.
pub(crate) fn set_ready(tx: &mut Tx<'_>, id: &DocumentId, job: &JobId, passages: u64) -> Result<bool> {
    let now = tx.now();
    let changed = tx.execute(
        "UPDATE documents SET status = 'ready', problem_code = NULL, problem_message = NULL, passages = $2,
                updated_at = $3, indexed_at = $3 WHERE id = $1",
        params![id, passages, now],
    )?;
    queue::finish(tx, job)?;
    Ok(changed == 1)
}

pub(crate) fn set_title(tx: &mut Tx<'_>, id: &DocumentId, title: &str) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "UPDATE documents SET title = $2, title_given = 1, updated_at = $3 WHERE id = $1",
        params![id, title, now],
    )?;
    Ok(())
}

pub(crate) fn set_collection(tx: &mut Tx<'_>, id: &DocumentId, collection: Option<&str>) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "UPDATE documents SET collection = $2, updated_at = $3 WHERE id = $1",
        params![id, collection.map(str::to_owned), now],
    )?;
    Ok(())
}

pub(crate) fn set_tags(tx: &mut Tx<'_>, id: &DocumentId, tags: &[String]) -> Result<()> {
    let now = tx.now();
    tx.execute("DELETE FROM document_tags WHERE document = $1", params![id])?;
    for tag in tags {
        tx.execute(
            "INSERT INTO document_tags (document, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            params![id, tag.trim()],
        )?;
    }
    tx.execute("UPDATE documents SET updated_at = $2 WHERE id = $1", params![id, now])?;
    Ok(())
}

/// Removes the rows; what lies outside the database is left to the remove job, which survives a crash.
pub(crate) fn delete(tx: &mut Tx<'_>, id: &DocumentId) -> Result<Option<String>> {
    let hash: Option<String> =
        tx.query_one("DELETE FROM documents WHERE id = $1 RETURNING content", params![id], |row| row.at(0))?;
    if let Some(hash) = &hash {
        queue::forget(tx, READ_JOB, id.as_str())?;
        queue::push(
            tx,
            &NewJob {
                kind: REMOVE_JOB,
                subject: id.as_str(),
                payload: serde_json::json!({ "sha256": hash }),
            },
        )?;
    }
    Ok(hash)
}

/// Documents that were on their way when the process ended have a job; ones whose job was lost get a new one.
pub(crate) fn recover(tx: &mut Tx<'_>) -> Result<()> {
    queue::recover(tx)?;
    let lost = tx.query(
        "SELECT id FROM documents WHERE status IN ('queued', 'extracting', 'indexing')
         AND NOT EXISTS (SELECT 1 FROM jobs WHERE kind = $1 AND subject = documents.id)",
        params![READ_JOB],
        |row| row.at::<DocumentId>(0),
    )?;
    for id in lost {
        push_read(tx, &id)?;
    }
    Ok(())
}

/// Every document that has a text is to be indexed again.
pub(crate) fn index_all_again(tx: &mut Tx<'_>) -> Result<u64> {
    let ready = tx
        .query("SELECT id FROM documents WHERE status = 'ready'", params![], |row| row.at::<DocumentId>(0))?;
    tx.execute("UPDATE documents SET status = 'indexing' WHERE status = 'ready'", params![])?;
    for id in &ready {
        push_read(tx, id)?;
    }
    Ok(ready.len() as u64)
}

/// What the index must hold: each findable document with its number of passages.
pub(crate) fn indexed(tx: &Tx<'_>) -> Result<Vec<(String, u64)>> {
    tx.query("SELECT id, passages FROM documents WHERE status = 'ready'", params![], |row| {
        Ok((row.at(0)?, row.at(1)?))
    })
}

pub(crate) fn hashes(tx: &Tx<'_>) -> Result<Vec<String>> {
    tx.query("SELECT DISTINCT content FROM documents", params![], |row| row.at(0))
}

/// These documents are to be indexed again.
pub(crate) fn index_again(tx: &mut Tx<'_>, ids: &[String]) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE documents SET status = 'indexing' WHERE id = $1 AND status = 'ready'",
            params![id],
        )?;
        queue::push(tx, &NewJob { kind: READ_JOB, subject: id, payload: serde_json::Value::Null })?;
    }
    Ok(())
}

/// A document whose passages have, or are to get, vectors.
pub(crate) struct Embeddable {
    pub id: String,
    /// When it was last indexed.
    pub indexed_at: i64,
    pub passages: u64,
    /// Its passages are in the index. Others are on their way there again; their vectors are kept so long.
    pub ready: bool,
}

pub(crate) fn embeddable(tx: &Tx<'_>) -> Result<Vec<Embeddable>> {
    let sql = "SELECT id, coalesce(indexed_at, 0), passages, status FROM documents WHERE status IN ('ready', 'indexing')
        ORDER BY id";
    tx.query(sql, params![], |row| {
        Ok(Embeddable {
            id: row.at(0)?,
            indexed_at: row.at(1)?,
            passages: row.at(2)?,
            ready: row.at::<String>(3)? == "ready",
        })
    })
}

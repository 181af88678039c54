//! SQL of lists, counts and facets.

use lectern_kernel::{Cursor, Sight};
use lectern_store::{StoreError, Tx, Value};

use crate::model::{DocumentFacets, DocumentView, FacetCount, ListParameters};
use crate::store::{columns, complete, read};
use crate::store_access::seen;

type Result<T> = std::result::Result<T, StoreError>;

/// Conditions of every list; parameters 1–6.
const WHERE: &str =
    "($1 IS NULL OR collection = $1) AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR status = $3)
    AND ($4 IS NULL OR language = $4)
    AND ($5 IS NULL OR EXISTS (SELECT 1 FROM document_tags WHERE document = documents.id AND tag = $5))
    AND ($6 IS NULL OR lower(title) LIKE $6 ESCAPE '\\' OR lower(file_name) LIKE $6 ESCAPE '\\')";

/// How a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Newest,
    Oldest,
    Title,
    Largest,
}

impl Sort {
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("-created_at") => Some(Self::Newest),
            Some("created_at") => Some(Self::Oldest),
            Some("title") => Some(Self::Title),
            Some("-size_bytes") => Some(Self::Largest),
            Some(_) => None,
        }
    }

    /// Which rows come after the cursor (key 7, id 8), and the order. Ids rise with time.
    fn sql(self) -> (&'static str, &'static str) {
        match self {
            Self::Newest => ("id < $8", "id DESC"),
            Self::Oldest => ("id > $8", "id"),
            Self::Title => ("(lower(title), id) > ($7, $8)", "lower(title), id"),
            Self::Largest => ("(-size_bytes, id) > (CAST($7 AS INTEGER), $8)", "-size_bytes, id"),
        }
    }

    pub fn cursor(self, view: &DocumentView) -> Cursor {
        let key = match self {
            Self::Newest | Self::Oldest => String::new(),
            Self::Title => view.title.to_ascii_lowercase(),
            Self::Largest => format!("-{}", view.size_bytes),
        };
        Cursor { key, id: view.id.to_string() }
    }
}

fn conditions(list: &ListParameters) -> Vec<Value> {
    let filled = |text: &Option<String>| Value::from(text.clone().filter(|t| !t.is_empty()));
    let like = list.q.as_deref().map(str::trim).filter(|q| !q.is_empty()).map(|q| {
        let escaped = q.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    vec![
        filled(&list.collection),
        filled(&list.kind),
        Value::from(list.status.map(crate::Status::as_str)),
        filled(&list.language),
        filled(&list.tag),
        Value::from(like),
    ]
}

pub(crate) fn list(
    tx: &Tx<'_>,
    sight: &Sight,
    list: &ListParameters,
    (sort, after, limit): (Sort, Option<&Cursor>, u32),
) -> Result<Vec<DocumentView>> {
    let (beyond, order) = sort.sql();
    let mut values = conditions(list);
    values.push(Value::from(after.map(|c| c.key.clone())));
    values.push(Value::from(after.map(|c| c.id.clone())));
    values.push(Value::from(limit));
    let seen = seen(sight, values.len() + 1);
    values.extend(seen.values);
    let sql = format!(
        "SELECT {} FROM documents WHERE {WHERE} AND {} AND ($8 IS NULL OR {beyond}) AND ($7 IS NULL OR 1 = 1)
         ORDER BY {order} LIMIT $9",
        columns(),
        seen.sql
    );
    let views = tx.query(&sql, &values, read)?;
    complete(tx, views)
}

pub(crate) fn count(tx: &Tx<'_>, sight: &Sight, list: &ListParameters) -> Result<u64> {
    let mut values = conditions(list);
    let seen = seen(sight, values.len() + 1);
    values.extend(seen.values);
    let sql = format!("SELECT count(*) FROM documents WHERE {WHERE} AND {}", seen.sql);
    Ok(tx.scalar(&sql, &values)?.unwrap_or(0))
}

pub(crate) fn facets(tx: &Tx<'_>, sight: &Sight) -> Result<DocumentFacets> {
    let seen = seen(sight, 1);
    let (sql, values) = (&seen.sql, &seen.values[..]);
    let column = |name: &str| {
        counts(
            tx,
            &format!(
                "SELECT {name}, count(*) FROM documents WHERE {name} IS NOT NULL AND {sql}
                 GROUP BY {name} ORDER BY 2 DESC, 1 LIMIT 200"
            ),
            values,
        )
    };
    Ok(DocumentFacets {
        collections: column("collection")?,
        tags: counts(
            tx,
            &format!(
                "SELECT tag, count(*) FROM document_tags JOIN documents ON documents.id = document WHERE {sql}
                 GROUP BY tag ORDER BY 2 DESC, 1 LIMIT 200"
            ),
            values,
        )?,
        types: column("kind")?,
        languages: column("language")?,
        statuses: column("status")?,
    })
}

fn counts(tx: &Tx<'_>, sql: &str, values: &[Value]) -> Result<Vec<FacetCount>> {
    tx.query(sql, values, |row| Ok(FacetCount { value: row.at(0)?, count: row.at(1)? }))
}

/// Passages and code points of all findable documents that are seen.
pub(crate) fn sums(tx: &Tx<'_>, sight: &Sight) -> Result<(u64, u64)> {
    let seen = seen(sight, 1);
    let sql = format!(
        "SELECT coalesce(sum(passages), 0), coalesce(sum(characters), 0) FROM documents
         WHERE status = 'ready' AND {}",
        seen.sql
    );
    Ok(tx.query_one(&sql, &seen.values, |row| Ok((row.at(0)?, row.at(1)?)))?.unwrap_or_default())
}

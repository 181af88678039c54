//! Runs what people type: hits with snippets, the total, facets and an opaque cursor.

use std::hash::{Hash, Hasher};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustc_hash::FxHasher;
use tantivy::DocAddress;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::Query;

use crate::error::{Result, SearchError};
use crate::facets::{FacetCollector, Facets};
use crate::filter::{Filter, narrow};
use crate::index::SearchIndex;
use crate::plan::Planner;
use crate::query;
use crate::snippet::{Highlighter, Snippets};

/// Most hits of one page.
pub const MAX_LIMIT: usize = 200;
/// Deepest hit that can be paged to.
pub const MAX_DEPTH: usize = 10_000;

/// A search.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    /// In the query language; empty finds everything.
    pub text: String,
    /// Chosen by the person.
    pub filters: Vec<Filter>,
    /// What the person may see: part of the query like any filter, but not of the cursor's identity.
    pub scope: Vec<Filter>,
    /// Hits of the page, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    pub cursor: Option<String>,
    pub facets: bool,
}

/// A found passage. `start..end` are code points of the document's text, `highlights` of the snippet.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub document: String,
    pub ordinal: u32,
    pub title: String,
    pub format: String,
    pub collection: Option<String>,
    pub page: Option<u32>,
    pub label: Option<String>,
    pub heading: String,
    pub start: u32,
    pub end: u32,
    pub snippet: String,
    /// Where the snippet begins in the document.
    pub snippet_start: u32,
    pub highlights: Vec<[u32; 2]>,
    pub score: f32,
}

/// A page of hits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResults {
    pub hits: Vec<Hit>,
    /// All matching passages.
    pub total: u64,
    pub next_cursor: Option<String>,
    pub facets: Facets,
}

type Found = Vec<(f32, DocAddress)>;

impl SearchIndex {
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResults> {
        let limit = request.limit.clamp(1, MAX_LIMIT);
        let identity = identity(request);
        let offset = request.cursor.as_deref().map_or(Ok(0), |cursor| read_cursor(cursor, identity))?;
        let searcher = self.searcher();
        let languages = self.languages();
        let node = query::parse(&request.text)?;
        let mut planner = Planner {
            fields: &self.fields,
            searcher: &searcher,
            languages: &languages,
            highlighter: Highlighter::default(),
        };
        let wanted = planner.plan(&node)?;
        let highlighter = planner.highlighter;
        let narrowed = narrow(wanted, request.filters.iter().chain(&request.scope), &self.fields);
        let (found, total, facets) = run(&searcher, narrowed.as_ref(), limit, offset, request.facets)?;
        let next = offset + found.len();
        let more = (next as u64) < total && next < MAX_DEPTH && !found.is_empty();
        let mut snippets = Snippets::new(&highlighter);
        let hits = found
            .into_iter()
            .map(|(score, address)| self.hit(&searcher, address, score, &mut snippets))
            .collect::<Result<_>>()?;
        Ok(SearchResults { hits, total, next_cursor: more.then(|| write_cursor(next, identity)), facets })
    }

    fn hit(
        &self,
        searcher: &tantivy::Searcher,
        address: DocAddress,
        score: f32,
        snippets: &mut Snippets<'_>,
    ) -> Result<Hit> {
        let (meta, passage) = self.stored(searcher, address)?;
        let snippet = snippets.make(&passage.text, meta.language.as_deref());
        Ok(Hit {
            document: meta.id,
            ordinal: passage.ordinal,
            title: meta.title,
            format: meta.format,
            collection: meta.collection,
            page: passage.page,
            label: passage.label,
            heading: passage.heading,
            start: passage.start,
            end: passage.end,
            snippet_start: passage.start + snippet.range.start as u32,
            snippet: snippet.text,
            highlights: snippet.highlights,
            score,
        })
    }
}

fn run(
    searcher: &tantivy::Searcher,
    query: &dyn Query,
    limit: usize,
    offset: usize,
    facets: bool,
) -> Result<(Found, u64, Facets)> {
    let top = TopDocs::with_limit(limit).and_offset(offset).order_by_score();
    Ok(if facets {
        let (found, total, facets) = searcher.search(query, &(top, Count, FacetCollector))?;
        (found, total as u64, facets)
    } else {
        let (found, total) = searcher.search(query, &(top, Count))?;
        (found, total as u64, Facets::default())
    })
}

/// What makes two requests the same search.
fn identity(request: &SearchRequest) -> u64 {
    let mut hasher = FxHasher::default();
    request.text.hash(&mut hasher);
    request.filters.hash(&mut hasher);
    hasher.finish()
}

fn write_cursor(offset: usize, identity: u64) -> String {
    let mut bytes = [0u8; 12];
    bytes[..4].copy_from_slice(&(offset as u32).to_le_bytes());
    bytes[4..].copy_from_slice(&identity.to_le_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(cursor: &str, identity: u64) -> Result<usize> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| SearchError::Cursor)?;
    let (offset, of) = bytes.split_first_chunk::<4>().ok_or(SearchError::Cursor)?;
    let offset = u32::from_le_bytes(*offset) as usize;
    if of != identity.to_le_bytes() || offset > MAX_DEPTH {
        return Err(SearchError::Cursor);
    }
    Ok(offset)
}

//! Runs what people type: hits with snippets, the total, facets and an opaque cursor.

use std::hash::{Hash, Hasher};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustc_hash::{FxHashSet, FxHasher};
use tantivy::DocAddress;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::Query;

use crate::error::{Result, SearchError};
use crate::facets::{FacetCollector, Facets};
use crate::filter::{Filter, narrow};
use crate::index::SearchIndex;
use crate::meaning::{self, Meaning};
use crate::plan::Planner;
use crate::query;
use crate::snippet::{Highlighter, Snippets};
use crate::viewer::Viewer;
use crate::within::Eyes;

/// Most hits of one page.
pub const MAX_LIMIT: usize = 200;
/// Deepest hit that can be paged to.
pub const MAX_DEPTH: usize = 10_000;

/// First hits that words and meaning bring to one order; those behind are found by words alone.
const FUSED: usize = 200;
/// Hits that meaning brings.
const NEAR: usize = 100;
/// How near a hit must be that has none of the words.
const NEAR_ENOUGH: f32 = 0.45;

/// A search.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    /// In the query language; empty finds everything.
    pub text: String,
    /// Chosen by the person.
    pub filters: Vec<Filter>,
    /// Who looks; none sees everything. Part of the query, but not of the cursor's identity.
    pub viewer: Option<Viewer>,
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
    /// By words.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResults> {
        self.search_with(request, None)
    }

    /// By words, and by what is known of the text's meaning when it is plain words ([`is_plain`]).
    pub fn search_with(
        &self,
        request: &SearchRequest,
        meaning: Option<&dyn Meaning>,
    ) -> Result<SearchResults> {
        let limit = request.limit.clamp(1, MAX_LIMIT);
        let identity = identity(request);
        let offset = request.cursor.as_deref().map_or(Ok(0), |cursor| read_cursor(cursor, identity))?;
        let eyes = self.eyes(request.viewer.as_ref())?;
        let node = query::parse(&request.text)?;
        let mut planner = Planner { fields: &self.fields, eyes: &eyes, highlighter: Highlighter::default() };
        let wanted = planner.plan(&node)?;
        let highlighter = planner.highlighter;
        let narrowed = eyes.within(narrow(wanted, request.filters.iter(), &self.fields));
        let meaning = meaning.filter(|_| query::is_plain(&node));
        let (found, total, facets) = match meaning {
            Some(meaning) => self.fused(&eyes, narrowed.as_ref(), request, (limit, offset), meaning)?,
            None => run(&eyes.searcher, narrowed.as_ref(), limit, offset, request.facets)?,
        };
        let next = offset + found.len();
        let more = (next as u64) < total && next < MAX_DEPTH && !found.is_empty();
        let mut snippets = Snippets::new(&highlighter);
        let hits = found
            .into_iter()
            .map(|(score, address)| self.hit(&eyes.searcher, address, score, &mut snippets))
            .collect::<Result<_>>()?;
        Ok(SearchResults { hits, total, next_cursor: more.then(|| write_cursor(next, identity)), facets })
    }

    /// A page of the list in which the best by words and the best by meaning are fused.
    fn fused(
        &self,
        eyes: &Eyes,
        query: &dyn Query,
        request: &SearchRequest,
        (limit, offset): (usize, usize),
        meaning: &dyn Meaning,
    ) -> Result<(Found, u64, Facets)> {
        let wanted = FUSED.max(offset + limit + NEAR);
        let (words, total, facets) = run(&eyes.searcher, query, wanted, 0, request.facets)?;
        let mut near = self.near(eyes, meaning, &request.filters, NEAR)?;
        let known: FxHashSet<DocAddress> = words.iter().map(|(_, address)| *address).collect();
        let others = near.iter().map(|near| near.0).filter(|address| !known.contains(address));
        let scores = meaning::scores(&eyes.searcher, query, others.collect())?;
        let has_words = |address: &DocAddress| known.contains(address) || scores.contains_key(address);
        near.retain(|(address, closeness)| closeness.best >= NEAR_ENOUGH || has_words(address));
        let total = total + near.iter().filter(|(address, _)| !has_words(address)).count() as u64;
        let (first, behind) = words.split_at(words.len().min(FUSED));
        let fused = meaning::fuse(first, &near, &scores);
        let seen: FxHashSet<DocAddress> = fused.iter().map(|found| found.address).collect();
        let behind = behind.iter().map(|(_, address)| *address).filter(|address| !seen.contains(address));
        let list = fused
            .iter()
            .map(|found| (found.fused, found.address))
            .chain(behind.map(|address| (0.0, address)));
        Ok((list.skip(offset).take(limit).collect(), total, facets))
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

/// Whether a text is plain words, without any sign of the query language.
pub fn is_plain(text: &str) -> bool {
    query::parse(text).is_ok_and(|node| query::is_plain(&node))
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

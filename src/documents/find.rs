//! Searching: the query of a person, with filters, facets, snippets and cursors.

use std::time::Instant;

use lectern_kernel::ports::Filter;
use lectern_kernel::{DocumentId, Error, Result, Scope, Timestamp};
use lectern_search::{Facets, Hit, Meaning, SearchRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Documents;
use crate::model::FacetCount;
use crate::retrieve::conditions;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchParameters {
    /// The query.
    pub q: String,
    /// 1–100 hits; 20 when absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    pub collection: Option<String>,
    pub tag: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub language: Option<String>,
    /// Only documents added on or after this day, `2024-01-31`.
    pub from: Option<String>,
    /// Only documents added on or before this day.
    pub to: Option<String>,
    /// Only this document.
    pub document: Option<String>,
    /// Count the values of the hits too; only on the first page.
    #[serde(default)]
    pub facets: bool,
}

/// A passage that fits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    pub document: DocumentId,
    pub title: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub collection: Option<String>,
    /// Page, slide or sheet number.
    pub page: Option<u32>,
    /// Sheet name, slide title or archive member.
    pub label: Option<String>,
    pub heading: Option<String>,
    pub snippet: String,
    /// Matching places in the snippet, in code points, end exclusive.
    pub highlights: Vec<(u32, u32)>,
    /// The passage in the document's text, in code points.
    pub start: u32,
    pub end: u32,
    pub score: f32,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct SearchFacets {
    pub collections: Vec<FacetCount>,
    pub tags: Vec<FacetCount>,
    pub types: Vec<FacetCount>,
    pub languages: Vec<FacetCount>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SearchResponse {
    pub hits: Vec<SearchHit>,
    /// Passages that fit, on all pages.
    pub total: u64,
    pub next_cursor: Option<String>,
    pub facets: SearchFacets,
    pub took_ms: f64,
}

const DAY_SECONDS: i64 = 86_400;

impl SearchParameters {
    fn request(self) -> Result<SearchRequest> {
        let document = match self.document.as_deref().filter(|d| !d.is_empty()) {
            Some(text) => Some(text.parse().map_err(|_| Error::field("document", "is not a document's id"))?),
            None => None,
        };
        let (from, to) = (day("from", self.from.as_deref())?, day("to", self.to.as_deref())?);
        let plain = Filter {
            collection: self.collection,
            tag: self.tag,
            kind: self.kind,
            language: self.language,
            document,
        };
        let mut filters = conditions(&plain);
        if from.is_some() || to.is_some() {
            filters
                .push(lectern_search::Filter::Created { from, to: to.map(|start| start + DAY_SECONDS - 1) });
        }
        Ok(SearchRequest {
            text: self.q,
            filters,
            limit: self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize,
            facets: self.facets && self.cursor.as_deref().is_none_or(str::is_empty),
            cursor: self.cursor.filter(|c| !c.is_empty()),
            ..SearchRequest::default()
        })
    }
}

/// The second at which a day begins.
fn day(field: &str, text: Option<&str>) -> Result<Option<i64>> {
    text.filter(|t| !t.is_empty())
        .map(|text| {
            let start =
                Timestamp::of_day(text).ok_or_else(|| Error::field(field, "write a day as 2024-01-31"))?;
            Ok(start.0 / 1000)
        })
        .transpose()
}

impl Documents {
    pub async fn search(&self, scope: &Scope, parameters: SearchParameters) -> Result<SearchResponse> {
        let started = Instant::now();
        let mut request = parameters.request()?;
        let (tenant, bank) = (self.tenant(scope)?, self.inner.bank.clone());
        let own = tenant.clone();
        let found = tenant
            .search(scope, move |index, viewer| {
                request.viewer = viewer;
                let _running = own.meaning.activity.begin();
                // Operators mean words and nothing else.
                let plain = lectern_search::is_plain(&request.text);
                let bank = bank.filter(|_| plain);
                let asked = bank.and_then(|bank| own.meaning.ask(bank.as_ref(), &request.text, None));
                index.search_with(&request, asked.as_ref().map(|asked| asked as &dyn Meaning))
            })
            .await?;
        Ok(SearchResponse {
            hits: found.hits.into_iter().filter_map(hit).collect(),
            total: found.total,
            next_cursor: found.next_cursor,
            facets: facets(found.facets),
            took_ms: (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0,
        })
    }
}

fn hit(found: Hit) -> Option<SearchHit> {
    Some(SearchHit {
        document: found.document.parse().ok()?,
        title: found.title,
        kind: found.format,
        collection: found.collection,
        page: found.page,
        label: found.label,
        heading: Some(found.heading).filter(|h| !h.is_empty()),
        snippet: found.snippet,
        highlights: found.highlights.into_iter().map(|[start, end]| (start, end)).collect(),
        start: found.start,
        end: found.end,
        score: found.score,
    })
}

fn facets(found: Facets) -> SearchFacets {
    let counts = |values: Vec<(String, u64)>| {
        values.into_iter().map(|(value, count)| FacetCount { value, count }).collect()
    };
    SearchFacets {
        collections: counts(found.collections),
        tags: counts(found.tags),
        types: counts(found.formats),
        languages: counts(found.languages),
    }
}

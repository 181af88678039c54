//! Lists of resources: filtered, sorted, a page at a time. What an index knows is looked up there, the rest is looked at
//! in the order of ids, up to a bound.

use std::cmp::Ordering;

use lectern_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::filter::{self, Filter};
use crate::fits::{Condition, Hint};
use crate::path::{Fields, Named, Place, resolve};
use crate::project::{Projection, Wanted};
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::schema::ResourceType;
use crate::values::is_primary;

/// Most resources on a page.
pub(crate) const MOST: u32 = 200;
const DEFAULT: u32 = 100;
/// Most resources that a filter or an order is tried on.
pub(crate) const MOST_SEEN: usize = 50_000;
const BATCH: u32 = 500;
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub filter: Option<Filter>,
    pub sort: Option<String>,
    pub descending: bool,
    /// From 1.
    pub start: u64,
    pub count: u32,
    pub wanted: Wanted,
}

/// What can be asked for, as it is written.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListParameters {
    /// As in RFC 7644, section 3.4.2.2; 4,096 bytes at most.
    pub filter: Option<String>,
    pub sort_by: Option<String>,
    /// `ascending` or `descending`.
    pub sort_order: Option<String>,
    /// From 1.
    pub start_index: Option<i64>,
    /// 0–200; 100 when absent.
    pub count: Option<i64>,
    /// Names with commas between: only these are shown.
    pub attributes: Option<String>,
    /// Names with commas between: these are not shown.
    pub excluded_attributes: Option<String>,
}

impl ListParameters {
    pub fn query(self) -> Result<Query> {
        let order = self.sort_order.unwrap_or_default();
        Ok(Query {
            filter: self
                .filter
                .filter(|text| !text.trim().is_empty())
                .map(|t| filter::parse(&t))
                .transpose()?,
            sort: self.sort_by.filter(|name| !name.trim().is_empty()),
            descending: order.eq_ignore_ascii_case("descending"),
            start: self.start_index.and_then(|start| u64::try_from(start).ok()).unwrap_or(1).max(1),
            count: self.count.map_or(DEFAULT, |count| u32::try_from(count.max(0)).unwrap_or(MOST)).min(MOST),
            wanted: Wanted::of(self.attributes.as_deref(), self.excluded_attributes.as_deref()),
        })
    }
}

/// Where resources of a type come from.
pub(crate) trait Source {
    fn kind(&self) -> &'static ResourceType;

    /// Ids of all that can have what a hint says; none when no index knows. More than fit is no mistake.
    fn candidates(&self, tx: &Tx<'_>, hint: &Hint) -> Result<Option<Vec<String>>, StoreError>;

    /// Resources after an id, by id; `links` says whether groups or members are needed.
    fn after(&self, tx: &Tx<'_>, id: &str, limit: u32, links: bool) -> Result<Vec<Fields>, StoreError>;

    /// Resources after so many, by id, and how many there are.
    fn page(
        &self,
        tx: &Tx<'_>,
        offset: u64,
        limit: u32,
        links: bool,
    ) -> Result<(Vec<Fields>, u64), StoreError>;

    fn one(&self, tx: &Tx<'_>, id: &str, links: bool) -> Result<Option<Fields>, StoreError>;
}

/// A resource that fits: what it is sorted by, which source it is of, its id.
struct Hit {
    key: Option<String>,
    source: usize,
    id: String,
}

/// The answer to a query of one or more types.
pub(crate) fn list(tx: &Tx<'_>, sources: &[&dyn Source], query: &Query) -> Result<Value> {
    let projections: Vec<Projection> =
        sources.iter().map(|source| Projection::new(source.kind(), &query.wanted)).collect();
    let links = |at: usize| sources[at].kind().links.iter().any(|name| projections[at].shows(name));
    let offset = query.start - 1;
    let (found, total) = match sources {
        [only] if query.filter.is_none() && query.sort.is_none() => {
            let (page, total) = only.page(tx, offset, query.count, links(0))?;
            (page.into_iter().map(|resource| (0, resource)).collect(), total)
        }
        _ => {
            let hits = hits(tx, sources, query)?;
            let total = hits.len() as u64;
            let page = hits.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
            let mut found = Vec::new();
            for hit in page.take(query.count as usize) {
                let resource = sources[hit.source].one(tx, &hit.id, links(hit.source))?;
                found.extend(resource.map(|resource| (hit.source, resource)));
            }
            (found, total)
        }
    };
    let shown = found.into_iter().map(|(at, mut resource): (usize, Fields)| {
        if !links(at) {
            forget_version(&mut resource);
        }
        Value::Object(projections[at].apply(sources[at].kind(), resource))
    });
    let shown: Vec<Value> = shown.collect();
    Ok(json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": query.start,
        "itemsPerPage": shown.len(),
        "Resources": shown,
    }))
}

/// The version is that of the whole; of a resource without its groups or members it is not known.
fn forget_version(resource: &mut Fields) {
    if let Some(Value::Object(meta)) = resource.get_mut("meta") {
        meta.remove("version");
    }
}

fn hits(tx: &Tx<'_>, sources: &[&dyn Source], query: &Query) -> Result<Vec<Hit>> {
    let (mut hits, mut seen) = (Vec::new(), 0);
    for (at, source) in sources.iter().enumerate() {
        let kind = source.kind();
        let filter = query.filter.as_ref();
        let condition = filter.map(|filter| Condition::new(kind, filter, sources.len() > 1)).transpose()?;
        let sort = sort_place(kind, query.sort.as_deref(), sources.len() > 1)?;
        let mut look = |resource: &Fields| -> Result<()> {
            seen += 1;
            if seen > MOST_SEEN {
                let detail = format!("Filters and orders are tried on {MOST_SEEN} resources at most.");
                return Err(Refusal::new(Wrong::TooMany, detail));
            }
            if condition.as_ref().is_none_or(|condition| condition.fits(resource)) {
                let id = resource["id"].as_str().unwrap_or_default().to_owned();
                let key = sort.as_ref().and_then(|place| sort_key(place, resource));
                hits.push(Hit { key, source: at, id });
            }
            Ok(())
        };
        let needed = |name: &str| {
            condition.as_ref().is_some_and(|condition| condition.mentions(name))
                || sort.as_ref().is_some_and(|place| place.attribute.name == name)
        };
        let links = needed("meta") || kind.links.iter().any(|name| needed(name));
        each(tx, *source, condition.as_ref(), links, &mut look)?;
    }
    if query.sort.is_some() {
        hits.sort_by(|a, b| if query.descending { order(b, a) } else { order(a, b) });
    }
    Ok(hits)
}

/// What has no value stands last, and first when the order is turned round.
fn order(a: &Hit, b: &Hit) -> Ordering {
    (a.key.is_none(), &a.key).cmp(&(b.key.is_none(), &b.key))
}

/// Looks at all that can fit.
fn each(
    tx: &Tx<'_>,
    source: &dyn Source,
    condition: Option<&Condition>,
    links: bool,
    look: &mut dyn FnMut(&Fields) -> Result<()>,
) -> Result<()> {
    let hint = condition.and_then(Condition::hint);
    let candidates = hint.map(|hint| source.candidates(tx, &hint)).transpose()?.flatten();
    if let Some(ids) = candidates {
        for id in ids {
            if let Some(resource) = source.one(tx, &id, links)? {
                look(&resource)?;
            }
        }
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let batch = source.after(tx, &after, BATCH, links)?;
        for resource in &batch {
            look(resource)?;
        }
        match batch.last() {
            Some(last) if batch.len() == BATCH as usize => {
                last["id"].as_str().unwrap_or_default().clone_into(&mut after);
            }
            _ => return Ok(()),
        }
    }
}

fn sort_place(kind: &ResourceType, name: Option<&str>, lenient: bool) -> Result<Option<Place>> {
    let Some(name) = name else { return Ok(None) };
    match resolve(kind, name) {
        Some(Named::Place(place)) => Ok(Some(place)),
        _ if lenient => Ok(None),
        _ => Err(Refusal::new(Wrong::InvalidPath, format!("There is no attribute '{name}' to sort by."))),
    }
}

/// The first value, or the primary one of several.
fn sort_key(place: &Place, resource: &Fields) -> Option<String> {
    let primary = match place.get(resource) {
        Some(Value::Array(items)) => items.iter().position(is_primary).unwrap_or_default(),
        _ => 0,
    };
    let mut values = place.values(resource);
    match values.nth(primary)? {
        Value::String(text) if place.last().exact => Some(text.clone()),
        Value::String(text) => Some(text.to_lowercase()),
        other => Some(other.to_string()),
    }
}

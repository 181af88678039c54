//! What narrows a search beside its words: each filter is a clause inside the query, never applied afterwards.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur, Query, RangeQuery, TermSetQuery};
use tantivy::schema::Field;

use crate::schema::Fields;
use crate::tokenizer::key;

/// One condition; values within one are alternatives, an empty list matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    Document(Vec<String>),
    Collection(Vec<String>),
    Tag(Vec<String>),
    /// Short formats: `pdf`, `docx` …
    Format(Vec<String>),
    Language(Vec<String>),
    /// Seconds since 1970-01-01 UTC, both ends included.
    Created {
        from: Option<i64>,
        to: Option<i64>,
    },
}

impl Filter {
    pub(crate) fn query(&self, fields: &Fields) -> Box<dyn Query> {
        match self {
            Self::Document(ids) => terms(fields.document, ids.iter().cloned()),
            Self::Collection(values) => terms(fields.collection, values.iter().map(|value| key(value))),
            Self::Tag(values) => terms(fields.tag, values.iter().map(|value| key(value))),
            Self::Format(values) => terms(fields.format, values.iter().map(|value| key(value))),
            Self::Language(values) => terms(fields.language, values.iter().map(|value| key(value))),
            Self::Created { from, to } => {
                let bound = |value: &Option<i64>| {
                    value.map_or(Bound::Unbounded, |seconds| {
                        Bound::Included(Term::from_field_i64(fields.created, seconds))
                    })
                };
                // A range without any end has no field to look in.
                let from = if from.is_none() && to.is_none() { &Some(i64::MIN) } else { from };
                Box::new(RangeQuery::new(bound(from), bound(to)))
            }
        }
    }
}

fn terms(field: Field, values: impl Iterator<Item = String>) -> Box<dyn Query> {
    Box::new(TermSetQuery::new(values.map(|value| Term::from_field_text(field, &value))))
}

/// `query` under all the filters; they do not change its scores.
pub(crate) fn narrow<'a>(
    query: Box<dyn Query>,
    filters: impl Iterator<Item = &'a Filter>,
    fields: &Fields,
) -> Box<dyn Query> {
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = filters
        .map(|filter| {
            let silent: Box<dyn Query> = Box::new(ConstScoreQuery::new(filter.query(fields), 0.0));
            (Occur::Must, silent)
        })
        .collect();
    if clauses.is_empty() {
        return query;
    }
    clauses.push((Occur::Must, query));
    Box::new(BooleanQuery::new(clauses))
}

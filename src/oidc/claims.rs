//! Claims by name or path.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// All claims that are not standard ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Claims(pub Map<String, Value>);

impl AdditionalClaims for Claims {}

/// Finds a claim. A name with dots is a claim of just that name (`https://example.org/groups`), or else a path through
/// objects (`realm_access.roles`). Null is like absent (OpenID Connect Core section 5.3.2).
pub(crate) fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value).filter(|v| !v.is_null());
    }
    path.match_indices('.').find_map(|(at, _)| {
        let inner = claims.get(&path[..at])?.as_object()?;
        find(inner, &path[at + 1..])
    })
}

/// A claim that is a text and not empty.
pub(crate) fn text<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    find(claims, path)?.as_str().map(str::trim).filter(|t| !t.is_empty())
}

/// A claim that is a list of texts, or one.
pub(crate) fn texts(claims: &Map<String, Value>, path: &str) -> Option<Vec<String>> {
    let found: Vec<&str> = match find(claims, path)? {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let mut texts = Vec::<String>::new();
    for text in found {
        if !text.is_empty() && !texts.iter().any(|t| t == text) {
            texts.push(text.to_owned());
        }
    }
    Some(texts)
}

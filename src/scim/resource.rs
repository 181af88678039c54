//! What people and groups have in common as resources: versions, addresses, and whether a client still has the newest.

use actix_web::HttpRequest;
use actix_web::http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use lectern_kernel::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::path::Fields;
use crate::refusal::{Refusal, Result};
use crate::schema::ResourceType;

/// Adds `id`, `schemas` and `meta`. The version is a fingerprint of all the rest, so that it changes with any of it.
pub(crate) fn finish(
    kind: &'static ResourceType,
    mut resource: Fields,
    id: &str,
    (created, changed): (Timestamp, Timestamp),
) -> Fields {
    let extensions = kind.extensions.iter().map(|schema| schema.id).filter(|urn| resource.contains_key(*urn));
    let schemas: Vec<&str> = std::iter::once(kind.schema.id).chain(extensions).collect();
    resource.insert("schemas".to_owned(), json!(schemas));
    resource.insert("id".to_owned(), json!(id));
    let text = json!([&resource, changed]).to_string();
    let version = hex::encode(&Sha256::digest(text.as_bytes())[..12]);
    let meta = json!({
        "resourceType": kind.name,
        "created": created,
        "lastModified": changed,
        "location": format!("{}/{id}", kind.endpoint),
        "version": format!("W/\"{version}\""),
    });
    resource.insert("meta".to_owned(), meta);
    resource
}

/// The version of a resource.
pub(crate) fn version(resource: &Fields) -> &str {
    resource.get("meta").and_then(|meta| meta["version"].as_str()).unwrap_or_default()
}

/// What a request says about the version that its sender knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Precondition {
    matches: Option<String>,
    differs: Option<String>,
}

impl Precondition {
    pub fn of(request: &HttpRequest) -> Self {
        let header = |name: HeaderName| {
            let values: Vec<&str> =
                request.headers().get_all(name).filter_map(|value| value.to_str().ok()).collect();
            Some(values.join(",")).filter(|text| !text.trim().is_empty())
        };
        Self { matches: header(IF_MATCH), differs: header(IF_NONE_MATCH) }
    }

    /// Before a change: the sender must know the newest version, when they say which they know.
    pub fn check(&self, resource: &Fields) -> Result<()> {
        let version = version(resource);
        let fresh = self.matches.as_deref().is_none_or(|known| names(known, version));
        if fresh && !self.differs.as_deref().is_some_and(|known| names(known, version)) {
            return Ok(());
        }
        let detail = "It was changed since it was read. Read it again, then change it.";
        Err(Refusal::status(412, detail))
    }

    /// Whether the sender has this version already.
    pub fn is_known(&self, resource: &Fields) -> bool {
        self.differs.as_deref().is_some_and(|known| names(known, version(resource)))
    }
}

/// Whether a list of entity tags names a version; compared weakly.
fn names(list: &str, version: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(version))
}

/// The header that tells a resource's version.
pub(crate) fn tag(resource: &Fields) -> (HeaderName, String) {
    (ETAG, version(resource).to_owned())
}

/// Makes the addresses inside a resource whole; they begin with a slash where they are ours.
pub(crate) fn with_addresses(value: &mut Value, base: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(path) if matches!(name.as_str(), "$ref" | "location") => {
                        if path.starts_with('/') {
                            path.insert_str(0, base);
                        }
                    }
                    other => with_addresses(other, base),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| with_addresses(item, base)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_weakly_and_in_lists() {
        assert!(names("W/\"a\", W/\"b\"", "W/\"b\"") && names("\"b\"", "W/\"b\"") && names("*", "W/\"b\""));
        assert!(!names("W/\"a\"", "W/\"b\"") && !names("", "W/\"b\""));
    }

    #[test]
    fn only_our_own_addresses_are_made_whole() {
        let mut value = json!({
            "meta": {"location": "/Users/1"}, "profileUrl": "/me", "members": [{"$ref": "/Users/2"}],
        });
        with_addresses(&mut value, "https://a/v2");
        let whole = json!({
            "meta": {"location": "https://a/v2/Users/1"}, "profileUrl": "/me",
            "members": [{"$ref": "https://a/v2/Users/2"}],
        });
        assert_eq!(value, whole);
    }
}

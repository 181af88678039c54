//! Names of attributes, with their URN or without, and where they lie in a resource.

use serde_json::{Map, Value};

use crate::schema::{Attribute, COMMON, Kind, ResourceType, Schema, named};

/// A resource, or a value with sub-attributes, under the names as the schemas write them.
pub(crate) type Fields = Map<String, Value>;

/// Where an attribute lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// URN of the extension whose object it lies in.
    pub extension: Option<&'static str>,
    pub attribute: &'static Attribute,
    pub sub: Option<&'static Attribute>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    /// All of an extension.
    Extension(&'static Schema),
    Place(Place),
}

/// Finds what a name stands for; case does not count.
pub(crate) fn resolve(kind: &ResourceType, name: &str) -> Option<Named> {
    if let Some(rest) = after_urn(name, kind.schema.id) {
        return place(kind.schema.attributes, None, rest.strip_prefix(':')?);
    }
    for schema in kind.extensions {
        match after_urn(name, schema.id) {
            Some("") => return Some(Named::Extension(schema)),
            Some(rest) => return place(schema.attributes, Some(schema.id), rest.strip_prefix(':')?),
            None => {}
        }
    }
    place(kind.schema.attributes, None, name).or_else(|| place(COMMON, None, name))
}

/// What stands after an URN at the beginning of a name.
fn after_urn<'a>(name: &'a str, urn: &str) -> Option<&'a str> {
    let (start, rest) = (name.get(..urn.len())?, name.get(urn.len()..)?);
    let whole = rest.is_empty() || rest.starts_with(':');
    (whole && start.eq_ignore_ascii_case(urn)).then_some(rest)
}

fn place(attributes: &'static [Attribute], extension: Option<&'static str>, name: &str) -> Option<Named> {
    let (name, sub) = name.split_once('.').map_or((name, None), |(name, sub)| (name, Some(sub)));
    let attribute = named(attributes, name)?;
    let sub = match sub {
        Some(sub) => Some(attribute.sub(sub)?),
        None => None,
    };
    Some(Named::Place(Place { extension, attribute, sub }))
}

impl Place {
    /// A sub-attribute, seen from the value it belongs to.
    pub fn inside(attribute: &'static Attribute) -> Self {
        Self { extension: None, attribute, sub: None }
    }

    /// The attribute whose values are meant: of values with parts, `value` stands for the whole.
    pub fn last(&self) -> &'static Attribute {
        let attribute = self.sub.unwrap_or(self.attribute);
        if attribute.kind == Kind::Complex { attribute.sub("value").unwrap_or(attribute) } else { attribute }
    }

    /// The attribute's own value.
    pub fn get<'a>(&self, resource: &'a Fields) -> Option<&'a Value> {
        let fields = match self.extension {
            Some(urn) => resource.get(urn)?.as_object()?,
            None => resource,
        };
        fields.get(self.attribute.name)
    }

    /// Each single value that is meant.
    pub fn values<'a>(&self, resource: &'a Fields) -> impl Iterator<Item = &'a Value> + use<'a> {
        let (sub, last) = (self.sub, self.last());
        let part = (sub.is_some() || last.name != self.attribute.name).then_some(last.name);
        let whole = self.get(resource);
        let items = whole.into_iter().flat_map(|value| match value {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        });
        items.filter_map(move |item| match part {
            Some(name) => item.get(name),
            None => Some(item),
        })
    }
}

/// Whether there is something: not null and not empty.
pub(crate) fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(is_assigned),
        Value::Object(fields) => fields.values().any(is_assigned),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ENTERPRISE, GROUP, USER};

    #[test]
    fn names_are_found_with_and_without_urn_in_any_case() {
        let found = |name: &str| match resolve(&USER, name) {
            Some(Named::Place(place)) => {
                Some((place.extension.is_some(), place.attribute.name, place.sub.map(|sub| sub.name)))
            }
            _ => None,
        };
        assert_eq!(found("username"), Some((false, "userName", None)));
        assert_eq!(found("NAME.familyname"), Some((false, "name", Some("familyName"))));
        assert_eq!(
            found("urn:ietf:params:scim:schemas:core:2.0:User:userName"),
            Some((false, "userName", None))
        );
        let manager = format!("{}:manager.$ref", ENTERPRISE.to_uppercase());
        assert_eq!(found(&manager), Some((true, "manager", Some("$ref"))));
        assert_eq!(found("meta.lastModified"), Some((false, "meta", Some("lastModified"))));
        for bad in ["", ".", "name.", "members", "urn:x:User:title", &format!("{ENTERPRISE}x"), "department"]
        {
            assert_eq!(found(bad), None, "{bad}");
        }
        assert!(matches!(resolve(&USER, ENTERPRISE), Some(Named::Extension(_))));
        assert!(resolve(&GROUP, ENTERPRISE).is_none());
    }
}

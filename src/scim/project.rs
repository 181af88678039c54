//! Which attributes an answer holds: `attributes` and `excludedAttributes` (RFC 7644, section 3.9).

use serde_json::Value;

use crate::path::{Fields, Named, resolve};
use crate::schema::{Attribute, COMMON, ResourceType, Returned, named};

/// Names asked for in a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub attributes: Vec<String>,
    pub excluded: Vec<String>,
}

impl Wanted {
    /// From the parameters of an address: names with commas between.
    pub fn of(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let split = |text: Option<&str>| {
            let names = text.into_iter().flat_map(|text| text.split(',')).map(str::trim);
            names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        Self { attributes: split(attributes), excluded: split(excluded) }
    }
}

/// A named place: extension, attribute, part.
type Spot = (Option<&'static str>, Option<&'static str>, Option<&'static str>);

/// Which attributes of a resource type are shown.
#[derive(Debug)]
pub(crate) struct Projection {
    /// Only these, when there are any that were asked for.
    only: Option<Vec<Spot>>,
    without: Vec<Spot>,
}

impl Projection {
    /// Names that the type does not know are passed over.
    pub fn new(kind: &ResourceType, wanted: &Wanted) -> Self {
        let spots = |names: &[String]| names.iter().filter_map(|name| spot(kind, name)).collect::<Vec<_>>();
        let only = (!wanted.attributes.is_empty()).then(|| spots(&wanted.attributes));
        // The two exclude each other; what is asked for wins.
        let without = if only.is_some() { Vec::new() } else { spots(&wanted.excluded) };
        Self { only, without }
    }

    /// Whether the attribute can stand in the answer.
    pub fn shows(&self, name: &'static str) -> bool {
        let named = |spots: &[Spot]| spots.iter().any(|(_, attribute, _)| *attribute == Some(name));
        match &self.only {
            Some(only) => named(only),
            None => !self.without.contains(&(None, Some(name), None)),
        }
    }

    pub fn apply(&self, kind: &ResourceType, resource: Fields) -> Fields {
        let mut out = Fields::new();
        for (name, value) in resource {
            let extension = kind.extensions.iter().find(|schema| schema.id == name);
            let attribute = || named(kind.schema.attributes, &name).or_else(|| named(COMMON, &name));
            let shown = if let Some(schema) = extension {
                self.fields(Some(schema.id), schema.attributes, value)
            } else {
                attribute().and_then(|attribute| self.attribute(None, attribute, value))
            };
            if let Some(shown) = shown {
                out.insert(name, shown);
            }
        }
        out
    }

    fn fields(
        &self,
        extension: Option<&'static str>,
        attributes: &'static [Attribute],
        value: Value,
    ) -> Option<Value> {
        let mut out = Fields::new();
        for (name, value) in crate::schema::object(value) {
            let attribute = named(attributes, &name)?;
            if let Some(shown) = self.attribute(extension, attribute, value) {
                out.insert(name, shown);
            }
        }
        Some(out).filter(|out| !out.is_empty()).map(Value::Object)
    }

    fn attribute(
        &self,
        extension: Option<&'static str>,
        attribute: &'static Attribute,
        value: Value,
    ) -> Option<Value> {
        let part = |(e, a, _): &Spot| (*e, *a) == (extension, Some(attribute.name));
        let shown = match (attribute.returned, &self.only) {
            (Returned::Always, _) => true,
            (_, Some(only)) => names(only, extension, attribute) || only.iter().any(part),
            (Returned::Request, None) => false,
            (Returned::Default, None) => !names(&self.without, extension, attribute),
        };
        if !shown {
            return None;
        }
        if attribute.subs.is_empty() {
            return Some(value);
        }
        match value {
            Value::Array(items) => {
                let items = items.into_iter().filter_map(|item| self.parts(extension, attribute, item));
                Some(items.collect::<Vec<_>>()).filter(|items| !items.is_empty()).map(Value::Array)
            }
            single => self.parts(extension, attribute, single),
        }
    }

    fn parts(
        &self,
        extension: Option<&'static str>,
        attribute: &'static Attribute,
        item: Value,
    ) -> Option<Value> {
        let mut out = Fields::new();
        for (name, value) in crate::schema::object(item) {
            let Some(part) = attribute.sub(&name) else { continue };
            let spot = (extension, Some(attribute.name), Some(part.name));
            let shown = match (part.returned, &self.only) {
                (Returned::Always, _) => true,
                (Returned::Request, only) => only.as_ref().is_some_and(|only| only.contains(&spot)),
                (Returned::Default, Some(only)) => names(only, extension, attribute) || only.contains(&spot),
                (Returned::Default, None) => !self.without.contains(&spot),
            };
            if shown {
                out.insert(name, value);
            }
        }
        Some(out).filter(|out| !out.is_empty()).map(Value::Object)
    }
}

/// Whether an attribute is named as a whole, or all of its extension.
fn names(spots: &[Spot], extension: Option<&'static str>, attribute: &Attribute) -> bool {
    spots.contains(&(extension, Some(attribute.name), None)) || spots.contains(&(extension, None, None))
}

fn spot(kind: &ResourceType, name: &str) -> Option<Spot> {
    Some(match resolve(kind, name)? {
        Named::Extension(schema) => (Some(schema.id), None, None),
        Named::Place(place) => (place.extension, Some(place.attribute.name), place.sub.map(|sub| sub.name)),
    })
}

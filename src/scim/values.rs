//! Values that come in: brought under the names of the schemas and checked against their types. What no schema knows, and
//! what only Lectern writes, is left out.

use serde_json::Value;

use crate::fits::truth;
use crate::path::{Fields, Named, resolve};
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::schema::{Attribute, Kind, Mutability, ResourceType};

/// Longest text, in characters.
const LONGEST: usize = 2_000;
/// Values of an attribute; groups may have more members.
const MOST_VALUES: usize = 100;

/// A whole resource, as in POST and PUT.
pub(crate) fn read_resource(kind: &ResourceType, body: &Fields) -> Result<Fields> {
    let mut resource = Fields::new();
    for (name, value) in body {
        match resolve(kind, name) {
            Some(Named::Place(place)) if place.sub.is_none() && place.extension.is_none() => {
                put(&mut resource, place.attribute, value)?;
            }
            Some(Named::Extension(schema)) => {
                let Some(fields) = value.as_object() else { continue };
                let mut own = Fields::new();
                for (name, value) in fields {
                    if let Some(attribute) = crate::schema::named(schema.attributes, name) {
                        put(&mut own, attribute, value)?;
                    }
                }
                if !own.is_empty() {
                    resource.insert(schema.id.to_owned(), Value::Object(own));
                }
            }
            _ => {}
        }
    }
    Ok(resource)
}

fn put(fields: &mut Fields, attribute: &'static Attribute, value: &Value) -> Result<()> {
    if attribute.mutability != Mutability::ReadOnly
        && let Some(value) = read(attribute, value)?
    {
        fields.insert(attribute.name.to_owned(), value);
    }
    Ok(())
}

/// The value of an attribute; none when it says that there is none.
pub(crate) fn read(attribute: &Attribute, value: &Value) -> Result<Option<Value>> {
    if !attribute.many {
        return read_one(attribute, alone(value));
    }
    let items = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    if items.len() > MOST_VALUES && attribute.name != "members" {
        return Err(wrong(attribute, &format!("may have {MOST_VALUES} values at most")));
    }
    let read = items.iter().filter_map(|item| read_one(attribute, item).transpose());
    let read = read.collect::<Result<Vec<Value>>>()?;
    if read.iter().filter(|item| is_primary(item)).count() > 1 {
        return Err(wrong(attribute, "may have one primary value at most"));
    }
    Ok(Some(read).filter(|read| !read.is_empty()).map(Value::Array))
}

/// Some services write a single value as a list of one.
fn alone(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        Some([]) => &Value::Null,
        _ => value,
    }
}

/// A single value.
pub(crate) fn read_one(attribute: &Attribute, value: &Value) -> Result<Option<Value>> {
    if value.is_null() {
        return Ok(None);
    }
    // … and that one as an object around the value.
    let value = match value.get("value") {
        Some(inner) if attribute.kind != Kind::Complex => inner,
        _ => value,
    };
    match (attribute.kind, value) {
        (Kind::Complex, Value::Object(fields)) => read_parts(attribute, fields),
        (Kind::Complex, Value::String(text)) => match attribute.sub("value") {
            Some(_) if text.is_empty() => Ok(None),
            Some(part) => {
                let part = (part.name.to_owned(), bounded(part, text)?);
                Ok(Some(Value::Object(Fields::from_iter([part]))))
            }
            None => Err(wrong(attribute, "must be an object")),
        },
        (Kind::Complex, _) => Err(wrong(attribute, "must be an object")),
        (Kind::Boolean, value) => match truth(value) {
            Some(truth) => Ok(Some(Value::Bool(truth))),
            None => Err(wrong(attribute, "must be true or false")),
        },
        (_, Value::String(text)) => bounded(attribute, text).map(Some),
        (_, Value::Number(number)) => Ok(Some(Value::String(number.to_string()))),
        _ => Err(wrong(attribute, "must be a text")),
    }
}

fn read_parts(attribute: &Attribute, fields: &Fields) -> Result<Option<Value>> {
    let mut parts = Fields::new();
    for (name, value) in fields {
        // Addresses are made from ids, whatever was sent.
        let known = attribute.sub(name).filter(|part| part.name != "$ref");
        let Some(part) = known.filter(|part| part.mutability != Mutability::ReadOnly) else { continue };
        if let Some(value) = read(part, value)? {
            parts.insert(part.name.to_owned(), value);
        }
    }
    Ok(Some(parts).filter(|parts| !parts.is_empty()).map(Value::Object))
}

fn bounded(attribute: &Attribute, text: &str) -> Result<Value> {
    if text.chars().count() > LONGEST {
        return Err(wrong(attribute, &format!("may have {LONGEST} characters at most")));
    }
    Ok(Value::String(text.to_owned()))
}

pub(crate) fn is_primary(item: &Value) -> bool {
    item.get("primary").and_then(Value::as_bool).unwrap_or_default()
}

pub(crate) fn wrong(attribute: &Attribute, message: &str) -> Refusal {
    Refusal::new(Wrong::InvalidValue, format!("{} {message}.", attribute.name))
}

//! Changes of resources (RFC 7644, section 3.5.2): `add`, `replace` and `remove`, with and without a path, and as the
//! identity services that are in use write them.

use serde_json::Value;

use crate::filter::{Path, parse_path};
use crate::patch_values::{Change, change_matching, change_parts, change_whole};
use crate::path::{Fields, Named, Place, is_assigned, resolve};
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::schema::{Attribute, Mutability, ResourceType, Schema, named};

/// Most changes in a request.
const MOST: usize = 1_000;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Replace,
    Remove,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub op: Op,
    pub path: Option<String>,
    pub value: Option<Value>,
}

/// Reads the body of a PATCH; case of names does not count.
pub(crate) fn read(body: &Fields) -> Result<Vec<Operation>> {
    let list = field(body, "Operations").and_then(Value::as_array);
    let list = list.filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| syntax("The body needs a list 'Operations' that is not empty."))?;
    if list.len() > MOST {
        return Err(syntax(&format!("A request may have {MOST} operations at most.")));
    }
    list.iter().map(operation).collect()
}

fn operation(value: &Value) -> Result<Operation> {
    let fields = value.as_object().ok_or_else(|| syntax("An operation must be an object."))?;
    let name = field(fields, "op").and_then(Value::as_str).unwrap_or_default();
    let op = match name.to_ascii_lowercase().as_str() {
        "add" => Op::Add,
        "replace" => Op::Replace,
        "remove" => Op::Remove,
        _ => return Err(syntax("'op' must be add, replace or remove.")),
    };
    let path = match field(fields, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.clone()).filter(|path| !path.trim().is_empty()),
        Some(_) => return Err(Refusal::new(Wrong::InvalidPath, "'path' must be a text.")),
    };
    let value = field(fields, "value").cloned();
    match (op, &path, &value) {
        (Op::Remove, None, _) => Err(Refusal::new(Wrong::NoTarget, "'remove' needs a path.")),
        (Op::Add | Op::Replace, _, None) => {
            Err(Refusal::new(Wrong::InvalidValue, "'add' and 'replace' need a value."))
        }
        _ => Ok(Operation { op, path, value }),
    }
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn syntax(detail: &str) -> Refusal {
    Refusal::new(Wrong::InvalidSyntax, detail)
}

/// Makes the changes, one after the other.
pub(crate) fn apply(kind: &ResourceType, resource: &mut Fields, operations: &[Operation]) -> Result<()> {
    for Operation { op, path, value } in operations {
        let value = value.as_ref().unwrap_or(&Value::Null);
        match path {
            Some(path) => {
                let path = parse_path(path)?;
                at(kind, resource, &path, (*op, value), true)?;
            }
            None => without_path(kind, resource, (*op, value))?,
        }
    }
    match kind
        .schema
        .attributes
        .iter()
        .find(|attribute| attribute.required && !resource.get(attribute.name).is_some_and(is_assigned))
    {
        Some(missing) => {
            Err(Refusal::new(Wrong::Mutability, format!("'{}' is required and stays.", missing.name)))
        }
        None => Ok(()),
    }
}

/// The fields of the value say what is changed. Their names can be paths; those that are unknown or only Lectern's are
/// passed over, as services send back what they read.
fn without_path(kind: &ResourceType, resource: &mut Fields, (op, value): (Op, &Value)) -> Result<()> {
    let Some(fields) = value.as_object() else {
        return Err(Refusal::new(Wrong::InvalidValue, "Without a path the value must be an object."));
    };
    for (name, value) in fields {
        if let Ok(path) = parse_path(name) {
            at(kind, resource, &path, (op, value), false)?;
        }
    }
    Ok(())
}

/// Makes a change at a path. When `strict`, a path that leads nowhere is a mistake.
fn at(
    kind: &ResourceType,
    resource: &mut Fields,
    path: &Path,
    (op, value): (Op, &Value),
    strict: bool,
) -> Result<()> {
    match resolve(kind, &path.attribute) {
        Some(Named::Extension(schema)) if path.filter.is_none() => extension(resource, schema, (op, value)),
        Some(Named::Place(place)) => {
            let ours = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
            if ours(place.attribute) || place.sub.is_some_and(ours) {
                let detail = format!("'{}' is written by Lectern only.", path.attribute);
                return if strict { Err(Refusal::new(Wrong::Mutability, detail)) } else { Ok(()) };
            }
            placed(kind, resource, place, (path, op, value))
        }
        _ if strict => Err(nowhere(&path.attribute)),
        _ => Ok(()),
    }
}

fn nowhere(name: &str) -> Refusal {
    Refusal::new(Wrong::InvalidPath, format!("There is no attribute '{name}' here."))
}

fn extension(resource: &mut Fields, schema: &'static Schema, (op, value): (Op, &Value)) -> Result<()> {
    if op == Op::Remove || value.is_null() {
        resource.remove(schema.id);
        return Ok(());
    }
    let Some(fields) = value.as_object() else {
        return Err(Refusal::new(Wrong::InvalidValue, "The value of an extension must be an object."));
    };
    let mut own = taken(resource, Some(schema.id));
    for (name, value) in fields {
        if let Some(attribute) = named(schema.attributes, name) {
            change_whole(&mut own, attribute, Change { op, value })?;
        }
    }
    put_back(resource, Some(schema.id), own);
    Ok(())
}

fn placed(
    kind: &ResourceType,
    resource: &mut Fields,
    place: Place,
    (path, op, value): (&Path, Op, &Value),
) -> Result<()> {
    let mut fields = taken(resource, place.extension);
    let change = Change { op, value };
    let changed = match (&path.filter, place.sub) {
        (Some(_), Some(_)) => Err(nowhere(&path.attribute)),
        (Some(filter), None) => {
            let part = match &path.sub {
                Some(name) => Some(place.attribute.sub(name).ok_or_else(|| nowhere(name))?),
                None => None,
            };
            change_matching(&mut fields, kind, (place.attribute, filter, part), change)
        }
        (None, Some(part)) => change_parts(&mut fields, place.attribute, part, change),
        (None, None) => change_whole(&mut fields, place.attribute, change),
    };
    put_back(resource, place.extension, fields);
    changed
}

/// The fields of the resource, or of an extension of it, to be changed.
fn taken(resource: &mut Fields, extension: Option<&str>) -> Fields {
    match extension {
        None => std::mem::take(resource),
        Some(urn) => resource.remove(urn).map(crate::schema::object).unwrap_or_default(),
    }
}

fn put_back(resource: &mut Fields, extension: Option<&str>, fields: Fields) {
    match extension {
        None => *resource = fields,
        Some(_) if fields.is_empty() => {}
        Some(urn) => drop(resource.insert(urn.to_owned(), Value::Object(fields))),
    }
}

//! Changes of a single attribute: its value, a part of it, or those of its values that fit a filter.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::filter::{Filter, Operator};
use crate::fits::Condition;
use crate::patch::Op;
use crate::path::Fields;
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::schema::{Attribute, Kind, Mutability, ResourceType};
use crate::values::{is_primary, read, read_one, wrong};

/// What is done with which value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub op: Op,
    pub value: &'a Value,
}

/// Changes an attribute as a whole.
pub(crate) fn change_whole(
    fields: &mut Fields,
    attribute: &'static Attribute,
    change: Change<'_>,
) -> Result<()> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    let Change { op, value } = change;
    let value = read(attribute, value)?;
    match (op, value) {
        (Op::Remove, Some(Value::Array(unwanted))) if attribute.many => {
            let mut items = items(fields, attribute);
            let keys: HashSet<String> = unwanted.iter().map(value_key).collect();
            items.retain(|item| !keys.contains(&value_key(item)));
            put_items(fields, attribute, items);
        }
        // To set nothing is to take away; to add nothing changes nothing.
        (Op::Remove, _) | (Op::Replace, None) => drop(fields.remove(attribute.name)),
        (Op::Add, None) => {}
        (Op::Add, Some(Value::Array(new))) if attribute.many => {
            let added = added(items(fields, attribute), new);
            put_items(fields, attribute, added);
        }
        (Op::Add | Op::Replace, Some(Value::Object(new))) => match fields.get_mut(attribute.name) {
            Some(Value::Object(old)) => old.extend(new),
            _ => drop(fields.insert(attribute.name.to_owned(), Value::Object(new))),
        },
        (Op::Add | Op::Replace, Some(new)) => drop(fields.insert(attribute.name.to_owned(), new)),
    }
    Ok(())
}

/// Changes a part of an attribute; where it has several values, of all of them.
pub(crate) fn change_parts(
    fields: &mut Fields,
    attribute: &'static Attribute,
    part: &'static Attribute,
    change: Change<'_>,
) -> Result<()> {
    let value = new_part(part, change)?;
    if !attribute.many {
        let mut whole = fields.remove(attribute.name).map(crate::schema::object).unwrap_or_default();
        set(&mut whole, part, value);
        if !whole.is_empty() {
            fields.insert(attribute.name.to_owned(), Value::Object(whole));
        }
        return Ok(());
    }
    let mut items = items(fields, attribute);
    if items.is_empty() && value.is_some() {
        items.push(Value::Object(Fields::new()));
    }
    for item in &mut items {
        set_in(item, part, value.clone());
    }
    let touched: Vec<usize> = (0..items.len()).collect();
    one_primary(&mut items, &touched);
    put_items(fields, attribute, items);
    Ok(())
}

/// Changes the values that fit a filter, or a part of them.
pub(crate) fn change_matching(
    fields: &mut Fields,
    kind: &ResourceType,
    (attribute, filter, part): (&'static Attribute, &Filter, Option<&'static Attribute>),
    change: Change<'_>,
) -> Result<()> {
    if !attribute.many || attribute.kind != Kind::Complex {
        return Err(Refusal::new(
            Wrong::InvalidPath,
            format!("'{}' has no values to choose from.", attribute.name),
        ));
    }
    let condition = Condition::inside(kind, attribute, filter)?;
    let mut items = items(fields, attribute);
    let fits = |item: &Value| item.as_object().is_some_and(|item| condition.fits(item));
    let mut touched: Vec<usize> = (0..items.len()).filter(|at| fits(&items[*at])).collect();
    if change.op == Op::Remove {
        match part {
            None => items.retain(|item| !fits(item)),
            Some(part) => touched.iter().for_each(|at| set_in(&mut items[*at], part, None)),
        }
        put_items(fields, attribute, items);
        return Ok(());
    }
    let new = match part {
        None => read_one(attribute, change.value)?.ok_or_else(|| wrong(attribute, "needs a value"))?,
        Some(part) => new_part(part, change)?.unwrap_or_default(),
    };
    find_or_make(&mut items, &mut touched, (attribute, filter), change.op)?;
    for at in &touched {
        match (part, &mut items[*at], &new) {
            (Some(part), item, new) => set_in(item, part, Some(new.clone()).filter(|new| !new.is_null())),
            (None, Value::Object(old), Value::Object(new)) if change.op == Op::Add => old.extend(new.clone()),
            (None, item, new) => *item = new.clone(),
        }
    }
    one_primary(&mut items, &touched);
    put_items(fields, attribute, items);
    Ok(())
}

/// Where nothing fits, `add` makes a value that does: the filter says what it must have.
fn find_or_make(
    items: &mut Vec<Value>,
    touched: &mut Vec<usize>,
    (attribute, filter): (&'static Attribute, &Filter),
    op: Op,
) -> Result<()> {
    if !touched.is_empty() {
        return Ok(());
    }
    let asked = (op == Op::Add).then(|| asked_for(filter)).flatten();
    let made = match asked {
        Some(asked) => read_one(attribute, &Value::Object(asked))?,
        None => None,
    };
    let made = made.ok_or_else(|| Refusal::new(Wrong::NoTarget, "No value fits the filter of the path."))?;
    touched.push(items.len());
    items.push(made);
    Ok(())
}

/// The values that a filter of equalities asks for.
fn asked_for(filter: &Filter) -> Option<Fields> {
    match filter {
        Filter::Compare(name, Operator::Equal, value) => {
            Some(Fields::from_iter([(name.clone(), value.clone())]))
        }
        Filter::And(terms) => {
            let mut all = Fields::new();
            for term in terms {
                all.extend(asked_for(term)?);
            }
            Some(all)
        }
        _ => None,
    }
}

fn new_part(part: &'static Attribute, change: Change<'_>) -> Result<Option<Value>> {
    if part.mutability == Mutability::ReadOnly {
        let detail = format!("'{}' is written by Lectern only.", part.name);
        return Err(Refusal::new(Wrong::Mutability, detail));
    }
    if change.op == Op::Remove { Ok(None) } else { read(part, change.value) }
}

fn set(fields: &mut Fields, part: &Attribute, value: Option<Value>) {
    match value {
        Some(value) => drop(fields.insert(part.name.to_owned(), value)),
        None => drop(fields.remove(part.name)),
    }
}

fn set_in(item: &mut Value, part: &Attribute, value: Option<Value>) {
    if let Value::Object(fields) = item {
        set(fields, part, value);
    }
}

fn items(fields: &mut Fields, attribute: &Attribute) -> Vec<Value> {
    match fields.remove(attribute.name) {
        Some(Value::Array(items)) => items,
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

fn put_items(fields: &mut Fields, attribute: &Attribute, mut items: Vec<Value>) {
    items.retain(|item| item.as_object().is_none_or(|fields| !fields.is_empty()));
    if !items.is_empty() {
        fields.insert(attribute.name.to_owned(), Value::Array(items));
    }
}

/// What makes a value the same as another: its `value`, or all of it where it has none.
fn value_key(item: &Value) -> String {
    match item.get("value").and_then(Value::as_str) {
        Some(value) => value.to_owned(),
        None => item.to_string(),
    }
}

/// The values with new ones; those that are there already are not there twice.
fn added(mut items: Vec<Value>, new: Vec<Value>) -> Vec<Value> {
    let key =
        |item: &Value| (value_key(item), item.get("type").and_then(Value::as_str).map(str::to_lowercase));
    let mut places: HashMap<_, usize> = items.iter().enumerate().map(|(at, item)| (key(item), at)).collect();
    let mut touched = Vec::new();
    for item in new {
        let at = *places.entry(key(&item)).or_insert(items.len());
        match (items.get_mut(at), item) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (Some(_), _) => {}
            (None, item) => items.push(item),
        }
        touched.push(at);
    }
    one_primary(&mut items, &touched);
    items
}

/// A value that became the primary one takes that from the others.
fn one_primary(items: &mut [Value], touched: &[usize]) {
    let Some(primary) = touched.iter().rev().find(|at| items.get(**at).is_some_and(is_primary)).copied()
    else {
        return;
    };
    for (at, item) in items.iter_mut().enumerate() {
        if at != primary && is_primary(item) {
            item["primary"] = Value::Bool(false);
        }
    }
}

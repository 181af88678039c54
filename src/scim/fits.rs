//! Filters on a resource type: names become places, comparisons are checked against types, resources fit or not.

use lectern_kernel::Timestamp;
use serde_json::Value;

use crate::filter::{Filter, Operator};
use crate::path::{Fields, Named, Place, is_assigned, resolve};
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::schema::{Attribute, Kind, ResourceType};

/// A filter that can be asked of resources.
#[derive(Debug)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Present(Place),
    Compare(Place, Operator, Literal),
    Values(Place, Box<Condition>),
    /// The resource type does not have the attribute.
    Never,
}

/// A value that is compared with, in the form that is compared.
#[derive(Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Boolean(bool),
    Time(Timestamp),
}

/// What every resource that fits has, for a look into an index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// `id`, `externalId`, `userName`, `displayName` or `emails.value`.
    pub attribute: &'static str,
    pub value: String,
}

/// How names are found.
struct Names<'a> {
    kind: &'a ResourceType,
    /// Inside brackets: the attribute whose parts are meant.
    inside: Option<&'static Attribute>,
    /// Whether an unknown name is no mistake, as where several types are searched.
    lenient: bool,
}

impl Condition {
    /// A filter for resources of a type.
    pub fn new(kind: &ResourceType, filter: &Filter, lenient: bool) -> Result<Self> {
        Names { kind, inside: None, lenient }.bind(filter)
    }

    /// A filter for single values of an attribute.
    pub fn inside(kind: &ResourceType, attribute: &'static Attribute, filter: &Filter) -> Result<Self> {
        Names { kind, inside: Some(attribute), lenient: false }.bind(filter)
    }

    pub fn fits(&self, resource: &Fields) -> bool {
        match self {
            Self::And(all) => all.iter().all(|condition| condition.fits(resource)),
            Self::Or(any) => any.iter().any(|condition| condition.fits(resource)),
            Self::Not(condition) => !condition.fits(resource),
            Self::Present(place) => match place.sub {
                None => place.get(resource).is_some_and(is_assigned),
                Some(_) => place.values(resource).any(is_assigned),
            },
            // None of the values is equal.
            Self::Compare(place, Operator::NotEqual, literal) => {
                !place.values(resource).any(|value| compare(place, Operator::Equal, literal, value))
            }
            Self::Compare(place, operator, literal) => {
                place.values(resource).any(|value| compare(place, *operator, literal, value))
            }
            Self::Values(place, condition) => {
                let items = place.get(resource).into_iter().flat_map(|value| match value {
                    Value::Array(items) => items.as_slice(),
                    other => std::slice::from_ref(other),
                });
                items.filter_map(Value::as_object).any(|item| condition.fits(item))
            }
            Self::Never => false,
        }
    }

    /// Whether the attribute is named anywhere.
    pub fn mentions(&self, name: &str) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().any(|term| term.mentions(name)),
            Self::Not(term) => term.mentions(name),
            Self::Present(place) | Self::Compare(place, ..) | Self::Values(place, _) => {
                place.attribute.name == name
            }
            Self::Never => false,
        }
    }

    /// What all that fits has, when an index knows it.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::And(terms) => terms.iter().find_map(Self::hint),
            Self::Compare(place, Operator::Equal, Literal::Text(value)) if place.extension.is_none() => {
                let attribute = match (place.attribute.name, place.last().name) {
                    ("emails", "value") => "emails.value",
                    (name @ ("id" | "externalId" | "userName" | "displayName"), _) => name,
                    _ => return None,
                };
                Some(Hint { attribute, value: value.clone() })
            }
            Self::Values(place, condition) if place.attribute.name == "emails" => condition.value_hint(),
            _ => None,
        }
    }

    fn value_hint(&self) -> Option<Hint> {
        match self {
            Self::And(terms) => terms.iter().find_map(Self::value_hint),
            Self::Compare(place, Operator::Equal, Literal::Text(value))
                if place.attribute.name == "value" =>
            {
                Some(Hint { attribute: "emails.value", value: value.clone() })
            }
            _ => None,
        }
    }
}

impl Names<'_> {
    fn bind(&self, filter: &Filter) -> Result<Condition> {
        let all = |terms: &[Filter]| terms.iter().map(|term| self.bind(term)).collect::<Result<Vec<_>>>();
        Ok(match filter {
            Filter::And(terms) => Condition::And(all(terms)?),
            Filter::Or(terms) => Condition::Or(all(terms)?),
            Filter::Not(term) => Condition::Not(Box::new(self.bind(term)?)),
            Filter::Present(name) => self.place(name)?.map_or(Condition::Never, Condition::Present),
            Filter::Compare(name, operator, value) => match self.place(name)? {
                Some(place) => comparison(place, *operator, value)?,
                None => Condition::Never,
            },
            Filter::Values(name, inside) => match self.place(name)? {
                Some(place) if place.sub.is_none() && !place.attribute.subs.is_empty() => {
                    let names = Names { inside: Some(place.attribute), ..*self };
                    Condition::Values(place, Box::new(names.bind(inside)?))
                }
                Some(_) => return Err(wrong(format!("'{name}' has no values with parts"))),
                None => Condition::Never,
            },
        })
    }

    fn place(&self, name: &str) -> Result<Option<Place>> {
        let found = match self.inside {
            Some(attribute) => attribute.sub(name).map(Place::inside),
            None => match resolve(self.kind, name) {
                Some(Named::Place(place)) => Some(place),
                _ => None,
            },
        };
        match found {
            None if !self.lenient => {
                Err(wrong(format!("there is no attribute '{name}' of {}", self.kind.description)))
            }
            found => Ok(found),
        }
    }
}

fn wrong(detail: String) -> Refusal {
    Refusal::new(Wrong::InvalidFilter, format!("The filter does not fit: {detail}."))
}

/// Checks a comparison against the attribute's type.
fn comparison(place: Place, operator: Operator, value: &Value) -> Result<Condition> {
    let attribute = place.last();
    let name = attribute.name;
    if value.is_null() {
        return match operator {
            Operator::Equal => Ok(Condition::Not(Box::new(Condition::Present(place)))),
            Operator::NotEqual => Ok(Condition::Present(place)),
            _ => Err(wrong(format!("'{name}' cannot be compared with null in this way"))),
        };
    }
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    let pieces = matches!(operator, Operator::Contains | Operator::Starts | Operator::Ends);
    let literal = match attribute.kind {
        Kind::Text | Kind::Reference => value.as_str().map(|text| Literal::Text(fold(attribute, text))),
        Kind::Boolean if equality => truth(value).map(Literal::Boolean),
        Kind::Time if !pieces => moment(value).map(Literal::Time),
        Kind::Boolean | Kind::Time | Kind::Complex => None,
    };
    match literal {
        Some(literal) => Ok(Condition::Compare(place, operator, literal)),
        None => Err(wrong(format!("'{name}' cannot be compared with {value} in this way"))),
    }
}

fn fold(attribute: &Attribute, text: &str) -> String {
    if attribute.exact { text.to_owned() } else { text.to_lowercase() }
}

/// True or false, also when it is written as a text.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    serde_json::from_value(value.clone()).ok()
}

fn compare(place: &Place, operator: Operator, literal: &Literal, value: &Value) -> bool {
    match literal {
        Literal::Text(wanted) => {
            value.as_str().is_some_and(|text| is_text(operator, &fold(place.last(), text), wanted))
        }
        Literal::Boolean(wanted) => value.as_bool() == Some(*wanted),
        Literal::Time(wanted) => moment(value).is_some_and(|at| ordered(operator, &at, wanted)),
    }
}

fn is_text(operator: Operator, text: &str, wanted: &str) -> bool {
    match operator {
        Operator::Contains => text.contains(wanted),
        Operator::Starts => text.starts_with(wanted),
        Operator::Ends => text.ends_with(wanted),
        other => ordered(other, text, wanted),
    }
}

fn ordered<T: Ord + ?Sized>(operator: Operator, value: &T, wanted: &T) -> bool {
    let order = value.cmp(wanted);
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Contains | Operator::Starts | Operator::Ends => false,
    }
}

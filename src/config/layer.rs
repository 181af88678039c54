//! Putting one layer over another, checking every key and type against the defaults.

use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::{ByteSize, ConfigError, DEFAULTS, Span};

type Result<T> = std::result::Result<T, ConfigError>;

pub(crate) fn defaults() -> Table {
    DEFAULTS.parse().expect("the embedded defaults are valid TOML")
}

pub(crate) fn apply_file(table: &mut Table, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| ConfigError::new(&name, format!("the file cannot be read: {e}")))?;
    let line = |at: usize| format!("{name}:{}", text[..at.min(text.len())].matches('\n').count() + 1);
    let given = DeTable::parse(&text)
        .map_err(|e| ConfigError::new(line(e.span().map_or(0, |s| s.start)), e.message().to_owned()))?;
    for (section, body) in given.get_ref() {
        let place = line(section.span().start);
        let DeValue::Table(keys) = body.get_ref() else {
            return Err(unknown_key(table, section.get_ref(), &place));
        };
        for (key, value) in keys {
            let place = line(key.span().start);
            let value = plain(value, &place)?;
            set(table, section.get_ref(), key.get_ref(), value, &place)?;
        }
        section_of(table, section.get_ref(), &place)?;
    }
    Ok(())
}

fn plain(value: &Spanned<DeValue<'_>>, place: &str) -> Result<Value> {
    Ok(match value.get_ref() {
        DeValue::String(s) => Value::String(s.to_string()),
        DeValue::Boolean(b) => Value::Boolean(*b),
        DeValue::Integer(i) => Value::Integer(
            i64::from_str_radix(i.as_str(), i.radix())
                .map_err(|_| ConfigError::new(place, format!("{} is too large a number", i.as_str())))?,
        ),
        DeValue::Array(items) => Value::Array(items.iter().map(|v| plain(v, place)).collect::<Result<_>>()?),
        _ => return Err(ConfigError::new(place, "this kind of value is not used in the configuration")),
    })
}

/// `LECTERN_SERVER_LISTEN=…`
pub(crate) fn apply_variable(table: &mut Table, name: &str, text: &str) -> Result<()> {
    let rest = name.trim_start_matches("LECTERN_").to_ascii_lowercase();
    let found = table.iter().find_map(|(section, keys)| {
        let key = rest.strip_prefix(section.as_str())?.strip_prefix('_')?;
        keys.get(key).map(|_| (section.clone(), key.to_owned()))
    });
    let place = format!("environment variable {name}");
    let Some((section, key)) = found else {
        return Err(ConfigError::new(place, "there is no such setting")
            .hint("Names are LECTERN_, the section, _ and the key; `lectern config show` lists them."));
    };
    apply_text(table, &section, &key, text, &place)
}

/// A value that comes as text, from the environment or a flag: read as what the default is.
pub(crate) fn apply_text(table: &mut Table, section: &str, key: &str, text: &str, place: &str) -> Result<()> {
    let value = match section_of(table, section, place)?.get(key) {
        Some(Value::Boolean(_)) => text.parse().map(Value::Boolean).ok(),
        Some(Value::Integer(_)) => text.parse().map(Value::Integer).ok(),
        Some(Value::Array(_)) => Some(Value::Array(
            text.split(',')
                .map(|s| Value::String(s.trim().to_owned()))
                .filter(|v| v.as_str() != Some(""))
                .collect(),
        )),
        _ => Some(Value::String(text.to_owned())),
    };
    let value = value.ok_or_else(|| {
        ConfigError::new(place, format!("'{text}' is not a value for {section}.{key}"))
            .hint(expected(table, section, key))
    })?;
    set(table, section, key, value, place)
}

fn section_of<'t>(table: &'t mut Table, section: &str, place: &str) -> Result<&'t mut Table> {
    if !table.get(section).is_some_and(Value::is_table) {
        return Err(unknown_key(table, section, place));
    }
    Ok(table.get_mut(section).and_then(Value::as_table_mut).expect("looked at just before"))
}

fn set(table: &mut Table, section: &str, key: &str, value: Value, place: &str) -> Result<()> {
    let keys = section_of(table, section, place)?;
    let Some(default) = keys.get(key) else {
        let name = format!("{section}.{key}");
        return Err(ConfigError::new(place, format!("there is no setting '{name}'")).hint(
            nearest(key, keys.keys()).map_or_else(
                || "`lectern config show` lists all settings.".to_owned(),
                |near| format!("Did you mean '{near}'?"),
            ),
        ));
    };
    if let Some(message) = unfit(default, &value) {
        return Err(ConfigError::new(place, format!("{section}.{key}: {message}")));
    }
    keys.insert(key.to_owned(), value);
    Ok(())
}

/// Why a value cannot take a default's place: another type, or another unit.
fn unfit(default: &Value, value: &Value) -> Option<String> {
    if let (Value::String(default), Value::String(value)) = (default, value) {
        if default.parse::<ByteSize>().is_ok() {
            return value.parse::<ByteSize>().err();
        }
        if default.parse::<Span>().is_ok() {
            return value.parse::<Span>().err();
        }
        return None;
    }
    if default.same_type(value) {
        return None;
    }
    let needs_unit =
        default.as_str().is_some_and(|d| d.parse::<ByteSize>().is_ok() || d.parse::<Span>().is_ok());
    Some(if needs_unit {
        format!("a unit is missing; write it as in {default}")
    } else {
        format!("this is {}, and {} is wanted, as in {default}", value.type_str(), default.type_str())
    })
}

fn expected(table: &Table, section: &str, key: &str) -> String {
    table
        .get(section)
        .and_then(|s| s.get(key))
        .map_or_else(String::new, |default| format!("Write it as in {default}."))
}

fn unknown_key(table: &Table, section: &str, place: &str) -> ConfigError {
    let error = ConfigError::new(place, format!("there is no section '[{section}]'"));
    match nearest(section, table.keys()) {
        Some(near) => error.hint(format!("Did you mean '[{near}]'?")),
        None => {
            error.hint(format!("Sections are: {}.", table.keys().cloned().collect::<Vec<_>>().join(", ")))
        }
    }
}

/// The name that differs least, when it differs little.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    names
        .map(|n| (distance(name, n), n.as_str()))
        .min()
        .filter(|(d, n)| *d <= 1 + n.len() / 4)
        .map(|(_, n)| n)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substitution = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

//! JSON and JSON lines: every value on a line of its own, behind the names that lead to it.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::encoding;
use crate::model::{BlockKind, ExtractError};
use crate::plain;
use crate::writer::{TextWriter, too_complex};

pub(crate) fn extract(bytes: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let text = encoding::decode(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mark = out.mark();
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        let mut reader = serde_json::Deserializer::from_str(rest);
        let mut walk = Walk { out, path: String::new(), failed: None };
        let result = Value(&mut walk).deserialize(&mut reader);
        let failed = walk.failed.take();
        if let Some(error) = failed {
            return Err(error);
        }
        if let Err(error) = result {
            if error.to_string().contains("recursion limit") {
                return Err(too_complex("The values of this JSON file are nested too deeply."));
            }
            // Not JSON after all: what a person would see in an editor.
            out.rollback(mark);
            out.warn("The file is not valid JSON; it was read as plain text.");
            return plain::push(text, None, None, out);
        }
        let mut used = serde_json::Deserializer::from_str(rest).into_iter::<de::IgnoredAny>();
        used.next();
        rest = &rest[used.byte_offset().clamp(1, rest.len())..];
    }
    Ok(())
}

struct Walk<'w> {
    out: &'w mut TextWriter,
    path: String,
    failed: Option<ExtractError>,
}

impl Walk<'_> {
    fn leaf<E: de::Error>(&mut self, value: &str) -> Result<(), E> {
        if value.trim().is_empty() {
            return Ok(());
        }
        let depth = self.path.bytes().filter(|byte| *byte == b'.').count().min(254) as u8 + 1;
        let line = if self.path.is_empty() { value.to_owned() } else { format!("{}: {value}", self.path) };
        self.out.push_block(BlockKind::ListItem, depth, &line, None, None).map_err(|error| {
            let message = error.message.clone();
            self.failed = Some(error);
            E::custom(message)
        })
    }
}

struct Value<'a, 'w>(&'a mut Walk<'w>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.0.leaf(if value { "true" } else { "false" })
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.0.leaf(&value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.0.leaf(&value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.0.leaf(&value.to_string())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.0.leaf(value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Value(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let length = self.0.path.len();
        while let Some(Name(name)) = entries.next_key()? {
            if length > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&name[..name.floor_char_boundary(200)]);
            entries.next_value_seed(Value(self.0))?;
            self.0.path.truncate(length);
        }
        Ok(())
    }
}

struct Name(String);

impl<'de> de::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExtractErrorCode, Limits};

    fn read(text: &str) -> Result<String, ExtractError> {
        let mut out = TextWriter::new(&Limits::default());
        extract(text.as_bytes(), &mut out).map(|()| out.finish().text)
    }

    #[test]
    fn values_behind_their_names() {
        assert_eq!(
            read(r#"{"a":{"b":"x\ny","n":null},"t":[1,2.5,true]}"#).unwrap(),
            "a.b: x\ny\nt: 1\nt: 2.5\nt: true"
        );
        assert_eq!(read("{\"a\":1}\n{\"a\":2}\n").unwrap(), "a: 1\na: 2");
        assert_eq!(read("not json").unwrap(), "not json");
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(read(&"[".repeat(100_000)).unwrap_err().code, ExtractErrorCode::TooComplex);
    }
}

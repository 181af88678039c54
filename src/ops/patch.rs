//! A field of a patch: absent is not null.

use serde::{Deserialize, Deserializer};

/// What a patch wants of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The field is absent: it stays.
    #[default]
    Keep,
    /// The field is null: back to the configuration file's value.
    Reset,
    Set(T),
}

impl<T> Change<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Reset => None,
        }
    }
}

/// To be used with `#[serde(default)]`, which makes the absent field.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Reset, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[serde(default)]
        rate: Change<u32>,
    }

    #[test]
    fn absent_null_and_value_differ() {
        let read = |text: &str| serde_json::from_str::<Body>(text).expect("parses").rate;
        assert_eq!(read("{}"), Change::Keep);
        assert_eq!(read(r#"{"rate":null}"#), Change::Reset);
        assert_eq!(read(r#"{"rate":7}"#), Change::Set(7));
    }
}

//! Lists are read a page at a time, by opaque cursors.

use serde::{Deserialize, Serialize};

use crate::{Code, Error, Result};

/// The largest page anyone can ask for.
const MAX_LIMIT: u32 = 500;
const DEFAULT_LIMIT: u32 = 50;

/// What a client asks for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageRequest {
    /// At most this many items, 1–500; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl PageRequest {
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
    }

    /// The position the cursor stands for.
    pub fn position(&self) -> Result<Option<Cursor>> {
        self.cursor.as_deref().filter(|c| !c.is_empty()).map(Cursor::decode).transpose()
    }
}

/// Where a page ends: the sort key of its last item and that item's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub key: String,
    pub id: String,
}

impl Cursor {
    pub fn encode(&self) -> String {
        let json = serde_json::to_vec(self).expect("two strings serialise");
        json.iter().fold(String::with_capacity(json.len() * 2), |mut out, b| {
            use std::fmt::Write as _;
            let _ = write!(out, "{b:02x}");
            out
        })
    }

    pub fn decode(text: &str) -> Result<Self> {
        let invalid = || {
            Error::new(Code::InvalidCursor, "The cursor was not made by this list.")
                .hint("Use `next_cursor` of the page before, unchanged.")
        };
        if text.len() > 4096 || !text.is_ascii() || !text.len().is_multiple_of(2) {
            return Err(invalid());
        }
        let bytes: Option<Vec<u8>> =
            (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect();
        serde_json::from_slice(&bytes.ok_or_else(invalid)?).map_err(|_| invalid())
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// Items on all pages.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_refuse_nonsense() {
        let cursor = Cursor { key: "Zürich".into(), id: "doc_1".into() };
        assert_eq!(Cursor::decode(&cursor.encode()).expect("own cursor"), cursor);
        for bad in ["zz", "7", "7b7d", "é", &"00".repeat(5000)] {
            assert_eq!(Cursor::decode(bad).expect_err("not a cursor").code, Code::InvalidCursor);
        }
    }
}

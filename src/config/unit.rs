//! Sizes and times with their unit written out.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of bytes, written `"512 MB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A length of time, written `"60 s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

const SIZES: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];
const TIMES: &[(&str, u64)] =
    &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("ms", 1), ("s", 1_000)];

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit.trim())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn write(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)], base: &str) -> fmt::Result {
    let mut fitting: Vec<_> =
        units.iter().filter(|(_, factor)| value != 0 && value.is_multiple_of(*factor)).collect();
    fitting.sort_by_key(|(_, factor)| std::cmp::Reverse(*factor));
    match fitting.first() {
        Some((name, factor)) => write!(f, "{} {name}", value / factor),
        None => write!(f, "{value} {base}"),
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, SIZES).map(Self).ok_or_else(|| {
            format!("'{text}' is not a size; write a whole number and B, kB, MB, GB, KiB, MiB or GiB, as in \"512 MB\"")
        })
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text, TIMES).map(|ms| Self(Duration::from_millis(ms))).ok_or_else(|| {
            format!("'{text}' is not a time; write a whole number and ms, s, min, h or d, as in \"60 s\"")
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, SIZES, "B")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), TIMES, "ms")
    }
}

macro_rules! as_text {
    ($($t:ty),*) => {$(
        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text!(ByteSize, Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_need_a_unit() {
        assert_eq!("512 MB".parse(), Ok(ByteSize(512_000_000)));
        assert_eq!("4KiB".parse(), Ok(ByteSize(4096)));
        assert_eq!("5 min".parse(), Ok(Span(Duration::from_secs(300))));
        for bad in ["512", "1.5 GB", "12 mb", "-1 s", "99999999999999999999 GB", ""] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_largest_whole_unit_is_shown() {
        assert_eq!(ByteSize(512_000_000).to_string(), "512 MB");
        assert_eq!(ByteSize(1 << 30).to_string(), "1 GiB");
        assert_eq!(Span(Duration::from_secs(90)).to_string(), "90 s");
        assert_eq!(ByteSize(0).to_string(), "0 B");
    }
}

//! The text forms of keys and sealed values: a tag with a version, then fields in base 64 for URLs (RFC 4648 section 5,
//! without padding) or plain numbers, with '.' between them. Wrapped keys and key files end with a checksum, so that a
//! copying error is told apart from a wrong key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of the checksum; it guards against accidents only, the cipher's tag guards against intent.
const CHECKSUM: usize = 4;

/// Joins a tag and its fields, and appends the checksum. Wiped from memory when dropped, for it may hold a key.
pub(crate) fn join(tag: &str, fields: &[&str]) -> Zeroizing<String> {
    let length = tag.len() + fields.iter().map(|f| f.len() + 1).sum::<usize>() + 1 + 2 * CHECKSUM;
    // The right capacity at once: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(tag);
    for field in fields {
        text.push('.');
        text.push_str(field);
    }
    let checksum = checksum(&text);
    text.push('.');
    text.push_str(&checksum);
    text
}

/// Splits what [`join`] made.
pub(crate) fn split<'a, const N: usize>(tag: &str, text: &'a str) -> Result<[&'a str; N], &'static str> {
    let fields = after_tag(tag, text)?;
    let (fields, last) = fields.rsplit_once('.').ok_or("it has too few parts")?;
    if checksum(&text[..text.len() - last.len() - 1]) != last {
        return Err("its checksum is wrong, so something of it was changed or is missing");
    }
    let fields: Vec<&str> = fields.split('.').collect();
    fields.try_into().map_err(|_| "it has not the right number of parts")
}

/// What follows the tag and its '.'.
pub(crate) fn after_tag<'a>(tag: &str, text: &'a str) -> Result<&'a str, &'static str> {
    let (found, fields) = text.split_once('.').ok_or("it has too few parts")?;
    let without_version = |tag: &str| tag.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    if found == tag {
        Ok(fields)
    } else if without_version(found) == without_version(tag) {
        Err("another version of the program made it")
    } else {
        Err("it does not begin as one")
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes from base 64, in the one spelling they have.
pub(crate) fn decode(field: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    URL_SAFE_NO_PAD.decode(field).map(Zeroizing::new).map_err(|_| "a part of it is not base 64")
}

/// Exactly so many bytes.
pub(crate) fn decode_array<const N: usize>(field: &str) -> Result<Zeroizing<[u8; N]>, &'static str> {
    let bytes = decode(field)?;
    let mut array = Zeroizing::new([0; N]);
    if bytes.len() != N {
        return Err("a part of it has not the right length");
    }
    array.copy_from_slice(&bytes);
    Ok(array)
}

/// A number in its one spelling.
pub(crate) fn decode_number(field: &str) -> Result<u32, &'static str> {
    match field.parse::<u32>() {
        Ok(number) if number.to_string() == field => Ok(number),
        _ => Err("a part of it is not a number"),
    }
}

fn checksum(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..CHECKSUM])
}

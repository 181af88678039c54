//! Text of people in filters (RFC 4515) and in names (RFC 4514), so that it is never more than a value.

use ldap3::{dn_escape, ldap_escape};

/// What stands for the typed user name in templates.
pub(crate) const USER: &str = "{user}";

/// The text as a value in a filter.
pub(crate) fn filter_value(text: &str) -> String {
    ldap_escape(text).into_owned()
}

/// The text as an attribute's value in a DN.
pub(crate) fn dn_value(text: &str) -> String {
    dn_escape(text).into_owned()
}

/// The filter for this user name. What is put in is not looked through for `{user}` again.
pub(crate) fn fill(template: &str, user: &str) -> String {
    template.replace(USER, &filter_value(user))
}

/// `(attribute=value)`, the value as it is; `attribute` may end in a matching rule.
pub(crate) fn equals(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", filter_value(value))
}

/// The value of a DN's first component: how the entry is called under its parent. None where the text is no DN, or the
/// value is in hex of its encoding (RFC 4514 section 2.4), which no directory does for names.
pub(crate) fn first_value(dn: &str) -> Option<String> {
    let (attribute, rest) = dn.split_once('=')?;
    if !is_attribute(attribute.trim()) || rest.trim_start().starts_with('#') {
        return None;
    }
    let mut value = Vec::new();
    let mut kept = 0;
    let mut bytes = rest.trim_start_matches(' ').bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' | b'+' | b';' => break,
            b'\\' => {
                value.push(unescape(&mut bytes)?);
                kept = value.len();
            }
            b' ' => value.push(byte),
            _ => {
                value.push(byte);
                kept = value.len();
            }
        }
    }
    // Spaces at the end belong to the value only where they are escaped.
    value.truncate(kept);
    String::from_utf8(value).ok()
}

fn unescape(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    let Some(high) = char::from(first).to_digit(16) else { return Some(first) };
    let low = char::from(bytes.next()?).to_digit(16)?;
    Some((high << 4 | low) as u8)
}

/// A short name or a dotted number, with options such as `;binary` (RFC 4512 section 2.5).
pub(crate) fn is_attribute(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';'))
        && text.len() <= 128
}

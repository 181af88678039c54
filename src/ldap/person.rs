//! A person as the directory knows them.

use ldap3::SearchEntry;
use serde::{Deserialize, Serialize};

use crate::config::{DirectoryConfig, Kind};
use crate::escape::first_value;
use crate::refusal::{Closed, Refusal, Result};

/// Active Directory's flags of an account, and the one that says disabled (MS-ADTS section 2.2.16).
const ACCOUNT_CONTROL: &str = "userAccountControl";
const ACCOUNT_DISABLED: u32 = 2;

/// Somebody in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Where the entry is; changes when the person moves or marries.
    pub dn: String,
    /// Never changes: lower-case hex of an `entryUUID` without its hyphens, or of an `objectGUID`'s bytes in their
    /// stored order, or of any other attribute's value.
    pub id: String,
    pub user_name: String,
    pub email: Option<String>,
    /// What to call the person; the user name where the directory has nothing better.
    pub name: String,
    /// The nearest first; each once.
    pub groups: Vec<Group>,
}

/// A group in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Group {
    pub dn: String,
    pub name: String,
}

/// A person, the groups that the entry itself names, and whether Active Directory has closed the account.
pub(crate) struct Entry {
    pub person: Person,
    pub member_of: Vec<Group>,
    pub disabled: bool,
}

impl Entry {
    /// Refuses people whose account is disabled. Only for those who may know: not before a password was right.
    pub fn enabled(self) -> Result<Self> {
        if self.disabled { Err(Refusal::AccountDisabled(Closed::Disabled)) } else { Ok(self) }
    }
}

/// The attributes to ask for.
pub(crate) fn attributes(config: &DirectoryConfig) -> Vec<&str> {
    let mut names = vec![config.id(), config.user_name(), config.email(), config.name()];
    if config.groups.base.is_none() {
        names.push(config.member_of());
    }
    if config.kind == Kind::ActiveDirectory {
        names.push(ACCOUNT_CONTROL);
    }
    names
}

/// Reads the entry of a person.
pub(crate) fn read(config: &DirectoryConfig, entry: &SearchEntry) -> Result<Entry> {
    if entry.dn.is_empty() {
        let hint = "Choose a filter that matches people only.";
        return Err(Refusal::misconfigured("user_filter", "the entry that was found has no name", hint));
    }
    let flags = text(entry, ACCOUNT_CONTROL).and_then(|flags| flags.parse::<u32>().ok());
    let disabled = config.kind == Kind::ActiveDirectory && flags.is_some_and(|f| f & ACCOUNT_DISABLED != 0);
    let id = bytes(entry, config.id()).map(|bytes| hex_id(&bytes)).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| missing("attributes.id", config.id()))?;
    let user_name =
        text(entry, config.user_name()).ok_or_else(|| missing("attributes.user_name", config.user_name()))?;
    let name = text(entry, config.name()).unwrap_or_else(|| user_name.clone());
    let email = text(entry, config.email());
    let person = Person { dn: entry.dn.clone(), id, user_name, email, name, groups: Vec::new() };
    let member_of = if config.groups.base.is_none() { member_of(config, entry)? } else { Vec::new() };
    Ok(Entry { person, member_of, disabled })
}

/// The groups that the person's entry names, called by the first part of their DNs.
fn member_of(config: &DirectoryConfig, entry: &SearchEntry) -> Result<Vec<Group>> {
    let attribute = config.member_of();
    // Active Directory gives at most 1500 values, and says so by the attribute's option.
    let cut = entry.attrs.keys().any(|key| {
        key.split_once(';').is_some_and(|(name, option)| {
            name.eq_ignore_ascii_case(attribute) && option.to_ascii_lowercase().starts_with("range=")
        })
    });
    let dns = values(entry, attribute);
    if cut || dns.len() > config.groups.max_groups as usize {
        return Err(too_many(config));
    }
    let group = |dn: &String| Group { name: first_value(dn).unwrap_or_else(|| dn.clone()), dn: dn.clone() };
    Ok(dns.iter().map(group).collect())
}

/// Reads a group's entry.
pub(crate) fn group(config: &DirectoryConfig, entry: &SearchEntry) -> Group {
    let name = text(entry, &config.groups.name).or_else(|| first_value(&entry.dn));
    Group { name: name.unwrap_or_else(|| entry.dn.clone()), dn: entry.dn.clone() }
}

pub(crate) fn too_many(config: &DirectoryConfig) -> Refusal {
    Refusal::misconfigured(
        "groups.max_groups",
        format!(
            "the person is in more than {} groups, or more than the server shows",
            config.groups.max_groups
        ),
        "Narrow groups.base or groups.filter to the groups that matter here, or raise the number.",
    )
}

fn missing(field: &'static str, attribute: &str) -> Refusal {
    Refusal::misconfigured(
        field,
        format!("the person's entry shows no {attribute}"),
        "Choose an attribute that everybody has, and let the service account read it.",
    )
}

/// An `entryUUID` is text already; anything else is written as the hex of its bytes.
fn hex_id(value: &[u8]) -> String {
    let is_uuid = value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_uuid {
        let digits = value.iter().filter(|byte| **byte != b'-');
        digits.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
    } else {
        hex::encode(value)
    }
}

fn values<'a>(entry: &'a SearchEntry, attribute: &str) -> &'a [String] {
    let mut found = entry.attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    found.next().map_or(&[], |(_, values)| values)
}

fn text(entry: &SearchEntry, attribute: &str) -> Option<String> {
    values(entry, attribute).first().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The library sorts values into text and bytes by whether they happen to be UTF-8.
fn bytes(entry: &SearchEntry, attribute: &str) -> Option<Vec<u8>> {
    let binary = entry.bin_attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
    let binary = binary.and_then(|(_, values)| values.first().cloned());
    binary.or_else(|| values(entry, attribute).first().map(|text| text.clone().into_bytes()))
}

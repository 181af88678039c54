//! What can be wrong with a configuration, before any server is asked.

use std::ops::RangeInclusive;

use crate::address::Address;
use crate::config::{DirectoryConfig, Kind};
use crate::escape::{USER, fill, first_value, is_attribute};
use crate::tls;

/// Addresses that are tried.
const MOST_URLS: usize = 8;
/// Longest filter or name.
const LONGEST: usize = 2048;
/// Brackets in brackets of a filter: its reader descends once for each.
const DEEPEST: usize = 16;

type Problems = Vec<(&'static str, String)>;

pub(crate) fn problems(config: &DirectoryConfig) -> Problems {
    let mut problems = Vec::new();
    urls(config, &mut problems);
    if let Some(pem) = &config.authorities
        && let Err(reason) = tls::read_authorities(pem)
    {
        problems.push(("authorities", reason));
    }
    names(config, &mut problems);
    filters(config, &mut problems);
    attributes(config, &mut problems);
    groups(config, &mut problems);
    numbers(config, &mut problems);
    problems
}

fn urls(config: &DirectoryConfig, problems: &mut Problems) {
    if config.urls.is_empty() || config.urls.len() > MOST_URLS {
        problems.push(("urls", format!("give one to {MOST_URLS} addresses")));
    }
    for url in &config.urls {
        match Address::parse(url) {
            Err(reason) => problems.push(("urls", reason.to_owned())),
            Ok(address) if !(address.tls || config.starttls || config.allow_plain) => problems.push((
                "urls",
                format!(
                    "{address} would get passwords unencrypted: use ldaps://, or turn StartTLS on, or set \
                     allow_plain where the network itself is safe"
                ),
            )),
            Ok(_) => {}
        }
    }
}

fn names(config: &DirectoryConfig, problems: &mut Problems) {
    if !is_line(&config.bind_dn) {
        problems.push(("bind_dn", format!("it is one line of at most {LONGEST} bytes")));
    }
    let mut base = |field, dn: &str| {
        if !is_line(dn) || first_value(dn).is_none_or(|value| value.is_empty()) {
            problems.push((field, "it is a name such as ou=people,dc=example,dc=org".to_owned()));
        }
    };
    base("user_base", &config.user_base);
    if let Some(dn) = &config.groups.base {
        base("groups.base", dn);
    }
}

fn filters(config: &DirectoryConfig, problems: &mut Problems) {
    let filter = config.user_filter();
    if !filter.contains(USER) {
        problems.push(("user_filter", format!("it has {USER} where the user name goes")));
    }
    // A value only: in the place of an attribute it would let people choose what is compared.
    let is_value = |before: &str| before.rsplit('(').next().is_some_and(|item| item.contains('='));
    if !filter.match_indices(USER).all(|(at, _)| is_value(&filter[..at])) {
        problems.push(("user_filter", format!("{USER} stands only after '='")));
    }
    if let Some(reason) = filter_problem(&fill(filter, "a")) {
        problems.push(("user_filter", reason));
    }
    if let Some(reason) = filter_problem(config.group_filter()) {
        problems.push(("groups.filter", reason));
    }
}

fn filter_problem(filter: &str) -> Option<String> {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in filter.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if filter.len() > LONGEST {
        Some(format!("it is longer than {LONGEST} bytes"))
    } else if deepest > DEEPEST {
        Some(format!("it has more than {DEEPEST} brackets in each other"))
    } else if !filter.starts_with('(') || ldap3::parse_filter(filter).is_err() {
        Some("it is not a filter such as (objectClass=person)".to_owned())
    } else {
        None
    }
}

fn attributes(config: &DirectoryConfig, problems: &mut Problems) {
    for (field, attribute) in [
        ("attributes.id", config.id()),
        ("attributes.user_name", config.user_name()),
        ("attributes.email", config.email()),
        ("attributes.name", config.name()),
        ("attributes.groups", config.member_of()),
        ("groups.member", &config.groups.member),
        ("groups.name", &config.groups.name),
    ] {
        if !is_attribute(attribute) {
            problems.push((field, "it is an attribute's name: letters, digits and '-'".to_owned()));
        }
    }
}

fn groups(config: &DirectoryConfig, problems: &mut Problems) {
    if !config.groups.nested {
        return;
    }
    if config.groups.base.is_none() {
        problems.push(("groups.base", "groups in groups are found only under a base: set it".to_owned()));
    }
    if config.members_are_names() {
        problems.push(("groups.nested", "groups whose members are user names hold no groups".to_owned()));
    }
    if config.kind == Kind::ActiveDirectory && !config.groups.member.eq_ignore_ascii_case("member") {
        problems.push(("groups.member", "Active Directory follows groups by member only".to_owned()));
    }
}

fn numbers(config: &DirectoryConfig, problems: &mut Problems) {
    let mut within = |field, value: u32, range: RangeInclusive<u32>| {
        if !range.contains(&value) {
            problems.push((field, format!("it is a number from {} to {}", range.start(), range.end())));
        }
    };
    within("groups.max_depth", config.groups.max_depth.into(), 1..=20);
    within("groups.max_groups", config.groups.max_groups, 1..=10_000);
    within("limits.connect_seconds", config.limits.connect_seconds, 1..=60);
    within("limits.operation_seconds", config.limits.operation_seconds, 1..=120);
    within("limits.count_users", config.limits.count_users, 1..=100_000);
}

fn is_line(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(char::is_control)
}

//! The process environment, read here and nowhere else.
#![allow(clippy::disallowed_methods, reason = "this is the place that the ban points to")]

use std::path::PathBuf;

/// Variables that are not configuration keys: flags' own, and those of tests.
const OTHERS: &[&str] = &[
    "LECTERN_DATA",
    "LECTERN_TENANT",
    "LECTERN_CONFIG",
    "LECTERN_URL",
    "LECTERN_KEY",
    "LECTERN_SHARED",
    "LECTERN_BINARY",
    "LECTERN_CACHE",
    "LECTERN_WHISPER_FIXTURE",
    "LECTERN_POCKETSPHINX",
];

pub(crate) fn lectern_variables() -> Vec<(String, String)> {
    std::env::vars()
        .filter(|(name, _)| name.starts_with("LECTERN_") && !OTHERS.contains(&name.as_str()))
        .collect()
}

/// A variable of the environment, absent when empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where a program lies on the PATH.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

//! Scopes: names of permissions, between spaces.

use std::collections::BTreeSet;

use lectern_kernel::{APPLIANCE, Code, Error, Result, Rights};

use crate::SessionUse;
use crate::refusal::Refusal;
use lectern_kernel::Permission as _;

/// What a consent or a token names.
pub(crate) type Scopes = BTreeSet<String>;

/// What apps can be allowed.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue(BTreeSet<String>);

impl Catalogue {
    /// Of the product's permissions those that an app can have: none of the appliance, and not what only somebody at a
    /// browser may, as to allow an app more.
    pub fn new(permissions: Vec<&'static str>) -> Self {
        let fits = |name: &&str| !name.starts_with(APPLIANCE) && *name != SessionUse::NAME;
        Self(permissions.into_iter().filter(fits).map(str::to_owned).collect())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The scopes of an app to be registered.
    pub fn check(&self, wanted: Vec<String>) -> Result<Vec<String>> {
        let wanted: Scopes = wanted.into_iter().collect();
        match wanted.iter().find(|name| !self.0.contains(*name)) {
            Some(unknown) => {
                let shown: String = unknown.chars().take(64).collect();
                Err(Error::field("scopes", format!("'{shown}' is nothing that an app can be allowed"))
                    .hint("GET /api/v1/permissions lists the permissions."))
            }
            None => Ok(wanted.into_iter().collect()),
        }
    }

    /// Rights of a token: what it names, and nothing that an app cannot have.
    pub fn rights(&self, scopes: &[String]) -> Rights {
        scopes.iter().filter(|name| self.0.contains(*name)).cloned().collect()
    }
}

/// Whoever lets an app act for itself gives it these rights, so they must have them.
pub(crate) fn holds_all(rights: &Rights, scopes: &[String]) -> Result<()> {
    match scopes.iter().find(|name| !rights.allows(name)) {
        Some(lacking) => Err(Error::new(
            Code::Forbidden,
            format!("With client_credentials the app would have '{lacking}', which you do not have."),
        )),
        None => Ok(()),
    }
}

/// The scopes that a request names; all of `most` when it names none. More than `most` is refused.
pub(crate) fn wanted(text: Option<&str>, most: &[String]) -> Result<Scopes, Refusal> {
    let names: Scopes =
        text.unwrap_or_default().split(' ').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Ok(most.iter().cloned().collect());
    }
    if names.iter().all(|name| most.contains(name)) {
        return Ok(names);
    }
    Err(Refusal::scope("This is more than the program may have."))
}

/// As the protocol writes them.
pub(crate) fn text<'a>(scopes: impl IntoIterator<Item = &'a String>) -> String {
    scopes.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
